"""`llmd-pd leftovers`: lists what remains of a stack in its cluster or in its Google project, and what bills. Read-only.

`stacks.leftovers` and `stacks.clouds.gke.leftovers.search` find the leftovers; this module prints them for a user who has just
destroyed a stack or is about to.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import console
from commands.check import Output

if TYPE_CHECKING:
    from stacks.file.load import StackFile
    from stacks.kube.leftover import Leftover, Leftovers


#: The reason to refuse `--context` if the stack's access follows from its cluster.
KNOWN = "how to reach the cluster follows from the stack's own file."


def leftovers(
    stack: Annotated[
        str,
        typer.Argument(metavar="STACK", help="A stack's name, for Pulumi.STACK.yaml here, or the path of its file."),
    ],
    output: Annotated[Output, typer.Option(help="Tables, or one JSON document.")] = Output.TEXT,
    context: Annotated[
        str | None,
        typer.Option(help="The kubeconfig's context of a cluster that another stack makes: its file cannot name it."),
    ] = None,
) -> None:
    """List what remains of a stack, and what bills.

    Asks the cluster of the stack file, or Google if the stack makes its cluster there. Changes nothing. Things that stay on
    purpose (CRDs, a gateway's implementation, APIs, a reservation) are listed apart.

    Examples:

    \b
      llmd-pd leftovers coreweave-h200               after `pulumi destroy --stack coreweave-h200`
      llmd-pd leftovers Pulumi.coreweave-h200.yaml   the same
      llmd-pd leftovers gke-h200                     machines, networks, load balancers, disks … of a Google project
      llmd-pd leftovers chat --context gke-shared    on a cluster of a platform stack on GKE
      llmd-pd leftovers coreweave-h200 --output json | jq '.left[] | select(.bills)'

    Exits with 0 when only things that stay on purpose are left, with 1 when more is left or the cluster or Google cannot be
    asked.
    """
    from stacks.file.load import load
    from stacks.platform import resolve_platform
    from stacks.rules.fit import FIT_01

    file = load(file_of(stack), but=frozenset({FIT_01.id}))  # the pods need not fit to be searched for
    if file.spec.serving is not None:
        file = _reached(resolve_platform(file), context)
    elif context is not None:
        raise typer.BadParameter(KNOWN, param_hint="--context")
    with console.working(f"asking {file.spec.cluster.cloud.title}" if _place(file) else "asking the cluster"):
        found = _leftovers(file)
    if output is Output.JSON:
        console.line(json.dumps(_document(file, found), indent=2))
    else:
        _tables(file, found)
    sys.stdout.flush()
    for other in found.others:
        console.note(f"{other}.")
    if found.unread:
        page = file.spec.cluster.cloud.extra
        where, may = (_words(file), f": {page.page} names it") if _place(file) and page else ("the cluster", "")
        console.error(
            f"{', '.join(found.unread)} cannot be listed, because your role in {where} may not read them (403), "
            f"so what is left cannot be told; use one that may{may}."
        )
    raise typer.Exit(1 if found.left or found.unread else 0)


def file_of(stack: str) -> Path:
    """Returns the path of a stack's file, given the stack's name or that path."""
    path = Path(stack)
    return path if path.suffix in (".yaml", ".yml") or path.name != stack else Path(f"Pulumi.{stack}.yaml")


def _reached(file: "StackFile", context: str | None) -> "StackFile":
    """Returns the file with `context` as the way to its cluster, if only the engine knows another way.

    Raises:
        StackFileError: no context was named. Without one, kubectl's current cluster, which may be another one, would answer.
    """
    from stacks.findings import StackFileError
    from stacks.rules.file import FILE
    from stacks.spec.cluster import OF_A_STACK

    cluster = file.spec.cluster
    if cluster.provider != OF_A_STACK or cluster.cloud.heeds >= {"context"}:
        if context is not None:
            raise typer.BadParameter(KNOWN, param_hint="--context")
        return file
    if context is None:
        what, why = (
            f"the cluster is stack {cluster.stack}'s",
            "how to reach it is an output, which only the engine reads",
        )
        fix = "name a context of your kubeconfig that leads there with --context (gcloud container clusters get-credentials)"
        raise StackFileError([file.located(FILE.problem(at=("cluster", "stack"), what=what, why=why, fix=fix))])
    reached = cluster.model_copy(update={"context": context})
    return file.with_spec(file.spec.model_copy(update={"cluster": reached}))


def _leftovers(file: "StackFile") -> "Leftovers":
    """Returns the leftovers, from Google if the stack makes its cluster there (all else is in that cluster), else from the
    cluster.
    """
    from stacks.leftovers import find_leftovers

    return find_leftovers(file.facts.blueprint, file.stack)


def _place(file: "StackFile") -> "Mapping[str, str]":
    """Returns the place in which the stack's cloud is asked, by its kind (`project`); empty if the cluster is asked."""
    cluster = file.spec.cluster
    return cluster.cloud.place(cluster.section) if cluster.makes_nodes else {}


def _tables(file: "StackFile", found: "Leftovers") -> None:
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
        console.good(f"stack {file.stack}: nothing is left in {where}{' except what stays on purpose' if kept else ''}")


def _where(file: "StackFile") -> str:
    if place := _place(file):
        return " ".join(f"{word} `{name}`" for word, name in place.items())
    context = file.spec.cluster.context
    return f"context `{context}`" if context else "the kubeconfig's current context"


def _words(file: "StackFile") -> str:
    return " ".join(f"{word} {name}" for word, name in _place(file).items())


def _document(file: "StackFile", found: "Leftovers") -> dict[str, Any]:
    def rows(of: Sequence["Leftover"]) -> list[dict[str, Any]]:
        return [{key: value for key, value in asdict(one).items() if key != "on_purpose"} for one in of]

    left, place = found.left, _place(file)
    return {
        "stack": file.stack,
        "file": str(file.path),
        **(place or {"context": file.spec.cluster.context}),
        "left": rows(left),
        "on_purpose": rows(found.on_purpose),
        "others": list(found.others),
        "unread": list(found.unread),
        "summary": {"left": len(left), "bill": sum(one.bills for one in left), "whole": not found.unread},
    }
