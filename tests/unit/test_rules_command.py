"""`llmd-pd rules` and `explain`, and what `check` prints of suppressed findings and of problems inside lists."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.cli import run
from stacks.file.load import load
from stacks.findings import StackFileError
from stacks.rules.table import rules

FILE = """\
config:
  llmd-pd:serving:
    accelerator: nvidia
    fabric: coreweave
    tolerations:
    - {key: a, operator: Exists}
    - key: b
      operator: Exists
      value: c
"""


def test_rules_lists_every_rule_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["rule", "severity", "title"]
    assert [row.split()[:2] for row in rows] == [[rule.id, rule.severity] for rule in rules()]


def test_rules_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "--output", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["rules"]
    assert [row["id"] for row in found] == [rule.id for rule in rules()]
    assert {*found[0]} == {"id", "severity", "title", "why", "source", "suppressible"}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            "GKE-12",
            ["severity: error", "refuses: a fabric", "because: they would stay", "`llmd-pd:suppress: [{rule: GKE-12, "],
        ),
        (
            "CW-17",
            ["severity: warning", "points out: with `provider: existing`", "source: https://docs.coreweave.com/"],
        ),
        ("BILL-01", ["`llmd-pd check` names the place and the fix; it cannot be suppressed"]),
        ("EXISTS", ["`pulumi preview` names the place and the fix; it cannot be suppressed"]),
    ],
)
def test_explain_prints_the_page_of_a_rule(rule: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", rule]) == 0
    text = capsys.readouterr().out
    assert all(f"{rule}: " in line for line in text.splitlines())
    for each in words:
        assert each in text


@pytest.mark.parametrize(
    ("rule", "words"), [("gke-12", "did you mean `GKE-12`?"), ("what", "`llmd-pd rules` lists them all")]
)
def test_a_rule_that_does_not_exist(rule: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", rule]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"there is no rule `{rule}`; " in shown.err
    assert words in shown.err


def test_a_problem_inside_a_list_has_the_line_of_its_item(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.a.yaml"
    path.write_text(FILE)
    with pytest.raises(StackFileError) as refused:
        load(path)
    (found,) = refused.value.problems
    assert (found.path, found.line) == ("llmd-pd:serving.tolerations[1].value", 9)


def test_check_prints_what_is_suppressed_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    suppress = "  llmd-pd:suppress:\n  - {rule: CW-17, reason: one fabric here}\n  - {rule: POD-01, reason: tried}\n"
    Path("Pulumi.a.yaml").write_text(FILE + suppress)
    assert run(["check"]) == 0
    good, first, second, summary = capsys.readouterr().out.splitlines()
    assert good.startswith("Pulumi.a.yaml: nvidia/vllm")
    assert first.startswith(
        "Suppressed: Pulumi.a.yaml:2: llmd-pd:serving.nodeSelector: nothing keeps prefill and decode"
    )
    assert "and KV cache does not cross fabrics; reason given: one fabric here. (CW-17) [" in first
    assert second.startswith("Suppressed: Pulumi.a.yaml:9: llmd-pd:serving.tolerations[1].value: ")
    assert summary == "1 file, 0 problems"
    assert run(["check", "--output", "json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)["files"]
    assert (document["problems"], document["warnings"]) == ([], [])
    assert [(each["rule"], each["reason"]) for each in document["suppressed"]] == [
        ("CW-17", "one fabric here"),
        ("POD-01", "tried"),
    ]


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [
        ({"serving": {"accelerator": "nvidia", "decode": {"devices": 16}}}, 0, "on no number of which they fit"),
        (
            {"serving": {"accelerator": "tpu"}, "cluster": {"provider": "coreweave", "nodes": 2, "context": "x"}},
            1,
            "`accelerator: nvidia` with `fabric: coreweave`; it cannot be suppressed",
        ),
    ],
    ids=["pods that fit nowhere", "no machine"],
)
def test_a_suppressed_fit_is_no_traceback(
    config: dict[str, Any], code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Pulumi.test.yaml"
    keys = {**config, "suppress": [{"rule": "FIT-01", "reason": "tried by hand"}]}
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in keys.items()}}))
    assert run(["check", str(path)]) == code
    assert words in "".join(capsys.readouterr())


@pytest.mark.parametrize("command", ["check", "explain", "render", "leftovers", "rehearse"])
def test_help_has_a_short_form(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "-h"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: llmd-pd {command}")
