"""Whether Google's SDK is installed: an extra, without which a stack that makes a cluster on GKE is refused before it begins."""

from importlib import util

from releases.gke import SDK
from stacks.problems import Problem, StackFileError
from stacks.spec import AnyStack


def need_sdk(spec: AnyStack) -> None:
    """Refuses to make a cluster on GKE without it. It is looked for and not imported, which takes a second.

    Raises:
        StackFileError: with the one sentence that says how to get it.
    """
    if spec.cluster.provider == "gke" and util.find_spec(SDK) is None:
        what = "the package pulumi-gcp is not installed"
        why = "`provider: gke` needs it, and it is an extra: its plugin is 300 MB"
        fix = "run `make gke`, or `pip install -e '.[gke]'` in the environment of this program"
        raise StackFileError([Problem("SDK", "llmd-pd:cluster.provider", what, why, fix, "docs/gke.md")])
