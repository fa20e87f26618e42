"""All that follows from a stack file is derived once per run: in a check, a render and a run of the program."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
import yaml
from pulumi.runtime import config as runtime_config

from commands.cli import run as llmd_pd
from hardware.render.pods import model_server
from stacks import program
from stacks.clouds.coreweave.cloud import CoreWeaveCloud
from stacks.clouds.gke.addresses import address_plan
from stacks.clouds.gke.cloud import GkeCloud
from stacks.clouds.gke.leftovers.google import UnansweredError
from stacks.rules.live import Found
from stacks.serving.workload import machine_of, workload
from tests.gke_plans import GKE
from tests.mocks.recording import record

#: By derivation: the functions of which one is called.
DERIVATIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "plan": (GkeCloud.plan, CoreWeaveCloud.plan),
    "workload": (workload,),
    "machine": (machine_of,),
    "addresses": (address_plan.__wrapped__,),
    "objects": (model_server,),
}
SERVES: dict[str, Any] = {"crds": {"manage": False}}
STACKS: dict[str, dict[str, Any]] = {
    "gke": {
        "cluster": {"provider": "gke", "nodes": 2, "gke": {**GKE, "rdma": "multinet"}},
        "serving": {"accelerator": "nvidia", "fabric": "gke"},
        **SERVES,
    },
    "coreweave": {
        "cluster": {"provider": "coreweave", "machine": "coreweave-h200", "nodes": 2},
        "serving": {"accelerator": "nvidia", "fabric": "coreweave"},
        **SERVES,
    },
    "existing": {"serving": {"accelerator": "nvidia"}, **SERVES},
}
#: Each once: an existing cluster has no plan, and only GKE derives addresses.
EXPECTED = {
    "gke": {"plan": 1, "workload": 1, "machine": 1, "addresses": 1, "objects": 1},
    "coreweave": {"plan": 1, "workload": 1, "machine": 1, "objects": 1},
    "existing": {"workload": 1, "machine": 1, "objects": 1},
}


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Counts the derivations, however their functions are imported."""
    codes: dict[CodeType, str] = {each.__code__: name for name, found in DERIVATIONS.items() for each in found}
    calls: Counter[str] = Counter()

    def call(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in codes:
            calls[codes[frame.f_code]] += 1

    address_plan.cache_clear()
    sys.setprofile(call)
    try:
        yield calls
    finally:
        sys.setprofile(None)


class Google:
    """A Google that does not answer."""

    def __init__(self, project: str) -> None:
        raise UnansweredError(f"{project} is not asked here", "go on")


@pytest.fixture(params=STACKS)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def file(directory: Path, name: str) -> Path:
    path = directory / f"Pulumi.{name}.yaml"
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in STACKS[name].items()}}))
    return path


def test_a_check(name: str, tmp_path: Path) -> None:
    with counted() as calls:
        assert llmd_pd(["check", str(file(tmp_path, name))]) == 0
    assert calls == EXPECTED[name]


def test_a_render(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    path = file(tmp_path, name)
    with counted() as calls:
        assert llmd_pd(["render", str(path), "-o", str(tmp_path / "out")]) == 0
    assert calls == EXPECTED[name]


def test_a_run_of_the_program(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "check_live_cluster", lambda *_: Found())
    monkeypatch.setattr("stacks.clouds.gke.readiness.connection", lambda *_: Google)
    monkeypatch.setattr(CoreWeaveCloud, "watch", lambda *_: None)
    before = dict(runtime_config.CONFIG.get())
    runtime_config.set_all_config({f"llmd-pd:{key}": json.dumps(value) for key, value in STACKS[name].items()})
    try:
        with counted() as calls:
            record(lambda: program.run(tmp_path), preview=True)
    finally:
        runtime_config.set_all_config(before)
    assert calls == EXPECTED[name]
