"""The `helm` binary as a function: one command, its output or its error, interrupted by Ctrl-C.

Owns the process and its environment; `release` uses it for Pulumi resources.
"""

import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_POLL = 0.05  # seconds
#: Commands that can wait for long, and so can be interrupted. Reads after an interrupt have to be finished.
_LONG = ("install", "upgrade", "uninstall", "show")
_GRACE = 10.0  # seconds helm has to mark an interrupted release as failed


class HelmError(Exception):
    """helm failed; the end of its output without prefixes."""

    @property
    def not_found(self) -> bool:
        return "release: not found" in str(self)


class Helm:
    """Runs helm against one kubeconfig. `cancelled` interrupts the command that is running."""

    def __init__(self, kubeconfig: Path, cancelled: threading.Event):
        self._kubeconfig = kubeconfig
        self._cancelled = cancelled
        # helm keeps API discovery on disk for hours: a kind deleted and created again would be unknown to it for minutes.
        self._cache = tempfile.TemporaryDirectory(prefix="llmd-pd-helm-")

    def run(self, *arguments: str, values: Mapping[str, Any] | None = None) -> str:
        """Runs a command and returns its output. `values` become a values file. Raises HelmError."""
        binary = shutil.which("helm")
        if binary is None:
            raise HelmError(
                "the program `helm` is not on PATH: put helm 3 there, the stand-in for the kubernetes plugin needs it"
            )
        command = [binary, *arguments, "--kubeconfig", str(self._kubeconfig)]
        if values is not None:
            command += ["--values", "-"]
        # A file and no pipe: `communicate` that is asked again after a timeout writes no more of its input, and helm would
        # wait for the rest for ever.
        with tempfile.TemporaryFile("w+") as told:
            if values is not None:
                json.dump(values, told)
                told.seek(0)
            process = subprocess.Popen(
                command,
                stdin=told,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "KUBECACHEDIR": self._cache.name},
            )
        ended = _ends_with_us(process)
        try:
            output, errors = self._long(process) if arguments[0] in _LONG else process.communicate()
        finally:
            atexit.unregister(ended)
        if process.returncode:
            raise HelmError(_last_words(errors))
        return output

    def json(self, *arguments: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.run(*arguments, "--output", "json"))
        return content

    def _long(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        while True:
            try:
                return process.communicate(timeout=_POLL)
            except subprocess.TimeoutExpired:
                pass
            if self._cancelled.is_set():
                process.send_signal(signal.SIGINT)
                try:
                    return process.communicate(timeout=_GRACE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    return process.communicate()


def _ends_with_us(process: subprocess.Popen[str]) -> Any:
    """Interrupts helm when this process exits, so that it does not go on installing."""

    def end() -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)

    atexit.register(end)
    return end


def _last_words(errors: str) -> str:
    lines = [line for line in errors.splitlines() if line.strip() and not line.startswith("WARNING")]
    start = next((index for index, line in enumerate(lines) if line.startswith("Error: ")), 0)
    text = "\n".join(lines[start:]) or "helm failed without a message"
    for prefix in ("Error: ", "INSTALLATION FAILED: ", "UPGRADE FAILED: "):
        text = text.removeprefix(prefix)
    return text
