"""`images` names what the rendered objects pull, and nothing else: compared with every text under a key `image` in them.

The router's objects are upstream's rendered files where they are at hand, those of the chart where helm and it are, and where
neither is, what the values and the bill say has to be the same.
"""

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hardware.render.images import mirrored
from rehearsal.parts.standins.charts import CHARTS
from releases import RELEASES
from releases.gateways import IMPLEMENTATIONS
from releases.router_2026_06 import VERSION
from stacks import images as pulls
from stacks.blueprint import ServingBlueprint
from tests.blueprints import whole
from tests.parity.charts import official
from tests.parity.helm import helm, template
from tests.parity.reference import load, upstream
from tests.unit.test_rules import COMBINATIONS, spec

MODES: dict[str, dict[str, Any]] = {
    "standalone": {"mode": "standalone"},
    **{key: {"mode": "gateway", "gateway": {"provider": key, "className": "c"}} for key in ("gke", "na")},
    **{key: {"mode": "gateway", "gateway": {"provider": key, "install": True}} for key in IMPLEMENTATIONS},
}
#: Upstream's rendered objects of each release's router, by mode; June's without monitoring, and of its chart's next version.
REFERENCES = {
    ("guide-2026-05", "standalone"): "standalone_monitoring",
    **{("guide-2026-05", mode): f"inferencepool_{mode}_monitoring" for mode in MODES if mode != "standalone"},
    ("guide-2026-06", "standalone"): "standalone_v0.10.0",
    **{("guide-2026-06", mode): f"gateway_{mode}_v0.10.0" for mode in ("gke", "istio")},
    **{("guide-2026-06", mode): "gateway_none_v0.10.0" for mode in ("na", "agentgateway")},
}
CASES = [(release, mode) for release in RELEASES for mode in MODES]


def planned(release: str, mode: str, **serving: Any) -> ServingBlueprint:
    sections: dict[str, Any] = {
        "release": release,
        "router": MODES[mode],
        "monitoring": {"podMonitors": True, "router": True},
    }
    upstream = pulls.without_mirror(spec({"accelerator": "nvidia", **serving}, **sections), Path("/project"))
    assert upstream.serving is not None
    return upstream.serving


def walk(*parts: Any) -> set[str]:
    """Everything that stands under a key `image`, wherever that is: on purpose without a word on pods."""
    return set(re.findall(r'"image": "([^"]+)"', json.dumps(parts)))


@functools.cache
def reference(release: str, mode: str) -> list[dict[str, Any]]:
    directory = upstream(release)
    if directory is None:
        pytest.skip("no reference files at hand; set LLMD_UPSTREAM")
    objects = load(directory / "charts" / f"{REFERENCES[release, mode]}.yaml")
    # A release writes its version into the chart, where the sources have a moving tag.
    changed: list[dict[str, Any]] = json.loads(json.dumps(objects).replace('picker:main"', f'picker:{VERSION}"'))
    return changed


def rendered(release: str, mode: str, directory: Path) -> list[dict[str, Any]]:
    router = planned(release, mode).router
    chart = RELEASES[release].router.charts[MODES[mode]["mode"]]
    # June's is in no Go module; its stand-in names the same images.
    place = official(chart) if chart.source else CHARTS / chart.ref.rpartition("/")[2]
    return template(helm(), place, router.values, release=router.name, namespace=router.namespace, directory=directory)


def assert_names_all(found: list[pulls.Image], of: ServingBlueprint, router: list[dict[str, Any]]) -> None:
    gateway = of.gateway
    everything = [
        of.model_server,
        of.monitoring,
        gateway.objects if gateway else [],
        gateway.routes if gateway else [],
        router,
    ]
    installed = IMPLEMENTATIONS[gateway.stated.provider].releases if gateway and gateway.implementation else ()
    theirs = {known.image for release in installed for known in release.images}
    assert len(found) == len({row.image for row in found}), "each once"
    assert {row.image for row in found} == walk(*everything) | theirs
    assert bool(theirs) == bool(gateway and gateway.stated.install)


def users(found: list[pulls.Image]) -> Mapping[str, tuple[str, ...]]:
    return {row.image: tuple(user.partition("/")[0] for user in row.used_by) for row in found}


def test_every_case_has_a_reference() -> None:
    assert set(REFERENCES) == set(CASES)


@pytest.mark.parametrize(("release", "mode"), CASES)
def test_values_and_bill_name_what_upstreams_objects_pull(release: str, mode: str) -> None:
    of, router = planned(release, mode), reference(release, mode)
    from_bill, from_objects = pulls.images(whole(of), None, None), pulls.images(whole(of), router, None)
    assert_names_all(from_bill, of, router)
    assert users(from_bill) == users(from_objects)


@pytest.mark.parametrize(("release", "mode"), CASES)
def test_values_and_bill_name_what_the_charts_objects_pull(release: str, mode: str, tmp_path: Path) -> None:
    of, router = planned(release, mode), rendered(release, mode, tmp_path)
    from_bill, from_objects = pulls.images(whole(of), None, None), pulls.images(whole(of), router, None)
    assert_names_all(from_bill, of, router)
    assert users(from_bill) == users(from_objects)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("release", "accelerator", "engine", "fabric"), COMBINATIONS)
def test_every_combination(release: str, accelerator: str, engine: str, fabric: str, mode: str) -> None:
    of = planned(release, mode, accelerator=accelerator, engine=engine, fabric=fabric)
    router = [{"image": of.bill.router.endpoint_picker.image}]
    if mode == "standalone":
        router.append({"image": of.bill.router.proxy.image})
    found = pulls.images(whole(of), None, "mirror.example.test/team")
    assert_names_all(found, of, router)
    assert found[0].used_by == ("decode/modelserver", "prefill/modelserver")
    assert found[1].used_by == ("decode/routing-proxy",)
    assert [row.mirrored for row in found] == [mirrored(row.image, "mirror.example.test/team") for row in found]
