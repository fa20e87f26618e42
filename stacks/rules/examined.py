"""A stack that obeys the rules, and what follows from it: what warnings look at, whether it serves or only makes nodes."""

from functools import cached_property

from hardware.machines import Machine
from hardware.render.workload import Workload
from stacks.clouds.gke.plan import GkePlan, gke_plan
from stacks.serving import workload as resolve
from stacks.serving.request import cluster_request
from stacks.spec.stack import StackSpec


class Examined:
    """A spec, and what is made of it, once for all that look at it."""

    def __init__(self, spec: StackSpec) -> None:
        self.spec = spec

    @cached_property
    def machine(self) -> Machine:
        """The accelerator nodes' machine."""
        return resolve.machine_of(self.spec)

    @cached_property
    def served(self) -> Workload | None:
        """What is served, None in a stack that only makes nodes."""
        return resolve.workload(self.spec) if self.spec.serving is not None else None

    @cached_property
    def gke(self) -> GkePlan:
        """The plan of the cluster; only of stacks that make one on GKE."""
        request = cluster_request(self.spec)
        assert request is not None
        return gke_plan(request)
