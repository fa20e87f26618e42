"""The table of CoreWeave's pretend cloud: a stand-in for the Pulumi plugin `pulumi-resource-coreweave`, for a VPC and a cluster.

It is as strict as CoreWeave's docs, and stricter if they are silent: a cluster with a NodePool cannot be deleted.
"""

from collections.abc import Iterable

from rehearsal.clouds.coreweave import messages
from rehearsal.clouds.pretend import Errors, Kind, Made, PretendKinds, World
from rehearsal.clouds.store import Record
from releases.coreweave import SDK
from stacks.clouds.coreweave.plan import CLUSTER, VPC
from stacks.clouds.coreweave.pools import API
from stacks.clouds.coreweave.replaces import CKS, unchangeable_fields
from stacks.clouds.coreweave.rules import RULES
from stacks.clouds.coreweave.versions import OLDEST_OFFERED, parse


class VpcKind(Kind):
    """A VPC. A prefix goes only if no cluster is in the VPC."""

    def check_change(self, made: Made, before: Record) -> None:
        if not unchangeable_fields(before.args, made.args, VPC):
            return
        for record in made.records:
            if record.kind == CLUSTER and record.args["vpc_id"] == before.id:
                raise messages.in_use("a prefix of VPC", before.args["name"], f"cluster {record.args['name']}")


class ClusterKind(Kind):
    """A CKS cluster, for which the fleet stands; node pools are objects in it."""

    def check_references(self, made: Made) -> None:
        if "vpc_id" not in made.refers:
            raise messages.not_found("VPC", str(made.args.get("vpc_id")))

    def check_new(self, made: Made) -> None:
        version = made.args["version"]
        if (parse(version) or OLDEST_OFFERED) < OLDEST_OFFERED:
            raise messages.not_offered(version)

    def check_change(self, made: Made, before: Record) -> None:
        if unchangeable_fields(before.args, made.args, CLUSTER):
            raise messages.no_upgrade(before.args["version"], made.args["version"])

    def users(self, world: World) -> Iterable[tuple[str, str]]:
        pools = world.fleet.items(API) if world.fleet else ()
        return [("NodePool", pool["metadata"]["name"]) for pool in pools]


def _endpoint(made: Made) -> str:
    return made.world.endpoint or f"{made.id[:8]}.k8s.{str(made.args.get('zone')).lower()}.coreweave.com"


COREWEAVE = PretendKinds(
    package="coreweave",
    sdk=SDK,
    kinds={
        VPC: VpcKind(
            VPC,
            noun="VPC",
            filled={
                "hostPrefixes": lambda _: [{"name": "primary", "type": "PRIMARY", "prefixes": ["10.176.192.0/18"]}],
                "ingress": lambda _: {"disablePublicServices": False},
                "egress": lambda _: {"disablePublicAccess": False},
            },
        ),
        CLUSTER: ClusterKind(
            CLUSTER,
            noun="cluster",
            refers={"vpc_id": (VPC,)},
            computed={
                "apiServerEndpoint": _endpoint,
                "status": lambda _: "STATUS_RUNNING",
                "serviceAccountOidcIssuerUrl": lambda made: f"https://oidc.cks.coreweave.com/id/{made.id}",
            },
        ),
    },
    replaces=CKS,
    rules=RULES,
    errors=Errors(
        name=lambda args, _id: str(args["name"]),
        not_found=messages.not_found,
        already_exists=messages.already_exists,
        in_use=lambda noun, name, user_noun, user: messages.in_use(noun, name, f"{user_noun} {user}"),
        no_target=lambda reference: messages.not_found("VPC", reference.target),
    ),
)
