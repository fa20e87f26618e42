"""Files that others read or write meanwhile.

Writing one so that a reader sees all of it or nothing, and whoever is killed in between leaves no torn one; and the end of
another program's log.
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
    """The last lines of a log; nothing where there is none."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
