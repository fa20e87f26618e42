"""Writing a file so that a reader sees all of it or nothing, and whoever is killed in between leaves no torn one."""

from pathlib import Path


def write_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Replaces `path` in one step, with permissions `mode` if given. Not for two writers of one path at once."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    if mode is not None:
        fresh.chmod(mode)
    fresh.replace(path)
