"""Helm releases: the rows of the table of observed behaviour that are about them."""

import json
from pathlib import Path

import pytest

from tests.engine.standins_fixtures import Stack, stack

__all__ = ["stack"]

TEMPLATE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: c, image: pause, resources: {requests: {cpu: {{ .Values.pod.cpu | quote }}}}}]}
"""
PROGRAM = """
release = k8s.helm.v3.Release("r", name="r", chart=env("CHART", "./chart"), namespace=env("NAMESPACE"),
    timeout=int(env("WAIT", "300")), values={"pod": {"cpu": env("CPU", "1"), "other": 1}}, opts=Options(provider=cluster))
pulumi.export("revision", release.status.revision)
pulumi.export("status", release.status.status)
pulumi.export("names", release.resource_names)
"""


@pytest.fixture
def charted(stack: Stack) -> Stack:
    chart = stack.directory / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: small, version: 0.1.0, appVersion: '1.2'}")
    (chart / "values.yaml").write_text("pod: {cpu: '1', other: 1}")
    (chart / "templates" / "deployment.yaml").write_text(TEMPLATE)
    stack.program(PROGRAM)
    return stack


def outputs(stack: Stack) -> dict[str, object]:
    result: dict[str, object] = json.loads(stack.pulumi("stack", "output", "--json").ok().output)
    return result


def test_release_lives(charted: Stack) -> None:
    charted.up().ok()
    assert outputs(charted) == {
        "revision": 1,
        "status": "deployed",
        "names": {"Deployment.apps/apps/v1": ["r"]},
    }
    charted.unchanged()
    changed = charted.preview("--diff", CPU="2").ok()
    assert [line.strip() for line in changed.output.splitlines() if "=>" in line and "cpu" in line] == [
        '~ cpu: "1" => "2"'
    ]
    charted.pulumi("refresh", "--yes", "--skip-preview").ok()
    charted.unchanged()
    charted.pulumi("destroy", "--yes", "--skip-preview").ok()
    assert "r" not in charted.helm("list", "--all", "--short").split()


def test_release_not_ready_in_time(charted: Stack) -> None:
    failed = charted.up(CPU="64", WAIT="5").failed()
    failed.says("was created, but failed to initialize completely", "context deadline exceeded")
    failed.says("[Unschedulable] 0/1 nodes are available: 1 Insufficient cpu")  # only the stand-in says so
    assert json.loads(charted.helm("status", "r", "-o", "json"))["info"]["status"] == "failed"
    charted.up(CPU="1").ok()
    assert outputs(charted)["revision"] == 2
    charted.unchanged(CPU="1")


def test_chart_that_cannot_be_fetched(charted: Stack) -> None:
    for chart in ("oci://127.0.0.1:1/charts/none", "./nowhere"):
        for command in (charted.preview, charted.up):
            command(CHART=chart).failed().says("check the chart name and repository configuration.", chart)


def test_name_in_use(charted: Stack) -> None:
    charted.helm("install", "r", str(Path(charted.directory) / "chart"))
    charted.up().failed().says("cannot re-use a name that is still in use")
    assert "initErrors" not in charted.stored()
