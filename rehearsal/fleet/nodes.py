"""Machines as the Kubernetes objects of simulated nodes: Node, ResourceSlices, DeviceClasses; and back. Pure; no cluster.

The one place that writes and reads the fields of these kinds. `live` creates the objects.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hardware.fit import quantities
from hardware.machines import DEVICE_CLASSES, DeviceSlice, Machine, Taint, Version
from hardware.machines.types import Attribute, SliceDevice

_DRA_API = "resource.k8s.io/v1"
#: The kubelet version of simulated nodes: within the skew of every control plane of a rehearsal.
_KUBELET_VERSION = "v1.35.2"


def node_name(machine: Machine, index: int) -> str:
    """Returns the name of a machine's simulated node number `index`."""
    return f"sim-{machine.key}-{index}"


def node_objects(machine: Machine, name: str) -> list[dict[str, Any]]:
    """Returns a simulated node of a machine: its Node with status, which kwok keeps, then a ResourceSlice per driver.

    It has no taint `kwok.x-k8s.io/node`, which the guide's pods do not tolerate.
    """
    return [_node(machine, name), *(_resource_slice(devices, name) for devices in machine.slices)]


def device_class_objects(names: Iterable[str]) -> list[dict[str, Any]]:
    """Returns DeviceClasses as their usual installer would create them. Raises KeyError for a name not in the table."""
    return [
        {
            "apiVersion": _DRA_API,
            "kind": "DeviceClass",
            "metadata": {"name": name, "annotations": {"sim.llm-d.ai/origin": DEVICE_CLASSES[name].origin}},
            "spec": {"selectors": [{"cel": {"expression": DEVICE_CLASSES[name].expression}}]},
        }
        for name in names
    ]


def machine_of_node(
    node: Mapping[str, Any], slices: Iterable[Mapping[str, Any]], device_classes: Iterable[str]
) -> Machine:
    """Returns a live node as a machine whose key is the node's name, so that pods can be fitted to it.

    `slices` are those of the node. `device_classes` are those of the cluster; names that are not in the table are ignored.
    """
    status, labels = node.get("status", {}), node["metadata"].get("labels") or {}
    shown: Mapping[str, str] = status.get("allocatable") or {}
    return Machine(
        key=node["metadata"]["name"],
        title="",
        provider="",
        instance_type=labels.get("node.kubernetes.io/instance-type", ""),
        capacity={},
        allocatable={key: value for key, value in shown.items() if "/" not in key and key != "pods"},
        extended={key: value for key, value in shown.items() if "/" in key},
        slices=tuple(
            _devices(obj["spec"]["driver"], row) for obj in slices for row in obj["spec"].get("devices") or ()
        ),
        device_classes=tuple(name for name in device_classes if name in DEVICE_CLASSES),
        labels=labels,
        taints=tuple(
            Taint(row["key"], row.get("value", ""), row["effect"]) for row in node.get("spec", {}).get("taints") or ()
        ),
        pods=int(quantities.parse(shown.get("pods", str(Machine.pods)))),
    )


def _node(machine: Machine, name: str) -> dict[str, Any]:
    taints = [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in machine.taints]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake", "node.alpha.kubernetes.io/ttl": "0"},
            "labels": {"kubernetes.io/hostname": name, "type": "kwok", **machine.all_labels},
        },
        "spec": {"taints": taints} if taints else {},
        "status": {
            "capacity": _resources(machine.capacity, machine),
            "allocatable": _resources(machine.allocatable, machine),
            "conditions": [
                _condition("Ready", "True"),
                *(_condition(pressure, "False") for pressure in ("MemoryPressure", "DiskPressure", "PIDPressure")),
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "operatingSystem": "linux",
                "kubeletVersion": _KUBELET_VERSION,
                "kubeProxyVersion": _KUBELET_VERSION,
                "osImage": machine.os_image,
                **dict.fromkeys(("kernelVersion", "containerRuntimeVersion", "machineID", "systemUUID", "bootID"), ""),
            },
        },
    }


def _resources(size: Mapping[str, str], machine: Machine) -> dict[str, str]:
    return {**size, "pods": str(machine.pods), **machine.extended}


def _condition(kind: str, status: str) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": "Simulated", "message": "simulated node"}


def _resource_slice(devices: DeviceSlice, node: str) -> dict[str, Any]:
    return {
        "apiVersion": _DRA_API,
        "kind": "ResourceSlice",
        "metadata": {"name": f"{node}-{devices.driver}"},
        "spec": {
            "driver": devices.driver,
            "nodeName": node,
            "pool": {"name": node, "generation": 1, "resourceSliceCount": 1},
            "devices": [_device(device) for device in devices.devices()],
        },
    }


def _device(device: SliceDevice) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": device.name,
        "attributes": {name: _attribute(value) for name, value in device.attributes.items()},
    }
    if device.capacity:
        described["capacity"] = {name: {"value": value} for name, value in device.capacity.items()}
    return described


def _attribute(value: Attribute) -> dict[str, Attribute]:
    # bool before int: in Python a bool is one.
    if isinstance(value, bool):
        return {"bool": value}
    if isinstance(value, int):
        return {"int": value}
    return {"version" if isinstance(value, Version) else "string": str(value)}


def _devices(driver: str, row: Mapping[str, Any]) -> DeviceSlice:
    """Returns a slice of one device."""
    attributes = {name: _read(value) for name, value in (row.get("attributes") or {}).items()}
    return DeviceSlice(driver, _literal(row["name"]), (), ((),), attributes)


def _read(value: Mapping[str, Any]) -> Attribute:
    ((kind, said),) = value.items()
    found: Attribute = Version(said) if kind == "version" else _literal(said) if kind == "string" else said
    return found


def _literal(text: str) -> str:
    """Returns text with braces escaped, so that a row of devices does not fill them in."""
    return text.replace("{", "{{").replace("}", "}}")
