"""Requirements of `suppress` for every rule: it is accepted and printed once, or refused by a clear sentence."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.cli import run
from stacks.clouds.gke import cloud
from stacks.rules.table import examine, rules
from stacks.spec.stack import StackSpec
from tests import gke_plans
from tests.contract import rule_cases

ROWS = {rule.id: rule for rule in rules()}
CASES = [*rule_cases.of_files(), *rule_cases.of_warnings()]
REASON = "it is meant"
#: Words of a finding that has no cause in the file.
A_DEFECT = "report it"
#: Rules whose subject differs from any file: an entry of `suppress` itself, the stack's last outputs, and Google's answers.
ELSEWHERE = {"SUPPRESS-02", "ROLL-01", "GKE-31", "GKE-32"}

SUPPRESSIBLE = [(rule, stated) for rule, stated in CASES if ROWS[rule].suppressible and rule not in ELSEWHERE]
LAWS = [case for case in rule_cases.of_plans() if ROWS[case[0]].suppressible]


def suppressing(*ids: str) -> Any:
    stated = [{"rule": id_, "reason": REASON} for id_ in ids]
    return rule_cases.spec(rule_cases.NVIDIA, suppress=stated).suppress


def with_suppressed(given: StackSpec, *ids: str) -> StackSpec:
    return given.model_copy(update={"suppress": suppressing(*ids)})


def written(spec: StackSpec, directory: Path) -> Path:
    stated = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    path = directory / "Pulumi.case.yaml"
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in stated.items()}}))
    return path


def test_every_rule_that_can_be_suppressed_is_tried() -> None:
    tried = {rule for rule, _ in SUPPRESSIBLE} | {case[0] for case in LAWS} | ELSEWHERE
    assert tried == {rule.id for rule in ROWS.values() if rule.suppressible}


@pytest.mark.parametrize(
    ("rule", "stated"), SUPPRESSIBLE, ids=[f"{index} {case[0]}" for index, case in enumerate(SUPPRESSIBLE)]
)
def test_a_suppressed_rule_is_printed_once_with_the_reason(
    rule: str, stated: Callable[[], StackSpec], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = stated()
    file = written(with_suppressed(given, rule), tmp_path)
    code = run(["check", str(file)])
    text = capsys.readouterr()
    assert text.err == ""
    assert A_DEFECT not in text.out
    assert "Google" not in text.out or given.cluster.provider == "gke"
    errors = [line for line in text.out.splitlines() if line.startswith(f"{file}:") and " [" in line]
    assert all(re.match(rf"{re.escape(str(file))}:[1-9]\d*: ", line) for line in errors), "each has a line"
    assert code == int(bool(errors))
    before = examine(given)
    found = [row for row in (*before.errors, *before.warnings) if row.rule == rule]
    lines = [line for line in text.out.splitlines() if f"({rule})" in line]
    if any(row.finding.firm for row in found):
        assert code == 1
        return
    assert all(line.startswith("Suppressed: ") for line in lines)
    assert len(lines) == len({*lines})
    assert all(line.endswith(f"; reason given: {REASON}. ({rule}) [{ROWS[rule].source}]") for line in lines)
    if code == 0:
        # As often as it is found in the file.
        assert len(lines) == len(found)
        assert "(SUPPRESS-02)" not in text.out


@pytest.mark.parametrize(
    ("rule", "name", "change"), LAWS, ids=[f"{index} {case[0]}" for index, case in enumerate(LAWS)]
)
def test_a_suppressed_law_of_a_plan_is_found_once(
    rule: str, name: str, change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = change(gke_plans.planned(gke_plans.variant(name)))
    monkeypatch.setattr(cloud, "gke_plan", lambda _: plan)
    found = examine(with_suppressed(gke_plans.variant(name), rule))
    suppressed = [row.problem for row in found.suppressed]
    assert {row.rule for row in suppressed} == {rule}
    assert len({*suppressed}) == len(suppressed)
    assert rule not in {row.rule for row in found.errors}


@pytest.mark.parametrize("rule", [rule.id for rule in ROWS.values() if not rule.suppressible])
def test_a_rule_that_cannot_be_suppressed_is_refused_at_its_item(rule: str) -> None:
    (found,) = examine(with_suppressed(rule_cases.spec(rule_cases.NVIDIA), "PIN-01", rule)).errors
    assert (found.rule, found.path) == ("SUPPRESS-01", "llmd-pd:suppress[1].rule")
    assert found.what == f"rule {rule} cannot be suppressed"
    assert found.why == (
        "it is found outside the file when Pulumi runs, and what it finds makes an `up` fail or do harm" if ROWS[rule].when_run
        else "a file that breaks it cannot be read" if rule in ("FILE", "SPEC")
        else "nothing can be made of a file that breaks it"
    )  # fmt: skip


def test_a_rule_that_does_not_exist_is_refused_with_the_one_that_was_meant() -> None:
    (found,) = examine(with_suppressed(rule_cases.spec(rule_cases.NVIDIA), "PIN-01", "CW-171")).errors
    assert (found.rule, found.path, found.fix) == ("SUPPRESS-01", "llmd-pd:suppress[1].rule", "did you mean `CW-17`?")


@pytest.mark.parametrize("rule", ["GKE-27", "GKE-12"])
def test_a_law_that_a_suppressed_fault_breaks_names_it(rule: str) -> None:
    """The plan does what the file says, so the cause is the file."""
    found = [
        problem
        for id_, stated in CASES
        if id_ == rule
        for problem in examine(with_suppressed(stated(), "PIN-01", rule)).errors
        if problem.finding.at[0] == "suppress"
    ]
    assert found
    for problem in found:
        assert (problem.path, problem.fix) == ("llmd-pd:suppress[1]", f"correct what {rule} finds, which is the cause")


def test_a_fault_that_is_suppressed_is_not_replaced_by_what_would_do() -> None:
    """Whether pods fit is judged on the machine of the file, though another one serves the accelerator."""
    given = rule_cases.spec({"accelerator": "amd"}, cluster={"provider": "coreweave", "machine": "coreweave-h200",
                                                             "nodes": 2, "context": "x"})  # fmt: skip
    assert {problem.rule for problem in examine(given).errors} == {"MACHINE-02"}
    found = examine(with_suppressed(given, "MACHINE-02"))
    assert {problem.rule for problem in found.errors} == {"FIT-01"}
    assert all("a node has 0 (coreweave-h200)" in problem.what for problem in found.errors)
    found = examine(with_suppressed(given, "MACHINE-02", "FIT-01"))
    assert (found.errors, found.warnings) == ((), ())
    assert {row.problem.rule for row in found.suppressed} == {"MACHINE-02", "FIT-01"}


@pytest.mark.parametrize(
    ("ids", "warned"),
    [
        (("PIN-01",), [(0, "finds nothing in this stack")]),
        (("CW-17", "PIN-01"), [(1, "finds nothing in this stack")]),
        (("CW-17", "CW-17"), [(1, "is there twice (first as item 1)")]),
        (("PIN-01", "CW-17", "PIN-01"), [(2, "is there twice (first as item 1)"), (0, "finds nothing in this stack")]),
        (("GKE-23",), [(0, "finds nothing in this stack")]),
        # What these are about is seen when Pulumi runs.
        (("MON-01", "ROLL-01", "GKE-17", "CW-11"), []),
        (("PIN-01", "SUPPRESS-02"), []),
    ],
)
def test_entries_without_an_effect_are_pointed_out(ids: tuple[str, ...], warned: list[tuple[int, str]]) -> None:
    found = examine(with_suppressed(rule_cases.spec({**rule_cases.NVIDIA, "fabric": "coreweave"}), *ids))
    told = [row for row in found.warnings if row.rule == "SUPPRESS-02"]
    assert [(row.finding.at, row.what.partition(" ")[2].partition(" ")[2]) for row in told] == [
        (("suppress", index, "rule"), words) for index, words in warned
    ]


def test_the_first_of_two_reasons_counts() -> None:
    stated = [{"rule": "PIN-01", "reason": reason} for reason in ("one", "two")]
    found = examine(rule_cases.spec({**rule_cases.NVIDIA, "image": "a/b:main"}, suppress=stated))
    assert [row.reason for row in found.suppressed] == ["one"]


def test_rules_that_are_found_when_pulumi_runs_are_marked() -> None:
    assert {rule.id for rule in ROWS.values() if rule.when_run} == {
        rule.id for rule in ROWS.values() if "when Pulumi runs" in rule.title
    }
