"""The resources of a stack on GKE for every variant, their order, and the cluster's add-ons."""

import json
from pathlib import Path
from typing import Any

import pytest

from releases.gke import DRIVER_INSTALLER
from stacks.clouds.gke import cluster as gke_cluster
from stacks.clouds.gke import pools as gke_pools
from stacks.clouds.gke.addons import manifests, pod_annotations, pod_resources
from stacks.clouds.gke.laws.view import look_up
from stacks.clouds.gke.plan import INSTALLER_FILE, GkePlan
from stacks.clouds.gke.pools import DRANET_LABELS
from stacks.clouds.gke.versions import at_least, brought_crds
from stacks.clouds.naming import shortened
from stacks.clouds.resource import refs, snake
from stacks.rules.facts import serving_blueprint
from stacks.rules.table import examine
from stacks.serving.workload import machine_of
from tests.gke_plans import DRANET, TPU, VARIANTS, planned, stack, variant
from tests.laws import plan_problems
from tests.unit.rendering import INSTALLER

EVERY = pytest.mark.parametrize("name", VARIANTS)


def accelerators(plan: GkePlan) -> dict[str, Any]:
    return dict(plan.resource(plan.settings.named("accelerators")).args)


def types(plan: GkePlan) -> dict[str, int]:
    kinds = [resource.type for resource in plan.resources]
    return {kind: kinds.count(kind) for kind in kinds}


@EVERY
def test_a_variant_is_valid_and_its_plan_breaks_no_law(name: str) -> None:
    given = variant(name)
    assert examine(given).errors == ()
    assert plan_problems(planned(given)) == []


# --- order and safety ----------------------------------------------------------------------------------------------------


@EVERY
def test_every_resource_comes_after_what_it_needs_and_has_a_name_of_its_own(name: str) -> None:
    made: set[str] = set()
    for resource in planned(variant(name)).resources:
        assert resource.before <= made
        assert resource.name not in made
        made.add(resource.name)


@EVERY
def test_nothing_goes_while_something_that_needs_it_is_there(name: str) -> None:
    """The nodes' way out, their account and its roles, and what GKE may do, outlive the cluster and its pools."""
    plan = planned(variant(name))
    before = {resource.name: resource.before for resource in plan.resources}

    def all_before(name: str) -> set[str]:
        return {name for step in before[name] for name in (step, *all_before(step))}

    system, accelerators = (plan.settings.named(part) for part in ("system", "accelerators"))
    assert system in all_before(accelerators)
    kinds = ("projects.Service", "projects.IAMMember", "compute.RouterNat", "compute.Subnetwork")
    outlive = {resource.name for kind in kinds for resource in plan.of(kind)}
    nics = {plan.settings.named(f"rdma-{index}") for index in range(8)}
    assert outlive - {plan.settings.named("gvnic"), *nics} <= all_before(plan.cluster.name)
    assert outlive <= all_before(accelerators)


@EVERY
def test_what_bills_and_what_carries_it_is_protected(name: str) -> None:
    plan = planned(variant(name))
    kinds = {"container.Cluster", "container.NodePool", "compute.Network", "compute.Subnetwork"}
    assert {resource.type for resource in plan.resources if resource.protect} == kinds
    assert all(resource.protect for resource in plan.resources if resource.type in kinds)
    assert plan.cluster.args["deletion_protection"] is True


def test_protection_is_lifted_as_a_whole_or_for_one_pool() -> None:
    plan = planned(stack(cluster={"protect": False}))
    assert not any(resource.protect for resource in plan.resources)
    assert plan.cluster.args["deletion_protection"] is False
    allowed = planned(stack(cluster={"allowReplace": ["acceleratorPool"]}))
    assert [pool.protect for pool in allowed.of("container.NodePool")] == [True, False]
    assert allowed.cluster.protect


@EVERY
def test_names_that_are_taken_are_given_up_first_and_patience_is_said(name: str) -> None:
    for resource in planned(variant(name)).resources:
        if "name" in resource.args:
            assert resource.delete_before_replace
            assert resource.timeouts.delete in ("20m", "90m", "120m")


@EVERY
def test_everything_is_described_and_no_other_word_replaces_a_network(name: str) -> None:
    for resource in planned(variant(name)).resources:
        assert resource.title
        if resource.type in ("compute.Network", "compute.Subnetwork", "container.Cluster"):
            assert resource.args["description"]
            assert "description" in resource.ignore_changes


@EVERY
def test_everything_is_in_the_project_that_the_stack_names(name: str) -> None:
    assert {resource.args["project"] for resource in planned(variant(name)).resources} == {"acme-serving"}


@EVERY
def test_networks_have_one_name_in_the_plan_and_in_the_cloud(name: str) -> None:
    for resource in planned(variant(name)).resources:
        if resource.type.startswith("compute."):
            assert resource.args["name"] == resource.name
            assert len(resource.name) <= 63


def test_apis_outlive_the_stack() -> None:
    assert all(not api.args["disable_on_destroy"] for api in planned(stack()).of("projects.Service"))


# --- what is made --------------------------------------------------------------------------------------------------------


def test_the_numbers_of_resources() -> None:
    common = {
        "projects.Service": 6, "serviceaccount.Account": 1, "projects.IAMMember": 5, "compute.Network": 1,
        "compute.Subnetwork": 1, "compute.Firewall": 1, "compute.Router": 1, "compute.RouterNat": 1,
        "container.Cluster": 1, "container.NodePool": 2,
    }  # fmt: skip
    more: dict[str, dict[str, int]] = {
        "none": {},
        "tpu7x": {},
        "dranet": {"projects.ServiceIdentity": 1, "projects.IAMMember": 6},
        "multinet": {"compute.Network": 3, "compute.Subnetwork": 10, "compute.Firewall": 2},
        "gateway": {
            "projects.Service": 8, "projects.ServiceIdentity": 1, "projects.IAMMember": 6, "compute.Subnetwork": 2,
        },
    }  # fmt: skip
    assert {name: types(planned(variant(name))) for name in more} == {name: common | add for name, add in more.items()}


def test_the_cluster() -> None:
    args = planned(stack()).cluster.args
    assert (args["location"], args["node_locations"]) == ("us-south1", ["us-south1-b"])
    assert args["datapath_provider"] == "ADVANCED_DATAPATH"
    assert args["min_master_version"] == "1.35.2-gke.1234000"
    assert look_up(args, "workload_identity_config.workload_pool") == "acme-serving.svc.id.goog"
    assert look_up(args, "monitoring_config.managed_prometheus.enabled")
    assert look_up(args, "control_plane_endpoints_config.dns_endpoint_config.allow_external_traffic")
    assert "gateway_api_config" not in args
    assert planned(variant("gateway")).cluster.args["gateway_api_config"] == {"channel": "CHANNEL_STANDARD"}


#: Google's provider takes exactly one of them, and refuses a policy of exclusions alone.
WINDOWS = {"daily_maintenance_window", "recurring_window", "recurring_maintenance_window"}
DAILY: dict[str, Any] = {"daily_maintenance_window": {"start_time": "09:00"}}


def recurring(start: str, end: str, recurrence: str) -> dict[str, Any]:
    return {"recurring_window": {"start_time": start, "end_time": end, "recurrence": recurrence}}


@EVERY
def test_maintenance_has_one_window_and_waits_for_the_stack_with_upgrades(name: str) -> None:
    policy = planned(variant(name)).cluster.args["maintenance_policy"]
    assert len(WINDOWS & set(policy)) == 1
    (exclusion,) = policy["maintenance_exclusions"]
    assert exclusion["exclusion_options"] == {
        "scope": "NO_MINOR_OR_NODE_UPGRADES",
        "end_time_behavior": "UNTIL_END_OF_SUPPORT",
    }


@pytest.mark.parametrize(
    ("stated", "window"),
    [
        ({}, DAILY),
        ({"hours": 4}, DAILY),
        ({"start": "23:59"}, {"daily_maintenance_window": {"start_time": "23:59"}}),
        # GKE's daily window has 4 hours; any other length is a recurring one. The first window begins on a day of the
        # recurrence, and may end on the next.
        ({"hours": 8}, recurring("2026-01-05T09:00:00Z", "2026-01-05T17:00:00Z", "FREQ=DAILY")),
        (
            {"start": "22:30", "days": ["SU", "SA", "SU"], "hours": 6},
            recurring("2026-01-10T22:30:00Z", "2026-01-11T04:30:00Z", "FREQ=WEEKLY;BYDAY=SA,SU"),
        ),
        (
            {"days": ["FR", "MO", "WE"]},
            recurring("2026-01-05T09:00:00Z", "2026-01-05T13:00:00Z", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ),
        (
            {"start": "00:00", "days": ["TH"], "hours": 24},
            recurring("2026-01-08T00:00:00Z", "2026-01-09T00:00:00Z", "FREQ=WEEKLY;BYDAY=TH"),
        ),
    ],
)
def test_the_window_is_daily_or_on_days_of_the_week(stated: dict[str, Any], window: dict[str, Any]) -> None:
    policy = planned(stack(gke={"maintenanceWindow": stated})).cluster.args["maintenance_policy"]
    assert {key: value for key, value in policy.items() if key != "maintenance_exclusions"} == window


@EVERY
def test_nothing_is_left_open_that_google_fills_in_and_the_provider_would_take_back(name: str) -> None:
    """Arguments that are Optional and not Computed in the provider's schema: unsaid, they differ at every preview."""
    plan = planned(variant(name))
    assert plan.cluster.args["control_plane_endpoints_config"]["ip_endpoints_config"] == {"enabled": False}
    assert look_up(plan.cluster.args, "private_cluster_config.enable_private_endpoint") is True
    system, pool = (dict(found.args) for found in plan.of("container.NodePool"))
    assert [look_up(args, "node_config.gvnic.enabled") for args in (system, pool)] == [True, True]
    assert [look_up(args, "node_config.image_type") for args in (system, pool)] == ["COS_CONTAINERD"] * 2
    assert look_up(pool, "node_config.reservation_affinity.consume_reservation_type")


@EVERY
def test_what_google_fills_in_and_the_plan_never_says_is_no_change(name: str) -> None:
    plan = planned(variant(name))
    accelerators = plan.resource(plan.settings.named("accelerators"))
    for resource, paths in ((plan.cluster, gke_cluster.UNSAID), (accelerators, gke_pools.UNSAID)):
        assert set(paths) <= set(resource.ignore_changes)
        # A path that the plan says would hide a change of the stack file.
        assert [path for path in paths if look_up(resource.args, snake(path)) is not None] == []


@EVERY
def test_the_way_out_has_ports_for_pods_that_load_a_model_at_once(name: str) -> None:
    (nat,) = planned(variant(name)).of("compute.RouterNat")
    assert nat.args["enable_dynamic_port_allocation"] is True
    assert nat.args["enable_endpoint_independent_mapping"] is False  # the other refuses it
    least, most = nat.args["min_ports_per_vm"], nat.args["max_ports_per_vm"]
    assert 8 * 8 * 16 <= least < most <= 65_536
    assert all(number & (number - 1) == 0 for number in (least, most)), "Google takes powers of two"


def test_nodes_pull_images_and_read_no_buckets() -> None:
    """Pods would not inherit it: with Workload Identity they are not the nodes' account."""
    plan = planned(stack())
    roles = {found.args["role"] for found in plan.of("projects.IAMMember")}
    assert "roles/artifactregistry.reader" in roles
    assert not any("storage" in role for role in roles)
    for pool in plan.of("container.NodePool"):
        assert look_up(pool.args, "node_config.workload_metadata_config.mode") == "GKE_METADATA"


def test_the_account_of_the_pods_is_the_one_that_the_docs_give_a_role() -> None:
    made = serving_blueprint(stack(), Path()).model_server
    (account,) = (obj["metadata"] for obj in made if obj["kind"] == "ServiceAccount")
    said = f"/subject/ns/{stack().namespace}/sa/{account['name']}"
    assert said in (Path(__file__).parents[2] / "docs" / "gke.md").read_text()


def test_the_accelerators_of_each_way_to_the_nics() -> None:
    dranet, multinet, none = (planned(variant(name)) for name in ("dranet", "multinet", "none"))
    networks = {plan.settings.rdma: accelerators(plan)["network_config"] for plan in (dranet, multinet, none)}
    assert networks["dranet"] == {"enable_private_nodes": True, "accelerator_network_profile": "auto"}
    assert networks["none"] == {"enable_private_nodes": True}
    nics = networks["multinet"]["additional_node_network_configs"]
    assert [nic["subnetwork"].resource for nic in nics] == [
        "pd-disaggregation-gvnic",
        *(f"pd-disaggregation-rdma-{index}" for index in range(8)),
    ]
    assert look_up(accelerators(dranet), "node_config.labels") == DRANET_LABELS
    assert look_up(accelerators(multinet), "node_config.labels") is None
    assert [plan.cluster.args["enable_multi_networking"] for plan in (dranet, multinet, none)] == [False, True, False]


@pytest.mark.parametrize("name", ["tpu7x", "tpu-v6e"])
def test_tpu_hosts_are_slices_of_their_own(name: str) -> None:
    args = accelerators(planned(variant(name)))
    assert args["node_count"] == 2
    assert "placement_policy" not in args
    assert {"guest_accelerators", "ephemeral_storage_local_ssd_config", "labels"}.isdisjoint(args["node_config"])
    assert args["node_config"]["boot_disk"]["size_gb"] == 1000
    assert args["node_config"]["taints"] == [{"key": "google.com/tpu", "value": "present", "effect": "NO_SCHEDULE"}]
    assert args["name"] == "tpu"


def test_capacity_is_said_to_the_nodes() -> None:
    for name, affinity in (
        ("dranet", "SPECIFIC_RESERVATION"),
        ("spot", "NO_RESERVATION"),
        ("flex-start", "NO_RESERVATION"),
        ("on demand", "NO_RESERVATION"),
    ):
        config = accelerators(planned(variant(name)))["node_config"]
        assert config["reservation_affinity"]["consume_reservation_type"] == affinity
    flex = accelerators(planned(variant("flex-start")))
    assert flex["node_config"]["max_run_duration"] == "604800s"
    assert flex["autoscaling"] == {"total_min_node_count": 0, "total_max_node_count": 2, "location_policy": "ANY"}
    of_tpus = accelerators(planned(variant("flex-start of TPUs")))
    assert of_tpus["autoscaling"] == {"min_node_count": 0, "max_node_count": 2, "location_policy": "ANY"}
    assert of_tpus["node_config"]["max_run_duration"] == "86400s"


def test_an_autoscaler_owns_its_number_of_nodes() -> None:
    for name, ignored in (("dranet", ()), ("autoscaled", ("nodeCount",)), ("flex-start", ("nodeCount",))):
        plan = planned(variant(name))
        system, pool = plan.of("container.NodePool")
        assert system.ignore_changes == ("nodeCount",)
        assert pool.ignore_changes == (*gke_pools.UNSAID, *ignored)
        assert ("node_count" in pool.args) == (not ignored)


def test_everything_a_pool_can_be_told() -> None:
    plan = planned(variant("told everything"))
    args = accelerators(plan)
    assert (args["name"], args["node_config"]["boot_disk"]["size_gb"]) == ("h200", 500)
    assert args["node_config"]["labels"] == {"team": "chat", **DRANET_LABELS}
    assert args["node_config"]["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"},
        {"key": "team", "value": "chat", "effect": "NO_SCHEDULE"},
    ]
    system = plan.resource(plan.settings.named("system")).args
    assert system["autoscaling"] == {"total_min_node_count": 2, "total_max_node_count": 5}
    assert look_up(system, "node_config.machine_type") == "n2-standard-32"
    assert plan.cluster.args["release_channel"] == {"channel": "STABLE"}
    assert {str(plan.settings.addresses.nodes)} == {plan.resource(plan.settings.named("nodes")).args["ip_cidr_range"]}


def test_a_gateways_proxies_have_a_subnet() -> None:
    proxies = planned(variant("gateway")).resource("pd-disaggregation-proxies").args
    assert (proxies["purpose"], proxies["role"]) == ("REGIONAL_MANAGED_PROXY", "ACTIVE")


# --- what the cluster is given -------------------------------------------------------------------------------------------


def test_dranet_brings_the_driver_and_what_hands_out_gpus() -> None:
    plan = planned(stack())
    (chart,) = plan.charts
    assert (chart.name, chart.namespace, chart.version) == ("nvidia-dra-driver-gpu", "nvidia-dra-driver-gpu", "25.8.0")
    assert chart.chart == "https://helm.ngc.nvidia.com/nvidia/nvidia-dra-driver-gpu"
    assert chart.values["resources"] == {"computeDomains": {"enabled": False}}
    assert manifests(plan.settings) == [DRIVER_INSTALLER]
    assert plan.objects_file == INSTALLER_FILE
    assert plan.waves == ()
    mirrored = planned(stack(mirror={"charts": "oci://registry.example/charts"}))
    assert mirrored.charts[0].chart == "oci://registry.example/charts/nvidia-dra-driver-gpu"


def test_an_installer_of_the_users_own_is_read_from_where_the_stack_file_is() -> None:
    """A relative path starts at the base; nothing is downloaded."""
    given = stack(gke={"gpuDriver": {"installer": INSTALLER.name}})
    found = planned(given, INSTALLER.parent).files()
    assert [obj["kind"] for obj in found] == ["DaemonSet"]


@pytest.mark.parametrize("name", ["none", "tpu7x", "tpu-v6e"])
def test_without_rdma_a_cluster_is_given_nothing(name: str) -> None:
    plan = planned(variant(name))
    assert (plan.waves, [*plan.files()], plan.charts) == ((), [], ())
    assert plan.objects_file is None


def test_multinet_names_every_nic() -> None:
    plan = planned(variant("multinet"))
    names = ["gvnic-1", *(f"rdma-{index}" for index in range(8))]
    parameters = {obj["metadata"]["name"]: obj["spec"] for obj in plan.objects if obj["kind"] == "GKENetworkParamSet"}
    networks = {obj["metadata"]["name"]: obj["spec"] for obj in plan.objects if obj["kind"] == "Network"}
    assert [*parameters] == [*networks] == names
    assert [{obj["kind"] for obj in wave} for wave in plan.waves] == [{"GKENetworkParamSet"}, {"Network"}]
    assert {spec["deviceMode"] for name, spec in parameters.items() if name != "gvnic-1"} == {"RDMA"}
    assert parameters["gvnic-1"]["deviceMode"] == "NetDevice"
    for name, spec in parameters.items():
        assert plan.resource(spec["vpc"]).args["name"] == spec["vpc"]
        assert plan.resource(spec["vpcSubnet"]).args["network"].resource == spec["vpc"]
        assert networks[name]["parametersRef"]["name"] == name
    assert ([*plan.files()], plan.charts) == ([], ())
    assert plan.objects_file is None


def test_pods_get_every_rdma_nic_by_the_names_of_the_networks() -> None:
    interfaces = json.loads(pod_annotations()["networking.gke.io/interfaces"])
    assert interfaces[0] == {"interfaceName": "eth0", "network": "default"}
    assert [tuple(row.values()) for row in interfaces[1:]] == [
        (f"eth{index + 2}", f"rdma-{index}") for index in range(8)
    ]
    assert pod_annotations()["networking.gke.io/default-interface"] == "eth0"
    named = {obj["metadata"]["name"] for obj in planned(variant("multinet")).objects}
    assert {row["network"] for row in interfaces[1:]} == named - {"gvnic-1"}
    asked = {f"networking.gke.io.networks/rdma-{index}": "0" for index in range(8)}
    assert pod_resources() == {"limits": asked, "requests": asked}


def test_nodes_without_rdma_have_no_further_networks() -> None:
    with_nics, without = (machine_of(variant(name)) for name in ("multinet", "none"))
    assert set(with_nics.extended) - set(without.extended) == {
        "networking.gke.io.networks/gvnic-1.IP",
        *(f"networking.gke.io.networks/rdma-{index}.IP" for index in range(8)),
    }
    assert without.extended == {"nvidia.com/gpu": "8"}
    assert without.rdma is None


# --- words ---------------------------------------------------------------------------------------------------------------


def test_long_names_are_shortened_and_stay_apart() -> None:
    assert shortened("short-nodes", 30) == "short-nodes"
    first, second = (shortened(f"{'a' * 39}{letter}-nodes", 30) for letter in "xy")
    assert len(first) == len(second) == 30
    assert first != second
    account = planned(stack(name="a" * 22)).of("serviceaccount.Account")[0]
    assert 6 <= len(account.args["account_id"]) <= 30


def test_references_are_found_however_deep() -> None:
    plan = planned(stack())
    found = {ref.resource for ref in refs(plan.cluster.args)}
    assert found == {plan.settings.named(part) for part in ("network", "nodes", "node-account")}


def test_gke_keeps_the_inference_pools_crd_from_a_version_on() -> None:
    """GKE-16: what the cluster brings is said by its version, so that it is not installed a second time."""
    crd = "inferencepools.inference.networking.k8s.io"
    assert brought_crds("1.34.0-gke.1626000") == {crd}
    assert brought_crds("1.34.0-gke.1625999") == brought_crds("") == frozenset()
    assert planned(stack()).brought_crds == {crd}
    assert planned(stack(TPU, {"version": "1.33.9-gke.9999999"})).brought_crds == frozenset()


def test_versions_are_compared_by_number() -> None:
    assert at_least("1.35.10-gke.1", "1.35.9-gke.99")
    assert not at_least("1.35.2-gke.999", "1.35.2-gke.1000")
    assert not at_least("1.36", "1.35.2-gke.1")


def test_an_unwritten_stack_file_is_no_site() -> None:
    with pytest.raises(ValueError, match=r"`cluster\.nodes` is missing"):
        planned(stack(DRANET, cluster={"nodes": None}))
