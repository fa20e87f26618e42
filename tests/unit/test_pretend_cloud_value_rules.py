"""Rules over values: each row refuses a value by the argument's name. `test_pretend_cloud_checks` has the valid plans."""

import importlib.util
from typing import Any

import pytest

from rehearsal.clouds.gke.kinds import KINDS
from rehearsal.clouds.gke.value_rules import DOCUMENTED, SCHEMA, value_problems
from rehearsal.plugins.values import UNKNOWN
from stacks.clouds.resource import Arguments
from tests.pretend_cloud import declares


def value_rules(kind: str) -> list[str]:
    """The paths that have a rule."""
    return [path for table in (SCHEMA, DOCUMENTED) for path in table.get(kind, {})]


EXCLUSION = {"exclusion_name": "a", "start_time": "2026-01-01T00:00:00Z"}
NAME = "doesn't match regexp"

#: Kind, path, a value that is not taken, and the provider's words for it.
WRONG: list[tuple[str, str, Any, str]] = [
    ("compute.Network", "name", "N", NAME),
    ("compute.Network", "routing_mode", "ZONAL", 'to be one of ["REGIONAL" "GLOBAL"], got ZONAL'),
    ("compute.Network", "mtu", 9000, "expected mtu to be in the range (1300 - 8896), got 9000"),
    ("compute.Subnetwork", "name", "n" * 64, NAME),
    ("compute.Subnetwork", "role", "PASSIVE", 'to be one of ["ACTIVE" "BACKUP"], got PASSIVE'),
    ("compute.Subnetwork", "secondary_ip_ranges.range_name", "pods_", NAME),
    ("compute.Firewall", "name", "a-", NAME),
    ("compute.Firewall", "direction", "IN", 'to be one of ["INGRESS" "EGRESS"], got IN'),
    ("compute.Firewall", "priority", 65_536, "in the range (0 - 65535), got 65536"),
    ("compute.Firewall", "allows.protocol", "rdma", "is no protocol"),
    ("compute.Firewall", "source_ranges", ["10.0.0.0/8", "10.0.0.1/8"], "is not a valid IP CIDR range"),
    ("compute.Router", "name", "", NAME),
    ("compute.RouterNat", "name", "n", "must be between 2 and 63 characters long"),
    ("compute.RouterNat", "name", "n_", NAME),
    ("compute.RouterNat", "nat_ip_allocate_option", "AUTO", 'to be one of ["MANUAL_ONLY" "AUTO_ONLY"], got AUTO'),
    ("compute.RouterNat", "source_subnetwork_ip_ranges_to_nat", "ALL", '"LIST_OF_SUBNETWORKS"], got ALL'),
    ("compute.RouterNat", "min_ports_per_vm", 1000, "must be a power of two from 32 to 32768, got 1000"),
    ("compute.RouterNat", "max_ports_per_vm", 131_072, "must be a power of two from 64 to 65536, got 131072"),
    ("container.Cluster", "name", "c" * 41, NAME),
    ("container.Cluster", "networking_mode", "ALIAS", 'to be one of ["VPC_NATIVE" "ROUTES"], got ALIAS'),
    ("container.Cluster", "datapath_provider", "DATAPLANE_V2", '"ADVANCED_DATAPATH"], got DATAPLANE_V2'),
    ("container.Cluster", "release_channel.channel", "NONE", '"EXTENDED"], got NONE'),
    ("container.Cluster", "gateway_api_config.channel", "STANDARD", '"CHANNEL_STANDARD"], got STANDARD'),
    ("container.Cluster", "logging_config.enable_components", ["WORKLOADS", "KUBELET"], '"WORKLOADS"], got KUBELET'),
    (
        "container.Cluster",
        "monitoring_config.managed_prometheus.auto_monitoring_config.scope",
        "SOME",
        '["ALL" "NONE"], got SOME',
    ),
    (
        "container.Cluster",
        "maintenance_policy.daily_maintenance_window.start_time",
        "9:00",
        "must be in the format HH:mm",
    ),
    ("container.Cluster", "maintenance_policy.daily_maintenance_window.start_time", "24:00", "valid hour (00-23)"),
    ("container.Cluster", "maintenance_policy.daily_maintenance_window.start_time", "09:60", "valid minute (00-59)"),
    ("container.Cluster", "maintenance_policy.recurring_window.start_time", "2026-01-01", 'parsing time "2026-01-01"'),
    ("container.Cluster", "maintenance_policy.recurring_window.end_time", "2026-02-30T00:00:00Z", "parsing time"),
    ("container.Cluster", "maintenance_policy.maintenance_exclusions", [EXCLUSION] * 21, "supports 20 item maximum"),
    ("container.Cluster", "maintenance_policy.maintenance_exclusions.start_time", "now", 'parsing time "now"'),
    ("container.Cluster", "maintenance_policy.maintenance_exclusions.end_time", "2026-01-01T00:00Z", "parsing time"),
    (
        "container.Cluster",
        "maintenance_policy.maintenance_exclusions.exclusion_options.scope",
        "NO_PATCHES",
        '"NO_MINOR_OR_NODE_UPGRADES"], got NO_PATCHES',
    ),
    (
        "container.Cluster",
        "maintenance_policy.maintenance_exclusions.exclusion_options.end_time_behavior",
        "NEVER",
        '["UNTIL_END_OF_SUPPORT"], got NEVER',
    ),
    ("container.Cluster", "workload_identity_config.workload_pool", "acme", "must be PROJECT.svc.id.goog"),
    ("container.Cluster", "resource_labels", {"llmd-pd": "Chat"}, "got llmd-pd=Chat"),
    ("container.Cluster", "resource_labels", {"a.b/c": "chat", "d": "e"}, "got a.b/c=chat"),
    ("container.Cluster", "monitoring_config.enable_components", ["DCGM", "GPU"], '"WORKLOADS"], got GPU'),
    ("container.NodePool", "node_config.labels", {"a b": "c"}, "got a b=c"),
    ("container.NodePool", "node_config.labels", {"a.b/c": "-d"}, "got a.b/c=-d"),
    ("container.NodePool", "node_config.linux_node_config.sysctls", {"vm.nr_hugepages": "1"}, "got vm.nr_hugepages=1"),
    ("container.NodePool", "name", "1st", NAME),
    ("container.NodePool", "node_count", -1, "expected node_count to be at least (0), got -1"),
    *[
        ("container.NodePool", f"autoscaling.{name}", -1, "to be at least (0), got -1")
        for name in ("min_node_count", "max_node_count", "total_min_node_count", "total_max_node_count")
    ],
    ("container.NodePool", "autoscaling.location_policy", "EVEN", 'to be one of ["BALANCED" "ANY"], got EVEN'),
    ("container.NodePool", "upgrade_settings.strategy", "ROLLING", '["SURGE" "BLUE_GREEN"], got ROLLING'),
    ("container.NodePool", "upgrade_settings.max_surge", -1, "to be at least (0), got -1"),
    ("container.NodePool", "upgrade_settings.max_unavailable", -1, "to be at least (0), got -1"),
    ("container.NodePool", "node_config.boot_disk.size_gb", 9, "to be at least (10), got 9"),
    (
        "container.NodePool",
        "node_config.ephemeral_storage_local_ssd_config.local_ssd_count",
        -1,
        "at least (0), got -1",
    ),
    (
        "container.NodePool",
        "node_config.guest_accelerators.gpu_driver_installation_config.gpu_driver_version",
        "NEWEST",
        '"LATEST"], got NEWEST',
    ),
    (
        "container.NodePool",
        "node_config.reservation_affinity.consume_reservation_type",
        "NONE",
        '"ANY_RESERVATION_THEN_FAIL"], got NONE',
    ),
    ("container.NodePool", "node_config.taints.effect", "NoSchedule", '"NO_EXECUTE"], got NoSchedule'),
    ("container.NodePool", "node_config.workload_metadata_config.mode", "GKE", '"GKE_METADATA"], got GKE'),
    ("container.NodePool", "node_config.max_run_duration", "7d", "is no duration in seconds"),
    ("projects.Service", "service", "compute", "is no domain like serviceusage.googleapis.com"),
    ("projects.IAMMember", "member", "nodes@acme", "is no member"),
    ("projects.IAMMember", "member", "deleted:serviceAccount:a@b", "is no member"),
    ("serviceaccount.Account", "account_id", "short", "must be between 6 and 30 characters long"),
    ("serviceaccount.Account", "account_id", "nodes-", NAME),
    ("serviceaccount.Account", "description", "d" * 257, "must be between 0 and 256 characters long"),
]
#: Arguments of blocks that there may be several of.
MANY = ("allows", "guest_accelerators", "maintenance_exclusions", "secondary_ip_ranges", "taints")


def nested(path: str, value: Any) -> dict[str, Any]:
    """Arguments with a value at a path, and nothing else."""
    step, _, rest = path.partition(".")
    inner = nested(rest, value) if rest else value
    return {step: [inner] if rest and step in MANY else inner}


def found(kind: str, args: Arguments) -> dict[str, str]:
    return dict(value_problems(kind, args))


@pytest.mark.parametrize(
    ("kind", "path", "value", "words"), WRONG, ids=[f"{row[0]} {row[1]} {row[2]!s:.9}" for row in WRONG]
)
def test_a_value_that_is_not_taken_is_named(kind: str, path: str, value: Any, words: str) -> None:
    ((place, said),) = found(kind, nested(path, value)).items()
    assert place.replace("[0]", "") == path
    assert words in said
    assert place in said or place == "service"
    assert found(kind, nested(path, UNKNOWN)) == {}


def test_every_rule_has_a_value_that_it_refuses() -> None:
    assert {(kind, path) for kind in KINDS for path in value_rules(kind)} == {(row[0], row[1]) for row in WRONG}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.skipif(importlib.util.find_spec("pulumi_gcp") is None, reason="pulumi-gcp is not installed")
def test_every_path_is_one_of_the_sdks(kind: str) -> None:
    assert [path for path in value_rules(kind) if not declares(kind, path)] == []
