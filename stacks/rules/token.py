"""Is there a token where one is needed, and only one: the rule of `stacks.serving.token`."""

from collections.abc import Iterator

from hardware.vocabulary import HF_TOKEN
from stacks.findings import ERROR, Finding, Rule
from stacks.rules.facts import Facts
from stacks.serving.token import SECRET, gated


def _token(facts: Facts) -> Iterator[Finding]:
    """A gated model has a token, and the token one source."""
    stated = facts.serving.hf_token
    if HF_TOKEN in facts.serving.env:
        what, why = (
            f"{HF_TOKEN} is there in clear",
            "it would stand in objects, rendered files and the state for everyone to read",
        )
        yield Finding(
            at=("serving", "env", HF_TOKEN),
            what=what,
            why=why,
            fix=f"take `{HF_TOKEN}` out, revoke it, and say `hfToken` with a Secret or a Pulumi secret",
        )
    if stated is not None and (stated.secret is None) == (stated.secure is None):
        what, why = (
            "both a Secret's name and a token" if stated.secret else "neither a Secret nor a token",
            "one counts",
        )
        fix = f"write a Secret's name, such as `{SECRET}`, or run `pulumi config set --secret --path 'llmd-pd:serving.hfToken'`"
        yield Finding(at=("serving", "hfToken"), what=what, why=why, fix=fix)
    elif stated is None and gated(facts.chosen, model := facts.written.model):
        what, why = f"there is no token for {model}", "the model is gated, and its servers could not download it"
        name = f"write the name of a Secret with the key {HF_TOKEN}, such as `{SECRET}`"
        fix = f"{name}, or write `gated: false` under `serving` if it needs none"
        yield Finding(at=("serving", "hfToken"), what=what, why=why, fix=fix)


SECRET_01 = Rule(
    "SECRET-01", ERROR,
    "a gated model without a token; a token with two sources, or none, or in clear in `env`",
    "its servers could not download it; `env` ends up where it can be read",
    "https://huggingface.co/docs/hub/models-gated", check=_token, firm=True,
)  # fmt: skip
#: Which values are encrypted only a running program is told.
SECRET_02 = Rule(
    "SECRET-02", ERROR,
    "when Pulumi runs: an encrypted value that is not `serving.hfToken`",
    "everything but the token ends up where it can be read",
    "docs/operate.md", when_run=True,
)  # fmt: skip
RULES = (SECRET_01, SECRET_02)
