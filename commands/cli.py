"""The console script `llmd-pd`: the list of commands, and the way errors leave the process.

A command is a function in a module of its own, imported and registered here, one line each. Its module imports only cheap modules
at the top, and the rest (pulumi, kubernetes, rich, a download) inside the function, because every start pays for the top-level
imports of all commands.

Exit codes: 0 done, 1 a problem was found or named, 2 the command line was not understood, 130 interrupted.
"""

import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, cast

import typer

from commands import console
from commands.check import check
from commands.console import PROGRAM
from commands.images import images
from commands.leftovers import leftovers
from commands.rehearse import down, rehearse, setup
from commands.render import render
from commands.rules import explain, rules
from commands.versions import versions

if TYPE_CHECKING:
    from hardware.render.workload import UnknownChoiceError

app = typer.Typer(
    # Plain help: equal on a terminal, in a pipe and in a log, and without an import of rich.
    rich_markup_mode=None,
    add_completion=False,
    # A traceback means a bug of this program: it is shown whole, as Python shows it.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Prefill/decode-disaggregated LLM serving on Kubernetes: check, render and rehearse stack files.",
    epilog="Deploying is Pulumi's own command: `pulumi up --stack coreweave-h200`.",
)
app.command()(check)
app.command()(rules)
app.command()(explain)
app.command()(render)
app.command()(images)
app.command()(leftovers)
app.command()(rehearse)
app.command()(down)
app.command()(setup)
app.add_typer(versions)

#: The library's own class of a usage error has no public name, but this one derives from it.
USAGE_ERROR = cast(type[Exception], typer.BadParameter.__base__)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        console.line(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        console.line(context.get_help())


def main() -> None:
    """Runs the command line and ends the process: the entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code. An exception that it raises is a bug."""
    _print_any_text()
    try:
        outcome = app(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()  # here, where a closed pipe (`| head`) can still be noticed
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except typer.Abort:
        return 1
    except USAGE_ERROR as error:
        console.error(_usage(error))
        return 2
    except Exception as error:
        if not isinstance(error, _known_errors()):
            raise
        _show(error)
        return 1
    return outcome if isinstance(outcome, int) else 0


def _print_any_text() -> None:
    """Makes stdout and stderr escape characters that the terminal's encoding lacks, instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _usage(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else PROGRAM
    message = " ".join(error.format_message().split())  # type: ignore[attr-defined]
    message = message.replace("Value error, ", "").rstrip(".?").replace(". Did you mean", "; did you mean")
    return f"{message}; see `{command} --help`."


def _known_errors() -> tuple[type[Exception], ...]:
    """Returns the errors whose text is a sentence for users. Imported only after an exception: most runs have none."""
    from commands.helm import ChartError
    from commands.images import NoMirrorError
    from commands.render import OutputError
    from hardware.render.workload import UnknownChoiceError
    from rehearsal.errors import RehearsalError
    from releases.files import SourceError
    from stacks.findings import StackFileError, UnknownError
    from stacks.review.move import CannotMoveError

    return (
        StackFileError,
        SourceError,
        UnknownChoiceError,
        UnknownError,
        RehearsalError,
        ChartError,
        OutputError,
        NoMirrorError,
        CannotMoveError,
    )


def _show(error: Exception) -> None:
    from hardware.render.workload import UnknownChoiceError
    from stacks.findings import StackFileError

    if isinstance(error, StackFileError):
        for problem in error.problems:
            console.problem(problem, sys.stderr)
        return
    console.error(_with_what_was_meant(error) if isinstance(error, UnknownChoiceError) else str(error))
    for note in getattr(error, "__notes__", ()):
        print(note, file=sys.stderr)


def _with_what_was_meant(error: "UnknownChoiceError") -> str:
    from stacks.findings import known

    return f"{str(error).partition('; known: ')[0]}; {known(error.key, error.known)}"
