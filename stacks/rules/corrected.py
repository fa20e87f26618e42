"""The stack file of which facts are derived while rules object to some of its words.

Every function here is pure, and says nothing: what is wrong is for the rules, which ask the same functions.
"""

from collections.abc import Collection
from typing import Any

from hardware.accelerators import ACCELERATORS
from hardware.machines import MACHINES, machines_for
from hardware.render.workload import Workload
from releases import DEFAULT, RELEASES
from stacks.findings import Place, closest
from stacks.rules.gateway import is_valid_gateway
from stacks.spec.cluster import Cluster
from stacks.spec.stack import Serving, StackSpec


def chosen(spec: StackSpec) -> StackSpec | None:
    """The spec with each word that no table knows replaced by the one that was probably meant, else by its default.

    None if the accelerator is unknown.
    """
    cluster = spec.cluster
    if cluster.makes_nodes and cluster.section is None:
        # Whether the section, which is unknown, lets the number grow is unknown too.
        machine = cluster.machine if serves(cluster.machine, spec.serving) else None
        spec = _on(spec, provider="existing", machine=machine, nodes=None, protect=True, allow_replace=())
    if cluster.machine and (cluster.machine not in MACHINES or foreign(cluster)):
        near = closest(cluster.machine, machines_of_its_own(cluster))
        spec = _on(spec, machine=near, nodes=spec.cluster.nodes if near else None)  # the number was meant for this one
    if not is_valid_gateway(spec):
        spec = spec.model_copy(
            update={"router": spec.router.model_copy(update={"mode": "standalone", "gateway": None})}
        )
    if spec.serving is None:
        return spec
    accelerator = ACCELERATORS.get(spec.serving.accelerator)
    if accelerator is None:
        return None
    engine, fabric = spec.serving.engine, spec.serving.fabric
    if engine not in accelerator.engines:
        engine = closest(engine, accelerator.engines) or accelerator.engines[0]
    if fabric not in accelerator.fabrics:
        fabric = closest(fabric, accelerator.fabrics) or next(iter(accelerator.fabrics))
    release = spec.release if spec.release in RELEASES else DEFAULT
    having = releases_having(accelerator.key, fabric)
    release = release if release in having else having[0]
    if (engine, fabric, release) == (spec.serving.engine, spec.serving.fabric, spec.release):
        return spec
    serving = spec.serving.model_copy(update={"engine": engine, "fabric": fabric})
    return spec.model_copy(update={"release": release, "serving": serving})


def serves(machine: str | None, serving: Serving | None) -> bool:
    """Whether a machine of the table is made for the accelerator and the fabric that are named."""
    row = MACHINES.get(machine or "")
    return row is not None and serving is not None and (serving.accelerator, serving.fabric) in row.serves


def machines_of_its_own(cluster: Cluster) -> list[str]:
    """The machines that can be the nodes of a cluster: those that serve, of its provider if the stack makes them."""
    provider = cluster.provider if cluster.makes_nodes else None
    return [key for key, row in MACHINES.items() if row.serves and provider in (None, row.provider)]


def foreign(cluster: Cluster) -> bool:
    """Whether the stack makes nodes with a provider that has machines of its own, and names one of another's."""
    theirs = [key for key, row in MACHINES.items() if row.provider == cluster.provider]
    return cluster.makes_nodes and bool(theirs) and cluster.machine in MACHINES and cluster.machine not in theirs


def releases_having(accelerator: str, fabric: str | None = None) -> list[str]:
    """The releases that were tested with an accelerator, and with that fabric of it."""
    return [name for name, bill in RELEASES.items() if bill.has(accelerator, fabric)]


def corrected(spec: StackSpec, written: Workload, refused: Collection[Place]) -> StackSpec:
    """A chosen spec on a machine that serves it, without edits of the recipe that are `refused`. `written`: its workload."""
    spec = _on_a_serving_machine(spec)
    serving = _without(spec.served, refused)
    fixed = written.hardware.accelerator.devices.fixed
    if fixed is not None and any(sizing.devices != fixed for sizing in written.sizing.values()):
        whole: dict[str, Any] = {
            role: stated.model_copy(update={"devices": None}) for role, stated in serving.sizing.items()
        }
        serving = serving.model_copy(update=whole)
    return spec if serving is spec.serving else spec.model_copy(update={"serving": serving})


def _without(serving: Serving, refused: Collection[Place]) -> Serving:
    """`serving` without the words of its command line and the keys of its node selector at these places."""
    if not refused:
        return serving
    kept: dict[str, Any] = {
        field: tuple(word for index, word in enumerate(words) if ("serving", key, index) not in refused)
        for field, key, words in (
            ("extra_args", "extraArgs", serving.extra_args or ()),
            ("drop_args", "dropArgs", serving.drop_args or ()),
        )
    }
    selector = {
        key: row for key, row in serving.node_selector.items() if ("serving", "nodeSelector", key) not in refused
    }
    return serving.model_copy(update={**kept, "node_selector": selector})


def _on_a_serving_machine(spec: StackSpec) -> StackSpec:
    """Nodes that are made are of a machine that serves accelerator and fabric: the same type set up otherwise, before another."""
    machine, serving = MACHINES.get(spec.cluster.machine or ""), spec.served
    pair = (serving.accelerator, serving.fabric)
    if machine is None or spec.cluster.provider == "existing" or pair in machine.serves:
        return spec
    others = [row for row in machines_for(*pair) if row.provider == machine.provider]
    others.sort(key=lambda row: row.instance_type != machine.instance_type)
    if others:
        return _on(spec, machine=others[0].key)
    return _on(spec, provider="existing", machine=None, nodes=None, protect=True, allow_replace=())


def _on(spec: StackSpec, **cluster: Any) -> StackSpec:
    return spec.model_copy(update={"cluster": spec.cluster.model_copy(update=cluster)})
