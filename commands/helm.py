"""Renders a release's chart to the objects that `helm install` would apply, without a cluster.

Helm is the one on PATH, else the one of `llmd-pd setup`. A chart that was fetched before is not fetched again. Fetching and
rendering are two steps, because the network may fail the first, and only the chart the second.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from commands import console, manifests
from rehearsal.errors import UnavailableError
from rehearsal.parts import charts
from rehearsal.parts.packaging import reason
from rehearsal.parts.toolchain import at_hand

if TYPE_CHECKING:
    from releases.charts import HelmRelease


class ChartError(ValueError):
    """The chart does not render; the message names the chart, the reason and the fix."""


class ChartUnreachableError(LookupError):
    """Helm is missing or the chart cannot be fetched; the message says why, without a full stop."""


def template(release: "HelmRelease", key: str = "llmd-pd:router.chart") -> list[dict[str, Any]]:
    """Returns the objects of a release in helm's order, each with its namespace, without the chart's tests and CRDs.

    `key` is the key of the stack file that may name the chart.

    Raises:
        ChartUnreachableError: helm is missing, or the chart's registry does not deliver the chart.
        ChartError: the chart's path does not exist, or the chart does not render with these values.
    """
    helm = _helm()
    with tempfile.TemporaryDirectory(prefix="llmd-pd-") as scratch:
        place = _fetched(helm, release.chart, release.version) if "://" in release.chart else release.chart
        tree = Path(scratch) / "values.yaml"
        tree.write_text(manifests.document(release.values), encoding="utf-8")
        where = ["--namespace", release.namespace]
        command = [helm, "template", release.name, place, *where, "--values", str(tree), "--skip-tests"]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        raise ChartError(
            f"chart {release.chart} does not render, because helm says: {reason(done.stderr)}; check `{key}`."
        )
    objects = [found for found in yaml.safe_load_all(done.stdout) if found]
    return [manifests.placed(found, release.namespace) for found in objects]


def _helm() -> str:
    if on_path := shutil.which("helm"):
        return on_path
    if (of_setup := at_hand("helm")) is None:
        raise ChartUnreachableError("helm is not on PATH (`llmd-pd setup` gets one)")
    return str(of_setup.path)


def _fetched(helm: str, chart: str, version: str | None) -> str:
    if (found := charts.kept(chart, version)) is None:
        try:
            with console.working(f"fetching {chart}"):
                found = charts.pull(chart, version, Path(helm))
        except UnavailableError as error:
            raise ChartUnreachableError(f"{chart} cannot be fetched ({error})") from None
    return str(found.path)
