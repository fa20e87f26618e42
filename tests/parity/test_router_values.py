"""The router's values equal upstream's files as Helm merges them; and our merge is Helm's."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from hardware.bill import Bill
from releases import RELEASES, release
from releases.values import merge, router_values
from tests.parity.helm import helm, template
from tests.parity.reference import assert_upstreams, load

BILL = release("guide-2026-05")
BASE, GUIDE = "router_base.values.yaml", "router_pd-disaggregation.values.yaml"


DIRECTORY = {"guide-2026-05": ".", "guide-2026-06": "../upstream-2026-06"}
#: Upstream's trees on top of base and guide for each feature, and the digest of the result.
MERGES: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {
    ("guide-2026-05", "plain"): ((BASE, GUIDE), "1da203140984e3df778159ea3e6927699dc2e2577cc2a5788a003b031d5d9a4b"),
    ("guide-2026-05", "monitoring"): (
        (BASE, GUIDE, "router_feature_monitoring.values.yaml"),
        "68896f363ff02ad62f21b57567595dbdef76100f4fcc42c53aa4babbd6a1ccc8",
    ),
    ("guide-2026-05", "tracing"): (
        (BASE, GUIDE, "router_feature_tracing.values.yaml"),
        "150a7c10addb8ea4be4621e3d0384c1c3a1f1182dbc2e59630fbc7c190f2bef1",
    ),
    ("guide-2026-05", "httpRoute"): (
        (BASE, "router_feature_httproute-flags.yaml", GUIDE),
        "9ef95d08ba51f0344e846f360e93686fe1f62a545177000004fb492f96e2c0e4",
    ),
    ("guide-2026-06", "plain"): ((BASE, GUIDE), "35b34e350d44e451c3ac948c30965ab1b1e023fe167df9815327f11cb3056b8d"),
    ("guide-2026-06", "monitoring"): (
        (BASE, GUIDE, "monitoring.values.yaml"),
        "8e06b8d42dd48338a41221f4a612ba059f2c00f078cdf57a0b9096a2165f3165",
    ),
    ("guide-2026-06", "tracing"): (
        (BASE, GUIDE, "tracing.values.yaml"),
        "004b5641f7a771d762563fe77864c2f0df2689b366854c4bc8d99b9181a8d179",
    ),
    ("guide-2026-06", "httpRoute"): (
        (BASE, "httproute-flags.yaml", GUIDE),
        "29249f12b99bf81132d6c9797ebe180441cd9ccd4d50f74aeff3fe37cfef2804",
    ),
}


def features(bill: Bill, name: str) -> list[Any]:
    """The trees of one thing asked for."""
    known = {"plain": [], "monitoring": [bill.router.monitoring["*"]]}
    return known[name] if name in known else [bill.router.features[name]]


@pytest.mark.parametrize(("release_name", "feature"), MERGES)
def test_values_equal_upstream(release_name: str, feature: str) -> None:
    bill = RELEASES[release_name]
    files, expected = MERGES[release_name, feature]
    ours = router_values(bill, name="pd-disaggregation", features=features(bill, feature))
    place = DIRECTORY[release_name]
    assert_upstreams(ours, expected, lambda d: merge(*(tree for file in files for tree in load(d / place / file))))


ECHO = {
    "Chart.yaml": "apiVersion: v2\nname: echo\nversion: 0.0.1\n",
    "values.yaml": "chart: {default: 1, other: 2}\nmap: {default: true}\n",
    "templates/echo.yaml": "kind: Echo\nvalues: {{ .Values | toJson }}\n",
}


@pytest.mark.parametrize(
    "trees",
    [
        ({"a": {"x": 1, "y": [1, 2]}}, {"a": {"y": [3], "z": {}}}),
        ({"a": {"x": 1}}, {"a": "text"}, {"a": {"y": 2}}),
        ({"chart": {"default": 5}}, {"chart": {"default": None}}),
        ({"chart": {"default": 5}}, {"chart": None}),
        ({"map": None}, {"map": {"own": 1}}),
        ({"a": {"x": {"deep": 1}}}, {"a": {"x": {}}}),
    ],
    ids=["lists", "types", "null-leaf", "null-map", "map-over-null", "empty-map"],
)
def test_merge_is_helms(trees: tuple[dict[str, Any], ...], tmp_path: Path) -> None:
    binary = helm()
    for file, text in ECHO.items():
        path = tmp_path / "echo" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def rendered(*passed: dict[str, Any]) -> list[dict[str, Any]]:
        return template(binary, tmp_path / "echo", *passed, release="r", namespace="n", directory=tmp_path)

    assert rendered(merge(*trees)) == rendered(*trees)


def test_values_survive_yaml() -> None:
    values = router_values(BILL, name="pd-disaggregation", features=features(BILL, "monitoring"))
    assert yaml.safe_load(yaml.safe_dump(values, sort_keys=False)) == values
