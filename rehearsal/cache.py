"""The per-user cache: what every clone and every rehearsal of a user shares. Owns where it is, not what is in it."""

import os
import platform
from pathlib import Path

from rehearsal.errors import RehearsalError

# What Python calls a machine -> what Go and every download page call it.
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_SYSTEMS = ("linux", "darwin")


def cache_dir() -> Path:
    """`LLMD_PD_CACHE`, or `llmd-pd` in the XDG cache directory."""
    if own := os.environ.get("LLMD_PD_CACHE"):
        return Path(own).expanduser().resolve()
    shared = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(shared).resolve() / "llmd-pd"


def goos_goarch() -> tuple[str, str]:
    """This machine in Go's words; RehearsalError on one that no tool is published or built for."""
    system, machine = platform.system().lower(), platform.machine().lower()
    if system not in _SYSTEMS or machine not in _ARCHITECTURES:
        raise RehearsalError(
            "a rehearsal cannot run here",
            f"its tools exist for {' and '.join(_SYSTEMS)} on amd64 and arm64, not for {system} on {machine}",
            "use a container or virtual machine of one of those",
        )
    return system, _ARCHITECTURES[machine]
