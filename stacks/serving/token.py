"""Hugging Face's token: the Secret from which the model servers take it, and whether they start without it."""

from dataclasses import dataclass

from hardware.bill import Bill, BuildKey
from hardware.models import is_gated
from hardware.vocabulary import HF_TOKEN, ROLES, SecretRef
from stacks.spec.stack import StackSpec

#: Upstream's name of the Secret.
SECRET = "llm-d-hf-token"


@dataclass(frozen=True)
class MadeSecret:
    """The Secret that a stack makes from its token: its name, and the key of the token in it."""

    name: str
    key: str


def gated(spec: StackSpec, model: str) -> bool:
    """Whether the stack's model can be downloaded only with a token: as the stack says, else by the model's id."""
    return is_gated(model) if spec.served.gated is None else spec.served.gated


def made_secret(spec: StackSpec) -> MadeSecret | None:
    """Returns the Secret that the stack makes if its token is a Pulumi secret, else None."""
    stated = spec.served.hf_token
    return MadeSecret(SECRET, HF_TOKEN) if stated is not None and stated.secure is not None else None


def token_reference(spec: StackSpec, bill: Bill, build: BuildKey, model: str) -> SecretRef | None:
    """Returns the model servers' reference to the token; None keeps the release's own reference, if it has one.

    A pod waits for ever for a Secret that does not exist. So the Secret is optional unless the model is gated: other models
    download without a token too, but more slowly.
    """
    stated, optional = spec.served.hf_token, None if gated(spec, model) else True
    if stated is not None:
        return SecretRef(SECRET, HF_TOKEN) if stated.secure else SecretRef(stated.secret or SECRET, HF_TOKEN, optional)
    rows = (row for row in bill.env if any(row.applies(build, role) for role in ROLES))
    own = next((row.variables[HF_TOKEN] for row in rows if HF_TOKEN in row.variables), None)
    return SecretRef(own.name, own.key, optional) if isinstance(own, SecretRef) and optional else None
