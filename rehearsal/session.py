"""One rehearsal from nothing to a verdict: tools, control plane, fleet, the stack by the real engine, and a look at it.

Owns the order of things. What each part does is its own module's; how it is shown is `operations.rehearse`'s.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rehearsal import faults, fleet, kwokctl, parts, resume, shell, surroundings
from rehearsal import project as projects
from rehearsal.control_plane import ControlPlane
from rehearsal.engine import Engine, environment, finish, interrupt, variables
from rehearsal.errors import RehearsalError
from rehearsal.files import tail
from rehearsal.gateway.entrance import Entrance
from rehearsal.nodepools.shortage import Pools
from rehearsal.parts import Part
from rehearsal.plugins import plugins
from rehearsal.registry import Registry, Rehearsal
from rehearsal.report import Report
from rehearsal.stack import undisputed
from rehearsal.toolchain import Origin, Toolchain, ensure
from rehearsal.verdict import Verdict, look
from rehearsal.watch import SILENT, Watch, final_look
from stacks.files import PROJECT, StackFile
from stacks.kube_api import Api
from stacks.plan import Plan, plan

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Stage:
    """A rehearsal that is ready for the engine: everything but the stack itself is there."""

    rehearsal: Rehearsal
    plane: ControlPlane
    plan: Plan
    engine: Engine
    parts: tuple[Part, ...]
    #: Machine key -> simulated nodes of it.
    machines: Mapping[str, int]

    @property
    def api(self) -> Api:
        """The fleet's API server."""
        return Api(str(self.plane.kubeconfig), self.plane.context)

    @property
    def shell(self) -> Path:
        """A file a shell can source to work with this rehearsal."""
        return self.rehearsal.workdir / "env"


@dataclass(frozen=True)
class Outcome:
    """What came of it. `exit_code` is the engine's; `outputs` are the stack's; `hopeless` says why we ended a wait in vain."""

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
    """Sets the stage for a stack file; a kept one is taken up where it was left, and left running at the end.

    `fault` is what goes wrong in it (`rehearsal.faults`).

    Raises:
        RehearsalError: a tool, the router's chart, the control plane or a node cannot be had, or somebody else works with
            the rehearsal; or the fault cannot befall this stack.
        StackFileError: the stack file is about pods that fit no machine.
        SourceError: its CRDs cannot be had or are not what they should be.
    """
    registry = registry or Registry()
    unquestioned = undisputed(file.spec)
    planned = plan(file.spec, CHECKOUT)
    faults.possible(fault, planned)
    for name in registry.sweep():
        report.info(f"removed what was left of rehearsal {name}: nobody ran it any more")
    toolchain = ensure(report)
    with registry.create(file.stack, kept=kept) as rehearsal:
        yield _set(file, planned, unquestioned, rehearsal, toolchain, report, fault)


def _set(
    file: StackFile,
    planned: Plan,
    unquestioned: Mapping[str, Any],
    rehearsal: Rehearsal,
    toolchain: Toolchain,
    report: Report,
    fault: str | None,
) -> Stage:
    workdir = rehearsal.workdir
    with report.step("parts of the stack"):
        chart = parts.router_chart(planned, toolchain, workdir, report)
        crds = parts.custom_resource_definitions(planned, report)
    plane = resume.take_up(workdir, report)
    if plane is None:
        plane = ControlPlane.start(rehearsal.name, workdir, toolchain, report)
        rehearsal.note_ports(plane.ports)
    api = Api(str(plane.kubeconfig), plane.context)
    machines = fleet.machines_of(planned)
    brought = surroundings.prepare(plane, planned, report, fault)
    with report.step("simulated nodes"):
        fleet.fit_to(api, {} if planned.pools else machines)  # pools bring their own
    with report.step("Pulumi project"):
        added = {**plane.environment(), **variables(workdir)}
        env = environment(added, {"TMPDIR": str(_temporary(workdir))})
        found = plugins(Path(env["PULUMI_HOME"]), toolchain, Path(sys.executable), CHECKOUT, env)
        target = {"cluster": {"kubeconfig": str(plane.kubeconfig), "context": plane.context, **unquestioned}}
        project = projects.write(
            workdir / "project",
            CHECKOUT,
            Path(sys.executable),
            file.path,
            file.stack,
            target,
            chart.config,
            surroundings.played(planned),
        )
        engine = Engine(project, env)
        engine.select()
        if planned.made_secret is not None:
            # The real token cannot be read here, and is not needed: what is rehearsed is how it is handled.
            engine.seal(f"{PROJECT}:serving.hfToken", projects.PLACEHOLDER)
    everything = (*_tools(toolchain), *found, chart.part, crds, *parts.monitors(planned), *brought)
    made = Stage(rehearsal, plane, planned, engine, everything, machines)
    shell.write(made.shell, added, project.directory)
    return made


def perform(made: Stage, report: Report) -> Outcome:
    """Runs `pulumi up` and looks at what came of it; ends the wait when no wait can help.

    Raises:
        RehearsalError: the fleet's API server is gone, so there is nothing to look at.
    """
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    hopeless: list[str] = []
    around = [each for each in (Entrance.of(made.plan), Pools.of(made.plan)) if each is not None]
    looked = partial(look, made.api, made.plan.spec.namespace, around)
    with report.step("pulumi up"):
        process = made.engine.up()

        def give_up(reason: str) -> None:
            hopeless.append(reason)
            report.info(f"{reason}: ending the wait of `pulumi up`")
            if reason == SILENT:
                process.kill()  # in good order it would ask the same API server first, for a minute
            else:
                interrupt(process)

        with Watch(looked, give_up):
            code = finish(process)
    try:
        with report.step("a look at every pod"):
            verdict = final_look(looked, patient=code == 0)
    except (HTTPError, OSError, ApiException) as error:
        raise _gone(made) from error
    outputs = json.loads(made.engine.outputs() or "{}")
    return Outcome(verdict, code, "".join(hopeless), outputs)


def _gone(made: Stage) -> RehearsalError:
    log = kwokctl.log_file(made.plane.workdir, "kube-apiserver")
    return RehearsalError(
        f"rehearsal {made.rehearsal.name} has no verdict",
        "the fleet's API server (kube-apiserver) does not answer any more: it was killed, or the machine is out of memory",
        "rehearse again: it is started anew",
        f"the end of {log}:\n{tail(log, 5)}",
    )


def _tools(toolchain: Toolchain) -> Iterator[Part]:
    for origin in Origin:
        names = [f"{tool.name} {tool.version}" for tool in toolchain.values() if tool.origin is origin]
        if names:
            yield Part(", ".join(names), True, str(origin))


def _temporary(workdir: Path) -> Path:
    """Where plugins put files with credentials; those of a killed one go with the rehearsal. Emptied, as nobody runs now."""
    directory = workdir / "tmp"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory
