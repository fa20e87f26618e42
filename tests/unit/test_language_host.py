"""The stand-in language host without an engine: the environment it takes, the process it starts, and its answers."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from pulumi.runtime.proto import language_pb2

from rehearsal.plugins import language_exec, language_host
from rehearsal.plugins.language_host import EnvironmentRefused, Interpreter, LanguageHost


def environment(directory: Path) -> Path:
    """A directory that looks like a virtual environment."""
    (directory / "bin").mkdir(parents=True)
    (directory / "bin" / "python").symlink_to(sys.executable)
    return directory


@pytest.mark.parametrize(
    ("code", "bail", "error"),
    [
        (0, False, ""),
        (1, False, "program exited with non-zero exit code: 1"),
        (32, True, ""),
        (-2, False, "program exited with non-zero exit code: -1"),
    ],
)
def test_answer_about_a_program_that_ended(code: int, bail: bool, error: str) -> None:
    answer = language_host.response(code)
    assert (answer.bail, answer.error) == (bail, error)


class Call:
    """A call of the engine."""

    def __init__(self) -> None:
        self.ended: list[Callable[[], None]] = []

    def add_callback(self, ended: Callable[[], None]) -> bool:
        self.ended.append(ended)
        return True


PROGRAM = """
import json, os, sys, time
given = [sys.argv[1:], os.getcwd(), os.environ["PULUMI_CONFIG"], os.environ["PULUMI_CONFIG_SECRET_KEYS"], sys.stdin.read()]
print(json.dumps(given), flush=True)
if "wait" in sys.argv:
    time.sleep(60)
"""


def started(directory: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[LanguageHost, Any]:
    """A host whose program is `PROGRAM`, and the engine's request to run it."""
    environment(directory / "env")
    (directory / "exec.py").write_text(PROGRAM)
    monkeypatch.setattr(language_host, "EXEC", directory / "exec.py")
    options = Struct()
    options.update({"virtualenv": "env"})
    info = language_pb2.ProgramInfo(root_directory=str(directory), entry_point=".", options=options)
    request = language_pb2.RunRequest(
        info=info, args=arguments, project="p", stack="s", parallel=3, dryRun=True, config={"p:a": "b"},
        configSecretKeys=["p:a"], monitor_address="monitor", organization="o", pwd=str(directory),
    )  # fmt: skip
    return LanguageHost("engine"), request


def test_the_process_gets_what_the_official_one_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    host, request = started(tmp_path, monkeypatch, "more")
    answer = host.Run(request, Call())
    assert (answer.bail, answer.error) == (False, "")
    arguments, _, config, secrets, stdin = json.loads(capfd.readouterr().out)
    assert arguments == [
        "--monitor", "monitor", "--engine", "engine", "--project", "p", "--root_directory", str(tmp_path), "--stack", "s",
        "--pwd", str(tmp_path), "--dry_run", "true", "--parallel", "3", "--organization", "o", ".", "more",
    ]  # fmt: skip
    assert (json.loads(config), json.loads(secrets), stdin) == ({"p:a": "b"}, ["p:a"], "")


@pytest.mark.parametrize("ends", ["the engine cancels", "the call ends", "the host ends"])
def test_a_program_that_runs_is_interrupted(
    ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    host, request = started(tmp_path, monkeypatch, "wait")
    call = Call()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(host.Run, request, call)
        while not capfd.readouterr().out:
            time.sleep(0.05)
        end = {
            "the engine cancels": lambda: host.Cancel(None, None),
            "the call ends": lambda: call.ended[0](),
            "the host ends": host._end,
        }
        end[ends]()
        answer = running.result(timeout=30)
    assert answer.error == "program exited with non-zero exit code: -1"
    assert "KeyboardInterrupt" in capfd.readouterr().err


def test_the_environment_that_the_project_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    made = environment(tmp_path / "env")
    for option in ("env", str(made)):
        found = Interpreter.of(str(tmp_path), {"virtualenv": option})
        found.validate()
        assert found.path == str(made / "bin" / "python")
        assert found.environment["VIRTUAL_ENV"] == str(made)
        assert found.environment["PATH"].split(os.pathsep)[0] == str(made / "bin")
        assert "PYTHONHOME" not in found.environment
        assert found.ask("import json, sys; print(json.dumps(sys.executable))") == found.path


def test_without_an_environment_it_is_the_python_of_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Interpreter.of("/project", {})
    found.validate()
    assert found.path == "python3"
    assert found.environment == dict(os.environ)
    monkeypatch.setenv("PULUMI_PYTHON_CMD", "python3.14")
    assert found.path == "python3.14"


def test_an_environment_that_is_missing_is_refused_in_the_official_words(tmp_path: Path) -> None:
    wanted = tmp_path / ".venv"
    for words in ("doesn't exist", "doesn't appear to be a virtual environment"):
        with pytest.raises(EnvironmentRefused) as refused:
            Interpreter.of(str(tmp_path), {"virtualenv": ".venv"}).validate()
        said = str(refused.value)
        assert said.startswith(
            f'The \'virtualenv\' option in Pulumi.yaml is set to ".venv", but "{wanted}" {words}; run the'
        )
        assert f"    1. python3 -m venv {wanted}\n" in said
        wanted.mkdir(exist_ok=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"virtualenv": 3}, "virtualenv option must be a string"),
        ({"toolchain": "uv"}, "toolchain uv needs the official pulumi-language-python"),
    ],
)
def test_options_that_it_does_not_know_are_refused(options: Mapping[str, Any], words: str) -> None:
    with pytest.raises(EnvironmentRefused, match=words):
        Interpreter.of("/project", options)


def test_plugins_of_installed_packages_are_found(tmp_path: Path) -> None:
    for name, content in (
        ("pulumi_a", {"resource": True, "name": "a", "version": "1.2.3"}),
        ("pulumi_b", {"resource": False}),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pulumi-plugin.json").write_text(json.dumps(content))
    assert language_host.required_plugins(["", str(tmp_path), str(tmp_path)]) == [{"name": "a", "version": "1.2.3"}]


def test_an_environment_without_the_sdk_is_a_sentence(tmp_path: Path) -> None:
    isolated = [sys.executable, "-I", "-S", str(language_host.EXEC)]
    done = subprocess.run(isolated, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "It looks like the Pulumi SDK has not been installed. Have you run pip install?" in done.stderr


def test_a_traceback_begins_in_the_program(tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    program.write_text("def inner():\n    raise ValueError('why')\ninner()\n")
    with pytest.raises(ValueError, match="why") as raised:
        exec(compile(program.read_text(), program, "exec"))
    said = language_exec.traceback_of(raised.value, str(tmp_path))
    assert said.splitlines()[1] == f'  File "{program}", line 3, in <module>'
    assert said.endswith("ValueError: why\n")
    assert __file__ not in said
    assert __file__ in language_exec.traceback_of(raised.value, "/another")
