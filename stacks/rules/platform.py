"""Rules of a platform stack: it says nothing of what it does not do, and names its machine."""

from collections.abc import Iterator

from stacks.clouds.coreweave import rules as cks_rules
from stacks.clouds.gke import rules as gke_rules
from stacks.rules import cluster as cluster_rules
from stacks.rules.facts import ClusterSubject, Finding, Rule
from stacks.rules.mirror import a_registry_has_a_host
from stacks.spec.stack import StackSpec

#: The sections that say what serves. `mirror` is one too, but of a cluster on GKE, which is given a chart.
SERVING_SECTIONS = ("namespace", "release", "router", "monitoring", "crds", "mirror")

#: One of each provider's machines, as an example.
MACHINE = {"coreweave": "coreweave-h200", "gke": "gke-a3-ultragpu-8g-dra"}


def _only_nodes(subject: ClusterSubject) -> Iterator[Finding]:
    spec, usual = subject.spec, StackSpec()
    for key in SERVING_SECTIONS:
        if key == "mirror" and spec.cluster.provider == "gke":
            continue
        if getattr(spec, key) != getattr(usual, key):
            what, why = f"`{key}` of a platform stack", "nothing of it serves"
            yield Finding(
                key, what, why, "take it out, or add what it serves: `llmd-pd:serving: {accelerator: nvidia}`"
            )
    if spec.cluster.machine is None:
        what, why = "the machine is missing", "with nothing that serves, it follows from nothing"
        yield Finding("cluster.machine", what, why, f"name one, such as `machine: {MACHINE[spec.cluster.provider]}`")


RULES: tuple[Rule[ClusterSubject], ...] = (
    Rule("PLATFORM-01", "docs/platform-stacks.md", _only_nodes),
    Rule("MIRROR-01", "the stack's mirror", a_registry_has_a_host),
    *gke_rules.RULES,
    *cluster_rules.RULES,
    cks_rules.CW_06,
    *cks_rules.RULES,
)
