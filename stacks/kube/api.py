"""The Kubernetes API for whoever is above `stacks`; it is in `components` because what guards a destroy asks it too."""

from components.kube_client import Api, KubeconfigError, Object

__all__ = ["Api", "KubeconfigError", "Object"]
