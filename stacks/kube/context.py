"""Contexts of kubeconfigs, by which existing clusters are reached."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Context:
    """A context of a kubeconfig. The kubeconfig is a path or the whole text; None for either means kubectl's own choice."""

    kubeconfig: str | None = None
    context: str | None = None
