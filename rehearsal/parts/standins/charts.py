"""Stand-in router charts, each packaged as the `.tgz` a chart registry would serve.

One for each official chart that no publicly reachable registry has, under that chart's name. It reads the same values and makes
the same objects, so that the stack's own part is rehearsed. A caller must report that it uses one.
"""

from pathlib import Path

from rehearsal.errors import UnavailableError
from rehearsal.parts import packaging

CHARTS = Path(__file__).parent / "charts"


def package(name: str, destination: Path, helm: Path) -> Path:
    """Packages the stand-in for the chart called `name` into `destination` with the `helm` binary.

    The directory is created if needed, and an older package replaced.

    Raises:
        UnavailableError: there is no stand-in for it, or helm cannot package it.
    """
    if not (CHARTS / name / "Chart.yaml").is_file():
        raise UnavailableError(f"there is no stand-in for chart {name}")
    destination.mkdir(parents=True, exist_ok=True)
    return packaging.package(helm, CHARTS / name, destination)
