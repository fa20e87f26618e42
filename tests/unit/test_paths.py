"""PATH-01: paths on this machine that a stack file names exist, wherever it names one."""

from pathlib import Path
from typing import Any

import pytest

from stacks.file.load import judged
from stacks.findings import Problem, StackFileError
from tests.gke_plans import CLUSTER, DRANET, GKE

NVIDIA = {"accelerator": "nvidia"}


def problems(base: Path | None, **config: Any) -> list[Problem]:
    try:
        judged({"serving": NVIDIA, **config}, base)
    except StackFileError as error:
        return [*error.problems]
    return []


def driver(**own: Any) -> dict[str, Any]:
    return {"serving": DRANET, "cluster": {**CLUSTER, "gke": {**GKE, "gpuDriver": own}}}


@pytest.mark.parametrize(
    ("config", "path", "what"),
    [
        ({"crds": {"directory": "./nowhere"}}, "crds.directory", "`./nowhere` does not exist"),
        ({"crds": {"directory": "there.tgz"}}, "crds.directory", "`there.tgz` is not a directory"),
        ({"router": {"chart": {"source": "../chart"}}}, "router.chart.source", "`../chart` does not exist"),
        (driver(installer="none.yaml"), "cluster.gke.gpuDriver.installer", "`none.yaml` does not exist"),
        (driver(installer="."), "cluster.gke.gpuDriver.installer", "`.` is not a file"),
        (driver(chart={"source": "dra"}), "cluster.gke.gpuDriver.chart.source", "`dra` does not exist"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_path_that_does_not_exist(config: dict[str, Any], path: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "there.tgz").touch()
    (found,) = problems(tmp_path, **config)
    assert (found.rule, found.path, found.what) == ("PATH-01", f"llmd-pd:{path}", what)
    assert "starts at the directory of the stack file" in found.fix


def test_a_name_like_it_is_proposed(tmp_path: Path) -> None:
    (tmp_path / "crds").mkdir()
    (found,) = problems(tmp_path, crds={"directory": "./cdrs/"})
    assert found.fix == "did you mean `./crds`?"
    assert problems(tmp_path, crds={"directory": "./crds"}) == []


@pytest.mark.parametrize("source", ["there.tgz", ".", "oci://mirror.example/chart", "https://mirror.example/chart.tgz"])
def test_what_exists_or_is_an_address(source: str, tmp_path: Path) -> None:
    (tmp_path / "there.tgz").touch()
    assert problems(tmp_path, router={"chart": {"source": source}}) == []


def test_without_the_files_directory_relative_paths_are_not_asked_about() -> None:
    assert problems(None, crds={"directory": "nowhere"}) == []
    (found,) = problems(None, crds={"directory": "/nowhere/crds"})
    assert (found.rule, found.fix) == ("PATH-01", "check the path")
