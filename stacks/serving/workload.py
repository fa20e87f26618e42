"""Resolves a stack file to a workload: the accelerator's recipe, overridden by the stack's own keys."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from hardware.fabrics import IPC_LOCK
from hardware.machines import Machine, UnknownMachineError, machine, machine_for
from hardware.render.join import join
from hardware.render.workload import Hardware, Workload, hardware
from hardware.vocabulary import Role, Sizing
from releases import release
from stacks.clouds.cloud import EXISTING, Cloud, ClusterRequest, Nodes, PodParts
from stacks.clouds.registry import CLOUDS
from stacks.findings import UnknownError
from stacks.schema import Section
from stacks.serving.token import token_reference
from stacks.spec.cluster import OF_A_STACK
from stacks.spec.stack import RoleSizing, StackSpec


def workload(spec: StackSpec, machine: Machine | None) -> Workload:
    """Returns the workload of a valid stack file on accelerator nodes of this machine, None if no machine of the table fits.

    Raises:
        UnknownChoiceError: the bill of versions does not exist, or does not have this accelerator, engine and fabric together.
    """
    serving = spec.served
    bill = release(spec.release)
    found = hardware(serving.accelerator, serving.engine, serving.fabric, bill)
    if serving.ipc_lock and IPC_LOCK not in (found.fabric.container, found.build.container):
        found = replace(found, fabric=replace(found.fabric, container=join(found.fabric.container, IPC_LOCK)))
    if serving.image:
        bill = replace(bill, images={**bill.images, found.key: serving.image})
    model = serving.model or found.accelerator.model
    parts = _of_the_cloud(spec, machine, {bill.guide_label: spec.name}, rdma=bool(found.fabric.rdma))
    return Workload(
        name=spec.name,
        hardware=found,
        sizing={role: _sizing(found, role, stated) for role, stated in serving.sizing.items()},
        model=model,
        bill=bill,
        extra_args=serving.extra_args or (),
        drop_args=serving.drop_args or (),
        env=serving.env,
        spec=_scheduling(spec, parts),
        hf_token=token_reference(spec, bill, (found.accelerator.key, found.build.engine.key), model),
        registry=spec.mirror.registry,
        container=parts.container,
        annotations=parts.annotations,
    )


def machine_of(spec: StackSpec) -> Machine:
    """Returns the machine that the stack names, else the first of the table that serves its accelerator and fabric, after
    `selected`.

    Raises:
        UnknownMachineError: the machine is not in the table, no machine serves the pair, or a platform stack names none.
    """
    cluster = spec.cluster
    if cluster.machine:
        return selected(spec, machine(cluster.machine))
    if spec.serving is None:
        raise UnknownMachineError("a platform stack has to name its machine")
    provider = cluster.provider if cluster.makes_nodes else None
    return selected(spec, machine_for(spec.served.accelerator, spec.served.fabric, provider))


def cluster_request(spec: StackSpec, section: Section, machine: Machine, base: Path = Path()) -> ClusterRequest:
    """Returns the request to the cloud in which the stack makes nodes. Relative paths in the file start at `base`."""
    gateway = spec.router.gateway
    return ClusterRequest(
        name=spec.name,
        section=section,
        machine=machine,
        nodes=spec.cluster.nodes,
        protect=spec.cluster.protect,
        allow_replace=spec.cluster.allow_replace,
        # The stacks that will serve on a platform stack are not known.
        wants_gateway=spec.serving is None or (gateway is not None and gateway.implementation.in_cluster),
        mirror=spec.mirror,
        context=spec.cluster.at,
        base=base,
    )


def selected(spec: StackSpec, found: Machine) -> Machine:
    """Returns a machine with the labels and taints that it has in the stack's cluster.

    Nodes that a stack of this project makes have the labels and taints which that stack gives them. Other nodes are assumed to
    have the labels by which the stack selects them: the table cannot know them.
    """
    cluster = spec.cluster
    if cluster.cloud is not EXISTING:
        return cluster.cloud.machine(Nodes(found, cluster.section))
    wanted = spec.served.node_selector if spec.serving is not None else {}
    return replace(found, labels={**found.labels, **wanted})


def _sizing(found: Hardware, role: Role, stated: RoleSizing) -> Sizing:
    given = {field.name: getattr(stated, field.name) for field in fields(Sizing)}
    return replace(found.sizing[role], **{name: value for name, value in given.items() if value is not None})


def _scheduling(spec: StackSpec, parts: PodParts) -> dict[str, Any]:
    scheduling: dict[str, Any] = dict(parts.spec)
    if spec.served.node_selector:
        scheduling["nodeSelector"] = dict(spec.served.node_selector)
    if spec.served.tolerations:
        scheduling["tolerations"] = [dict(row) for row in spec.served.tolerations]
    return scheduling


def _of_the_cloud(spec: StackSpec, machine: Machine | None, labels: dict[str, str], *, rdma: bool) -> PodParts:
    """Returns what pods with these labels need on nodes made by a stack of this project: this one, or its platform stack."""
    if machine is None:
        return PodParts()  # FIT-01 reports it
    try:
        return cloud_of(spec, machine).pod(Nodes(machine, spec.cluster.section), labels, rdma=rdma)
    except UnknownError:
        return PodParts()  # SPEC reports a faulty key


def cloud_of(spec: StackSpec, found: Machine) -> Cloud:
    """Returns the cloud of the stack's nodes: by the machine, if a platform stack makes them and was not read."""
    cluster = spec.cluster
    if cluster.provider == OF_A_STACK and not cluster.sections:
        return CLOUDS.get(found.provider, EXISTING)
    return cluster.cloud
