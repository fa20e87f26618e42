"""The fleet: simulated nodes of the machines a stack needs, on a running control plane.

Their number follows from the sizing unless the stack states it. One general-purpose node comes on top, because the router runs
beside the accelerators and their nodes may be tainted.
"""

from collections.abc import Mapping, Sequence

from hardware.fit.fit import PodDoesNotFitError, nodes_needed
from hardware.fit.requests import pod_requests
from hardware.machines import DEVICE_CLASSES, MACHINES, SYSTEM
from rehearsal.errors import RehearsalError
from rehearsal.fleet.live import NODES, OF_A_POOL, LiveNodes
from rehearsal.fleet.node_pools import TYPES
from rehearsal.fleet.nodes import device_class_objects, node_name
from stacks.blueprint import ServingBlueprint
from stacks.clouds.pools import NodePool
from stacks.kube.api import Api
from stacks.serving.workload import machine_of

READY_SECONDS = 30


def machines_of(plan: ServingBlueprint, pools: Sequence[NodePool] = ()) -> dict[str, int]:
    """Returns nodes by machine key: those of the pools, else as many as the stack states or its pods need; and a system node."""
    if pools:
        made = {TYPES[pool.instance_type].key: pool.spec["targetNodes"] for pool in reversed(pools)}
        return made | existing_nodes(pools)
    machine = machine_of(plan.spec)
    try:
        count = plan.spec.cluster.nodes or nodes_needed(pod_requests(plan.model_server), machine)
    except PodDoesNotFitError:
        count = 1  # no number would do; the scheduler shall say why
    return {machine.key: count, SYSTEM.key: 1}


def existing_nodes(pools: Sequence[NodePool]) -> dict[str, int]:
    """Returns the nodes by machine key that a cluster has before its pools: a system node, unless a pool brings it."""
    return {} if any(pool.key == "systemPool" for pool in pools) else {SYSTEM.key: 1}


def add_nodes(api: Api, machines: Mapping[str, int]) -> list[str]:
    """Creates the nodes, their ResourceSlices and the DeviceClasses of their drivers, unless they exist.

    Returns the names of the nodes, once all are Ready.

    Raises:
        RehearsalError: a node did not become Ready.
    """
    names, nodes = list[str](), LiveNodes(api)
    for key, count in machines.items():
        machine = MACHINES[key]
        for device_class in device_class_objects(machine.device_classes):
            api.create("/apis/resource.k8s.io/v1/deviceclasses", device_class)
        for index in range(count):
            name = node_name(machine, index)
            names.append(name)
            nodes.create(machine, name)
    if late := nodes.wait(names, READY_SECONDS):
        raise RehearsalError(
            f"{len(late)} simulated nodes are not Ready after {READY_SECONDS} s",
            f"kwok does not look after {', '.join(late)}",
            "see its log in the rehearsal's directory, and try again",
        )
    return names


def fit_to(api: Api, machines: Mapping[str, int]) -> list[str]:
    """Makes the fleet exactly these machines: adds what is missing, removes simulated nodes that are too many.

    Nodes of node pools are left to the pools' controller. A DeviceClass without its driver goes as well: left behind, a missing
    driver would look like used-up devices.
    """
    names = add_nodes(api, machines)
    for node in api.items(NODES):
        name = node["metadata"]["name"]
        if name not in names and OF_A_POOL not in node["metadata"].get("annotations", {}):
            LiveNodes(api).remove(name)
    for name in set(DEVICE_CLASSES) - {name for key in machines for name in MACHINES[key].device_classes}:
        api.delete(f"/apis/resource.k8s.io/v1/deviceclasses/{name}")
    return names
