"""The process of a Pulumi program in Python, as the stand-in language host starts it, by the Python of the project's environment.

A script, run by its path: that environment need not know this package. Its messages and exit codes are those of
`pulumi-language-python-exec` (pulumi 3.260, 1b59498), which is not available here. Left out: debuggers, and SDKs older than this
project's.
"""

import argparse
import asyncio
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

try:
    import pulumi
    import pulumi.runtime
except ImportError:
    print(traceback.format_exc(), file=sys.stderr)
    print(
        "\nIt looks like the Pulumi SDK has not been installed. Have you run pip install?\n"
        "If you are running in a virtualenv, you must run pip install -r requirements.txt from inside the virtualenv.",
        file=sys.stderr,
    )
    sys.exit(1)

#: Exit code with which the language host shows nothing more.
SHOWN = 32
_THREADS_PER_SLOT = 4  # of the engine's parallelism: an RPC holds a thread


def main(arguments: list[str]) -> int:
    """Runs the program and returns the exit code. A program that exits by itself, or is interrupted, is not caught."""
    asked = _parser().parse_args(arguments)
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=asked.project,
            stack=asked.stack,
            monitor=asked.monitor,
            engine=asked.engine,
            parallel=asked.parallel,
            dry_run=asked.dry_run == "true",
            organization=asked.organization,
            root_directory=asked.root_directory,
        )
    )
    sys.argv = [asked.program, *asked.arguments]
    if asked.pwd:
        os.chdir(asked.pwd)
    program = os.path.abspath(asked.program)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(asked.parallel, 1) * _THREADS_PER_SLOT)
    loop.set_default_executor(executor)
    # A failed program leaves futures that are not awaited.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(_runner(asked.program, program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception as error:
        pulumi.log.error("Program failed with an unhandled exception:\n" + traceback_of(error, program))
        return SHOWN
    finally:
        executor.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def traceback_of(error: BaseException, program: str) -> str:
    """Returns the traceback from the program's `__main__.py` on, or all of it if that is not in it."""
    frames = [_module(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    start = _module(program)
    limit = frames.index(start) - len(frames) if start in frames else None
    return "".join(traceback.format_exception(error, limit=limit))


def _module(path: str) -> str:
    return os.path.abspath(path if os.path.splitext(path)[1] else os.path.join(path, "__main__.py"))


def _runner(given: str, program: str) -> Callable[[], None]:
    def run() -> None:
        if os.path.isdir(program) and not os.path.exists(_module(program)):
            pulumi.log.error(f"unable to find main python program `__main__.py` in `{program}`")
            sys.exit(SHOWN)
        runpy.run_path(given, run_name="__main__")

    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="runs a Pulumi program")
    for name in (
        "project",
        "root_directory",
        "stack",
        "dry_run",
        "pwd",
        "monitor",
        "engine",
        "tracing",
        "organization",
    ):
        parser.add_argument(f"--{name}")
    parser.add_argument("--parallel", type=int, required=True)
    parser.add_argument("program")
    parser.add_argument("arguments", nargs="*")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
