"""Stack files on disk: `Pulumi.<stack>.yaml` in, a `StackSpec` or every problem of the file out.

Reads what the Pulumi CLI would read and nothing else; no cluster, no Pulumi. Encrypted values stay what they are: nothing
here decrypts, and no field of a `StackSpec` is secret.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stacks.file import messages
from stacks.file.messages import DEPENDENT, EXAMPLES, PROJECT, SOURCE
from stacks.file.yaml import MAX_BYTES, Document, Location, parse
from stacks.findings import Problem, StackFileError, known
from stacks.rules.table import problems_of
from stacks.spec.stack import StackSpec

__all__ = [
    "PROJECT",
    "StackFile",
    "load",
    "load_serving",
    "of_file",
    "spec_from_config",
    "stack_name",
]

#: What the Pulumi CLI itself keeps at the top of a stack file.
PULUMI_KEYS = ("config", "encryptionsalt", "secretsprovider", "encryptedkey", "environment")
#: Files people name by mistake, told by a key at their top.
MISTAKEN = {
    "apiVersion": "a Kubernetes manifest",
    "runtime": "Pulumi's project file",
    "inferenceExtension": "the values of the router's chart",
}


@dataclass(frozen=True)
class StackFile:
    """A stack file that was read: where it lies, the stack's name, and what it says."""

    path: Path
    stack: str
    spec: StackSpec
    #: The line of a key (`("cluster", "nodes")`), or of what it would stand under, from 1.
    line_of: Callable[[Location], int] = field(compare=False, repr=False)


def stack_name(path: Path) -> str:
    """`Pulumi.<stack>.yaml` -> `<stack>`; any other name is the stack's name without its ending."""
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml").removesuffix(".yml")


def load(path: Path, but: frozenset[str] = frozenset()) -> StackFile:
    """Reads and checks one stack file, by every rule `but` those named.

    Raises:
        StackFileError: with every problem of the file, each naming file, line and YAML path.
    """
    problems, spec, line_of = _read(path)
    problems = [problem for problem in problems if problem.rule not in but]
    if problems or spec is None:
        raise StackFileError([of_file(path, problem) for problem in problems])
    return StackFile(path, stack_name(path), spec, line_of)


def load_serving(path: Path, but: frozenset[str] = frozenset()) -> StackFile:
    """Reads and checks the file of a stack that serves, as `load` does.

    Raises:
        StackFileError: as `load`; or it is a platform stack.
    """
    found = load(path, but)
    if found.spec.serving is None:
        what, why = "this is a platform stack", "it has no `serving`"
        refusal = Problem("FILE", "", what, why, f"name a stack file that refers to {found.stack}")
        raise StackFileError([of_file(path, refusal)])
    return found


def of_file(path: Path, problem: Problem) -> Problem:
    """The problem of that file. Where no rule says where it comes from, the page does that says what a stack file is."""
    return replace(problem, file=str(path), source=problem.source or SOURCE)


def spec_from_config(config: Mapping[str, Any]) -> StackSpec:
    """The spec of a running program, from its configuration by key (`serving`, …).

    Raises:
        StackFileError: with every problem, each naming its YAML path.
    """
    found, spec = _judge(dict(config))
    if found or spec is None:
        raise StackFileError([problem for _, problem in found])
    return spec


def _read(path: Path) -> tuple[list[Problem], StackSpec | None, Callable[[Location], int]]:
    content = _content(path)
    document = content if isinstance(content, Problem) else parse(content)
    if isinstance(document, Problem):
        return [document], None, lambda _: 0
    problems, keys = _config(document)
    named = keys or {}

    def line_of(location: Location) -> int:
        return document.line(("config", named.get(str(location[0]), ""), *location[1:]))

    spec: StackSpec | None = None
    if keys is not None:
        config = {name: document.data["config"][key] for name, key in keys.items()}
        found, spec = _judge(config)
        problems += [replace(problem, line=line_of(location)) for location, problem in found]
    # A value that was no plain data is judged once, not again for what was put in its place.
    strange = [replace(problem, path=_shown(location)) for location, problem in document.problems]
    again = {problem.path for problem in strange}
    problems = strange + [problem for problem in problems if problem.path not in again]
    return sorted(problems, key=lambda problem: problem.line), None if strange else spec, line_of


def _content(path: Path) -> bytes | Problem:
    what, fix = "the file cannot be read", "check the path"
    try:
        if path.is_dir():
            why, fix = "it is a directory", "name a file in it"
        elif not path.exists():
            why = "there is none of that name"
            fix = known(path.name, sorted(file.name for file in path.parent.glob("Pulumi.*.yaml"))) or fix
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
    return Problem("FILE", "", what, why, fix)


def _config(document: Document) -> tuple[list[Problem], dict[str, str] | None]:
    """The project's own keys: what each is called without the prefix, and with it. Other projects' are not ours to judge."""
    data, why = document.data, "a stack has to say what it serves"
    if data is None:
        return [Problem("FILE", "", "the file is empty", why, f"start with `config:` and {EXAMPLES['serving']}")], None
    if not isinstance(data, dict):
        what, fix = "the file holds no map", "begin with `config:`"
        return [
            Problem("FILE", "", what, "a stack file is a map of keys and values", fix, line=document.line(()))
        ], None
    for key, what in MISTAKEN.items():
        if key in data:
            why, fix = "a stack file has `config:` and none of this", "name a file like Pulumi.<stack>.yaml"
            return [Problem("FILE", key, f"this is {what}", why, fix, line=document.line((key,)))], None
    problems = [
        Problem(
            "FILE", key, "unknown key", "the Pulumi CLI keeps nothing under it", known(key, PULUMI_KEYS),
            line=document.line((key,)),
        )
        for key in data
        if key not in PULUMI_KEYS
    ]  # fmt: skip
    config, line = data.get("config"), document.line(("config",))
    if not config:
        fix = f"add {EXAMPLES['serving']} under it"
        return [*problems, Problem("FILE", "config", "there is no configuration", why, fix, line=line)], None
    if not isinstance(config, dict):
        what, why = "it is not a map", "every setting is a key with a value"
        return [
            *problems,
            Problem("FILE", "config", what, why, f"write {EXAMPLES['serving']} under it", line=line),
        ], None
    keys: dict[str, str] = {}
    for key in config:
        namespace, _, name = key.rpartition(":")
        what = ""
        if not namespace:
            what, why = "key without a project", "several projects may keep keys here"
        elif namespace != PROJECT:
            if not difflib.get_close_matches(namespace, [PROJECT], cutoff=0.8):
                continue
            what, why = "unknown project", "the program would not see this key"
        elif name in keys:
            what, why = f"it is there as `{keys[name]}` too", "only one of the two can count"
        if what:
            fix = f"write `{PROJECT}:{name}`"
            problems.append(Problem("FILE", key, what, why, fix, line=document.line(("config", key))))
        keys.setdefault(name, key)
    return problems, keys


def _judge(config: dict[str, Any]) -> tuple[list[tuple[Location, Problem]], StackSpec | None]:
    """Every problem of the fields, and, on what remains without the faulty ones, every problem of the rules.

    The spec is None where a field is faulty.
    """
    found, spec = messages.read(config)
    if spec is not None:
        faulty = [location for location, _ in found]
        # What was taken out because it depends on what is faulty is not missing.
        faulty += [path for first, path in DEPENDENT if any(place[: len(first)] == first for place in faulty)]
        for problem in problems_of(spec):
            location = messages.location(problem.path)
            if not any(location[: len(part)] == part for part in faulty):
                found.append((location, problem))
        spec = None if faulty else spec
    if config.get("serving", {}) == {} and any(location == ("cluster", "provider") for location, _ in found):
        # With the provider that was meant, it may be a platform stack.
        found = [(location, problem) for location, problem in found if location[0] != "serving"]
    return found, spec


def _shown(location: Location) -> str:
    """A place in the file as problems name it: `llmd-pd:serving.model`, or `encryptionsalt`."""
    if location[:1] != ("config",) or len(location) == 1:
        return ".".join(map(str, location))
    return f"{location[1]}{messages.steps(location[2:])}"
