"""What the API server refuses of the model servers' pods. It would say so where nobody looks: no pod is ever created."""

from collections.abc import Iterator

from stacks.rules.facts import Finding, Subject


def valid_tolerations(subject: Subject) -> Iterator[Finding]:
    """A toleration of every key has to say so, one of every value has none, and only evictions can be put off."""
    for index, row in enumerate(subject.spec.served.tolerations):
        place, exists = f"serving.tolerations[{index}]", row.get("operator") == "Exists"
        if not row.get("key") and not exists:
            what, why = "a toleration without a key", "it would be of every taint, which Kubernetes wants said"
            yield Finding(f"{place}.key", what, why, "name the key, or write `operator: Exists`")
        if exists and row.get("value"):
            what, why = f"value `{row['value']}` with `operator: Exists`", "that tolerates every value"
            yield Finding(f"{place}.value", what, why, "leave it out, or write `operator: Equal`")
        if "tolerationSeconds" in row and row.get("effect") != "NoExecute":
            what, why = "`tolerationSeconds` of another effect than NoExecute", "only that puts pods out"
            yield Finding(f"{place}.tolerationSeconds", what, why, "leave it out, or write `effect: NoExecute`")
