"""The stand-in for pulumi-language-python: runs the program's `__main__.py` in this process, by the Python it was started with.

The `virtualenv` of Pulumi.yaml is not looked at: the stand-ins are installed for one Python, the project's. Left out: code
generation, templates, `pulumi install`, and policy packs.
"""
# ruff: noqa: ARG002 - the signatures are the protocol's

import asyncio
import contextlib
import contextvars
import importlib.metadata
import json
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pulumi
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

_THREADS_PER_SLOT = 4  # of the engine's parallelism, as the SDK's own hosts do: an RPC holds a thread


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Serves one engine."""

    def __init__(self, engine: str):
        self._engine = engine

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def About(self, request: Any, context: Any) -> Any:
        version = ".".join(str(part) for part in sys.version_info[:3])
        return language_pb2.AboutResponse(executable=sys.executable, version=version)

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        packages = [plugin_pb2.PackageDependency(**plugin, kind="resource") for plugin in required_plugins(sys.path)]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        found = sorted({(item.name, item.version) for item in importlib.metadata.distributions()})
        dependencies = [language_pb2.DependencyInfo(name=name, version=version) for name, version in found]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    def InstallDependencies(self, request: Any, context: Any) -> Any:
        """Nothing to do: the stand-in's own Python is the program's."""
        yield language_pb2.InstallDependenciesResponse()

    def RunPlugin(self, request: Any, context: Any) -> Any:
        message = f"{request.info.program_directory}: plugins and policy packs in Python need the official pulumi-language-python"
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, message)

    def Cancel(self, request: Any, context: Any) -> Any:
        return Empty()

    def Run(self, request: Any, context: Any) -> Any:
        return contextvars.copy_context().run(self._run, request)

    def _run(self, request: Any) -> Any:
        """Run the program. What goes wrong in it is reported to the engine here; `bail` tells the engine not to say it again."""
        logging.getLogger("asyncio").setLevel(
            logging.CRITICAL
        )  # of a failed program, futures are left that nobody awaits
        reset_options(
            project=request.project,
            monitor_address=request.monitor_address,
            engine_address=self._engine,
            stack=request.stack,
            parallel=request.parallel,
            preview=request.dryRun,
            organization=request.organization or "organization",
            root_directory=request.info.root_directory,
        )
        set_all_config(dict(request.config), list(request.configSecretKeys))
        directory = Path(request.info.program_directory)
        program = directory / request.info.entry_point
        loop = asyncio.new_event_loop()
        loop.set_default_executor(ThreadPoolExecutor(max_workers=max(request.parallel, 1) * _THREADS_PER_SLOT))
        loop.set_exception_handler(_ignore_lost_engine)
        error = None
        try:
            with _as_program(directory, request.args):
                loop.run_until_complete(run_in_stack(lambda: _execute(program)))
        except BaseException as raised:
            error = explanation(raised, directory)
        finally:
            _close(loop)
        if error is None:
            return language_pb2.RunResponse()
        if error:
            pulumi.log.error(error)
        return language_pb2.RunResponse(bail=True)


def required_plugins(search_path: Iterable[str]) -> list[dict[str, Any]]:
    """Name, version and server of the plugin of each installed Pulumi package, as its `pulumi-plugin.json` says."""
    found: dict[str, dict[str, Any]] = {}
    for directory in search_path:
        for description in sorted(Path(directory).glob("*/pulumi-plugin.json")) if directory else ():
            plugin = json.loads(description.read_text(encoding="utf-8"))
            if plugin.get("resource"):
                wanted = {key: plugin[key] for key in ("name", "version", "server") if plugin.get(key)}
                found.setdefault(plugin["name"], wanted)
    return list(found.values())


def explanation(error: BaseException, directory: Path) -> str:
    """What to tell the user of a program that ended with `error`; empty when the engine has said it already."""
    if isinstance(error, pulumi.RunError):
        return str(error)
    if isinstance(error, grpc.RpcError):
        lost = error.code() == grpc.StatusCode.UNAVAILABLE
        return "" if lost else f"the engine refused a request: {error.details()}"
    if isinstance(error, SystemExit):
        text = isinstance(error.code, str)
        return (
            str(error.code) if text else f"Program exited with non-zero exit code: {error.code}" if error.code else ""
        )
    frames = traceback.extract_tb(error.__traceback__)
    own = [index for index, frame in enumerate(frames) if Path(frame.filename).is_relative_to(directory)]
    shown = traceback.TracebackException.from_exception(error)
    shown.stack = traceback.StackSummary.from_list(frames[own[0] :] if own else frames)
    return "Program failed with an unhandled exception:\n" + "".join(shown.format())


def _execute(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


@contextlib.contextmanager
def _as_program(directory: Path, arguments: Iterable[str]) -> Iterator[None]:
    """The program's directory, search path and arguments, as `python __main__.py` would give it."""
    before = os.getcwd(), sys.path[:], sys.argv[:]
    os.chdir(directory)
    sys.path.insert(0, str(directory))
    sys.argv = [str(directory), *arguments]
    try:
        yield
    finally:
        os.chdir(before[0])
        sys.path[:], sys.argv = before[1], before[2]


def _close(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            loop.run_until_complete(task)
    loop.close()
    sys.stdout.flush()
    sys.stderr.flush()


def _ignore_lost_engine(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if isinstance(context.get("exception"), grpc.RpcError):
        loop.stop()
    else:
        loop.default_exception_handler(context)
