"""The rehearsal of CoreWeave: a controller turns node pools into simulated nodes, the pretend cloud makes cluster and VPC."""

from collections.abc import Sequence

from rehearsal.clouds import access
from rehearsal.clouds.cloud import CloudRehearsal
from rehearsal.clouds.coreweave.faults import FAULTS, FORBIDDEN
from rehearsal.clouds.coreweave.pretend import COREWEAVE
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.fleet import node_pools
from rehearsal.fleet.crds import install
from rehearsal.parts.parts import Part
from rehearsal.parts.standins.crds import NODE_POOL
from rehearsal.report import Report
from stacks.clouds.cloud import ClusterPlan
from stacks.kube.api import Api

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_POLICY = "llmd-pd-rehearsal-forbidden"


class CoreWeaveRehearsal(CloudRehearsal):
    """The rehearsal of CoreWeave; the fleet stands for the CKS cluster."""

    pretend = COREWEAVE
    faults = FAULTS

    def environment(self, plan: ClusterPlan, plane: ControlPlane, fault: str | None) -> dict[str, str]:
        return access.places(plane) if plan.cluster_name else {}

    def prepare(
        self, plan: ClusterPlan, plane: ControlPlane, api: Api, report: Report, fault: str | None
    ) -> Sequence[Part]:
        with report.step("node pools' controller"):
            install(api, [NODE_POOL.definition])
            _forbid_changes(api, NODE_POOL.group, NODE_POOL.plural, forbidden=fault == FORBIDDEN.id)
            node_pools.restart(plane, None if fault == FORBIDDEN.id else fault)
        words = "in place of CoreWeave's: a pool's simulated nodes come in a second, and cost nothing"
        return (
            Part("NodePool controller", False, words),
            Part("permissive CRD of CoreWeave", False, f"{NODE_POOL.kind}, of which none is published"),
        )

    def clean(self, plane: ControlPlane) -> None:
        if node_pools.CONTROLLER.ran(plane.workdir):
            node_pools.restart(plane, None)  # only it removes the pools' finalizers


def _forbid_changes(api: Api, group: str, plural: str, *, forbidden: bool) -> None:
    """Makes the API server refuse to create or change these objects, as it does for a role without the right; or allow it.

    By admission and not by RBAC, because a rehearsal's user is the administrator, whom RBAC never refuses.
    """
    policies, bindings = (f"{_ADMISSION}/validatingadmissionpolic{end}" for end in ("ies", "ybindings"))
    if not forbidden:
        api.delete(f"{bindings}/{_POLICY}")
        api.delete(f"{policies}/{_POLICY}")
        return
    rule = {"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": [plural]}
    words = f'User cannot create resource "{plural}" in API group "{group}" at the cluster scope'
    # The controller, which has the right, changes finalizers.
    unchanged = "oldObject != null && object.spec == oldObject.spec"
    refusal = {"expression": unchanged, "message": words, "reason": "Forbidden"}
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": [refusal], "failurePolicy": "Fail"}
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": _POLICY}}
    api.create(policies, {**kind, "kind": "ValidatingAdmissionPolicy", "spec": spec})
    binding = {"policyName": _POLICY, "validationActions": ["Deny"]}
    api.create(bindings, {**kind, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding})
