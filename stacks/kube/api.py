"""The Kubernetes API client, for `stacks` and all above. It is in `components` because the guards of a destroy use it too."""

from components.kube_client import Api, KubeconfigError, Object

__all__ = ["Api", "KubeconfigError", "Object"]
