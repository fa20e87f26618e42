"""The one pure renderer: a workload in, plain Kubernetes objects out.

It knows the API's field names and nothing about any accelerator, engine, fabric or release: those are data. Objects have
no namespace; who applies them says where.
"""

from typing import Any

from hardware.argv import command_line, port
from hardware.join import join
from hardware.vocabulary import ROLE_LABEL, ROLES, SERVING_PORT, Attachment, Check, FieldRef, Probes, Role
from hardware.workload import Workload

Object = dict[str, Any]


def model_server(workload: Workload) -> list[Object]:
    """ServiceAccount, the Deployments of decode and prefill, and a ResourceClaimTemplate per role where devices are claimed.

    Raises:
        ConflictError: two parts of the workload set one field differently.
        ArgumentError: the stack's edits of the command line cannot be honoured.
    """
    objects = [_service_account(workload), *(_deployment(workload, role) for role in ROLES)]
    if workload.hardware.accelerator.devices.device_class:
        objects += [_claim_template(workload, role) for role in ROLES]
    return objects


def _service_account(workload: Workload) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": f"{workload.stem}-sa", "labels": workload.labels},
        "automountServiceAccountToken": False,
    }


def _deployment(workload: Workload, role: Role) -> Object:
    labels = workload.labels | {ROLE_LABEL: role}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": workload.deployment_name(role), "labels": labels},
        "spec": {
            "replicas": workload.sizing[role].replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels} | _annotations(workload, role), "spec": _pod(workload, role)},
        },
    }


def _pod(workload: Workload, role: Role) -> Object:
    devices = workload.hardware.accelerator.devices
    mounts, volumes = _volumes(workload)
    return join(
        {"serviceAccountName": f"{workload.stem}-sa", "containers": [_container(workload, role, mounts)]},
        {"initContainers": [_routing_proxy(workload)]} if role == "decode" else {},
        {"nodeSelector": dict(devices.node_selector)} if devices.node_selector else {},
        {"resourceClaims": [_claim(workload, role)]} if devices.device_class else {},
        {"volumes": volumes},
        workload.hardware.build.spec,
        workload.spec,
    )


def _container(workload: Workload, role: Role, mounts: list[Object]) -> Object:
    build, fabric = workload.hardware.build, workload.hardware.fabric
    ports = {**build.kv.ports, "modelserver": port(role), "nixl": 5600}
    bill, key = workload.bill, workload.build_key
    env = (
        bill.added_env(key, role, first=True)
        | dict(build.env)
        | bill.added_env(key, role, first=False)
        | dict(fabric.env)
        | dict(workload.env)
    )
    return join(
        {
            "name": "modelserver",
            "image": workload.image,
            "command": list(build.engine.command),
            "args": command_line(workload, role),
            "env": [_env_var(name, value) for name, value in env.items()],
            "ports": [{"name": name, "containerPort": number, "protocol": "TCP"} for name, number in ports.items()],
            "resources": _resources(workload, role),
            "volumeMounts": mounts,
        },
        _probes(workload.hardware.accelerator.probes),
        build.container,
        fabric.container,
    )


def _routing_proxy(workload: Workload) -> Object:
    """Decode's sidecar: it takes the pool's port, has the prompt prefilled elsewhere, then asks the engine beside it."""
    sidecar = workload.bill.sidecar
    connector = workload.hardware.build.engine.connector
    return {
        "name": "routing-proxy",
        "image": sidecar.image,
        "imagePullPolicy": sidecar.image_pull_policy,
        "args": sidecar.argv(connector),
        "ports": [{"name": "sidecar", "containerPort": SERVING_PORT, "protocol": "TCP"}],
        "resources": {},
        "restartPolicy": "Always",
        "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True},
    }


def _env_var(name: str, value: Any) -> Object:
    if isinstance(value, str):
        return {"name": name, "value": value}
    return {
        "name": name,
        "valueFrom": {"fieldRef": {"fieldPath": value.path}} if isinstance(value, FieldRef) else value,
    }


def _resources(workload: Workload, role: Role) -> Object:
    sizing, devices, fabric = workload.sizing[role], workload.hardware.accelerator.devices, workload.hardware.fabric
    amounts = join(
        {name: amount for name, amount in (("cpu", sizing.cpu), ("memory", sizing.memory)) if amount},
        {devices.resource: devices.quantity(sizing.devices)} if devices.resource else {},
        fabric.per_pod,
        {name: str(sizing.devices) for name in fabric.per_device},
    )
    return ({"limits": amounts, "requests": dict(amounts)} if amounts else {}) | (
        {"claims": [{"name": _claim(workload, role)["name"]}]} if devices.device_class else {}
    )


def _volumes(workload: Workload) -> tuple[list[Object], list[Object]]:
    build = workload.hardware.build
    scratch = {**build.engine.scratch, **build.scratch}
    host_paths = workload.hardware.fabric.host_paths
    mounts = [{"name": name, "mountPath": path} for name, path in {"shm": "/dev/shm", **scratch, **host_paths}.items()]
    volumes: list[Object] = [
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": build.shm}},
        *({"name": name, "emptyDir": {}} for name in scratch),
        *({"name": name, "hostPath": {"path": path, "type": "Directory"}} for name, path in host_paths.items()),
    ]
    return mounts, volumes


def _probes(probes: Probes) -> Object:
    def http(path: str, failures: int, period: int, timeout: int) -> Object:
        get = {"path": path, "port": "modelserver"}
        return {"httpGet": get, "failureThreshold": failures, "periodSeconds": period, "timeoutSeconds": timeout}

    def steady(path: str, check: Check) -> Object:
        return http(path, check.failures, check.period, check.timeout)

    startup = http("/v1/models", probes.startup_failures, probes.startup_period, probes.startup_timeout)
    return {
        "livenessProbe": steady("/health", probes.liveness),
        "readinessProbe": steady("/v1/models", probes.readiness),
        "startupProbe": startup | {"initialDelaySeconds": probes.startup_delay},
    }


def _annotations(workload: Workload, role: Role) -> Object:
    attachment = workload.hardware.fabric.attachment
    if attachment is None:
        return {}
    networks = _networks(attachment, workload.sizing[role].devices)
    return {"annotations": {"k8s.v1.cni.cncf.io/networks": networks}}


def _networks(attachment: Attachment, devices: int) -> str:
    # Upstream's block, to the letter: the annotation's text is part of the object.
    rows = ",\n".join(
        f'  {{"name":"{attachment.name}","namespace":"{attachment.namespace}","interface":"net{index}"}}'
        for index in range(1, devices + 1)
    )
    return f"[\n{rows}\n]\n"


def _claim(workload: Workload, role: Role) -> Object:
    name = f"{workload.hardware.accelerator.naming.variant}-{role}-claim"
    return {"name": name, "resourceClaimTemplateName": f"{workload.stem}-{name}"}


def _claim_template(workload: Workload, role: Role) -> Object:
    devices, fabric = workload.hardware.accelerator.devices, workload.hardware.fabric
    count = workload.sizing[role].devices
    requests: list[Object] = [
        {"name": fabric.request, "exactly": {"count": count, "deviceClassName": devices.device_class}}
    ]
    constraints: list[Object] = []
    if nic := fabric.nic:
        selectors = [{"cel": {"expression": nic.selector}}]
        exactly = {"count": 1, "deviceClassName": nic.device_class, "selectors": selectors}
        requests.append({"name": "nic", "exactly": exactly})
        constraints.append({"matchAttribute": nic.match_attribute})
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": _claim(workload, role)["resourceClaimTemplateName"], "labels": {ROLE_LABEL: role}},
        "spec": {"spec": {"devices": {"requests": requests} | ({"constraints": constraints} if constraints else {})}},
    }
