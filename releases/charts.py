"""How helm is told of a chart: an OCI reference, a package and a path are whole, a repository's chart goes by its name."""


def in_repository(chart: str) -> tuple[str, str | None]:
    """A chart and the repository to look it up in: `https://host/charts/base` is `base` of `https://host/charts`."""
    if not chart.startswith(("https://", "http://")) or chart.endswith(".tgz"):
        return chart, None
    repository, _, name = chart.rpartition("/")
    return name, repository


def helm_arguments(chart: str, version: str | None) -> list[str]:
    """What helm's commands take for a chart at a version; None is the newest, or what a path holds."""
    name, repository = in_repository(chart)
    return [name, *(["--repo", repository] if repository else []), *(["--version", version] if version else [])]
