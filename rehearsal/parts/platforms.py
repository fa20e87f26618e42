"""The platforms a rehearsal can run on, in the words of those who publish its tools."""

import platform

from rehearsal.errors import RehearsalError

# What Python calls a machine -> what Go and every download page call it.
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_SYSTEMS = ("linux", "darwin")


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
