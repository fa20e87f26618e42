"""Bad days a rehearsal can play, so that a team sees what they look like: capacity that is not allowed, not there, late or not of
the zone, and a role that may not make what bills."""

from collections.abc import Sequence

from rehearsal.errors import RehearsalError
from rehearsal.fleet.node_pools import FAULTS as CAPACITY
from stacks.clouds.pools import NodePool
from stacks.kube.api import Api

FORBIDDEN = "apply-forbidden"
#: What can befall a stack on CoreWeave alone, and on GKE alone.
COREWEAVES, GKES = ("not-in-zone",), ("zone-mismatch",)
#: What can befall a stack on either.
FAULTS = (*(fault for fault in CAPACITY if fault not in COREWEAVES), FORBIDDEN)

_API = "/apis/admissionregistration.k8s.io/v1"
_NAME = "llmd-pd-rehearsal-forbidden"


def possible(fault: str | None, pools: Sequence[NodePool], *, gke: bool = False) -> None:
    """Whether a fault can befall this stack.

    Raises:
        RehearsalError: there is no such fault, or the stack makes nothing it could befall.
    """
    if fault is None:
        return
    known = (*FAULTS, *(GKES if gke else COREWEAVES))
    if fault not in known:
        raise RehearsalError(
            f"fault `{fault}` cannot be played",
            "a rehearsal of this stack knows no such one",
            f"use one of {', '.join(known)}",
        )
    if not pools and not gke:
        raise RehearsalError(
            f"fault `{fault}` cannot befall this stack", "it makes no nodes: they are somebody else's",
            "rehearse a stack with `provider: coreweave`, or leave --fault out",
        )  # fmt: skip


def forbid(api: Api, group: str, plural: str, *, forbidden: bool) -> None:
    """Makes the API server refuse to create or change these objects, in the words it has for a role without the right; or not.

    By admission and not by RBAC, because a rehearsal's user is the administrator, whom RBAC never refuses.
    """
    policies, bindings = (f"{_API}/validatingadmissionpolic{end}" for end in ("ies", "ybindings"))
    if not forbidden:
        api.delete(f"{bindings}/{_NAME}")
        api.delete(f"{policies}/{_NAME}")
        return
    rule = {"apiGroups": [group], "apiVersions": ["*"], "commands": ["CREATE", "UPDATE"], "resources": [plural]}
    words = f'User cannot create resource "{plural}" in API group "{group}" at the cluster scope'
    # Finalizers are the controller's, which has the right.
    unchanged = "oldObject != null && object.spec == oldObject.spec"
    refusal = {"expression": unchanged, "message": words, "reason": "Forbidden"}
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [refusal], "failurePolicy": "Fail"}
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": _NAME}}
    api.create(policies, {**kind, "kind": "ValidatingAdmissionPolicy", "spec": spec})
    binding = {"policyName": _NAME, "validationActions": ["Deny"]}
    api.create(bindings, {**kind, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding})
