"""The platform stack on whose nodes a stack serves, read from its output or, without the engine, from its file.

Combines the two stacks: fills in the cluster, reports contradictions, and asks the rules about the whole.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel

from stacks.clouds.registry import CLOUDS
from stacks.file.load import StackFile, load
from stacks.findings import PROJECT, Place, Problem, StackFileError
from stacks.kube.rules import CLUSTER
from stacks.rules.cluster import CLUSTER_01, CLUSTER_02
from stacks.rules.file import FILE
from stacks.rules.paths import PATH_01
from stacks.rules.table import Examined, asked, examine, with_idle_suppressions
from stacks.schema import Section
from stacks.spec.stack import StackSpec

#: Rules about keys that only the platform stack's file may have. Here those keys are filled in, so the rules are not asked; nor
#: is the rule of paths, which start at two directories.
OF_THE_OTHER = frozenset({CLUSTER_01.id, CLUSTER_02.id, PATH_01.id})


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
    `scales`: an autoscaler sets the number of nodes, as far as that is known.
    """

    kubeconfig: str | None
    context: str | None
    cloud: str
    machine: str
    nodes: int
    gateways: bool = True
    shared: Mapping[str, Any] = field(default_factory=dict)
    scales: bool = False

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
            scales=scaling is not None,
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


#: Returns where the platform stack's file says something, as ` (Pulumi.platform.yaml:5)`; nothing if that is not known.
Where = Callable[[Place], str]


def stand_on(found: Examined, there: Foundation, stack: str, where: Where = lambda _: "") -> Examined:
    """Returns the facts with the cluster of the platform stack `stack` filled in, and the rules' findings on the whole.

    `found` are those of the stack alone.

    Raises:
        StackFileError: the spec contradicts the platform stack, or the pods do not fit on its nodes.
    """
    spec = found.facts.spec
    if problems := [*_contradictions(spec, there, stack, where)]:
        raise StackFileError(problems)
    filled = {
        "kubeconfig": there.kubeconfig,
        "context": there.context,
        "machine": there.machine,
        "nodes": spec.cluster.nodes or there.nodes,
        **_section(there),
    }
    whole = spec.model_copy(update={"cluster": spec.cluster.model_copy(update=filled)})
    examined = examine(whole, OF_THE_OTHER, found.facts.base)
    outcome = replace(found.then(examined, asked(but=OF_THE_OTHER)), facts=examined.facts)
    if outcome.errors:
        raise StackFileError([_of_the_other(problem, spec, there, stack, where) for problem in outcome.errors])
    return with_idle_suppressions(outcome)


def _section(there: Foundation) -> dict[str, Section]:
    """Returns the cloud's section of the platform stack's file, as far as it describes the nodes."""
    section = CLOUDS[there.cloud].from_shared(there.shared)
    return {} if section is None else {there.cloud: section}


def _of_the_other(problem: Problem, spec: StackSpec, there: Foundation, stack: str, where: Where) -> Problem:
    """Returns a problem that comes of the platform stack's nodes at a key of this file, with the place of the other value."""
    at, fix = problem.finding.at, problem.fix
    cause: Place = ("cluster", "machine")
    pool: Place = ("cluster", there.cloud, "acceleratorPool")
    if at == ("cluster", "nodes"):
        cause = at if not there.scales else (*pool, "autoscaling", "max")
        if spec.cluster.nodes is None:
            fix = f"let stack {stack} make more, or ask for fewer replicas"
    elif at[:2] == ("serving", "tolerations"):
        cause = (*pool, "taints")
    elif at[:2] == ("serving", "nodeSelector"):
        cause = (*pool, "labels")
    if at[:1] == ("cluster",) and at[1] not in {*map(to_camel, spec.cluster.model_fields_set)}:
        at = ("cluster", "stack")
    fix = f"{fix}; the nodes are those of stack {stack}{where(cause)}"
    return replace(problem, finding=replace(problem.finding, at=at, fix=fix))


def _contradictions(spec: StackSpec, there: Foundation, stack: str, where: Where) -> Iterator[Problem]:
    stated, nodes = spec.cluster, f"the nodes of stack {stack}"
    if stated.machine not in (None, there.machine):
        yield CLUSTER.problem(
            at=("cluster", "machine"), what=f"machine `{stated.machine}` is not there",
            why=f"{nodes} are {there.machine}{where(('cluster', 'machine'))}",
            fix=f"write `machine: {there.machine}`, or leave it out",
        )  # fmt: skip
    if stated.nodes is not None and stated.nodes > there.nodes:
        yield CLUSTER.problem(
            at=("cluster", "nodes"), what=f"{stated.nodes} nodes are not there",
            why=f"stack {stack} makes {there.nodes}{where(('cluster', 'nodes'))}",
            fix=f"write `nodes: {there.nodes}` or less, or let it make more",
        )  # fmt: skip
    gateway = spec.router.gateway
    if gateway and gateway.implementation.in_cluster and not there.gateways:
        said = where(("cluster", there.cloud, "gateways"))
        yield CLUSTER.problem(
            at=("router", "gateway", "provider"), what=f"a Gateway of {gateway.implementation.title} cannot be had",
            why=f"the cluster of stack {stack} has none (`gateways: false`){said}",
            fix="take another provider's, or let that stack have some",
        )  # fmt: skip


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
        there = Foundation.made_by(platform.facts.blueprint)
        return replace(file, examined=stand_on(file.examined, there, platform.stack, _where(platform)))
    except StackFileError as error:
        found = sorted(map(file.located, error.problems), key=lambda problem: problem.line)
        raise StackFileError(found) from None


def _where(platform: StackFile) -> Where:
    return lambda at: f" ({platform.path}:{platform.line_of(at)})"


def _of_reference(file: StackFile, what: str, why: str, fix: str) -> Problem:
    return file.located(FILE.problem(at=("cluster", "stack"), what=what, why=why, fix=fix))
