"""`llmd-pd rehearse` of stacks with a Gateway: their own, on GKE; one they do not own; and one without a controller."""

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.gateway import API, controller
from releases import RELEASES
from stacks.kube.api import Api
from tests.engine.test_rehearse import Started, finished, nothing_is_left, root, start
from tests.engine.waiting import PATIENCE, until

__all__ = ["root", "start"]


def stack_file(directory: Path, name: str, /, **gateway: Any) -> Path:
    config = {
        "cluster": {"provider": "existing", "context": "nowhere", "machine": "nvidia-generic"},
        "serving": {
            "accelerator": "nvidia",
            "prefill": {"replicas": 1, "devices": 1},
            "decode": {"replicas": 1, "devices": 4},
        },
        "router": {"mode": "gateway", "gateway": gateway},
    }
    path = directory / f"Pulumi.{name}.yaml"
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    return path


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("mode", ["standalone", "gateway"])
def test_both_modes_of_every_release(start: Started, root: Path, tmp_path: Path, mode: str, release: str) -> None:
    """The guide's full size with monitoring, on the machines it was written for and one to spare for the scheduler."""
    gateway = {"gateway": {"provider": "istio"}} if mode == "gateway" else {}
    config = {
        "release": release,
        "cluster": {"nodes": 3},
        "serving": {"accelerator": "nvidia", "fabric": "coreweave"},
        "router": {"mode": mode, **gateway},
        "monitoring": {"podMonitors": True, "router": True},
    }
    file = tmp_path / f"Pulumi.{mode}.yaml"
    file.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    code, text = finished(start("rehearse", file))
    assert code == 0
    assert "11 of 11 pods are placed and Ready on 3 × coreweave-h200 and 1 × system" in " ".join(text.split())
    assert ("the Gateway is programmed and takes the stack's route" in " ".join(text.split())) is (mode == "gateway")
    nothing_is_left(root)


def test_kept_rehearsal_on_gke(start: Started, root: Path, tmp_path: Path) -> None:
    file = stack_file(tmp_path, "gke", provider="gke", backendTimeout=1800)
    code, text = finished(start("rehearse", file, "--keep"))
    assert code == 0
    own = "llm-d-pd-disaggregation/llm-d-inference-gateway"
    assert f"endpoint  http://192.0.2.10/ (through Gateway {own})" in text
    assert "the Gateway is programmed and takes the stack's route" in text
    assert re.search(r"^stand-in  gateway controller \(in place of gke's", text, re.MULTILINE)
    # The controller outlives the command: a user's own `pulumi destroy` waits for it.
    api = Api(str(root / "gke" / "kubeconfig"), None)
    assert len(controller.PROCESS.running(root)) == 1
    policies = "/apis/networking.gke.io/v1/namespaces/llm-d-pd-disaggregation/gcpbackendpolicies"
    assert api.items(policies)[0]["spec"]["default"]["timeoutSec"] == 1800
    (policy,) = api.items(policies.replace("gcpbackendpolicies", "healthcheckpolicies"))
    assert policy["spec"]["default"]["config"]["httpHealthCheck"]["portSpecification"] == "USE_FIXED_PORT"
    code, text = finished(start("rehearse", file, "--keep"))
    assert code == 0
    assert "running already and is continued" in text
    assert len(controller.PROCESS.running(root)) == 1
    destroyed = subprocess.run(
        ["sh", "-c", '. "$0" && exec pulumi -C "$LLMD_PD_PROJECT" destroy --yes --skip-preview --non-interactive',
         str(root / "gke" / "env")], capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert destroyed.returncode == 0, destroyed.stdout
    assert "$PATH" not in destroyed.stdout
    assert api.items(f"{API}/gateways") == []
    assert finished(start("down"))[0] == 0
    nothing_is_left(root)


def test_gateway_not_owned_by_the_stack(start: Started, root: Path, tmp_path: Path) -> None:
    shared = {"name": "shared", "namespace": "infra", "manage": False, "baseModel": "base"}
    code, text = finished(start("rehearse", stack_file(tmp_path, "shared", provider="istio", **shared)))
    assert code == 0
    assert "endpoint  http://192.0.2.10/ (through Gateway infra/shared)" in text
    assert "gateway   infra/shared is not owned by this stack; in this rehearsal the fleet makes it" in text
    nothing_is_left(root)


def test_gateway_without_a_controller(start: Started, root: Path, tmp_path: Path) -> None:
    rehearsing = start("rehearse", stack_file(tmp_path, "alone", provider="na", className="some-class"))
    until(lambda: controller.PROCESS.running(root))
    os.kill(controller.PROCESS.running(root)[0].pid, signal.SIGKILL)
    code, text = finished(rehearsing)
    assert code == 1
    assert "its controller has refused it or ignores it" in text
    assert (
        "llm-d-inference-gateway is not accepted: no controller has set its status: does GatewayClass some-class exist"
        in text
    )
    assert "pods are placed and Ready" in text
    nothing_is_left(root)
