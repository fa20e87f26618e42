"""Stack file to workload: the accelerator's recipe, overridden by what the stack says."""

from dataclasses import fields, replace
from typing import Any

from hardware.fabrics import IPC_LOCK
from hardware.machines import Machine, Taint, UnknownMachineError, machine, machine_for
from hardware.render.join import join
from hardware.render.workload import Hardware, Workload, hardware
from hardware.vocabulary import Role, Sizing
from releases import release
from stacks.clouds.coreweave.pools import same_fabric
from stacks.clouds.gke.addons import pod_annotations, pod_resources
from stacks.serving.token import token_reference
from stacks.spec.stack import RoleSizing, StackSpec


def workload(spec: StackSpec) -> Workload:
    """Resolves a stack file that obeys the rules.

    Raises:
        UnknownChoiceError: there is no such bill of versions, or accelerator, engine and fabric do not exist (together) in it.
    """
    serving = spec.served
    bill = release(spec.release)
    found = hardware(serving.accelerator, serving.engine, serving.fabric, bill)
    if serving.ipc_lock and IPC_LOCK not in (found.fabric.container, found.build.container):
        found = replace(found, fabric=replace(found.fabric, container=join(found.fabric.container, IPC_LOCK)))
    if serving.image:
        bill = replace(bill, images={**bill.images, found.key: serving.image})
    model = serving.model or found.accelerator.model
    return Workload(
        name=spec.name,
        hardware=found,
        sizing={role: _sizing(found, role, stated) for role, stated in serving.sizing.items()},
        model=model,
        bill=bill,
        extra_args=serving.extra_args or (),
        drop_args=serving.drop_args or (),
        env=serving.env,
        spec=_scheduling(spec, found, {bill.guide_label: spec.name}),
        hf_token=token_reference(spec, bill, (found.accelerator.key, found.build.engine.key), model),
        registry=spec.mirror.registry,
        **_attached(spec),
    )


def machine_of(spec: StackSpec) -> Machine:
    """The machine the stack names, else the first of the table that serves its accelerator and fabric; as `selected`.

    Raises:
        UnknownMachineError: it is not in the table, or none serves the pair; or the stack serves nothing, and names none.
    """
    cluster = spec.cluster
    if cluster.machine:
        return selected(spec, machine(cluster.machine))
    if spec.serving is None:
        raise UnknownMachineError("a stack that only makes nodes has to name its machine")
    provider = cluster.provider if cluster.makes_nodes else None
    return selected(spec, machine_for(spec.served.accelerator, spec.served.fabric, provider))


def selected(spec: StackSpec, found: Machine) -> Machine:
    """A machine as it is in the stack's cluster. Of nodes that are there, with the labels it selects them by: facts which the
    table cannot know. Of nodes that a stack makes, this one or the one it refers to, with the labels and taints it gives them."""
    if spec.cluster.made is None:
        wanted = spec.served.node_selector if spec.serving is not None else {}
        return replace(found, labels={**found.labels, **wanted})
    pool, gke = spec.cluster.accelerator_pool, spec.cluster.on_gke
    taints = (*found.taints, *(Taint(taint["key"], taint["value"], taint["effect"]) for taint in pool.taints))
    made = replace(found, labels={**found.labels, **pool.labels}, taints=taints)
    return _on_one_network(made) if gke and gke.rdma == "none" else made


def _on_one_network(found: Machine) -> Machine:
    """A machine whose further NICs nobody set up."""
    extended = {name: amount for name, amount in found.extended.items() if not name.startswith("networking.gke.io.")}
    return replace(found, extended=extended, rdma=None)


def _sizing(found: Hardware, role: Role, stated: RoleSizing) -> Sizing:
    given = {field.name: getattr(stated, field.name) for field in fields(Sizing)}
    return replace(found.sizing[role], **{name: value for name, value in given.items() if value is not None})


def _scheduling(spec: StackSpec, found: Hardware, own: dict[str, str]) -> dict[str, Any]:
    scheduling: dict[str, Any] = {}
    if found.fabric.rdma and on_coreweaves_pools(spec):
        scheduling |= same_fabric(own)
    if spec.served.node_selector:
        scheduling["nodeSelector"] = dict(spec.served.node_selector)
    if spec.served.tolerations:
        scheduling["tolerations"] = [dict(row) for row in spec.served.tolerations]
    return scheduling


def _attached(spec: StackSpec) -> dict[str, Any]:
    """What attaches pods to the RDMA networks that a stack makes on GKE, where claims do not."""
    gke = spec.cluster.on_gke
    if gke is None or gke.rdma != "multinet":
        return {}
    return {"annotations": pod_annotations(), "container": {"resources": pod_resources()}}


def on_coreweaves_pools(spec: StackSpec) -> bool:
    """Whether a stack of this project made the nodes on CoreWeave: this one, or the one it refers to."""
    if spec.cluster.provider != "stack":
        return spec.cluster.provider == "coreweave"
    try:
        return machine_of(spec).provider == "coreweave"
    except UnknownMachineError:
        return False  # which FIT-01 says
