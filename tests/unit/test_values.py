"""Value trees merge as Helm merges them, and a stack's router serves the stack's own pods."""

from copy import deepcopy
from typing import Any

import pytest

from hardware.bill import Bill
from releases import DEFAULT, RELEASES, release
from releases.values import merge, router_values

BILL = release(DEFAULT)


def test_maps_merge_and_everything_else_replaces() -> None:
    below = {"a": {"x": 1, "y": [1, 2]}, "b": {"deep": {"p": 1}}, "c": "kept"}
    above = {"a": {"y": [3]}, "b": {"deep": "now text"}, "d": {"new": True}}
    assert merge(below, above) == {"a": {"x": 1, "y": [3]}, "b": {"deep": "now text"}, "c": "kept", "d": {"new": True}}


def test_a_null_stays_because_it_is_what_deletes_the_charts_default() -> None:
    assert merge({"a": {"x": 1, "y": 2}}, {"a": {"x": None}}) == {"a": {"x": None, "y": 2}}


def test_a_map_over_a_null_is_that_map() -> None:
    assert merge({"a": None}, {"a": {"x": 1}}) == {"a": {"x": 1}}


def test_the_last_tree_wins_and_none_is_changed_or_shared() -> None:
    trees: list[dict[str, Any]] = [{"a": {"list": [{"k": 1}]}}, {"a": {"x": 2}}, {"a": {"x": 3}}]
    before = deepcopy(trees)
    merged = merge(*trees)
    assert merged["a"]["x"] == 3
    merged["a"]["list"][0]["k"] = "changed"
    merged["a"]["new"] = True
    assert trees == before


def test_nothing_merges_to_nothing() -> None:
    assert merge() == {}


@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
def test_the_router_selects_the_stacks_own_pods(bill: Bill) -> None:
    selected = router_values(bill, name="blue")
    for key in bill.router.settings["matchLabels"]:
        selected = selected[key]
    assert selected == {bill.guide_label: "blue"}


def test_monitoring_adds_its_tree_and_nothing_else() -> None:
    plain, monitored = (
        router_values(BILL, name="n"),
        router_values(BILL, name="n", features=[BILL.router.monitoring["*"]]),
    )
    assert monitored["inferenceExtension"].pop("monitoring") == {
        "interval": "10s",
        "prometheus": {"enabled": True, "auth": {"enabled": False}},
    }
    assert monitored == plain


def test_overrides_win_over_everything_and_leave_the_bill_as_it_was() -> None:
    overrides = {
        "inferenceExtension": {"replicas": 3, "resources": {"limits": None}, "monitoring": {"interval": "5s"}},
        "provider": {"name": "gke"},
    }
    values = router_values(BILL, name="n", features=[BILL.router.monitoring["*"]], overrides=overrides)
    extension = values["inferenceExtension"]
    assert extension["replicas"] == 3
    assert extension["resources"] == {"requests": {"cpu": "4", "memory": "8Gi"}, "limits": None}
    assert extension["monitoring"] == {"interval": "5s", "prometheus": {"enabled": True, "auth": {"enabled": False}}}
    assert values["provider"] == {"name": "gke"}
    assert router_values(BILL, name="n")["inferenceExtension"]["replicas"] == 1
