"""`llmd-pd leftovers`: what of a stack is still in its cluster, and which of it bills. Read-only.

What there is to find is `stacks.leftovers`'; here it is put before whoever has just destroyed a stack, or is about to.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from operations import console
from operations.check import Output

if TYPE_CHECKING:
    from stacks.files import PlatformFile, StackFile
    from stacks.leftover_look import Leftover, Leftovers
    from stacks.plan import Plan
    from stacks.platform import PlatformPlan


CONSOLE = "https://console.cloud.google.com/cloud-resource-manager"


class NotHereError(ValueError):
    """A question that this command cannot answer; the message says why, and who can."""


#: Whether pods fit is no matter where they are looked for.
UNASKED = frozenset({"FIT-01"})


def leftovers(
    stack: Annotated[
        str,
        typer.Argument(metavar="STACK", help="A stack's name, for Pulumi.STACK.yaml here, or the path of its file."),
    ],
    output: Annotated[Output, typer.Option(help="Tables, or one JSON document.")] = Output.TEXT,
) -> None:
    """List what of a stack is still in its cluster, and which of it bills.

    Asks the cluster of the stack file and changes nothing. What stays on purpose (CRDs, a gateway's implementation) is listed
    apart.

    Examples:

    \b
      llmd-pd leftovers coreweave-h200               after `pulumi destroy --stack coreweave-h200`
      llmd-pd leftovers Pulumi.coreweave-h200.yaml   the same
      llmd-pd leftovers coreweave-h200 --output json | jq '.left[] | select(.bills)'

    Exits with 0 when nothing is left but what stays on purpose, with 1 when something is, or the cluster cannot be asked.
    """
    from stacks.files import PlatformFile, load_any, paired
    from stacks.leftovers import look_for_leftovers
    from stacks.plan import plan
    from stacks.platform import platform_plan

    file = load_any(file_of(stack), but=UNASKED)
    if file.spec.cluster.provider == "gke":
        raise NotHereError(
            f"what is left of stack {file.stack} cannot be told, because its cluster and networks are Google's to list; "
            f"look at {CONSOLE} and filter by `{file.spec.name}`."
        )
    if isinstance(file, PlatformFile):
        planned: Plan | PlatformPlan = platform_plan(file.spec)
    else:
        file = paired(file)
        planned = plan(file.spec, file.path.parent)
    with console.working("asking the cluster"):
        found = look_for_leftovers(planned, file.stack)
    if output is Output.JSON:
        console.line(json.dumps(_document(file, found), indent=2))
    else:
        _tables(file, found)
    sys.stdout.flush()
    for other in found.others:
        console.note(f"{other}.")
    if found.unread:
        console.error(
            f"{', '.join(found.unread)} cannot be listed, because your role in the cluster may not read them (403), "
            "so what is left cannot be told; use one that may."
        )
    raise typer.Exit(1 if found.left or found.unread else 0)


def file_of(stack: str) -> Path:
    """The file of a stack that was named by its name or by the path of its file."""
    path = Path(stack)
    return path if path.suffix in (".yaml", ".yml") or path.name != stack else Path(f"Pulumi.{stack}.yaml")


def _tables(file: "StackFile | PlatformFile", found: "Leftovers") -> None:
    left, kept = found.left, found.on_purpose
    parts: list[console.Table] = []
    if left:
        rows = [[f"{one.kind} {one.name}", "yes" if one.bills else "no", one.what] for one in left]
        parts.append((["left", "bills", "what"], rows))
    if kept:
        parts.append((["stays on purpose", "what"], [[f"{one.kind} {one.name}", one.what] for one in kept]))
    if parts:
        console.tables(*parts)
        print()
    where = _where(file)
    if left:
        at_least = "at least " if found.unread else ""
        console.line(
            f"stack {file.stack}: {at_least}{console.count(len(left), 'thing')} left in {where}, "
            f"{sum(one.bills for one in left)} of which bill"
        )
    elif not found.unread:
        console.good(f"stack {file.stack}: nothing is left in {where}{' but what stays on purpose' if kept else ''}")


def _where(file: "StackFile | PlatformFile") -> str:
    context = file.spec.cluster.context
    return f"context `{context}`" if context else "the kubeconfig's current context"


def _document(file: "StackFile | PlatformFile", found: "Leftovers") -> dict[str, Any]:
    def rows(of: Sequence["Leftover"]) -> list[dict[str, Any]]:
        return [{key: value for key, value in asdict(one).items() if key != "on_purpose"} for one in of]

    left = found.left
    return {
        "stack": file.stack,
        "file": str(file.path),
        "context": file.spec.cluster.context,
        "left": rows(left),
        "on_purpose": rows(found.on_purpose),
        "others": list(found.others),
        "unread": list(found.unread),
        "summary": {"left": len(left), "bill": sum(one.bills for one in left), "whole": not found.unread},
    }
