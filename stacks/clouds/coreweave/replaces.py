"""Tables of the arguments whose change replaces a CKS cluster or its VPC, and of those that CoreWeave never changes.

Sources: the schemas of CoreWeave's provider, its docs on upgrades, and the fact that addresses in use cannot move.
"""

from stacks.clouds.coreweave.versions import upgrades
from stacks.clouds.replaces import Fixed, Immutables
from stacks.clouds.resource import Arguments

_CLUSTER = (
    "name zone vpc_id pod_cidr_name service_cidr_name pod_cidr_name_v6 service_cidr_name_v6 internal_lb_cidr_names_v6s"
    " shared_storage_cluster_id"
)


def _hosts(old: Arguments, new: Arguments) -> list[str]:
    """Returns the changed hosts' ranges. Removing the argument is no change: the ranges stay."""
    return [
        path for path in ("host_prefix", "host_prefixes") if new.get(path) is not None and old.get(path) != new[path]
    ]


def _shrunk(old: Arguments, new: Arguments) -> list[str]:
    """Returns arguments that lost a name or port: these may be added but never removed."""
    gone = set(old.get("internal_lb_cidr_names") or ()) - set(new.get("internal_lb_cidr_names") or ())
    before, after = old.get("node_port_range"), new.get("node_port_range")
    less = before and after and not (after["start"] <= before["start"] and after["end"] >= before["end"])
    return [*(["internal_lb_cidr_names"] if gone else []), *(["node_port_range"] if less else [])]


CKS = Immutables(
    replacing={"NetworkingVpc": Fixed(("name", "zone")), "CksCluster": Fixed(tuple(_CLUSTER.split()))},
    moved={"NetworkingVpc": _hosts, "CksCluster": _shrunk},
)


def unchangeable_fields(old: Arguments, new: Arguments, kind: str) -> list[str]:
    """Returns the changed arguments that an existing cluster cannot adopt and that do not replace it either."""
    if kind == "CksCluster":
        return [] if upgrades(str(old.get("version")), str(new.get("version"))) else ["version"]
    before, after = (
        {(row["name"], row["value"]) for row in args.get("vpc_prefixes") or () if isinstance(row, dict)}
        for args in (old, new)
    )
    return ["vpc_prefixes"] if before - after else []
