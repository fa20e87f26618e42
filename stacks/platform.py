"""The platform stack on whose nodes a stack serves: its output or, without the engine, its file.

Owns how the two fit: the values that are filled in, contradictions, and the rules over the result.
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

#: Rules against keys that only the platform stack's file may have: here they are filled in.
OF_THE_OTHER = frozenset({"CLUSTER-01", "CLUSTER-02"})


if TYPE_CHECKING:
    from stacks.blueprint import Blueprint

#: Keys of every platform stack's output; the other keys are the cloud's.
_COMMON = frozenset({"kubeconfig", "context", "cloud", "machine", "nodes", "gateways"})


class NoFoundationError(ValueError):
    """An output that tells of no nodes."""


@dataclass(frozen=True)
class Foundation:
    """How the cluster of a platform stack is reached, and what its accelerator nodes are. `nodes` are the most there will be.

    `kubeconfig` is a path, or all of it as text if it follows from the cluster: then it is None until that exists. `gateways`:
    whether the cluster can have Gateways of its cloud's own. `shared` is what the cloud, of the key `cloud`, exports of its
    section.
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
        """That of a valid platform stack."""
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
        """That of a stack's output. Raises NoFoundationError for an output that is none."""
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
        """As a stack exports it."""
        return {**{key: value for key, value in asdict(self).items() if key in _COMMON}, **self.shared}


def stand_on(spec: StackSpec, there: Foundation, stack: str) -> StackSpec:
    """The spec with the cluster that `stack` made, judged by the rules as if it had said so itself.

    Raises:
        StackFileError: the spec says otherwise, or what it serves does not fit.
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
    """The section that says so in the other stack's file, as far as it is about the nodes."""
    section = CLOUDS[there.cloud].from_shared(there.shared)
    return {} if section is None else {there.cloud: section}


def _of_the_other(problem: Problem, spec: StackSpec, stack: str) -> Problem:
    """A number of nodes that this stack does not say is the other's to change."""
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
        what, why = "a Gateway of GKE's", f"the cluster of stack {stack} has none (`gateways: false`)"
        yield _problem(what, why, "take another provider's, or let that stack have some", "router.gateway.provider")


def _problem(what: str, why: str, fix: str, path: str) -> Problem:
    return CLUSTER.problem(at=tuple(path.split(".")), what=what, why=why, fix=fix)


def platform_path(file: StackFile) -> Path | None:
    """Where, beside this file, that of the stack that makes its nodes should be; None where no other does."""
    if file.spec.cluster.provider != "stack":
        return None
    return file.path.parent / f"Pulumi.{(file.spec.cluster.stack or '').rpartition('/')[2]}.yaml"


def platform_of(file: StackFile, but: frozenset[str] = frozenset()) -> StackFile | None:
    """Returns the file of the platform stack, beside this one; None if the stack refers to none. `but` are rules to ignore.

    For commands without the engine, because only the engine can read the platform stack's outputs.

    Raises:
        StackFileError: there is no such file, or it cannot be used.
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
    what, why = f"stack {name} serves itself", "its nodes are not for others to count on"
    raise StackFileError([_of_reference(file, what, why, "refer to a platform stack")])


def resolve_platform(file: StackFile, but: frozenset[str] = frozenset()) -> StackFile:
    """The file with the cluster of the stack it refers to, by that stack's file; any other as it is. `but` as above.

    Raises:
        StackFileError: there is no such file, it cannot be used, or the two do not go together.
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
    from stacks.blueprint import blueprint  # late: it reads files, whose imports no check needs

    return Foundation.made_by(blueprint(spec))
