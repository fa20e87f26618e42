"""Hugging Face's token: which Secret the servers take it from, when they wait for it, and that it is never seen."""

from typing import Any

import pytest

from hardware.vocabulary import SecretRef
from stacks.rules.facts import Facts
from stacks.spec.stack import HfToken
from tests.blueprints import read
from tests.unit.test_rules import problems, spec

NVIDIA = {"accelerator": "nvidia"}
LLAMA = {**NVIDIA, "model": "meta-llama/Llama-3.3-70B-Instruct", "dropArgs": []}

#: Rule, `serving`, the rest, path, words of the sentence.
FINDINGS: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("SECRET-01", LLAMA, {}, "serving.hfToken", "there is no token for meta-llama/Llama-3.3-70B-Instruct"),
    ("SECRET-01", {**NVIDIA, "gated": True}, {}, "serving.hfToken", "write `gated: false`"),
    ("SECRET-01", {**NVIDIA, "env": {"HF_TOKEN": "hf_x"}}, {}, "serving.env.HF_TOKEN", "HF_TOKEN is there in clear"),
    ("SECRET-01", {**NVIDIA, "hfToken": {}}, {}, "serving.hfToken", "neither a Secret nor a token"),
    ("SECRET-01", {**NVIDIA, "hfToken": {"secret": "a", "secure": "v1:b"}}, {}, "serving.hfToken", "both"),
]


@pytest.mark.parametrize(("rule", "serving", "more", "path", "words"), FINDINGS, ids=[f[4][:30] for f in FINDINGS])
def test_the_rule_finds_what_it_is_for(
    rule: str, serving: dict[str, Any], more: dict[str, Any], path: str, words: str
) -> None:
    (found,) = problems(serving, **more)
    assert (found.rule, found.path) == (rule, f"llmd-pd:{path}")
    assert words in str(found)


@pytest.mark.parametrize(
    ("serving", "release", "expected"),
    [
        (NVIDIA, "guide-2026-05", None),
        (NVIDIA, "guide-2026-06", SecretRef("llm-d-hf-token", "HF_TOKEN", True)),
        ({**NVIDIA, "hfToken": "mine"}, "guide-2026-05", SecretRef("mine", "HF_TOKEN", True)),
        ({**NVIDIA, "hfToken": "mine"}, "guide-2026-06", SecretRef("mine", "HF_TOKEN", True)),
        ({**LLAMA, "hfToken": "mine"}, "guide-2026-05", SecretRef("mine", "HF_TOKEN", None)),
        ({**NVIDIA, "hfToken": {"secure": "v1:x"}}, "guide-2026-05", SecretRef("llm-d-hf-token", "HF_TOKEN", None)),
        ({**LLAMA, "gated": False}, "guide-2026-05", None),
    ],
    ids=str,
)
def test_where_the_token_comes_from(serving: dict[str, Any], release: str, expected: SecretRef | None) -> None:
    assert Facts(spec(serving, release=release)).workload.hf_token == expected


@pytest.mark.parametrize(
    "stated",
    [
        "hf_NotTheNameOfASecret",
        {"secret": "hf_NotTheNameOfASecret"},
        {"secure": "hf_NotTheNameOfASecret"},
        {"secure": {"secure": "hf_NotTheNameOfASecret"}},
    ],
)
def test_a_token_in_clear_is_refused_and_not_repeated(stated: Any) -> None:
    (found,) = read({"serving": {**NVIDIA, "hfToken": stated}})[0]
    assert found.finding.at == ("serving", "hfToken")
    assert found.path == "llmd-pd:serving.hfToken"
    assert "a token in clear text, because every reader of the file, or of its history, has it; revoke it" in str(found)
    assert "pulumi config set --secret --path 'llmd-pd:serving.hfToken'" in found.fix
    assert "NotTheName" not in str(found)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("mine", HfToken(secret="mine")),
        ({"secret": "mine"}, HfToken(secret="mine")),
        ({"secure": "v1:x"}, HfToken(secure="v1:x")),
        # `pulumi config set --secret --path 'llmd-pd:serving.hfToken.secure'` writes this.
        ({"secure": {"secure": "v1:x"}}, HfToken(secure="v1:x")),
    ],
    ids=str,
)
def test_what_the_cli_may_write(stated: Any, expected: HfToken) -> None:
    assert spec({**NVIDIA, "hfToken": stated}).serving.hf_token == expected


@pytest.mark.parametrize("stated", [{"secure": {"secure": "v1:x", "more": 1}}, {"secure": {"secure": 5}}, ["mine"], 5])
def test_what_it_may_not(stated: Any) -> None:
    assert read({"serving": {**NVIDIA, "hfToken": stated}})[0] != []
