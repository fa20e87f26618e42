"""PodMonitors of the model servers, for clusters that run the Prometheus operator.

They select by role and nothing else, so they depend on no hardware. That is upstream's choice and has a price: two stacks in
one namespace are scraped under both stacks' monitors, whose objects even share their names. One namespace per stack, then.
The router's ServiceMonitor is made by its chart.
"""

from typing import Any

from hardware.vocabulary import ROLE_LABEL, ROLES, Role


def pod_monitors() -> list[dict[str, Any]]:
    """One PodMonitor per role, as plain Kubernetes objects without a namespace. Scraped every 30 s, as upstream does."""
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
