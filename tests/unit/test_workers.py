"""How tests are split among processes (tests/conftest.py)."""

import pytest


def test_the_tests_of_one_module_stay_in_one_process(request: pytest.FixtureRequest) -> None:
    """Fails if pytest-xdist does not take over the groups: every process would then start every control plane."""
    if not hasattr(request.config, "workerinput"):
        pytest.skip("one process only")
    assert request.node.nodeid.endswith("@test_workers")
