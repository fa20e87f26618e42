"""Output of the commands: one line per fact in a pipe or in CI, laid out and coloured on a terminal.

Chooses between the two and owns the form of a problem; the commands own the texts. `NO_COLOR` is respected, and text from a file
can neither break a line nor control the terminal.
"""

import contextlib
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from stacks.findings import Problem, Suppressed, single_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

#: The console script.
PROGRAM = "llmd-pd"


def for_people(stream: TextIO) -> bool:
    """Whether a person reads the stream: it is a terminal that can do more than append, and not in CI."""
    return stream.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


def program() -> str:
    """How this program is called here: by its name where PATH leads to it, else by the path it was started by."""
    started = Path(sys.argv[0])
    found = shutil.which(PROGRAM)
    if started.name != PROGRAM or (found and started.exists() and started.samefile(found)):
        return PROGRAM
    return shlex.quote(sys.argv[0])


def _here(text: str) -> str:
    """A text whose commands of this program can be copied."""
    return re.sub(rf"(?<=`){PROGRAM}(?= [-a-z])", lambda _: program(), text)


def line(text: str) -> None:
    """Prints a line of the command's result."""
    print(_here(text))


def good(text: str) -> None:
    """Prints a line of the result about success."""
    if for_people(sys.stdout):
        _rich(sys.stdout).print("✓", style="green", end=" ")
    print(single_line(text))


def error(sentence: str) -> None:
    """Prints the error that stopped the command, on stderr."""
    if for_people(sys.stderr):
        _rich(sys.stderr).print("Error:", style="bold red", end=" ")
    else:
        print("Error:", end=" ", file=sys.stderr)
    print(_here(single_line(sentence)), file=sys.stderr)


def note(sentence: str) -> None:
    """Prints a note about a result on stderr, so that a program that reads stdout does not get it."""
    if for_people(sys.stderr):
        _rich(sys.stderr).print("Note:", style="bold", end=" ")
    else:
        print("Note:", end=" ", file=sys.stderr)
    print(_here(single_line(sentence)), file=sys.stderr)


#: A table's headings, and its rows.
Table = tuple[Sequence[str], Sequence[Sequence[str]]]


def tables(*given: Table) -> None:
    """Prints rows under their headings, one line each; on a terminal too narrow for a row, one block each.

    A block begins with the row's first cell; the other cells follow below, each after its heading.
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
    """Prints the title of a part of the result."""
    print()
    if for_people(sys.stdout):
        _rich(sys.stdout).print(title, style="bold")
    else:
        print(title)


def facts(subject: str, rows: Sequence[tuple[str, str]]) -> None:
    """Prints facts about a subject, each after its label: one block on a terminal, one line per fact elsewhere."""
    if for_people(sys.stdout):
        from rich.text import Text

        _rows(_rich(sys.stdout), Text(single_line(subject), "cyan"), rows)
        return
    for label, text in rows:
        print(_here(single_line(f"{subject}: {label}: {text}")))


def problem(found: Problem, stream: TextIO | None = None) -> None:
    """Prints a problem of a stack file: a block on a terminal, one line elsewhere. On stdout unless a `stream` is given."""
    stream = stream or sys.stdout
    if for_people(stream):
        _block(found, stream, ("✗ ", "red"))
    else:
        print(_here(str(found)), file=stream)


def warning(found: Problem) -> None:
    """Prints a warning about a stack file, in the same forms as a problem."""
    if for_people(sys.stdout):
        _block(found, sys.stdout, ("! warning  ", "yellow"))
    else:
        print(_here(f"Warning: {found}"))


def suppressed(found: Suppressed) -> None:
    """Prints a finding that a stack file suppresses, with the reason that it gives."""
    if for_people(sys.stdout):
        _block(found.problem, sys.stdout, ("- suppressed  ", "dim"), last=("reason given", found.reason))
    else:
        print(f"Suppressed: {found}")


def count(number: int, what: str) -> str:
    """Returns `1 file`, `2 files`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@contextlib.contextmanager
def working(text: str) -> Iterator[None]:
    """Shows the text of a slow step on a terminal while the step runs."""
    if not for_people(sys.stderr):
        yield
        return
    with _rich(sys.stderr).status(text):
        yield


def _rich(stream: TextIO) -> "Console":
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)


def _block(found: Problem, stream: TextIO, mark: tuple[str, str], last: tuple[str, str] | None = None) -> None:
    """Prints what and why, then the fix or another `last` row."""
    from rich.text import Text

    place = f"{found.file}:{found.line}" if found.line else found.file
    rule = f"{found.rule} ({found.source})" if found.source else found.rule
    heading = Text.assemble(
        mark, (single_line(place), "bold"), "  " if place else "", (single_line(found.path), "cyan")
    )
    rows = [("what", found.what), ("why", found.why), last or ("fix", found.fix), ("rule", rule)]
    _rows(_rich(stream), heading, rows)
    print(file=stream)


def _rows(console: "Console", heading: "Text", rows: Sequence[tuple[str, str]]) -> None:
    """Prints a heading and its rows, each after its label."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, Text(_here(single_line(text)), style="green" if label == "fix" else ""))
    console.print(heading, soft_wrap=True)
    console.print(Padding(grid, (0, 0, 0, 2)))
