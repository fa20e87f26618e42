"""`render`: the same bytes every time, the same objects as the plan, files kubectl can apply, a directory left as found."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import yaml

from commands.cli import run
from commands.render import MARK, OutputError, file_names, write
from commands.render_cluster import CLOUD
from releases import RELEASES
from stacks.blueprint import ServingBlueprint
from stacks.file.load import load
from stacks.rules.facts import serving_blueprint
from tests.blueprints import whole
from tests.parity.overlays import OVERLAYS, Overlay
from tests.shipped import fill
from tests.unit.rendering import INSTALLER, config, objects, rendered, stack_file

ROOT = Path(__file__).parents[2]
STACK_FILES = sorted(ROOT.glob("Pulumi.*.yaml"))


@pytest.fixture(autouse=True)
def _nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No helm, an empty cache."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LLMD_PD_CACHE", raising=False)


def overlay_file(directory: Path, overlay: Overlay) -> Path:
    serving = {"accelerator": overlay.accelerator, "engine": overlay.engine, "fabric": overlay.fabric}
    return stack_file(directory, config(serving, release=overlay.release, monitoring={"podMonitors": True}))


def project_file(directory: Path, path: Path) -> Path:
    settings = yaml.safe_load(fill(path.read_text()))["config"]
    gke = settings["llmd-pd:cluster"].get("gke")
    if gke is not None:
        gke["gpuDriver"] = {"installer": str(INSTALLER)}
    return stack_file(directory, settings, path.name)


CASES = [
    *(pytest.param(project_file, path, id=path.name) for path in STACK_FILES),
    *(pytest.param(overlay_file, overlay, id=overlay.id) for overlay in OVERLAYS),
]


def placed(found: list[dict[str, Any]], namespace: str) -> list[dict[str, Any]]:
    return [{**obj, "metadata": {**obj["metadata"], "namespace": namespace}} for obj in found]


def planned(file: Path) -> ServingBlueprint:
    return serving_blueprint(load(file).spec, file.parent)


@pytest.mark.parametrize(("make", "case"), CASES)
def test_files_hold_what_the_plan_holds(make: Any, case: Any, tmp_path: Path) -> None:
    file = make(tmp_path, case)
    texts, expected = rendered(file, tmp_path / "out"), planned(file)
    namespace = expected.spec.namespace
    brought = whole(expected).cluster.brought_crds
    assert objects(texts["crds.yaml"]) == [crd for crd in expected.crds() if crd["metadata"]["name"] not in brought]
    assert objects(texts["namespace.yaml"]) == [expected.namespace()]
    assert objects(texts["model-server.yaml"]) == placed(expected.model_server, namespace)
    assert objects(texts["router.values.yaml"]) == [expected.router.values]
    assert objects(texts.get("monitoring.yaml", "")) == placed(expected.monitoring, namespace)
    assert ("monitoring.yaml" in texts) == expected.spec.monitoring.pod_monitors
    assert set(texts) <= {*file_names()} - {"router.yaml"}


@pytest.mark.parametrize(("make", "case"), CASES)
def test_files_can_be_applied_and_read(make: Any, case: Any, tmp_path: Path) -> None:
    file = make(tmp_path, case)
    texts = rendered(file, tmp_path / "out")
    seen = set()
    for name, text in texts.items():
        assert text.startswith(f"{MARK} from {file.name}, release {load(file).spec.release}.\n")
        assert str(tmp_path) not in text
        assert not any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text))
        assert text.endswith("\n")
        for obj in objects(text) if name != CLOUD and not name.endswith(".values.yaml") else ():
            assert list(obj)[:3] == ["apiVersion", "kind", "metadata"]
            assert next(iter(obj["metadata"])) == "name"
            identity = (obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"])
            assert identity not in seen
            seen.add(identity)
            cluster_wide = obj["kind"] in ("Namespace", "CustomResourceDefinition", "NodePool")
            assert (identity[1] is None) == cluster_wide


def test_bytes_are_the_same_from_run_to_run(tmp_path: Path) -> None:
    file = stack_file(tmp_path, config({"accelerator": "xpu", "fabric": "rdma"}, monitoring={"podMonitors": True}))
    first = rendered(file, tmp_path / "first")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for seed, directory, path in (("1", tmp_path, Path(file.name)), ("2", elsewhere, file)):
        done = subprocess.run(
            [sys.executable, "-c", "from commands.cli import main; main()", "render", str(path), "-o", f"out-{seed}"],
            cwd=directory,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo", "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        again = {path.name: path.read_text() for path in (directory / f"out-{seed}").iterdir()}
        assert again == first


def test_it_lists_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stack_file(tmp_path, config({"accelerator": "hpu"}))
    rendered(file, tmp_path / "out")
    out = tmp_path / "out"
    assert capsys.readouterr().out.splitlines() == [
        f"{out}/crds.yaml: 4 objects",
        f"{out}/namespace.yaml: 1 object",
        f"{out}/model-server.yaml: 5 objects",
        f"{out}/router.values.yaml: values of the Helm release pd-disaggregation",
        f"{out}/router.yaml: left out, because helm is not on PATH (`llmd-pd setup` gets one)",
    ]


def test_a_bad_stack_file_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stack_file(tmp_path, config({"accelerator": "nvidia", "fabric": "roce"}))
    assert run(["render", str(file), "-o", str(tmp_path / "out")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{file}:")
    assert "(HW-01)" in err
    assert not (tmp_path / "out").exists()


def test_crds_that_cannot_be_had_stop_it_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no network in this test")

    monkeypatch.setattr("releases.files.urlopen", unreachable)
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(yaml.safe_dump({"config": config({"accelerator": "nvidia"})}))
    output = tmp_path / "out"
    assert run(["render", str(file), "-o", str(output)]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no network in this test" in err
    assert "--skip-crds" in err
    assert not output.exists()

    texts = rendered(file, output, "--skip-crds")
    assert "crds.yaml" not in texts
    assert "model-server.yaml" in texts
    assert f"{output}/crds.yaml: left out, because of --skip-crds" in capsys.readouterr().out.splitlines()


def test_crds_of_somebody_else_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stack_file(tmp_path, config({"accelerator": "nvidia"}, crds={"manage": False}))
    assert "crds.yaml" not in rendered(file, tmp_path / "out")
    assert "crds.yaml: left out, because the cluster's owner installs the CRDs" in capsys.readouterr().out


# The directory


def test_what_no_longer_belongs_is_removed_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out"
    (output / "more").mkdir(parents=True)
    foreign = {"kustomization.yaml": "resources: []\n", "router.yaml": "kind: Mine\n", "more/crds.yaml": "x\n"}
    for name, text in foreign.items():
        (output / name).write_text(text)
    serving = {"accelerator": "nvidia"}
    write_first = stack_file(tmp_path, config(serving, monitoring={"podMonitors": True}))
    run(["render", str(write_first), "-o", str(output)])
    assert (output / "monitoring.yaml").exists()
    capsys.readouterr()
    run(["render", str(stack_file(tmp_path, config(serving))), "-o", str(output), "--skip-crds"])
    assert not (output / "monitoring.yaml").exists()
    assert not (output / "crds.yaml").exists()
    assert f"{output}/monitoring.yaml: removed" in capsys.readouterr().out
    assert {name: (output / name).read_text() for name in foreign} == foreign
    ours = {"namespace.yaml", "model-server.yaml", "router.values.yaml"}
    assert {path.name for path in output.iterdir()} == {"kustomization.yaml", "router.yaml", "more", *ours}


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_a_file_of_somebody_else_is_not_replaced(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out"
    output.mkdir()
    theirs = output / "namespace.yaml"
    theirs.write_text("kind: Mine\n") if kind == "file" else theirs.mkdir()
    assert run(["render", str(stack_file(tmp_path, config({"accelerator": "nvidia"}))), "-o", str(output)]) == 1
    assert "is not replaced" in capsys.readouterr().err
    assert [path.name for path in output.iterdir()] == ["namespace.yaml"]
    assert theirs.is_dir() or theirs.read_text() == "kind: Mine\n"


def test_an_output_that_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("x")
    assert run(["render", str(stack_file(tmp_path, config({"accelerator": "nvidia"}))), "-o", f"{tmp_path}/out"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "cannot be written (file exists)" in err


def test_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = {"namespace.yaml": f"{MARK} old\n", "monitoring.yaml": f"{MARK} old\n"}
    write(tmp_path / "out", older)
    real = Path.write_text

    def full(self: Path, text: str, **options: Any) -> int:
        if self.name == "model-server.yaml":
            raise OSError(28, "No space left on device")
        return real(self, text, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="no space left on device"):
        write(tmp_path / "out", {"namespace.yaml": f"{MARK} new\n", "model-server.yaml": f"{MARK} new\n"})
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == older


@pytest.mark.parametrize("name", RELEASES)
def test_every_release_renders(name: str, tmp_path: Path) -> None:
    file = stack_file(tmp_path, config({"accelerator": "nvidia"}, release=name))
    assert f"release {name}." in rendered(file, tmp_path / "out")["namespace.yaml"]
