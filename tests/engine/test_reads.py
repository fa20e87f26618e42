"""Objects that a stack only looks at, in another namespace than `default`: by the official provider and by the stand-in.

A read that sends `apiVersion` and `kind` beside its id made every `pulumi up` on the official provider end with exit code 1.
"""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from rehearsal.control_plane.plane import ControlPlane
from rehearsal.engine import environment, variables
from rehearsal.parts.plugins import plugins
from rehearsal.parts.toolchain import Toolchain
from rehearsal.plugins.install import install_plugins
from rehearsal.session import CHECKOUT
from stacks.kube.api import Api
from tests.engine.waiting import PATIENCE

NAMESPACE = "read-elsewhere"
#: A release whose only object is the Service that the router's component reads.
CHART = {
    "Chart.yaml": "{apiVersion: v2, name: one-service, version: 1.0.0}",
    "templates/service.yaml": """
        apiVersion: v1
        kind: Service
        metadata: {name: "{{ .Release.Name }}-epp"}
        spec: {ports: [{port: 80}]}
        """,
}
GATEWAY_CRD = """
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata:
      name: gateways.gateway.networking.k8s.io
      annotations: {api-approved.kubernetes.io: unapproved}
    spec:
      group: gateway.networking.k8s.io
      scope: Namespaced
      names: {plural: gateways, singular: gateway, kind: Gateway, listKind: GatewayList}
      versions:
        - name: v1
          served: true
          storage: true
          subresources: {status: {}}
          schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    """
GATEWAY = """
    apiVersion: gateway.networking.k8s.io/v1
    kind: Gateway
    metadata: {name: shared}
    spec: {listeners: [{name: default, port: 80, protocol: HTTP}]}
    """
STATUS = {"status": {"addresses": [{"type": "IPAddress", "value": "192.0.2.7"}]}}
PROGRAM = """
    import pulumi
    import pulumi_kubernetes as k8s
    from components.gateway import SharedGateway
    from components.router import Router

    config = pulumi.Config()
    cluster = pulumi.ResourceOptions(providers=[k8s.Provider("cluster", kubeconfig=config.require("kubeconfig"))])
    router = Router(
        "router",
        {
            "release": "r", "chart": config.require("chart"), "version": None, "values": {}, "owner": "test", "selector": "x",
            "wait": False, "namespace": config.require("namespace"), "after": [],
        },
        cluster,
    )
    gateway = SharedGateway(
        "gateway", {"namespace": config.require("namespace"), "name": "shared", "elsewhere": False}, cluster
    )
    pulumi.export("addresses", [router.address, gateway.address])
"""

Pulumi = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=["official", "stand-in"])
def pulumi(
    request: pytest.FixtureRequest, plane: ControlPlane, toolchain: Toolchain, tmp_path: Path
) -> Iterator[Pulumi]:
    """Runs `pulumi ARGUMENTS` on the program, in a namespace with the Gateway and the release's chart."""
    env = environment(plane.environment(), variables(tmp_path), {"PYTHONPATH": str(CHECKOUT)})
    home = Path(env["PULUMI_HOME"])
    plugins(home, toolchain, Path(sys.executable), CHECKOUT)
    if request.param == "stand-in":
        install_plugins(home, Path(sys.executable), CHECKOUT)
    for name, text in {**{f"chart/{key}": text for key, text in CHART.items()}, "__main__.py": PROGRAM}.items():
        file = tmp_path / "program" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
    runtime = {"name": "python", "options": {"virtualenv": str(Path(sys.executable).parent.parent)}}
    (tmp_path / "program" / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "reads", "runtime": runtime}))

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(toolchain["pulumi"].path), *arguments, "--non-interactive", "--stack", "test"]
        done = subprocess.run(
            command, cwd=tmp_path / "program", env=env, text=True, capture_output=True, timeout=PATIENCE, check=False
        )
        print(done.stdout, done.stderr)
        return done

    def kubectl(*arguments: str, stdin: str | None = None) -> None:
        command = [str(toolchain["kubectl"].path), *arguments]
        subprocess.run(command, env=env, input=stdin, text=True, capture_output=True, check=True)

    run("stack", "init")
    stated = {"kubeconfig": plane.kubeconfig, "namespace": NAMESPACE, "chart": tmp_path / "program" / "chart"}
    for key, value in stated.items():
        assert run("config", "set", key, str(value)).returncode == 0
    api = Api(str(plane.kubeconfig), plane.context)
    kubectl("apply", "-f", "-", stdin=textwrap.dedent(GATEWAY_CRD))
    kubectl("wait", "--for=condition=Established", "crd/gateways.gateway.networking.k8s.io")
    kubectl("create", "namespace", NAMESPACE)
    try:
        kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=textwrap.dedent(GATEWAY))
        patch = ("patch", "gateway", "shared", "-n", NAMESPACE, "--subresource=status", "--type=merge")
        kubectl(*patch, "-p", json.dumps(STATUS))
        yield run
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=true")
        api.delete("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.gateway.networking.k8s.io")


def test_a_service_and_a_gateway_in_another_namespace(pulumi: Pulumi) -> None:
    """Twice, and refreshed: a read of the state sends what the first one brought."""
    for command in ("up", "up", "refresh", "up"):
        assert pulumi(command, "--yes", "--skip-preview").returncode == 0
    service, gateway = json.loads(pulumi("stack", "output", "addresses", "--json").stdout)
    assert service.startswith("10.")
    assert gateway == "192.0.2.7"
    assert pulumi("preview", "--expect-no-changes").returncode == 0
    assert pulumi("refresh", "--preview-only", "--expect-no-changes").returncode == 0
    assert pulumi("destroy", "--yes", "--skip-preview").returncode == 0
