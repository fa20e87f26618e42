"""DRA claims: the references of a pod, and the templates of its claims.

Two forms: one claim for all devices of a pod, from a template per role; or one claim per device, all from one template that
the roles share. The form and the claimed devices are data of the fabric.
"""

from typing import Any

from hardware.render.workload import Workload
from hardware.vocabulary import ROLE_LABEL, ROLES, NicClaim, Role


def claims(workload: Workload, role: Role) -> list[dict[str, str]]:
    """Returns a pod's `resourceClaims`; none if a device plugin hands the devices out."""
    hardware = workload.hardware
    if not hardware.devices.device_class:
        return []
    if each := hardware.fabric.claims:
        count = workload.sizing[role].devices
        names = [each.name] if count == 1 else [f"{each.name}-{index}" for index in range(count)]
        return [_reference(name, each.template) for name in names]
    name = f"{hardware.accelerator.naming.variant}-{role}-claim"
    return [_reference(name, f"{workload.stem}-{name}")]


def claim_templates(workload: Workload) -> list[dict[str, Any]]:
    """Returns the ResourceClaimTemplates that the claims name."""
    if not workload.hardware.devices.device_class:
        return []
    if each := workload.hardware.fabric.claims:
        return [_template(workload, {"name": each.template}, count=1)]
    return [
        _template(
            workload,
            {"name": reference["resourceClaimTemplateName"], "labels": {ROLE_LABEL: role}},
            count=workload.sizing[role].devices,
        )
        for role in ROLES
        for reference in claims(workload, role)
    ]


def _reference(name: str, template: str) -> dict[str, str]:
    return {"name": name, "resourceClaimTemplateName": template}


def _template(workload: Workload, metadata: dict[str, Any], count: int) -> dict[str, Any]:
    fabric = workload.hardware.fabric
    exactly = {"count": count, "deviceClassName": workload.hardware.devices.device_class}
    devices: dict[str, Any] = {"requests": [{"name": fabric.request, "exactly": exactly}]}
    if nic := fabric.nic:
        devices["requests"].append(_nic(nic))
        devices["constraints"] = [{"matchAttribute": nic.match_attribute}]
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": metadata,
        "spec": {"spec": {"devices": devices}},
    }


def _nic(nic: NicClaim) -> dict[str, Any]:
    exactly: dict[str, Any] = {"count": 1, "deviceClassName": nic.device_class}
    if nic.selector:
        exactly["selectors"] = [{"cel": {"expression": nic.selector}}]
    return {"name": "nic", "exactly": exactly}
