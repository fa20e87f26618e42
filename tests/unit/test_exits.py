"""The end of the program's process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.plugins import language_exec, language_host
from stacks.exits import SHOWN, missing_package

ROOT = Path(__file__).parents[2]
INTERRUPTED = """
import asyncio, atexit, os, signal
from concurrent.futures import ThreadPoolExecutor
from stacks.exits import end_quietly_on_interrupt

end_quietly_on_interrupt()
atexit.register(lambda: print("temporary files are gone"))
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))  # a second one, meanwhile
loop = asyncio.new_event_loop()
loop.set_default_executor(ThreadPoolExecutor())
loop.call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
# A request that the engine will not answer any more.
loop.run_until_complete(loop.run_in_executor(None, __import__("time").sleep, 60))
"""


def test_an_interrupted_program_says_nothing() -> None:
    command = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (SHOWN, "temporary files are gone\n", "")


def test_the_handler_stands_before_the_imports_that_take_time() -> None:
    """Ctrl-C comes while the program still reads its modules, too."""
    lines = (ROOT / "__main__.py").read_text().splitlines()
    assert lines.index("end_quietly_on_interrupt()") < next(
        i for i, line in enumerate(lines) if "stacks.program" in line
    )
    loaded = "import sys, stacks.exits; print(sorted({'pulumi', 'kubernetes', 'yaml'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_package_that_is_missing_is_a_sentence(tmp_path: Path) -> None:
    """By the whole program, in an environment that hides the package."""
    hide = f"import sys\nsys.modules['pulumi_kubernetes'] = None\nsys.path.insert(0, {str(ROOT)!r})\n"
    start = f"import runpy; runpy.run_path({str(ROOT / '__main__.py')!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", hide + start], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == SHOWN
    assert done.stderr.startswith(
        f"error: the Python package `pulumi_kubernetes` is not installed in {sys.prefix}, because"
    )
    assert done.stderr.count("\n") == 1
    assert "run `make setup`" in done.stderr


@pytest.mark.parametrize("module", ["stacks.gone", "releases", "components.cluster.gone"])
def test_a_module_of_the_program_that_is_missing_is_a_bug(module: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=module):
        missing_package(ModuleNotFoundError(f"No module named '{module}'", name=module))


def test_program_and_host_mean_the_same_exit_code() -> None:
    assert SHOWN == language_host.SHOWN == language_exec.SHOWN == 32
