"""Stack files on disk: good ones load, bad ones are refused with every problem at once, and nothing ever ends in a traceback."""

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.file.load import load, stack_name
from stacks.file.yaml import MAX_BYTES, MAX_DEPTH, MAX_VALUES
from stacks.findings import Problem, StackFileError
from stacks.spec.stack import StackSpec
from tests import shipped
from tests.blueprints import spec_from_config

ROOT = Path(__file__).parents[2]
NVIDIA = "  llmd-pd:serving: {accelerator: nvidia}\n"


def write(directory: Path, content: str | bytes) -> Path:
    path = directory / "Pulumi.test.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def problems(directory: Path, content: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(StackFileError) as refusal:
        load(write(directory, content))
    found = refusal.value.problems
    for problem in found:
        assert problem.what, problem
        assert problem.why, problem
        assert problem.fix, problem
        text = str(problem)
        assert text.startswith(str(directory / "Pulumi.test.yaml"))
        assert "\n" not in text
        assert re.search(r"[.?] \([A-Z]+(-\d\d)?\)( \[.+\])?$", text), text
    assert len(set(map(str, found))) == len(found), "a problem is told twice"
    return found


def places(found: tuple[Problem, ...]) -> list[tuple[int, str]]:
    return [(problem.line, problem.path.removeprefix("llmd-pd:")) for problem in found]


# --- good files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped.NAMES)
def test_every_stack_file_of_the_repository_loads(name: str, tmp_path: Path) -> None:
    found = load(shipped.filled(tmp_path, name))
    assert found.stack == name.removeprefix("Pulumi.").removesuffix(".yaml")
    assert isinstance(found.spec, StackSpec)


@pytest.mark.parametrize("name", shipped.NAMES)
def test_a_running_program_gets_the_same_spec(name: str, tmp_path: Path) -> None:
    path = shipped.filled(tmp_path, name)
    written = yaml.safe_load(path.read_text())["config"]
    config = {key.removeprefix("llmd-pd:"): value for key, value in written.items() if key.startswith("llmd-pd:")}
    assert spec_from_config(config) == load(path).spec


@pytest.mark.parametrize(
    ("name", "stack"), [("Pulumi.a-b.yaml", "a-b"), ("Pulumi.a.b.yml", "a.b"), ("mine.yaml", "mine"), ("odd", "odd")]
)
def test_a_stacks_name_is_in_its_files_name(name: str, stack: str) -> None:
    assert stack_name(Path(name)) == stack


@pytest.mark.parametrize(
    "content",
    [
        f"config:\n{NVIDIA}",
        f"\ufeffconfig:\n{NVIDIA}",
        f"config:\r\n{NVIDIA}".replace("\n", "\r\n"),
        f"# who, why\nencryptionsalt: v1:abc\nconfig:\n{NVIDIA}  aws:region: eu-west-1\n",
        "config:\n  llmd-pd:serving: &s {accelerator: nvidia}\n  other:serving: *s\n",
        "config:\n  other:base: &b {accelerator: nvidia}\n  llmd-pd:serving:\n    <<: *b\n    engine: sglang\n",
        "config:\n  llmd-pd:serving:\n    accelerator: nvidia\n    env:\n      SCRIPT: |\n        if true\n        \tthen\n",
        "config:\n  llmd-pd:serving: {accelerator: nvidia, env: {A: no, B: on, C: 1:30, no: x}}\n",
        "config:\n  llmd-pd:serving: {accelerator: nvidia, prefill: {replicas: , devices: ~}}\n",
    ],
    ids=["plain", "BOM", "CRLF", "others' keys", "alias", "merge", "tab in a text", "YAML 1.1 words", "left blank"],
)
def test_what_people_may_write(content: str, tmp_path: Path) -> None:
    assert load(write(tmp_path, content)).spec.serving.accelerator == "nvidia"


def test_words_mean_what_they_mean_to_the_pulumi_cli(tmp_path: Path) -> None:
    """Seen with CLI 3.259: `no` and `1:30` stay text, `0x10` and `010` are numbers."""
    content = (
        "config:\n  llmd-pd:serving: {accelerator: nvidia, prefill: {replicas: 0x10}, decode: {replicas: 010}, env: "
    )
    serving = load(write(tmp_path, content + "{A: no, B: On, C: 1:30}}\n")).spec.serving
    assert (serving.prefill.replicas, serving.decode.replicas) == (16, 8)
    assert serving.env == {"A": "no", "B": "On", "C": "1:30"}
    found = problems(tmp_path, "config:\n  llmd-pd:serving: {accelerator: nvidia, wait: no}\n")
    assert places(found) == [(2, "serving.wait")]


# --- not a file ----------------------------------------------------------------------------------------------------------


def refusal(path: Path) -> str:
    with pytest.raises(StackFileError) as refused:
        load(path)
    (found,) = refused.value.problems
    return str(found)


def test_a_file_that_is_not_there_names_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.production.yaml").write_text("")
    meant = tmp_path / "Pulumi.production.yaml"
    text = refusal(tmp_path / "Pulumi.prodution.yaml")
    assert f"cannot be read, because there is none of that name; did you mean `{meant}`?" in text
    assert f"name one of {meant}" in refusal(tmp_path / "mine.yaml")
    (tmp_path / "Pulumi.other.yaml").write_text("")
    for name in ("Pulumi.prodution.yaml", "production", "production.yaml", "Pulumi.Production.yml"):
        assert f"did you mean `{meant}`?" in refusal(tmp_path / name)
    assert f"name one of {tmp_path / 'Pulumi.other.yaml'}, {meant}" in refusal(tmp_path / "mine.yaml")
    assert refusal(tmp_path / "nowhere" / "x.yaml").endswith("check the path. (FILE) [docs/stack-files.md]")


def test_a_directory(tmp_path: Path) -> None:
    assert "cannot be read, because it is a directory; name a file in it" in refusal(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "it is a pipe or a device" in refusal(tmp_path / "pipe")
    assert "it is a pipe or a device" in refusal(Path("/dev/zero"))


def test_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.link.yaml").symlink_to("nowhere")
    assert "because it is a link to nowhere, which is not there; correct the link" in refusal(
        tmp_path / "Pulumi.link.yaml"
    )
    assert "check the path" in refusal(tmp_path / "Pulumi.lnk.yaml")


@pytest.mark.parametrize("name", ["nul\0byte", "x" * 300])
def test_names_no_file_can_have(name: str, tmp_path: Path) -> None:
    assert "the file cannot be read, because " in refusal(tmp_path / name)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> Any:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "")
    monkeypatch.setattr(Path, "open", denied)
    assert "the file cannot be read, because permission denied" in refusal(path)


# --- not a stack file --------------------------------------------------------------------------------------------------

SERVING = "config:\n  llmd-pd:serving:\n    accelerator: nvidia\n"

#: Content, where each problem is (line, path), and words that its sentence must have.
UNREADABLE: dict[str, tuple[str | bytes, tuple[int, str], str]] = {
    "empty": ("", (0, ""), "the file is empty, because a stack has to say what it serves; start with `config:`"),
    "only comments": ("# later\n\n", (0, ""), "the file is empty"),
    "null": ("null\n", (0, ""), "the file is empty"),
    "a word": ("nvidia\n", (1, ""), "the file holds no map"),
    "a list": ("- config\n", (1, ""), "the file holds no map"),
    "config missing": ("encryptionsalt: v1:abc\n", (1, "config"), "there is no configuration"),
    "config blank": ("config:\n", (1, "config"), "add `llmd-pd:serving: {accelerator: nvidia}`"),
    "config empty": ("config: {}\n", (1, "config"), "there is no configuration"),
    "config a list": ("\nconfig:\n- llmd-pd:serving\n", (2, "config"), "it is not a map"),
    "config a word": ("config: nvidia\n", (1, "config"), "it is not a map"),
    "tabs": ("config:\n\tllmd-pd:serving:\n\t\taccelerator: nvidia\n", (2, ""), "tabs indent lines 2, 3, because YAML"),
    "a tab deep": (f"{SERVING} \t  engine: vllm\n", (4, ""), "tabs indent line 4"),
    "unclosed": ("config:\n  llmd-pd:serving: {accelerator: nvidia\n", (3, ""), "the file is not valid YAML"),
    "unclosed quote": ('config:\n  llmd-pd:name: "x\n', (3, ""), "the file is not valid YAML"),
    "colon in a value": ("config:\n  llmd-pd:serving: accelerator: nvidia\n", (2, ""), "the file is not valid YAML"),
    "unknown alias": ("config:\n  llmd-pd:serving: *s\n", (2, ""), "undefined alias"),
    "bad merge": ("config:\n  llmd-pd:serving: {<<: nvidia}\n", (2, ""), "the file is not valid YAML"),
    "not UTF-8": ("config:\n  llmd-pd:name: \xe9t\xe9\n".encode("latin-1"), (2, ""), "is not UTF-8"),
    "UTF-16": ("config:\n".encode("utf-16"), (1, ""), "save the file as UTF-8"),
    "NUL": (b"config:\n  a\0b: 1\n", (2, ""), "a control character (#x0000)"),
    "an escape": (b"config:\n\n  a\x1b[1m: 1\n", (3, ""), "a control character (#x001b)"),
    "10 MB": ("#" * 10_000_000, (0, ""), "the file has 9.5 MiB, because a stack file has at most 1 MiB"),
    "many values": ("config:\n" + "  a: [" + "1," * MAX_VALUES + "]\n", (2, ""), f"more than {MAX_VALUES} values"),
    "deep": (f"config: {'[' * 5000}{']' * 5000}\n", (1, ""), f"more than {MAX_DEPTH} levels of nesting"),
    "deep maps": (f"config: {'{a: ' * 900}1{'}' * 900}\n", (1, ""), f"more than {MAX_DEPTH} levels of nesting"),
    "itself": ("config: &c\n  llmd-pd:serving: *c\n", (2, ""), "alias *c stands for something that contains it"),
    "a manifest": ("apiVersion: v1\nkind: Pod\nmetadata: {}\n", (1, "apiVersion"), "this is a Kubernetes manifest"),
    "manifests": ("---\napiVersion: v1\n---\napiVersion: v1\n", (3, ""), "a second document starts here"),
    "the project": ((ROOT / "Pulumi.yaml").read_bytes(), (3, "runtime"), "this is Pulumi's project file"),
    "values": ("inferenceExtension: {}\n", (1, "inferenceExtension"), "the values of the router's chart"),
    "a long number": (f"{SERVING}    prefill: {{replicas: {'9' * 5000}}}\n", (4, "serving.prefill.replicas"), "5000 digits"),
    "a date": (f"{SERVING}    model: 2026-05-26\n", (4, "serving.model"), 'rewrites dates; quote it: "2026-05-26"'),
    "a time": (f"{SERVING}    model: 2026-05-26 10:00:00\n", (4, "serving.model"), "rewrites dates"),
    "binary": (f"{SERVING}    model: !!binary aGk=\n", (4, "serving.model"), "it is tagged as binary"),
    "a set": (f"{SERVING}    env: !!set {{}}\n", (4, "serving.env"), "the tag tag:yaml.org,2002:set cannot be used"),
    "Python": (f"{SERVING}    env: !!python/object:os.system {{}}\n", (4, "serving.env"), "remove it"),
    "a false tag": (f"{SERVING}    wait: !!bool maybe\n", (4, "serving.wait"), "it is tagged as bool"),
    "a map as a key": (f"{SERVING}  {{a: b}}: 1\n", (4, "config"), "a list or a map is used as a key"),
    "a list as a key": (f"{SERVING}  [a]: 1\n", (4, "config"), "a list or a map is used as a key"),
    "twice": (f"config:\n{NVIDIA}{NVIDIA}", (3, "serving"), "is there twice (first on line 2)"),
    "twice, deep": (f"{SERVING}    engine: vllm\n    engine: sglang\n", (5, "serving.engine"), "`engine` is there twice"),
    "twice, two spellings": (f"config:\n{NVIDIA}  'llmd-pd:serving': {{accelerator: tpu}}\n", (3, "serving"), "is there twice"),
    "no project": ("config:\n  serving: {accelerator: nvidia}\n", (2, "serving"), "write `llmd-pd:serving`"),
    "other project": ("config:\n  llm-pd:serving: {accelerator: nvidia}\n", (2, "llm-pd:serving"), "write `llmd-pd:serving`"),
    "twice, with and without": (f"config:\n  serving: {{accelerator: tpu}}\n{NVIDIA}", (2, "serving"),
                                "beside `llmd-pd:serving`, because only one of the two can count; take it out."),
    "twice, after": (f"config:\n{NVIDIA}  serving: {{accelerator: tpu}}\n", (3, "serving"), "take it out."),
    "twice, other project": (f"config:\n{NVIDIA}  llm-pd:serving: {{}}\n", (3, "llm-pd:serving"), "take it out."),
    "twice without": (f"config:\n{NVIDIA}  name: a\n", (3, "name"), "write `llmd-pd:name`."),
    "nested": ("config:\n  llmd-pd: {serving: {accelerator: nvidia}, name: a}\n", (2, "llmd-pd"),
               "write `llmd-pd:serving`, `llmd-pd:name` under `config` instead."),
    "nested, beside": (f"config:\n{NVIDIA}  'llmd-pd:':\n    name: a\n", (3, ""), "write `llmd-pd:name` under"),
    "nested, nothing": (f"config:\n{NVIDIA}  llmd-pd:\n", (3, "llmd-pd"), "before its own; take it out."),
    "unknown at the top": (f"confg: {{}}\nconfig:\n{NVIDIA}", (1, "confg"), "leave it out: `config` is there already"),
    "misspelt at the top": (f"encryptionsal: v1:abc\nconfig:\n{NVIDIA}", (1, "encryptionsal"), "did you mean `encryptionsalt`?"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_stack_file_is_refused_with_line_reason_and_fix(name: str, tmp_path: Path) -> None:
    content, place, words = UNREADABLE[name]
    began = time.monotonic()
    (found,) = problems(tmp_path, content)
    assert time.monotonic() - began < 20
    assert places((found,)) == [place]
    assert found.rule == "FILE"
    assert words in str(found)


def test_nested_keys_are_judged_where_they_stand(tmp_path: Path) -> None:
    serving = "    serving:\n      accelerator: nvidia\n      extraArgs:\n      - --a\n      - --port=1\n"
    content = f"config:\n  llmd-pd:\n{serving}    release: x\n"
    assert places(problems(tmp_path, content)) == [(2, "llmd-pd"), (7, "serving.extraArgs[1]"), (8, "release")]


def tower(height: int, at: str = "") -> str:
    """Nine aliases of nine aliases, and so on: a few hundred bytes, 9 to the height values."""
    floors = [f"{at}a0: &a0 [x, x, x, x, x, x, x, x, x]\n"]
    floors += [f"{at}a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, height)]
    return "".join(floors)


@pytest.mark.parametrize("content", [tower(12), f"config:\n  llmd-pd:x:\n{tower(12, '    ')}"], ids=["top", "config"])
def test_an_alias_tower_is_not_climbed(content: str, tmp_path: Path) -> None:
    began = time.monotonic()
    (found,) = problems(tmp_path, content)
    assert "aliases included" in found.what
    assert time.monotonic() - began < 20


def test_a_few_aliases_are_fine(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f"config:\n{NVIDIA}  llmd-pd:x:\n{tower(2, '    ')}")
    assert found.path == "llmd-pd:x"


def test_the_largest_file_there_may_be(tmp_path: Path) -> None:
    content = f"config:\n{NVIDIA}"
    assert load(write(tmp_path, content + "#" * (MAX_BYTES - len(content))))
    (found,) = problems(tmp_path, content + "#" * (MAX_BYTES + 1 - len(content)))
    assert "1.0 MiB" in found.what


# --- every problem at once ---------------------------------------------------------------------------------------------


def test_every_kind_of_problem_is_found_in_one_run(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """\
colour: blue
config:
  cluster: {machine: dgx, nodes: 0}
  llmd-pd:name: 2026-05-26
  llmd-pd:release: guide-2026-5
  llmd-pd:serving:
    accelerator: nvidia
    engine: vlm
    fabric: coreweve
    prefil: {replicas: 1}
    prefill: {replicas: -8, devices: 16}
    decode:
      replicas: "2"
      replicas: "3"
      memory: 9000Gi
    image: vllm/vllm-openai:latest
    extraArgs: [--port=1, --seed=1, --seed=2]
    dropArgs: [--nope, --block-size]
    env: [A, B]
  llmd-pd:monitoring: yes
""",
    )
    assert places(found) == [
        (1, "colour"),
        (3, "cluster"),
        (3, "cluster.nodes"),
        (3, "cluster.machine"),
        (4, "name"),
        (5, "release"),
        (8, "serving.engine"),
        (9, "serving.fabric"),
        (10, "serving.prefil"),
        (11, "serving.prefill.replicas"),
        (11, "serving.prefill.devices"),
        (14, "serving.decode.replicas"),
        (14, "serving.decode.replicas"),
        (15, "serving.decode.memory"),
        (16, "serving.image"),
        (17, "serving.extraArgs[2]"),
        (17, "serving.extraArgs[0]"),
        (18, "serving.dropArgs[0]"),
        (19, "serving.env"),
        (20, "monitoring"),
    ]


def test_what_depends_on_no_accelerator_is_found_without_one(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        "config:\n  llmd-pd:release: x\n  llmd-pd:cluster: {machine: x}\n"
        "  llmd-pd:serving: {image: 'a:latest', accelerator: cuda}\n",
    )
    assert places(found) == [(2, "release"), (3, "cluster.machine"), (4, "serving.image"), (4, "serving.accelerator")]
    found = problems(tmp_path, "config:\n  llmd-pd:release: x\n  llmd-pd:serving: {image: 'a:latest'}\n")
    assert places(found) == [(2, "release"), (3, "serving.accelerator"), (3, "serving.image")]
    assert "add `accelerator: nvidia`" in found[1].fix


@pytest.mark.parametrize("serving", ["[]", "nvidia", "", "5", "true"])
def test_something_else_where_a_map_belongs_is_one_problem(serving: str, tmp_path: Path) -> None:
    found = problems(tmp_path, f"config:\n  llmd-pd:serving: {serving}\n  llmd-pd:release: guide-2026-05\n")
    assert places(found) == [(2, "serving")]
    assert "it has to be a map" in found[0].why
    assert "{accelerator: nvidia}`" in found[0].fix


@pytest.mark.parametrize(
    ("serving", "expected"),
    [
        ("{accelerator: nvidia, model: a/b, extraArgs: {}}", ["serving.extraArgs"]),
        ("{accelerator: nvidia, model: a/b, dropArgs: [{}]}", ["serving.dropArgs[0]"]),
        ("{accelerator: nvidia, prefill: {replicas: '1'}, decode: {replicas: 1}}", ["serving.prefill.replicas"]),
    ],
)
def test_a_problem_is_not_followed_by_its_own_consequences(serving: str, expected: list[str], tmp_path: Path) -> None:
    """Without the faulty field, the model would look undecided, and one node too few."""
    found = problems(tmp_path, f"config:\n  llmd-pd:cluster: {{nodes: 1}}\n  llmd-pd:serving: {serving}\n")
    assert [path for _, path in places(found)] == expected


GKES = f"gke: {{project: my-project, region: us-south1, zone: us-south1-b, version: {shipped.VERSION}}}"


@pytest.mark.parametrize(
    ("cluster", "rest", "others"),
    [
        # Of nodes that would scale, `nodes` are not all there will be.
        (f"{{provider: azure, machine: gke-a3-ultragpu-8g-dra, nodes: 1, {GKES}}}",
         "  llmd-pd:serving: {accelerator: nvidia, fabric: gke-rdma}\n", []),
        ("{provider: azure, machine: coreweave-h200, nodes: 4, context: cw, protect: false}", "", []),
        ("{provider: azure}", "  llmd-pd:serving: {}\n", []),
        ("{provider: 5}", NVIDIA, []),
        # What does not follow from it is said all the same.
        ("{provider: azure, machine: a3}", "  llmd-pd:serving: {accelerator: nvidia, image: 'a:latest'}\n",
         [(2, "cluster.machine"), (3, "serving.image")]),
        ("{provider: azure, nodes: 0}", "  llmd-pd:release: x\n", [(2, "cluster.nodes"), (3, "release")]),
        ("{provider: azure}", "  llmd-pd:serving: {prefill: 5}\n", [(3, "serving.accelerator"), (3, "serving.prefill")]),
        # One that is only misspelt is judged as the one that was meant.
        ("{provider: stak, stack: platform}", NVIDIA, []),
        ("{provider: corewave, machine: coreweave-h200, nodes: 4, context: cw, protect: false}", "", []),
        ("{provider: corewave}", "  llmd-pd:serving: {}\n", [(2, "cluster.nodes"), (2, "cluster.machine")]),
        ("{provider: gkee, nodes: 0}", "  llmd-pd:release: x\n",
         [(2, "cluster.gke"), (2, "cluster.nodes"), (2, "cluster.machine"), (3, "release")]),
        (f"{{provider: gkee, machine: gke-a3-ultragpu-8g-dra, nodes: 1, {GKES}}}",
         "  llmd-pd:serving: {accelerator: nvidia, fabric: gke-rdma}\n", [(2, "cluster.gke.capacity"), (2, "cluster.nodes")]),
    ],
)  # fmt: skip
def test_a_provider_that_does_not_exist_is_one_problem(
    cluster: str, rest: str, others: list[tuple[int, str]], tmp_path: Path
) -> None:
    found = problems(tmp_path, f"config:\n  llmd-pd:cluster: {cluster}\n{rest}")
    assert sorted(places(found)) == sorted([(2, "cluster.provider"), *others])
    (unknown,) = (problem for problem in found if problem.path == "llmd-pd:cluster.provider")
    assert unknown.why == "it has to be existing, coreweave, gke or stack"


CW = "provider: coreweave, machine: coreweave-h200, nodes: 2"
ONE_NODE = "FIT-01 1 node of coreweave-h200 cannot hold all pods: write `nodes: 2`, or ask for fewer replicas"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        # A rule's words, where it refuses the text too.
        (f"cluster: {{{CW}, coreweave: {{cluster: {{zone: US-EAST-02A, version: 1.35}}}}}}",
         ["CW-11 `1.35` is no minor version: write `v1.35`"]),
        ("release: 2026", ["BILL-01 release `2026` does not exist: use one of guide-2026-05, guide-2026-06"]),
        ("name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         ["NAME-02 Deployment name aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-nvidia-gpu-vllm-prefill has 64 characters: "
          "shorten the stack's name to 22 characters"]),
        # Both, where the value of the right type is still a wrong one.
        ("cluster: {nodes: '1'}", ["SPEC `1` cannot be used: take the quotes off: 1", ONE_NODE]),
        ("cluster: {nods: 1}", ["SPEC unknown key: did you mean `nodes`?", ONE_NODE]),
        ("router: {mode: gatway}", ["SPEC `gatway` cannot be used: did you mean `gateway`?", "GW-01 mode gateway has no gateway: "
                                    "add `gateway: {provider: istio}` (or gke, agentgateway, na)"]),
    ],
)  # fmt: skip
def test_what_a_fix_leads_to_is_said_at_once(written: str, said: list[str], tmp_path: Path) -> None:
    serving = "llmd-pd:serving: {accelerator: nvidia, fabric: coreweave}"
    found = problems(tmp_path, f"config:\n  {serving}\n  llmd-pd:{written}\n")
    assert [f"{problem.rule} {problem.what}: {problem.fix}" for problem in found] == said


@pytest.mark.parametrize(
    ("text", "quoted"), [("1.30", '"1.30"'), ("0777", '"0777"'), ("1e5", '"1e5"'), ("True", '"True"')]
)
def test_a_text_is_quoted_as_it_is_written(text: str, quoted: str, tmp_path: Path) -> None:
    """YAML reads another number: 1.3, 511, 100000."""
    (found,) = problems(tmp_path, f"{SERVING}    env: {{A: {text}}}\n")
    assert (found.what, found.fix) == (f"`{text}` cannot be used", f"quote it: {quoted}")


def test_a_fault_of_an_item_does_not_hide_the_others(tmp_path: Path) -> None:
    """The rest of a toleration still tolerates; without it, FIT-01 would ask for another."""
    pool = "acceleratorPool: {taints: [{key: a, value: b, effect: NoSchedule}]}"
    cluster = f"{{provider: coreweave, machine: coreweave-h200, nodes: 2, coreweave: {{{pool}}}}}"
    for tolerations in ("[{key: a, value: b, effect: never}]", "[{key: a, operator: Same, value: b}]", "[a]", "a"):
        serving = f"{{accelerator: nvidia, fabric: coreweave, tolerations: {tolerations}}}"
        found = problems(tmp_path, f"config:\n  llmd-pd:cluster: {cluster}\n  llmd-pd:serving: {serving}\n")
        assert {(problem.rule, problem.line) for problem in found} == {("SPEC", 3)}, tolerations


def test_places_that_are_no_plain_words(tmp_path: Path) -> None:
    found = problems(
        tmp_path, "config:\n  'llmd-pd:[x]': 1\n  'llmd-pd:': 1\n  llmd-pd:serving: {'a.b': 1, '[0]': 1, '': 1}\n"
    )
    assert {line for line, _ in places(found)} == {2, 3, 4}
    assert len(found) == 6  # and the accelerator


def test_problems_as_data_name_everything(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f"config:\n{NVIDIA}  llmd-pd:nmae: x\n")
    assert found.as_json() == {
        "rule": "SPEC",
        "path": "llmd-pd:nmae",
        "what": "unknown key",
        "why": "a misspelt key would silently mean its default",
        "fix": "did you mean `name`?",
        "source": "docs/stack-files.md",
        "file": str(tmp_path / "Pulumi.test.yaml"),
        "line": 3,
        "severity": "error",
    }


def test_a_problem_is_one_line_whatever_the_file_holds(tmp_path: Path) -> None:
    """Not for a terminal only: a running program hands it to the engine as it is."""
    (found,) = problems(tmp_path, f'config:\n{NVIDIA}  "llmd-pd:na\\u2028\\e[31mme": x\n')
    assert found.path == "llmd-pd:na\u2028\x1b[31mme"
    assert "llmd-pd:na\\u2028\\x1b[31mme: unknown key" in str(found)
    assert len(str(found).splitlines()) == 1


def test_a_rule_that_is_not_asked_finds_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "config:\n  llmd-pd:serving: {accelerator: nvidia, prefill: {devices: 16}}\n")
    with pytest.raises(StackFileError, match="FIT-01"):
        load(path)
    assert load(path, but=frozenset({"FIT-01"})).spec.serving.prefill.devices == 16
