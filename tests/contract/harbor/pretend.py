"""The table of the pretend Harbor, and the rehearsal that names it."""

from rehearsal.clouds.cloud import CloudRehearsal
from rehearsal.clouds.pretend import Errors, Kind, PretendKinds
from rehearsal.faults import Fault
from rehearsal.plugins.plugin import Failure
from tests.contract.harbor.cloud import HARBOR_01, REPLACES

NETWORK, CLUSTER = "network.Network", "cluster.Cluster"

TABLE = PretendKinds(
    package="harbor",
    sdk="tests.contract.harbor.sdk",
    kinds={
        NETWORK: Kind(NETWORK, "{region}/networks/{name}", "network"),
        CLUSTER: Kind(
            CLUSTER,
            "{region}/clusters/{name}",
            "cluster",
            refers={"network": (NETWORK,)},
            computed={"endpoint": lambda made: made.world.endpoint or f"{made.args['name']}.harbor.example"},
        ),
    },
    replaces=REPLACES,
    rules=(HARBOR_01,),
    errors=Errors(
        name=lambda _args, id_: id_,
        not_found=lambda noun, id_: Failure(f"no {noun} {id_}"),
        already_exists=lambda noun, name: Failure(f"{noun} {name} exists"),
        in_use=lambda noun, name, user_noun, user: Failure(f"{noun} {name} is used by {user_noun} {user}"),
        no_target=lambda reference: Failure(f"no network {reference.target}"),
    ),
)


class HarborRehearsal(CloudRehearsal):
    """The rehearsal of Harbor."""

    pretend = TABLE
    faults = (Fault("low-tide", "no ship comes in"),)
