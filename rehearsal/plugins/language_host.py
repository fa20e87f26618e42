"""The stand-in for pulumi-language-python: runs the program in a process of its own, by the environment that Pulumi.yaml names.

Its answers and messages are those of pulumi-language-python 3.260 (1b59498); `language_exec` is the process. Left out: creating a
missing environment (the official host creates it and runs pip; this one refuses with the official sentence), tools other than
pip, type checkers, debuggers, code generation, templates, `pulumi install`, plugins and policy packs in Python.
"""
# ruff: noqa: ARG002 - the signatures are the protocol's

import atexit
import contextlib
import importlib.metadata
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

EXEC = Path(__file__).with_name("language_exec.py")
SHOWN = 32  # the program's exit code for an error that its user has seen
KILL_SECONDS = 5.0  # from SIGINT to SIGKILL: `cmd.WaitDelay` of the official host


_VERSION = "import json, sys; print(json.dumps([sys.executable, sys.version.split()[0]]))"
_SEARCH_PATH = "import json, sys; print(json.dumps(sys.path))"
_PACKAGES = """
import json, importlib.metadata
print(json.dumps(sorted({(item.name, item.version) for item in importlib.metadata.distributions()})))
"""


class EnvironmentRefused(Exception):
    """The project's virtual environment cannot be used; the message is the official host's."""


@dataclass(frozen=True)
class Interpreter:
    """The Python of a project: that of its virtual environment, or the first on PATH if Pulumi.yaml names no environment."""

    option: str = ""
    virtualenv: Path | None = None

    @classmethod
    def of(cls, root: str, options: Mapping[str, Any]) -> "Interpreter":
        """Reads the `runtime.options` of Pulumi.yaml; a relative environment is in the project's directory.

        Raises:
            EnvironmentRefused: an option is none of pip's.
        """
        option = options.get("virtualenv", "")
        if not isinstance(option, str):
            raise EnvironmentRefused("virtualenv option must be a string")
        if (tool := options.get("toolchain", "pip")) != "pip":
            raise EnvironmentRefused(
                f"toolchain {tool} needs the official pulumi-language-python; the stand-in knows pip"
            )
        return cls(option, Path(root) / option if option else None)

    @property
    def path(self) -> str:
        """Returns the command of the interpreter."""
        if self.virtualenv is None:
            return os.environ.get("PULUMI_PYTHON_CMD") or "python3"
        return str(self.virtualenv / "bin" / "python")

    @property
    def environment(self) -> dict[str, str]:
        """Returns the variables of an activated environment."""
        found = dict(os.environ)
        if self.virtualenv is not None:
            found.pop("PYTHONHOME", None)
            found["PATH"] = os.pathsep.join([str(self.virtualenv / "bin"), *filter(None, [found.get("PATH")])])
            found["VIRTUAL_ENV"] = str(self.virtualenv)
        return found

    def validate(self) -> None:
        """Raises EnvironmentRefused if the environment is missing or invalid."""
        if self.virtualenv is None or Path(self.path).is_file():
            return
        wrong = "doesn't appear to be a virtual environment" if self.virtualenv.exists() else "doesn't exist"
        raise EnvironmentRefused(
            f"The 'virtualenv' option in Pulumi.yaml is set to {_quoted(self.option)}, but {_quoted(self.virtualenv)} {wrong}; "
            "run the following commands to create the virtual environment and install dependencies into it:\n\n"
            f"    1. python3 -m venv {self.virtualenv}\n"
            f"    2. {self.path} -m pip install --upgrade pip setuptools wheel\n"
            f"    3. {self.path} -m pip install -r requirements.txt\n\n\n"
            "For more information see: https://www.pulumi.com/docs/intro/languages/python/#virtual-environments"
        )

    def ask(self, program: str) -> Any:
        """Runs a short program and returns the JSON that it prints.

        Raises:
            EnvironmentRefused: the Python cannot be run.
        """
        command = [self.path, "-c", program]
        try:
            done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            why = getattr(error, "stderr", None) or str(error)
            raise EnvironmentRefused(f"calling `{self.path}`: {why.strip()}") from error
        return json.loads(done.stdout)


class Running:
    """A program's process. It inherits both output streams, which the engine reads line by line."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str]):
        self._process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL)
        self._interrupted = threading.Lock()

    def wait(self) -> int:
        """Waits for it and returns its exit code."""
        return self._process.wait()

    def interrupt(self) -> None:
        """Interrupts the program, once, and kills it if it does not end."""
        if self._process.poll() is None and self._interrupted.acquire(blocking=False):
            self._process.send_signal(signal.SIGINT)
            timer = threading.Timer(KILL_SECONDS, self._process.kill)
            timer.daemon = True
            timer.start()


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The language runtime of one engine."""

    def __init__(self, engine: str):
        self._engine = engine
        self._running: set[Running] = set()
        atexit.register(self._end)

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def About(self, request: Any, context: Any) -> Any:
        with _refusing(context):
            executable, version = _interpreter(request.info).ask(_VERSION)
            return language_pb2.AboutResponse(executable=executable, version=version)

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        with _refusing(context):
            search_path = _interpreter(request.info).ask(_SEARCH_PATH)
            found = [
                plugin_pb2.PackageDependency(**plugin, kind="resource") for plugin in required_plugins(search_path)
            ]
            return language_pb2.GetRequiredPackagesResponse(packages=found)

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        with _refusing(context):
            found = _interpreter(request.info).ask(_PACKAGES)
            dependencies = [language_pb2.DependencyInfo(name=name, version=version) for name, version in found]
            return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    def InstallDependencies(self, request: Any, context: Any) -> Any:
        """Does nothing: the project's own `make setup` created the environment."""
        yield language_pb2.InstallDependenciesResponse()

    def RunPlugin(self, request: Any, context: Any) -> Any:
        message = f"{request.info.program_directory}: plugins and policy packs in Python need the official pulumi-language-python"
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, message)

    def Cancel(self, request: Any, context: Any) -> Any:
        for program in tuple(self._running):
            program.interrupt()
        return Empty()

    def Run(self, request: Any, context: Any) -> Any:
        with _refusing(context):
            interpreter = _interpreter(request.info)
            variables = {
                "PULUMI_CONFIG": json.dumps(dict(request.config)),
                "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            }
            # `-P`: the script's directory contains modules of this package.
            command = [interpreter.path, "-P", str(EXEC), *self._arguments(request)]
            program = Running(command, interpreter.environment | variables)
        self._running.add(program)
        # At the end of the call: a program that still runs then was abandoned by the engine.
        if not context.add_callback(program.interrupt):
            program.interrupt()
        try:
            return response(program.wait())
        finally:
            self._running.discard(program)

    def _arguments(self, request: Any) -> list[str]:
        flags = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "root_directory": request.info.root_directory,
            "stack": request.stack,
            "pwd": request.pwd,
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
            "organization": request.organization,
        }
        given = [part for key, value in flags.items() if value for part in (f"--{key}", value)]
        return [*given, request.info.entry_point, *request.args]

    def _end(self) -> None:
        """Ends the program together with this process."""
        running = tuple(self._running)
        for program in running:
            program.interrupt()
        for program in running:
            program.wait()


def response(code: int) -> Any:
    """Returns the answer about a program that ended with this exit code; a negative one is a signal."""
    if code in (0, SHOWN):
        return language_pb2.RunResponse(bail=code == SHOWN)
    return language_pb2.RunResponse(error=f"program exited with non-zero exit code: {max(code, -1)}")


def required_plugins(search_path: Iterable[str]) -> list[dict[str, Any]]:
    """Returns name, version and server of the plugin of each installed Pulumi package, from its `pulumi-plugin.json`."""
    found: dict[str, dict[str, Any]] = {}
    for directory in search_path:
        for description in sorted(Path(directory).glob("*/pulumi-plugin.json")) if directory else ():
            plugin = json.loads(description.read_text(encoding="utf-8"))
            if plugin.get("resource"):
                wanted = {key: plugin[key] for key in ("name", "version", "server") if plugin.get(key)}
                found.setdefault(plugin["name"], wanted)
    return list(found.values())


def _interpreter(info: Any) -> Interpreter:
    """Returns the environment of the program in the engine's request.

    Raises:
        EnvironmentRefused: it has no usable environment.
    """
    found = Interpreter.of(info.root_directory, MessageToDict(info.options))
    found.validate()
    return found


@contextlib.contextmanager
def _refusing(context: Any) -> Iterator[None]:
    """Answers the engine's call with the sentence of a refused environment."""
    try:
        yield
    except EnvironmentRefused as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def _quoted(value: object) -> str:
    return json.dumps(str(value))
