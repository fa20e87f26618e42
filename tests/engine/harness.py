"""A stack on a shared control plane, driven by the real Pulumi CLI, with its output captured.

The CLI, the engine, the API server and the Kubernetes provider are official. The newest provider cannot be had everywhere:
where it is not, tests of what only providers since 4.29 do (adoption of objects, ignored fields, conflicts) run on the stand-in
(`newest`, ADR 6), all others on the one that is a Go module.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal import project as projects
from rehearsal.control_plane import processes
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.engine import Engine, environment, variables
from rehearsal.fleet import fleet
from rehearsal.parts import cluster_crds, parts
from rehearsal.parts.plugins import plugins
from rehearsal.parts.standins.crds import MONITORING
from rehearsal.parts.toolchain import PROVIDER, VERSIONS, Toolchain
from rehearsal.plugins.install import install_plugins
from rehearsal.report import PlainReport
from rehearsal.session import CHECKOUT
from stacks.blueprint import Blueprint, ServingBlueprint
from stacks.file.load import load
from stacks.kube.api import Api
from stacks.rules.facts import blueprint, serving_blueprint
from tests.engine.waiting import PATIENCE, until


@dataclass
class Run:
    """One run of the CLI: its exit code, and standard output and error as one text."""

    code: int
    text: str

    def __post_init__(self) -> None:
        # pytest shows it where an assertion fails.
        print(self.text)


@dataclass
class Stack:
    """A stack of this project on the shared control plane, in a directory of its own.

    `config` is what its stack file says under `llmd-pd:`, and may be changed between runs.
    """

    name: str
    workdir: Path
    plane: ControlPlane
    toolchain: Toolchain
    config: dict[str, Any]
    #: Hugging Face's token, kept in the stack file as a secret.
    token: str | None = None
    #: Whether it needs what only providers since 4.29 do.
    newest: bool = False
    env: dict[str, str] = field(default_factory=dict)
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.workdir.mkdir(parents=True, exist_ok=True)
        self.env = environment(self.plane.environment(), variables(self.workdir), self.env)
        plugins(Path(self.env["PULUMI_HOME"]), self.toolchain, Path(sys.executable), CHECKOUT)
        if self.newest and not has_newest(self.toolchain):
            install_plugins(Path(self.env["PULUMI_HOME"]), Path(sys.executable), CHECKOUT)
        self._write()
        self.engine.select()

    @property
    def api(self) -> Api:
        """The API server, as administrator."""
        return Api(str(self.plane.kubeconfig), self.plane.context)

    @property
    def blueprint(self) -> Blueprint:
        """Returns the blueprint of the stack file as it is now."""
        return blueprint(load(self.engine.project.stack_file).spec, CHECKOUT)

    @property
    def serving_blueprint(self) -> ServingBlueprint:
        """Returns the blueprint's serving part."""
        found = self.blueprint.serving
        assert found is not None
        return found

    def run(self, *arguments: str) -> Run:
        """Runs `pulumi ARGUMENTS` on the stack file as `config` is now."""
        running = self.start(*arguments)
        try:
            text, _ = running.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._show_where_it_hangs()
            os.killpg(running.pid, signal.SIGINT)
            text, _ = running.communicate(timeout=60)
            pytest.fail(
                f"`pulumi {' '.join(arguments)}` did not end within {PATIENCE:.0f} s; interrupted it said:\n{text}"
            )
        finally:
            running.kill()
            running.wait()
        return Run(running.returncode, text)

    def _show_where_it_hangs(self) -> None:
        """Returns the details that a CI log has to keep."""
        place = f"/api/v1/namespaces/{self.config['namespace']}"
        for pod in self.api.items(f"{place}/pods"):
            print(json.dumps({"pod": pod["metadata"]["name"], "spec": pod["spec"].get("nodeName"), **pod["status"]}))
        for event in self.api.items(f"{place}/events"):
            print(event.get("lastTimestamp") or event.get("eventTime"), event["reason"], event.get("message"))
        ours = processes.belonging_to(self.workdir) + processes.belonging_to(self.plane.workdir)
        print("\n".join(row.command[:200] for row in ours))

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts `pulumi ARGUMENTS` in a process group of its own, output piped."""
        self._write()
        if self.token is not None:
            self.engine.seal("llmd-pd:serving.hfToken", self.token)
        return subprocess.Popen(
            self.command(*arguments), env=self.env, cwd=self.engine.project.directory, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def command(self, *arguments: str) -> list[str]:
        """The CLI's command line."""
        common = ["--non-interactive", "--color", "never", "--stack", self.name]
        return [str(self.toolchain["pulumi"].path), *arguments, *common]

    def up(self, *more: str) -> Run:
        """`pulumi up`."""
        return self.run("up", "--yes", "--skip-preview", *more)

    def preview(self, *more: str) -> Run:
        """`pulumi preview`."""
        return self.run("preview", *more)

    def destroy(self) -> Run:
        """`pulumi destroy`."""
        return self.run("destroy", "--yes", "--skip-preview")

    def clear(self) -> None:
        """Takes it off the cluster without the engine; only pods and claims are waited for: they hold devices of the nodes.

        Kubernetes begins to empty a namespace 5 s after it was deleted, so a `destroy` is for tests that are about it.
        """
        namespace = f"namespaces/{self.config['namespace']}"
        self.api.delete(f"/apis/apps/v1/{namespace}/deployments")
        holders = (f"/api/v1/{namespace}/pods", f"/apis/resource.k8s.io/v1/{namespace}/resourceclaims")
        until(
            lambda: not any(self.api.items(path) for path in holders), f"pods or claims of {namespace} are still there"
        )
        self.api.delete(f"/api/v1/{namespace}")

    def state(self) -> list[dict[str, Any]]:
        """The resources in the stack's state."""
        exported = self.run("stack", "export").text
        resources: list[dict[str, Any]] = json.loads(exported)["deployment"].get("resources", [])
        return resources

    def nodes(self) -> list[str]:
        """Makes the fleet exactly what the stack needs."""
        return fleet.fit_to(self.api, fleet.machines_of(self.serving_blueprint))

    def _write(self) -> None:
        source = self.workdir / f"Pulumi.{self.name}.yaml"
        source.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in self.config.items()}}))
        target = {"cluster": {"kubeconfig": str(self.plane.kubeconfig), "context": self.plane.context}}
        project = projects.write(
            self.workdir / "project",
            CHECKOUT,
            Path(sys.executable),
            source,
            self.name,
            target,
            self._chart(source),
        )
        self.engine = Engine(project, self.env)

    def _chart(self, source: Path) -> Mapping[str, Any]:
        report = PlainReport()
        planned = serving_blueprint(load(source, but=frozenset({"FIT-01"})).spec, CHECKOUT)
        parts.custom_resource_definitions(planned, report)
        return parts.router_chart(planned, self.toolchain, self.workdir, report).config


def has_newest(toolchain: Toolchain) -> bool:
    """Whether the Kubernetes provider is the one that the SDK asks for."""
    return toolchain[PROVIDER].version == VERSIONS["pulumi-kubernetes"]


@contextmanager
def control_plane(name: str, directory: Path, toolchain: Toolchain) -> Iterator[ControlPlane]:
    """A control plane with what every cluster of the tests has before a stack comes: the Prometheus operator's CRDs."""
    plane = ControlPlane.start(name, directory, toolchain, PlainReport())
    try:
        api = Api(str(plane.kubeconfig), plane.context)
        for found in cluster_crds.definitions(MONITORING, PlainReport()):
            api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", found.object)
        yield plane
    finally:
        plane.stop()
