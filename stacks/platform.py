"""A stack that only makes nodes, for other stacks to serve on: how it is told from one that serves, its rules, and its plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.clouds.coreweave import rules as cks_rules
from stacks.clouds.coreweave.plan import CksPlan, cks_plan
from stacks.clouds.coreweave.pools import NodePool, node_pools
from stacks.clouds.gke import rules as gke_rules
from stacks.clouds.gke.plan import GkePlan, gke_plan
from stacks.findings import Problem
from stacks.rules import cluster as cluster_rules
from stacks.rules.facts import ClusterSubject, Finding, Rule
from stacks.rules.mirror import a_registry_has_a_host
from stacks.serving.workload import machine_of
from stacks.spec.cluster import MAKERS
from stacks.spec.stack import PlatformSpec

#: The sections that say what serves. `mirror` is one too, but of a cluster on GKE, which is given a chart.
SERVING_SECTIONS = ("namespace", "release", "router", "monitoring", "crds", "mirror")

#: One of each provider's machines, as an example.
MACHINE = {"coreweave": "coreweave-h200", "gke": "gke-a3-ultragpu-8g-dra"}


@dataclass(frozen=True)
class PlatformPlan:
    """Everything a stack applies that only makes nodes."""

    spec: PlatformSpec
    pools: list[NodePool]
    gke: GkePlan | None = None
    cks: CksPlan | None = None


def is_platform(config: Mapping[str, Any]) -> bool:
    """Whether the configuration by key (`cluster`, …) is of a stack that only makes nodes: it makes some, and serves nothing.

    An empty `serving` is the project's default.
    """
    cluster = config.get("cluster")
    return config.get("serving", {}) == {} and isinstance(cluster, dict) and cluster.get("provider") in MAKERS


def platform_plan(spec: PlatformSpec, base: Path = Path()) -> PlatformPlan:
    """The plan of a stack that obeys the rules. Relative paths in its file start at `base`."""
    machine = machine_of(spec)
    gke = gke_plan(spec, machine, base) if spec.cluster.provider == "gke" else None
    return PlatformPlan(spec, node_pools(spec, machine), gke, cks_plan(spec))


def platform_problems(spec: PlatformSpec) -> Iterator[Problem]:
    """Every problem the rules find in a stack that only makes nodes."""
    subject = _Subject(spec)
    for rule in RULES:
        yield from rule.problems(subject)


@dataclass(frozen=True)
class _Subject:
    spec: PlatformSpec


def _only_nodes(subject: ClusterSubject) -> Iterator[Finding]:
    spec, usual = subject.spec, PlatformSpec()
    for key in SERVING_SECTIONS:
        if key == "mirror" and spec.cluster.provider == "gke":
            continue
        if getattr(spec, key) != getattr(usual, key):
            what, why = f"`{key}` of a stack that only makes nodes", "nothing of it serves"
            yield Finding(
                key, what, why, "take it out, or add what it serves: `llmd-pd:serving: {accelerator: nvidia}`"
            )
    if spec.cluster.machine is None:
        what, why = "the machine is missing", "with nothing that serves, it follows from nothing"
        yield Finding("cluster.machine", what, why, f"name one, such as `machine: {MACHINE[spec.cluster.provider]}`")


RULES: tuple[Rule[ClusterSubject], ...] = (
    Rule("PLATFORM-01", "stacks/platform.py", _only_nodes),
    Rule("MIRROR-01", "the stack's mirror", a_registry_has_a_host),
    *gke_rules.RULES,
    *cluster_rules.RULES,
    cks_rules.CW_06,
    *cks_rules.RULES,
)
