"""Each kind of change a move can make, found in small things: trees, pods, objects, values, plugins."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from hardware.render.pods import model_server
from stacks.review import values
from stacks.review.change import Change, Kind, became, of_all
from stacks.review.model_servers import flags, pod_changes, renames
from stacks.review.objects import object_changes, replaced, selector_change
from stacks.review.plugins import plugin_changes
from stacks.review.serving import duration
from stacks.review.trees import ABSENT, Difference, differences, leaves, without
from tests.unit.workloads import JUNE, MAY, workload

# Trees


def test_leaves_of_named_things_are_told_by_their_names() -> None:
    tree = {"env": [{"name": "A", "value": "1"}], "args": ["x", "y"], "empty": {}}
    assert leaves(tree) == {("env", "A", "value"): "1", ("args",): ["x", "y"], ("empty",): {}}


@pytest.mark.parametrize("rows", [[{"name": "a"}, {"name": "a"}], [{"name": "a"}, {"key": "b"}], ["a"], []])
def test_a_list_that_has_no_names_is_one_leaf(rows: list[Any]) -> None:
    assert leaves({"list": rows}) == {("list",): rows}


def test_differences_know_types_and_what_is_not_there() -> None:
    found = differences({"a": 1, "b": True, "c": None}, {"a": "1", "b": 1, "d": 2})
    assert found == [
        Difference(("a",), 1, "1"),
        Difference(("b",), True, 1),
        Difference(("c",), None, ABSENT),
        Difference(("d",), ABSENT, 2),
    ]


def test_without_leaves_the_tree_as_it_was() -> None:
    tree = {"a": {"b": 1, "c": 2}, "d": 3}
    assert without(tree, ("a", "b"), ("d",), ("x", "y")) == {"a": {"c": 2}}
    assert tree == {"a": {"b": 1, "c": 2}, "d": 3}


# Changes


def test_a_change_is_a_clause() -> None:
    assert str(Change(Kind.BREAKS, "s", "w", "r", "f")) == "s: w, because r; f"
    assert str(Change(Kind.BREAKS, "s", "w")) == "s: w"
    assert [became("a", "b"), became("", "b"), became("a", "")] == ["a → b", "added (b)", "gone (was a)"]


def test_what_all_have_is_said_once() -> None:
    one, two = Change(Kind.CHANGES, "one", "w"), Change(Kind.CHANGES, "two", "w")
    found = of_all([("prefill", [one, two]), ("decode", [one])], "everyone")
    assert [change.subject for change in found] == ["one of everyone", "two of prefill"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(1800, "30 min"), (3600, "1 h"), (5415, "1 h 30 min"), (9015, "2 h 30 min")]
)
def test_durations_are_said_as_people_do(seconds: int, said: str) -> None:
    assert duration(seconds) == said


# Pods


def deployment(**parts: Any) -> dict[str, Any]:
    container = {"name": "modelserver", "image": "i:1", **parts.pop("container", {})}
    proxy = {"name": "routing-proxy", "image": "p:1", **parts.pop("proxy", {})}
    labels = parts.pop("labels", {"role": "x"})
    pod = {"containers": [container], "initContainers": [proxy], **parts}
    return {
        "kind": "Deployment",
        "metadata": {"name": "d", "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def said(before: dict[str, Any], after: dict[str, Any], **reasons: str) -> list[str]:
    return [str(change) for change in pod_changes({"decode": before}, {"decode": after}, reasons)]


def test_images_of_engine_and_proxy() -> None:
    found = said(deployment(), deployment(container={"image": "i:2"}, proxy={"image": "p:2"}))
    assert found == ["image of all model servers: i:1 → i:2", "image of the routing proxy: p:1 → p:2"]


def test_variables_with_the_reason_for_them() -> None:
    secret = {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}}
    old = {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "b"}, {"name": "SAME", "value": ""}]}
    pod_ip = {"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    new = {"env": [{"name": "A", "value": "2"}, {"name": "C", **secret}, {"name": "SAME", "value": ""}, pod_ip]}
    assert said(deployment(container=old), deployment(container=new), C="downloads stall") == [
        "variable A of all model servers: 1 → 2",
        "variable B of all model servers: gone (was b)",
        "variable C of all model servers: added (key k of Secret s, which may be missing), because downloads stall",
        "variable E of all model servers: added (the pod's status.podIP)",
    ]


def test_flags() -> None:
    assert flags(["model", "--a=1", "--b", "x", "--b=2"]) == {"": "model", "--a": "--a=1", "--b": "--b x --b=2"}
    old = {"args": ["model", "--a=1", "--old=nixl", "--gone"]}
    new = {"args": ["model", "--a=2", "--new=nixl", "--come"]}
    assert said(deployment(container=old), deployment(container=new), **{"--new": "it is deprecated"}) == [
        "flag --a of all model servers: `--a=1` → `--a=2`",
        "flag --new of all model servers: `--old=nixl` → `--new=nixl`, because it is deprecated",
        "flag --gone of all model servers: gone (was `--gone`)",
        "flag --come of all model servers: added (`--come`)",
    ]
    again = {"args": ["model", "--b", "--a=1"]}
    (order,) = said(deployment(container={"args": ["model", "--a=1", "--b"]}), deployment(container=again))
    assert order == "command line of all model servers: the same flags in another order"


def test_directories() -> None:
    mounts = {"volumeMounts": [{"name": "v", "mountPath": "/.config"}, {"name": "shm", "mountPath": "/dev/shm"}]}
    shm = {"name": "shm", "emptyDir": {"medium": "Memory"}}
    old = deployment(container={"volumeMounts": mounts["volumeMounts"][1:]}, volumes=[shm])
    new = deployment(container=mounts, volumes=[shm, {"name": "v", "emptyDir": {}}])
    assert said(old, new) == ["directory /.config of all model servers: added (scratch space of the pod, volume v)"]
    disk = deployment(container=mounts, volumes=[shm, {"name": "v", "hostPath": {"path": "/mnt"}}])
    (changed,) = said(new, disk)
    assert changed.endswith("scratch space of the pod, volume v → a directory of the node, volume v, path /mnt")


def test_a_label_that_keeps_its_value_is_renamed() -> None:
    assert renames({"a/x": "1", "b": "2"}, {"c/x": "1", "b": "3"}) == {"a/x": "c/x"}
    (found,) = pod_changes(
        {"decode": deployment(labels={"a/x": "1"})}, {"decode": deployment(labels={"c/x": "1"})}, {"c/x": "r"}
    )
    assert found.kind is Kind.BREAKS
    assert str(found).startswith(
        "label a/x of all model servers: it is called c/x now, with the same value, because r; "
    )


def test_a_container_that_comes_is_said_once() -> None:
    more = deployment()
    more["spec"]["template"]["spec"]["containers"].append({"name": "extra", "image": "x", "resources": {"limits": {}}})
    assert said(deployment(), more) == ["all of container extra: added"]


def paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    below = [found for key, value in items for found in paths(value, (*path, key))]
    yield from below or [path]


def changed_at(tree: Any, path: tuple[Any, ...]) -> Any:
    copy = deepcopy(tree)
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = {"something": "else"} if place[path[-1]] == {} else "something else"
    return copy


SERVERS = {
    obj["metadata"]["labels"]["llm-d.ai/role"]: obj
    for obj in model_server(workload("xpu", fabric="rdma"))
    if obj["kind"] == "Deployment"
}


#: Kind and name of a Deployment: with another one it is another object.
IDENTITY = [("apiVersion",), ("kind",), ("metadata", "name")]
CONTENT = [path for path in paths(SERVERS["decode"]) if path not in IDENTITY]


@pytest.mark.parametrize("path", CONTENT, ids=lambda path: ".".join(map(str, path)))
def test_whatever_is_otherwise_in_a_deployment_is_said(path: tuple[Any, ...]) -> None:
    after = {**SERVERS, "decode": changed_at(SERVERS["decode"], path)}
    old, new = [*SERVERS.values()], [*after.values()]
    assert [*pod_changes(SERVERS, after, {})] or replaced(old, new)
    assert not [*pod_changes(SERVERS, SERVERS, {})]


# Objects


def test_what_never_changes_is_replaced() -> None:
    old, new = deployment(labels={"a": "1", "old": "x"}), deployment(labels={"a": "2", "new": "x"})
    assert replaced([old], [new]) == [(old, new)]
    assert selector_change(old, new) == "old becomes new, a: 1 → 2"
    claim = {"kind": "ResourceClaimTemplate", "metadata": {"name": "c"}, "spec": {"spec": {"devices": 1}}}
    other = {**claim, "spec": {"spec": {"devices": 2}}}
    labelled = {**claim, "metadata": {"name": "c", "labels": {"a": "b"}}}
    assert replaced([claim], [other]) == [(claim, other)]
    assert replaced([claim], [labelled]) == replaced([claim], []) == []


def test_objects_come_go_and_change() -> None:
    def monitor(name: str, interval: str) -> dict[str, Any]:
        return {"kind": "PodMonitor", "metadata": {"name": name}, "spec": {"interval": interval}}

    found = object_changes([monitor("a", "30s"), monitor("b", "1s")], [monitor("a", "10s"), monitor("c", "1s")])
    assert [str(change) for change in found] == [
        "spec.interval of PodMonitor a: 30s → 10s",
        "PodMonitor b: deleted",
        "PodMonitor c: added",
    ]


# Values


def test_a_setting_is_found_wherever_a_bill_keeps_it() -> None:
    old = {"inferenceExtension": {"replicas": 1, "flags": {"v": 2}, "monitoring": {"interval": "10s"}, "gone": 1}}
    new = {"router": {"epp": {"replicas": 2, "flags": {"v": 2}}, "monitoring": {"interval": "10s"}, "come": 2}}
    found = values.compare((MAY, old), (JUNE, new))
    changed, *same = found.moved
    assert str(changed) == "router.epp.replicas (was inferenceExtension.replicas): 1 → 2"
    assert values.places(same) == [
        "router.epp.flags (was inferenceExtension.flags)",
        "router.monitoring (was inferenceExtension.monitoring)",
    ]
    assert found.gone == {("inferenceExtension", "gone"): 1}
    assert found.come == {("router", "come"): 2}


def test_values_that_did_not_move_are_nothing() -> None:
    tree = {"router": {"epp": {"replicas": 1}}}
    found = values.compare((JUNE, tree), (JUNE, tree))
    assert values.places(found.moved) == []
    assert all(moved.same for moved in found.moved)


@pytest.mark.parametrize(
    ("path", "counterpart"),
    [
        ("inferenceExtension.replicas", "router.epp.replicas"),
        ("inferenceExtension.resources.limits.memory", "router.epp.resources.limits.memory"),
        ("inferenceExtension.sidecar.args", "router.proxy.args"),
        ("inferencePool.modelServerProtocol", "router.modelServers.protocol"),
        ("inferenceExtension.nonsense", ""),
    ],
)
def test_the_other_charts_key_for_one_of_ours(path: str, counterpart: str) -> None:
    assert values.counterpart(tuple(path.split(".")), MAY, JUNE) == counterpart


# Plugins


def plugins(version: str, *types: str, weights: dict[str, int] | None = None, **more: Any) -> dict[str, Any]:
    rows = [{"pluginRef": kind, "weight": weight} for kind, weight in (weights or {}).items()]
    profiles = [{"name": "prefill", "plugins": rows}]
    return {
        "apiVersion": version,
        "plugins": [{"type": kind} for kind in types],
        "schedulingProfiles": profiles,
        **more,
    }


def test_plugins_come_go_and_weigh_otherwise() -> None:
    old = plugins("v1", "queue", "picker", weights={"queue": 2, "picker": 1})
    new = plugins("v2", "queue", "load", weights={"queue": 3, "load": 1}, featureGates=["x"])
    found = [str(change) for change in plugin_changes(old, new, {"picker": "it is implied"})]
    assert found == [
        "apiVersion of the endpoint picker's configuration: v1 → v2",
        "plugin picker of the endpoint picker's configuration: dropped, because it is implied",
        "plugin load of the endpoint picker's configuration: added",
        "plugin queue of scheduling profile prefill: weight 2 → weight 3",
        'featureGates of the endpoint picker\'s configuration: added (["x"])',
    ]
    assert [*plugin_changes(old, old, {})] == []


def test_a_plugins_parameters_and_the_order_of_a_profile() -> None:
    old = plugins("v1", "a", "b", weights={"a": 1, "b": 1})
    new = replace_row(plugins("v1", "a", "b", weights={"b": 1, "a": 1}), {"type": "a", "parameters": {"x": 1}})
    assert [str(change) for change in plugin_changes(old, new, {})] == [
        "parameters.x of plugin a: added (1)",
        "scheduling profile prefill: its plugins in another order",
    ]


def replace_row(config_: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    rows = [row if each["type"] == row["type"] else each for each in config_["plugins"]]
    return {**config_, "plugins": rows}


@pytest.mark.parametrize("odd", [None, [], {"plugins": 3, "schedulingProfiles": [{"plugins": [{"weight": 1}]}, 4]}])
def test_a_configuration_that_is_none_is_no_error(odd: Any) -> None:
    assert [*plugin_changes(odd or {}, odd or {}, {})] == []
