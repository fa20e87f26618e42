"""The HTTPRoute of our own is the chart's under another name, and says in addition where the Gateway is (docs/adr/0016)."""

from pathlib import Path
from typing import Any

import pytest

from rehearsal.parts.standins import charts as standins
from releases import RELEASES
from stacks.blueprint import ServingBlueprint
from stacks.rules.facts import serving_blueprint
from tests.blueprints import read
from tests.parity.charts import official
from tests.parity.helm import helm, template

NAME, NAMESPACE = "pd-disaggregation", "llm-d-pd-disaggregation"
MAY = "guide-2026-05"
#: GKE's gateways know no timeout in a route, so the chart leaves it out there.
STATED: list[dict[str, Any]] = [
    {"provider": "istio"},
    {"provider": "istio", "baseModel": "gpt-oss-120b", "requestTimeout": "600s"},
    {"provider": "agentgateway", "name": "mine"},
    {"provider": "gke", "baseModel": "gpt-oss-120b"},
]


def planned(release: str, gateway: dict[str, Any]) -> ServingBlueprint:
    router = {"mode": "gateway", "gateway": gateway}
    found, spec = read({"serving": {"accelerator": "nvidia"}, "release": release, "router": router})
    assert found == []
    assert spec is not None
    return serving_blueprint(spec, Path("/"))


def elsewhere(stated: dict[str, Any]) -> dict[str, Any]:
    return {**stated, "manage": False, "namespace": "shared"}


def routes(of: ServingBlueprint) -> list[dict[str, Any]]:
    assert of.gateway is not None
    return of.gateway.routes


def charts_routes(of: ServingBlueprint, directory: Path) -> list[dict[str, Any]]:
    """From the official chart, or from the stand-in that equals it where no Go module holds its sources."""
    chart = of.bill.router.charts["gateway"]
    place = official(chart) if chart.source else standins.CHARTS / chart.ref.rpartition("/")[2]
    made = template(helm(), place, of.router.values, release=NAME, namespace=NAMESPACE, directory=directory)
    return [obj for obj in made if obj["kind"] == "HTTPRoute"]


@pytest.mark.parametrize("stated", STATED, ids=str)
def test_it_differs_from_mays_chart_by_name_and_the_namespace_of_the_gateway(
    stated: dict[str, Any], tmp_path: Path
) -> None:
    beside = planned(MAY, stated)
    assert routes(beside) == []
    (charts,) = charts_routes(beside, tmp_path)
    (ours,) = routes(planned(MAY, elsewhere(stated)))
    assert ours["spec"]["parentRefs"][0].pop("namespace") == "shared"
    assert charts["metadata"] == {"name": NAME, "namespace": NAMESPACE}
    assert ours["metadata"] == {"name": f"{NAME}-shared"}
    assert charts["spec"] == ours["spec"]


def test_and_the_chart_makes_none_then(tmp_path: Path) -> None:
    assert charts_routes(planned(MAY, elsewhere({"provider": "istio"})), tmp_path) == []


@pytest.mark.parametrize("name", [name for name in RELEASES if name != MAY])
def test_later_charts_name_it_themselves(name: str, tmp_path: Path) -> None:
    later = planned(name, elsewhere({"provider": "istio", "baseModel": "m"}))
    assert routes(later) == []
    (route,) = charts_routes(later, tmp_path)
    assert [parent["namespace"] for parent in route["spec"]["parentRefs"]] == ["shared"]
    assert route["metadata"]["name"] == NAME, "the guard takes the route of this name for the stack's own"
