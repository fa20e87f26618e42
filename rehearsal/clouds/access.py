"""The pretend cloud of a rehearsal: its file, and the fleet as its cluster."""

from pathlib import Path
from urllib.parse import urlsplit

import yaml

from rehearsal.clouds import CLOUD, ENDPOINT, FLEET
from rehearsal.control_plane.plane import ControlPlane

FILE = "cloud.json"


def places(plane: ControlPlane) -> dict[str, str]:
    """Returns the variables for the pretend cloud, with the fleet as its cluster."""
    server = yaml.safe_load(plane.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    return {CLOUD: str(plane.workdir / FILE), FLEET: str(plane.kubeconfig), ENDPOINT: urlsplit(server).netloc}


def forget(workdir: Path) -> None:
    """Removes the cloud of an earlier fleet: its pools would have no nodes."""
    for path in workdir.glob(f"{FILE}*"):
        path.unlink()
