"""Do the pods of a stack fit its machine and its nodes: the arithmetic of `hardware.fit.fit`, said in the stack file's own keys.

And does their image: one that was built with a CUDA older than the GPU has no code for it.
"""

import re
from collections.abc import Iterator

from hardware.fit.fit import Misfit, misfits, nodes_needed
from hardware.fit.requests import PodRequest, pod_requests
from hardware.machines import MACHINES, Machine, UnknownMachineError, machines_for
from hardware.vocabulary import ROLES, Role
from stacks.rules.facts import Finding, Subject
from stacks.serving import workload as resolve
from stacks.spec.stack import StackSpec


def fits(subject: Subject) -> Iterator[Finding]:
    """Each role's pod on an empty node, then all of them on the nodes stated."""
    spec = subject.spec
    try:
        machine = resolve.machine_of(spec)
    except UnknownMachineError as error:
        what, why = str(error).split(";")[0], "nothing could be checked or rehearsed"
        theirs = [
            row.key
            for row in MACHINES.values()
            if not spec.cluster.makes_nodes or row.provider == spec.cluster.provider
        ]
        yield Finding("cluster.machine", what, why, f"name one of {', '.join(theirs)}")
        return
    pods = pod_requests(subject.objects)
    found = False
    for role, pod in zip(ROLES, pods, strict=True):
        for misfit in misfits(pod, machine):
            found = True
            field = _field(subject, role, misfit)
            yield Finding(
                field, f"{misfit} ({machine.key})", "such a pod stays Pending for ever",
                _fix(spec, machine, pod, misfit, asked_for=field.startswith(f"serving.{role}.")),
            )  # fmt: skip
    if found or spec.cluster.nodes is None:
        return
    scaling = spec.cluster.accelerator_pool.autoscaling
    needed, has = nodes_needed(pods, machine), scaling.max if scaling else spec.cluster.nodes
    if needed > has:
        what = f"{has} {'node' if has == 1 else 'nodes'} of {machine.key} cannot hold all pods"
        fix = f"write `{'max' if scaling else 'nodes'}: {needed}`, or ask for fewer replicas"
        place = f"cluster.{spec.cluster.provider}.acceleratorPool.autoscaling.max" if scaling else "cluster.nodes"
        yield Finding(place, what, f"they need {needed}, and the rest would stay Pending for ever", fix)


def code_for_the_gpu(subject: Subject) -> Iterator[Finding]:
    """An image of the stack's own was built with a CUDA that makes code for the machine's GPUs, as far as its tag says."""
    image = subject.spec.served.image
    built = cuda_of(image) if image else None
    try:
        machine = resolve.machine_of(subject.spec)
    except UnknownMachineError:
        return  # which FIT-01 says
    if built and machine.silicon and machine.silicon.cuda and built < _version(machine.silicon.cuda):
        gpu = machine.silicon
        what = f"`{image}` is built with CUDA {built[0]}.{built[1]}"
        why = f"{gpu.product} ({machine.key}) needs {gpu.cuda} or later: there would be no code that runs on it"
        yield Finding("serving.image", what, why, "use an image of a newer CUDA, or leave `image` out")


def cuda_of(image: str) -> tuple[int, int] | None:
    """The CUDA that a tag names (`…-cu130`, `…-cuda12.4.1`); None where it names none."""
    _, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    found = re.search(r"(?<![a-z0-9])cu(?:da)?-?(\d{2})\.?(\d)(?!\d)", tag)
    return (int(found[1]), int(found[2])) if found else None


def _version(text: str) -> tuple[int, int]:
    major, minor = map(int, text.split("."))
    return major, minor


def _fix(spec: StackSpec, machine: Machine, pod: PodRequest, misfit: Misfit, *, asked_for: bool) -> str:
    serving = spec.served
    possible = [
        row
        for row in machines_for(serving.accelerator, serving.fabric)
        if not spec.cluster.makes_nodes or row.provider == spec.cluster.provider
    ]
    fitting = [row.key for row in possible if not misfits(pod, resolve.selected(spec, row))]
    others = [key for key in fitting if key != machine.key]
    fixes = []
    if asked_for and misfit.has != "0":
        fixes.append(f"ask for {misfit.has} at most")
    if misfit.kind == "label" and misfit.what in serving.node_selector:
        return f"{_labelled(spec, misfit)}, or select by one it has"
    if misfit.kind == "taint":
        fixes.append("tolerate it in `serving.tolerations`")
    if others:
        pair = f"{serving.accelerator}/{serving.fabric}"
        fixes.append(f"use another machine for {pair}: {', '.join(others)}")
    return ", or ".join(fixes) or "use another machine"


def _labelled(spec: StackSpec, misfit: Misfit) -> str:
    cluster = spec.cluster
    if not cluster.makes_nodes:
        return "give the nodes that label"
    return f"write `{misfit.what}: {misfit.asked}` in `cluster.{cluster.provider}.acceleratorPool.labels`"


def _field(subject: Subject, role: Role, misfit: Misfit) -> str:
    """The key of the stack file that asks for what is short."""
    devices, fabric = subject.workload.hardware.devices, subject.workload.hardware.fabric
    if misfit.what in (devices.resource, devices.device_class):
        return f"serving.{role}.devices"
    if misfit.what in ("cpu", "memory"):
        return f"serving.{role}.{misfit.what}"
    cluster = subject.spec.cluster
    if misfit.kind == "taint" and misfit.what in _taints(subject.spec):
        return f"cluster.{cluster.provider}.acceleratorPool.taints" if cluster.makes_nodes else "serving.tolerations"
    if misfit.kind == "label" and misfit.what in subject.spec.served.node_selector:
        return "serving.nodeSelector"  # of nodes that are there, what is selected is taken to be there
    if misfit.what in (*fabric.per_pod, *fabric.per_device) or misfit.kind in ("device", "claim"):
        return "serving.fabric"
    return "cluster.machine"


def _taints(spec: StackSpec) -> set[str]:
    """The keys of the taints that the stack itself puts on the nodes it makes."""
    return {taint["key"] for taint in spec.cluster.accelerator_pool.taints}
