"""Errors of the Kubernetes client as a clause for messages, and as refusals of a destroy."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from components.kube_client import KubeconfigError


def reason(error: Exception) -> str:
    """Returns the reason of an error, without addresses of Python objects and headers."""
    if isinstance(error, json.JSONDecodeError):
        return "what answers there does not speak JSON"
    if status := getattr(error, "status", None):
        return f"it answers {status} {getattr(error, 'reason', '')}".strip()
    return str(getattr(error, "reason", None) or error).split("object at", 1)[-1].split(": ", 1)[-1]


@contextmanager
def refusing(refusal: Callable[[str, bool], Exception]) -> Iterator[None]:
    """Wraps requests to a cluster. If it does not answer, or not usefully, raises the refusal for the reason.

    The refusal is also told whether the user may not read what was asked for.
    """
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (ApiException, HTTPError, json.JSONDecodeError) as error:
        raise refusal(reason(error), getattr(error, "status", None) == 403) from error
    except KubeconfigError as error:
        raise refusal(str(error), False) from error
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise refusal("what answers there is no API server", False) from error
