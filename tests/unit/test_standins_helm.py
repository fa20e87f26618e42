"""helm as the stand-in for the Kubernetes plugin runs it: what it is told arrives, however busy the machine is."""

import json
import threading
from pathlib import Path

import pytest

from rehearsal.plugins.kube.helm import Helm, HelmError

VALUES = {"key": "x" * 200_000}  # more than a pipe holds


class _Once(threading.Event):
    """Set as soon as a file exists: helm then stands where the interrupt is to find it."""

    def __init__(self, path: Path):
        super().__init__()
        self._path = path

    def is_set(self) -> bool:
        return self._path.exists()


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Helm:
    """Runs a `helm` that says what it was given on standard input; it is interrupted when `waiting` exists."""
    _program(tmp_path, "sleep 0.3; cat")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return Helm(tmp_path / "kubeconfig", _Once(tmp_path / "waiting"))


def _program(folder: Path, script: str) -> None:
    (folder / "helm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "helm").chmod(0o755)


@pytest.mark.parametrize("command", ["install", "status"])
def test_values_arrive_however_late_helm_reads_them(helm: Helm, command: str) -> None:
    assert json.loads(helm.run(command, values=VALUES)) == VALUES


def test_a_command_without_values_has_nothing_to_read(helm: Helm) -> None:
    assert helm.run("install") == ""


def test_an_interrupt_reaches_helm_and_its_words_come_back(helm: Helm, tmp_path: Path) -> None:
    said = "echo Error: INSTALLATION FAILED: interrupted >&2; exit 1"
    _program(tmp_path, f"trap '{said}' INT; touch {tmp_path}/waiting; while :; do sleep 0.05; done")

    with pytest.raises(HelmError, match=r"^interrupted$"):
        helm.run("install", values={"a": 1})
