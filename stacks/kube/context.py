"""How an existing cluster is reached."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Context:
    """A context of a kubeconfig. The kubeconfig is a path, or all of it as text; None for each means kubectl's own choice."""

    kubeconfig: str | None = None
    context: str | None = None
