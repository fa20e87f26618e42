"""How a run is split among processes: engine tests first, those of one control plane together, then the fast tests."""

from pathlib import Path

import pytest

ENGINE = Path(__file__).parent / "engine"
#: Modules whose tests on one control plane take minutes: a worker that came to them last would work on alone.
LONGEST = ("test_gateway", "test_failures", "test_coreweave")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist's own, which reads the groups there and nowhere later
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks engine tests, names what a worker has to run as a whole, and sorts by what takes long."""
    for item in items:
        engine = ENGINE in item.path.parents
        if engine:
            item.add_marker(pytest.mark.engine)
        if not engine or _has_its_own_plane(item):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=_turn)


def _has_its_own_plane(item: pytest.Item) -> bool:
    """Whether its module starts a control plane, which each worker would do again. The one of the session every worker has."""
    module = getattr(item, "module", None)
    return any(name in vars(module) for name in ("plane", "server") if name in getattr(item, "fixturenames", ()))


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("engine") is None:
        return len(LONGEST) + 2
    if not _has_its_own_plane(item):
        return len(LONGEST) + 1
    return LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST)
