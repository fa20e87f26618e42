"""Fixtures of the suites that run once for each cloud."""

from collections.abc import Iterator

import pytest

from tests.contract.clouds import EXAMPLES, with_harbor
from tests.unit.conftest import server

__all__ = ["server"]


@pytest.fixture(params=EXAMPLES)
def key(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def harbor_registered() -> Iterator[None]:
    """The third cloud is in the registry."""
    with with_harbor():
        yield
