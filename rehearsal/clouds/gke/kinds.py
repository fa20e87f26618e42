"""The kinds of resources of the pretend GKE, as rows: id, references and computed outputs.

A kind is a class of the SDK that a stack on GKE registers (`stacks.clouds.gke.plan`). `stacks.clouds.gke.replaces` has the
fields whose change replaces a resource; for kinds that it does not have they are here, from the schemas that Google's providers
are generated from.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from string import Formatter

from rehearsal.clouds.gke.versions import CHANNELS
from stacks.clouds.gke.laws.view import name_of
from stacks.clouds.resource import Arguments


@dataclass(frozen=True)
class Made:
    """A resource that is being created."""

    args: Arguments
    id: str
    #: The fleet's endpoint, which becomes that of every cluster.
    fleet: str = ""

    @property
    def project(self) -> str:
        """Its project."""
        return str(self.args["project"])


#: An output that is known only once the resource exists.
Computed = Callable[[Made], object]


@dataclass(frozen=True)
class Kind:
    """One kind of resource.

    `id` is a template filled with arguments. `refers` has paths of arguments, also through lists, and the kinds they refer to.
    `computed` are outputs by their paths. `aliases` are outputs by which others refer to it, beside its id. `shared`: a second
    resource of the same id is the same resource, as a role that is granted twice. `noun` is Google's word for it.
    """

    path: str
    id: str
    api: str = ""
    noun: str = ""
    refers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    computed: Mapping[str, Computed] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    shared: bool = False
    fixed: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """The arguments in its id, which are required."""
        named = (field for _, field, _, _ in Formatter().parse(self.id) if field)
        return tuple(field for field in named if field != "domain")

    def id_of(self, args: Arguments) -> str:
        """Returns the id of a resource with these arguments."""
        short = {key: name_of(args[key]) for key in ("cluster", "router") if key in args}
        return self.id.format_map(_Given({**args, **short, "domain": _domain(str(args.get("project")))}))


class _Given(dict[str, object]):
    """Arguments for a template, in which a missing one stays open."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def _domain(project: str) -> str:
    """Returns a project's part of the addresses of its accounts."""
    return ".".join(reversed(project.split(":"))) + ".iam.gserviceaccount.com"


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
    return made.fleet or f"gke-{_digest(made.id)[:28]}-{_number(made.project, 12)}.{made.args['location']}.gke.goog"


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
KINDS: Mapping[str, Kind] = {
    kind.path: kind
    for kind in (
        Kind("projects.Service", "{project}/{service}", shared=True, fixed=("project", "service")),
        Kind(
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
        Kind(
            "projects.ServiceIdentity",
            "projects/{project}/services/{service}",
            noun="service account",
            computed={"email": _agent, "member": _member(_agent)},
            aliases=("email", "member"),
            shared=True,
            fixed=("project", "service"),
        ),
        Kind(
            "projects.IAMMember",
            "{project}/{role}/{member}",
            refers={"member": ("serviceaccount.Account", "projects.ServiceIdentity")},
            computed={"etag": lambda made: _digest(made.id)[:12]},
            shared=True,
            fixed=("project", "role", "member", "condition"),
        ),
        Kind(
            "compute.Network",
            "projects/{project}/global/networks/{name}",
            api="compute",
            noun="network",
            computed={**_LINKED, "networkId": _unique, "numericId": _unique},
        ),
        Kind(
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
        Kind(
            "compute.Firewall",
            "projects/{project}/global/firewalls/{name}",
            api="compute",
            noun="firewall",
            refers=_NETWORK,
            computed=_LINKED,
            fixed=("project", "name", "direction"),
        ),
        Kind(
            "compute.Router",
            "projects/{project}/regions/{region}/routers/{name}",
            api="compute",
            noun="router",
            refers=_NETWORK,
            computed=_LINKED,
            fixed=("project", "name", "region", "network", "encrypted_interconnect_router"),
        ),
        Kind(
            "compute.RouterNat",
            "{project}/{region}/{router}/{name}",
            api="compute",
            noun="NAT",
            refers={"router": ("compute.Router",)},
            fixed=("project", "name", "region", "router", "initial_nat_ips", "endpoint_types", "type"),
        ),
        Kind(
            "container.Cluster",
            "projects/{project}/locations/{location}/clusters/{name}",
            api="container",
            noun="cluster",
            refers={**_NETWORK, "subnetwork": ("compute.Subnetwork",), **_NODES},
            computed={
                "masterVersion": _version,
                "controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint": _endpoint,
                "selfLink": lambda made: f"https://container.googleapis.com/v1/{made.id}",
            },
        ),
        Kind(
            "container.NodePool",
            "projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}",
            api="container",
            noun="node pool",
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


def path_of(token: str) -> str:
    """Returns the class path of an engine's type: `gcp:container/nodePool:NodePool` is `container.NodePool`."""
    _, module, name = token.split(":")
    return f"{module.partition('/')[0]}.{name}"
