"""Facts about a stack that rules ask for, each derived once, when it is first asked for.

A fact that cannot be had raises `UnknownError`, and the rule that asked is silent, because another one says why. What a rule says
of one word of the stack file does not depend on whether the other words are right: facts that need all of them are derived of
`sound`, in which words that no table knows are replaced by their defaults.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware.accelerators import ACCELERATORS
from hardware.bill import Bill
from hardware.machines import Machine, UnknownMachineError
from hardware.render.pods import model_server
from hardware.render.workload import Workload
from hardware.vocabulary import Accelerator
from releases import DEFAULT, RELEASES
from stacks.clouds.cloud import ClusterPlan
from stacks.clouds.resource import Resource
from stacks.findings import Outcome, UnknownError
from stacks.rules import sound
from stacks.serving import workload as resolve
from stacks.spec.router import Router
from stacks.spec.stack import Serving, StackSpec

if TYPE_CHECKING:
    from stacks.blueprint import Blueprint


class Facts:
    """A stack file's spec and all that follows from it.

    `accepted`: no rule objects to the file, or it suppresses the findings. `planned`: a plan can be made of it then; relative
    paths in it start at `base`. Facts that are `given` by name are not derived: a pretend cloud gives `resources`, a running
    program `previous`, the stack's last outputs.
    """

    def __init__(
        self,
        spec: StackSpec | None = None,
        *,
        base: Path = Path(),
        accepted: bool = False,
        planned: bool = False,
        **given: Any,
    ) -> None:
        self._spec = spec
        self._base = base
        self._accepted = accepted
        self._planned = planned
        self.__dict__.update(given)

    @property
    def spec(self) -> StackSpec:
        """The spec, as it is written."""
        if self._spec is None:
            raise UnknownError
        return self._spec

    @property
    def serving(self) -> Serving:
        """`serving`, as it is written; unknown of a platform stack."""
        if self.spec.serving is None:
            raise UnknownError
        return self.spec.serving

    @property
    def router(self) -> Router:
        """`router`, as it is written; unknown of a platform stack."""
        return self.spec.router if self.serving else Router()

    @property
    def bill(self) -> Bill:
        """The bill of versions; the default one if the release does not exist."""
        return RELEASES.get(self.spec.release) or RELEASES[DEFAULT]

    @property
    def accelerator(self) -> Accelerator:
        """The accelerator that is named."""
        found = ACCELERATORS.get(self.serving.accelerator)
        if found is None:
            raise UnknownError
        return found

    @property
    def fabric(self) -> str:
        """The fabric that is named, if the accelerator has it."""
        if self.serving.fabric not in self.accelerator.fabrics:
            raise UnknownError
        return self.serving.fabric

    @cached_property
    def chosen(self) -> StackSpec:
        """The spec with words that no table knows replaced by their defaults; unknown without an accelerator."""
        found = sound.chosen(self.spec)
        if found is None:
            raise UnknownError
        return found

    @cached_property
    def written(self) -> Workload:
        """The workload with all that the stack file does to the recipe, whether it can be honoured or not."""
        if self.serving:
            return resolve.workload(self.chosen)
        raise UnknownError

    @cached_property
    def sound(self) -> StackSpec:
        """The spec of which everything can be derived: `chosen`, on a machine that serves it, with edits that compose.

        If no rule objects to the file, it is the spec as it is written, with the faults that it suppresses.
        """
        if self._accepted:
            return self.spec
        return sound.sound(self.chosen, self.written if self.spec.serving else None)

    @cached_property
    def machine(self) -> Machine:
        """The accelerator nodes' machine, as it is in the stack's cluster."""
        try:
            return resolve.machine_of(self.sound)
        except UnknownMachineError as error:
            raise UnknownError from error

    @cached_property
    def workload(self) -> Workload:
        """The workload; unknown for a platform stack."""
        if self.serving:
            return resolve.workload(self.sound)
        raise UnknownError

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The rendered model servers."""
        return model_server(self.workload)

    @cached_property
    def blueprint(self) -> "Blueprint":
        """All that the stack applies; unknown while a rule objects to the file."""
        from stacks.blueprint import (
            blueprint,
        )  # late: it reads files, which takes imports that no command needs to check

        if not self._planned:
            raise UnknownError
        return blueprint(self.spec, self._base)

    @cached_property
    def cluster(self) -> ClusterPlan:
        """A cloud's plan of the stack's cluster and nodes; unknown if it makes none, or while a rule objects to the file."""
        if not self._planned:
            raise UnknownError
        try:
            request = resolve.cluster_request(self.spec, self._base)
        except UnknownMachineError as error:
            raise UnknownError from error
        if request is None:
            raise UnknownError
        return self.spec.cluster.cloud.plan(request)

    @cached_property
    def resources(self) -> Sequence[Resource]:
        """The resources of a cloud's API in that plan."""
        return self.cluster.resources

    @cached_property
    def outcome(self) -> Outcome:
        """The result of the other rules; unknown while they are asked."""
        raise UnknownError

    @cached_property
    def previous(self) -> Mapping[str, Any]:
        """The stack's last outputs, which only a running program has."""
        raise UnknownError
