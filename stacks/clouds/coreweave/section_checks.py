"""Checks of `cluster.coreweave` and of what serves on CoreWeave; their rows are in `stacks.clouds.coreweave.rules`."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic.alias_generators import to_camel

from hardware.fabrics import POD_NETWORK
from hardware.machines import COREWEAVE_CPU, MACHINES, machines_for
from stacks.clouds.cloud import EXISTING
from stacks.clouds.coreweave.addresses import too_small, unusable
from stacks.clouds.coreweave.plan import NAME_LENGTH, cluster_name
from stacks.clouds.coreweave.pools import FABRIC, WITHIN_A_FABRIC, pool_names
from stacks.clouds.coreweave.spec import Cks, CoreWeave
from stacks.clouds.coreweave.versions import AUTOSCALING, OFFERED, OLDEST_OFFERED, parse, text
from stacks.clouds.coreweave.versions import SOURCE as VERSIONS
from stacks.findings import Finding, answered, known

if TYPE_CHECKING:
    from stacks.rules.facts import Facts
    from stacks.spec.stack import StackSpec

KEY = FABRIC_KEY = "coreweave"
HERE = ("cluster", "coreweave", "cluster")
#: CoreWeave writes labels under these itself, or Kubernetes does, and schedules by them; one is for everybody to set.
COREWEAVES_LABELS = ("coreweave.cloud/", "coreweave.com/", "gpu.nvidia.com/", "kubernetes.io/", "k8s.io/")
ANYBODYS = "cks.coreweave.cloud/system-critical"


def infiniband_said_aloud(facts: "Facts") -> Iterator[Finding]:
    """Machines with InfiniBand are paid for; without a fabric KV cache would travel over TCP without a word."""
    if not _on_coreweaves_pools(facts) or "fabric" in facts.serving.model_fields_set:
        return
    rows = machines_for(facts.accelerator.key, FABRIC_KEY)
    if facts.written.hardware.fabric is POD_NETWORK and any(row.provider == KEY for row in rows):
        what, why = "the fabric is left out", "KV cache would travel over TCP, beside the InfiniBand that is paid for"
        yield Finding(
            at=("serving", "fabric"),
            what=what,
            why=why,
            fix="write `fabric: coreweave`, or `fabric: base` if TCP is what you want",
        )


def system_nodes(facts: "Facts") -> Iterator[Finding]:
    """There are CPU nodes, of a type whose size is known."""
    spec, place = facts.spec, ("cluster", "coreweave", "systemPool")
    section = _stated(spec)
    system = section.system_pool
    if not system.manage:
        for key in sorted(system.model_fields_set - {"manage"}):
            what, why = f"`{to_camel(key)}` is there beside `manage: false`", "the stack does not own that pool"
            at = (*place, to_camel(key))
            fixes = ["leave it out", *facts.helping(at, {"leave `manage` out": {(*place, "manage"): None}})]
            yield Finding(at=at, what=what, why=why, fix=", or ".join(fixes))
    elif system.instance_type not in COREWEAVE_CPU:
        what = f"`{system.instance_type}` is no CPU instance type"
        why = "the router and CoreWeave's own agents need nodes that are always there, and of a known size"
        yield Finding(at=(*place, "instanceType"), what=what, why=why, fix=known(system.instance_type, COREWEAVE_CPU))


def two_names(facts: "Facts") -> Iterator[Finding]:
    """The two pools have different names."""
    spec, section = facts.spec, _stated(facts.spec)
    names = pool_names(spec.name, section)
    if section.system_pool.manage and names["systemPool"] == names["acceleratorPool"]:
        what, why = f"both pools are called `{names['systemPool']}`", "a NodePool's name is there once in a cluster"
        at = ("cluster", "coreweave", "systemPool", "name")
        yield Finding(at=at, what=what, why=why, fix="write another name, or leave it out")


def own_labels(facts: "Facts") -> Iterator[Finding]:
    """Labels that CoreWeave or Kubernetes writes itself are left to it."""
    for key in _stated(facts.spec).accelerator_pool.labels:
        if key != ANYBODYS and any(theirs in key for theirs in COREWEAVES_LABELS):
            what, why = (
                f"label `{key}` is not the stack's to write",
                "its scheduler and this stack's affinity go by what it says",
            )
            yield Finding(
                at=("cluster", "coreweave", "acceleratorPool", "labels", key),
                what=what,
                why=why,
                fix=f"leave `{key}` out",
            )


def taints_once(facts: "Facts") -> Iterator[Finding]:
    """A node has one taint of a key and an effect; the API server refuses a node with two."""
    machine = MACHINES.get(facts.spec.cluster.machine or "")
    seen = {(taint.key, taint.effect) for taint in machine.taints} if machine else set()
    for index, taint in enumerate(_stated(facts.spec).accelerator_pool.taints):
        pair = (taint["key"], taint["effect"])
        if pair in seen:
            what, why = f"taint `{pair[0]}:{pair[1]}` is there twice", "no node could have both, so none would come"
            yield Finding(
                at=("cluster", "coreweave", "acceleratorPool", "taints", index),
                what=what,
                why=why,
                fix="take the item out",
            )
        seen.add(pair)


def _stated(spec: "StackSpec") -> CoreWeave:
    return spec.cluster.own(CoreWeave) or CoreWeave()


def _cks(facts: "Facts") -> Cks | None:
    """The CKS cluster that the stack makes."""
    section = facts.spec.cluster.own(CoreWeave)
    return section.cluster if section else None


def _on_coreweaves_pools(facts: "Facts") -> bool:
    """Whether a stack of this project made the nodes on CoreWeave: this one, or the platform stack."""
    cluster = facts.chosen.cluster
    if cluster.makes_nodes or cluster.provider == EXISTING.key:
        return isinstance(cluster.section, CoreWeave)
    return facts.machine.provider == KEY


def short_names(facts: "Facts") -> Iterator[Finding]:
    """CW-06: names that CoreWeave takes."""
    if (cks := _cks(facts)) is None:
        return
    stated = answered(lambda: (("name",), cks.name), lambda: (("vpc", "name"), cks.vpc.name))
    for key, name in stated:
        if name and len(name) > NAME_LENGTH:
            what, why = f"`{name}` has {len(name)} characters", f"CoreWeave takes {NAME_LENGTH}"
            yield Finding(
                at=(*HERE, *key), what=what, why=why, fix=f"shorten it to {NAME_LENGTH} characters, or leave it out"
            )


def nodes_of_its_own(facts: "Facts") -> Iterator[Finding]:
    """CW-06: a cluster that is new has no node, and an autoscaler from a version on."""
    spec, coreweave = facts.spec, facts.spec.cluster.own(CoreWeave)
    if (cks := _cks(facts)) is None or coreweave is None:
        return
    if not coreweave.system_pool.manage:
        what, why = (
            "`manage: false` with a cluster that the stack makes",
            "it has no CPU nodes for the router to run on",
        )
        yield Finding(at=("cluster", "coreweave", "systemPool", "manage"), what=what, why=why, fix="leave it out")
    version = parse(cks.version)
    # New clusters are of later versions anyway: CW-11.
    exists = not spec.cluster.is_new
    if exists and coreweave.accelerator_pool.autoscaling and version and version < AUTOSCALING:
        first = text(AUTOSCALING)
        what, why = f"`autoscaling` with {cks.version}", f"CKS scales node pools from {first} on"
        yield Finding(
            at=(*HERE, "version"),
            what=what,
            why=why,
            fix=f"upgrade it to {first} or later first, or leave `autoscaling` out",
        )


def minor_version(facts: "Facts") -> Iterator[Finding]:
    """CW-11: a version as CKS is told it."""
    if (cks := _cks(facts)) and parse(cks.version) is None:
        what, why = f"`{cks.version}` is no minor version", "CoreWeave is told one, and brings its patches itself"
        numbers = re.match(r"v?(\d+)\.(\d+)", cks.version)
        minor = (int(numbers[1]), int(numbers[2])) if numbers else OFFERED[-1]
        offered = not facts.spec.cluster.is_new or minor in OFFERED
        fix = f"write `{text(minor)}`" if offered else f"write one of {', '.join(map(text, OFFERED))}"
        yield Finding(at=(*HERE, "version"), what=what, why=why, fix=fix)


def offered_version(facts: "Facts") -> Iterator[Finding]:
    """CW-11: a version of which CoreWeave still makes clusters. One that exists keeps its own."""
    cluster = facts.spec.cluster
    cks = _cks(facts)
    version = parse(cks.version) if cks and cluster.is_new else None
    if version and version < OLDEST_OFFERED:
        what, why = f"no new cluster is made of {text(version)}", "CoreWeave keeps it for clusters that have it already"
        yield Finding(at=(*HERE, "version"), what=what, why=why, fix=f"write one of {', '.join(map(text, OFFERED))}")


def ranges_lie_free(facts: "Facts") -> Iterator[Finding]:
    """CW-12: ranges that are one's own, and not in each other's way."""
    if cks := _cks(facts):
        yield from map(_in_the_vpc, unusable(cks.vpc))


def room_for_nodes(facts: "Facts") -> Iterator[Finding]:
    """CW-13: addresses for every node there may be, and for its pods."""
    if cks := _cks(facts):
        yield from map(_in_the_vpc, too_small(cks.vpc, _most_nodes(facts.spec)))


def a_context_to_come(facts: "Facts") -> Iterator[Finding]:
    """CW-14: a kubeconfig leads to the cluster by a context, or by none until it is there."""
    cluster = facts.spec.cluster
    if (cks := _cks(facts)) and cluster.kubeconfig and not cluster.context:
        what = "`kubeconfig` without `context`"
        why = f"its current context could lead to another cluster than {cluster_name(facts.spec.name, cks)}"
        yield Finding(
            at=("cluster", "context"),
            what=what,
            why=why,
            fix="name the context, or leave `kubeconfig` out too until the cluster is there",
        )


def _most_nodes(spec: "StackSpec") -> int:
    """How many nodes there may be, of both pools."""
    stated = spec.cluster.own(CoreWeave)
    assert stated is not None  # it has the cluster
    scaling = stated.accelerator_pool.autoscaling
    return max(spec.cluster.nodes or 0, scaling.max if scaling else 0) + stated.system_pool.nodes


def _in_the_vpc(found: Finding) -> Finding:
    return replace(found, at=(*HERE, "vpc", *found.at))


def across_fabrics(facts: "Facts") -> Iterator[Finding]:
    """CW-17: on existing nodes pods are as upstream has them, which keeps them on no fabric."""
    on_others = facts.spec.cluster.provider == "existing" and facts.machine.provider == KEY
    if on_others and facts.workload.hardware.fabric.rdma and not WITHIN_A_FABRIC & {*facts.serving.node_selector}:
        what = "nothing keeps prefill and decode on one InfiniBand fabric"
        why = "existing nodes may be on several, and KV cache does not cross fabrics"
        fix = f"select one under `serving`, as `nodeSelector: {{{FABRIC}: …}}`, or let the stack make the nodes"
        yield Finding(at=("serving", "nodeSelector"), what=what, why=why, fix=f"{fix} (`provider: coreweave`)")


def unlisted_version(facts: "Facts") -> Iterator[Finding]:
    """CW-18: a new cluster of a version that the newest known list does not have. CW-11 refuses one that is too old."""
    cluster = facts.spec.cluster
    cks = _cks(facts)
    version = parse(cks.version) if cks and cluster.is_new else None
    if cks and version and version not in OFFERED:
        what = f"{cks.version} is not on the list of versions for new clusters that is known here"
        why = f"that has {', '.join(map(text, OFFERED))}, and CoreWeave would refuse another after the VPC is made"
        yield Finding(at=(*HERE, "version"), what=what, why=why, fix=f"look it up at {VERSIONS}")
