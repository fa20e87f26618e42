"""A stack that only makes nodes and one that serves on them: rehearsed as a pair, and taken away one after the other."""

import subprocess
from pathlib import Path

import yaml

from stacks.coreweave import API
from stacks.kube_api import Api
from tests.engine.test_rehearse import Started, finished, root, start

__all__ = ["root", "start"]


def write(directory: Path, name: str, **config: object) -> Path:
    path = directory / f"Pulumi.{name}.yaml"
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    return path


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

    def pulumi(*arguments: str) -> str:
        command = '. "$0" && exec pulumi -C "$LLMD_PD_PROJECT" --non-interactive "$@"'
        done = subprocess.run(
            ["sh", "-c", command, str(root / "chat" / "env"), *arguments],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def there() -> tuple[int, int]:
        return len(api.items(API)), len(api.items("/api/v1/nodes"))

    api = Api(str(root / "chat" / "kubeconfig"), None)
    assert there() == (2, 3)
    for stack in ("nodes", "chat"):
        pulumi("preview", "--stack", stack, "--expect-no-changes")
    assert "StackReference" in pulumi("stack", "export", "--stack", "chat")
    pulumi("destroy", "--stack", "chat", "--yes", "--skip-preview")
    assert api.get("/api/v1/namespaces/llm-d-pd-disaggregation") is None
    assert there() == (2, 3), "the nodes are not the serving stack's"
    pulumi("config", "set", "--stack", "nodes", "--path", "llmd-pd:cluster.protect", "false")
    for command in ("up", "destroy"):
        pulumi(command, "--stack", "nodes", "--yes", "--skip-preview")
    assert there() == (0, 0)
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
