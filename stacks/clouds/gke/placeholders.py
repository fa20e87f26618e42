"""Placeholders of `cluster.gke`: values in angle brackets, such as `<your-project>`, which only the team can fill in.

Shipped stack files and examples have a placeholder if any value would belong to another team or expire within months. `check`
refuses each placeholder and tells how to find a value; a rehearsal fills them in itself (`rehearsal.placeholders`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from stacks.clouds.gke.spec import Gke
from stacks.clouds.gke.versions import offers_command
from stacks.findings import Finding, answered

if TYPE_CHECKING:
    from stacks.rules.facts import Facts


HERE = ("cluster", "gke")
_PLACEHOLDER = r"<[^<>]+>"


@dataclass(frozen=True)
class Key:
    """A key that can be placeholder: how to read it, why no value is shipped, and how to find one."""

    read: Callable[[Gke], str | None]
    why: str
    fix: Callable[[Gke], str]


def _stated_project(gke: Gke) -> str | None:
    return None if is_placeholder(gke.project) else gke.project


def _version(gke: Gke) -> str:
    command = offers_command(gke.region, _stated_project(gke))
    return f"write one of those that `{command}` lists under {gke.release_channel}"


def _reservation(gke: Gke) -> str:
    where = f" --project {gke.project}" if _stated_project(gke) else ""
    others = "`spot: true`, `flexStart: {}` or `onDemand: true`"
    return f"write one in {gke.zone} of those that `gcloud compute reservations list{where}` lists, or {others} instead"


#: Keys that can be placeholder, by path under `cluster.gke`.
KEYS: Mapping[str, Key] = {
    "project": Key(
        lambda gke: gke.project,
        "the cluster is made in it, and billed to it",
        lambda _: "write the id of one of those that `gcloud projects list` lists",
    ),
    # Release notes of 2026-06-29: a deprecated version goes 90 days later.
    "version": Key(lambda gke: gke.version, "GKE stops offering a version within months", _version),
    "capacity.reservation": Key(lambda gke: gke.capacity.reservation, "a reservation is a team's own", _reservation),
}


def is_placeholder(value: str | None) -> bool:
    """Whether a value is a placeholder, or contains one."""
    return value is not None and re.search(_PLACEHOLDER, value) is not None


def placeholders(gke: Gke) -> dict[str, str]:
    """Returns the placeholders by path under `cluster.gke`."""
    stated = answered(*(partial(_stated, path, gke) for path in KEYS))
    return {path: value for path, value in stated if value is not None and is_placeholder(value)}


def _stated(path: str, gke: Gke) -> tuple[str, str | None]:
    return path, KEYS[path].read(gke)


def filled_in(facts: "Facts") -> Iterator[Finding]:
    """GKE-28: yields a finding for each placeholder."""
    gke = facts.spec.cluster.own(Gke)
    if gke is None:
        return
    for path, value in placeholders(gke).items():
        key = KEYS[path]
        what = "has to be looked up" if path == "version" else "stands for one of yours"
        yield Finding(at=(*HERE, *path.split(".")), what=f"`{value}` {what}", why=key.why, fix=key.fix(gke))
