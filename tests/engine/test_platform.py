"""A platform stack and a stack that serves on it: rehearsed as a pair, and destroyed one after the other."""

import importlib.util
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from stacks.clouds.coreweave.pools import API
from stacks.kube.api import Api
from tests.engine.test_rehearse import Started, finished, root, start
from tests.engine.waiting import PATIENCE

__all__ = ["root", "start"]


def write(directory: Path, name: str, **config: object) -> Path:
    path = directory / f"Pulumi.{name}.yaml"
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    return path


def of(rehearsal: Path) -> Callable[..., str]:
    """The CLI in a kept rehearsal."""

    def pulumi(*arguments: str, fails: bool = False) -> str:
        command = '. "$0" && exec pulumi -C "$LLMD_PD_PROJECT" --non-interactive "$@"'
        done = subprocess.run(
            ["sh", "-c", command, str(rehearsal / "env"), *arguments],
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    return pulumi


def test_a_pair_from_nothing_and_back(start: Started, root: Path, tmp_path: Path) -> None:
    write(
        tmp_path,
        "nodes",
        cluster={"provider": "coreweave", "context": "nowhere", "machine": "coreweave-h200", "nodes": 2},
    )
    serving = {"accelerator": "nvidia", "fabric": "coreweave", "prefill": {"replicas": 4}, "decode": {"replicas": 1}}
    chat = write(tmp_path, "chat", cluster={"provider": "stack", "stack": "acme/llmd-pd/nodes"}, serving=serving)
    code, text = finished(start("rehearse", chat, "--keep"))
    assert code == 0
    assert "pulumi up of nodes" in text
    assert "6 of 6 pods are placed and Ready on 2 × coreweave-h200 and 1 × coreweave-cd-gp-i64-erapids" in text

    pulumi = of(root / "chat")

    def there() -> tuple[int, int]:
        return len(api.items(API)), len(api.items("/api/v1/nodes"))

    api = Api(str(root / "chat" / "kubeconfig"), None)
    assert there() == (2, 3)
    for stack in ("nodes", "chat"):
        pulumi("preview", "--stack", stack, "--expect-no-changes")
    assert "StackReference" in pulumi("stack", "export", "--stack", "chat")
    pulumi("config", "set", "--stack", "nodes", "--path", "llmd-pd:cluster.protect", "false")
    pulumi("up", "--stack", "nodes", "--yes", "--skip-preview")
    refused = pulumi("destroy", "--stack", "nodes", "--yes", "--skip-preview", fails=True)
    assert "are not deleted, because pods of other stacks run on their nodes: 6 of organization/llmd-pd/chat" in refused
    assert there() == (2, 3)
    pulumi("destroy", "--stack", "chat", "--yes", "--skip-preview")
    assert api.get("/api/v1/namespaces/llm-d-pd-disaggregation") is None
    assert there() == (2, 3), "the nodes are not the serving stack's"
    pulumi("destroy", "--stack", "nodes", "--yes", "--skip-preview")
    assert there() == (0, 0)
    assert finished(start("down"))[0] == 0


@pytest.mark.skipif(importlib.util.find_spec("pulumi_gcp") is None, reason="pulumi-gcp is not installed: make gke")
def test_a_pair_on_gke_from_an_empty_project_and_back(start: Started, root: Path, tmp_path: Path) -> None:
    gke = {
        "project": "acme-serving", "region": "us-central1", "zone": "us-central1-c", "version": "1.36.0-gke.2459000",
        "capacity": {"reservation": "projects/acme-serving/reservations/r"},
    }  # fmt: skip
    write(
        tmp_path, "ground",
        cluster={"provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 3, "gke": gke},
    )  # fmt: skip
    serving = {"accelerator": "nvidia", "fabric": "gke-rdma"}
    chat = write(tmp_path, "chat", cluster={"provider": "stack", "stack": "ground"}, serving=serving)
    code, text = finished(start("rehearse", chat, "--keep"))
    assert code == 0
    assert "11 of 11 pods are placed and Ready on 3 × gke-a3-ultragpu-8g-dra and 1 × system" in text
    assert "claims    16 device claims, allocated by the scheduler" in text

    def cloud() -> int:
        return len(json.loads((root / "chat" / "cloud.json").read_text())["resources"])

    pulumi, api, made = of(root / "chat"), Api(str(root / "chat" / "kubeconfig"), None), cloud()
    for stack in ("ground", "chat"):
        pulumi("preview", "--stack", stack, "--expect-no-changes")
    pulumi("config", "set", "--stack", "ground", "--path", "llmd-pd:cluster.protect", "false")
    pulumi("up", "--stack", "ground", "--yes", "--skip-preview")
    refused = pulumi("destroy", "--stack", "ground", "--yes", "--skip-preview", fails=True)
    assert (
        "cluster pd-disaggregation is not deleted, because other stacks serve on it: organization/llmd-pd/chat"
        in refused
    )
    assert (cloud(), len(api.items("/api/v1/nodes"))) == (made, 4)
    pulumi("destroy", "--stack", "chat", "--yes", "--skip-preview")
    assert api.get("/api/v1/namespaces/llm-d-pd-disaggregation") is None
    assert (cloud(), len(api.items("/api/v1/nodes"))) == (made, 4), "the cluster is not the serving stack's"
    pulumi("destroy", "--stack", "ground", "--yes", "--skip-preview")
    assert (cloud(), api.items("/api/v1/nodes")) == (0, [])
    assert finished(start("down"))[0] == 0


def test_without_the_file_that_makes_the_nodes_there_is_nothing_to_rehearse(
    start: Started, root: Path, tmp_path: Path
) -> None:
    cluster = {"provider": "stack", "stack": "nodes", "machine": "coreweave-h200"}
    chat = write(tmp_path, "chat", cluster=cluster, serving={"accelerator": "nvidia", "fabric": "coreweave"})
    code, text = finished(start("rehearse", chat))
    assert code == 1
    assert (
        "Pulumi.nodes.yaml does not exist, because without the engine, what the cluster is can only be read there"
        in text
    )
    assert not root.exists()
