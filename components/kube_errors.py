"""What an error of the Kubernetes client says, as a part of a sentence."""

import json


def reason(error: Exception) -> str:
    """Why there was no answer, or none of use: without what is of no use to people (addresses of objects, headers)."""
    if isinstance(error, json.JSONDecodeError):
        return "what answers there does not speak JSON"
    if status := getattr(error, "status", None):
        return f"it answers {status} {getattr(error, 'reason', '')}".strip()
    return str(getattr(error, "reason", None) or error).split("object at", 1)[-1].split(": ", 1)[-1]
