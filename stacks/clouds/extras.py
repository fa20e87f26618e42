"""Whether a cloud's SDK is installed: an extra, without which a stack that makes a cluster there is refused before it begins."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import util

from releases import coreweave, gke
from stacks.findings import Problem, StackFileError
from stacks.spec.cluster import Cluster
from stacks.spec.stack import StackSpec


@dataclass(frozen=True)
class Extra:
    """An SDK's module and package, our extra that installs it, what needs it (its key, and in words), and the page about it."""

    module: str
    package: str
    name: str
    needed: Callable[[Cluster], bool]
    key: str
    why: str
    page: str


EXTRAS = (
    Extra(
        gke.SDK, "pulumi-gcp", "gke", lambda cluster: cluster.provider == "gke", "cluster.provider",
        "`provider: gke` needs it, and it is an extra: its plugin is 300 MB", "docs/gke.md",
    ),
    Extra(
        coreweave.SDK, "pulumi-coreweave", "coreweave", lambda cluster: cluster.cks_to_make is not None,
        "cluster.coreweave.cluster", "a CKS cluster of the stack's own needs it, and it is an extra", "docs/coreweave.md",
    ),
)  # fmt: skip


def need_sdk(spec: StackSpec) -> None:
    """Refuses to make a cluster without the SDK of its cloud. It is looked for and not imported, which takes a second.

    Raises:
        StackFileError: with the one sentence that says how to get it.
    """
    for extra in EXTRAS:
        if extra.needed(spec.cluster) and util.find_spec(extra.module) is None:
            what = f"the package {extra.package} is not installed"
            fix = f"run `make {extra.name}`, or `pip install -e '.[{extra.name}]'` in the environment of this program"
            raise StackFileError([Problem("SDK", f"llmd-pd:{extra.key}", what, extra.why, fix, extra.page)])
