"""The lists of what each release's endpoint picker knows hold what the guides themselves use, and nothing twice."""

import pytest

from hardware.bill import Router
from releases.picker_plugins import CONFIG_KEYS_0_8, CONFIG_KEYS_0_9, IN_MEMORY, PLUGINS_0_8, PLUGINS_0_9
from releases.router_2026_05 import ROUTER as MAY
from releases.router_2026_06 import ROUTER as JUNE


@pytest.mark.parametrize(
    ("router", "plugins", "keys"),
    [(MAY, PLUGINS_0_8, CONFIG_KEYS_0_8), (JUNE, PLUGINS_0_9, CONFIG_KEYS_0_9)],
    ids=["guide-2026-05", "guide-2026-06"],
)
def test_a_guides_own_configuration_is_known(router: Router, plugins: frozenset[str], keys: frozenset[str]) -> None:
    config = router.plugin_config
    assert set(config) <= keys
    assert {row["type"] for row in config["plugins"]} <= plugins
    assert (router.plugins, router.plugin_keys) == (plugins, keys)


def test_what_is_kept_in_memory_is_a_plugin() -> None:
    assert IN_MEMORY <= PLUGINS_0_8 | PLUGINS_0_9


def test_what_only_one_release_knows() -> None:
    assert {"predicted-latency-scorer", "model-server-protocol-models"} == PLUGINS_0_8 - PLUGINS_0_9
    assert {"token-producer", "precise-prefix-cache-producer", "session-id-producer"} < PLUGINS_0_9 - PLUGINS_0_8
    assert {"requestHandler"} == CONFIG_KEYS_0_9 - CONFIG_KEYS_0_8
