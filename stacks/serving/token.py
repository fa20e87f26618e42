"""Hugging Face's token: which Secret the model servers take it from, and whether they start without."""

from dataclasses import dataclass

from hardware.bill import Bill, BuildKey
from hardware.models import is_gated
from hardware.vocabulary import HF_TOKEN, ROLES, SecretRef
from stacks.spec.stack import StackSpec

#: Upstream's name for it.
SECRET = "llm-d-hf-token"


@dataclass(frozen=True)
class MadeSecret:
    """The Secret a stack makes of its token: its name, and the key of the token in it."""

    name: str
    key: str


def gated(spec: StackSpec, model: str) -> bool:
    """Whether the stack's model can be had with a token only: what the stack says, else what the model's id tells."""
    return is_gated(model) if spec.served.gated is None else spec.served.gated


def made_secret(spec: StackSpec) -> MadeSecret | None:
    """The Secret the stack makes, where its token is a Pulumi secret."""
    stated = spec.served.hf_token
    return MadeSecret(SECRET, HF_TOKEN) if stated is not None and stated.secure is not None else None


def token_reference(spec: StackSpec, bill: Bill, build: BuildKey, model: str) -> SecretRef | None:
    """Where the model servers take the token from; None leaves the release's own reference, if it has one.

    A pod waits for ever for a Secret that is not there. So it may be missing wherever nothing depends on it: a model that is
    not gated downloads without a token too, if slower.
    """
    stated, optional = spec.served.hf_token, None if gated(spec, model) else True
    if stated is not None:
        return SecretRef(SECRET, HF_TOKEN) if stated.secure else SecretRef(stated.secret or SECRET, HF_TOKEN, optional)
    rows = (row for row in bill.env if any(row.applies(build, role) for role in ROLES))
    own = next((row.variables[HF_TOKEN] for row in rows if HF_TOKEN in row.variables), None)
    return SecretRef(own.name, own.key, optional) if isinstance(own, SecretRef) and optional else None
