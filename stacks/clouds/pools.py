"""Settings that node pools of every cloud share: keys in a stack file, taints, and the bounds of an autoscaler."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints
from typing_extensions import TypedDict

from hardware.render.namespace import OWNER
from stacks.schema import DnsLabel, LabelKey, LabelValue, Positive, Section

#: The node pools a stack can make, by their keys in its file.
PoolKey = Literal["systemPool", "acceleratorPool"]


class Taint(TypedDict):
    """A taint of nodes as Kubernetes spells it."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]

    key: LabelKey
    value: LabelValue
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class Autoscaling(Section):
    """Bounds within which the provider's own autoscaler sets the number of nodes. It starts from `nodes`."""

    min: Annotated[int, Field(ge=0, le=10_000)]
    max: Positive


#: A pool's name in its cluster. GKE allows 40 characters.
PoolName = Annotated[DnsLabel, StringConstraints(max_length=40)]


class AcceleratorPool(Section):
    """The pool of accelerator nodes, `cluster.nodes` machines of `cluster.machine`, with the keys that every cloud has.

    `labels` and `taints` are added to those that the machine needs or that the cloud puts on such nodes.
    """

    name: PoolName | None = None
    autoscaling: Autoscaling | None = None
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    taints: tuple[Taint, ...] = ()


@dataclass(frozen=True)
class NodePool:
    """A node pool that is a Kubernetes object.

    `nodes` is the number of nodes of a ready pool, None if an autoscaler decides. Paths in the object: `size`, the number of
    nodes wanted; `ready`, the number of existing nodes; `fixed`, fields that can change only by replacing the pool. `seconds`
    is the time to wait for its nodes.
    """

    key: PoolKey
    name: str
    instance_type: str
    api_version: str
    spec: dict[str, Any]
    nodes: int | None
    protect: bool
    size: str
    ready: str
    fixed: tuple[str, ...]
    seconds: int

    def manifest(self, owner: str | None = None) -> dict[str, Any]:
        """Returns the object, annotated with its owner (a stack's full name) if one is given."""
        metadata: dict[str, Any] = {"name": self.name}
        if owner is not None:
            metadata["annotations"] = {OWNER: owner}
        return {"apiVersion": self.api_version, "kind": "NodePool", "metadata": metadata, "spec": self.spec}
