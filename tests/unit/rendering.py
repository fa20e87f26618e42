"""Helpers for tests of rendered files: stack files that need no network, and the files `render` makes of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from commands.cli import run
from tests.crd_files import write as write_crds

#: A file that can stand for the driver's installer of a GKE cluster.
INSTALLER = Path(__file__).parents[2] / "rehearsal" / "parts" / "standins" / "gke" / "nvidia-driver-installer.yaml"


def config(serving: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    return {"llmd-pd:serving": serving, **{f"llmd-pd:{key}": value for key, value in sections.items()}}


def stack_file(directory: Path, settings: Mapping[str, Any], name: str = "Pulumi.test.yaml") -> Path:
    """A stack file with CRDs beside it, so that no network is needed."""
    crds = write_crds(directory / "crds")
    path = directory / name
    path.write_text(yaml.safe_dump({"config": {"llmd-pd:crds": {"directory": crds.name}, **settings}}))
    return path


def rendered(file: Path, output: Path, *options: str) -> dict[str, str]:
    assert run(["render", str(file), "-o", str(output), *options]) == 0
    return {path.name: path.read_text() for path in output.iterdir()}


def objects(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]
