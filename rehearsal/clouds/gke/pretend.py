"""The table of the pretend GKE: a stand-in for the Pulumi plugin `pulumi-resource-gcp`, for the resources of a stack on GKE.

It is stricter than Google, who deletes a service account that nodes still use, with the nodes' permissions.
"""

from dataclasses import replace

from rehearsal.clouds.gke import SDK, messages
from rehearsal.clouds.gke.answers import answered, as_kept
from rehearsal.clouds.gke.combinations import combination_problems
from rehearsal.clouds.gke.cross_fields import cross_field_problems
from rehearsal.clouds.gke.kinds import KINDS
from rehearsal.clouds.gke.value_rules import range_problems, value_problems
from rehearsal.clouds.inputs import camel
from rehearsal.clouds.pretend import Errors, PretendKinds, Reference
from rehearsal.plugins.plugin import Failure
from rehearsal.plugins.values import is_unknown
from stacks.clouds.gke.replaces import GKE as REPLACES
from stacks.clouds.gke.rules import RULES
from stacks.clouds.resource import Arguments

_SUBNET = "compute.Subnetwork"


def _no_target(reference: Reference) -> Failure:
    account = "serviceaccount.Account" in reference.kinds
    email = reference.said.removeprefix("serviceAccount:")
    refused = messages.no_account(email) if account else messages.not_found(reference.target)
    return Failure(f"{camel(reference.path)}: {refused}")


def _moved(old: Arguments, new: Arguments) -> list[str]:
    """Returns the changed range of a subnet; a range that is not known yet can become any."""
    unknown = is_unknown(new.get("ip_cidr_range"))
    return ["ip_cidr_range"] if unknown else REPLACES.moved[_SUBNET](old, new)


def _law_name(kind: str, args: Arguments, id_: str) -> str:
    """Returns the name of a resource for the laws: networks and their subnets have names that others can have too."""
    return str(args.get("name") or id_) if kind.startswith("compute.") else id_


GKE = PretendKinds(
    package="gcp",
    sdk=SDK,
    kinds=KINDS,
    replaces=replace(REPLACES, moved={**REPLACES.moved, _SUBNET: _moved}),
    rules=RULES,
    errors=Errors(
        name=lambda _args, id_: id_,
        not_found=lambda _noun, id_: messages.not_found(id_),
        already_exists=lambda _noun, name: messages.already_exists(name),
        in_use=lambda noun, name, _user_noun, user: messages.in_use(noun, name, user),
        no_target=_no_target,
    ),
    values=(value_problems, range_problems),
    together=(cross_field_problems, combination_problems),
    after_all=("NET-",),  # an unknown value is most often the network
    law_name=_law_name,
    answered=answered,
    as_kept=as_kept,
)
