"""Common settings of node pools in all clouds: their keys in a stack file, taints, and the bounds of an autoscaler."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints
from typing_extensions import TypedDict

from hardware.render.namespace import OWNER
from stacks.schema import DnsLabel, LabelKey, LabelValue, Positive, Section

#: The node pools a stack can make, by their keys in its file.
PoolKey = Literal["systemPool", "acceleratorPool"]


class Taint(TypedDict):
    """A taint of nodes, as Kubernetes spells it."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]

    key: LabelKey
    value: LabelValue
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class Autoscaling(Section):
    """The provider's own autoscaler sets the number of nodes, within these bounds. `nodes` is what it starts from."""

    min: Annotated[int, Field(ge=0, le=10_000)]
    max: Positive


#: A pool's name in its cluster; GKE takes no longer one.
PoolName = Annotated[DnsLabel, StringConstraints(max_length=40)]


class AcceleratorPool(Section):
    """The nodes the model servers run on, `cluster.nodes` of `cluster.machine`, as every cloud is told of them.

    `labels` and `taints` come on top of what the machine needs, or the cloud puts on such nodes.
    """

    name: PoolName | None = None
    autoscaling: Autoscaling | None = None
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    taints: tuple[Taint, ...] = ()


@dataclass(frozen=True)
class NodePool:
    """Nodes that a Kubernetes object stands for.

    `nodes` is how many there are when it is ready, None if an autoscaler decides. Its object has `size`, the path of the number
    of nodes wanted, `ready`, the path of the number there are, and `fixed`, paths that only another pool can change. `seconds`
    is how long to wait for its nodes.
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
        """Returns the object, annotated with the stack it belongs to if there is one."""
        metadata: dict[str, Any] = {"name": self.name}
        if owner is not None:
            metadata["annotations"] = {OWNER: owner}
        return {"apiVersion": self.api_version, "kind": "NodePool", "metadata": metadata, "spec": self.spec}
