"""The pretend cloud under the real engine: a GKE cluster from nothing to nodes on a fleet and back, and days that go wrong."""

import json
from pathlib import Path

import pytest

from rehearsal.clouds import CLOUD, FAULT, FLEET
from rehearsal.clouds.store import Cloud
from tests.engine.standins_fixtures import CHECKOUT, Stack, stack
from tests.pretend_cloud import installed

__all__ = ["stack"]
pytestmark = pytest.mark.skipif(not installed(), reason="pulumi-gcp is not installed: pip install -e '.[gke]'")
#: A program that registers a plan of `tests.gke_plans`, with one change in the arguments of one part if the environment says so.
PROGRAM = """
    import json
    from dataclasses import replace
    from stacks.clouds.gke.cloud import GKE
    from stacks.compose_cluster import registered
    from tests.gke_plans import planned, variant
    from tests.unit.test_gke_checks import put
    plan = planned(variant(env("VARIANT", "dranet")))
    if env("UNLOCKED", ""):
        plan = put("cluster", "deletion_protection", False)(plan)
    for part, path, value in json.loads(env("CHANGES", "[]")):
        plan = put(part, path, value)(plan)
    resources = [replace(one, protect=False) for one in plan.resources] if env("UNLOCKED", "") else plan.resources
    cluster = registered(replace(plan, resources=tuple(resources)), GKE)
    pulumi.export("kubeconfig", cluster.kubeconfig)
"""


@pytest.fixture
def cloud(tmp_path: Path, stack: Stack) -> Cloud:
    """An empty one, of the stack's."""
    stack.environment[CLOUD] = str(tmp_path / "cloud.json")
    stack.environment["PYTHONPATH"] = str(CHECKOUT)  # the program is not in it
    stack.program(PROGRAM)
    return Cloud(tmp_path / "cloud.json")


def changes(*rows: tuple[str, str, object]) -> str:
    return json.dumps(rows)


def test_from_nothing_to_nodes_and_back(stack: Stack, cloud: Cloud) -> None:
    stack.environment[FLEET] = stack.environment["KUBECONFIG"]
    stack.preview().ok().says("kubeconfig: [unknown]")
    assert cloud.events() == []
    stack.up().ok()
    stack.pulumi("preview", "--refresh", "--expect-no-changes").ok()
    pool = ("get", "nodes", "--selector=cloud.google.com/gke-nodepool=gpu", "--output=name")
    assert len(stack.kubectl(*pool).split()) == 2
    assert len(stack.kubectl("get", "resourceslices", "--output=name").split()) == 4
    stack.up(CHANGES=changes(("accelerators", "node_count", 3))).ok()
    assert len(stack.kubectl(*pool).split()) == 3
    replaced = changes(("accelerators", "node_config.metadata", {"a": "b"}))
    stack.preview(CHANGES=replaced).failed().says("unable to replace resource", "marked for protection")
    stack.pulumi("destroy", "--yes", "--skip-preview").failed().says("protect")
    stack.up(UNLOCKED="yes").ok()
    stack.pulumi("destroy", "--yes", "--skip-preview").ok()
    assert cloud.records() == []
    assert stack.kubectl(*pool) == ""
    gone = [event.name.removeprefix("pd-disaggregation-") for event in cloud.events() if event.event == "delete"]
    order = ["accelerators", "system", "cluster", "nat", "router", "network"]
    assert [name for name in gone if name in order] == order
    assert gone.index("cluster") < gone.index("nodes") < gone.index("network")


def test_a_law_is_told_in_a_preview_and_a_bad_day_once_the_pool_is_due(stack: Stack, cloud: Cloud) -> None:
    broken = changes(("accelerators", "node_config.image_type", "UBUNTU_CONTAINERD"))
    stack.preview(CHANGES=broken).failed().says("nodeConfig.imageType", "GKE-09: driver installer and RDMA")
    assert cloud.records() == []
    stack.up(UNLOCKED="yes", **{FAULT: "stockout"}).failed().says("ZONE_RESOURCE_POOL_EXHAUSTED")
    assert cloud.records()[-1].name == "pd-disaggregation-system"
    stack.up(UNLOCKED="yes").ok()
    stack.pulumi("destroy", "--yes", "--skip-preview").ok()
    assert cloud.records() == []
