"""Rules over several arguments of one resource: one of them, at least one of them, not both.

They are in the Go schemas of Google's Terraform provider only, which the Pulumi plugin validates by; the SDK's types and the
plugin's schema say nothing of them. These are all 71 of the eleven kinds that a stack makes, from the compiled schemas of
terraform-provider-google-beta 7.45.0, which the plugin is built on (submodule `upstream` of pulumi-gcp, August 2026). They were
made by a walk over `Resource.SchemaMap()` of each kind that prints ExactlyOneOf, AtLeastOneOf, ConflictsWith and RequiredWith.
Where they are, under `google-beta/services/` of that repository:

- container.Cluster: container/resource_container_cluster.go (58 rules)
- compute.Firewall, Subnetwork, Router, RouterNat (6, 4, 2, 1): compute/resource_compute_firewall.go and so on
- none in container.NodePool (container/resource_container_node_pool.go, node_config.go), compute.Network
  (compute/resource_compute_network.go), projects.Service, ServiceIdentity, IAMMember and serviceaccount.Account
  (resourcemanager/resource_google_project_service.go, resource_project_service_identity.go, iam_project.go with
  tpgiamresource/resource_iam_member.go, resource_google_service_account.go)

No kind has a RequiredWith in this version. Meaning and words are those of `validate…Attribute` in terraform-plugin-sdk,
helper/schema/schema.go.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rehearsal.plugins.values import contains_unknown, is_unknown
from stacks.clouds.resource import Arguments

Rule = Literal["ExactlyOneOf", "AtLeastOneOf", "ConflictsWith", "RequiredWith"]


@dataclass(frozen=True)
class CrossField:
    """A rule that an argument carries: its path and those of the others in the provider's spelling, blocks as `block.0.name`."""

    kind: str
    rule: Rule
    field: str
    others: tuple[str, ...]


def _among(kind: str, rule: Rule, block: str, names: str) -> Iterator[CrossField]:
    """The rule that every argument of a group carries."""
    group = tuple(f"{block}.0.{name}" if block else name for name in names.split())
    return (CrossField(kind, rule, field, group) for field in group)


def _conflicts(kind: str, rows: Mapping[str, str]) -> Iterator[CrossField]:
    return (CrossField(kind, "ConflictsWith", field, tuple(others.split())) for field, others in rows.items())


_CLUSTER = "container.Cluster"
_NAP = "cluster_autoscaling.0.auto_provisioning_defaults"
_RANGES = "ip_allocation_policy.0"
_BY_NAME = f"{_RANGES}.cluster_secondary_range_name {_RANGES}.services_secondary_range_name"
_BY_SIZE = f"{_RANGES}.cluster_ipv4_cidr_block {_RANGES}.services_ipv4_cidr_block"
_NOT_WITH_AUTOPILOT = (
    "addons_config.0.dns_cache_config addons_config.0.network_policy_config addons_config.0.stateful_ha_config"
    " cluster_autoscaling.0.enabled cluster_autoscaling.0.resource_limits default_max_pods_per_node enable_intranode_visibility"
    " enable_shielded_nodes network_policy node_pool remove_default_node_pool"
)
CROSS_FIELDS: tuple[CrossField, ...] = (
    *_among("compute.Firewall", "ExactlyOneOf", "", "allow deny"),
    *_conflicts(
        "compute.Firewall",
        {
            "source_service_accounts": "source_tags target_tags",
            "source_tags": "source_service_accounts target_service_accounts",
            "target_service_accounts": "source_tags target_tags",
            "target_tags": "source_service_accounts target_service_accounts",
        },
    ),
    *_conflicts("compute.Router", {"ncc_gateway": "network", "network": "ncc_gateway"}),
    *_conflicts("compute.RouterNat", {"initial_nat_ips": "drain_nat_ips nat_ips"}),
    *_among(
        "compute.Subnetwork", "AtLeastOneOf", "log_config", "aggregation_interval filter_expr flow_sampling metadata"
    ),
    *_among(
        _CLUSTER,
        "ExactlyOneOf",
        "maintenance_policy",
        "daily_maintenance_window recurring_window recurring_maintenance_window",
    ),
    *_among(
        _CLUSTER,
        "ExactlyOneOf",
        f"{_NAP}.0.upgrade_settings.0.blue_green_settings.0.standard_rollout_policy",
        "batch_percentage batch_node_count",
    ),
    *_among(
        _CLUSTER,
        "AtLeastOneOf",
        "addons_config",
        "agent_sandbox_config cloudrun_config config_connector_config dns_cache_config gce_persistent_disk_csi_driver_config"
        " gcp_filestore_csi_driver_config gcs_fuse_csi_driver_config gke_backup_agent_config high_scale_checkpointing_config"
        " horizontal_pod_autoscaling http_load_balancing istio_config kalm_config lustre_csi_driver_config network_policy_config"
        " node_readiness_config parallelstore_csi_driver_config pod_snapshot_config ray_operator_config slice_controller_config"
        " slurm_operator_config stateful_ha_config",
    ),
    *_among(
        _CLUSTER,
        "AtLeastOneOf",
        "private_cluster_config",
        "enable_private_endpoint enable_private_nodes master_ipv4_cidr_block private_endpoint_subnetwork"
        " master_global_access_config",
    ),
    *_among(_CLUSTER, "AtLeastOneOf", "protect_config", "workload_config workload_vulnerability_mode"),
    *_among(
        _CLUSTER,
        "AtLeastOneOf",
        f"{_NAP}.0.shielded_instance_config",
        "enable_secure_boot enable_integrity_monitoring",
    ),
    *_conflicts(
        _CLUSTER,
        {
            **dict.fromkeys(_NOT_WITH_AUTOPILOT.split(), "enable_autopilot"),
            "binary_authorization.0.enabled": "enable_autopilot binary_authorization.0.evaluation_mode",
            "binary_authorization.0.evaluation_mode": "binary_authorization.0.enabled",
            "cluster_ipv4_cidr": "ip_allocation_policy",
            "ip_allocation_policy": "cluster_ipv4_cidr",
            **dict.fromkeys(_BY_SIZE.split(), _BY_NAME),
            **dict.fromkeys(_BY_NAME.split(), _BY_SIZE),
            "enable_tpu": "tpu_config",
            "logging_service": "cluster_telemetry",
            "monitoring_service": "cluster_telemetry",
        },
    ),
)
#: Lists of blocks by the provider's name, and the SDK's name for them. One that is empty counts as absent.
_LISTS: Mapping[str, str] = {
    "allow": "allows",
    "deny": "denies",
    "node_pool": "node_pools",
    "ray_operator_config": "ray_operator_configs",
}
#: Blocks all of whose arguments have a default in the provider's schema. The plugin fills it in before it validates, so that one
#: without arguments is whole (pulumi-terraform-bridge, `applyDefaults`).
_DEFAULTED = frozenset({"log_config", f"{_NAP}.0.shielded_instance_config"})


def sdk_path(field: str) -> str:
    """An argument's path in the SDK's spelling: without the number of a block that there is one of, and lists in the plural."""
    return ".".join(_LISTS.get(step, step) for step in field.split(".") if step != "0")


def cross_field_problems(kind: str, args: Arguments) -> Iterator[tuple[str, str]]:
    """Path in the SDK's spelling and the provider's words, for every rule that arguments break.

    A rule inside a block is judged if the block is present, and everything in it is known.
    """
    for row in CROSS_FIELDS:
        if row.kind == kind and _judged(args, row.field):
            said = _JUDGES[row.rule](args, row)
            if said:
                yield sdk_path(row.field), said


def _judged(args: Arguments, field: str) -> bool:
    """Whether the provider's validation comes to the argument."""
    block, _, _ = field.rpartition(".0.")
    top = sdk_path(field).partition(".")[0]
    return not block or (_get(args, block) is not None and not contains_unknown(args[top]))


def _get(args: Any, field: str) -> Any:
    """The value at a path of the provider's; None if it is absent."""
    for step in sdk_path(field).split("."):
        args = args.get(step) if isinstance(args, Mapping) else None
    return None if args == [] and field.rpartition(".")[2] in _LISTS else args


def _exactly_one(args: Arguments, row: CrossField) -> str:
    named = ",".join(sorted({row.field, *row.others}))
    found = {field: value for field in named.split(",") if (value := _get(args, field)) is not None}
    known = [field for field, value in found.items() if not contains_unknown(value)]
    start = f'Invalid combination of arguments: "{row.field}": '
    if not found:
        return f"{start}one of `{named}` must be specified"
    if len(known) > 1:
        return f"{start}only one of `{named}` can be specified, but `{','.join(known)}` were specified."
    return ""


def _at_least_one(args: Arguments, row: CrossField) -> str:
    named = sorted({row.field, *row.others})
    if row.field.rpartition(".0.")[0] in _DEFAULTED or any(_get(args, field) is not None for field in named):
        return ""
    return f'Missing required argument: "{row.field}": one of `{",".join(named)}` must be specified'


def _all_of_them(args: Arguments, row: CrossField) -> str:
    named = sorted({row.field, *row.others})
    if _get(args, row.field) is None or all(_get(args, field) is not None for field in named):
        return ""
    return f'Missing required argument: "{row.field}": all of `{",".join(named)}` must be specified'


def _not_both(args: Arguments, row: CrossField) -> str:
    """The first conflict of an argument that is present and known; what is not known yet may turn out to be absent."""
    own = _get(args, row.field)
    if own is None or contains_unknown(own):
        return ""
    for other in row.others:
        value = _get(args, other)
        if value is not None and not is_unknown(value):
            return f'Conflicting configuration arguments: "{row.field}": conflicts with {other}'
    return ""


_JUDGES: Mapping[Rule, Callable[[Arguments, CrossField], str]] = {
    "ExactlyOneOf": _exactly_one,
    "AtLeastOneOf": _at_least_one,
    "ConflictsWith": _not_both,
    "RequiredWith": _all_of_them,
}
