"""The per-user cache: what every clone, stack and rehearsal of a user shares. Owns where it is, not what is in it."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """`LLMD_PD_CACHE`, or `llmd-pd` in the XDG cache directory."""
    if own := os.environ.get("LLMD_PD_CACHE"):
        return Path(own).expanduser().resolve()
    shared = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(shared).resolve() / "llmd-pd"
