"""Access of a GKE cluster in its project: APIs, the nodes' service account, and IAM roles.

APIs stay after a destroy, because others in the project may use them. The account of the user who runs Pulumi is not made here;
the docs list its roles.
"""

from stacks.clouds.gke.settings import Settings
from stacks.clouds.naming import shortened
from stacks.clouds.resource import Ref, Resource

#: The APIs, each with its purpose.
APIS = {
    "container": "GKE",
    "compute": "machines and networks",
    "iam": "service accounts",
    "monitoring": "metrics",
    "logging": "logs",
    "file": "Filestore, for volumes that many pods write",
}
GATEWAY_APIS = {"networkservices": "load balancers of Gateways", "certificatemanager": "certificates of Gateways"}

#: The roles of the nodes' account, each with its purpose: cluster-toolkit's roles without `storage.objectViewer`. That role was
#: for images of Container Registry, which was shut down on 2025-03-18: `gcr.io` is served by Artifact Registry now, under its
#: own role. Pods never had these roles: under Workload Identity (`GKE_METADATA`) they do not use the nodes' account.
NODE_ROLES = {
    "logging.logWriter": "write logs",
    "monitoring.metricWriter": "write metrics",
    "monitoring.viewer": "read metrics",
    "stackdriver.resourceMetadata.writer": "say what metrics are about",
    "artifactregistry.reader": "pull images",
}
ACCOUNT, AGENT = "node-account", "gke-agent"


def access(settings: Settings) -> list[Resource]:
    """Returns APIs, then accounts, then roles."""
    return [*_apis(settings), *_node_account(settings), *(_gke_agent(settings) if settings.rdma == "dranet" else [])]


def api(settings: Settings, name: str) -> str:
    """Returns the logical name of an API's resource."""
    return settings.named(f"api-{name}")


def _apis(settings: Settings) -> list[Resource]:
    wanted = APIS | (GATEWAY_APIS if settings.gateway else {})
    return [
        Resource(
            name=api(settings, name),
            type="projects.Service",
            title=f"The API of {what}",
            args={
                "project": settings.project,
                "service": f"{name}.googleapis.com",
                "disable_on_destroy": False,
            },
        )
        for name, what in wanted.items()
    ]


def _node_account(settings: Settings) -> list[Resource]:
    account = Resource(
        name=settings.named(ACCOUNT),
        type="serviceaccount.Account",
        title="What the nodes are to the project",
        args={
            "project": settings.project,
            # Google allows 6 to 30 characters.
            "account_id": shortened(settings.named("nodes"), 30),
            "display_name": f"Nodes of {settings.name}",
            "description": f"Nodes of the GKE cluster {settings.name}, made by its stack",
        },
        after=(api(settings, "iam"),),
    )
    roles = [
        _role(settings, f"nodes-{role.replace('.', '-')}", role, f"The nodes may {what}", Ref(account.name, "member"))
        for role, what in NODE_ROLES.items()
    ]
    return [account, *roles]


def _gke_agent(settings: Settings) -> list[Resource]:
    """Returns the role of GKE's own account: with managed DRANET, GKE itself makes the networks of the accelerators' NICs."""
    agent = Resource(
        name=settings.named(AGENT),
        type="projects.ServiceIdentity",
        title="GKE's own account in the project",
        args={"project": settings.project, "service": "container.googleapis.com"},
        after=(api(settings, "container"),),
    )
    title = "GKE may make the networks of the accelerators' NICs"
    return [agent, _role(settings, f"{AGENT}-networks", "compute.networkAdmin", title, Ref(agent.name, "member"))]


def _role(settings: Settings, part: str, role: str, title: str, member: Ref) -> Resource:
    args = {"project": settings.project, "role": f"roles/{role}", "member": member}
    return Resource(name=settings.named(part), type="projects.IAMMember", title=title, args=args)
