"""Hugging Face's token as a Pulumi secret: in the cluster's Secret, and in clear nowhere else."""

import base64
from collections.abc import Callable
from pathlib import Path

from tests.engine.harness import Stack

SMALL = {"accelerator": "nvidia", "prefill": {"replicas": 1, "devices": 1}, "decode": {"replicas": 1, "devices": 4}}


def in_clear(token: str) -> set[str]:
    """How the token would look where somebody put it as it is, or as Kubernetes does."""
    return {token, base64.b64encode(token.encode()).decode()}


def test_the_token_is_nowhere_in_clear(stack: Callable[..., Stack], tmp_path: Path) -> None:
    guide = stack("token", serving=SMALL, cluster={"nodes": 2})
    guide.nodes()
    guide.token = "hf_FirstTokenOfTheTest"
    runs = [guide.up()]
    assert guide.preview("--expect-no-changes").code == 0
    path = f"/api/v1/namespaces/{guide.config['namespace']}/secrets/llm-d-hf-token"
    kept = guide.api.get(path)
    assert kept is not None
    assert base64.b64decode(kept["data"]["HF_TOKEN"]).decode() == guide.token

    # A new one is an update of the Secret, not another Secret.
    first, guide.token = guide.token, "hf_SecondTokenOfTheTest"
    runs += [guide.preview("--diff"), guide.up()]
    changed = guide.api.get(path)
    assert changed is not None
    assert changed["metadata"]["uid"] == kept["metadata"]["uid"]
    assert base64.b64decode(changed["data"]["HF_TOKEN"]).decode() == guide.token
    assert [run.code for run in runs] == [0, 0, 0]

    said = "".join(run.text for run in (*runs, guide.run("stack", "export"), guide.run("stack", "output")))
    written = "".join(file.read_text(errors="replace") for file in tmp_path.rglob("*") if file.is_file())
    assert "llm-d-hf-token" in said
    assert "llm-d-hf-token" in written
    for token in (first, guide.token):
        for form in in_clear(token):
            assert form not in said
            assert form not in written
