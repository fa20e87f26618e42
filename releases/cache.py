"""The per-user cache: shared by every clone, stack and rehearsal of a user. Owns its place, not its contents."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """Returns `LLMD_PD_CACHE`, or `llmd-pd` in the user's cache directory (`XDG_CACHE_HOME`, else ~/.cache, on Linux)."""
    if own := os.environ.get("LLMD_PD_CACHE"):
        return Path(own).expanduser().resolve()
    import platformdirs

    return platformdirs.user_cache_path("llmd-pd", appauthor=False).resolve()
