"""The stack files by which every cloud is put through the same suite, and the registry with the tests' own cloud in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stacks.clouds.registry import CLOUDS
from tests.contract.harbor.cloud import HARBOR
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
    """The registry with Harbor in it."""
    CLOUDS[HARBOR.key] = HARBOR
    try:
        yield
    finally:
        del CLOUDS[HARBOR.key]
