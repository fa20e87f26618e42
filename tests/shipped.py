"""The stack files of the repository, with what they leave to a team filled in."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.name for path in ROOT.glob("Pulumi.*.yaml"))
#: Of whose driver nothing need be said.
VERSION = "1.36.1-gke.1215000"
VALUES = {"<your-project>": "acme-serving", "<look-it-up>": VERSION, "<your-reservation>": "h200"}


def fill(text: str) -> str:
    """A stack file's text without placeholders."""
    for placeholder, value in VALUES.items():
        text = text.replace(placeholder, value)
    return text


def filled(directory: Path, name: str) -> Path:
    """A file of the repository without placeholders, written there."""
    path = directory / name
    path.write_text(fill((ROOT / name).read_text()))
    return path
