"""Rules of the file itself, which its readers say: there is no check over facts, because there are none yet."""

from stacks.findings import ERROR, Rule

#: The page that says what a stack file is.
SOURCE = "docs/stack-files.md"

FILE = Rule(
    "FILE", ERROR,
    "a file that is no stack file: unreadable, empty, not UTF-8, over 1 MiB, not YAML, a key twice, tabs, dates, other "
    "tags, keys without their project; a platform stack's file that is missing, of another project or no platform stack's, and "
    "one where a command needs `serving`",
    "nothing can be said about the rest",
    SOURCE,
)  # fmt: skip
SPEC = Rule(
    "SPEC", ERROR,
    "an unknown key, a missing one, a value of the wrong kind or out of range",
    "a misspelt key would silently mean its default",
    SOURCE,
)  # fmt: skip
RULES = (FILE, SPEC)
