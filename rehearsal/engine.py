"""The Pulumi CLI, run in a rehearsal's project on a file backend, as a user would run it: its output goes to the terminal."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from rehearsal.errors import RehearsalError
from rehearsal.project import Project

#: Variables by which the CLI recognises a coding agent; it would then try to create a cloud account.
AGENT_VARIABLES = (
    "AI_AGENT", "ANTIGRAVITY_AGENT", "AUGMENT_AGENT", "CLAUDECODE", "CLAUDE_CODE", "CLAUDE_CODE_IS_COWORK", "CODEX_CI",
    "CODEX_SANDBOX", "CODEX_THREAD_ID", "COPILOT_ALLOW_ALL", "COPILOT_GITHUB_TOKEN", "COPILOT_MODEL", "CURSOR_AGENT",
    "CURSOR_TRACE_ID", "GEMINI_CLI", "GOOSE_PROVIDER", "OPENCODE", "OPENCODE_CALLER", "OPENCODE_CLIENT", "REPL_ID",
)  # fmt: skip
PASSPHRASE = "rehearsal"  # a rehearsal has no secret, but the CLI needs a passphrase
#: Seconds an interrupted CLI may take to write its state; it takes about one.
INTERRUPT_SECONDS = 30


def variables(workdir: Path) -> dict[str, str]:
    """Returns the variables for the CLI and for a user's shell: state, plugins and settings of this rehearsal only."""
    (workdir / "state").mkdir(parents=True, exist_ok=True)
    return {
        "PULUMI_HOME": str(workdir / "pulumi"),
        "PULUMI_BACKEND_URL": f"file://{workdir / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def environment(*layers: Mapping[str, str]) -> dict[str, str]:
    """Returns this process's environment without variables that would mislead the CLI, overridden by `layers`."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if key not in AGENT_VARIABLES and not key.startswith(("PULUMI_", "KUBECONFIG"))
    }
    for layer in layers:
        inherited |= layer
    return inherited


@dataclass(frozen=True)
class Engine:
    """The CLI for one project's stack."""

    project: Project
    env: Mapping[str, str]

    def select(self) -> None:
        """Creates the stack, or selects the existing one.

        Raises:
            RehearsalError: the CLI fails; its output is the details.
        """
        self._quiet("stack", "select", "--create", self.project.stack)

    def seal(self, path: str, value: str) -> None:
        """Writes a value into the stack file as a secret, encrypted for this rehearsal.

        Raises:
            RehearsalError: the CLI fails; its output is the details.
        """
        self._quiet("config", "set", "--secret", "--path", path, value)

    def unprotect(self) -> None:
        """Removes the protection of all resources of the stack.

        Raises:
            RehearsalError: the CLI fails; its output is the details.
        """
        self._quiet("state", "unprotect", "--all", "--yes")

    def up(self) -> "Popen[bytes]":
        """Starts `pulumi up`, with the output of this process.

        In a session of its own: this process passes Ctrl-C on exactly once, because a second one would end the CLI at once.
        """
        # Its live display would read the keyboard, and Ctrl-C with it.
        quiet = ("--non-interactive", "--suppress-progress", "--suppress-permalink=true")
        sys.stdout.flush()
        return Popen(
            self._command(["up", "--yes", "--skip-preview", *quiet]),
            env=dict(self.env),
            cwd=self.project.directory,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def outputs(self) -> str:
        """Returns the stack's outputs as JSON."""
        return self._quiet("stack", "output", "--json")

    def _quiet(self, *arguments: str) -> str:
        command = self._command(arguments)
        done = subprocess.run(
            command, env=dict(self.env), cwd=self.project.directory, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RehearsalError(
                what=f"`pulumi {' '.join(arguments)}` failed",
                why=f"the CLI ended with exit code {done.returncode}",
                fix="its output is below",
                details=(done.stderr or done.stdout).strip(),
            )
        return done.stdout

    def _command(self, arguments: Sequence[str]) -> list[str]:
        pulumi = shutil.which("pulumi", path=self.env["PATH"]) or "pulumi"
        selected = [] if arguments[0] == "stack" and arguments[1] == "select" else ["--stack", self.project.stack]
        return [pulumi, *arguments, *selected]


def finish(process: "Popen[bytes]") -> int:
    """Waits for the CLI; if interrupted, interrupts it and waits first."""
    try:
        return process.wait()
    except BaseException:
        interrupt(process)
        raise


def interrupt(process: "Popen[bytes]") -> None:
    """Interrupts a running CLI, which then writes its state and ends; kills it after `INTERRUPT_SECONDS` or a second Ctrl-C."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=INTERRUPT_SECONDS)
    except BaseException as error:
        process.kill()
        process.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
