"""Rules of the cluster: what only a provider that makes nodes can be told, and what a pool on CoreWeave has to be.

The ids CW-xx and what they are about are upstream facts of CoreWeave's documentation. That an instance type never changes
(CW-03) is looked up in the cluster: `stacks.clouds.coreweave.look_pools`. CW-06 has its row where a cluster of the
stack's own is judged too:
`stacks.clouds.coreweave.rules`. That nothing installs GPU or network operators, which CoreWeave brings
(CW-04), is a law of what a stack is made of.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from pydantic.alias_generators import to_camel

from hardware.fabrics import POD_NETWORK
from hardware.machines import COREWEAVE_CPU, MACHINES, UnknownMachineError, machines_for
from stacks.clouds import rules as maker_rules
from stacks.clouds.coreweave.pools import pool_names
from stacks.clouds.coreweave.spec import CoreWeave
from stacks.clouds.gke.mixture import mixture
from stacks.clouds.gke.spec import Gke
from stacks.clouds.registry import CLOUDS
from stacks.clouds.rules import COREWEAVE
from stacks.findings import known
from stacks.rules.facts import ClusterSubject, Finding, Rule, Subject
from stacks.serving import workload as resolve
from stacks.spec.cluster import OF_A_STACK, Cluster
from stacks.spec.stack import StackSpec

NODE_POOLS = "docs.coreweave.com/products/cks/reference/node-pool"
INSTANCES = "docs.coreweave.com/platform/instances"

#: CoreWeave writes labels under these itself, or Kubernetes does, and schedules by them; one is for everybody to set.
COREWEAVES_LABELS = ("coreweave.cloud/", "coreweave.com/", "gpu.nvidia.com/", "kubernetes.io/", "k8s.io/")
ANYBODYS = "cks.coreweave.cloud/system-critical"


def known_machine(subject: ClusterSubject) -> Iterator[Finding]:
    """The machine is one of the table."""
    machine = subject.spec.cluster.machine
    if machine and machine not in MACHINES:
        what, why = f"machine `{machine}` is not in the table", "without its facts nothing can be checked or rehearsed"
        provider = subject.spec.cluster.provider if subject.spec.cluster.makes_nodes else None
        fitting = [key for key, row in MACHINES.items() if provider in (None, row.provider)]
        yield Finding("cluster.machine", what, why, known(machine, fitting))


def of_the_provider(subject: ClusterSubject) -> Iterator[Finding]:
    """Nothing is said that this provider would not do."""
    cluster = subject.spec.cluster
    for key in _idle(subject.spec):
        what = f"`{key}` with `provider: {cluster.provider}`"
        if cluster.makes_nodes:
            yield Finding(
                f"cluster.{key}", what, "nothing would come of it", "leave it out, or name the provider it is of"
            )
        else:
            makers = [word for word, cloud in CLOUDS.items() if key in cloud.heeds and cloud.makes_nodes]
            provider = key if key in (*CLOUDS, OF_A_STACK) else makers[0]
            why = "the cluster is not this stack's to describe"
            yield Finding(f"cluster.{key}", what, why, f"write `provider: {provider}`, or leave it out")


def as_said(spec: StackSpec) -> StackSpec | None:
    """The spec without it."""
    left_out = {field: _default(field) for key, field in _fields().items() if key in _idle(spec)}
    return spec.model_copy(update={"cluster": spec.cluster.model_copy(update=left_out)})


def _fields() -> dict[str, str]:
    """Keys that only some providers heed, and their fields."""
    own = {
        "stack": "stack",
        "kubeconfig": "kubeconfig",
        "context": "context",
        "protect": "protect",
        "allowReplace": "allow_replace",
    }
    return {**{key: key for key, cloud in CLOUDS.items() if cloud.section_type is not None}, **own}


def _default(field: str) -> Any:
    info = Cluster.model_fields.get(field)
    return info.get_default() if info else None


def _idle(spec: StackSpec) -> list[str]:
    """What is said of the cluster and not heeded."""
    cluster = spec.cluster
    # What the other stack says is heeded of a platform stack's.
    heeded = {OF_A_STACK} if cluster.provider == OF_A_STACK else {cluster.cloud.key, *cluster.cloud.heeds}
    return [
        key
        for key, field in _fields().items()
        if key not in heeded and getattr(cluster, field, None) != _default(field)
    ]


def reference(subject: Subject) -> Iterator[Finding]:
    """Provider `stack` says which."""
    cluster = subject.spec.cluster
    if cluster.provider == "stack" and cluster.stack is None:
        what, why = "the stack is missing", "the cluster is what it says"
        yield Finding("cluster.stack", what, why, "name a stack that makes nodes, such as `stack: platform`")


def goes_with_the_machine(subject: Subject) -> Iterator[Finding]:
    """On nodes that are made, only what they are for: on those that are there a rehearsal may try anything."""
    spec, serving = subject.spec, subject.spec.served
    machine = MACHINES.get(spec.cluster.machine or "")
    if (
        machine is None
        or spec.cluster.provider == "existing"
        or (serving.accelerator, serving.fabric) in machine.serves
    ):
        return
    if (gke := spec.cluster.own(Gke)) and mixture(spec, gke):
        return  # which GKE-12 says, with the way to the NICs that goes with each fix
    fabrics = [fabric for accelerator, fabric in machine.serves if accelerator == serving.accelerator]
    key, has = ("fabric", serving.fabric) if fabrics else ("accelerator", serving.accelerator)
    there = fabrics or list(dict.fromkeys(accelerator for accelerator, _ in machine.serves))
    fixes = [f"`{key}: {word}`" for word in there]
    others = [row for row in machines_for(serving.accelerator, serving.fabric) if row.provider == machine.provider]
    fixes += [f"`machine: {row.key}`" for row in others]
    what, why = f"{key} `{has}` with machine `{machine.key}`", "its pods are not written for such nodes"
    yield Finding(f"serving.{key}", what, why, f"write {' or '.join(fixes)}")


def as_unmade(spec: StackSpec) -> StackSpec | None:
    """The spec as of nodes that are there, whatever they are."""
    there = {"provider": "existing", "machine": None, "nodes": None, "protect": True, "allow_replace": ()}
    return spec.model_copy(update={"cluster": spec.cluster.model_copy(update=there)})


def infiniband_said_aloud(subject: Subject) -> Iterator[Finding]:
    """Machines with InfiniBand are paid for; without a fabric KV cache would travel over TCP without a word."""
    spec = subject.spec
    if not _on_coreweaves_pools(spec) or "fabric" in spec.served.model_fields_set:
        return
    if subject.workload.hardware.fabric is POD_NETWORK and any(
        row.provider == "coreweave" for row in machines_for(spec.served.accelerator, "coreweave")
    ):
        what, why = "the fabric is left out", "KV cache would travel over TCP, beside the InfiniBand that is paid for"
        yield Finding(
            "serving.fabric", what, why, "write `fabric: coreweave`, or `fabric: base` if TCP is what you want"
        )


def system_nodes(subject: ClusterSubject) -> Iterator[Finding]:
    """There are CPU nodes, of a type whose size is known, under a name of their own."""
    spec, place = subject.spec, "cluster.coreweave.systemPool"
    system_section = _stated(spec)
    system = system_section.system_pool
    if not system.manage:
        for key in sorted(system.model_fields_set - {"manage"}):
            what, why = f"`{to_camel(key)}` beside `manage: false`", "that pool is somebody else's"
            yield Finding(f"{place}.{to_camel(key)}", what, why, "leave the one or the other out")
    elif system.instance_type not in COREWEAVE_CPU:
        what = f"`{system.instance_type}` is no CPU instance type"
        why = "the router and CoreWeave's own agents need nodes that are always there, and of a known size"
        yield Finding(f"{place}.instanceType", what, why, known(system.instance_type, COREWEAVE_CPU))
    names = pool_names(spec.name, system_section)
    if system.manage and names["systemPool"] == names["acceleratorPool"]:
        what, why = f"both pools are called `{names['systemPool']}`", "a NodePool's name is there once in a cluster"
        yield Finding(f"{place}.name", what, why, "give them different names, or leave them out")


def own_labels(subject: ClusterSubject) -> Iterator[Finding]:
    """Labels that CoreWeave or Kubernetes writes itself are left to it."""
    for key in _stated(subject.spec).accelerator_pool.labels:
        if key != ANYBODYS and any(theirs in key for theirs in COREWEAVES_LABELS):
            what, why = (
                f"label `{key}` is not the stack's to write",
                "its scheduler and this stack's affinity go by what it says",
            )
            yield Finding("cluster.coreweave.acceleratorPool.labels", what, why, f"leave `{key}` out")


def taints_once(subject: ClusterSubject) -> Iterator[Finding]:
    """A node has one taint of a key and an effect; the API server refuses a node with two."""
    machine = MACHINES.get(subject.spec.cluster.machine or "")
    seen = {(taint.key, taint.effect) for taint in machine.taints} if machine else set()
    for taint in _stated(subject.spec).accelerator_pool.taints:
        pair = (taint["key"], taint["effect"])
        if pair in seen:
            what, why = f"taint `{pair[0]}:{pair[1]}` is there twice", "no node could have both, so none would come"
            yield Finding("cluster.coreweave.acceleratorPool.taints", what, why, "leave one out")
        seen.add(pair)


def _on_coreweaves_pools(spec: StackSpec) -> bool:
    """Whether a stack of this project made the nodes on CoreWeave: this one, or the one it refers to."""
    if spec.cluster.provider != OF_A_STACK:
        return isinstance(spec.cluster.section, CoreWeave)
    try:
        return resolve.machine_of(spec).provider == "coreweave"
    except UnknownMachineError:
        return False  # FIT-01 reports it


def _stated(spec: StackSpec) -> CoreWeave:
    return spec.cluster.own(CoreWeave) or CoreWeave()


MACHINE_01: Rule[ClusterSubject] = Rule("MACHINE-01", "hardware/machines", known_machine)
CLUSTER_01: Rule[ClusterSubject] = Rule("CLUSTER-01", "stacks/spec/cluster.py", of_the_provider)
CW_01: Rule[ClusterSubject] = Rule("CW-01", NODE_POOLS, partial(maker_rules.stated_nodes, COREWEAVE))
CW_02: Rule[ClusterSubject] = Rule("CW-02", NODE_POOLS, partial(maker_rules.bounds, COREWEAVE))
CW_07: Rule[ClusterSubject] = Rule("CW-07", INSTANCES, partial(maker_rules.own_machine, COREWEAVE))
CW_09: Rule[ClusterSubject] = Rule("CW-09", "Kubernetes' validation of nodes", taints_once)
CW_08: Rule[ClusterSubject] = Rule("CW-08", NODE_POOLS, own_labels)
#: Those that ask of the cluster alone: a stack that only makes nodes obeys them too.
RULES = (CLUSTER_01, MACHINE_01, CW_01, CW_02, CW_07, CW_08, CW_09)
