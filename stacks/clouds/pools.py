"""What node pools of every provider are told alike: their keys in a stack file, taints, and the bounds of an autoscaler."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from stacks.schema import LabelKey, LabelValue, Positive, Section

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
