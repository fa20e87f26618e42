"""Arguments that Google fills in if a program leaves them out, and which of them the next preview shows.

The plugin keeps Google's answer as the state and compares the program with it. An argument that is Optional and Computed in the
provider's schema stays if the program leaves it out. One that is Optional only shows as a removal at every preview, and
replaces the resource if it is ForceNew. A program has to set those, or ignore them.

Schemas and `flatten…` functions are those of terraform-provider-google-beta 7.45.0. The provider's
code forces an answer, or a public report shows it. Where the source says "not seen from GKE", it is possible by the schema: a
program that sets or ignores the argument is safe.

Labels of nodes are in no row: GKE adds some for sandboxes only (containerNodePoolLabelsSuppress). Of the cluster's labels the
provider reads only those that the program sets (`SetLabels`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hardware.machines import GKE_POOLS, GkePool
from rehearsal.clouds.gke.versions import CHANNELS
from rehearsal.clouds.inputs import camel
from releases.values import at, merge
from stacks.clouds.gke.laws.view import gpus, has_accelerators, look_up, machine_type
from stacks.clouds.resource import Arguments

#: Why a preview does not show an answer; "" if it shows it.
Quiet = Literal["", "Computed", "suppressed"]


@dataclass(frozen=True)
class Answer:
    """Google's answer for an argument: `value` of the program's arguments, None if it returns nothing.

    `forced`: it is returned also if the program sets another value.
    """

    path: str
    value: Callable[[Arguments], Any]
    quiet: Quiet
    source: str
    forced: bool = False


def _always(value: Any) -> Callable[[Arguments], Any]:
    return lambda _: value


def _if(path: str, value: Any) -> Callable[[Arguments], Any]:
    """Returns a value for arguments that have one at a path."""
    return lambda args: None if look_up(args, path) is None else value


def _rows(pool: Arguments) -> list[GkePool]:
    """Returns the machines of the table that a pool's nodes can be."""
    return [row for row in GKE_POOLS.values() if row.machine.instance_type == machine_type(pool)]


def _private_endpoint(args: Arguments) -> Any:
    off = look_up(args, "control_plane_endpoints_config.ip_endpoints_config.enabled") is False
    return True if off and args.get("private_cluster_config") is not None else None


def _own_nic(pool: Arguments) -> Any:
    return {"enabled": True} if _GVNIC_ONLY.match(machine_type(pool)) else None


def _local_ssds(pool: Arguments) -> Any:
    count = max(
        (row.local_ssds for row in GKE_POOLS.values() if row.machine.instance_type == machine_type(pool)), default=0
    )
    return {"local_ssd_count": count} if count else None


def _resource_labels(pool: Arguments) -> Any:
    accelerator = gpus(pool).get("type")
    return {"goog-gke-accelerator-type": accelerator} if accelerator else None


def _reservation(pool: Arguments) -> Any:
    return {"consume_reservation_type": "NO_RESERVATION"} if has_accelerators(pool) else None


def _placement(pool: Arguments) -> Any:
    shapes = [row.topology for row in _rows(pool) if row.topology]
    return {"tpu_topology": shapes[0]} if shapes else None


def _host_maintenance(pool: Arguments) -> Any:
    kind = look_up(pool, "node_config.reservation_affinity.consume_reservation_type")
    return {"maintenance_interval": "PERIODIC"} if kind == "SPECIFIC_RESERVATION" else None


def _most_ports(nat: Arguments) -> Any:
    return 65_536 if nat.get("enable_dynamic_port_allocation") is True else None


def _least_ports(nat: Arguments) -> Any:
    return 32 if nat.get("enable_dynamic_port_allocation") is True else 64


#: Machine series whose only NIC is gVNIC.
_GVNIC_ONLY = re.compile(r"(c3d?|c4[ad]?|n4|a3|a4)-")
_CLUSTER_GO = "container/resource_container_cluster.go"
_POOL_GO = "container/resource_container_node_pool.go"
_NODE_GO = "container/node_config.go"
_NAT_GO = "compute/resource_compute_router_nat.go"
_NOT_SEEN = "not seen from GKE"

#: By class path.
ANSWERS: Mapping[str, tuple[Answer, ...]] = {
    "container.Cluster": (
        Answer(
            "private_cluster_config.enable_private_endpoint",
            _private_endpoint,
            "",
            f"{_CLUSTER_GO}: flattenPrivateClusterConfig; Optional; containerClusterPrivateClusterConfigSuppress lets it through"
            " up to 7.45.0 (terraform-provider-google#27901, mended by magic-modules#18386)",
            forced=True,
        ),
        Answer(
            "private_cluster_config.master_global_access_config",
            _if("private_cluster_config", {"enabled": False}),
            "Computed",
            f"{_CLUSTER_GO}: flattenPrivateClusterConfig",
        ),
        Answer(
            "private_cluster_config.master_global_access_config.enabled",
            lambda cluster: False if _private_endpoint(cluster) else None,
            "Computed",
            f"{_CLUSTER_GO}: expandControlPlaneEndpointsConfig does not send it (magic-modules#18386)",
            forced=True,
        ),
        Answer("default_max_pods_per_node", _always(110), "Computed", f"{_CLUSTER_GO}; GKE docs, flexible pod CIDR"),
        Answer("logging_service", _always("logging.googleapis.com/kubernetes"), "Computed", _CLUSTER_GO),
        Answer("monitoring_service", _always("monitoring.googleapis.com/kubernetes"), "Computed", _CLUSTER_GO),
        Answer(
            "node_version",
            lambda cluster: cluster.get("min_master_version") or CHANNELS["REGULAR"],
            "Computed",
            _CLUSTER_GO,
        ),
    ),
    "container.NodePool": (
        Answer(
            "node_config.gvnic",
            _own_nic,
            "",
            f"{_NODE_GO}: Optional; Compute docs, machine series; cluster-toolkit says it of every pool; {_NOT_SEEN}",
        ),
        Answer(
            "node_config.ephemeral_storage_local_ssd_config",
            _local_ssds,
            "",
            f"{_NODE_GO}: Optional, ForceNew; terraform-provider-google#17068, cluster-toolkit#2968",
        ),
        Answer(
            "node_config.reservation_affinity",
            _reservation,
            "",
            f"{_NODE_GO}: Optional, ForceNew; cluster-toolkit says it of every pool; {_NOT_SEEN}",
        ),
        Answer(
            "node_config.host_maintenance_policy",
            _host_maintenance,
            "",
            f"{_NODE_GO}: Optional, ForceNew; {_NOT_SEEN}",
        ),
        Answer(
            "placement_policy",
            _placement,
            "",
            f"{_POOL_GO}: Optional, ForceNew; set from whatever the API returns, without a `type`"
            f" (magic-modules#17643, vllm-project/ci-infra#547); for one host {_NOT_SEEN}",
        ),
        Answer(
            "node_config.resource_labels",
            _resource_labels,
            "suppressed",
            f"{_NODE_GO}: containerNodePoolResourceLabelsDiffSuppress, keys that begin with goog-gke",
        ),
        Answer("node_config.disk_size_gb", _always(100), "Computed", f"{_NODE_GO}; GKE docs, default of boot disks"),
        Answer("node_config.logging_variant", _always("DEFAULT"), "Computed", _NODE_GO),
        Answer("max_pods_per_node", _always(110), "Computed", _POOL_GO),
        Answer("autoscaling.location_policy", _if("autoscaling", "BALANCED"), "Computed", _POOL_GO),
        Answer(
            "upgrade_settings",
            _always({"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0}),
            "Computed",
            f"{_POOL_GO}; GKE docs, surge upgrades",
        ),
    ),
    "compute.RouterNat": (
        Answer(
            "min_ports_per_vm", _least_ports, "Computed", f"{_NAT_GO}: description of enable_dynamic_port_allocation"
        ),
        Answer(
            "max_ports_per_vm",
            _most_ports,
            "",
            f"{_NAT_GO}: Optional; description of enable_dynamic_port_allocation; {_NOT_SEEN}",
        ),
    ),
    "compute.Network": (
        Answer("mtu", _always(1460), "Computed", "compute/resource_compute_network.go: description of mtu"),
        Answer("routing_mode", _always("REGIONAL"), "Computed", "compute/resource_compute_network.go; Compute docs"),
    ),
    "compute.Subnetwork": (
        Answer(
            "purpose", _always("PRIVATE"), "Computed", "compute/resource_compute_subnetwork.go: description of purpose"
        ),
        Answer("stack_type", _always("IPV4_ONLY"), "Computed", "compute/resource_compute_subnetwork.go"),
    ),
}


def answered(kind: str, args: Arguments, state: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the state of a resource with Google's answers beside or instead of its arguments."""
    found = [_placed(answer, value) for answer, value in _returned(kind, args)]
    return merge(state, *found)


def as_kept(kind: str, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Returns old inputs as the plugin compares them with new ones: with the answers in the state that a preview shows.

    For an argument that the program set, Google's answer counts. For one that it left out, a false or empty answer counts as
    none.
    """
    shown = []
    for answer in ANSWERS.get(kind, ()):
        said, kept = (look_up(tree, camel(answer.path)) for tree in (inputs, state))
        counts = bool(kept) and not answer.quiet if said is None else kept is not None
        if counts:
            shown.append(_placed(answer, kept))
    return merge(inputs, *shown)


def _returned(kind: str, args: Arguments) -> Iterator[tuple[Answer, Any]]:
    for answer in ANSWERS.get(kind, ()):
        block = answer.path.rpartition(".")[0]
        present = not block or look_up(args, block) is not None
        if present and (answer.forced or look_up(args, answer.path) is None):
            value = answer.value(args)
            if value is not None:
                yield answer, value


def _placed(answer: Answer, value: Any) -> dict[str, Any]:
    """Puts an answer at its path in the engine's spelling. Keys of resource labels are Google's own and stay."""
    spelt = value
    if isinstance(value, Mapping) and not answer.path.endswith("labels"):
        spelt = {camel(key): part for key, part in value.items()}
    return at(tuple(camel(answer.path).split(".")), spelt)
