"""The errors of tools, parts, control plane and registry.

Owns the sentence that a user reads. The commands catch it and choose the exit code.
"""

from stacks.findings import Finding


class RehearsalError(Exception):
    """A rehearsal cannot start or continue.

    `str()` is one sentence: what, why, and the fix. `details` are lines to print below it (the end of a log, a compiler's
    output); they are also a note on the exception, so that a traceback shows them.
    """

    def __init__(self, what: str, why: str, fix: str, details: str = "") -> None:
        self.finding = Finding(at=(), what=what, why=why, fix=fix)
        self.details = details
        super().__init__(f"{what}: {why}; {fix}.")
        if details:
            self.add_note(details)


class UnavailableError(LookupError):
    """One source does not have a part, and the next may. The message is the reason without a full stop, for use in another."""
