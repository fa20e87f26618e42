"""One control plane for all engine tests; each test has a stack, a name and a namespace of its own."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.control_plane import processes
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.parts.toolchain import Toolchain, ensure
from rehearsal.report import PlainReport
from tests.engine.harness import Stack, control_plane
from tests.engine.standins_fixtures import standins

NVIDIA = {"accelerator": "nvidia", "prefill": {"replicas": 8, "devices": 1}, "decode": {"replicas": 2, "devices": 4}}


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    return ensure(PlainReport())


@pytest.fixture(scope="session")
def plane(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane("engine-tests", tmp_path_factory.mktemp("plane"), toolchain) as started:
        yield started


@pytest.fixture(scope="session")
def standins_plane(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The one of all tests of the stand-ins: its node has no devices, and its engine no official plugin."""
    with standins(tmp_path_factory.mktemp("standins"), toolchain) as environment:
        yield environment


@pytest.fixture
def stack(
    plane: ControlPlane, toolchain: Toolchain, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Stack]]:
    """Makes stacks on the shared control plane: `stack(name, serving={…}, …)`; all are cleared at the end.

    Those of a test marked `newest_provider` run on the newest Kubernetes provider, or on the stand-in for it.
    """
    made: list[Stack] = []
    newest = request.node.get_closest_marker("newest_provider") is not None

    def make(name: str, **config: Any) -> Stack:
        names = {"name": name, "namespace": f"ns-{name}"}
        created = Stack(name, tmp_path / name, plane, toolchain, {"serving": NVIDIA} | names | config, newest=newest)
        made.append(created)
        return created

    yield make
    for one in reversed(made):
        processes.end(one.workdir)  # official plugins outlive a CLI that was killed
        one.clear()
