"""Facts about a stack that rules ask for, each derived once, when it is first asked for.

A fact that cannot be had raises `UnknownError`, and the rule that asked is silent, because another one says why. What a rule says
of one word of the stack file does not depend on whether the other words are right: facts that need all of them are derived of
`corrected`, in which words that no table knows are replaced by their defaults.
"""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hardware.accelerators import ACCELERATORS
from hardware.bill import Bill
from hardware.machines import Machine, UnknownMachineError
from hardware.render.pods import model_server
from hardware.render.workload import Workload
from hardware.vocabulary import Accelerator
from releases import DEFAULT, RELEASES
from stacks.clouds.cloud import ClusterPlan, ClusterRequest, Previous
from stacks.clouds.resource import Resource
from stacks.findings import Finding, Outcome, Place, UnknownError, answered, known, meant
from stacks.kube.live import LiveCluster
from stacks.rules import corrected, edits
from stacks.rules.proposals import Proposals
from stacks.rules.trial import objections
from stacks.serving import workload as resolve
from stacks.spec.router import Router
from stacks.spec.stack import Serving, StackSpec

if TYPE_CHECKING:
    from stacks.blueprint import Blueprint, ServingBlueprint


T = TypeVar("T")


class Facts:
    """A stack file's spec and all that follows from it.

    `accepted`: no rule objects to the file, or it suppresses the findings, so that all is derived of it as it is. `planned`: a
    plan can be made of it then; relative paths in it start at `base`. `tried`: it is a proposal of a rule, which is tried before
    it is made. Facts that are `given` by name are not derived: a pretend cloud gives `resources`, a running program `previous`
    and `live`.
    """

    def __init__(
        self,
        spec: StackSpec | None = None,
        *,
        base: Path | None = None,
        accepted: bool = False,
        planned: bool = False,
        tried: bool = False,
        **given: Any,
    ) -> None:
        self._spec = spec
        self._base = base
        self._accepted = accepted or planned
        self._planned = planned
        self._derived: dict[Callable[..., Any], Any] = {}
        self._tried = tried
        self.__dict__.update(given)

    def also(self, **given: Any) -> "Facts":
        """Returns these facts with others that are given; what was derived is kept."""
        found = copy(self)
        found.__dict__.update(given)
        return found

    def accepted(self) -> "Facts":
        """Returns the facts of the same file when no rule objects to it; what was derived of the file as it is is kept."""
        for as_it_is in answered(lambda: self.corrected is self.spec):
            if as_it_is:
                return self.also(_accepted=True)
        return Facts(self.spec, base=self._base, accepted=True)  # a finding is suppressed, or a field cannot be read

    def planned(self) -> "Facts":
        """Returns the facts of an accepted file with a plan."""
        return self.also(_planned=True)

    @property
    def spec(self) -> StackSpec:
        """The spec, as it is written."""
        if self._spec is None:
            raise UnknownError
        return self._spec

    @property
    def base(self) -> Path:
        """The directory at which relative paths in the file start; of a spec without a file, where the program runs."""
        return self._base or Path()

    @property
    def directory(self) -> Path:
        """The directory of the file; unknown of a spec without one."""
        if self._base is None:
            raise UnknownError
        return self._base

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
        found = self.spec if self._accepted else corrected.chosen(self.spec)
        if found is None:
            raise UnknownError
        return found

    @cached_property
    def written(self) -> Workload:
        """The workload with all that the stack file does to the recipe, whether it can be honoured or not."""
        return self._workload(self.chosen, self._machine_chosen)

    @cached_property
    def edits(self) -> Sequence[Finding]:
        """The edits of the recipe that cannot be honoured."""
        return tuple(edits.refusals(self.written, self.serving))

    @cached_property
    def corrected(self) -> StackSpec:
        """The spec of which everything can be derived: `chosen`, on a machine that serves it, with edits that compose.

        If no rule objects to the file, it is the spec as it is written, with the faults that it suppresses.
        """
        if self._accepted or self.spec.serving is None:
            return self.chosen
        return corrected.corrected(self.chosen, self.written, {finding.at for finding in self.edits})

    @cached_property
    def machine(self) -> Machine:
        """The accelerator nodes' machine, as it is in the stack's cluster. The reason why it is unknown is a sentence."""
        if self.spec.cluster.machine and not self.chosen.cluster.machine:
            raise UnknownError  # the file names one that does not exist
        found = self._machine_chosen if self.corrected is self.chosen else _machine(self.corrected)
        if not isinstance(found, Machine):
            raise UnknownError(str(found)) from found
        return found

    @cached_property
    def workload(self) -> Workload:
        """The workload; unknown for a platform stack."""
        return (
            self.written if self.corrected is self.chosen else self._workload(self.corrected, _machine(self.corrected))
        )

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The rendered model servers."""
        return model_server(self.workload)

    @cached_property
    def _machine_chosen(self) -> Machine | Exception:
        return _machine(self.chosen)

    def _workload(self, spec: StackSpec, machine: Machine | Exception) -> Workload:
        if spec.serving is None:
            raise UnknownError
        return resolve.workload(spec, machine if isinstance(machine, Machine) else None)

    @cached_property
    def request(self) -> ClusterRequest | None:
        """The request to the stack's cloud, None if the stack makes no nodes; unknown while a rule objects to the file."""
        if not self._planned:
            raise UnknownError
        cluster = self.spec.cluster
        if not cluster.makes_nodes or cluster.section is None:
            return None
        return resolve.cluster_request(self.spec, cluster.section, self.machine, self.base)

    @cached_property
    def cluster(self) -> ClusterPlan:
        """A cloud's plan of the stack's cluster and nodes; unknown if it makes none, or while a rule objects to the file."""
        if self.request is None:
            raise UnknownError
        return self.spec.cluster.cloud.plan(self.request)

    @cached_property
    def resources(self) -> Sequence[Resource]:
        """The resources of a cloud's API in that plan."""
        return self.cluster.resources

    def helping(self, at: Place, proposals: Proposals) -> list[str]:
        """The words of the proposals after which rules say nothing of a place, and elsewhere nothing that they do not say now."""
        if self._tried:
            return [*proposals]  # a rule that is asked about a proposal proposes nothing
        now = {found for found in self._objected if found[1] != at}
        return [words for words, changes in proposals.items() if objections(self, changes) <= now]

    @cached_property
    def _objected(self) -> set[tuple[str, Place]]:
        """The findings of the rules in the file without changes, by rule and place."""
        return objections(self, {})

    def words_that_help(self, at: Place, words: Iterable[str]) -> list[str]:
        """The words that help at a place; all of them if none does, because something else is wrong too."""
        all_of_them = [*words]
        return self.helping(at, {word: {at: word} for word in all_of_them}) or all_of_them

    def known_that_helps(self, at: Place, word: str, words: Iterable[str]) -> str:
        """The fix for a word that is not among these: the one that was probably meant, else those that help."""
        all_of_them = [*words]
        return meant(word, all_of_them) or known(word, self.words_that_help(at, all_of_them))

    def of_a_trial(self, spec: StackSpec) -> "Facts":
        """Facts of another spec of the same file, of which nothing is proposed."""
        return Facts(spec, base=self._base, tried=True)

    @cached_property
    def served(self) -> "ServingBlueprint":
        """All that the stack serves with; unknown for a platform stack, or while a rule objects to the file."""
        from stacks.blueprint import serving_blueprint  # late: it reads files, with imports that no check needs

        if not self._planned:
            raise UnknownError
        return serving_blueprint(self.spec, self.workload, self.objects, self.base)

    @cached_property
    def blueprint(self) -> "Blueprint":
        """All that the stack applies; unknown while a rule objects to the file."""
        from stacks.blueprint import Blueprint

        return Blueprint(
            spec=self.spec,
            request=self.request,
            cluster=self.cluster if self.request else ClusterPlan(reached_by=self.spec.cluster.at),
            serving=self.served if self.spec.serving else None,
        )

    @cached_property
    def outcome(self) -> Outcome:
        """The result of the other rules; unknown while they are asked."""
        raise UnknownError

    @cached_property
    def previous(self) -> Previous:
        """The stack as its last run left it, which only a running program knows."""
        raise UnknownError

    @cached_property
    def live(self) -> LiveCluster:
        """The cluster, which only a running program asks, and not before it exists."""
        raise UnknownError

    def once(self, derive: Callable[["Facts"], T]) -> T:
        """Returns a cloud's own fact: `derive` is called once, however many rules ask."""
        if derive not in self._derived:
            self._derived[derive] = derive(self)
        found: T = self._derived[derive]
        return found


def _machine(spec: StackSpec) -> Machine | Exception:
    """Returns the machine, or the reason why it is unknown: that none is found, or a key that cannot be read."""
    try:
        return resolve.machine_of(spec)
    except (UnknownMachineError, UnknownError) as error:
        return error


def blueprint(spec: StackSpec, base: Path = Path()) -> "Blueprint":
    """Returns the blueprint of a valid stack file. Relative paths in the file start at `base`, the project's directory."""
    return Facts(spec, base=base, planned=True).blueprint


def serving_blueprint(spec: StackSpec, base: Path = Path()) -> "ServingBlueprint":
    """Returns what a valid stack file serves with. Relative paths in the file start at `base`.

    Raises:
        UnknownError: it is a platform stack.
    """
    return Facts(spec, base=base, planned=True).served
