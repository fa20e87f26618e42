"""Stack files on disk: `Pulumi.<stack>.yaml` in, a `StackSpec` or every problem of the file out.

Reads what the Pulumi CLI would read and nothing else; no cluster, no Pulumi. Encrypted values stay what they are: nothing
here decrypts, and no field of a `StackSpec` is secret.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from releases.values import look_up
from stacks.file.config import project_keys
from stacks.file.judge import judge
from stacks.file.yaml import MAX_BYTES, parse
from stacks.findings import OUTSIDE, PROJECT, Place, Problem, StackFileError, Suppressed, closest
from stacks.rules.facts import Facts
from stacks.rules.file import FILE
from stacks.rules.table import Examined
from stacks.spec.stack import StackSpec


@dataclass(frozen=True)
class StackFile:
    """A stack file: its path, the stack's name, and the rules' findings in it with the facts of its content. None is an error."""

    path: Path
    stack: str
    examined: Examined = field(compare=False, repr=False)
    #: The line of a key (`("cluster", "nodes")`), or of its nearest existing parent, from 1.
    line_of: Callable[[Place], int] = field(compare=False, repr=False)

    @property
    def facts(self) -> Facts:
        """The facts of its content."""
        return self.examined.facts

    @property
    def spec(self) -> StackSpec:
        """Its content."""
        return self.facts.spec

    def with_spec(self, spec: StackSpec) -> "StackFile":
        """Returns the file with another valid content."""
        facts = Facts(spec, base=self.path.parent, planned=True)
        return replace(self, examined=replace(self.examined, facts=facts))

    def located(self, problem: Problem) -> Problem:
        """The problem with this file's path and the line of its place."""
        return replace(problem, file=str(self.path), line=self.line_of(problem.finding.at))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Everything to be pointed out of the file, from the top down."""
        return tuple(sorted(map(self.located, self.examined.warnings), key=lambda problem: problem.line))

    @property
    def suppressed(self) -> tuple[Suppressed, ...]:
        """The findings that the file suppresses, from the top down."""
        found = [replace(each, problem=self.located(each.problem)) for each in self.examined.suppressed]
        return tuple(sorted(found, key=lambda each: each.problem.line))


def stack_name(path: Path) -> str:
    """`Pulumi.<stack>.yaml` -> `<stack>`; any other name is the stack's name without its ending."""
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml").removesuffix(".yml")


def load(path: Path, but: frozenset[str] = frozenset()) -> StackFile:
    """Reads and checks one stack file, by every rule `but` those named.

    Raises:
        StackFileError: with every problem of the file, each naming file, line and YAML path.
    """
    read = _read(path, but)
    if read.problems or read.examined is None:
        raise StackFileError([of_file(path, problem) for problem in read.problems])
    return StackFile(path, stack_name(path), read.examined, read.line_of)


def load_serving(path: Path, but: frozenset[str] = frozenset()) -> StackFile:
    """Reads and checks the file of a stack that serves, as `load` does.

    Raises:
        StackFileError: as `load`; or it is a platform stack.
    """
    found = load(path, but)
    if found.spec.serving is None:
        what, why = "this is a platform stack", "it has no `serving`"
        refusal = FILE.problem(at=(), what=what, why=why, fix=f"name a stack file that refers to {found.stack}")
        raise StackFileError([of_file(path, refusal)])
    return found


def of_file(path: Path, problem: Problem) -> Problem:
    """The problem as one of that file."""
    return replace(problem, file=str(path))


def judged(config: Mapping[str, Any], base: Path | None = None) -> Examined:
    """The facts of a running program's configuration by key (`serving`, …), and the rules' findings in it, none of them an error.

    Relative paths in the configuration start at `base`, if it is known.

    Raises:
        StackFileError: with every problem, each naming its YAML path.
    """
    found, examined = judge(dict(config), base=base)
    if found or examined is None:
        raise StackFileError(found)
    return examined


@dataclass(frozen=True)
class _Read:
    """A file as it was read: every problem; the rules' findings if it has none in its fields."""

    problems: list[Problem]
    examined: Examined | None = None
    line_of: Callable[[Place], int] = lambda _: 0


def _read(path: Path, but: Collection[str]) -> _Read:
    content = _content(path)
    document = content if isinstance(content, Problem) else parse(content)
    if isinstance(document, Problem):
        return _Read([document])
    problems, keys = project_keys(document)
    named = keys or {}

    def line_of(at: Place) -> int:
        if at[:1] == (OUTSIDE,) and at[1] not in document.data:
            return 0  # an argument of a resource
        if at[:1] == (OUTSIDE,) or not at:
            return document.line(at[1:])
        return document.line((*named.get(str(at[0]), ("config",)), *at[1:]))

    examined = None
    if keys is not None:
        config = {name: look_up(document.data, place) for name, place in keys.items()}
        found, examined = judge(
            config, but, path.parent, lambda at: document.text((*named.get(str(at[0]), ("config",)), *at[1:]))
        )
        problems += [replace(problem, line=line_of(problem.finding.at)) for problem in found]
    # A value that was no plain data is judged once, not again for what was put in its place.
    strange = [
        replace(each, finding=replace(each.finding, at=_configured(each.finding.at))) for each in document.problems
    ]
    again = {_configured(at) for at in document.replaced}
    problems = strange + [problem for problem in problems if problem.finding.at not in again]
    problems.sort(key=lambda problem: problem.line)
    return _Read(problems, None if strange else examined, line_of)


def _content(path: Path) -> bytes | Problem:
    what, fix = "the file cannot be read", "check the path"
    try:
        if path.is_dir():
            why, fix = "it is a directory", "name a file in it"
        elif path.is_symlink() and not path.exists():
            why, fix = f"it is a link to {path.readlink()}, which is not there", "correct the link"
        elif not path.exists():
            why, fix = "there is none of that name", _file_that_was_meant(path) or fix
        elif not path.is_file():
            why = "it is a pipe or a device"
        else:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
            if len(content) <= MAX_BYTES:
                return content
            what, why = f"the file has {path.stat().st_size / MAX_BYTES:.1f} MiB", "a stack file has at most 1 MiB"
            fix = "check that this is the file you meant"
    except OSError as error:
        why = (error.strerror or str(error)).lower()
    return FILE.problem(at=(), what=what, why=why, fix=fix)


def _file_that_was_meant(path: Path) -> str:
    """The fix for a file that does not exist: a stack file beside it, by its path or by its stack's name."""
    stacks = {stack_name(file): str(file) for file in sorted(path.parent.glob("Pulumi.*.yaml")) if file.exists()}
    near = stacks.get(closest(stack_name(path), stacks) or "")
    if near or not stacks:
        return f"did you mean `{near}`?" if near else ""
    return f"name one of {', '.join(stacks.values())}"


def _configured(at: Place) -> Place:
    """A place in the document as one in the project's configuration, if it is there."""
    key = str(at[2]) if len(at) > 2 and at[:2] == (OUTSIDE, "config") else ""
    if key.startswith(f"{PROJECT}:"):
        return (key.removeprefix(f"{PROJECT}:"), *at[3:])
    return (OUTSIDE, *at[2:]) if key else at
