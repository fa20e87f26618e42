"""The tables of docs/stack-files.md that are made of the rows of rules: `python -m tests.docs` writes them (`make docs`)."""

import re
from collections.abc import Iterator
from pathlib import Path

from stacks.findings import Severity
from stacks.rules.table import rules

PAGE = Path(__file__).parents[1] / "docs" / "stack-files.md"
HEADS = {Severity.ERROR: ("errors", "refuses"), Severity.WARNING: ("warnings", "points out")}


def table(severity: Severity) -> str:
    """The table of the rules of one severity."""
    return "\n".join(_lines(severity))


def _lines(severity: Severity) -> Iterator[str]:
    yield f"| id | {HEADS[severity][1]} | because | source |"
    yield "|---|---|---|---|"
    for rule in rules():
        if rule.severity is severity:
            yield f"| {rule.id} | {rule.title} | {rule.why} | {_linked(rule.source)} |"


def _linked(source: str) -> str:
    if source.startswith("https://"):
        return f"[{source.removeprefix('https://').partition('/')[0]}]({source})"
    page = source.removeprefix("docs/")
    return "this page" if page == PAGE.name else f"[{page}]({page})"


def written(text: str) -> str:
    """The page with its tables as the rows have them."""
    for severity, (name, _) in HEADS.items():
        begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
        whole = f"{begin}\n{table(severity)}\n{end}"
        text = re.sub(f"{begin}\n.*?{end}", lambda _, whole=whole: whole, text, flags=re.DOTALL)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
