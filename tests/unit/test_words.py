"""Plain words (CONTRIBUTING, "Style"): no docstring, comment, message or page uses a phrase of the list below.

`python -m tests.unit.test_words [PATH…]` lists every use by file, with counts and the better word.
"""

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("__main__.py", "commands", "components", "hardware", "rehearsal", "releases", "stacks")
PAGES = ("Makefile", "OVERLAYS.md", "Pulumi*.yaml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/**/*.md")
#: Parts of pages that are generated from the program's own texts, which are read where they are written.
GENERATED = re.compile(r"^## (Rules|Warnings)\n.*?(?=^## )", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Phrase:
    """A phrase to avoid and the words to write instead. `opening`: only at the start of a docstring or `#:` comment."""

    pattern: re.Pattern[str]
    better: str
    opening: bool = False


def phrase(pattern: str, better: str) -> Phrase:
    return Phrase(re.compile(rf"\b{pattern}", re.IGNORECASE), better)


PHRASES = (
    Phrase(re.compile(r"What\b"), "a noun of the docs, or a verb (Returns …, Lists …)", opening=True),
    phrase(r"(some|any|every)body\s+else", "not owned by this stack; another owner"),
    phrase(r"whoever\b", "the person or program itself: the user, the owner"),
    phrase(r"only\s+makes?\s+nodes", "platform stack"),
    phrase(r"obey(s|ed|ing)?\b", "valid; follows"),
    # "What is there before" is in the header of a rendered file, whose bytes have to stay.
    phrase(r"(that|which|what|who)\s+(is|are|was|were)\s+(already\s+)?there\b(?!\s+before)", "existing"),
    phrase(r"the\s+same\s+(of\s+(?!the\b)|in\s+words)", "the thing itself"),
    phrase(r"as\s+(was\s+)?said\b", "nothing, or the place where it is written"),
    phrase(r"it,\s+where\b", "two sentences, one per case"),
    phrase(r"(is|are)\s+said\s+of\b", "the message about"),
    phrase(r"(is|are)\s+no\s+mistakes?\b", "valid, but worth knowing"),
    phrase(r"(yet|has|have)\s+to\s+be\s+known\b", "worth knowing"),
    phrase(r"whose\s+it\s+is\b", "its owner"),
)


@dataclass(frozen=True)
class Text:
    """A piece of prose and its line. `documents`: a docstring, or a comment that documents an attribute."""

    line: int
    text: str
    documents: bool = False


@dataclass(frozen=True)
class Use:
    """A phrase of the list in a file."""

    line: int
    words: str
    better: str

    def __str__(self) -> str:
        return f"{self.line}: {self.words!r}: better {self.better}"


def docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield first.value


def comments(source: str) -> list[Text]:
    """The comments of a module; lines that follow one another in one column are one comment."""
    found: list[Text] = []
    end = (-1, -1)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        (line, column), words = token.start, token.string.lstrip("#: ")
        if end == (line - 1, column):
            last = found.pop()
            found.append(Text(last.line, f"{last.text}\n{words}", last.documents))
        else:
            found.append(Text(line, words, token.string.startswith("#:")))
        end = (line, column)
    return found


def python(source: str, *, messages: bool) -> list[Text]:
    """Docstrings and comments of a module, and with `messages` every other string of several words."""
    tree = ast.parse(source)
    documents = list(docstrings(tree))
    known = set(map(id, documents))
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in known)
    others = ((node.lineno, node.value) for node in strings if isinstance(node.value, str) and " " in node.value)
    return [
        *(Text(node.lineno, str(node.value), documents=True) for node in documents),
        *comments(source),
        *(Text(line, text) for line, text in others if messages),
    ]


def page(source: str) -> list[Text]:
    """The prose of a page: without generated tables, and without code, which says `somebody's` words as they are."""
    source = GENERATED.sub(lambda part: "\n" * part[0].count("\n"), source)
    return [Text(1, re.sub(r"`[^`\n]*`", "``", source))]


def uses(texts: list[Text]) -> list[Use]:
    found = [
        Use(text.line + text.text.count("\n", 0, match.start()), " ".join(match[0].split()), row.better)
        for text in texts
        for row in PHRASES
        for match in row.pattern.finditer(text.text)
        if not row.opening or (text.documents and match.start() == 0)
    ]
    return sorted(found, key=lambda use: use.line)


def uses_in(path: str) -> list[Use]:
    source = (ROOT / path).read_text()
    if not path.endswith(".py"):
        return uses(page(source))
    return uses(python(source, messages=path.partition("/")[0] in PRODUCT))


def files() -> list[str]:
    """Every file whose words are read, by its path in the tree. This one is not: it has to name the phrases."""
    rooms = [ROOT / room for room in (*PRODUCT, "docs", "tests")]
    paths = {path for room in rooms for path in ([room] if room.is_file() else room.rglob("*.py"))}
    paths |= {path for pattern in PAGES for path in ROOT.glob(pattern)}
    return sorted(path.relative_to(ROOT).as_posix() for path in paths - {Path(__file__)})


def test_words_are_plain() -> None:
    paths = files()
    assert len(paths) > 400
    assert [f"{path}:{use}" for path in paths for use in uses_in(path)] == []


@pytest.mark.parametrize(
    "source",
    [
        '"""What a stack stands on."""',
        '"""The objects.\n\nThose of somebody\nelse are left."""',
        "x = 1  # for whoever reads it\n",
        "#: What GKE calls it,\n#: in its API.\nx = 1\n",
        "# a stack that only makes\n# nodes\n",
        'raise ValueError(f"{name} is in a cluster that is there already")',
        'def f():\n    """Returns it, where a pool has one."""\n',
        'class C:\n    """The same in words."""\n',
        'def f():\n    """The plan of a file that obeys the rules."""\n',
    ],
)
def test_what_is_found(source: str) -> None:
    assert len(uses(python(source, messages=True))) == 1


@pytest.mark.parametrize(
    "source",
    [
        '"""Says what a stack needs."""',
        'title = "What it is"',
        "# What follows is in order of time.\nx = 1\n",
        '"""The same of the two.\n\nIt waits where a pool has none."""',
        'word = "whoever"',
    ],
)
def test_what_is_not(source: str) -> None:
    assert uses(python(source, messages=True)) == []


def test_a_page_is_read_without_its_code_and_generated_tables() -> None:
    text = "A\nwhoever\n`whoever`\n## Rules\nwhoever\n## Warnings\nwhoever\n## For programs\nwhoever\n"
    assert [use.line for use in uses(page(text))] == [2, 9]


def main(paths: list[str]) -> int:
    wanted = [Path(path).resolve().relative_to(ROOT).as_posix() for path in paths]
    chosen = [
        path for path in files() if not wanted or any(path == one or path.startswith(f"{one}/") for one in wanted)
    ]
    found = {path: uses for path in chosen if (uses := uses_in(path))}
    for path, all_of_it in found.items():
        print(f"{path}: {len(all_of_it)}")
        for use in all_of_it:
            print(f"  {use}")
    total = Counter(use.words.lower() for all_of_it in found.values() for use in all_of_it)
    print(f"{total.total()} in {len(found)} of {len(chosen)} files")
    for words, count in total.most_common():
        print(f"  {count} {words}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
