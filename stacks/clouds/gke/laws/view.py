"""Resources of a GKE cluster, read for checks: what their arguments mean, whether references are still open or resolved.

Nothing here knows which stack file they come from: a plan's are judged the same way as what a program registered.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from releases import values
from stacks.clouds.laws import broken
from stacks.clouds.resource import Arguments, Ref, Resource
from stacks.findings import Finding


def name_of(value: Any) -> str:
    """Returns the name in a reference to a network, subnet or router: an open reference, an id, a link or a name.

    These have one name, in the plan and in the cloud.
    """
    return value.resource if isinstance(value, Ref) else str(value).rpartition("/")[2]


def look_up(value: Any, path: str) -> Any:
    """The value at a path like `node_config.boot_disk.size_gb`, None where a step is missing."""
    return values.look_up(value, tuple(path.split(".")))


def gpus(pool: Arguments) -> Mapping[str, Any]:
    """Returns a node pool's GPU settings, empty if it has none."""
    found: Sequence[Mapping[str, Any]] = look_up(pool, "node_config.guest_accelerators") or ({},)
    return found[0]


def machine_type(pool: Arguments) -> str:
    """The machine type of a node pool's nodes."""
    return str(look_up(pool, "node_config.machine_type") or "")


def is_tpu(pool: Arguments) -> bool:
    """Whether a node pool's nodes are TPU hosts."""
    return machine_type(pool).startswith(("tpu", "ct"))


def has_accelerators(pool: Arguments) -> bool:
    """Whether a node pool's nodes have GPUs or TPUs."""
    return bool(gpus(pool)) or is_tpu(pool)


@dataclass(frozen=True)
class Pool:
    """A node pool's arguments."""

    resource: Resource

    def get(self, path: str) -> Any:
        """The argument at a path."""
        return look_up(self.resource.args, path)

    def broken(self, field: str, what: str) -> Finding:
        """Returns the finding at one of its arguments."""
        return broken(self.resource.name, field, what)

    @property
    def machine_type(self) -> str:
        """Its nodes' machine type."""
        return machine_type(self.resource.args)

    @property
    def gpus(self) -> Mapping[str, Any]:
        """Its GPU settings, empty if it has none."""
        return gpus(self.resource.args)

    @property
    def is_tpu(self) -> bool:
        """Whether its nodes are TPU hosts."""
        return is_tpu(self.resource.args)

    @property
    def has_accelerators(self) -> bool:
        """Whether its nodes have GPUs or TPUs."""
        return has_accelerators(self.resource.args)

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels it gives its nodes."""
        found: Mapping[str, str] = self.get("node_config.labels") or {}
        return found

    @property
    def dranet(self) -> bool:
        """Whether GKE makes the networks of its NICs and hands them out by DRA."""
        return self.get("network_config.accelerator_network_profile") is not None

    @property
    def nics(self) -> Sequence[Mapping[str, Any]]:
        """The networks its nodes have beside the cluster's."""
        found: Sequence[Mapping[str, Any]] = self.get("network_config.additional_node_network_configs") or ()
        return found

    @property
    def most_nodes(self) -> int:
        """How many nodes it may have at once, one of an upgrade included where it makes such."""
        zones = len(self.get("node_locations") or (None,))
        scaling = self.get("autoscaling") or {}
        total = scaling.get("total_max_node_count")
        per_zone = scaling.get("max_node_count", self.get("node_count") or 0)
        surge = self.get("upgrade_settings.max_surge")
        return int(total if total is not None else per_zone * zones) + int(1 if surge is None else surge)


def pools(resources: Sequence[Resource]) -> Iterator[Pool]:
    """The node pools."""
    return (Pool(found) for found in resources if found.type == "container.NodePool")


def clusters(resources: Sequence[Resource]) -> Iterator[Resource]:
    """The clusters: of one stack there is one."""
    return (found for found in resources if found.type == "container.Cluster")
