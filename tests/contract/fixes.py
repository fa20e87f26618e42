"""Follows the fix of a finding literally, as a reader does who knows nothing but the sentence and the file.

A fix is alternatives, each of them changes of the file: values, `key: value` pairs, keys to leave out. Prose is not followed.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from stacks.clouds.registry import CLOUDS
from stacks.file.yaml import Document, parse
from stacks.findings import Finding, Place
from stacks.schema import Section
from stacks.spec.cluster import Cluster
from stacks.spec.stack import StackSpec
from tests.mistakes import at, put, without

#: A configuration by key, as of a stack file: `{"serving": {…}}`.
Config = Mapping[str, Any]
Change = Callable[[Config], Config]
#: A choice of a clause: its words, and the change that they ask for.
Choice = tuple[str, Change]

#: Beginnings of literals that are run and not written.
COMMANDS = ("gcloud ", "kubectl ", "pulumi ", "helm ", "llmd-pd ", "make ", "nvidia-smi", "pip ")
OUT = r"\b(?:leave|take) (?:it|the key|the item|the entry) out\b"
EXAMPLE = r"such as|something like|one like|e\.g\."
VERBS = r"\b(?:write|add|did you mean|use|such as|something like|one like|e\.g\.|make it|name)\b"


@dataclass(frozen=True)
class Way:
    """One way to follow a fix: its words, and the file that comes of it.

    `listed`: it is one of all words that there are, and which of them is meant only the writer knows. `example`: it only shows
    the form of what has to be written.
    """

    words: str
    config: Config
    listed: bool = False
    example: bool = False


@dataclass(frozen=True)
class Reader:
    """A reader of one finding of one configuration."""

    config: Config
    finding: Finding

    def ways(self) -> Iterator[Way]:
        """Every way to follow the fix."""
        fix = re.sub(r" \([^)`]*\)", "", self.finding.fix.partition("; ")[0])
        verb = ""
        for clause in re.split(r", or ", fix):
            verb = next(iter(re.findall(VERBS, clause)), verb)
            parts = [self._choices(part, verb) for part in re.split(r" with (?=`)", clause)]
            for chosen in itertools.product(*parts):
                after = self.config
                for _, change in chosen:
                    after = change(after)
                yield Way(
                    " with ".join(words for words, _ in chosen),
                    after,
                    listed="one of these" in clause,
                    example=bool(re.search(EXAMPLE, clause)) or "(or another one)" in self.finding.fix,
                )

    @property
    def place(self) -> Place:
        """The subject of the fix: the finding's place; of a list, the item that the finding names."""
        here = at(self.config, self.finding.at)
        if isinstance(here, Sequence) and not isinstance(here, str):
            what = self.finding.what
            named = [index for index, item in enumerate(here) if f"`{item}`" in what or what.startswith(f"{item} ")]
            return (*self.finding.at, named[0]) if named else self.finding.at
        return self.finding.at

    def _choices(self, text: str, verb: str) -> list[Choice]:
        """The choices of a part of a clause; none if it is prose."""
        if "one of these" in text:
            words = re.split(r", | or ", self.finding.why.removeprefix("it has to be "))
            return [(word, self._write(word)) for word in words]
        if found := re.search(r"\bone of ([^`]+)$", text):
            words = re.split(r", | or | and ", found[1])
            keep = "keep one" in text
            return [(word, self._keep(word, words) if keep else self._write(word)) for word in words]
        if re.search(OUT, text):
            return [
                (
                    text,
                    lambda config: without(config, self._item() if re.search("the (item|entry)", text) else self.place),
                )
            ]
        if found := re.search(r"\b(?:leave|take) `([^`]+)` out(?: of `([^`]+)`)?", text):
            return (
                [(text, lambda config: _taken(config, self._key(found[2]), found[1]))]
                if found[2]
                else [(text, lambda config: without(config, self._key(found[1])))]
            )
        if found := re.search(r'quote it: ("[^"]*")|take the quotes off: `?([^`]+)`?$', text):
            return [(text, self._write(found[1] or found[2]))]
        if found := re.search(r"\bshorten (?:it|the stack's name) to (\d+) characters", text):
            return [(text, self._value(str(at(self.config, self.place))[: int(found[1])]))]
        if found := re.search(r"\badd `([^`]+)` to `([^`]+)`", text):
            return [(text, lambda config: _append(config, self._key(found[2]), _yaml(found[1])))]
        if found := re.search(r"\b(?:write|add) `([^`]+)` (?:in|under) `([^`]+)`", text):
            return [(text, self._write(found[1], self._key(found[2])))]
        if found := re.search(r"\btake a(?:n)? /(\d+)", text):
            return [(text, self._value(re.sub(r"/\d+$", f"/{found[1]}", str(at(self.config, self.place)))))]
        words = [word for word in re.findall(r"`([^`]+)`", text) if not word.startswith(COMMANDS)]
        if verb and words:
            instead = text.endswith(" instead")
            return [
                (word, self._write(word, instead=instead)) for word in words if "…" not in word and word != "key: value"
            ]
        if found := re.search(rf"{VERBS} (\d\S*)", text):
            return [(text, self._write(found[1]))]
        return []

    def _write(self, words: str, below: Place | None = None, *, instead: bool = False) -> Change:
        """Returns the change that writes `key: value`, below a place or where that key is; the key that was meant; or a value."""
        pairs = _yaml(words) if re.match(r"[^\s{\[\"'<]+: ", f"{words} ") else None
        if isinstance(pairs, dict):

            def change(config: Config) -> Config:
                config = without(config, self.place) if instead else config
                return _all(config, pairs, lambda key: (*below, key) if below is not None else self._key(key))

            return change
        if self.finding.what == "unknown key" or self.finding.what.startswith("key `"):
            return lambda config: _renamed(config, self.place, words)
        return self._value(_yaml(words))

    def _value(self, value: Any) -> Change:
        return lambda config: put(config, self.place, value)

    def _keep(self, word: str, words: Sequence[str]) -> Change:
        def change(config: Config) -> Config:
            for other in words:
                config = config if other == word else without(config, (*self.place, other))
            return config

        return change

    def _item(self) -> Place:
        """The item of a list that the place is, or is in."""
        last = max(index for index, step in enumerate(self.place) if isinstance(step, int))
        return self.place[: last + 1]

    def _key(self, text: str) -> Place:
        """The place that a fix calls by its path (`cluster.gke`) or its last key; of several, the nearest to the finding's."""
        here = at(self.config, self.place)
        if isinstance(here, Mapping) and text in here:
            return (*self.place, text)
        if any(isinstance(step, int) for step in self.place[:-1]):
            return (*self._item(), text)
        path = tuple(text.removeprefix("llmd-pd:").split("."))
        named = [key for key in places() if key[-len(path) :] == path]
        return max(named, key=lambda key: (_shared(key, self.place), -len(key)), default=(*self.place[:-1], text))


def _shared(one: Place, other: Place) -> int:
    return len([*itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))])


def _all(config: Config, pairs: Mapping[str, Any], place: Callable[[str], Place]) -> Config:
    for key, value in pairs.items():
        before = at(config, place(key))
        merged = {**before, **value} if isinstance(before, Mapping) and isinstance(value, Mapping) else value
        config = put(config, place(key), merged)
    return config


def _append(config: Config, place: Place, item: Any) -> Config:
    return put(config, place, [*(at(config, place) or ()), item])


def _taken(config: Config, place: Place, word: str) -> Config:
    """Without a key of a map, or the words of a list that begin with a flag."""
    here = at(config, place)
    if isinstance(here, Mapping):
        return without(config, (*place, word))
    return put(config, place, [item for item in here if item.partition("=")[0] != word])


def _renamed(config: Config, place: Place, key: str) -> Config:
    above = at(config, place[:-1]) if place[:-1] else config
    return put(config, place[:-1], {key if each == place[-1] else each: value for each, value in above.items()})


def _yaml(text: str) -> Any:
    """As the text means where it is written."""
    found = parse(text.encode())
    return found.data if isinstance(found, Document) else text


@cache
def places() -> tuple[Place, ...]:
    """Every key of a stack file, by its path."""
    return tuple(_places(StackSpec, ()))


def _places(of: Any, above: Place) -> Iterator[Place]:
    if isinstance(of, type) and issubclass(of, Section):
        for field in of.model_fields.values():
            yield (*above, str(field.alias))
            yield from _places(field.annotation, (*above, str(field.alias)))
        if of is Cluster:
            for cloud in CLOUDS.values():
                if cloud.section_type is not None:
                    yield (*above, cloud.key)
                    yield from _places(cloud.section_type, (*above, cloud.key))
    for part in get_args(of):
        yield from _places(part, above)
