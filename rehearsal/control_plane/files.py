"""Files that other processes read or write at the same time.

Writes a file so that a reader sees all of it or nothing, also if the writer is killed; reads the end of another program's log.
"""

from pathlib import Path


def write_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Replaces `path` in one step, with permissions `mode` if given. Not for two writers of one path at once."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    if mode is not None:
        fresh.chmod(mode)
    fresh.replace(path)


def tail(log: Path, lines: int) -> str:
    """Returns the last lines of a log; an empty text if the file does not exist."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
