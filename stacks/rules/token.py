"""Is there a token where one is needed, and only one: the rule of `stacks.serving.token`."""

from collections.abc import Iterator

from hardware.vocabulary import HF_TOKEN
from stacks.rules.facts import Finding, Subject
from stacks.serving.token import gated


def token_rule(subject: Subject) -> Iterator[Finding]:
    """A gated model has a token, and the token one source."""
    stated, model = subject.spec.served.hf_token, subject.workload.model
    if HF_TOKEN in subject.spec.served.env:
        what, why = (
            f"{HF_TOKEN} in clear",
            "it would stand in objects, rendered files and the state for everyone to read",
        )
        yield Finding(
            "serving.env", what, why, "take it out, revoke it, and say `hfToken` with a Secret or a Pulumi secret"
        )
    if stated is not None and (stated.secret is None) == (stated.secure is None):
        what, why = (
            "both a Secret's name and a token" if stated.secret else "neither a Secret nor a token",
            "one counts",
        )
        fix = "write a Secret's name, or run `pulumi config set --secret --path 'llmd-pd:serving.hfToken'`"
        yield Finding("serving.hfToken", what, why, fix)
    elif stated is None and gated(subject.spec, model):
        what, why = f"there is no token for {model}", "the model is gated, and its servers could not download it"
        fix = "name a Secret with the key HF_TOKEN, or write `gated: false` under `serving` if it needs none"
        yield Finding("serving.hfToken", what, why, fix)
