"""The platforms that a rehearsal can run on, in Go's names, which the publishers of its tools use too."""

import platform

from rehearsal.errors import RehearsalError

# Python's name of a machine -> Go's.
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_SYSTEMS = ("linux", "darwin")


def goos_goarch() -> tuple[str, str]:
    """Returns GOOS and GOARCH of this machine; raises RehearsalError if the tools do not exist for it."""
    system, machine = platform.system().lower(), platform.machine().lower()
    if system not in _SYSTEMS or machine not in _ARCHITECTURES:
        raise RehearsalError(
            "a rehearsal cannot run here",
            f"its tools exist for {' and '.join(_SYSTEMS)} on amd64 and arm64, not for {system} on {machine}",
            "use a container or virtual machine of one of those",
        )
    return system, _ARCHITECTURES[machine]
