"""A CKS cluster of the stack's own in the pretend cloud: from nothing to placed pods and back, in one step and in two."""

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardware.render.namespace import OWNER
from stacks.clouds.coreweave.pools import API
from stacks.kube.api import Api
from tests.cks_plans import CKS, CLUSTER, SERVING
from tests.engine.test_rehearse import Started, finished, nothing_is_left, root, start
from tests.engine.waiting import PATIENCE, until

__all__ = ["root", "start"]
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pulumi_coreweave") is None, reason="pulumi-coreweave is not installed: make coreweave"
)


def write(directory: Path, stack: str, cluster: dict[str, Any], **config: Any) -> Path:
    path = directory / f"Pulumi.{stack}.yaml"
    whole = {"cluster": cluster, **config}
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in whole.items()}}))
    return path


#: One node to spare for the scheduler.
OWN: dict[str, Any] = {**CLUSTER, "nodes": 3, "coreweave": {"cluster": CKS}}


class Kept:
    """A kept rehearsal, worked with as its last lines say."""

    def __init__(self, root: Path, name: str) -> None:
        self.directory = root / name
        self.api = Api(str(self.directory / "kubeconfig"), None)

    def pulumi(self, *arguments: str, fails: bool = False) -> str:
        command = '. "$0" && exec pulumi -C "$LLMD_PD_PROJECT" --non-interactive "$@"'
        done = subprocess.run(
            ["sh", "-c", command, str(self.directory / "env"), *arguments],
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    def setting(self, key: str, value: str) -> None:
        self.pulumi("config", "set", "--path", f"llmd-pd:cluster.{key}", value)

    def records(self) -> list[str]:
        found = json.loads((self.directory / "cloud.json").read_text())["resources"]
        return [row["kind"] for row in found]

    def events(self) -> list[str]:
        lines = (self.directory / "cloud.json.events").read_text().splitlines()
        return [f"{row['event']} {row['kind']}" for row in map(json.loads, lines)]


def test_from_nothing_and_back_and_in_two_steps(start: Started, root: Path, tmp_path: Path) -> None:
    code, text = finished(start("rehearse", write(tmp_path, "own", OWN, serving=SERVING), "--keep"))
    assert code == 0
    assert "11 of 11 pods are placed and Ready on 3 × coreweave-h200 and 1 × coreweave-cd-gp-i64-erapids" in text
    assert "plugin resource-coreweave" in text, "it is named as a stand-in"
    kept = Kept(root, "own")
    assert kept.records() == ["NetworkingVpc", "CksCluster"]
    kept.pulumi("preview", "--expect-no-changes")

    # Changed as it may be, and not otherwise.
    kept.setting("coreweave.cluster.zone", "US-EAST-08A")
    assert "llmd-pd:cluster.coreweave.cluster.zone: zone of CKS cluster" in kept.pulumi("preview", fails=True)
    kept.setting("coreweave.cluster.zone", CKS["zone"])
    kept.setting("coreweave.cluster.version", "v1.36")
    kept.pulumi("up", "--yes", "--skip-preview")
    assert kept.events()[-1] == "update CksCluster"
    assert "protected" in kept.pulumi("destroy", "--yes", fails=True)

    kept.setting("protect", "false")
    kept.pulumi("up", "--yes", "--skip-preview")
    theirs = {"name": "search", "annotations": {OWNER: "acme/llmd-pd/search"}}
    kept.api.create("/api/v1/namespaces", {"metadata": theirs})
    assert "other stacks serve on it: acme/llmd-pd/search" in kept.pulumi(
        "destroy", "--yes", "--skip-preview", fails=True
    )
    assert kept.records() == ["NetworkingVpc", "CksCluster"]
    kept.api.delete("/api/v1/namespaces/search")
    until(lambda: kept.api.get("/api/v1/namespaces/search") is None)
    kept.pulumi("destroy", "--yes", "--skip-preview")
    # The pretend cluster does not go while a node pool is in it, nor the VPC before the cluster.
    assert kept.records() == []
    assert kept.events()[-2:] == ["delete CksCluster", "delete NetworkingVpc"]
    assert (kept.api.items(API), kept.api.items("/api/v1/nodes")) == ([], [])

    # The same in two steps, as where no context is the cluster's from the start.
    for key in ("context", "kubeconfig"):
        kept.pulumi("config", "rm", "--path", f"llmd-pd:cluster.{key}")
    alone = kept.pulumi("up", "--yes", "--skip-preview")
    assert "+ 5 created" in alone
    assert "name the context that leads to pd-disaggregation as `context`" in alone
    assert kept.api.items(API) == []
    kept.pulumi("preview", "--expect-no-changes")
    kept.setting("context", yaml.safe_load((kept.directory / "kubeconfig").read_text())["current-context"])
    kept.setting("kubeconfig", str(kept.directory / "kubeconfig"))
    grown = kept.pulumi("up", "--yes", "--skip-preview")
    assert "5 unchanged" in grown
    assert len(kept.api.items("/api/v1/nodes")) == 4
    kept.pulumi("preview", "--expect-no-changes")
    kept.pulumi("config", "rm", "--path", "llmd-pd:cluster.context")
    kept.pulumi("config", "rm", "--path", "llmd-pd:cluster.kubeconfig")
    assert "`context` was removed, because this would delete all" in kept.pulumi("preview", fails=True)
    assert finished(start("down"))[0] == 0


def test_nodes_and_their_cluster_of_one_stack_and_pods_of_another(start: Started, root: Path, tmp_path: Path) -> None:
    write(tmp_path, "nodes", OWN, name="shared")
    serving = {**SERVING, "prefill": {"replicas": 4}, "decode": {"replicas": 1}}
    chat = write(tmp_path, "chat", {"provider": "stack", "stack": "nodes"}, serving=serving)
    code, text = finished(start("rehearse", chat))
    assert code == 0
    assert "shared-cluster created" in text
    assert "6 of 6 pods are placed and Ready" in text
    nothing_is_left(root)
