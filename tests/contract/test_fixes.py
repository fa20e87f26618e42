"""A fix that names what to write is one: followed literally, its finding is gone and no other error has come of it.

The cases are those of the rules and of the fields, and every single mistake in four whole stack files.
"""

import contextlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from stacks.file.load import judged, load
from stacks.findings import ERROR, Problem, StackFileError
from stacks.rules.table import examine
from tests.contract import rule_cases
from tests.contract.fixes import Config, Reader, Way
from tests.unit import test_single_mistakes_files, test_spec, test_stack_files

#: Fixes that nobody can follow without knowing more than the file: the rule, the fix, and why.
PROSE: list[tuple[str, str, str]] = [
    ("PATH-01", "check the path", "what is meant only the writer knows"),
    ("PIN-01", "pin a version tag or a digest", "which build is meant only its user knows"),
    ("MODEL-02", "keep one", "which of the two is meant only the writer knows"),
    ("POD-01", "name the key", "which taint is meant only the writer knows"),
    ("NAME-01", "use an id whose last part .*", "a model has the id that it has"),
    ("GKE-28", "write the id of .*|write one of those that `gcloud .*", "the project's own, or of today"),
    ("CLUSTER-03", "write `gke: .*", "a project, a region and a zone are the team's"),
    ("CW-12", "take (it from|another range).*", "a range is assigned by a network's administrators"),
    ("CW-13", "plan for fewer nodes", "no range is large enough"),
    ("MIRROR-01", "leave its registry and repository out.*", "an image in the chart's own form"),
    ("GW-01", "write the name of a GatewayClass.*|use a name that is no number.*", "the cluster's, the model's"),
    ("ROUTER-01", "add it to `plugins`", "its parameters are the writer's"),
    ("BILL-02", "write it in this chart's keys .*", "two charts keep it in different places"),
    ("SPEC", r"add `\w+: …`", "a team's own"),
    ("SPEC", "write `key: value` pairs under it", "what is meant only the writer knows"),
    ("SPEC", "write (the number you meant|one such value|a word|.*lines under it)", "what is meant only the writer knows"),
    ("CAP-08", "look at the quotas .*", "a quota is Google's to give"),
    ("CAP-09", "use a reservation .*", "a reservation is the team's"),
    ("GKE-15", "look at `nvidia-smi` .*", "a driver is seen on a node"),
    ("GKE-16", "leave the directory out.*", "two sources for one CRD"),
    ("NET-09", "use a larger base.*", "a base is assigned by a network's administrators"),
    ("CW-17", "select one under .*", "a fabric's name is seen on a node"),
    ("CW-18", "look it up at .*", "CoreWeave's page of today"),
    ("SPEC", "write something like `us-central1-b`", "a zone goes with the region, of which a field knows nothing"),
]  # fmt: skip


def problems(config: Config) -> tuple[Problem, ...]:
    """All errors of a configuration; if there are none, all warnings."""
    try:
        return judged(config).warnings
    except StackFileError as error:
        return tuple(error.problems)


def new(config: Config, before: tuple[Problem, ...], followed: Problem) -> list[Problem]:
    """Returns findings after a fix was followed that were none before: the finding itself too, if it is still there."""
    rest = Counter((problem.rule, problem.path) for problem in before if problem is not followed)
    found = []
    for problem in problems(config):
        key = (problem.rule, problem.path)
        rest[key] -= 1
        if rest[key] < 0 and (problem.severity is ERROR or problem.rule == followed.rule):
            found.append(problem)
    return found


def misleads(way: Way, before: tuple[Problem, ...], followed: Problem) -> str:
    """Returns the fault of a way to follow a fix; "" if it mends the file."""
    found = new(way.config, before, followed)
    if way.example:
        found = [problem for problem in found if problem.path == followed.path]
    return f"{way.words} -> {'; '.join(map(str, found))}" if found else ""


def prose(problem: Problem) -> bool:
    return any(rule == problem.rule and re.fullmatch(fix, problem.fix) for rule, fix, _ in PROSE)


def of_rules() -> Iterator[tuple[str, Callable[[], Config]]]:
    for rule, stated in (*rule_cases.of_files(), *rule_cases.of_warnings()):
        yield (
            rule,
            lambda stated=stated: stated().model_dump(mode="json", by_alias=True, exclude_unset=True),  # type: ignore[misc]
        )
    for given, path, _ in test_spec.REFUSED:
        yield f"SPEC {path}", lambda given=given: given  # type: ignore[misc]


CASES = [*of_rules()]


@cache
def case(number: int) -> tuple[Config, tuple[Problem, ...]]:
    """The configuration of a case, and its problems."""
    config = CASES[number][1]()
    return config, problems(config)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{n} {row[0]}" for n, row in enumerate(CASES)])
def test_a_fix_that_names_what_to_write_is_one(number: int) -> None:
    config, before = case(number)
    assert before
    for problem in before:
        if prose(problem):
            continue
        ways = [*Reader(config, problem.finding).ways()]
        assert ways, f"nothing can be followed in: {problem}"
        wrong = [words for way in ways if not way.listed and (words := misleads(way, before, problem))]
        assert wrong == [], str(problem)
        listed = [misleads(way, before, problem) for way in ways if way.listed]
        assert not listed or "" in listed, listed


def test_what_is_called_prose_is_said_somewhere() -> None:
    said = [problem for number in range(len(CASES)) for problem in case(number)[1]]
    for rule, fix, _ in PROSE:
        assert any(rule == problem.rule and re.fullmatch(fix, problem.fix) for problem in said), (rule, fix)


@pytest.mark.parametrize("name", test_single_mistakes_files.FILES)
def test_whoever_follows_one_fix_after_the_other_ends_with_a_valid_file(name: str) -> None:
    """A mistake may contradict several keys: then one fix shows the next problem. Few of them, and never in a circle."""
    for row in test_single_mistakes_files.CASES:
        if row.name != name or row.harmless:
            continue
        config, path = row.mistake.content, [str(row)]
        for _ in range(5):
            found = [problem for problem in problems(config) if problem.severity is ERROR and not prose(problem)]
            if not found:
                break
            path.append(str(found[0]))
            followed = next(Reader(config, found[0].finding).ways(), None)
            assert followed, "\n".join(path)
            config = followed.config
        else:
            pytest.fail("\n".join(path))


# --- of files that are none ----------------------------------------------------------------------------------------------

#: Fixes of what a reader of YAML refuses, and how a line is changed by each.
EDITS: list[tuple[str, Callable[[str, re.Match[str]], str]]] = [
    (r'quote it: (".*")', lambda line, found: re.sub(r": [^:{}]*:?[^:{}]*:?[^:{}]*$", f": {found[1]}", line)),
    (r"write `(llmd-pd:[^`]+)`", lambda line, found: re.sub(r"\S+:(?= )", f"{found[1]}:", line, count=1)),
    (r"write `.* under `config` instead", lambda line, _: "\n".join(_unnested(line))),
    (r"did you mean `(\w+)`\?", lambda line, found: re.sub(r"^\w+", found[1], line)),
    (r"(?:start with `config:` and|add|write) `(.*)`.*", lambda _, found: f"config:\n  {found[1]}"),
    (r"remove it", lambda line, _: re.sub(r"!!\S+ ", "", line)),
    (r"replace each tab with spaces", lambda line, _: line.expandtabs(2)),
    (r"(keep one|leave it out: .*|take it out)", lambda *_: ""),
]  # fmt: skip
#: Cases of which the text of a stack file cannot be recovered by a reader, or whose value has no meaning whatever its form.
BEYOND = {
    "a word", "a list", "unclosed", "unclosed quote", "colon in a value", "unknown alias", "bad merge", "not UTF-8", "UTF-16",
    "NUL", "an escape", "10 MB", "many values", "deep", "deep maps", "itself", "a manifest", "manifests", "the project", "values",
    "a long number", "a map as a key", "a list as a key", "binary", "a false tag", "config a list",
    "nested, beside",
}  # fmt: skip


def _unnested(line: str) -> Iterator[str]:
    """The keys of a map that is one line, each with the map's own key as the project before it."""
    for project, keys in yaml.safe_load(line).items():
        yield from (f"  {project}:{key}: {json.dumps(value)}" for key, value in keys.items())


@pytest.mark.parametrize("name", [name for name in test_stack_files.UNREADABLE if name not in BEYOND])
def test_a_fix_of_a_file_that_is_none_is_one(name: str, tmp_path: Path) -> None:
    text, _, _ = test_stack_files.UNREADABLE[name]
    assert isinstance(text, str)
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(text)
    with pytest.raises(StackFileError) as refused:
        load(path)
    (problem,) = refused.value.problems
    edit, found = next((edit, found) for form, edit in EDITS if (found := re.fullmatch(form, problem.fix)))
    lines = text.splitlines()
    if "tabs" in problem.what:
        lines = [edit(line, found) for line in lines]
    elif problem.line:
        lines[problem.line - 1] = edit(lines[problem.line - 1], found)
    else:
        lines = [edit("", found)]
    path.write_text("\n".join(lines) + "\n")
    with contextlib.suppress(StackFileError):
        load(path)
        return
    with pytest.raises(StackFileError) as again:
        load(path)
    # A value that is text at last may still be none that the key can have.
    assert {other.path for other in again.value.problems} == {problem.path}
    assert "FILE" not in {other.rule for other in again.value.problems}


def test_the_cases_are_judged_as_check_judges_them() -> None:
    """Through the fields, and not as specs that were read before."""
    for number, (_, stated) in enumerate(rule_cases.of_files()):
        assert {each.rule for each in case(number)[1]} == {each.rule for each in examine(stated()).errors}
