"""The kinds of resources of the pretend GKE, as rows: id, references and computed outputs; `effects` has what they do.

A kind is a class of the SDK that a stack on GKE registers (`stacks.clouds.gke.plan`). `stacks.clouds.gke.replaces` has the
fields whose change replaces a resource; for kinds that it does not have they are here, from the schemas that Google's providers
are generated from.
"""

import hashlib
from collections.abc import Mapping
from ipaddress import IPv4Network

from rehearsal.clouds.gke.effects import ClusterKind, GoogleKind, PoolKind
from rehearsal.clouds.gke.versions import CHANNELS
from rehearsal.clouds.pretend import Computed, Made
from stacks.clouds.gke.laws.rules import NET_04
from stacks.clouds.gke.laws.view import name_of


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _number(text: str, digits: int) -> str:
    """Returns a number that is the same for the same text."""
    return str(int(_digest(text), 16))[:digits]


def _link(made: Made) -> str:
    return f"https://www.googleapis.com/compute/v1/{made.id}"


def _unique(made: Made) -> str:
    return _number(made.id, 19)


def _account(made: Made) -> str:
    return made.id.rpartition("/")[2]


def _agent(made: Made) -> str:
    return f"service-{_number(made.project, 12)}@container-engine-robot.iam.gserviceaccount.com"


def _member(email: Computed) -> Computed:
    return lambda made: f"serviceAccount:{email(made)}"


def _version(made: Made) -> object:
    return made.args.get("min_master_version") or DEFAULT_VERSION


def _endpoint(made: Made) -> str:
    return (
        made.world.endpoint
        or f"gke-{_digest(made.id)[:28]}-{_number(made.project, 12)}.{made.args['location']}.gke.goog"
    )


def _groups(made: Made) -> list[str]:
    zones = made.args.get("node_locations") or [made.args["location"]]
    group = f"gke-{name_of(made.args['cluster'])}-{made.args['name']}-{_digest(made.id)[:8]}-grp"
    place = f"https://www.googleapis.com/compute/v1/projects/{made.project}/zones"
    return [f"{place}/{zone}/instanceGroupManagers/{group}" for zone in zones]


#: The version of a cluster that names none.
DEFAULT_VERSION = CHANNELS["REGULAR"]
_NETWORK = {"network": ("compute.Network",)}
_NODES = {"node_config.service_account": ("serviceaccount.Account",)}
_NICS = "network_config.additional_node_network_configs"
_LINKED: Mapping[str, Computed] = {"selfLink": _link}

#: By the class's path.
KINDS: Mapping[str, GoogleKind] = {
    kind.path: kind
    for kind in (
        GoogleKind("projects.Service", "{project}/{service}", shared=True, fixed=("project", "service")),
        GoogleKind(
            "serviceaccount.Account",
            "projects/{project}/serviceAccounts/{account_id}@{domain}",
            api="iam",
            noun="service account",
            computed={
                "email": _account,
                "member": _member(_account),
                "name": lambda made: made.id,
                "uniqueId": lambda made: _number(made.id, 21),
            },
            aliases=("email", "member"),
            fixed=("project", "account_id"),
        ),
        GoogleKind(
            "projects.ServiceIdentity",
            "projects/{project}/services/{service}",
            noun="service account",
            computed={"email": _agent, "member": _member(_agent)},
            aliases=("email", "member"),
            shared=True,
            fixed=("project", "service"),
        ),
        GoogleKind(
            "projects.IAMMember",
            "{project}/{role}/{member}",
            refers={"member": ("serviceaccount.Account", "projects.ServiceIdentity")},
            computed={"etag": lambda made: _digest(made.id)[:12]},
            shared=True,
            fixed=("project", "role", "member", "condition"),
        ),
        GoogleKind(
            "compute.Network",
            "projects/{project}/global/networks/{name}",
            api="compute",
            noun="network",
            later=frozenset({NET_04.id}),  # it is about the network's subnets
            computed={**_LINKED, "networkId": _unique, "numericId": _unique},
        ),
        GoogleKind(
            "compute.Subnetwork",
            "projects/{project}/regions/{region}/subnetworks/{name}",
            api="compute",
            noun="subnetwork",
            refers=_NETWORK,
            computed={
                **_LINKED,
                "gatewayAddress": lambda made: str(IPv4Network(made.args["ip_cidr_range"])[1]),
            },
        ),
        GoogleKind(
            "compute.Firewall",
            "projects/{project}/global/firewalls/{name}",
            api="compute",
            noun="firewall",
            refers=_NETWORK,
            computed=_LINKED,
            fixed=("project", "name", "direction"),
        ),
        GoogleKind(
            "compute.Router",
            "projects/{project}/regions/{region}/routers/{name}",
            api="compute",
            noun="router",
            refers=_NETWORK,
            computed=_LINKED,
            fixed=("project", "name", "region", "network", "encrypted_interconnect_router"),
        ),
        GoogleKind(
            "compute.RouterNat",
            "{project}/{region}/{router}/{name}",
            api="compute",
            noun="NAT",
            refers={"router": ("compute.Router",)},
            fixed=("project", "name", "region", "router", "initial_nat_ips", "endpoint_types", "type"),
        ),
        ClusterKind(
            "container.Cluster",
            "projects/{project}/locations/{location}/clusters/{name}",
            api="container",
            noun="cluster",
            refers={**_NETWORK, "subnetwork": ("compute.Subnetwork",), **_NODES},
            takes=("container.NodePool",),
            whole=True,
            follows=("masterVersion",),
            computed={
                "masterVersion": _version,
                "controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint": _endpoint,
                "selfLink": lambda made: f"https://container.googleapis.com/v1/{made.id}",
            },
        ),
        PoolKind(
            "container.NodePool",
            "projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}",
            api="container",
            noun="node pool",
            whole=True,
            refers={
                "cluster": ("container.Cluster",),
                **_NODES,
                f"{_NICS}.network": ("compute.Network",),
                f"{_NICS}.subnetwork": ("compute.Subnetwork",),
            },
            computed={"instanceGroupUrls": _groups, "managedInstanceGroupUrls": _groups},
        ),
    )
}
