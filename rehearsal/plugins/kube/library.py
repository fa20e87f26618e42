"""The official client library, imported once: it loads its parts lazily, and two threads that do so at once deadlock."""

import threading

_LOCK = threading.Lock()


def load() -> None:
    """Imports every part that the stand-in uses; to be called before one is used."""
    with _LOCK:
        from kubernetes.client import ApiClient, Configuration  # noqa: F401
        from kubernetes.config import load_kube_config_from_dict  # noqa: F401
        from kubernetes.config.config_exception import ConfigException  # noqa: F401
        from kubernetes.config.kube_config import KubeConfigMerger  # noqa: F401


def load_early() -> None:
    """Starts the import in a thread, beside the start of the process, which takes as long."""
    threading.Thread(target=load, daemon=True).start()
