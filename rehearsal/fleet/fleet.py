"""The fleet: simulated nodes of the machines a stack needs, on a running control plane.

How many follows from the sizing unless the stack states it. One general-purpose node comes on top, because the router runs
beside the accelerators and their nodes may be tainted.
"""

import time
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from hardware.fit.fit import PodDoesNotFitError, nodes_needed
from hardware.fit.requests import pod_requests
from hardware.machines import DEVICE_CLASSES, MACHINES, SYSTEM
from rehearsal.errors import RehearsalError
from rehearsal.fleet.node_pools.controller import OF_A_POOL, TYPES
from rehearsal.fleet.node_state import ready
from rehearsal.fleet.nodes import device_class_objects, node_name, node_objects
from stacks.blueprint import ServingBlueprint
from stacks.clouds.pools import NodePool
from stacks.kube.api import Api
from stacks.serving.workload import machine_of

READY_SECONDS = 30


def machines_of(plan: ServingBlueprint, pools: Sequence[NodePool] = ()) -> dict[str, int]:
    """Machine key -> nodes: those of the pools, else what the stack states or as many as its pods need; and one system node."""
    if pools:
        made = {TYPES[pool.instance_type].key: pool.spec["targetNodes"] for pool in reversed(pools)}
        return made | there_before(pools)
    machine = machine_of(plan.spec)
    try:
        count = plan.spec.cluster.nodes or nodes_needed(pod_requests(plan.model_server), machine)
    except PodDoesNotFitError:
        count = 1  # no number would do; the scheduler shall say why
    return {machine.key: count, SYSTEM.key: 1}


def there_before(pools: Sequence[NodePool]) -> dict[str, int]:
    """Machine key -> nodes of a cluster in which pools are made: a system node, unless that is a pool's."""
    return {} if any(pool.key == "systemPool" for pool in pools) else {SYSTEM.key: 1}


def add_nodes(api: Api, machines: Mapping[str, int]) -> list[str]:
    """Creates the nodes, their ResourceSlices and the DeviceClasses of their drivers; what is there already is left.

    Returns the nodes' names, once all are Ready.

    Raises:
        RehearsalError: a node did not become Ready.
    """
    names: list[str] = []
    for key, count in machines.items():
        machine = MACHINES[key]
        for device_class in device_class_objects(machine.device_classes):
            api.create("/apis/resource.k8s.io/v1/deviceclasses", device_class)
        for index in range(count):
            name = node_name(machine, index)
            names.append(name)
            for obj in node_objects(machine, name):
                path = "/api/v1/nodes" if obj["kind"] == "Node" else "/apis/resource.k8s.io/v1/resourceslices"
                api.create(path, obj)
    _wait_ready(api, names)
    return names


def fit_to(api: Api, machines: Mapping[str, int]) -> list[str]:
    """Makes the fleet exactly these machines: adds what is missing, removes simulated nodes that are too many.

    Nodes of a stack's own pools are left to their controller.

    A DeviceClass without its driver goes as well: left behind, a missing driver would look like used-up devices.
    """
    names = add_nodes(api, machines)
    for node in api.items("/api/v1/nodes"):
        name = node["metadata"]["name"]
        if name not in names and OF_A_POOL not in node["metadata"].get("annotations", {}):
            for item in api.items(
                f"/apis/resource.k8s.io/v1/resourceslices?fieldSelector={quote(f'spec.nodeName={name}')}"
            ):
                api.delete(f"/apis/resource.k8s.io/v1/resourceslices/{item['metadata']['name']}")
            api.delete(f"/api/v1/nodes/{name}")
    for name in set(DEVICE_CLASSES) - {name for key in machines for name in MACHINES[key].device_classes}:
        api.delete(f"/apis/resource.k8s.io/v1/deviceclasses/{name}")
    return names


def _wait_ready(api: Api, names: list[str]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while missing := set(names) - {node["metadata"]["name"] for node in api.items("/api/v1/nodes") if ready(node)}:
        if time.monotonic() > deadline:
            raise RehearsalError(
                f"{len(missing)} simulated nodes are not Ready after {READY_SECONDS} s",
                f"kwok does not look after {', '.join(sorted(missing))}",
                "see its log in the rehearsal's directory, and try again",
            )
        time.sleep(0.2)
