"""PodMonitors of the model servers, for clusters that run the Prometheus operator.

They select pods by role alone, so they depend on no hardware. That is upstream's choice, with a drawback: the monitors of two
stacks in one namespace have the same names and scrape the pods of both. Therefore each stack needs its own namespace. The
router's ServiceMonitor comes from its chart.
"""

from typing import Any

from hardware.vocabulary import ROLE_LABEL, ROLES, Role


def pod_monitors() -> list[dict[str, Any]]:
    """Returns one PodMonitor per role, as plain Kubernetes objects without a namespace. Interval: 30 s, as upstream has it."""
    return [_pod_monitor(role) for role in ROLES]


def _pod_monitor(role: Role) -> dict[str, Any]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": {"name": role, "labels": {ROLE_LABEL: role}},
        "spec": {
            "selector": {"matchLabels": {ROLE_LABEL: role}},
            "podMetricsEndpoints": [{"port": "modelserver", "path": "/metrics", "interval": "30s"}],
        },
    }
