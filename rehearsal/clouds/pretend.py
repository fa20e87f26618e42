"""The table of a pretend cloud: its kinds of resources as rows, the rules that judge them, and its words for errors.

Each cloud has one beside this module, and a rehearsal names it (`CloudRehearsal.pretend`). One lifecycle (`lifecycle`), one set
of checks (`checks`) and one plugin (`provider`) serve every table. A cloud's own effects are methods of `Kind` that it overrides.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter

from rehearsal.clouds.store import Cloud, Properties, Record
from rehearsal.plugins.plugin import Failure
from stacks.clouds.replaces import Immutables
from stacks.clouds.resource import Arguments
from stacks.findings import Rule
from stacks.kube.api import Api


def _at_once(_seconds: float) -> bool:
    return False


@dataclass(frozen=True)
class World:
    """The state that all resources share: cloud, project of the provider, API of the fleet, fault, how to wait, and the fleet's
    endpoint, which becomes that of every cluster.

    `wait` waits for seconds, and returns whether it was interrupted.
    """

    cloud: Cloud
    project: str = ""
    fleet: Api | None = None
    fault: str | None = None
    wait: Callable[[float], bool] = _at_once
    endpoint: str = ""


@dataclass(frozen=True)
class Made:
    """A resource that is being created or changed.

    `refers` are the resources that it refers to, by the path of the argument. `before` is what it was, None if it is new.
    """

    args: Arguments
    id: str
    world: World
    records: Sequence[Record] = ()
    refers: Mapping[str, Record] = field(default_factory=dict)
    before: Record | None = None

    @property
    def project(self) -> str:
        """Its project."""
        return str(self.args["project"])


@dataclass(frozen=True)
class Reference:
    """An argument that refers to another resource: its path, its value, and the id or alias that it names."""

    path: str
    said: str
    target: str
    kinds: tuple[str, ...]


#: An output that is known only once the resource exists.
Computed = Callable[[Made], object]
#: Yields paths of arguments in the SDK's spelling, and why the value is refused, for a resource by its class path.
Check = Callable[[str, Arguments], Iterator[tuple[str, str]]]


@dataclass(frozen=True)
class Kind:
    """One kind of resource, a class of the SDK. The methods after `named` are effects that a cloud overrides; here are none.

    `id` is a template filled with arguments; if it is empty, ids are random, and a name exists once. `noun` is the cloud's word
    for it. `refers` has paths of arguments, also through lists, and the kinds they refer to. `computed` are outputs by their
    paths, `filled` those of them that an argument can set instead, and `follows` those that a change computes again. `aliases`
    are outputs by which others refer to it, beside its id. `shared`: a second resource of the same id is the same resource, as
    a role that is granted twice. `fixed` are the arguments whose change replaces it, if the cloud's `Immutables` lack it.
    `takes` are kinds of users that are deleted with it.

    `whole`: laws judge it with all resources that it refers to. `later` are ids of laws that are not judged when it is created,
    because they are about resources that come after it.
    """

    path: str
    id: str = ""
    noun: str = ""
    refers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    computed: Mapping[str, Computed] = field(default_factory=dict)
    filled: Mapping[str, Computed] = field(default_factory=dict)
    follows: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    shared: bool = False
    fixed: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    whole: bool = False
    later: frozenset[str] = frozenset()

    @property
    def places(self) -> tuple[str, ...]:
        """The arguments in its id, which are required."""
        return tuple(field for _, field, _, _ in Formatter().parse(self.id) if field)

    @property
    def named(self) -> bool:
        """Whether it gets a name if the program gives none."""
        return not self.id or "name" in self.places

    def id_of(self, args: Arguments) -> str:
        """Returns the id of a resource with these arguments, empty if ids are random."""
        return self.id.format_map(Given(args))

    def target(self, path: str, said: str, kind: "Kind", args: Arguments) -> str | None:
        """Returns the id or alias that the value of a reference to a kind names; None if it refers to nothing."""
        return said

    def begin(self, made: Made) -> None:
        """Runs before a resource is created, while the cloud is not locked: it can wait. Raises Failure to play a fault."""

    def check_project(self, made: Made) -> None:
        """Checks prerequisites that no argument refers to. Raises Failure."""

    def check_references(self, made: Made) -> None:
        """Checks the resource against those it refers to. Raises Failure."""

    def check_new(self, made: Made) -> None:
        """Checks a resource that does not exist yet. Raises Failure."""

    def check_change(self, made: Made, before: Record) -> None:
        """Checks a change in place. Raises Failure."""

    def check_delete(self, found: Record) -> None:
        """Checks a deletion. Raises Failure."""

    def users(self, world: World) -> Iterable[tuple[str, str]]:
        """Yields users that are no resources of the cloud: noun and name."""
        return ()

    def settle(self, made: Made, state: Properties) -> None:
        """Changes the fleet to what a new or changed resource asks for."""

    def leave(self, world: World, found: Record) -> None:
        """Removes from the fleet what a resource brought."""


class Given(dict[str, object]):
    """Arguments for a template, in which a missing one stays open."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


@dataclass(frozen=True)
class Errors:
    """A cloud's words for what every pretend cloud refuses.

    `name` returns the cloud's name of a resource from its arguments and its id. The others take it and the noun of the kind,
    `not_found` the id; `in_use` also noun and name of the user.
    """

    name: Callable[[Arguments, str], str]
    not_found: Callable[[str, str], Failure]
    already_exists: Callable[[str, str], Failure]
    in_use: Callable[[str, str, str, str], Failure]
    no_target: Callable[[Reference], Failure]


@dataclass(frozen=True)
class PretendKinds:
    """A pretend cloud. `package` is Pulumi's name of its plugin, `sdk` the Python package of its SDK.

    `values` check single arguments and `together` several ones; laws (`rules`) are judged if `values` find nothing. `after_all`
    are the beginnings of ids of laws that are judged only if all arguments are known. `law_name` returns the name of a resource
    for the laws, from kind, arguments and id.

    `answered` returns a state with the cloud's answers beside or instead of its arguments. `as_kept` returns old inputs as the
    plugin compares them with new ones, from kind, inputs and state.
    """

    package: str
    sdk: str
    kinds: Mapping[str, Kind]
    replaces: Immutables
    rules: Sequence[Rule]
    errors: Errors
    values: tuple[Check, ...] = ()
    together: tuple[Check, ...] = ()
    after_all: tuple[str, ...] = ()
    law_name: Callable[[str, Arguments, str], str] = lambda _kind, _args, id_: id_
    answered: Callable[[str, Arguments, Properties], Properties] = lambda _kind, _args, state: state
    as_kept: Callable[[str, Properties, Properties], Properties] = lambda _kind, inputs, _state: inputs

    def replacing_fields(self, kind: Kind, old: Arguments, new: Arguments) -> list[str]:
        """Returns the changed arguments that replace a resource."""
        if self.replaces.knows(kind.path):
            return self.replaces.replacing_fields(old, new, kind.path)
        return [field for field in kind.fixed if old.get(field) != new.get(field)]


def path_of(token: str) -> str:
    """Returns the class path of an engine's type: `container.NodePool` of `gcp:container/nodePool:NodePool`.

    The module `index` is the root: `CksCluster` of `coreweave:index/cksCluster:CksCluster`.
    """
    _, module, name = token.split(":")
    package = module.partition("/")[0]
    return name if package == "index" else f"{package}.{name}"
