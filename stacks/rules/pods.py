"""The rule of tolerations that the API server refuses. It would say so in events alone: no pod is ever created."""

from collections.abc import Iterator

from stacks.findings import ERROR, Finding, Rule
from stacks.rules.facts import Facts
from stacks.rules.proposals import either


def _valid_tolerations(facts: Facts) -> Iterator[Finding]:
    """A toleration of every key has to say so, one of every value has none, and only evictions can be put off."""
    for index, row in enumerate(facts.serving.tolerations):
        place, exists = ("serving", "tolerations", index), row.get("operator") == "Exists"
        if not row.get("key") and not exists:
            what, why = "a toleration has no key", "it would be of every taint, which Kubernetes wants said"
            # With a value it could not say so.
            every = [] if row.get("value") else ["write `operator: Exists`"]
            yield Finding(at=(*place, "key"), what=what, why=why, fix=either(["name the key", *every]))
        if exists and row.get("value"):
            what, why = f"value `{row['value']}` is there with `operator: Exists`", "that tolerates every value"
            equal = ["write `operator: Equal`"] if row.get("key") else []
            yield Finding(at=(*place, "value"), what=what, why=why, fix=either(["leave it out", *equal]))
        if "tolerationSeconds" in row and row.get("effect") != "NoExecute":
            what, why = "`tolerationSeconds` is there with another effect than NoExecute", "only that puts pods out"
            yield Finding(
                at=(*place, "tolerationSeconds"), what=what, why=why, fix="leave it out, or write `effect: NoExecute`"
            )


POD_01 = Rule(
    "POD-01", ERROR,
    "a toleration without a key that does not say `operator: Exists`, with a value beside that, or with seconds for"
    " another effect than NoExecute",
    "the API server refuses such pods, and says so in events alone",
    "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/", check=_valid_tolerations,
)  # fmt: skip
