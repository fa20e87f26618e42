"""YAML as people write it: bytes in, plain data out, every refusal one sentence with a line number.

Stricter than a YAML parser has to be: no duplicate keys, no alias towers, no file that cannot be a stack file. Plain words
mean what they mean to the Pulumi CLI: `no` is text, a date is a trap.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event, ScalarEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from stacks.findings import OUTSIDE, Place, Problem
from stacks.rules.file import FILE

#: The largest stack file we read, in bytes. A real one has a few KB; a rendered manifest given by mistake has more.
MAX_BYTES = 1024 * 1024
#: Values of a file once its aliases are written out, and levels of nesting. A real stack file has about 30 and 5; nine
#: aliases of nine aliases, eleven times over, are 31 billion values, and minutes or the whole memory to build.
MAX_VALUES = 10_000
MAX_DEPTH = 32
#: Python converts no longer numbers from text; nothing in a stack file has more than ten digits.
MAX_DIGITS = 30

_TAG = "tag:yaml.org,2002:"
#: Types of unquoted words, as gopkg.in/yaml.v3 reads them for the Pulumi CLI: YAML 1.2, but `010` is octal and a date is a date.
_FORMS = {
    "bool": re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"),
    "null": re.compile(r"(~|null|Null|NULL|)\Z"),
    "int": re.compile(r"([-+]?(0|[1-9][0-9]*)|0o?[0-7]+|0x[0-9a-fA-F]+)\Z"),
    "float": re.compile(r"([-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan)\Z"),
    "timestamp": re.compile(r"\d{4}-\d\d?-\d\d?(([Tt]|\s+)\d\d?:.*)?\Z"),
    "merge": re.compile(r"<<\Z"),
}
#: Words for users, by the first words of the parser.
_PARSERS = (
    ("expected <block end>", "this line does not fit the indentation of those before it"),
    ("did not find expected ',' or", "a `[` or `{` is not closed"),
    ("expected ',' or", "a `[` or `{` is not closed"),
    ("found unexpected end of stream", "a quote is not closed"),
    ("mapping values are not allowed", "a second `: ` is in one value"),
    ("could not find expected ':'", "a key has no `:`"),
)
_SCALARS = ("bool", "null", "int", "float")


class _Words(VersionedResolver):
    """Decides what an unquoted word is by `_FORMS`, whichever version of YAML the file names."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0]:
            found = next((name for name, form in _FORMS.items() if form.match(value)), "str")
            return Tag(suffix=f"{_TAG}{found}")
        return super().resolve(kind, value, (False, False))


def _reader() -> YAML:
    """A round-trip reader, so that an edit of what it composed keeps comments and order."""
    reader = YAML(typ="rt", pure=True)
    reader.Resolver = _Words
    return reader


@dataclass(frozen=True)
class Document:
    """One YAML document: its data, the node tree that knows the lines, and what in it no stack file can mean.

    The data is whole even where there are problems, so that everything else can be judged in the same run. Places of
    problems begin with OUTSIDE.
    """

    data: Any
    node: Node | None
    problems: tuple[Problem, ...] = ()
    #: Places of problems whose value is not what the file says.
    replaced: frozenset[Place] = frozenset()

    def line(self, path: Place) -> int:
        """The line (from 1) of the deepest part of `path` that exists; 0 for an empty document."""
        node, line = self.node, 0 if self.node is None else _line(self.node)
        for part in path:
            if isinstance(node, MappingNode):
                entry = next(((key, value) for key, value in _entries(node) if key.value == str(part)), None)
                if entry is None:
                    break
                line, node = _line(entry[0]), entry[1]
            elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = _line(node)
            else:
                break
        return line

    def text(self, path: Place) -> str | None:
        """The text of a value that is neither map nor list, as it is written; None of any other."""
        node = self.node
        for part in path:
            if isinstance(node, MappingNode):
                node = next((value for key, value in reversed(node.value) if key.value == str(part)), None)
            elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
            else:
                return None
        return str(node.value) if isinstance(node, ScalarNode) else None


def _entries(node: MappingNode) -> Iterator[tuple[Node, Node]]:
    """The entries of a map, those that count first: the last of two, and its own before merged ones."""
    own: list[tuple[Node, Node]] = []
    merged: list[Node] = []
    for key, value in node.value:
        if key.tag == f"{_TAG}merge":
            merged += value.value if isinstance(value, SequenceNode) else [value]
        else:
            own.append((key, value))
    yield from reversed(own)
    for below in merged:
        if isinstance(below, MappingNode):
            yield from _entries(below)


def parse(content: bytes) -> Document | Problem:
    """Reads one document, or says why it cannot be read."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return _problem(f"byte {error.start} is not UTF-8", "YAML is read as UTF-8", "save the file as UTF-8", line)
    try:
        if too_much := _too_much(text):
            return too_much
        node = _reader().compose(text)
        if node is None:
            return Document(None, None)
        replaced: set[Place] = set()
        problems = tuple(_strange(node, (), replaced))
        return Document(_plain(node), node, problems, frozenset(replaced))
    except MarkedYAMLError as error:
        return _unreadable(text, error)
    except ReaderError as error:
        line = content[: error.position].count(b"\n") + 1
        what = f"a control character (#x{error.character:04x})"
        return _problem(what, "YAML is text without them", "delete it, and check that this is the file you meant", line)


def _too_much(text: str) -> Problem | None:
    """Returns a problem if the file is too large to build in reasonable time, from its events only, before it is built."""
    sizes: dict[str | None, int] = {}
    still_open: list[tuple[str | None, int]] = []
    total = 0
    for event in _reader().parse(text):
        if isinstance(event, CollectionStartEvent):
            still_open.append((event.anchor, total))
            total += 1
        elif isinstance(event, ScalarEvent):
            total += 1
            sizes[event.anchor] = 1
        elif isinstance(event, CollectionEndEvent):
            anchor, before = still_open.pop()
            sizes[anchor] = total - before
        elif isinstance(event, AliasEvent):
            if any(anchor == event.anchor for anchor, _ in still_open):
                what, why = f"alias *{event.anchor} stands for something that contains it", "it would never end"
                return _problem(what, why, "write the value out", _line(event))
            total += sizes.get(event.anchor, 1)
        line = _line(event)
        if len(still_open) > MAX_DEPTH:
            why = f"no stack file needs more than {MAX_DEPTH}"
            return _problem(
                f"more than {MAX_DEPTH} levels of nesting", why, "check that this is the file you meant", line
            )
        if total > MAX_VALUES:
            what, why = f"more than {MAX_VALUES} values, aliases included", "no stack file needs as many"
            return _problem(what, why, "check that this is the file you meant, and write aliases out", line)
    return None


def _strange(node: Node, at: Place, replaced: set[Place]) -> Iterator[Problem]:
    """Yields values that a stack file cannot have; each is replaced in the tree by a plain one, so that reading continues."""
    kind = (node.tag or "").removeprefix(_TAG)
    if isinstance(node, ScalarNode):
        if kind == "int" and len(node.value) > MAX_DIGITS:
            what, why = (
                f"a number of {len(node.value)} digits cannot be used",
                "nothing in a stack file counts that far",
            )
            yield _problem(what, why, "write the number you meant", _line(node), (OUTSIDE, *at))
            _becomes(node, "null")
            replaced.add((OUTSIDE, *at))
        elif kind != "str" and not (kind in _SCALARS and _FORMS[kind].match(node.value)):
            why = "the Pulumi CLI rewrites dates" if kind == "timestamp" else f"it is tagged as {kind}"
            yield _problem(
                f"`{node.value}` cannot be used", why, f'quote it: "{node.value}"', _line(node), (OUTSIDE, *at)
            )
            _becomes(node, "str")
            replaced.add((OUTSIDE, *at))
        return
    plain = "map" if isinstance(node, MappingNode) else "seq"
    if kind != plain:
        yield _problem(
            f"the tag {node.tag} cannot be used", "it has no meaning here", "remove it", _line(node), (OUTSIDE, *at)
        )
        _becomes(node, plain)
        replaced.add((OUTSIDE, *at))
    if isinstance(node, MappingNode):
        yield from _strange_keys(node, at)
        for key, value in node.value:
            yield from _strange(value, (*at, key.value), replaced)
    else:
        for index, value in enumerate(node.value):
            yield from _strange(value, (*at, index), replaced)


def _strange_keys(node: MappingNode, at: Place) -> Iterator[Problem]:
    first: dict[str, int] = {}
    kept: list[tuple[Node, Node]] = []
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            what, why = "a list or a map is used as a key", "keys are words"
            yield _problem(
                what, why, "write `key: value` (and quote text that starts with [ or {)", _line(key), (OUTSIDE, *at)
            )
            continue
        if key.tag == f"{_TAG}merge":
            kept.append((key, value))
            continue
        _becomes(key, "str")
        if key.value in first:
            what, why = f"`{key.value}` is there twice (first on line {first[key.value]})", "only one of them can count"
            yield _problem(what, why, "keep one", _line(key), (OUTSIDE, *at, key.value))
            kept = [(other, theirs) for other, theirs in kept if other.value != key.value]  # the last one counts
        kept.append((key, value))
        first.setdefault(key.value, _line(key))
    node.value = kept


def _becomes(node: Node, kind: str) -> None:
    node.ctag = Tag(suffix=f"{_TAG}{kind}")


def _plain(node: Node) -> Any:
    """The data of a tree in which nothing strange is left."""
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.value]
    if isinstance(node, MappingNode):
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == f"{_TAG}merge":
                for below in reversed(value.value if isinstance(value, SequenceNode) else [value]):
                    if not isinstance(below, MappingNode):
                        raise MarkedYAMLError(None, None, "only maps can be merged into one", below.start_mark)
                    merged |= _plain(below)
        return merged | {key.value: _plain(value) for key, value in node.value if key.tag != f"{_TAG}merge"}
    text = node.value
    match (node.tag or "").removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return _whole(text)
        case "float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _whole(text: str) -> int:
    if text.startswith("0x"):
        return int(text, 16)
    return int(text, 8) if re.match(r"0o?[0-7]", text) else int(text)


def _unreadable(text: str, error: MarkedYAMLError) -> Problem:
    """The parser's own words, except for the mistakes people make most."""
    line = error.problem_mark.line + 1 if error.problem_mark else 0
    rows = text.split("\n")
    tabs = [number for number, row in enumerate(rows, start=1) if "\t" in row[: len(row) - len(row.lstrip())]]
    if line in tabs:
        lines = f"line {tabs[0]}" if len(tabs) == 1 else f"lines {', '.join(map(str, tabs[:20]))}"
        return _problem(f"tabs indent {lines}", "YAML allows spaces only", "replace each tab with spaces", line)
    if error.problem == "but found another document":
        why, fix = "the Pulumi CLI would read the first only", "keep one (is this a rendered manifest?)"
        return _problem("a second document starts here", why, fix, line)
    what = next((words for start, words in _PARSERS if (error.problem or "").startswith(start)), error.problem)
    return _problem(
        what or "it cannot be parsed", "the file is not valid YAML", "correct this line or the one before", line
    )


def _line(part: Node | Event) -> int:
    return part.start_mark.line + 1 if part.start_mark else 0


def _problem(what: str, why: str, fix: str, line: int = 0, at: Place = ()) -> Problem:
    return FILE.problem(at=at, what=what, why=why, fix=fix, line=line)
