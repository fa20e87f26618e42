"""Facts about the machine and its software, without which a measurement cannot be compared with another."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from rehearsal.parts.toolchain import VERSIONS

PACKAGES = ("pulumi", "pulumi-kubernetes", "kubernetes", "pydantic", "grpcio")


def facts() -> dict[str, Any]:
    """Cores, processor, memory (GiB), system, versions."""
    return {
        "cores": cores(),
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "memoryGiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "tools": dict(VERSIONS),
    }


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _first(file: str, key: str) -> str:
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
