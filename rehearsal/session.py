"""One rehearsal from start to verdict: tools, control plane, fleet, the stack by the real engine, and the verdict.

Owns the order of these steps. `commands.rehearse` prints the outcome.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rehearsal import faults, placeholders, surroundings
from rehearsal import project as projects
from rehearsal.clouds import access as cloud
from rehearsal.clouds.registry import rehearsal_of
from rehearsal.control_plane import kwokctl, processes, resume, shell
from rehearsal.control_plane.files import tail
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.control_plane.registry import Registry, Rehearsal
from rehearsal.engine import Engine, environment, finish, interrupt, variables
from rehearsal.errors import RehearsalError
from rehearsal.fleet import fleet, node_pools
from rehearsal.parts import parts
from rehearsal.parts.parts import Part
from rehearsal.parts.plugins import plugins
from rehearsal.parts.toolchain import PROVIDER, Origin, Toolchain, ensure
from rehearsal.placeholders import Placeholders
from rehearsal.report import Report
from rehearsal.stack import fit_left_to_scheduler
from rehearsal.verdict.gateway import Entrance
from rehearsal.verdict.node_pools import Pools
from rehearsal.verdict.verdict import Surroundings, Verdict, verdict_of
from rehearsal.verdict.watch import SILENT, Watch, final_verdict
from stacks.blueprint import Blueprint, ServingBlueprint
from stacks.clouds.cloud import Follows
from stacks.clouds.pools import NodePool
from stacks.file.load import StackFile
from stacks.findings import PROJECT
from stacks.kube.api import Api
from stacks.platform import platform_of
from stacks.rules.facts import blueprint, serving_blueprint
from stacks.rules.sdk import need_sdk

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Stage:
    """A rehearsal that is ready for the engine: everything but the stack itself exists."""

    rehearsal: Rehearsal
    plane: ControlPlane
    plan: ServingBlueprint
    #: The engine of the stack; before it that of its platform stack, if it has one.
    engines: tuple[Engine, ...]
    #: The node pools that the stack or its platform stack makes.
    pools: Sequence[NodePool]
    parts: tuple[Part, ...]
    #: Simulated nodes by machine key.
    machines: Mapping[str, int]

    @property
    def engine(self) -> Engine:
        """The engine of the stack itself."""
        return self.engines[-1]

    @property
    def api(self) -> Api:
        """The fleet's API server."""
        return Api(str(self.plane.kubeconfig), self.plane.context)

    @property
    def shell(self) -> Path:
        """The file that a shell sources to work with this rehearsal."""
        return self.rehearsal.workdir / "env"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a rehearsal: verdict, the engine's exit code, the stack's outputs, and why a useless wait was ended."""

    verdict: Verdict
    exit_code: int
    hopeless: str
    outputs: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether the engine succeeded and everything runs."""
        return self.exit_code == 0 and self.verdict.passed


@contextmanager
def stage(
    file: StackFile, *, kept: bool, report: Report, fault: str | None = None, registry: Registry | None = None
) -> Iterator[Stage]:
    """Prepares the rehearsal of a stack file, with its placeholders filled in. A kept one continues where it was, and is left
    running.

    `fault` is the id of the fault to play (`rehearsal.faults`).

    Raises:
        RehearsalError: a tool, the router's chart, the control plane or a node is not available, another process works with the
            rehearsal, or the fault cannot be played for this stack.
        StackFileError: the pods of the stack file fit no machine, or it needs an SDK that is not installed.
        SourceError: its CRDs are not available, or do not have their checksums.
    """
    registry = registry or Registry()
    platform = platform_of(file, placeholders.UNASKED)
    left = Placeholders.of(file, platform)
    file = file.with_spec(placeholders.filled(file.spec))
    if platform is not None:
        platform = platform.with_spec(placeholders.filled(platform.spec))
    unjudged = fit_left_to_scheduler(file.spec)
    planned = serving_blueprint(file.spec, CHECKOUT)
    need_sdk((platform or file).spec.cluster)
    made = blueprint((platform or file).spec, CHECKOUT)
    faults.check(fault, rehearsal_of(made.cloud).faults)
    for name in registry.sweep():
        report.info(f"removed the rest of rehearsal {name}: no process ran it any more")
    toolchain = ensure(report)
    with registry.create(file.stack, kept=kept) as rehearsal:
        subject = _Subject(file, planned, unjudged, platform, made, fault, left)
        yield _set(subject, rehearsal, toolchain, report)


@dataclass(frozen=True)
class _Subject:
    """The subject of a rehearsal: a stack file with its blueprint and the keys that leave the fit to the scheduler, its platform
    stack if it has one, the blueprint that makes the nodes, the fault, and the placeholders."""

    file: StackFile
    plan: ServingBlueprint
    unjudged: Mapping[str, Any]
    platform: StackFile | None
    made: Blueprint
    fault: str | None
    placeholders: Placeholders


def _set(subject: _Subject, rehearsal: Rehearsal, toolchain: Toolchain, report: Report) -> Stage:
    workdir, planned, made_nodes = rehearsal.workdir, subject.plan, subject.made.cluster
    pools, rehearsed = made_nodes.pools, rehearsal_of(subject.made.cloud)
    with report.step("parts of the stack"):
        chart = parts.router_chart(planned, toolchain, workdir, report)
        crds = parts.custom_resource_definitions(planned, report)
    plane = resume.take_up(workdir, report)
    if plane is None:
        cloud.forget(workdir)
        plane = ControlPlane.start(rehearsal.name, workdir, toolchain, report)
        rehearsal.note_ports(plane.ports)
    api = Api(str(plane.kubeconfig), plane.context)
    machines = fleet.machines_of(planned, pools)
    brought = surroundings.prepare(plane, planned, subject.made, report, subject.fault)
    if not isinstance(made_nodes.reached_by, Follows):
        with report.step("simulated nodes"):
            fleet.fit_to(api, fleet.existing_nodes(pools) if pools else machines)
    with report.step("Pulumi project"):
        added = {**plane.environment(), **variables(workdir)}
        reached: Mapping[str, Any] = {"cluster": {"kubeconfig": str(plane.kubeconfig), "context": plane.context}}
        added |= rehearsed.environment(made_nodes, plane, subject.fault)
        substitutes, played = rehearsed.substitutes(made_nodes, workdir, toolchain["helm"].path)
        brought = (*brought, *played)
        if isinstance(made_nodes.reached_by, Follows):
            reached = substitutes
        env = environment(added, {"TMPDIR": str(_temporary(workdir))})
        processes.end(Path(env["PULUMI_HOME"]))  # official plugins outlive a killed CLI
        found = plugins(Path(env["PULUMI_HOME"]), toolchain, Path(sys.executable), CHECKOUT)
        engines = []
        if (platform := subject.platform) is not None:
            engines.append(_engine(workdir, env, platform, reached, subject.placeholders.platform))
            reached = {"cluster": {"stack": platform.stack}}
        unjudged = {"cluster": subject.unjudged}
        overrides = (reached, unjudged, chart.config, surroundings.played(planned), subject.placeholders.own)
        engine = _engine(workdir, env, subject.file, *overrides)
        engines.append(engine)
        if not pools and node_pools.CONTROLLER.ran(workdir):
            engine.unprotect()  # pools of an earlier rehearsal of it, which this one removes
        if planned.made_secret is not None:
            # The real token cannot be read here and is not needed: the rehearsal is about how it is handled.
            engine.seal(f"{PROJECT}:serving.hfToken", projects.PLACEHOLDER)
    everything = (
        *_tools(toolchain),
        *found,
        chart.part,
        crds,
        *parts.monitors(planned),
        *brought,
        *subject.placeholders.parts,
    )
    made = Stage(rehearsal, plane, planned, tuple(engines), pools, everything, machines)
    shell.write(made.shell, added, engine.project.directory)
    return made


def _engine(workdir: Path, env: Mapping[str, str], file: StackFile, *overrides: Mapping[str, Any]) -> Engine:
    python = Path(sys.executable)
    project = projects.write(workdir / "project", CHECKOUT, python, file.path, file.stack, *overrides)
    engine = Engine(project, env)
    engine.select()
    return engine


def perform(made: Stage, report: Report) -> Outcome:
    """Runs `pulumi up` and forms the verdict; ends the wait of `pulumi up` if it is useless.

    Raises:
        RehearsalError: the fleet's API server does not answer, so that there is no verdict.
    """
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    hopeless: list[str] = []
    entrance, pools = Entrance.of(made.plan), Pools(made.pools)
    around: list[Surroundings] = [pools] if entrance is None else [entrance, pools]
    observe = partial(verdict_of, made.api, made.plan.spec.namespace, around)
    code = 0
    for engine in made.engines:
        with report.step("pulumi up" if engine is made.engine else f"pulumi up of {engine.project.stack}"):
            code = _up(engine, observe if engine is made.engine else partial(_nodes, made.api, pools), report, hopeless)
        if code:
            break
    try:
        with report.step("a look at every pod"):
            verdict = final_verdict(observe, patient=code == 0)
    except (HTTPError, OSError, ApiException) as error:
        raise _gone(made) from error
    outputs = json.loads(made.engine.outputs() or "{}")
    return Outcome(verdict, code, "".join(hopeless), outputs)


def _up(engine: Engine, observe: Callable[[], Verdict], report: Report, hopeless: list[str]) -> int:
    process = engine.up()

    def give_up(reason: str) -> None:
        hopeless.append(reason)
        report.info(f"{reason}: ending the wait of `pulumi up`")
        if reason == SILENT:
            process.kill()  # interrupted, it would first ask the same API server, for a minute
        else:
            interrupt(process)

    with Watch(observe, give_up):
        return finish(process)


def _nodes(api: Api, pools: Pools) -> Verdict:
    """Returns a verdict of nodes alone, on which nothing runs yet."""
    return Verdict(pods=(), flaws=[*pools.flaws(api)])


def _gone(made: Stage) -> RehearsalError:
    log = kwokctl.log_file(made.plane.workdir, "kube-apiserver")
    return RehearsalError(
        what=f"rehearsal {made.rehearsal.name} has no verdict",
        why="the fleet's API server (kube-apiserver) does not answer any more: it was killed, or the machine is out of memory",
        fix="rehearse again: it is started anew",
        details=f"the end of {log}:\n{tail(log, 5)}",
    )


def _tools(toolchain: Toolchain) -> Iterator[Part]:
    for origin in Origin:
        tools = (tool for name, tool in toolchain.items() if name != PROVIDER)  # `plugins` reports it
        names = [f"{tool.name} {tool.version}" for tool in tools if tool.origin is origin]
        if names:
            yield Part(", ".join(names), True, str(origin))


def _temporary(workdir: Path) -> Path:
    """Returns the emptied directory for plugins' files with credentials, so that a killed plugin leaves none."""
    directory = workdir / "tmp"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory
