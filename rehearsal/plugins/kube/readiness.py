"""Conditions for an object to be ready, and the reasons if it is not.

One row per kind, as in the official provider's awaiters; a kind without a row is ready once it exists. `waiting` waits. The first
reasons of an unready object are the official provider's; the scheduler's words for each pending pod are added.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.plugins.kube.client import ApiError, Cluster, NoMatch, Unreachable
from rehearsal.plugins.kube.kinds import kind_key
from rehearsal.plugins.kube.objects import annotated, annotation

WAIT_FOR = "pulumi.com/waitFor"
SKIP_AWAIT = "pulumi.com/skipAwait"

Live = Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    ready: bool
    message: str = ""  # for the status column
    hopeless: str = ""  # why waiting longer cannot help


Check = Callable[[Live, Cluster], Progress]


class BadExpression(Exception):
    """A `pulumi.com/waitFor` annotation that cannot be understood."""


def check_for(inputs: Live) -> Check | None:
    """Returns the condition to wait for, by the object's annotations or its kind; None if there is none."""
    if annotated(inputs, SKIP_AWAIT):
        return None
    expression = annotation(inputs, WAIT_FOR)
    if expression:
        return _expressions(expression)
    return _CHECKS.get(kind_key(inputs))


def reasons(live: Live, cluster: Cluster) -> list[str]:
    """Returns why an object is not ready: its conditions, and the reasons of its pods."""
    found = [
        f"[{condition.get('reason')}] {condition.get('message')}"
        for condition in _conditions(live).values()
        if condition.get("status") == "False" and condition.get("message") and kind_key(live)[0] in ("apps", "batch")
    ]
    if kind_key(live) in _WORKLOADS:
        available = (_conditions(live).get("Available") or {}).get("status") == "True"
        # Of a Deployment that has pods enough, those of its new ReplicaSet are missing.
        found.append(
            "Minimum number of Pods to consider the application live was not attained"
            if available
            else "Minimum number of live Pods was not attained"
        )
        found += _pod_reasons(live, cluster)
    if kind_key(live) == ("", "Service"):
        found.append(
            "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels "
            "on any Pods"
        )
    return found


_WORKLOADS = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet")})


def _status(live: Live) -> Mapping[str, Any]:
    return live.get("status") or {}


def _count(live: Live, field: str) -> int:
    return int(_status(live).get(field) or 0)


def _replicas(live: Live) -> int:
    replicas = live["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def _observed(live: Live) -> bool:
    return _count(live, "observedGeneration") >= int(live["metadata"].get("generation") or 0)


def _conditions(live: Live) -> dict[str, Mapping[str, Any]]:
    return {item["type"]: item for item in _status(live).get("conditions") or []}


def _holds(live: Live, condition: str, status: str = "True") -> bool:
    return str(_conditions(live).get(condition, {}).get("status", "")).lower() == status.lower()


def _deployment(live: Live, cluster: Cluster) -> Progress:
    del cluster
    wanted, updated, available = _replicas(live), _count(live, "updatedReplicas"), _count(live, "availableReplicas")
    ready = _observed(live) and updated >= wanted and available >= wanted and _count(live, "replicas") <= updated
    return Progress(ready, f"Waiting for app ReplicaSet to be available ({available}/{wanted} Pods available)")


def _stateful_set(live: Live, cluster: Cluster) -> Progress:
    del cluster
    wanted, ready = _replicas(live), _count(live, "readyReplicas")
    settled = _observed(live) and ready >= wanted and _count(live, "updatedReplicas") >= wanted
    return Progress(settled, f"Waiting for StatefulSet to be ready ({ready}/{wanted} Pods ready)")


def _daemon_set(live: Live, cluster: Cluster) -> Progress:
    del cluster
    wanted, ready = _count(live, "desiredNumberScheduled"), _count(live, "numberReady")
    settled = _observed(live) and ready >= wanted and _count(live, "updatedNumberScheduled") >= wanted
    return Progress(settled, f"Waiting for DaemonSet to be ready ({ready}/{wanted} Pods ready)")


def _job(live: Live, cluster: Cluster) -> Progress:
    del cluster
    failed = _conditions(live).get("Failed", {})
    hopeless = f"[{failed.get('reason')}] {failed.get('message')}" if failed.get("status") == "True" else ""
    return Progress(_holds(live, "Complete"), "Waiting for Job to complete", hopeless)


def _pod(live: Live, cluster: Cluster) -> Progress:
    del cluster
    done = _holds(live, "Ready") or _status(live).get("phase") == "Succeeded"
    return Progress(done, "Waiting for Pod to be ready")


def _claim(live: Live, cluster: Cluster) -> Progress:
    if _status(live).get("phase") == "Bound":
        return Progress(True)
    name = live["spec"].get("storageClassName")
    if name:
        storage = cluster.get({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}})
        if storage.get("volumeBindingMode") == "WaitForFirstConsumer":
            return Progress(True)
    return Progress(False, "Waiting for PersistentVolumeClaim to be bound")


def _service(live: Live, cluster: Cluster) -> Progress:
    spec = live["spec"]
    if spec.get("type") == "LoadBalancer" and not (_status(live).get("loadBalancer") or {}).get("ingress"):
        return Progress(False, "Waiting for the Service to get an address")
    if spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None" or not spec.get("selector"):
        return Progress(True)
    metadata = live["metadata"]
    slices = cluster.list(
        "discovery.k8s.io/v1", "EndpointSlice", metadata["namespace"], {"kubernetes.io/service-name": metadata["name"]}
    )
    ready = any((e.get("conditions") or {}).get("ready") for item in slices for e in item.get("endpoints") or [])
    return Progress(ready, "Waiting for the Service to have ready Pods behind it")


_CHECKS: Mapping[tuple[str, str], Check] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Service"): _service,
}


def _expressions(text: str) -> Check:
    """Reads `pulumi.com/waitFor`: one expression or a JSON list of them, all of which must hold."""
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    wanted: list[str] = parsed if isinstance(parsed, list) else [text]
    tests = [_expression(item) for item in wanted]
    if not tests:
        raise BadExpression("at least one condition must be specified")

    def check(live: Live, cluster: Cluster) -> Progress:
        del cluster
        unmet = [item for item, test in zip(wanted, tests, strict=True) if not test(live)]
        return Progress(not unmet, f"Waiting for {', '.join(unmet)}")

    return check


def _expression(text: str) -> Callable[[Live], bool]:
    kind, _, rest = text.partition("=")
    if kind == "condition" and rest:
        condition, _, status = rest.partition("=")
        return lambda live: _holds(live, condition, status or "True")
    path = re.fullmatch(rf"\{{?((?:\.[\w-]+)(?:{_STEP})*)\}}?(?:=(.*))?", rest) if kind == "jsonpath" else None
    if path:
        steps, value = [match.group() for match in re.finditer(_STEP, path.group(1))], path.groups()[-1]
        return lambda live: _reaches(live, steps, value)
    if kind == "jsonpath":
        raise BadExpression(
            f'the stand-in understands jsonpath={{.a[*].b[0].c[?(@.d=="e")].f}}=value, and no more, not {text!r}'
        )
    raise BadExpression(f'expected a "jsonpath=" or "condition=" prefix, got "{text}"')


#: A field, every item of a list, one of them, or those of which a field is a text.
_STEP = r"""\.[\w-]+|\[(?:\*|\d+|\?\(@\.[\w-]+==(?:"[^"]*"|'[^']*')\))\]"""


def _reaches(live: Any, steps: list[str], value: str | None) -> bool:
    """Whether the path exists and, if a value is wanted, its first place has that value."""
    found = [live]
    for step in steps:
        found = [below for each in found for below in _below(each, step)]
    return bool(found) and (value is None or str(found[0]) == value)


def _below(live: Any, step: str) -> list[Any]:
    if step.startswith("."):
        return [live[step[1:]]] if isinstance(live, Mapping) and step[1:] in live else []
    items, inside = live if isinstance(live, list) else [], step[1:-1]
    if inside == "*":
        return items
    if inside.isdigit():
        return items[int(inside) :][:1]
    field, _, text = inside.removeprefix("?(@.").removesuffix(")").partition("==")
    return [item for item in items if isinstance(item, Mapping) and item.get(field) == text[1:-1]]


def _pod_reasons(live: Live, cluster: Cluster) -> list[str]:
    labels = (live["spec"].get("selector") or {}).get("matchLabels") or {}
    try:
        pods = cluster.list("v1", "Pod", live["metadata"].get("namespace", ""), labels)
    except (ApiError, NoMatch, Unreachable) as error:
        return [f"its pods could not be read: {error}"]
    words: dict[str, list[str]] = {}
    for pod in pods:
        for text in _held_up(pod):
            words.setdefault(text, []).append(pod["metadata"]["name"])
    return [f"{_some(names)}: {text}" for text, names in words.items()]


def _held_up(pod: Live) -> list[str]:
    scheduled = _conditions(pod).get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return [f"[{scheduled.get('reason')}] {scheduled.get('message')}"]
    waiting = [
        (item["name"], (item.get("state") or {}).get("waiting") or {})
        for item in _status(pod).get("containerStatuses") or []
    ]
    return [
        f"[{state['reason']}] container {name}: {state.get('message', '')}"
        for name, state in waiting
        if state.get("reason")
    ]


def _some(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return f"Pod {shown}" if len(names) == 1 else f"{len(names)} Pods ({shown}{', …' if len(names) > 3 else ''})"
