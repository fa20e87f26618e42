"""A Helm release as data, and how a chart is named: for helm's command line, in a mirror, as a path."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class HelmRelease:
    """A Helm release. `chart` is a reference or a path; `version` None takes the version that the path holds."""

    name: str
    namespace: str
    chart: str
    version: str | None
    values: dict[str, Any]


def mirrored_chart(ref: str, charts: str | None) -> str:
    """A chart's reference below `charts`, the mirror's place for charts, under the same name; None: `ref` itself."""
    return f"{charts.rstrip('/')}/{ref.rpartition('/')[2]}" if charts else ref


def place(source: str, base: Path) -> str:
    """A URL unchanged, a path made absolute from `base`."""
    return source if "://" in source else str((base / Path(source).expanduser()).resolve())


def in_repository(chart: str) -> tuple[str, str | None]:
    """Splits a chart's reference into the chart's name and its repository, None where the reference is whole.

    `https://host/charts/base` is `base` of `https://host/charts`; an OCI reference, a package (`.tgz`) and a path are whole.
    """
    if not chart.startswith(("https://", "http://")) or chart.endswith(".tgz"):
        return chart, None
    repository, _, name = chart.rpartition("/")
    return name, repository


def helm_arguments(chart: str, version: str | None) -> list[str]:
    """Returns helm's arguments for a chart at a version. None: the newest, or the version that a path holds."""
    name, repository = in_repository(chart)
    return [name, *(["--repo", repository] if repository else []), *(["--version", version] if version else [])]
