"""Whether a cloud's SDK is installed: an extra, without which a stack that makes a cluster there is refused before it begins."""

from importlib import util

from stacks.findings import ERROR, Rule, StackFileError
from stacks.spec.cluster import Cluster

SDK = Rule(
    "SDK", ERROR,
    "when Pulumi runs: a cloud's SDK is not installed, and the stack makes a cluster there",
    "it is an extra, which `make` and its name install",
    "docs/stack-files.md", when_run=True,
)  # fmt: skip


def need_sdk(cluster: Cluster) -> None:
    """Refuses to make a cluster without the SDK of its cloud. The SDK is looked for and not imported, which takes a second.

    Raises:
        StackFileError: with the sentence that says how to get it.
    """
    cloud = cluster.cloud
    extra = cloud.extra if cluster.makes_nodes and cloud.makes_cluster(cluster.section) else None
    if extra is not None and util.find_spec(extra.module) is None:
        what = f"the package {extra.package} is not installed"
        install = f"`.venv/bin/pip install -e '.[{extra.name}]'`"
        fix = f"run `make {extra.name}` ({extra.page}), or {install}"
        raise StackFileError([SDK.problem(at=tuple(extra.key.split(".")), what=what, why=extra.why, fix=fix)])
