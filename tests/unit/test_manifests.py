"""YAML text: read back it is what was written, by every parser; laid out for people."""

import subprocess
from pathlib import Path

import yaml

from commands import manifests
from tests.parity.helm import helm
from tests.unit.rendering import objects

AWKWARD = [
    *(
        "",
        " ",
        "a: b",
        "# no",
        "- x",
        "null",
        "~",
        "on",
        "No",
        "y",
        "N",
        "=",
        "<<",
        "{{ x }}",
        "@status",
        "%",
        "`",
        "*a",
    ),
    *("1e3", "8e6", "-1e3", ".5e1", "0o14", "0x1F", "0b1", "1_000", "08", "1.", "+.5", "1:20", "2001-01-01", ".inf"),
    *(
        "8c62784",
        "a\nb\n",
        "a\nb",
        "\na\n",
        "  a\n b\n",
        "a \nb\n",
        "a\n\n\n",
        "tab\there\n",
        "ü\u2028x\n",
        "\x1b[1m\n",
    ),
]


def test_text_survives() -> None:
    tree = {"values": AWKWARD, "keys": dict.fromkeys(AWKWARD, 1), "numbers": [1, -2, 1.5, 1e30, True, False, None]}
    assert yaml.safe_load(manifests.document(tree)) == tree


def test_text_survives_helms_and_kubectls_parser(tmp_path: Path) -> None:
    binary = helm()
    chart = {
        "Chart.yaml": "apiVersion: v2\nname: echo\nversion: 0.0.1\n",
        "templates/echo.yaml": "kind: Echo\nvalues: {{ .Values | toJson }}\n",
    }
    for file, text in chart.items():
        (tmp_path / "echo" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "echo" / file).write_text(text)
    tree = {"values": AWKWARD, "keys": {f"k{number}": text for number, text in enumerate(AWKWARD)}}
    (tmp_path / "values.yaml").write_text(manifests.document(tree))
    command = [str(binary), "template", "r", str(tmp_path / "echo"), "-f", str(tmp_path / "values.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (echoed,) = objects(done.stdout)
    assert echoed["values"] == tree


def test_text_of_several_lines_is_a_literal_block() -> None:
    assert manifests.document({"a": "x: 1\ny: 2\n"}) == "a: |\n  x: 1\n  y: 2\n"


def test_keys_come_in_reading_order_and_lists_as_they_are() -> None:
    tree = {"spec": {"b": [{"z": 1, "name": "it"}, 2], "a": 1}, "metadata": {"labels": {}, "name": "x"}, "kind": "K"}
    tree["apiVersion"] = "v1"
    assert manifests.document(tree) == (
        "apiVersion: v1\nkind: K\nmetadata:\n  name: x\n  labels: {}\n"
        "spec:\n  a: 1\n  b:\n  - name: it\n    z: 1\n  - 2\n"
    )


def test_long_lines_are_not_folded() -> None:
    text = "word " * 200 + "end"
    assert manifests.document({"a": text}) == f"a: {text}\n"
