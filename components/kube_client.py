"""How a kubeconfig that a stack names is read: a path, all of it as text, or the one kubectl would use.

For whoever asks a cluster by the official client; the engine's own provider reads the same three by itself. The client is
imported late: only some commands need it.
"""

import json
from pathlib import Path
from typing import Any


class KubeconfigError(ValueError):
    """The kubeconfig cannot be read, or does not give the context that was asked for."""


def is_text(kubeconfig: str) -> bool:
    """Whether it is a whole kubeconfig, as stacks that make a cluster write it (JSON), and not a path."""
    return kubeconfig.startswith("{")


def path_of(kubeconfig: str | None) -> str | None:
    """The path it stands for, None where it is none."""
    return str(Path(kubeconfig).expanduser()) if kubeconfig and not is_text(kubeconfig) else None


def configuration(kubeconfig: str | None, context: str | None) -> Any:
    """What the client needs to reach the context's cluster (a `kubernetes.client.Configuration`), without its own retries.

    Raises:
        KubeconfigError: with the reason in one line.
    """
    import yaml
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    found = client.Configuration()
    found.retries = False
    try:
        if kubeconfig and is_text(kubeconfig):
            config.load_kube_config_from_dict(  # type: ignore[no-untyped-call]
                json.loads(kubeconfig), context=context, client_configuration=found
            )
        else:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=path_of(kubeconfig), context=context, client_configuration=found
            )
    except (ConfigException, yaml.YAMLError, OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        # The client reads a malformed kubeconfig without looking, so that nearly anything can come of it.
        raise KubeconfigError(" ".join(str(error).split())) from error
    return found
