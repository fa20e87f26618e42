"""Requirements of every rule: it is listed once, has a failing and a passing case, and is printed before anything is applied."""

import ast
import importlib
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacks.clouds.gke import cloud, readiness
from stacks.findings import ERROR, WARNING, Rule, Severity, run
from stacks.rules.facts import Facts
from stacks.rules.table import examine, rules
from stacks.spec.stack import StackSpec
from tests import gke_plans
from tests.contract import rule_cases
from tests.unit.api_server import ApiServer, kubeconfig

ROOT = Path(__file__).parents[2]
ROOMS = ("hardware", "releases", "components", "stacks", "commands", "rehearsal", "tests")
RULES = rules()
ROWS = {rule.id: rule for rule in RULES}
FILES, WARNED, PLANS = [*rule_cases.of_files()], [*rule_cases.of_warnings()], [*rule_cases.of_plans()]
VALID = rule_cases.valid()
CHANGES = rule_cases.changes()


def trees() -> list[tuple[str, ast.Module]]:
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text()))
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
    ]


TREES = trees()


# --- the table -----------------------------------------------------------------------------------------------------------


def test_every_id_is_a_row_once_and_every_row_says_all_there_is_to_say() -> None:
    assert [id_ for id_, number in Counter(rule.id for rule in RULES).items() if number > 1] == []
    for rule in RULES:
        assert re.fullmatch(r"[A-Z]+(-\d\d)?", rule.id)
        assert isinstance(rule.severity, Severity)
        assert rule.title
        assert rule.why
        page = rule.source.partition("#")[0]
        assert rule.source.startswith("https://") or (ROOT / page).is_file(), f"{rule.id}: {rule.source}"


def test_every_row_that_is_written_is_in_the_table() -> None:
    """A row elsewhere would be printed and not listed; a problem without a row cannot be made."""
    rows: list[str] = []
    for path, tree in TREES:
        if path.startswith("tests/"):
            continue
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            if call.func.id == "Problem":  # type: ignore[attr-defined]
                assert path == "stacks/findings.py"
            if call.func.id == "Rule":  # type: ignore[attr-defined]
                first = call.args[0]
                rows.append(first.value if isinstance(first, ast.Constant) else ast.unparse(first))
    assert sorted(rows) == sorted(ROWS)


def test_an_id_is_written_in_its_row_only() -> None:
    """Other code names the row, so that no id can be misspelt or stay behind."""
    written = Counter(
        node.value
        for path, tree in TREES
        if not path.startswith("tests/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in ROWS and "-" in node.value
    )
    assert {id_ for id_, number in written.items() if number > 1} == set()


def test_a_finding_names_its_phrases() -> None:
    """By position, the reason would be taken for the fix without an error."""
    by_position = [
        f"{path}:{call.lineno}"
        for path, tree in TREES
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Finding" and call.args
    ]
    assert by_position == []


def test_one_class_says_what_why_and_fix() -> None:
    found = []
    for path, tree in TREES:
        for node in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            names = {
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            }
            targets = [
                target
                for each in ast.walk(node)
                if isinstance(each, ast.Assign | ast.AnnAssign)
                for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
            ]
            names |= {
                part.attr
                for target in targets
                for part in ast.walk(target)
                if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self"
            }
            if {"what", "why", "fix"} <= names:
                found.append(f"{path} {node.name}")
    assert found == ["stacks/findings.py Finding"]


# --- cases ---------------------------------------------------------------------------------------------------------------


def test_every_rule_has_a_failing_case() -> None:
    cases = {rule for rule, *_ in (*FILES, *WARNED, *PLANS)}
    assert cases | {*CHANGES, *rule_cases.LIVE, *rule_cases.SAID} == {*ROWS}


@pytest.mark.parametrize(("rule", "stated"), FILES, ids=[f"{index} {case[0]}" for index, case in enumerate(FILES)])
def test_a_file_that_breaks_a_rule_is_told_so(rule: str, stated: Callable[[], StackSpec]) -> None:
    """By `examine`, which `check`, a preview and `up` ask alike."""
    found = examine(stated())
    assert rule in {problem.rule for problem in found.errors}
    assert found.warnings == ()
    assert all(problem.severity is ERROR for problem in found.errors)


@pytest.mark.parametrize(("rule", "stated"), WARNED, ids=[f"{index} {case[0]}" for index, case in enumerate(WARNED)])
def test_a_file_that_is_warned_of_is_told_so(rule: str, stated: Callable[[], StackSpec]) -> None:
    found = examine(stated())
    assert found.errors == ()
    assert rule in {problem.rule for problem in found.warnings}
    assert all(problem.severity is WARNING for problem in found.warnings)


@pytest.mark.parametrize(
    ("rule", "name", "change"), PLANS, ids=[f"{index} {case[0]}" for index, case in enumerate(PLANS)]
)
def test_a_plan_that_breaks_a_law_is_told_so_before_it_is_applied(
    rule: str, name: str, change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = change(gke_plans.planned(gke_plans.variant(name)))
    monkeypatch.setattr(cloud, "gke_plan", lambda _: plan)
    assert rule in {problem.rule for problem in examine(gke_plans.variant(name)).errors}


@pytest.mark.parametrize("rule", CHANGES)
def test_a_change_is_told_by_the_last_run(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program asks about it before it asks the cluster; Google, about a project."""
    for facts, failing in zip(CHANGES[rule], (True, False), strict=True):
        monkeypatch.setattr(
            readiness, "connection", lambda *_, failing=failing: rule_cases.google(rule, failing=failing)
        )
        assert found_by(rule, facts()) is failing


@pytest.mark.parametrize("rule", rule_cases.LIVE)
def test_a_live_cluster_is_told_before_anything_is_applied(rule: str, server: ApiServer, tmp_path: Path) -> None:
    sections, failing, passing = rule_cases.LIVE[rule]
    path = kubeconfig(tmp_path / "kubeconfig", server.url)
    for answers, wanted in ((failing, True), (passing, False)):
        server.answers = answers
        assert found_by(rule, rule_cases.on(path, **sections)) is wanted


def found_by(rule: str, facts: Facts) -> bool:
    """Whether a rule finds something; it has an answer."""
    found = run((ROWS[rule],), facts)
    assert ROWS[rule] not in found.unanswered
    return bool(found.errors or found.warnings)


@pytest.mark.parametrize(
    "rule",
    [rule for rule in RULES if rule.asks_facts and rule.id not in {*CHANGES, *rule_cases.LIVE}],
    ids=lambda rule: rule.id,
)
def test_every_rule_has_a_passing_case(rule: Rule) -> None:
    """It is asked about a valid file or its plan, is answered, and finds nothing."""
    passing = []
    for name, stated in VALID.items():
        found = run((rule,), Facts(stated(), planned=True, outcome=examine(stated())))
        if found.unanswered:
            continue
        if not (found.errors or found.warnings or found.suppressed):
            passing.append(name)
    assert passing


@pytest.mark.parametrize("name", VALID)
def test_no_rule_objects_to_a_valid_file(name: str) -> None:
    assert examine(VALID[name]()).errors == ()


@pytest.mark.parametrize("rule", rule_cases.SAID)
def test_what_readers_and_looks_say_has_its_tests(rule: str) -> None:
    module, failing, passing = rule_cases.SAID[rule]
    assert not ROWS[rule].asks_facts
    tests = importlib.import_module(f"tests.{module}")
    assert callable(getattr(tests, failing))
    assert callable(getattr(tests, passing))
