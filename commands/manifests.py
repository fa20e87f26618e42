"""Writes Kubernetes objects and value trees as YAML text: equal data gives equal bytes.

Keys come in the order in which people read them, then in alphabetical order, so that the text does not depend on how the data was
made. Lists keep their order, which has meaning.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

FIRST_KEYS = ("apiVersion", "kind", "metadata", "name", "namespace")

#: Kinds in charts that have no namespace.
CLUSTER_WIDE = frozenset(
    {
        *("APIService", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "DeviceClass", "GatewayClass"),
        *("IngressClass", "MutatingWebhookConfiguration", "Namespace", "PersistentVolume", "PriorityClass"),
        *("NodePool", "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
        *("ValidatingWebhookConfiguration",),
    }
)

#: Texts that the parser of kubectl and helm may read as a number or a boolean though PyYAML reads text (`1e3`, `8e6`, `y`).
LOOKS_LIKE_A_NUMBER = re.compile(r"^[-+]?[.]?[0-9][0-9a-fA-FxXoO_.eE+-]*$")
LOOKS_LIKE_A_TRUTH = re.compile(r"^[yYnN]$")


# The pure Python dumper on every machine: libyaml's differs in details, and not every machine has it.
class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True  # objects share parts; a manifest repeats them


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", LOOKS_LIKE_A_NUMBER, list("-+.0123456789"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", LOOKS_LIKE_A_TRUTH, list("yYnN"))


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def documents(objects: Iterable[Mapping[str, Any]], first: Sequence[str] = FIRST_KEYS) -> str:
    """Returns objects as a YAML stream, one document each. `first` are the keys that precede the alphabetical order."""
    return "---\n".join(document(obj, first) for obj in objects)


def document(tree: Mapping[str, Any], first: Sequence[str] = FIRST_KEYS) -> str:
    """Returns one object or value tree as YAML. Text of several lines is a literal block if YAML allows it."""
    return yaml.dump(_ordered(tree, first), Dumper=_Dumper, sort_keys=False, width=10**6, allow_unicode=True)


def placed(obj: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """Returns the object with a namespace, unless it names one itself or its kind has none."""
    metadata = obj["metadata"]
    if obj["kind"] in CLUSTER_WIDE or metadata.get("namespace"):
        return dict(obj)
    return {**obj, "metadata": {**metadata, "namespace": namespace}}


def _ordered(value: Any, first: Sequence[str]) -> Any:
    def rank(key: object) -> tuple[int, str]:
        name = str(key)
        return first.index(name) if name in first else len(first), name

    if isinstance(value, Mapping):
        return {key: _ordered(value[key], first) for key in sorted(value, key=rank)}
    if isinstance(value, list | tuple):
        return [_ordered(item, first) for item in value]
    return value
