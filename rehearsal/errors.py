"""The errors of a rehearsal's lower half: tools, parts, control plane, registry.

Owns the sentence a user reads when one of them cannot go on. Catching it, and deciding on an exit code, is the
business of the commands.
"""

from stacks.findings import Finding


class RehearsalError(Exception):
    """Something a rehearsal needs could not be had.

    `str()` is one sentence: what, why, and the fix. `details` holds the lines a reader wants below that sentence (the
    end of a log, a compiler's words); they are also a note on the exception, so that a traceback shows them.
    """

    def __init__(self, what: str, why: str, fix: str, details: str = "") -> None:
        self.finding = Finding((), what, why, fix)
        self.details = details
        super().__init__(f"{what}: {why}; {fix}.")
        if details:
            self.add_note(details)


class UnavailableError(LookupError):
    """One source cannot give a part, and the next may: the message says why, without a full stop. No user sees it bare."""
