"""Errors of the Kubernetes client as a clause for messages."""

import json


def reason(error: Exception) -> str:
    """Returns the reason of an error, without addresses of Python objects and headers."""
    if isinstance(error, json.JSONDecodeError):
        return "what answers there does not speak JSON"
    if status := getattr(error, "status", None):
        return f"it answers {status} {getattr(error, 'reason', '')}".strip()
    return str(getattr(error, "reason", None) or error).split("object at", 1)[-1].split(": ", 1)[-1]
