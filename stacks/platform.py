"""The platform stack on whose nodes a stack serves, read from its output or, without the engine, from its file.

Combines the two stacks: fills in the cluster, reports contradictions, and asks the rules about the whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stacks.clouds.registry import CLOUDS
from stacks.file.load import StackFile, load, of_file
from stacks.findings import PROJECT, Problem, StackFileError
from stacks.kube.rules import CLUSTER
from stacks.rules.file import FILE
from stacks.rules.table import problems_of
from stacks.schema import Section
from stacks.spec.stack import StackSpec

#: Rules about keys that only the platform stack's file may have. Here those keys are filled in, so the rules are not asked.
OF_THE_OTHER = frozenset({"CLUSTER-01", "CLUSTER-02"})


if TYPE_CHECKING:
    from stacks.blueprint import Blueprint

#: Keys that every platform stack exports; the cloud adds the rest of the output.
_COMMON = frozenset({"kubeconfig", "context", "cloud", "machine", "nodes", "gateways"})


class NoFoundationError(ValueError):
    """An output that describes no nodes."""


@dataclass(frozen=True)
class Foundation:
    """The cluster of a platform stack: how it is reached, and its accelerator nodes. `nodes` is their largest number.

    `kubeconfig` is a path or, if it follows from the cluster, the whole text: None until the cluster exists. `gateways`: whether
    the cluster can have Gateways of its cloud. `shared` is the part of the cloud's section that the cloud `cloud` exports.
    """

    kubeconfig: str | None
    context: str | None
    cloud: str
    machine: str
    nodes: int
    gateways: bool = True
    shared: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def made_by(cls, blueprint: "Blueprint") -> "Foundation":
        """Returns the foundation that a valid platform stack makes."""
        cluster, request = blueprint.spec.cluster, blueprint.request
        assert request is not None  # a platform stack makes nodes
        assert request.nodes is not None  # by CW-01 and GKE-20
        scaling = cluster.accelerator_pool.autoscaling
        return cls(
            kubeconfig=cluster.kubeconfig,
            context=cluster.context,
            cloud=cluster.cloud.key,
            machine=request.machine.key,
            nodes=scaling.max if scaling else request.nodes,
            gateways=cluster.cloud.has_gateways(request),
            shared=cluster.cloud.shared(request.section, request.machine),
        )

    @classmethod
    def exported(cls, output: object) -> "Foundation":
        """Returns the foundation in a stack's output. Raises NoFoundationError if the output describes no nodes."""
        if not isinstance(output, Mapping):
            raise NoFoundationError
        machine, nodes, cloud = output.get("machine"), output.get("nodes"), output.get("cloud")
        if not isinstance(machine, str) or not isinstance(nodes, int | float) or cloud not in CLOUDS:
            raise NoFoundationError
        return cls(
            kubeconfig=output.get("kubeconfig"),
            context=output.get("context"),
            cloud=str(cloud),
            machine=machine,
            nodes=int(nodes),  # an engine's numbers are floats
            gateways=output.get("gateways", True),
            shared={key: value for key, value in output.items() if key not in _COMMON},
        )

    def output(self) -> dict[str, Any]:
        """Returns the output that a platform stack exports."""
        return {**{key: value for key, value in asdict(self).items() if key in _COMMON}, **self.shared}


def stand_on(spec: StackSpec, there: Foundation, stack: str) -> StackSpec:
    """Returns the spec with the cluster of the platform stack `stack` filled in, after the rules were asked about the whole.

    Raises:
        StackFileError: the spec contradicts the platform stack, or the pods do not fit on its nodes.
    """
    if problems := [*_contradictions(spec, there, stack)]:
        raise StackFileError(problems)
    filled = {
        "kubeconfig": there.kubeconfig,
        "context": there.context,
        "machine": there.machine,
        "nodes": spec.cluster.nodes or there.nodes,
        **_section(there),
    }
    found = spec.model_copy(update={"cluster": spec.cluster.model_copy(update=filled)})
    if problems := [_of_the_other(problem, spec, stack) for problem in problems_of(found, but=OF_THE_OTHER)]:
        raise StackFileError(problems)
    return found


def _section(there: Foundation) -> dict[str, Section]:
    """Returns the cloud's section of the platform stack's file, as far as it describes the nodes."""
    section = CLOUDS[there.cloud].from_shared(there.shared)
    return {} if section is None else {there.cloud: section}


def _of_the_other(problem: Problem, spec: StackSpec, stack: str) -> Problem:
    """Returns a problem with its fix directed to the platform stack, if that stack decides the number of nodes."""
    if problem.finding.at != ("cluster", "nodes") or spec.cluster.nodes is not None:
        return problem
    fix = f"let stack {stack} make more, or ask for fewer replicas"
    return replace(problem, finding=replace(problem.finding, at=("cluster", "stack"), fix=fix))


def _contradictions(spec: StackSpec, there: Foundation, stack: str) -> Iterator[Problem]:
    stated = spec.cluster
    if stated.machine not in (None, there.machine):
        what, why = f"machine `{stated.machine}`", f"the nodes of stack {stack} are {there.machine}"
        yield _problem(what, why, "write that, or leave it out", "cluster.machine")
    if stated.nodes is not None and stated.nodes > there.nodes:
        what, why = f"{stated.nodes} nodes", f"stack {stack} makes {there.nodes}"
        yield _problem(what, why, "write no more, or let it make more", "cluster.nodes")
    gateway = spec.router.gateway
    if gateway and gateway.implementation.in_cluster and not there.gateways:
        what, why = "a Gateway of GKE", f"the cluster of stack {stack} has none (`gateways: false`)"
        yield _problem(what, why, "take another provider's, or let that stack have some", "router.gateway.provider")


def _problem(what: str, why: str, fix: str, path: str) -> Problem:
    return CLUSTER.problem(at=tuple(path.split(".")), what=what, why=why, fix=fix)


def platform_path(file: StackFile) -> Path | None:
    """Returns the path that the platform stack's file should have, beside this file; None if the stack refers to none."""
    if file.spec.cluster.provider != "stack":
        return None
    return file.path.parent / f"Pulumi.{(file.spec.cluster.stack or '').rpartition('/')[2]}.yaml"


def platform_of(file: StackFile, but: frozenset[str] = frozenset()) -> StackFile | None:
    """Returns the platform stack's file, beside this one; None if the stack refers to none. `but` are rules not to ask about it.

    For commands that run without the engine: only the engine can read that stack's outputs.

    Raises:
        StackFileError: the file does not exist, or cannot be used.
    """
    if (path := platform_path(file)) is None:
        return None
    *where, name = (file.spec.cluster.stack or "").split("/")
    if where and where[1] != PROJECT:
        what, why = (
            f"stack {file.spec.cluster.stack} is of another project",
            "without the engine, nothing can be read there",
        )
        raise StackFileError([_of_reference(file, what, why, "run what needs the cluster with its own kubeconfig")])
    if not path.exists():
        what, why = f"{path} does not exist", "without the engine, what the cluster is can only be read there"
        raise StackFileError([_of_reference(file, what, why, f"put the file of stack {name} there")])
    found = load(path, but)
    if found.spec.serving is None:
        return found
    what, why = f"stack {name} has `serving` of its own", "other stacks cannot rely on its nodes"
    raise StackFileError([_of_reference(file, what, why, "refer to a platform stack")])


def resolve_platform(file: StackFile, but: frozenset[str] = frozenset()) -> StackFile:
    """Fills in `cluster` from the platform stack's file if `provider: stack`; returns any other file unchanged.

    `but` are rules not to ask about the platform stack's file.

    Raises:
        StackFileError: the platform stack's file does not exist, cannot be used, or contradicts this one.
    """
    platform = platform_of(file, but)
    if platform is None:
        return file
    try:
        return replace(file, spec=stand_on(file.spec, _foundation(platform.spec), platform.stack))
    except StackFileError as error:
        raise StackFileError([of_file(file.path, problem) for problem in error.problems]) from None


def _of_reference(file: StackFile, what: str, why: str, fix: str) -> Problem:
    return of_file(file.path, FILE.problem(at=("cluster", "stack"), what=what, why=why, fix=fix))


def _foundation(spec: StackSpec) -> Foundation:
    from stacks.blueprint import blueprint  # late: reading files needs imports that a check does not

    return Foundation.made_by(blueprint(spec))
