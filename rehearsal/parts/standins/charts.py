"""Stand-in router charts, each packaged as the `.tgz` a chart registry would serve.

One stands for each official chart that no registry reachable from everywhere has, and lies here under that chart's name. It reads
the same values and makes the same objects, so what is rehearsed is the stack's own part. Whoever uses one must say so.
"""

from pathlib import Path

from rehearsal.errors import UnavailableError
from rehearsal.parts import packaging

CHARTS = Path(__file__).parent / "charts"


def package(name: str, destination: Path, helm: Path) -> Path:
    """Packages the stand-in for the chart called `name` into `destination` (made if absent) with the `helm` binary.

    An older package is replaced.

    Raises:
        UnavailableError: there is none, or helm cannot package it.
    """
    if not (CHARTS / name / "Chart.yaml").is_file():
        raise UnavailableError(f"there is no stand-in for chart {name}")
    destination.mkdir(parents=True, exist_ok=True)
    return packaging.package(helm, CHARTS / name, destination)
