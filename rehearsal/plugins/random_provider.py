"""The stand-in for pulumi-resource-random: the resources a program commonly uses, every one made once and kept in the state.

Any changed input makes a new value, as in the official plugin. Left out: a password's `bcryptHash`, RandomUuid4, RandomUuid7,
import.
"""
# ruff: noqa: ARG002 - the signatures are the protocol's

import base64
import secrets
import string
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.plugins.plugin import Failure
from rehearsal.plugins.provider import Changes, Lifecycle, Properties, Provider, Resource, not_offered
from rehearsal.plugins.values import UNKNOWN, secret

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"  # the official plugin's default
_ADJECTIVES = ("able", "brave", "calm", "clever", "eager", "fair", "gentle", "happy", "keen", "merry", "noble", "proud")
_ADVERBS = ("barely", "boldly", "duly", "easily", "firmly", "gladly", "kindly", "mildly", "newly", "really", "truly")
_ANIMALS = ("badger", "bison", "crane", "eagle", "falcon", "gecko", "heron", "ibex", "koala", "lemur", "otter", "panda")

Outputs = dict[str, Any]


def _string(inputs: Properties) -> Outputs:
    alphabets = {
        "Lower": string.ascii_lowercase,
        "Upper": string.ascii_uppercase,
        "Numeric": string.digits,
        "Special": inputs.get("overrideSpecial") or _SPECIAL,
    }
    switches = {
        name: inputs.get(name.lower(), inputs.get("number", True) if name == "Numeric" else True) for name in alphabets
    }
    chosen = {name: alphabet for name, alphabet in alphabets.items() if switches[name]}
    least = {name: int(inputs.get(f"min{name}") or 0) for name in chosen}
    length = int(inputs["length"])
    if not chosen or sum(least.values()) > length:
        raise Failure(
            f"a string of length {length} cannot hold what is asked of it: raise `length` or lower the `min…` inputs"
        )
    characters = [secrets.choice(chosen[name]) for name, count in least.items() for _ in range(count)]
    everything = "".join(chosen.values())
    characters += [secrets.choice(everything) for _ in range(length - len(characters))]
    secrets.SystemRandom().shuffle(characters)
    defaults = {name.lower(): value for name, value in switches.items()} | {"number": switches["Numeric"]}
    return (
        defaults
        | {f"min{name}": int(inputs.get(f"min{name}") or 0) for name in alphabets}
        | {"result": "".join(characters)}
    )


def _password(inputs: Properties) -> Outputs:
    outputs = _string(inputs)
    return outputs | {"result": secret(outputs["result"])}


def _id(inputs: Properties) -> Outputs:
    raw = secrets.token_bytes(int(inputs["byteLength"]))
    prefix = inputs.get("prefix") or ""
    url = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    texts = {
        "b64Std": base64.b64encode(raw).decode(),
        "b64Url": url,
        "hex": raw.hex(),
        "dec": str(int.from_bytes(raw, "big")),
    }
    return {key: prefix + text for key, text in texts.items()} | {"id": url}


def _integer(inputs: Properties) -> Outputs:
    low, high = int(inputs["min"]), int(inputs["max"])
    if low > high:
        raise Failure(
            f"the minimum (min) value {low} needs to be smaller than or equal to the maximum (max) value {high}"
        )
    return {"result": low + secrets.randbelow(high - low + 1)}


def _pet(inputs: Properties) -> Outputs:
    length, separator = int(inputs.get("length") or 2), inputs.get("separator", "-")
    words = [secrets.choice(_ADVERBS) for _ in range(length - 2)]
    words += [secrets.choice(_ADJECTIVES)] if length > 1 else []
    prefix = [inputs["prefix"]] if inputs.get("prefix") else []
    return {"length": length, "separator": separator, "id": separator.join([*prefix, *words, secrets.choice(_ANIMALS)])}


def _shuffle(inputs: Properties) -> Outputs:
    items = list(inputs["inputs"])
    secrets.SystemRandom().shuffle(items)
    count = inputs.get("resultCount")
    return {
        "results": items
        if count is None
        else [items[index % len(items)] for index in range(int(count))]
        if items
        else []
    }


def _uuid(inputs: Properties) -> Outputs:
    del inputs
    return {"result": str(uuid.uuid4())}


_MAKERS: Mapping[str, Callable[[Properties], Outputs]] = {
    "random:index/randomId:RandomId": _id,
    "random:index/randomInteger:RandomInteger": _integer,
    "random:index/randomPassword:RandomPassword": _password,
    "random:index/randomPet:RandomPet": _pet,
    "random:index/randomShuffle:RandomShuffle": _shuffle,
    "random:index/randomString:RandomString": _string,
    "random:index/randomUuid:RandomUuid": _uuid,
}


class RandomValues(Lifecycle):
    """Values that are made once; only the state knows them."""

    def check(
        self, resource: Resource, old: Properties, new: Properties, name: str
    ) -> tuple[Properties, Mapping[str, str]]:
        if resource.type not in _MAKERS:
            raise not_offered(resource.type, "random")
        return new, {}

    def diff(self, resource: Resource, old: Properties, new: Properties, state: Properties) -> Changes:
        changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        kinds = {key: "ADD" if key not in old else "DELETE" if key not in new else "UPDATE" for key in changed}
        return Changes(kinds, changed)

    def create(self, resource: Resource, new: Properties, timeout: float, preview: bool) -> tuple[str, Properties]:
        outputs = _MAKERS[resource.type](new)
        if preview:
            return "", new | {key: UNKNOWN for key in outputs if key not in new and key != "id"}
        result = outputs.get("result")
        id_ = outputs.pop("id", None) or ("none" if not isinstance(result, str | int) else str(result))
        return id_, outputs | new | ({"id": id_} if "result" not in outputs else {})

    def read(
        self, resource: Resource, id_: str, inputs: Properties, state: Properties
    ) -> tuple[str, Properties, Properties] | None:
        return id_, inputs, state

    def update(
        self,
        resource: Resource,
        id_: str,
        new: Properties,
        state: Properties,
        *,
        timeout: float,
        preview: bool,
        ignore: list[str],
    ) -> Properties:
        return state | new

    def delete(self, resource: Resource, id_: str, inputs: Properties, state: Properties, timeout: float) -> None:
        """Nothing outlives the state."""


class RandomProvider(Provider):
    package = "random"

    def lifecycle(self, resource: Resource) -> Lifecycle:
        return RandomValues()
