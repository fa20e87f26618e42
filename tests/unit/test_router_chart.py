"""`router.yaml`: what helm makes of the pinned chart, and what happens where helm or the chart cannot be had."""

import os
import stat
from pathlib import Path

import pytest

from commands import manifests
from commands.cli import run
from rehearsal.parts import builds
from releases import release
from stacks.file.load import load
from stacks.rules.facts import serving_blueprint
from tests.parity.charts import official
from tests.parity.helm import helm, template
from tests.unit.rendering import config, objects, rendered, stack_file

NAMESPACE = "llm-d-pd-disaggregation"
PINNED = release("guide-2026-05").router.charts["standalone"]


@pytest.fixture
def real_helm() -> Path:
    """Asked for before `path`, which hides it."""
    return helm()


@pytest.fixture
def real_chart() -> Path:
    """Asked for before `path`, which hides it."""
    return official(PINNED)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH, empty; and nothing is kept from before."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "bin"


def fake_helm(directory: Path, script: str) -> None:
    path = directory / "helm"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


CHART = """apiVersion: v1
kind: ServiceAccount
metadata: {name: epp}
---
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: wide}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: elsewhere, namespace: other}
"""


def test_the_router_is_what_helm_makes_of_the_pinned_chart(tmp_path: Path, path: Path) -> None:
    (tmp_path / "chart-output").write_text(CHART)
    fake_helm(
        path,
        f"""echo "$@" >> {tmp_path}/calls
case $1 in
pull) : > "$6/standalone-v1.5.0.tgz" ;;
template) /bin/cat {tmp_path}/chart-output ;;
esac""",
    )
    file = stack_file(tmp_path, config({"accelerator": "nvidia"}))
    text = rendered(file, tmp_path / "out")["router.yaml"]
    identities = [(obj["kind"], obj["metadata"].get("namespace")) for obj in objects(text)]
    assert identities == [("ServiceAccount", NAMESPACE), ("ClusterRole", None), ("ConfigMap", "other")]
    pull, made = (tmp_path / "calls").read_text().splitlines()
    assert pull.startswith(f"pull {PINNED.ref} --version {PINNED.version} --destination ")
    assert made.startswith("template pd-disaggregation /")
    assert f"standalone-v1.5.0.tgz --namespace {NAMESPACE} --values " in made
    assert rendered(file, tmp_path / "again")["router.yaml"] == text
    assert [call.split()[0] for call in (tmp_path / "calls").read_text().splitlines()] == [
        "pull",
        "template",
        "template",
    ]


def test_without_a_helm_on_path_the_one_of_the_set_up_is_used(
    tmp_path: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(path.iterdir()) == []
    (tmp_path / "chart").mkdir()
    file = stack_file(tmp_path, config({"accelerator": "nvidia"}, router={"chart": {"source": "./chart"}}))
    assert "router.yaml" not in rendered(file, tmp_path / "out")
    assert "left out, because helm is not on PATH (`llmd-pd setup` gets one)" in capsys.readouterr().out
    cached = builds.directory("kubernetes")
    cached.mkdir(parents=True)
    fake_helm(cached, f"/bin/cat {tmp_path}/chart-output")
    (tmp_path / "chart-output").write_text(CHART)
    assert len(objects(rendered(file, tmp_path / "out")["router.yaml"])) == 3


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            "echo 'WARNING: x' >&2; echo 'Error: no route to host' >&2; exit 1",
            "cannot be fetched (`helm pull` says: no route to host)",
        ),
        ("exit 0", "left no chart"),
        ("while :; do :; done", "did not end within 0.2 s"),
    ],
    ids=["refused", "nothing came", "hangs"],
)
def test_a_chart_that_cannot_be_fetched_is_no_error(
    script: str,
    why: str,
    tmp_path: Path,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("rehearsal.parts.charts.PULL_SECONDS", 0.2)
    fake_helm(path, script)
    texts = rendered(stack_file(tmp_path, config({"accelerator": "nvidia"})), tmp_path / "out")
    assert "router.yaml" not in texts
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "router.yaml: left out" in line]
    assert why in line


def test_a_chart_that_does_not_render_is_an_error(
    tmp_path: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_helm(path, "echo 'Error: nil pointer evaluating x' >&2; exit 1")
    (tmp_path / "chart").mkdir()
    file = stack_file(tmp_path, config({"accelerator": "nvidia"}, router={"chart": {"source": "./chart"}}))
    assert run(["render", str(file), "-o", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "nil pointer evaluating x" in err
    assert not (tmp_path / "out").exists()


def test_the_router_with_the_real_helm(
    real_helm: Path, real_chart: Path, path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path / "helm").symlink_to(real_helm.resolve())
    source = os.path.relpath(real_chart, tmp_path)
    file = stack_file(tmp_path, config({"accelerator": "nvidia"}, router={"chart": {"source": source}}))
    text = rendered(file, tmp_path / "out")["router.yaml"]
    expected = template(
        real_helm,
        real_chart,
        serving_blueprint(load(file).spec, file.parent).router.values,
        release="pd-disaggregation",
        namespace=NAMESPACE,
        directory=tmp_path,
    )
    assert objects(text) == [manifests.placed(obj, NAMESPACE) for obj in expected]
    assert {obj["kind"] for obj in objects(text)} >= {"Deployment", "Service", "InferencePool"}
    assert f"router.yaml: {len(expected)} objects" in capsys.readouterr().out
    assert rendered(file, tmp_path / "again")["router.yaml"] == text
