"""The command `versions` and its `diff`: what they print, where, and how they end."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commands import versions
from commands.cli import run
from releases import DEFAULT, RELEASES
from stacks.review.change import Change, Kind
from tests.unit.test_cli import BAD, LLMD_PD, ROOT, terminal

COREWEAVE = "Pulumi.coreweave-h200.yaml"
MOVE = ["versions", "diff", "guide-2026-05", "guide-2026-06", COREWEAVE]


@pytest.fixture(autouse=True)
def _nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout's directory; no helm and an empty cache, so that no chart is looked for."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LLMD_PD_CACHE", raising=False)


def test_every_release_is_listed_a_line_for_a_fact(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["versions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if ": default: " in line] == [
        f"{DEFAULT}: default: for stack files that name no release"
    ]
    assert all(re.match(r"guide-\d{4}-\d\d: [^:]+: \S", line) for line in lines)
    for bill in RELEASES.values():
        own = "\n".join(line for line in lines if line.startswith(f"{bill.name}: "))
        chart = bill.router.charts["standalone"]
        for word in (bill.date, bill.commit, bill.sidecar.image, f"{chart.ref} {chart.version}", *bill.apis.values()):
            assert word in own
        assert f": endpoint picker: {bill.router.endpoint_picker.image}\n" in own
        for installs in ("istio: Istio 1.29.2", "agentgateway: agentgateway v1.1.0"):
            assert f"{bill.name}: gateway implementation {installs}" in lines
    assert "guide-2026-06: model server nvidia/vllm: vllm/vllm-openai:v0.23.0" in lines
    assert any(line.startswith("guide-2026-06: model server nvidia/vllm/aws: ") for line in lines)
    assert not any(line.startswith("guide-2026-06: model server hpu") for line in lines)


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["versions", "--output", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["default"] == DEFAULT
    assert [found["name"] for found in document["releases"]] == [*RELEASES]
    for found in document["releases"]:
        assert found["modelServers"]["nvidia/vllm"]
        assert found["charts"].keys() == {"standalone", "gateway"}
        assert found["gatewayImplementations"] == {"istio": "Istio 1.29.2", "agentgateway": "agentgateway v1.1.0"}
        assert found["apis"].keys() == {"Gateway API Inference Extension", "Gateway API"}


def test_a_move_is_told_headline_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(MOVE) == 0
    out, err = capsys.readouterr()
    headline, *lines = out.splitlines()
    assert headline.startswith(
        "Moving Pulumi.coreweave-h200.yaml from guide-2026-05 (llm-d 8c62784 of 2026-05-26) to guide-2026-06 (llm-d 7edda66 of "
        "2026-06-27): 2 Deployments and Helm release pd-disaggregation are replaced, 3 things break, "
    )
    assert [line for line in lines if line.isupper()] == ["WHAT IS REPLACED", "WHAT BREAKS", "WHAT CHANGES", "HOW TO"]
    assert "1. write `llmd-pd:release: guide-2026-06` in Pulumi.coreweave-h200.yaml (now guide-2026-05)" in lines
    assert lines[-1] == "Both ways to do it, in place and beside: docs/upgrade.md"
    assert all(re.match(r"(- .*\.$|\d\. |[A-Z]|$)", line) for line in lines)
    assert err == ""


def test_nothing_changes_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["versions", "diff", "guide-2026-05", "guide-2026-05", COREWEAVE]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith(": nothing changes.")


def test_a_move_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*MOVE, "--output", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["file", "stack", "from", "to", "headline", "replaced", "breaks", "changes", "steps"]
    assert (document["stack"], document["from"]["name"], document["to"]["commit"]) == (
        "coreweave-h200",
        "guide-2026-05",
        "7edda66",
    )
    assert len(document["replaced"]) == 2
    for kind in Kind:
        assert document[kind.value]
        for change in document[kind.value]:
            assert change.keys() == {"kind", "subject", "what", "why", "fix"}
            assert change["kind"] == kind.value
    assert document["steps"][-1] == "`pulumi up --stack coreweave-h200`"


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([], "nothing changes."),
        ([Kind.CHANGES], "1 thing changes."),
        ([Kind.BREAKS, Kind.CHANGES, Kind.CHANGES], "1 thing breaks, 2 things change."),
        ([Kind.REPLACED, Kind.BREAKS, Kind.BREAKS], "x is replaced, 2 things break."),
        ([Kind.REPLACED, Kind.REPLACED, Kind.REPLACED], "x, x and x are replaced."),
    ],
)
def test_headlines_count_right(kinds: list[Kind], said: str) -> None:
    from dataclasses import replace

    from stacks.file.load import load
    from stacks.review.move import move

    found = move(load(ROOT / COREWEAVE), DEFAULT, DEFAULT)
    changes = tuple(Change(kind, "x (y, z)", "w") for kind in kinds)
    assert versions.headline(replace(found, changes=changes)).endswith(f"): {said}")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["guide-2025-01", "guide-2026-06", COREWEAVE],
            "release 'guide-2025-01' does not exist; did you mean `guide-2026-0",
        ),
        (
            ["guide-2026-05", "next", COREWEAVE],
            "release 'next' does not exist; use one of guide-2026-05, guide-2026-06",
        ),
        (["guide-2026-05", "guide-2026-06", "Pulumi.none.yaml"], "Pulumi.none.yaml: the file cannot be read, because "),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["versions", "diff", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert sentence in err


def test_a_stack_that_a_release_does_not_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Pulumi.hpu.yaml"
    file.write_text("config:\n  llmd-pd:serving: {accelerator: hpu}\n")
    assert run(["versions", "diff", "guide-2026-05", "guide-2026-06", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"Error: {file} cannot be on guide-2026-06, because accelerator 'hpu' does not exist")
    assert err.count("\n") == 1


def test_a_file_with_problems_is_told_as_check_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Pulumi.bad.yaml"
    file.write_text(BAD)
    assert run(["check", str(file)]) == 1
    *problems, _ = capsys.readouterr().out.splitlines()
    assert run(["versions", "diff", "guide-2026-05", "guide-2026-06", str(file)]) == 1
    assert capsys.readouterr().err.splitlines() == problems


@pytest.mark.parametrize(
    "arguments", [["versions", "diff"], ["versions", "diff", "a", "b"], ["versions", "--output", "x"]], ids=" ".join
)
def test_a_command_line_that_makes_no_sense(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.rstrip().endswith("--help`.")


@pytest.mark.parametrize("command", [["versions"], ["versions", "diff"]], ids=" ".join)
def test_help_has_examples(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0
    assert f"\n    llmd-pd {' '.join(command)}" in capsys.readouterr().out


def test_a_terminal_gets_blocks(tmp_path: Path) -> None:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal(MOVE, ROOT, PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path)))
    assert "\r\nWHAT BREAKS\r\nKV cache\r\n  what  do not count on" in shown
    assert "  fix   never let both serve" in shown


def test_the_list_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom commands.cli import run\nassert run(['versions']) == 0\n"
        "print(sorted({'pulumi', 'kubernetes', 'grpc', 'rich', 'urllib.request'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen([*LLMD_PD, *MOVE], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_chart_that_does_not_render_is_told_beside_the_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    helm = tmp_path / "helm"
    helm.write_text("#!/bin/sh\necho 'Error: values do not meet the schema' >&2\nexit 1\n")
    helm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    file = tmp_path / "Pulumi.own.yaml"
    (tmp_path / "own.tgz").touch()
    file.write_text(
        "config:\n  llmd-pd:serving: {accelerator: nvidia}\n  llmd-pd:router: {chart: {source: own.tgz}}\n",
        encoding="utf-8",
    )
    assert run(["versions", "diff", "guide-2026-05", "guide-2026-06", str(file)]) == 0
    out, err = capsys.readouterr()
    assert "WHAT BREAKS" in out
    assert err.startswith("Note: what the chart makes on guide-2026-05 is not compared, because chart ")
    assert "does not render, because helm says: values do not meet the schema" in err
