"""Fixtures of the tests that look at a cluster."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import mocks

from stacks.blueprint import ServingBlueprint
from stacks.program import check_live_cluster
from stacks.rules.facts import Facts
from stacks.rules.live import Found
from tests.blueprints import asking_all, spec_from_config
from tests.google_rest import GoogleServer
from tests.unit.api_server import OWNER, ApiServer, Look, kubeconfig


def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment would be asked for the loopback address."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    without_proxy(monkeypatch)
    server = ApiServer()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def google() -> Iterator[GoogleServer]:
    """A loopback server that answers as Google does."""
    server = GoogleServer()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Looks ahead for a stack in namespace team-a, on the server of that address, in an `up` or a preview."""
    without_proxy(monkeypatch)

    def look(
        url: str, *, preview: bool = False, context: str = "prod", cluster: Any = None, **config: Any
    ) -> tuple[ServingBlueprint, Found]:
        path = kubeconfig(tmp_path / "kubeconfig", url)
        spec = spec_from_config(
            {
                "namespace": "team-a",
                "serving": {"accelerator": "nvidia"},
                "cluster": {"kubeconfig": str(path), "context": context, **(cluster or {})},
                "crds": {"manage": False},
                **config,
            }
        )
        mocks.set_mocks(_NoMocks(), preview=preview, logger=logging.getLogger("engine"))
        facts = Facts(spec, base=tmp_path, planned=True)
        return facts.served, check_live_cluster(asking_all(facts), facts, OWNER)

    return look


class _NoMocks(mocks.Mocks):
    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(f"call of {args.token}")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(f"registration of {args.name}")
