"""Laws of a GKE plan, by the ids of the rules: what no stack file can break, and a changed plan is caught at.

Every case changes one thing in the plan of a variant that breaks no law.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hardware.machines import GKE_POOLS
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.versions import parse
from stacks.clouds.resource import Ref, Resource
from tests.gke_plans import VARIANTS, planned, variant
from tests.laws import plan_problems, resource_problems

Change = Callable[[GkePlan], GkePlan]
GONE = object()
PROFILE = "network_config.accelerator_network_profile"
NICS = "network_config.additional_node_network_configs"
AFFINITY = "node_config.reservation_affinity"
GPUS = "node_config.guest_accelerators"
DRIVER = f"{GPUS}.0.gpu_driver_installation_config.gpu_driver_version"
LABEL = "cloud.google.com/gke-networking-dra-driver"


def put(part: str, path: str, value: Any) -> Change:
    """Another value at a path of a resource's arguments: of maps and lists, keys and numbers."""

    def change(plan: GkePlan) -> GkePlan:
        return with_args(plan, part, lambda args: put_in(args, path.split("."), value))

    return change


def put_in(given: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(given, list):
        return [put_in(item, rest, value) if index == int(step) else item for index, item in enumerate(given)]
    changed = {**(given or {}), step: put_in((given or {}).get(step), rest, value)}
    return {key: item for key, item in changed.items() if item is not GONE}


def with_args(plan: GkePlan, part: str, change: Callable[[Any], Any]) -> GkePlan:
    name = plan.settings.named(part)
    assert plan.resource(name)
    made = [replace(one, args=change(one.args)) if one.name == name else one for one in plan.resources]
    return replace(plan, resources=tuple(made))


def both(*changes: Change) -> Change:
    def change(plan: GkePlan) -> GkePlan:
        for each in changes:
            plan = each(plan)
        return plan

    return change


def without(part: str) -> Change:
    def change(plan: GkePlan) -> GkePlan:
        gone = plan.settings.named(part)
        return replace(plan, resources=tuple(one for one in plan.resources if one.name != gone))

    return change


def beside(part: str, another: str, **args: Any) -> Change:
    """A second resource like an existing one."""

    def change(plan: GkePlan) -> GkePlan:
        like = plan.resource(plan.settings.named(part))
        more = replace(like, name=plan.settings.named(another), args={**like.args, **args})
        return replace(plan, resources=(*plan.resources, more))

    return change


def chart_value(key: str, value: Any) -> Change:
    def change(plan: GkePlan) -> GkePlan:
        (chart,) = plan.charts
        values = put_in(chart.values, key.split("."), value)
        return replace(plan, charts=(replace(chart, values=values),))

    return change


def with_objects(name: str) -> Change:
    return lambda plan: replace(plan, waves=planned(variant(name)).waves)


def with_nics_of(name: str) -> Change:
    def change(plan: GkePlan) -> GkePlan:
        theirs = planned(variant(name)).of("container.NodePool")[1].args["network_config"]
        return put("accelerators", NICS, theirs["additional_node_network_configs"])(plan)

    return change


def nics(change: Callable[[list[Any]], list[Any]]) -> Change:
    def changed(plan: GkePlan) -> GkePlan:
        given = plan.of("container.NodePool")[1].args["network_config"]["additional_node_network_configs"]
        return put("accelerators", NICS, change(given))(plan)

    return changed


POOL = "accelerators"
#: Rule, variant, the change, the resource and the field that are named.
BREACHES: list[tuple[str, str, Change, str, str]] = [
    ("GKE-01", "dranet", put(POOL, "version", "1.34.1-gke.1829000"), POOL, "version"),
    ("GKE-01", "multinet", put(POOL, "version", "1.31.4-gke.1182999"), POOL, "version"),
    ("GKE-01", "a4 multinet", put(POOL, "version", "1.32.2-gke.1474999"), POOL, "version"),
    ("GKE-01", "a4 spot", put(POOL, "version", "1.31.4-gke.1183000"), POOL, "version"),
    ("GKE-02", "dranet", put("cluster", "datapath_provider", "LEGACY_DATAPATH"), "cluster", "datapath_provider"),
    ("GKE-02", "multinet", put("cluster", "datapath_provider", GONE), "cluster", "datapath_provider"),
    ("GKE-03", "dranet", put(POOL, "node_config.machine_type", "a2-ultragpu-8g"), POOL, "node_config.machine_type"),
    ("GKE-04", "dranet", both(put("cluster", "enable_multi_networking", True), with_nics_of("multinet")), POOL, NICS),
    ("GKE-04", "dranet", with_objects("multinet"), "objects", "kind"),
    ("GKE-05", "multinet", put("cluster", "enable_multi_networking", False), "cluster", "enable_multi_networking"),
    ("GKE-05", "multinet", nics(lambda given: given[1:]), POOL, NICS),
    ("GKE-05", "multinet", nics(lambda given: [given[1], *given[1:]]), POOL, NICS),
    ("GKE-05", "multinet", nics(lambda given: [*given[:8], given[7]]), POOL, NICS),
    ("GKE-05", "multinet", nics(lambda given: [*given[1:], given[0]]), POOL, NICS),
    ("GKE-05", "multinet", put(POOL, NICS, GONE), POOL, NICS),
    ("GKE-07", "dranet", put(POOL, DRIVER, "LATEST"), POOL, DRIVER.replace(".0.", ".")),
    ("GKE-07", "multinet", put(POOL, DRIVER, "INSTALLATION_DISABLED"), POOL, DRIVER.replace(".0.", ".")),
    ("GKE-07", "none", put(POOL, DRIVER, "INSTALLATION_DISABLED"), POOL, DRIVER.replace(".0.", ".")),
    ("GKE-08", "dranet", put(POOL, "node_config.labels", {LABEL: "true"}), POOL, "node_config.labels"),
    ("GKE-08", "dranet", put(POOL, "node_config.labels", GONE), POOL, "node_config.labels"),
    ("GKE-08", "multinet", put(POOL, "node_config.labels", {LABEL: "true"}), POOL, "node_config.labels"),
    ("GKE-08", "tpu7x", put(POOL, "node_config.labels", {"nvidia.com/gpu.present": "true"}), POOL, "node_config.labels"),
    ("GKE-09", "dranet", put(POOL, "node_config.image_type", "UBUNTU_CONTAINERD"), POOL, "node_config.image_type"),
    ("GKE-09", "none", put(POOL, "node_config.image_type", GONE), POOL, "node_config.image_type"),
    ("GKE-23", "dranet", put(POOL, f"{GPUS}.0.type", "nvidia-b200"), POOL, f"{GPUS}.type"),
    ("GKE-23", "a4 dranet", put(POOL, f"{GPUS}.0.type", "nvidia-h200-141gb"), POOL, f"{GPUS}.type"),
    ("GKE-23", "a4 multinet", put(POOL, "node_config.machine_type", "a3-ultragpu-8g"), POOL, f"{GPUS}.type"),
    ("GKE-23", "a4 spot", put(POOL, f"{GPUS}.0.count", 4), POOL, f"{GPUS}.count"),
    ("GKE-10", "dranet", put(POOL, "node_locations", ["us-south1-a", "us-south1-b"]), POOL, "node_locations"),
    ("GKE-10", "dranet", put(POOL, "node_locations", ["us-east1-b"]), POOL, "node_locations"),
    ("GKE-10", "multinet", put(POOL, "node_locations", ["us-south1-a"]), POOL, "node_locations"),
    ("GKE-11", "multinet", put("rdma-network", "network_profile", "projects/p/global/networkProfiles/us-south1-b-vpc-falcon"),
     "rdma-network", "network_profile"),
    ("GKE-11", "multinet", put("rdma-network", "network_profile", GONE), "rdma-network", "network_profile"),
    ("GKE-13", "multinet", put(POOL, "node_config.machine_type", "a3-megagpu-8g"), POOL, "node_config.machine_type"),
    ("GKE-13", "dranet", put(POOL, "node_config.machine_type", "a3-highgpu-8g"), POOL, "node_config.machine_type"),
    ("GKE-14", "dranet", chart_value("nvidiaDriverRoot", "/"), "nvidia-dra-driver-gpu", "nvidiaDriverRoot"),
    ("GKE-14", "dranet", chart_value("kubeletPlugin.priorityClassName", "system-node-critical"), "nvidia-dra-driver-gpu",
     "kubeletPlugin.priorityClassName"),
    ("GKE-14", "dranet", chart_value("kubeletPlugin", GONE), "nvidia-dra-driver-gpu", "kubeletPlugin.priorityClassName"),
    ("GKE-17", "dranet", put(POOL, "management.auto_upgrade", False), POOL, "management.auto_upgrade"),
    ("GKE-17", "dranet", put(POOL, "version", "1.35"), POOL, "version"),
    ("GKE-18", "autoscaled", put(POOL, "node_count", 2), POOL, "node_count"),
    ("GKE-23", "dranet", put(POOL, "node_config.guest_accelerators", GONE), POOL, "node_config.guest_accelerators"),
    ("GKE-23", "multinet", put(POOL, "node_config.guest_accelerators.0.count", 4), POOL,
     "node_config.guest_accelerators.count"),
    ("GKE-23", "multinet", put(POOL, "node_config.guest_accelerators.0.type", "nvidia-b200"), POOL,
     "node_config.guest_accelerators.type"),
    ("GKE-23", "none", put(POOL, "node_config.ephemeral_storage_local_ssd_config", GONE), POOL,
     "node_config.ephemeral_storage_local_ssd_config.local_ssd_count"),
    ("GKE-23", "dranet", put(POOL, "node_config.gvnic.enabled", False), POOL, "node_config.gvnic.enabled"),
    ("GKE-24", "dranet", put(POOL, "node_config.taints.0.effect", "PREFER_NO_SCHEDULE"), POOL, "node_config.taints"),
    ("GKE-24", "tpu7x", put(POOL, "node_config.taints.0.value", "absent"), POOL, "node_config.taints"),
    ("GKE-25", "dranet", put(POOL, PROFILE, "mine"), POOL, PROFILE),
    ("GKE-25", "tpu7x", put(POOL, PROFILE, "auto"), POOL, PROFILE),
    ("CAP-01", "dranet", put(POOL, "node_config.spot", True), POOL, "node_config"),
    ("CAP-01", "flex-start", put(POOL, "node_config.spot", True), POOL, "node_config"),
    ("CAP-02", "dranet", put(POOL, f"{AFFINITY}.values", []), POOL, AFFINITY),
    ("CAP-02", "dranet", put(POOL, f"{AFFINITY}.values", ["a", "b"]), POOL, AFFINITY),
    ("CAP-02", "dranet", put(POOL, f"{AFFINITY}.key", GONE), POOL, AFFINITY),
    ("CAP-02", "spot", put(POOL, f"{AFFINITY}.values", ["a"]), POOL, AFFINITY),
    ("CAP-03", "flex-start", both(put(POOL, "node_count", 2), put(POOL, "autoscaling", GONE)), POOL, "node_count"),
    ("CAP-03", "flex-start", put(POOL, "management.auto_repair", True), POOL, "management.auto_repair"),
    ("CAP-03", "flex-start", put(POOL, AFFINITY, GONE), POOL, AFFINITY),
    ("CAP-03", "flex-start", put(POOL, "node_config.max_run_duration", "604801s"), POOL, "node_config.max_run_duration"),
    ("CAP-03", "flex-start", put(POOL, "node_config.max_run_duration", "0s"), POOL, "node_config.max_run_duration"),
    ("CAP-03", "flex-start", put(POOL, "node_config.max_run_duration", GONE), POOL, "node_config.max_run_duration"),
    ("CAP-06", "dranet", put(POOL, "upgrade_settings.max_unavailable", 0), POOL, "upgrade_settings"),
    ("NET-01", "dranet", put("nodes", "secondary_ip_ranges.1.ip_cidr_range", "10.0.0.0/20"), "nodes",
     "secondary_ip_ranges.services"),
    ("NET-01", "multinet", put("gvnic", "ip_cidr_range", "10.12.128.0/17"), "gvnic", "ip_cidr_range"),
    ("NET-01", "dranet", lambda plan: replace(plan, settings=replace(plan.settings, gke=plan.settings.gke.model_copy(update={
     "network": plan.settings.gke.network.model_copy(update={"peers": ("10.4.0.0/14",)})}))), "nodes",
     "secondary_ip_ranges.pods"),
    ("NET-02", "multinet", put("rdma-3", "ip_cidr_range", "10.9.128.0/30"), "rdma-3", "ip_cidr_range"),
    ("NET-02", "multinet", both(put("rdma-0", "ip_cidr_range", "10.8.0.0/29"), put(POOL, "node_count", 5)), "rdma-0",
     "ip_cidr_range"),
    ("NET-03", "dranet", put("nodes", "secondary_ip_ranges.0.ip_cidr_range", "10.0.0.0/22"), "nodes", "secondary_ip_ranges.pods"),
    ("NET-03", "dranet", put("cluster", "default_max_pods_per_node", 256_000), "nodes", "secondary_ip_ranges.pods"),
    ("NET-04", "multinet", without("rdma-7"), "rdma-network", "network_profile"),
    ("NET-04", "multinet", put("rdma-2", "region", "us-east1"), "rdma-2", "region"),
    ("NET-04", "multinet", put("rdma-2", "ip_cidr_range", "172.20.0.0/20"), "rdma-2", "ip_cidr_range"),
    ("NET-05", "gateway", without("proxies"), "cluster", "gateway_api_config"),
    ("NET-05", "gateway", put("proxies", "role", "BACKUP"), "cluster", "gateway_api_config"),
    ("NET-05", "gateway", put("proxies", "region", "us-east1"), "cluster", "gateway_api_config"),
    ("NET-05", "gateway", put("proxies", "ip_cidr_range", "10.15.0.0/27"), "proxies", "ip_cidr_range"),
    ("NET-05", "gateway", both(put("proxies", "ip_cidr_range", "10.15.0.0/23"), beside("proxies", "more",
     ip_cidr_range="10.15.2.0/23")), "more", "role"),
    ("NET-06", "dranet", without("nat"), "cluster", "private_cluster_config"),
    ("NET-06", "dranet", put("router", "network", Ref("another")), "cluster", "private_cluster_config"),
    ("NET-06", "dranet", put("nodes", "private_ip_google_access", False), "nodes", "private_ip_google_access"),
    ("NET-07", "multinet", beside("gvnic-internal", "more", network=Ref("pd-disaggregation-rdma-network")), "more", "network"),
    ("NET-08", "dranet", put("cluster", "control_plane_endpoints_config.ip_endpoints_config.enabled", True), "cluster",
     "control_plane_endpoints_config"),
    ("NET-08", "dranet", put("cluster", "control_plane_endpoints_config", GONE), "cluster", "control_plane_endpoints_config"),
    ("TPU-01", "tpu7x", put(POOL, "node_config.machine_type", "tpu7x-standard-9t"), POOL, "node_config.machine_type"),
    ("TPU-04", "tpu-v6e", put(POOL, "version", "1.30.9-gke.1000000"), POOL, "version"),
    ("TPU-04", "tpu7x", put(POOL, "version", "1.34.3-gke.1317999"), POOL, "version"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "name", "change", "part", "field"), BREACHES, ids=[f"{b[0]} {b[1]} {b[4]}" for b in BREACHES]
)
def test_a_changed_plan_is_caught(rule: str, name: str, change: Change, part: str, field: str) -> None:
    plan = planned(variant(name))
    assert plan_problems(plan) == []
    found = {
        (broken.rule, broken.resource.removeprefix("pd-disaggregation-"), broken.field)
        for broken in plan_problems(change(plan))
    }
    assert (rule, part, field) in found
    assert {broken[0] for broken in found} == {rule}


#: Mistakes that a plan could make, though none does.
ALLOWED: list[tuple[str, str, Change]] = [
    ("CAP-06", "dranet", put(POOL, "upgrade_settings", {"max_surge": 1, "max_unavailable": 0})),
    ("GKE-02", "tpu7x", put("cluster", "datapath_provider", GONE)),
    ("GKE-24", "dranet", put(POOL, "node_config.taints", GONE)),
    ("GKE-13", "none", put(POOL, "node_config.machine_type", "a3-megagpu-8g")),
    ("GKE-09", "tpu7x", put(POOL, "node_config.image_type", "UBUNTU_CONTAINERD")),
    ("GKE-17", "dranet", both(put(POOL, "management.auto_upgrade", False), put("system", "management.auto_upgrade", False),
     put("cluster", "release_channel", GONE))),
    ("NET-05", "dranet", without("proxies-that-are-not-there")),
    ("NET-06", "dranet", both(put("cluster", "private_cluster_config.enable_private_nodes", False), without("nat"))),
    ("NET-08", "dranet", both(put("cluster", "control_plane_endpoints_config.ip_endpoints_config.enabled", True),
     put("cluster", "master_authorized_networks_config", {"cidr_blocks": []}))),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "name", "change"), ALLOWED, ids=[f"{a[0]} {a[1]}" for a in ALLOWED])
def test_and_what_is_allowed_is_let_be(rule: str, name: str, change: Change) -> None:
    assert [broken for broken in plan_problems(change(planned(variant(name)))) if broken.rule == rule] == []


def resolved(value: Any) -> Any:
    """As a provider is told it: references by their values."""
    match value:
        case Ref(resource, "id"):
            return f"projects/acme-serving/somewhere/{resource}"
        case Ref(resource, _):
            return resource
        case dict():
            return {key: resolved(part) for key, part in value.items()}
        case list():
            return [resolved(part) for part in value]
    return value


def told(plan: GkePlan) -> list[Resource]:
    return [replace(resource, args=resolved(dict(resource.args))) for resource in plan.resources]


@pytest.mark.parametrize("name", VARIANTS)
def test_resources_are_judged_alike_once_their_references_are_resolved(name: str) -> None:
    assert resource_problems(told(planned(variant(name)))) == []


@pytest.mark.parametrize("rule", ["GKE-05", "NET-02", "NET-04", "NET-05", "NET-06", "NET-07"])
def test_and_so_are_those_that_break_a_law_about_networks(rule: str) -> None:
    for _, name, change, _, _ in (breach for breach in BREACHES if breach[0] == rule):
        plan = change(planned(variant(name)))
        assert set(resource_problems(plan.resources)) <= set(resource_problems(told(plan)))


def test_versions_of_the_table_are_whole() -> None:
    for row in GKE_POOLS.values():
        assert all(parse(version) for version in (*row.since.values(), row.flex_since))
