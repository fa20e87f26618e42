"""The console script: what `check` prints and returns, how command lines are refused, how errors leave the process."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commands import cli
from commands.cli import run
from commands.helm import ChartError
from commands.images import NoMirrorError
from commands.render import OutputError
from hardware.render.workload import UnknownChoiceError
from rehearsal.errors import RehearsalError
from releases.files import SourceError
from stacks.findings import ERROR, Rule, StackFileError
from tests import shipped

ROOT = Path(__file__).parents[2]
LLMD_PD = [sys.executable, "-c", "from commands.cli import main; main()"]
COMMANDS = [command.name or command.callback.__name__ for command in cli.app.registered_commands if command.callback]

GOOD = """\
config:
  llmd-pd:cluster: {provider: coreweave, machine: coreweave-h200, nodes: 2}
  llmd-pd:serving: {accelerator: nvidia, fabric: coreweave}
"""
#: The same on existing nodes, which may be on several fabrics.
WARNED = """\
config:
  llmd-pd:serving:
    accelerator: nvidia
    fabric: coreweave
"""
#: Three problems: an unknown key, a value of the wrong type, a rule.
BAD = """\
config:
  llmd-pd:serving:
    accelerator: nvidia
    fabric: infiniband
    prefil: {replicas: 1}
    decode:
      replicas: 0
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_says_what_each_good_file_is(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "Pulumi.one.yaml").write_text(GOOD)
    (directory / "Pulumi.two.yaml").write_text("config:\n  llmd-pd:serving: {accelerator: hpu, decode: {devices: 2}}\n")
    (directory / "Pulumi.yaml").write_text("name: not a stack\n")
    assert run(["check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Pulumi.one.yaml: nvidia/vllm on coreweave, 8×1 + 2×4 of coreweave-h200 (2 nodes), guide-2026-05",
        "Pulumi.two.yaml: hpu/vllm on base, 4×1 + 1×2 of gaudi-dra (1 node), guide-2026-05",
        "2 files, 0 problems",
    ]


def test_check_finds_every_problem_of_every_file(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Pulumi.a.yaml", "Pulumi.c.yaml"):
        (directory / name).write_text(BAD)
    (directory / "Pulumi.b.yaml").write_text(GOOD)
    assert run(["check"]) == 1
    out, err = capsys.readouterr()
    *lines, summary = out.splitlines()
    assert summary == "3 files, 6 problems"
    assert err == ""
    for name in ("Pulumi.a.yaml", "Pulumi.c.yaml"):
        found = [line for line in lines if line.startswith(f"{name}:")]
        assert [re.match(rf"{name}:(\d+): (\S+): ", line).groups() for line in found] == [  # type: ignore[union-attr]
            ("4", "llmd-pd:serving.fabric"),
            ("5", "llmd-pd:serving.prefil"),
            ("7", "llmd-pd:serving.decode.replicas"),
        ]
        assert all("because" in line and ";" in line for line in found)
        assert "did you mean `prefill`?" in found[1]
        assert found[0].endswith("(HW-01) [docs/stack-files.md]")


def test_check_says_warnings_beside_a_good_file_and_counts_them(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "Pulumi.a.yaml").write_text(WARNED)
    (directory / "Pulumi.b.yaml").write_text(GOOD)
    assert run(["check"]) == 0
    out, err = capsys.readouterr()
    good, warning, _, summary = out.splitlines()
    assert good.startswith("Pulumi.a.yaml: nvidia/vllm on coreweave")
    assert warning.startswith(
        "Warning: Pulumi.a.yaml:2: llmd-pd:serving.nodeSelector: nothing keeps prefill and decode on "
    )
    assert ", because " in warning
    assert "; select one under `serving`" in warning
    assert warning.endswith(" (CW-17) [https://docs.coreweave.com/platform/instances]")
    assert (summary, err) == ("2 files, 0 problems, 1 warning", "")


def test_a_file_with_problems_is_not_warned_of(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file has values that are not supported yet."""
    (directory / "Pulumi.a.yaml").write_text(f"{WARNED}    image: vllm:latest\n")
    assert run(["check"]) == 1
    problem, summary = capsys.readouterr().out.splitlines()
    assert problem.endswith("(PIN-01) [https://kubernetes.io/docs/concepts/containers/images/]")
    assert summary == "1 file, 1 problem"


#: Problems of every origin: YAML, fields, rules of one file, rules of two.
ORIGINS = {
    "Pulumi.yaml.yaml": "config: [\n",
    "Pulumi.field.yaml": BAD,
    "Pulumi.rule.yaml": f"{WARNED}    image: vllm:latest\n",
    "Pulumi.warned.yaml": WARNED,
    "Pulumi.nodes.yaml": "config:\n  llmd-pd:cluster: {provider: coreweave, machine: coreweave-h200, nodes: 2}\n",
    "Pulumi.pair.yaml": "config:\n  llmd-pd:cluster: {provider: stack, stack: nodes, nodes: 3}\n"
    "  llmd-pd:serving: {accelerator: nvidia, fabric: coreweave}\n",
    "Pulumi.lost.yaml": "config:\n  llmd-pd:cluster: {provider: stack, stack: field}\n"
    "  llmd-pd:serving: {accelerator: nvidia, fabric: coreweave}\n",
}


def test_check_says_of_everything_which_rule_and_whence(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in ORIGINS.items():
        (directory / name).write_text(text)
    assert run(["check", "--output", "json"]) == 1
    documents = json.loads(capsys.readouterr().out)["files"]
    found = [each for document in documents for key in ("problems", "warnings") for each in document[key]]
    assert {each["rule"] for each in found} == {"FILE", "SPEC", "HW-01", "PIN-01", "CLUSTER", "CW-17"}
    assert all(each["source"] for each in found)
    assert run(["check"]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if "because" in line]
    ends = [f"({each['rule']}) [{each['source']}]" for each in found]
    assert sorted(ends) == sorted(line[line.rindex("(", 0, line.rindex("[")) :] for line in lines)


def test_check_takes_files_by_name_once_each(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "mine.yaml").write_text(GOOD)
    (directory / "Pulumi.other.yaml").write_text(BAD)
    assert run(["check", "mine.yaml", "mine.yaml"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 file, 0 problems"


@pytest.mark.parametrize("name", ["absent.yaml", "."])
@pytest.mark.usefixtures("directory")
def test_check_of_what_cannot_be_read(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", name]) == 1
    first, summary = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{name}: the file cannot be read, because ")
    assert summary == "1 file, 1 problem"


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.usefixtures("directory")
def test_check_of_nothing_is_an_error(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--output", output]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "holds no Pulumi.*.yaml" in err


def test_check_as_json(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (directory / "Pulumi.bad.yaml").write_text(BAD)
    (directory / "Pulumi.good.yaml").write_text(GOOD)
    assert run(["check", "--output", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["summary"] == {"files": 2, "problems": 3, "warnings": 0}
    bad, good = document["files"]
    assert [*bad] == [*good] == ["file", "stack", "description", "problems", "warnings", "suppressed"]
    assert (bad["file"], bad["stack"], bad["description"]) == ("Pulumi.bad.yaml", "bad", "")
    assert [problem["rule"] for problem in bad["problems"]] == ["HW-01", "SPEC", "SPEC"]
    assert set(bad["problems"][0]) == {"rule", "path", "what", "why", "fix", "source", "file", "line", "severity"}
    assert good["description"].startswith("nvidia/vllm on coreweave")
    assert good["problems"] == good["warnings"] == []
    (directory / "Pulumi.good.yaml").write_text(WARNED)
    assert run(["check", "Pulumi.good.yaml", "--output", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["summary"] == {"files": 1, "problems": 0, "warnings": 1}
    ((warning,),) = (file["warnings"] for file in document["files"])
    assert {key: warning[key] for key in ("rule", "path", "file", "line")} == {
        "rule": "CW-17", "path": "llmd-pd:serving.nodeSelector", "file": "Pulumi.good.yaml", "line": 2
    }  # fmt: skip
    assert set(warning) == set(bad["problems"][0])


def test_text_of_a_file_breaks_no_line_and_steers_no_terminal(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "Pulumi.x.yaml").write_text(
        'config:\n  llmd-pd:serving: {accelerator: "nvi\\n\\e[31mdia", "odd\\rkey": 1}\n'
    )
    assert run(["check"]) == 1
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 3
    assert "\x1b" not in out
    assert r"nvi\n\x1b[31mdia" in out


@pytest.mark.parametrize("name", shipped.NAMES)
def test_every_stack_file_of_the_project_is_good(
    name: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", str(shipped.filled(directory, name))]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", shipped.NAMES)
def test_as_it_is_it_needs_nothing_but_what_only_a_team_can_say(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    makes_a_cluster = name.startswith("Pulumi.gke-")
    assert run(["check", str(ROOT / name), "--output", "json"]) == int(makes_a_cluster)
    (found,) = json.loads(capsys.readouterr().out)["files"]
    keys = ("project", "version", "capacity.reservation") if makes_a_cluster else ()
    assert [(each["rule"], each["path"]) for each in found["problems"]] == [
        ("GKE-28", f"llmd-pd:cluster.gke.{key}") for key in keys
    ]


def test_check_imports_nothing_heavy(tmp_path: Path) -> None:
    for name in shipped.NAMES:
        shipped.filled(tmp_path, name)
    program = (
        "import sys\nfrom commands.cli import run\nassert run(['check']) == 0\n"
        "print(sorted({'pulumi', 'pulumi_kubernetes', 'kubernetes', 'grpc', 'rich', 'urllib.request'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def terminal(arguments: list[str], directory: Path, **environment: str) -> str:
    """Returns a command's output on a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if key not in ("CI", "NO_COLOR", "TERM", "FORCE_COLOR")}
    settings = {**kept, "TERM": "xterm", "COLUMNS": "80", "PYTHONPATH": str(ROOT), **environment}
    with subprocess.Popen(
        [*LLMD_PD, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, cwd=directory, env=settings
    ):
        os.close(theirs)
        output = b""
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:  # Linux says EIO when the other end is closed
                break
            if not chunk:
                break
            output += chunk
    os.close(ours)
    return output.decode()


def test_a_terminal_gets_blocks_in_colour(directory: Path) -> None:
    (directory / "Pulumi.bad.yaml").write_text(BAD)
    (directory / "Pulumi.good.yaml").write_text(GOOD)
    shown = terminal(["check"], directory)
    assert "\x1b[31m✗ " in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "✗ Pulumi.bad.yaml:5  llmd-pd:serving.prefil\r\n  what  unknown key" in plain
    assert "rule  HW-01 (docs/stack-files.md)" in plain
    assert "✓ Pulumi.good.yaml: nvidia/vllm" in plain


def test_on_a_terminal_a_warning_is_a_block_that_says_so(directory: Path) -> None:
    (directory / "Pulumi.warned.yaml").write_text(WARNED)
    shown = terminal(["check"], directory)
    assert "✗" not in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "✓ Pulumi.warned.yaml: nvidia/vllm" in plain
    assert "! warning  Pulumi.warned.yaml:2  llmd-pd:serving.nodeSelector\r\n  what  nothing keeps" in plain
    assert "rule  CW-17 (https://docs.coreweave.com/platform/instances)" in plain


def test_no_color_is_respected(directory: Path) -> None:
    (directory / "Pulumi.bad.yaml").write_text(BAD)
    shown = terminal(["check"], directory, NO_COLOR="1")
    assert "✗ " in shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)


@pytest.mark.parametrize("setting", [{"CI": "true"}, {"TERM": "dumb"}], ids=str)
def test_ci_gets_lines_even_on_a_terminal(setting: dict[str, str], directory: Path) -> None:
    (directory / "Pulumi.bad.yaml").write_text(BAD)
    shown = terminal(["check"], directory, **setting)
    assert "\x1b" not in shown
    assert shown.count("\n") == 4


def test_a_reader_that_goes_away_is_no_error(directory: Path) -> None:
    (directory / "Pulumi.good.yaml").write_text(GOOD)
    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*LLMD_PD, "check"], cwd=directory, env=environment, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_encoding_without_the_character_is_no_error(directory: Path) -> None:
    (directory / "Pulumi.good.yaml").write_text(GOOD)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*LLMD_PD, "check"], cwd=directory, env=environment, capture_output=True, check=False)
    assert done.returncode == 0
    assert rb"8\xd71" in done.stdout


def test_help_of_every_command_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"check", "render", "images"} <= set(COMMANDS)
    for command in ("check", "render", "images"):
        assert run([command, "--help"]) == 0
        help_text = capsys.readouterr().out
        assert f"\n    llmd-pd {command} " in help_text, "an example keeps its line"


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"llmd-pd {version('llmd-pd')}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "'chek'"),
        (["check", "--otput", "json"], "--otput"),
        (["check", "--output", "xml"], "'xml' is not one of"),
        (["render"], "FILE"),
        (["render", "Pulumi.a.yaml"], "-o"),
        (["render", "Pulumi.a.yaml", "Pulumi.b.yaml", "-o", "out"], "Pulumi.b.yaml"),
    ],
    ids=" ".join,
)
def test_a_command_line_that_makes_no_sense(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err
    assert err.rstrip().endswith("--help`.")


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Path) -> None:
        raise error

    monkeypatch.setattr("commands.check.examine", fail)


@pytest.mark.parametrize(
    "error",
    [
        SourceError("a sentence."),
        RehearsalError("a", "b", "c"),
        ChartError("a sentence."),
        OutputError("a sentence."),
        NoMirrorError("a sentence."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_known_error_is_a_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(error, monkeypatch)
    assert run(["check", "x.yaml"]) == 1
    assert capsys.readouterr() == ("", f"Error: {error}\n")


@pytest.mark.parametrize(
    ("key", "fix"),
    [("guide-2026-5", "did you mean `guide-2026-05`?"), ("x", "use one of guide-2026-05, guide-2026-06")],
)
def test_a_word_that_is_not_known_is_answered_with_those_that_are(
    key: str, fix: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(UnknownChoiceError("release", key, ("guide-2026-05", "guide-2026-06")), monkeypatch)
    assert run(["check", "x.yaml"]) == 1
    assert capsys.readouterr() == ("", f"Error: release {key!r} does not exist; {fix}\n")


@pytest.mark.parametrize("started", ["bin/llmd-pd", "/somewhere/else/llmd-pd", "pytest"])
def test_commands_of_the_program_can_be_copied(
    started: str, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where PATH does not lead to it: in a fresh checkout it is at `.venv/bin/llmd-pd`."""
    script = directory / "bin" / "llmd-pd"
    script.parent.mkdir()
    script.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [started])
    monkeypatch.setenv("PATH", "/nowhere")
    assert run(["explain", "nothing"]) == 1
    expected = "llmd-pd" if started == "pytest" else started
    assert capsys.readouterr().err == f"Error: there is no rule `nothing`; `{expected} rules` lists them all.\n"
    assert run(["chek"]) == 2
    assert f"see `{expected} --help`." in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(script.parent))
    assert run(["explain", "nothing"]) == 1
    assert ("`llmd-pd rules`" in capsys.readouterr().err) is (started != "/somewhere/else/llmd-pd")


def test_details_follow_the_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failing(RehearsalError("etcd ended", "its port is taken", "try again", "line 1\nline 2"), monkeypatch)
    assert run(["check", "x.yaml"]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == ["line 1", "line 2"]


def test_problems_of_a_stack_file_stop_any_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = [
        Rule("R", ERROR, "", "", "").problem(at=("p",), what=what, why="why", fix="fix") for what in ("one", "two")
    ]
    failing(StackFileError(problems), monkeypatch)
    assert run(["check", "x.yaml"]) == 1
    assert capsys.readouterr() == ("", f"{problems[0]}\n{problems[1]}\n")


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError(5, "I/O error"), KeyError("x")], ids=repr)
def test_anything_else_is_a_bug_and_shows_its_traceback(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(error, monkeypatch)
    with pytest.raises(type(error)):
        run(["check", "x.yaml"])


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failing(KeyboardInterrupt(), monkeypatch)
    assert run(["check", "x.yaml"]) == 130
    assert capsys.readouterr() == ("", "")
