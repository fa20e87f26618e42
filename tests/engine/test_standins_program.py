"""The language host and the dynamic provider: programs that fail, and values that stay.

What is asserted of the language host was seen of the official one (3.260, 1b59498), noise included: docs/official-parts.md.
"""

import signal
import sys
import textwrap

from tests.engine.standins_fixtures import CHECKOUT, Result, Stack, interrupt, stack
from tests.engine.waiting import until

__all__ = ["stack"]
NOISE = ("Traceback", "KeyboardInterrupt", "unhandled", "exit code")


def test_exception_is_shown_once(stack: Stack) -> None:
    stack.program("""
        def inner():
            raise ValueError("the reason")
        print("before it")
        inner()
    """)
    failed = (
        stack.preview()
        .failed()
        .says("before it", "Program failed with an unhandled exception", "in inner", "__main__.py")
    )
    assert failed.diagnostics.count("ValueError: the reason") == 1
    failed.hides("runpy", "language_exec", "asyncio")


def test_run_error_is_its_message_and_the_exit_code(stack: Stack) -> None:
    stack.program('raise pulumi.RunError("say what is wrong")')
    failed = stack.preview().failed().says("say what is wrong").hides("Traceback", "RunError")
    assert failed.diagnostics.count("say what is wrong") == 1
    failed.says("an unhandled error occurred: program exited with non-zero exit code: 1")


def test_exit_code_32_is_an_error_that_was_shown(stack: Stack) -> None:
    stack.program("""
        import sys
        pulumi.log.error("say what is wrong")
        sys.exit(32)
    """)
    failed = stack.preview().failed().says("say what is wrong").hides(*NOISE)
    assert failed.diagnostics.count("say what is wrong") == 1


def test_any_other_exit_code_is_said(stack: Stack) -> None:
    stack.program("raise SystemExit(3)")
    stack.preview().failed().says("an unhandled error occurred: program exited with non-zero exit code: 3")


def test_it_runs_by_the_environment_that_the_project_names(stack: Stack) -> None:
    stack.program("""
        import sys
        print("run by", sys.executable, "in", os.getcwd(), "of", os.environ["VIRTUAL_ENV"])
    """)
    stack.preview().ok().says(f"run by {sys.prefix}/bin/python in {stack.directory} of {sys.prefix}")
    (stack.directory / "gone").mkdir()
    (stack.directory / "gone" / "file").touch()
    (stack.directory / "Pulumi.yaml").write_text(
        f"name: {stack.namespace}\nruntime: {{name: python, options: {{virtualenv: gone}}}}\n"
    )
    stack.preview().failed().says("gone/bin/python")


QUIET = """
import sys
sys.path.insert(0, env("CHECKOUT"))
from stacks.exits import end_quietly_on_interrupt
if env("QUIET"):
    end_quietly_on_interrupt()
"""


def test_a_failed_run_says_nothing_of_python(stack: Stack) -> None:
    """Without `stacks.exits` tracebacks of a KeyboardInterrupt follow, unless the SDK notices first that the engine has gone."""
    stack.program(QUIET + 'pulumi.StackReference("other", "organization/other/nobody")\n')
    failed = stack.preview(CHECKOUT=str(CHECKOUT), QUIET="yes").failed()
    failed.says('unknown stack "organization/other/nobody"').hides(*NOISE)


def test_ctrl_c_while_the_program_works(stack: Stack) -> None:
    """The tracebacks are the official host's; `stacks.exits` keeps them off this project's program."""
    stack.program(f"""{QUIET}
import time
from pathlib import Path
Path("ready").touch()
time.sleep(60)
""")

    def loud() -> bool:
        said = _interrupted(stack, QUIET="").failed().says("preview canceled").output
        return "Traceback" in said and "KeyboardInterrupt" in said

    # On a busy machine the engine sometimes stops listening before the program has said its last word.
    until(loud, "no preview showed the traceback of its program")
    _interrupted(stack, QUIET="yes").failed().says("preview canceled").hides(*NOISE)


def _interrupted(stack: Stack, **variables: str) -> Result:
    ready = stack.directory / "ready"
    ready.unlink(missing_ok=True)
    running = stack.start("preview", CHECKOUT=str(CHECKOUT), **variables)
    until(ready.exists, "the program did not start")
    return interrupt(running, signal.SIGINT)


def test_syntax_error(stack: Stack) -> None:
    stack.program("if True print(1)")
    stack.preview().failed().says("SyntaxError", "__main__.py")


def test_dynamic_provider(stack: Stack) -> None:
    """Of a class that another module than the program has, as every one of this project's is."""
    (stack.directory / "notes.py").write_text(
        textwrap.dedent("""
            from pathlib import Path
            from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

            class NoteProvider(ResourceProvider):
                def create(self, props):
                    Path(props["path"]).write_text(props["text"])
                    return CreateResult("note", {**props, "length": len(props["text"])})

                def diff(self, _id, old, new):
                    return DiffResult(changes=old["text"] != new["text"])

                def update(self, _id, old, new):
                    Path(new["path"]).write_text(new["text"])
                    return UpdateResult({**new, "length": len(new["text"])})

                def delete(self, _id, props):
                    if not Path(props["path"]).exists():
                        raise RuntimeError(f"{props['path']} is gone already")
                    Path(props["path"]).unlink()

            class Note(Resource):
                def __init__(self, name, props, opts=None):
                    super().__init__(NoteProvider(), name, {**props, "length": None}, opts)
        """)
    )
    stack.program("""
        from notes import Note
        note = Note("n", {"path": os.path.abspath("note.txt"), "text": env("TEXT", "one")})
        pulumi.export("length", note.length)
    """)
    note = stack.directory / "note.txt"
    stack.preview().ok().says("n create").hides("$PATH", "warning:")
    assert not note.exists()
    stack.up().ok().says("length: 3").hides("$PATH", "warning:")
    assert note.read_text() == "one"
    stack.unchanged()
    stack.up(TEXT="three").ok().says("n updated", "length: 3 => 5")
    note.unlink()
    stack.pulumi("destroy", "--yes", "--skip-preview").failed().says("note.txt is gone already")
    note.touch()
    stack.pulumi("destroy", "--yes", "--skip-preview").ok().hides("$PATH", "warning:")
    assert not note.exists()
