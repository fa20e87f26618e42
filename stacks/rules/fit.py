"""Do the pods of a stack fit its machine and its nodes: the arithmetic of `hardware.fit.fit`, said in the stack file's own keys.

And does their image: one that was built with a CUDA older than the GPU has no code for it.
"""

import re
from collections.abc import Iterable, Iterator

from hardware.fit.fit import ABSENT, Misfit, misfits, nodes_needed
from hardware.fit.quantities import parse
from hardware.fit.requests import PodRequest, pod_requests
from hardware.machines import MACHINES, Machine, UnknownMachineError, machines_for
from hardware.vocabulary import ROLES, Role
from stacks.findings import ERROR, Finding, Place, Rule, UnknownError
from stacks.rules.cluster import served_by
from stacks.rules.facts import Facts
from stacks.rules.proposals import Proposals, either, one_of, pair, scalar, write
from stacks.serving import workload as resolve
from stacks.spec.cluster import OF_A_STACK
from stacks.spec.stack import StackSpec

SELECTOR = ("serving", "nodeSelector")
MEBIBYTE = 2**20


def _fits(facts: Facts) -> Iterator[Finding]:
    """Each role's pod on an empty node, then all of them on the nodes stated."""
    pods, spec = pod_requests(facts.objects), facts.corrected
    try:
        machines = _machines(facts)
    except UnknownError as unknown:
        if not isinstance(unknown.__cause__, UnknownMachineError):
            raise
        yield _no_machine(facts, unknown.__cause__)
        return
    found = False
    for role, pod in zip(ROLES, pods, strict=True):
        # Where the file names no machine that can be used, a machine that it does not name is no reason to refuse.
        machine = min(machines, key=lambda machine: len(misfits(pod, machine)))
        for misfit in misfits(pod, machine):
            found = True
            field = _field(facts, role, misfit)
            yield Finding(
                at=field, what=f"{misfit} ({machine.key})", why="such a pod stays Pending for ever",
                fix=_fix(facts, machine, misfit, field),
            )  # fmt: skip
    if found or spec.cluster.nodes is None:
        return
    scaling = spec.cluster.accelerator_pool.autoscaling
    needs = {machine.key: nodes_needed(pods, machine) for machine in machines if not _any_misfit(pods, machine)}
    has, (key, needed) = scaling.max if scaling else spec.cluster.nodes, min(needs.items(), key=lambda row: row[1])
    if needed > has:
        what = f"{has} {'node' if has == 1 else 'nodes'} of {key} cannot hold all pods"
        fix = f"write `{'max' if scaling else 'nodes'}: {needed}`, or ask for fewer replicas"
        pool = ("cluster", spec.cluster.provider, "acceleratorPool")
        place = (*pool, "autoscaling", "max") if scaling else ("cluster", "nodes")
        yield Finding(at=place, what=what, why=f"they need {needed}, and the rest would stay Pending for ever", fix=fix)


def _machines(facts: Facts) -> list[Machine]:
    """The machine of the nodes; if the file names one that cannot be used, all that its nodes could be of.

    Raises:
        UnknownError: from UnknownMachineError: no machine of the provider serves what the stack serves.
    """
    spec = facts.corrected
    usable = facts.chosen.cluster.machine
    if spec.cluster.machine == usable and (usable or not facts.spec.cluster.machine):
        return [facts.machine]
    if possible := [resolve.selected(spec, row) for row in _possible(spec)]:
        return possible
    try:
        return [resolve.machine_of(spec)]
    except UnknownMachineError as error:
        raise UnknownError from error


def _possible(spec: StackSpec) -> list[Machine]:
    """The machines of the stack's provider that serve its accelerator and fabric."""
    rows = machines_for(spec.served.accelerator, spec.served.fabric)
    return [row for row in rows if not spec.cluster.makes_nodes or row.provider == spec.cluster.provider]


def _any_misfit(pods: Iterable[PodRequest], machine: Machine) -> bool:
    return any(misfits(pod, machine) for pod in pods)


def _no_machine(facts: Facts, error: UnknownMachineError) -> Finding:
    """Finding that the provider has no machine for what is served."""
    at, cluster = ("cluster", "machine"), facts.corrected.cluster
    theirs = [row for row in MACHINES.values() if row.provider == cluster.provider]
    proposals = served_by(facts, theirs)
    fixes = facts.helping(at, proposals) or [*proposals]
    what, why = str(error).split(";")[0], "nothing could be checked or rehearsed"
    return Finding(at=at, what=what, why=why, fix=write(*fixes), firm=True)


def _code_for_the_gpu(facts: Facts) -> Iterator[Finding]:
    """An image of the stack's own was built with a CUDA that makes code for the machine's GPUs, as far as its tag says."""
    image, machine = facts.serving.image, facts.machine
    built = cuda_of(image) if image else None
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


def _fix(facts: Facts, machine: Machine, misfit: Misfit, at: Place) -> str:
    """Returns what the file can say instead."""
    if misfit.kind == "label" and at == (*SELECTOR, misfit.what):
        return _selected(facts, misfit, at)
    fixes = []
    if at[:2] in [("serving", role) for role in ROLES] and (most := _most(misfit)):
        fixes.append(f"write `{at[-1]}: {most}` or less")
    for taint in machine.taints:
        if misfit.kind == "taint" and misfit.has == f"{taint.key}={taint.value}:{taint.effect}":
            row = f"{{key: {taint.key}, operator: Equal, value: {scalar(taint.value)}, effect: {taint.effect}}}"
            fixes.append(f"add `{row}` to `serving.tolerations`")
    others = [row.key for row in _possible(facts.corrected) if row.key != machine.key]
    # A node that has none of it is not made for these pods.
    unfit = misfit.has == "0" or at == ("serving", "fabric")
    theirs = served_by(facts, [machine]) if unfit else {}
    another_makers = facts.corrected.cluster.provider == OF_A_STACK  # whose machine is written in its own file
    proposals = one_of(*(() if another_makers else [pair(("cluster", "machine"), key) for key in others]), theirs)
    if words := facts.helping(at, proposals) or [*(proposals if unfit else ())]:
        fixes.append(write(*words))
    if another_makers and others:
        fixes.append(f"refer to a stack that makes {' or '.join(others)}")
    if misfit.kind == "label" and at[-2:] == ("labels", misfit.what):
        fixes.append(f"leave `{misfit.what}` out")
    return either(fixes) or (
        "use nodes that have it" if misfit.kind == "label" else "ask for less, because no machine has it"
    )


def _selected(facts: Facts, misfit: Misfit, at: Place) -> str:
    """Returns the fix for a label that is selected and that the nodes do not have."""
    cluster, label = facts.corrected.cluster, f"`{misfit.what}: {scalar(misfit.asked)}`"
    labels = ("cluster", cluster.provider, "acceleratorPool", "labels")
    proposal: Proposals = {f"write {label} in `{'.'.join(labels)}`": {(*labels, misfit.what): misfit.asked}}
    fixes = facts.helping(at, proposal) if cluster.makes_nodes else []
    if misfit.has != ABSENT:
        fixes.append(f"write `{misfit.what}: {scalar(misfit.has)}` in `serving.nodeSelector`")
    return either([*fixes, f"leave `{misfit.what}` out of `serving.nodeSelector`"])


def _most(misfit: Misfit) -> str:
    """Returns what a node has, as the stack file spells it; "" if it has nothing."""
    if misfit.has == "0":
        return ""
    if misfit.what == "memory":
        return f"{int(parse(misfit.has) // MEBIBYTE)}Mi" if not misfit.has.endswith("i") else misfit.has
    return f'"{misfit.has}"' if misfit.what == "cpu" else misfit.has


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
        return (*SELECTOR, misfit.what)  # existing nodes are assumed to have the selected labels
    if misfit.kind == "label" and misfit.what in cluster.accelerator_pool.labels:
        return ("cluster", cluster.provider, "acceleratorPool", "labels", misfit.what)
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
