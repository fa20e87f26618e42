"""The router's values equal upstream's files as Helm merges them; and our merge is Helm's."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from releases import release
from releases.values import merge, router_values
from tests.parity.helm import helm, template
from tests.parity.reference import assert_upstreams, load

BILL = release("guide-2026-05")
BASE, GUIDE, MONITORING = (
    "router_base.values.yaml",
    "router_pd-disaggregation.values.yaml",
    "router_feature_monitoring.values.yaml",
)


@pytest.mark.parametrize(
    ("monitoring", "files", "expected"),
    [
        (False, (BASE, GUIDE), "1da203140984e3df778159ea3e6927699dc2e2577cc2a5788a003b031d5d9a4b"),
        (True, (BASE, GUIDE, MONITORING), "68896f363ff02ad62f21b57567595dbdef76100f4fcc42c53aa4babbd6a1ccc8"),
    ],
    ids=["plain", "monitoring"],
)
def test_values_equal_upstream(monitoring: bool, files: tuple[str, ...], expected: str) -> None:
    ours = router_values(BILL, name="pd-disaggregation", monitoring=monitoring)
    assert_upstreams(ours, expected, lambda d: merge(*(tree for file in files for tree in load(d / file))))


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
    values = router_values(BILL, name="pd-disaggregation", monitoring=True)
    assert yaml.safe_load(yaml.safe_dump(values, sort_keys=False)) == values
