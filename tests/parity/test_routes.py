"""The HTTPRoute of our own is the chart's, and says in addition where the Gateway is (docs/adr/0016)."""

from pathlib import Path
from typing import Any

import pytest

from releases import RELEASES
from stacks.fields import read
from stacks.plan import Plan, plan
from tests.parity.charts import official
from tests.parity.helm import helm, template

NAME, NAMESPACE = "pd-disaggregation", "llm-d-pd-disaggregation"


def planned(release: str, gateway: dict[str, Any]) -> Plan:
    router = {"mode": "gateway", "gateway": gateway}
    found, spec = read({"serving": {"accelerator": "nvidia"}, "release": release, "router": router})
    assert found == []
    assert spec is not None
    return plan(spec, Path("/"))


def charts_route(of: Plan, directory: Path) -> dict[str, Any]:
    chart = of.bill.router.charts["gateway"]
    made = template(helm(), official(chart), of.router.values, release=NAME, namespace=NAMESPACE, directory=directory)
    (route,) = [obj for obj in made if obj["kind"] == "HTTPRoute"]
    return route


@pytest.mark.parametrize(
    "stated", [{}, {"baseModel": "gpt-oss-120b"}, {"requestTimeout": "600s"}, {"name": "mine"}], ids=str
)
@pytest.mark.parametrize("provider", ["istio", "gke", "agentgateway"])
def test_it_differs_from_mays_chart_by_the_namespace_of_the_gateway(
    provider: str, stated: dict[str, Any], tmp_path: Path
) -> None:
    if provider == "gke" and "requestTimeout" in stated:
        pytest.skip("GKE's gateways know no timeout in a route (GW-01)")
    beside = planned("guide-2026-05", {"provider": provider, **stated})
    elsewhere = planned("guide-2026-05", {"provider": provider, "manage": False, "namespace": "shared", **stated})
    assert beside.gateway is not None
    assert elsewhere.gateway is not None
    assert beside.gateway.routes == []
    (ours,), charts = elsewhere.gateway.routes, charts_route(beside, tmp_path)
    (parent,) = ours["spec"]["parentRefs"]
    assert parent.pop("namespace") == "shared"
    assert charts["metadata"] == {**ours["metadata"], "namespace": NAMESPACE}
    assert charts["spec"] == ours["spec"]


def test_and_the_chart_makes_none_then(tmp_path: Path) -> None:
    elsewhere = planned("guide-2026-05", {"provider": "istio", "manage": False, "namespace": "shared"})
    with pytest.raises(ValueError, match="not enough values to unpack"):
        charts_route(elsewhere, tmp_path)


@pytest.mark.parametrize("name", [name for name in RELEASES if name != "guide-2026-05"])
def test_later_charts_name_it_themselves(name: str, tmp_path: Path) -> None:
    elsewhere = planned(name, {"provider": "istio", "manage": False, "namespace": "shared", "baseModel": "m"})
    assert elsewhere.gateway is not None
    assert elsewhere.gateway.routes == []
    route = charts_route(elsewhere, tmp_path)
    assert [parent["namespace"] for parent in route["spec"]["parentRefs"]] == ["shared"]
    assert route["metadata"]["name"] == NAME, "the guard takes the route of this name for the stack's own"
