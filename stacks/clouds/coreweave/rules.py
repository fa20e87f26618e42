"""Rules of `cluster.coreweave.cluster`: a CKS cluster of the stack's own, whether it serves or only makes nodes."""

from collections.abc import Iterator
from itertools import chain

from stacks.clouds.coreweave.addresses import Unusable, too_small, unusable
from stacks.clouds.coreweave.plan import NAME_LENGTH, cluster_name
from stacks.clouds.coreweave.spec import Cks, CoreWeave
from stacks.clouds.coreweave.versions import AUTOSCALING, OFFERED, OLDEST_OFFERED, parse, text
from stacks.clouds.coreweave.versions import SOURCE as VERSIONS
from stacks.rules.cluster import INSTANCES, system_nodes
from stacks.rules.facts import ClusterSubject, Finding, Rule
from stacks.spec.stack import StackSpec

HERE = "cluster.coreweave.cluster"
SIZES = "docs.coreweave.com/products/networking/vpc/vpc-cidr"
UPGRADES = "docs.coreweave.com/products/cks/clusters/upgrade-kubernetes"


def short_names(subject: ClusterSubject) -> Iterator[Finding]:
    """CW-06: names that CoreWeave takes."""
    if (cks := _cks(subject)) is None:
        return
    for key, name in (("name", cks.name), ("vpc.name", cks.vpc.name)):
        if name and len(name) > NAME_LENGTH:
            what, why = f"`{name}` has {len(name)} characters", f"CoreWeave takes {NAME_LENGTH}"
            yield Finding(f"{HERE}.{key}", what, why, f"shorten it by {len(name) - NAME_LENGTH}, or leave it out")


def nodes_of_its_own(subject: ClusterSubject) -> Iterator[Finding]:
    """CW-06: a cluster that is new has no node, and an autoscaler from a version on."""
    spec, coreweave = subject.spec, subject.spec.cluster.own(CoreWeave)
    if (cks := _cks(subject)) is None or coreweave is None:
        return
    if not coreweave.system_pool.manage:
        what, why = (
            "`manage: false` with a cluster that the stack makes",
            "it has no CPU nodes for the router to run on",
        )
        yield Finding("cluster.coreweave.systemPool.manage", what, why, "leave it out")
    version = parse(cks.version)
    # New clusters are of later versions anyway: CW-11.
    exists = not spec.cluster.is_new
    if exists and coreweave.accelerator_pool.autoscaling and version and version < AUTOSCALING:
        first = text(AUTOSCALING)
        what, why = f"`autoscaling` with {cks.version}", f"CKS scales node pools from {first} on"
        yield Finding(f"{HERE}.version", what, why, f"upgrade it to {first} or later first, or leave `autoscaling` out")


def minor_version(subject: ClusterSubject) -> Iterator[Finding]:
    """CW-11: a version as CKS is told it."""
    if (cks := _cks(subject)) and parse(cks.version) is None:
        what, why = f"`{cks.version}` is no minor version", "CoreWeave is told one, and brings its patches itself"
        yield Finding(f"{HERE}.version", what, why, "write something like `v1.35`")


def offered_version(subject: ClusterSubject) -> Iterator[Finding]:
    """CW-11: a version of which CoreWeave still makes clusters. One that exists keeps its own."""
    cluster = subject.spec.cluster
    cks = _cks(subject)
    version = parse(cks.version) if cks and cluster.is_new else None
    if version and version < OLDEST_OFFERED:
        what, why = f"no new cluster is made of {text(version)}", "CoreWeave keeps it for clusters that have it already"
        yield Finding(f"{HERE}.version", what, why, f"write one of {', '.join(map(text, OFFERED))}")


def ranges_lie_free(subject: ClusterSubject) -> Iterator[Finding]:
    """CW-12: ranges that are one's own, and not in each other's way."""
    if cks := _cks(subject):
        yield from map(_finding, unusable(cks.vpc))


def room_for_nodes(subject: ClusterSubject) -> Iterator[Finding]:
    """CW-13: addresses for every node there may be, and for its pods."""
    if cks := _cks(subject):
        yield from map(_finding, too_small(cks.vpc, _most_nodes(subject.spec)))


def a_context_to_come(subject: ClusterSubject) -> Iterator[Finding]:
    """CW-14: a kubeconfig leads to the cluster by a context, or by none until it is there."""
    cluster = subject.spec.cluster
    if (cks := _cks(subject)) and cluster.kubeconfig and not cluster.context:
        what = "`kubeconfig` without `context`"
        why = f"its current context could lead to another cluster than {cluster_name(subject.spec.name, cks)}"
        yield Finding("cluster.context", what, why, "name the context, or leave both out until the cluster is there")


def _cks(subject: ClusterSubject) -> Cks | None:
    """The CKS cluster that the stack makes."""
    section = subject.spec.cluster.own(CoreWeave)
    return section.cluster if section else None


def _names_and_nodes(subject: ClusterSubject) -> Iterator[Finding]:
    return chain(system_nodes(subject), short_names(subject), nodes_of_its_own(subject))


def _version(subject: ClusterSubject) -> Iterator[Finding]:
    return chain(minor_version(subject), offered_version(subject))


CW_06: Rule[ClusterSubject] = Rule("CW-06", INSTANCES, _names_and_nodes)
#: Those that can be asked of any spec.
RULES: tuple[Rule[ClusterSubject], ...] = (
    Rule("CW-11", VERSIONS, _version),
    Rule("CW-12", SIZES, ranges_lie_free),
    Rule("CW-13", SIZES, room_for_nodes),
    Rule("CW-14", "stacks/clouds/coreweave/rules.py", a_context_to_come),
)


def _most_nodes(spec: StackSpec) -> int:
    """How many nodes there may be, of both pools."""
    stated = spec.cluster.own(CoreWeave)
    assert stated is not None  # it has the cluster
    scaling = stated.accelerator_pool.autoscaling
    return max(spec.cluster.nodes or 0, scaling.max if scaling else 0) + stated.system_pool.nodes


def _finding(found: Unusable) -> Finding:
    return Finding(f"{HERE}.vpc.{found.key}", found.what, found.why, found.fix)
