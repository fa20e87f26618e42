"""Do the pods of a stack fit its machine and its nodes: the arithmetic of `hardware.fit.fit`, said in the stack file's own keys.

And does their image: one that was built with a CUDA older than the GPU has no code for it.
"""

import re
from collections.abc import Iterator

from hardware.fit.fit import Misfit, misfits, nodes_needed
from hardware.fit.requests import PodRequest, pod_requests
from hardware.machines import MACHINES, Machine, UnknownMachineError, machines_for
from hardware.vocabulary import ROLES, Role
from stacks.findings import ERROR, Finding, Place, Rule, UnknownError
from stacks.rules.facts import Facts
from stacks.serving import workload as resolve
from stacks.spec.cluster import OF_A_STACK
from stacks.spec.stack import StackSpec


def _fits(facts: Facts) -> Iterator[Finding]:
    """Each role's pod on an empty node, then all of them on the nodes stated."""
    pods = pod_requests(facts.objects)
    spec = facts.corrected
    try:
        machine = facts.machine
    except UnknownError as unknown:
        if not isinstance(unknown.__cause__, UnknownMachineError):
            raise
        what, why = str(unknown).split(";")[0], "nothing could be checked or rehearsed"
        theirs = [
            row.key
            for row in MACHINES.values()
            if not spec.cluster.makes_nodes or row.provider == spec.cluster.provider
        ]
        fix = f"name one of {', '.join(theirs)}"
        yield Finding(at=("cluster", "machine"), what=what, why=why, fix=fix, firm=True)
        return
    found = False
    for role, pod in zip(ROLES, pods, strict=True):
        for misfit in misfits(pod, machine):
            found = True
            field = _field(facts, role, misfit)
            yield Finding(
                at=field, what=f"{misfit} ({machine.key})", why="such a pod stays Pending for ever",
                fix=_fix(spec, machine, pod, misfit, asked_for=field[:2] == ("serving", role)),
            )  # fmt: skip
    if found or spec.cluster.nodes is None:
        return
    scaling = spec.cluster.accelerator_pool.autoscaling
    needed, has = nodes_needed(pods, machine), scaling.max if scaling else spec.cluster.nodes
    if needed > has:
        what = f"{has} {'node' if has == 1 else 'nodes'} of {machine.key} cannot hold all pods"
        fix = f"write `{'max' if scaling else 'nodes'}: {needed}`, or ask for fewer replicas"
        pool = ("cluster", spec.cluster.provider, "acceleratorPool")
        place = (*pool, "autoscaling", "max") if scaling else ("cluster", "nodes")
        yield Finding(at=place, what=what, why=f"they need {needed}, and the rest would stay Pending for ever", fix=fix)


def _code_for_the_gpu(facts: Facts) -> Iterator[Finding]:
    """An image of the stack's own was built with a CUDA that makes code for the machine's GPUs, as far as its tag says."""
    image = facts.serving.image
    built = cuda_of(image) if image else None
    machine = facts.machine
    if built and machine.chip and machine.chip.cuda and built < _version(machine.chip.cuda):
        gpu = machine.chip
        what = f"`{image}` is built with CUDA {built[0]}.{built[1]}"
        why = f"{gpu.product} ({machine.key}) needs {gpu.cuda} or later: there would be no code that runs on it"
        yield Finding(
            at=("serving", "image"), what=what, why=why, fix="use an image of a newer CUDA, or leave `image` out"
        )


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
    another = "refer to a stack of other machines" if spec.cluster.provider == OF_A_STACK else "use another machine"
    if others:
        pair = f"{serving.accelerator}/{serving.fabric}"
        fixes.append(f"{another} for {pair}: {', '.join(others)}")
    return ", or ".join(fixes) or another


def _labelled(spec: StackSpec, misfit: Misfit) -> str:
    cluster = spec.cluster
    if not cluster.makes_nodes:
        return "give the nodes that label"
    return f"write `{misfit.what}: {misfit.asked}` in `cluster.{cluster.provider}.acceleratorPool.labels`"


def _field(facts: Facts, role: Role, misfit: Misfit) -> Place:
    """The key of the stack file that asks for what is short."""
    devices, fabric = facts.workload.hardware.devices, facts.workload.hardware.fabric
    if misfit.what in (devices.resource, devices.device_class):
        return ("serving", role, "devices")
    if misfit.what in ("cpu", "memory"):
        return ("serving", role, misfit.what)
    cluster = facts.corrected.cluster
    if misfit.kind == "taint" and misfit.has in _taints(facts.corrected):
        made = ("cluster", cluster.provider, "acceleratorPool", "taints", _taints(facts.corrected).index(misfit.has))
        return made if cluster.makes_nodes else ("serving", "tolerations")
    if misfit.kind == "label" and misfit.what in facts.corrected.served.node_selector:
        # Existing nodes are assumed to have the selected labels.
        return ("serving", "nodeSelector", misfit.what)
    if misfit.what in (*fabric.per_pod, *fabric.per_device) or misfit.kind in ("device", "claim"):
        return ("serving", "fabric")
    return ("cluster", "machine")


def _taints(spec: StackSpec) -> list[str]:
    """The taints that the stack itself puts on the nodes it makes, in the order of its file, as a misfit spells them."""
    return [f"{row['key']}={row['value']}:{row['effect']}" for row in spec.cluster.accelerator_pool.taints]


FIT_01 = Rule(
    "FIT-01", ERROR,
    "pods that no node of the machine can hold, or more pods than the stated nodes hold",
    "they would stay Pending for ever",
    "https://kubernetes.io/docs/concepts/scheduling-eviction/", check=_fits,
)  # fmt: skip
RULES = (
    Rule(
        "HW-05", ERROR,
        "an image of the stack's own whose tag names a CUDA that is older than the machine's GPU (`…-cu126` on "
        "B200, which needs 12.8)",
        "there is no code in it that runs on that GPU",
        "https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/", check=_code_for_the_gpu,
    ),
    FIT_01,
)  # fmt: skip
