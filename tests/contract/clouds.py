"""The stack files by which every cloud is put through the same suite, and the registry with the tests' own cloud in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rehearsal.clouds.registry import REHEARSALS
from stacks.blueprint import Blueprint
from stacks.clouds.registry import CLOUDS
from stacks.rules.facts import blueprint
from tests.blueprints import spec_from_config
from tests.contract.harbor.cloud import HARBOR
from tests.contract.harbor.pretend import HarborRehearsal
from tests.gke_plans import GKE

#: By cloud: the `cluster` section of a stack that makes all it can, and what serves on such nodes.
EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "gke": (
        {"provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 2, "gke": GKE},
        {"accelerator": "nvidia", "fabric": "gke-rdma"},
    ),
    "coreweave": (
        {
            "provider": "coreweave",
            "machine": "coreweave-h200",
            "nodes": 2,
            "context": "cw",
            "coreweave": {"cluster": {"zone": "US-EAST-02A", "version": "v1.35"}},
        },
        {"accelerator": "nvidia", "fabric": "coreweave"},
    ),
    "harbor": (
        {"provider": "harbor", "machine": "nvidia-generic", "nodes": 2, "harbor": {"region": "north"}},
        {"accelerator": "nvidia"},
    ),
}


@contextmanager
def with_harbor() -> Iterator[None]:
    """The registries of clouds and of their rehearsals with Harbor in them."""
    CLOUDS[HARBOR.key] = HARBOR
    REHEARSALS[HARBOR.key] = HarborRehearsal()
    try:
        yield
    finally:
        del CLOUDS[HARBOR.key], REHEARSALS[HARBOR.key]


def config(key: str, *, serves: bool = True, **cluster: Any) -> dict[str, Any]:
    """The sections of a cloud's example, with these keys of `cluster`."""
    stated, serving = EXAMPLES[key]
    sections: dict[str, Any] = {"cluster": {**stated, **cluster}}
    return {**sections, "serving": serving, "crds": {"manage": False}} if serves else sections


def made(key: str, **more: Any) -> Blueprint:
    """The blueprint of a cloud's example."""
    return blueprint(spec_from_config(config(key, **more)))
