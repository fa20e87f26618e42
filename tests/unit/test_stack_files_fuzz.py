"""Good stack files damaged at random, by bytes and by nodes: whatever comes of it loads, or is refused in sentences.

The same files in every run. For a longer look: LLMD_FUZZ_TRIES=100000 LLMD_FUZZ_SEED=7 pytest -k anything
"""

import os
import random
import string
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.file.load import load
from stacks.findings import StackFileError
from tests.shipped import NAMES, ROOT, fill

FILES = [fill((ROOT / name).read_text()).encode() for name in NAMES]
#: Keys that no stack file of the repository has.
GENEROUS = b"""\
config:
  llmd-pd:serving: {accelerator: nvidia, hfToken: {secret: hf}, gated: false, env: {A: b}}
  llmd-pd:router:
    mode: gateway
    gateway: {provider: istio, manage: false, namespace: shared, baseModel: m, requestTimeout: 60s}
    resources: {requests: {cpu: "4"}, limits: {memory: 16Gi}}
    flags: {v: 3, kv-cache: true}
    plugins:
      plugins: [{type: queue-scorer, name: mine, parameters: {a: 1}}, {type: decode-filter}]
      schedulingProfiles: [{name: decode, plugins: [{pluginRef: mine, weight: 2}]}]
    tracing: {endpoint: "http://otel:4317", ratio: 0.5}
    extraPorts: [{name: https, port: 443, targetPort: 8443}]
    values: {inferenceExtension: {image: {hub: registry.example.com/team/llm-d}, affinity: {a: [1]}}}
  llmd-pd:mirror: {registry: registry.example.com/team, charts: "oci://registry.example.com/charts"}
  llmd-pd:crds: {gatewayApi: true}
"""
FUZZ_TRIES = int(os.environ.get("LLMD_FUZZ_TRIES", "400"))
FUZZ_SEED = int(os.environ.get("LLMD_FUZZ_SEED", "20260526"))
SNIPPETS = (
    *(b"\t", b"\n", b"  ", b": ", b"- ", b"[", b"]", b"{", b"}", b"&a ", b"*a", b"!!binary ", b"!!int ", b"<<: *a", b"|\n"),
    *(b"\xff", b"\0", b"\xef\xbb\xbf", b"'", b'"', b"#", b"?", b"---\n", b"...\n", b"%YAML 9.9\n"),
    *(b"\xe2\x80\xa8", b"~", b"@", b"`"),
    *(b"2026-05-26", b"9" * 40, b"-1", b"1e400", b".nan", b"0x", b"08", b"no", b"null", b"llmd-pd:", b"secure: "),
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**31,
        2**70,
        1.5,
        float("nan"),
        float("inf"),
        "",
        " ",
        "x",
        "1",
        "a" * 300,
        "\u00e9",
        "@",
    ),
    *(
        [],
        {},
        [[]],
        [None],
        {"": 1},
        {"[key]": 1},
        {"a.b": {}},
        [{"key": 1}],
        {"secure": "v1:x"},
        "{tp}",
        "--port",
        "--a=b",
    ),
)


def test_what_is_damaged_was_good(tmp_path: Path) -> None:
    assert all(loads_or_refuses(tmp_path / "Pulumi.good.yaml", good) for good in (*FILES, GENEROUS))


def loads_or_refuses(path: Path, content: bytes) -> bool:
    path.write_bytes(content)
    try:
        load(path)
    except StackFileError as error:
        refusal = error
    else:
        return True
    assert refusal.problems
    assert len(str(refusal).splitlines()) == len(refusal.problems), "a problem is more than a line"
    return False


def mutated_bytes(chance: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        length = chance.choice((0, 1, 1, 2, 8, 40))
        put = chance.choice(
            (b"", chance.choice(SNIPPETS), chance.randbytes(2), chance.choice(string.printable).encode())
        )
        data[at : at + length] = put
    return bytes(data)


def mutated_tree(chance: random.Random, tree: Any) -> Any:
    """The tree with one node deleted, replaced, repeated elsewhere or given a new neighbour."""
    if not isinstance(tree, dict | list) or not tree or chance.random() < 0.15:
        return chance.choice((tree, *VALUES))
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    copy, key = tree.copy(), chance.choice(keys)
    match chance.randrange(4):
        case 0:
            del copy[key]
        case 1 if isinstance(copy, dict):
            copy[chance.choice((*VALUES[9:18:4], "replicas", "llmd-pd:x", 5, True))] = chance.choice(VALUES)
        case _:
            copy[key] = mutated_tree(chance, copy[key])
    return copy


@pytest.mark.parametrize("how", ["bytes", "tree"])
def test_anything_at_all_loads_or_is_refused(how: str, tmp_path: Path) -> None:
    chance, path = random.Random(f"{FUZZ_SEED} {how}"), tmp_path / "Pulumi.fuzz.yaml"
    originals = [*FILES, GENEROUS]
    loaded = 0
    for _ in range(FUZZ_TRIES):
        content = chance.choice(originals)
        if how == "bytes":
            content = mutated_bytes(chance, content)
        else:
            tree = yaml.safe_load(content)
            for _ in range(chance.randint(1, 3)):
                tree = mutated_tree(chance, tree)
            content = yaml.safe_dump(tree, allow_unicode=True).encode()
        try:
            loaded += loads_or_refuses(path, content)
        except Exception as error:
            raise AssertionError(f"{error!r} from {content!r}") from error
    # Both outcomes are reached, or the mutations are too timid or too wild to prove anything.
    assert 0 < loaded < FUZZ_TRIES
