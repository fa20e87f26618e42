"""The renderer, a pure function: a workload in, plain Kubernetes objects out.

It knows the API's field names and no accelerator, engine, fabric or release: those are data. Objects have no namespace;
the caller adds it.
"""

from typing import Any

from hardware.render.argv import command_line, port
from hardware.render.claims import claim_templates, claims
from hardware.render.env import env_var, environment
from hardware.render.join import join
from hardware.render.kinds import KINDS
from hardware.render.workload import Workload
from hardware.vocabulary import MODEL_LABEL, ROLE_LABEL, ROLES, SERVING_PORT, Attachment, Check, Probes, Role

Object = dict[str, Any]


def model_server(workload: Workload) -> list[Object]:
    """Returns the ServiceAccount, the workloads of decode and prefill, and the ResourceClaimTemplates if devices are claimed.

    Raises:
        ConflictError: two parts of the workload set one field to different values.
        ArgumentError: the stack's edits of the command line cannot be applied.
    """
    return [_service_account(workload), *(_workload(workload, role) for role in ROLES), *claim_templates(workload)]


def _service_account(workload: Workload) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": f"{workload.stem}-sa", "labels": workload.labels},
        "automountServiceAccountToken": False,
    }


def _workload(workload: Workload, role: Role) -> Object:
    labels, kind = workload.labels | {ROLE_LABEL: role}, KINDS[workload.bill.workload_kind]
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": workload.deployment_name(role), "labels": labels},
        "spec": {
            "replicas": workload.sizing[role].replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels} | _annotations(workload, role), "spec": _pod(workload, role)},
        },
    }


def _pod(workload: Workload, role: Role) -> Object:
    hardware = workload.hardware
    selector, references = hardware.devices.node_selector, claims(workload, role)
    mounts, volumes = _volumes(workload)
    return join(
        {"serviceAccountName": f"{workload.stem}-sa", "containers": [_container(workload, role, mounts)]},
        {"initContainers": [_routing_proxy(workload)]} if role == "decode" else {},
        {"nodeSelector": dict(selector)} if selector else {},
        {"resourceClaims": references} if references else {},
        {"volumes": volumes},
        _affinity(workload, role),
        hardware.build.spec,
        hardware.fabric.spec,
        workload.spec,
    )


def _affinity(workload: Workload, role: Role) -> Object:
    """Returns the affinity: together with the stack's pods (required), apart from the other role of any stack (preferred)."""
    placement = workload.hardware.fabric.placement
    if placement is None:
        return {}
    own = [
        {"key": key, "operator": "In", "values": [workload.labels[key]]}
        for key in (MODEL_LABEL, workload.bill.guide_label)
    ]
    other = {ROLE_LABEL: next(each for each in ROLES if each != role)}
    together = {"labelSelector": {"matchExpressions": own}, "topologyKey": placement.together}
    apart = {"labelSelector": {"matchLabels": other}, "topologyKey": placement.apart}
    preferred = {"weight": 100, "podAffinityTerm": apart}  # 100 is the API's maximum
    return {
        "affinity": {
            "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [together]},
            "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]},
        }
    }


def _container(workload: Workload, role: Role, mounts: list[Object]) -> Object:
    build, fabric = workload.hardware.build, workload.hardware.fabric
    ports = {**build.kv.ports, "modelserver": port(role), "nixl": 5600}
    return join(
        {
            "name": "modelserver",
            "image": workload.image,
            "command": list(build.engine.command),
            "args": command_line(workload, role),
            "env": [env_var(name, value) for name, value in environment(workload, role).items()],
            "ports": [{"name": name, "containerPort": number, "protocol": "TCP"} for name, number in ports.items()],
            "resources": _resources(workload, role),
            "volumeMounts": mounts,
        },
        _probes(workload.hardware.accelerator.probes),
        build.container,
        fabric.container,
        workload.container,
    )


def _routing_proxy(workload: Workload) -> Object:
    """Returns decode's sidecar. It listens on the pool's port, sends the prompt to a prefill pod, then calls its own engine."""
    sidecar = workload.bill.sidecar
    connector = workload.hardware.build.engine.connector
    return {
        "name": "routing-proxy",
        "image": workload.sidecar_image,
        "imagePullPolicy": sidecar.image_pull_policy,
        "args": sidecar.argv(connector),
        "ports": [{"name": "sidecar", "containerPort": SERVING_PORT, "protocol": "TCP"}],
        "resources": {},
        "restartPolicy": "Always",
        "securityContext": {"allowPrivilegeEscalation": False, "runAsNonRoot": True},
    }


def _resources(workload: Workload, role: Role) -> Object:
    sizing, devices, fabric = workload.sizing[role], workload.hardware.devices, workload.hardware.fabric
    amounts = join(
        {name: amount for name, amount in (("cpu", sizing.cpu), ("memory", sizing.memory)) if amount},
        {devices.resource: devices.quantity(sizing.devices)} if devices.resource else {},
        fabric.per_pod,
        {name: str(number * sizing.devices) for name, number in fabric.per_device.items()},
    )
    limits = {name: amount for name, amount in amounts.items() if name not in fabric.requested}
    names = [{"name": reference["name"]} for reference in claims(workload, role)]
    parts = {"limits": limits, "requests": amounts, "claims": names}
    return {name: part for name, part in parts.items() if part}


def _volumes(workload: Workload) -> tuple[list[Object], list[Object]]:
    build = workload.hardware.build
    scratch = {**build.engine.scratch, **build.scratch, **workload.bill.scratch.get(workload.build_key, {})}
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
    attachment, annotations = workload.hardware.fabric.attachment, dict(workload.annotations)
    if attachment is not None:
        annotations["k8s.v1.cni.cncf.io/networks"] = _networks(attachment, workload.sizing[role].devices)
    return {"annotations": annotations} if annotations else {}


def _networks(attachment: Attachment, devices: int) -> str:
    # Upstream's block, byte for byte: the annotation's text is part of the object.
    rows = ",\n".join(
        f'  {{"name":"{attachment.name}","namespace":"{attachment.namespace}","interface":"net{index}"}}'
        for index in range(1, devices + 1)
    )
    return f"[\n{rows}\n]\n"
