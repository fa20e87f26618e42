"""How commands speak: one line per fact in a pipe or in CI, laid out and coloured on a person's terminal.

Owns the choice between the two and the form of a problem; what is said belongs to the commands. `NO_COLOR` is respected,
and text that came from a file can neither break a line nor steer the terminal.
"""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from stacks.findings import Problem, single_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def for_people(stream: TextIO) -> bool:
    """Whether a person reads the stream as it is written: a terminal that can do more than append, and not CI's."""
    return stream.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


def line(text: str) -> None:
    """A line of the command's result."""
    print(text)


def good(text: str) -> None:
    """A line of the result that says something is in order."""
    if for_people(sys.stdout):
        _rich(sys.stdout).print("✓", style="green", end=" ")
    print(single_line(text))


def error(sentence: str) -> None:
    """What stopped the command, on stderr."""
    if for_people(sys.stderr):
        _rich(sys.stderr).print("Error:", style="bold red", end=" ")
    else:
        print("Error:", end=" ", file=sys.stderr)
    print(single_line(sentence), file=sys.stderr)


def note(sentence: str) -> None:
    """What to know about a result, on stderr, where it is in no program's way."""
    if for_people(sys.stderr):
        _rich(sys.stderr).print("Note:", style="bold", end=" ")
    else:
        print("Note:", end=" ", file=sys.stderr)
    print(single_line(sentence), file=sys.stderr)


#: A table's headings, and its rows.
Table = tuple[Sequence[str], Sequence[Sequence[str]]]


def tables(*given: Table) -> None:
    """Rows under their headings, a line each; on a terminal that is too narrow for one of them, a block each.

    A block begins with the row's first cell; its other cells stand below it, each behind its heading.
    """
    texts = [[[single_line(cell) for cell in row] for row in (headings, *rows)] for headings, rows in given]
    aligned = [_aligned(lines) for lines in texts]
    people = for_people(sys.stdout)
    narrow = people and max(len(line) for lines in aligned for line in lines) > shutil.get_terminal_size().columns
    for number, lines in enumerate(texts):
        if number:
            print()
        if narrow:
            _blocks(lines)
            continue
        heading, *rows = aligned[number]
        _rich(sys.stdout).print(heading, style="dim", soft_wrap=True) if people else print(heading)
        for row in rows:
            print(row)


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def _blocks(lines: Sequence[Sequence[str]]) -> None:
    headings, *rows = lines
    console = _rich(sys.stdout)
    for first, *others in rows:
        console.print(first, style="bold", soft_wrap=True)
        for heading, cell in zip(headings[1:], others, strict=True):
            console.print(f"  {heading}", style="dim", end=" ")
            print(cell)


def section(title: str) -> None:
    """The title of a part of the result."""
    print()
    if for_people(sys.stdout):
        _rich(sys.stdout).print(title, style="bold")
    else:
        print(title)


def facts(subject: str, rows: Sequence[tuple[str, str]]) -> None:
    """What is said of a subject, each by its label: a block on a terminal, a line for each elsewhere."""
    if for_people(sys.stdout):
        from rich.text import Text

        _rows(_rich(sys.stdout), Text(single_line(subject), "cyan"), rows)
        return
    for label, text in rows:
        print(single_line(f"{subject}: {label}: {text}"))


def problem(found: Problem, stream: TextIO | None = None) -> None:
    """A problem of a stack file: a block on a terminal, one line elsewhere. On stdout unless told otherwise."""
    stream = stream or sys.stdout
    if for_people(stream):
        _block(found, stream, ("✗ ", "red"))
    else:
        print(found, file=stream)


def warning(found: Problem) -> None:
    """What is to be pointed out of a stack file and refuses nothing, in the same forms."""
    if for_people(sys.stdout):
        _block(found, sys.stdout, ("! warning  ", "yellow"))
    else:
        print(f"Warning: {found}")


def count(number: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@contextlib.contextmanager
def working(text: str) -> Iterator[None]:
    """Says on a terminal what takes so long, while it does."""
    if not for_people(sys.stderr):
        yield
        return
    with _rich(sys.stderr).status(text):
        yield


def _rich(stream: TextIO) -> "Console":
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)


def _block(found: Problem, stream: TextIO, mark: tuple[str, str]) -> None:
    from rich.text import Text

    place = f"{found.file}:{found.line}" if found.line else found.file
    rule = f"{found.rule} ({found.source})" if found.source else found.rule
    heading = Text.assemble(
        mark, (single_line(place), "bold"), "  " if place else "", (single_line(found.path), "cyan")
    )
    rows = [("what", found.what), ("why", found.why), ("fix", found.fix), ("rule", rule)]
    _rows(_rich(stream), heading, rows)
    print(file=stream)


def _rows(console: "Console", heading: "Text", rows: Sequence[tuple[str, str]]) -> None:
    """A heading and what belongs to it, each behind its label."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, Text(single_line(text), style="green" if label == "fix" else ""))
    console.print(heading, soft_wrap=True)
    console.print(Padding(grid, (0, 0, 0, 2)))
