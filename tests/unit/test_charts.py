"""A chart of a repository goes by its name, wherever helm is told of it; an OCI reference, a package and a path are whole."""

from pathlib import Path

import pytest

from rehearsal.parts import charts
from releases.charts import helm_arguments, in_repository
from tests.unit.rendering import config, rendered, stack_file

PLACE = "https://charts.example.test/llmd"


@pytest.mark.parametrize(
    ("chart", "name", "repository"),
    [
        (f"{PLACE}/standalone", "standalone", PLACE),
        ("http://charts.example.test/base", "base", "http://charts.example.test"),
        ("oci://registry.example.test/charts/standalone", "oci://registry.example.test/charts/standalone", None),
        (f"{PLACE}/standalone-v1.5.0.tgz", f"{PLACE}/standalone-v1.5.0.tgz", None),
        ("/charts/standalone", "/charts/standalone", None),
        ("/charts/https/standalone.tgz", "/charts/https/standalone.tgz", None),
    ],
)
def test_a_chart_and_its_repository(chart: str, name: str, repository: str | None) -> None:
    assert in_repository(chart) == (name, repository)
    expected = [name, *(["--repo", repository] if repository else [])]
    assert helm_arguments(chart, None) == expected
    assert helm_arguments(chart, "v1") == [*expected, "--version", "v1"]


def test_a_render_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path / "cache"))
    file = stack_file(tmp_path, config({"accelerator": "nvidia"}, mirror={"charts": PLACE}))
    said = f"# helm upgrade --install pd-disaggregation standalone --repo {PLACE} --version v1.5.0 --skip-crds "
    assert said in rendered(file, tmp_path / "out")["router.values.yaml"]


def test_it_is_pulled_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path / "cache"))
    helm = tmp_path / "helm"
    helm.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/call\n: > "$8/standalone-v1.5.0.tgz"\n')
    helm.chmod(0o755)
    charts.pull(f"{PLACE}/standalone", "v1.5.0", helm)
    assert (tmp_path / "call").read_text().startswith(f"pull standalone --repo {PLACE} --version v1.5.0 --destination ")
