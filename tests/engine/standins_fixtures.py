"""A control plane of its own and throw-away Pulumi programs, for the tests that pin down how the engine and its plugins behave.

The programs take their parameters from environment variables: a `pulumi config set` for each would cost half a second.
"""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rehearsal.control_plane.plane import ControlPlane
from rehearsal.parts.toolchain import Toolchain
from rehearsal.plugins.install import install_plugins
from rehearsal.report import PlainReport
from tests.engine.waiting import PATIENCE, until

CHECKOUT = Path(__file__).parents[2]
NODE = """
apiVersion: v1
kind: Node
metadata: {name: node, annotations: {kwok.x-k8s.io/node: fake}}
status: {allocatable: {cpu: "8", memory: 64Gi, pods: "110"}, capacity: {cpu: "8", memory: 64Gi, pods: "110"}}
"""
PRELUDE = """
import os
import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions as Options

env = os.environ.get
settings = {key: True for key in env("SETTINGS", "").split()}
cluster = k8s.Provider("cluster", kubeconfig=env("KUBECONFIG"), namespace=env("NAMESPACE"), **settings)

def deployment(name="d", namespace=None, cpu="1", replicas=1, timeout=None, labels=None, annotations=None, **options):
    labels = labels or {"app": name}
    timeout = timeout or env("WAIT", "300s")  # a pod that fits is Ready at once, unless the machine has other work
    container = {"name": "c", "image": "pause", "resources": {"requests": {"cpu": cpu}}}
    return k8s.apps.v1.Deployment(
        name,
        metadata={"name": name, "namespace": namespace or env("NAMESPACE"), "annotations": annotations or {}},
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
        opts=Options(provider=cluster, custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout), **options),
    )
"""


@dataclass(frozen=True)
class Result:
    """A command's output, both streams, and its exit code."""

    code: int
    output: str

    def failed(self) -> "Result":
        assert self.code != 0, f"should have failed:\n{self.output}"
        return self

    def ok(self) -> "Result":
        assert self.code == 0, self.output
        return self

    def says(self, *texts: str) -> "Result":
        for text in texts:
            assert text in self.output, f"{text!r} is missing in:\n{self.output}"
        return self

    @property
    def diagnostics(self) -> str:
        """The last word of the command; the lines of progress above it say the same things on the way."""
        return self.output.partition("Diagnostics:")[2]

    def hides(self, *texts: str) -> "Result":
        for text in texts:
            assert text not in self.output, f"{text!r} should not be in:\n{self.output}"
        return self


@dataclass
class Stack:
    """A Pulumi program in a directory of its own, with a namespace of its own."""

    directory: Path
    namespace: str
    environment: dict[str, str]
    state: Path = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.directory / "state"
        self.state.mkdir(parents=True)
        self.environment |= {
            "NAMESPACE": self.namespace,
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_STACK": "test",
        }
        # With the environment that has the SDK: the official language host runs no program without it.
        runtime = f"{{name: python, options: {{virtualenv: {json.dumps(sys.prefix)}}}}}"
        (self.directory / "Pulumi.yaml").write_text(f"name: {self.namespace}\nruntime: {runtime}\n")

    def program(self, text: str) -> None:
        (self.directory / "__main__.py").write_text(PRELUDE + textwrap.dedent(text))
        if not (self.state / ".pulumi" / "stacks").exists():
            self.pulumi("stack", "init", "test").ok()

    def start(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.directory,
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def pulumi(self, *arguments: str, **variables: str) -> Result:
        process = self.start(*arguments, **variables)
        output, _ = process.communicate(timeout=PATIENCE)
        return Result(process.returncode, output)

    def up(self, *arguments: str, **variables: str) -> Result:
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, **variables)

    def preview(self, *arguments: str, **variables: str) -> Result:
        return self.pulumi("preview", *arguments, **variables)

    def unchanged(self, **variables: str) -> None:
        self.preview("--expect-no-changes", **variables).ok()

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        command = ["kubectl", "--namespace", self.namespace, *arguments]
        done = subprocess.run(command, env=self.environment, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def helm(self, *arguments: str) -> str:
        command = ["helm", "--namespace", self.namespace, *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def stored(self) -> str:
        return (self.state / ".pulumi" / "stacks" / self.namespace / "test.json").read_text()

    def wait_for(self, *arguments: str, text: str) -> None:
        """Until a kubectl command prints `text`."""
        until(lambda: text in self.kubectl(*arguments), f"{text!r} did not appear in kubectl {arguments}")


def interrupt(process: "subprocess.Popen[str]", number: signal.Signals) -> Result:
    process.send_signal(number)
    output, _ = process.communicate(timeout=PATIENCE)
    return Result(process.returncode, output)


@contextmanager
def standins(directory: Path, tools: Toolchain) -> Iterator[Mapping[str, str]]:
    """The environment of a control plane with one node of 8 CPUs, and of an engine with the stand-ins installed."""
    control_plane = ControlPlane.start("standins", directory / "plane", tools, PlainReport())
    try:
        install_plugins(directory / "home", Path(sys.executable), CHECKOUT)
        hidden = ("CLAUDE", "AGENT", "CODEX", "CURSOR")  # pulumi prints less when it thinks a program drives it
        environment = {key: value for key, value in os.environ.items() if not any(word in key for word in hidden)}
        environment |= control_plane.environment() | {
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        subprocess.run(["kubectl", "apply", "-f", "-"], env=environment, input=NODE, text=True, check=True)
        yield environment
    finally:
        control_plane.stop()


@pytest.fixture
def stack(standins_plane: Mapping[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack named after the test, whose namespace exists. Its pods go at the end: those of all tests share one node."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40].strip("-")
    made = Stack(tmp_path, name, dict(standins_plane))
    made.kubectl("create", "namespace", name)
    yield made
    made.kubectl("delete", "deployments", "--all", "--wait=false")
