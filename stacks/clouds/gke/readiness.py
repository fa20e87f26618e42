"""Checks of a project before anything is made in it: whether the APIs are on that no stack can turn on, and whether GKE offers
the version.

Read-only, by two requests, and only for a new cluster or a change of its version. Billing, roles of the caller, quotas and
policies of the organisation are left out, because Google reports them only when a request fails (docs/gke.md).
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.clouds.changes import Fingerprint
from stacks.clouds.gke.leftovers.google import (
    NETWORK,
    ApiOffError,
    ForbiddenError,
    Google,
    UnansweredError,
    connection,
)
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.versions import at_least, offers_command, parse
from stacks.findings import Finding

#: APIs that must be on already. The stack's first resource turns an API on: Service Usage does that, and Cloud Resource Manager
#: reads it back (google_project_service of the provider: its documentation, and `Projects.Get` in its Read).
NEEDED = ("serviceusage", "cloudresourcemanager")
#: Seconds for all checks, with the search for credentials: without any, google-auth asks a metadata server three times, for three
#: seconds each.
LIMIT_SECONDS = 20
#: Seconds for one answer, and the number of retries if Google is busy.
ANSWER_SECONDS, TRIES = 8, 1
#: The number of versions in a message.
SHOWN = 4

Connect = Callable[[str], Google]


@dataclass(frozen=True)
class Question:
    """One question to Google: its text after "whether", the role that may ask it, and the request, which returns a finding or
    None.
    """

    whether: str
    role: str
    ask: Callable[[Google], Finding | None]
    of_apis: bool = False


@dataclass(frozen=True)
class Unanswered:
    """The reason why a question has no answer, and the fix."""

    why: str
    fix: str


#: None: everything is as it should be.
Answer = Finding | Unanswered | None


def ask(plan: GkePlan, before: Fingerprint) -> list[tuple[Question, Answer]]:
    """Returns the questions before a cluster is made or its version changed, each with its answer.

    `before` is the last plan of the stack, empty if the stack is new.
    """
    questions = _questions(plan, before)
    connect = connection(os.environ, ANSWER_SECONDS, TRIES)
    return [*zip(questions, _answers(questions, plan.settings.project, connect), strict=True)]


def _questions(plan: GkePlan, before: Fingerprint) -> list[Question]:
    gke, last = plan.settings.gke, before.get(plan.cluster.name)
    found = []
    if not before:
        needed = " and ".join(f"{api}.googleapis.com" for api in NEEDED)
        apis = f"{needed} are on in project {gke.project}"
        found.append(
            Question(apis, "roles/serviceusage.serviceUsageViewer", lambda google: _apis(google), of_apis=True)
        )
    if last is None or last["args"].get("min_master_version") != gke.version:
        version = f"GKE offers version {gke.version} in {gke.region}"
        found.append(Question(version, "roles/container.clusterViewer", lambda google: _version(google, plan)))
    return found


def _answers(questions: Sequence[Question], project: str, connect: Connect) -> list[Answer]:
    """Returns the answers. All questions are asked at once, and the program waits no longer than the limit."""
    late = Unanswered(f"Google does not answer within {LIMIT_SECONDS} seconds", NETWORK)
    answers: list[Answer] = [late for _ in questions]

    def put(index: int, question: Question) -> None:
        answers[index] = _answer(question, project, connect)

    threads = [threading.Thread(target=put, args=row, daemon=True) for row in enumerate(questions)]
    end = time.monotonic() + LIMIT_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    return [*answers]


def _answer(question: Question, project: str, connect: Connect) -> Answer:
    try:
        return question.ask(connect(project))
    except UnansweredError as error:
        return Unanswered(error.why, error.fix)
    except ForbiddenError:
        return Unanswered(f"your role in project {project} may not read it (403)", f"{question.role} may")
    except ApiOffError:
        # Not for Service Usage: if it is off, that is the answer itself.
        why = f"container.googleapis.com is off in project {project}, and is the stack's to turn on"
        return Unanswered(why, f"run `{enable(['container'], project)}` to have it looked at")
    except (LookupError, TypeError, AttributeError, ValueError):
        return Unanswered("Google's answer is not of the form that its documentation says", NETWORK)


def _apis(google: Google) -> Finding | None:
    names = [f"projects/{google.project}/services/{api}.googleapis.com" for api in NEEDED]
    try:
        found = google.read("serviceusage", f"projects/{google.project}/services:batchGet", names=names)
    except ApiOffError:
        off: Sequence[str] = NEEDED[:1]
    else:
        if found is None:
            raise UnansweredError(f"Google knows no project {google.project}", "check its id")
        states = {row["name"].rpartition("/")[2]: row.get("state") for row in found["services"]}
        off = [api for api in NEEDED if states.get(f"{api}.googleapis.com") == "DISABLED"]
    if not off:
        return None
    named = " and ".join(f"{api}.googleapis.com" for api in off)
    return Finding(
        at=("cluster", "gke", "project"),
        what=f"{named} {'are' if len(off) > 1 else 'is'} off in project {google.project}",
        why="the first resource of the stack needs them both, and no stack can turn them on",
        fix=f"run `{enable(NEEDED, google.project)}`, and wait a minute",
    )  # fmt: skip


def enable(apis: Iterable[str], project: str) -> str:
    """Returns the command that turns APIs on."""
    return f"gcloud services enable {' '.join(f'{api}.googleapis.com' for api in apis)} --project {project}"


def _version(google: Google, plan: GkePlan) -> Finding | None:
    gke = plan.settings.gke
    path = f"projects/{gke.project}/locations/{gke.region}/serverConfig"
    found = google.read("container", path)
    if found is None:
        raise UnansweredError(f"Google knows no {path}", "check project and region")
    channels = {row["channel"]: row for row in found.get("channels") or ()}
    offered = _offered(channels.get(gke.release_channel, {}))
    if not offered:
        why = f"Google names no version of channel {gke.release_channel} in {gke.region}"
        raise UnansweredError(why, f"look at `{offers_command(gke.region, gke.project)}`")
    if gke.version in offered or _runs(google, plan):
        return None
    others = [name for name, row in channels.items() if gke.version in _offered(row)]
    return Finding(
        at=("cluster", "gke", "version"),
        what=f"GKE does not offer {gke.version} in channel {gke.release_channel} of {gke.region}",
        why="a version is offered for some months only, and in some channels",
        fix=_fix(plan, offered, channels[gke.release_channel].get("defaultVersion"), others),
    )  # fmt: skip


def _runs(google: Google, plan: GkePlan) -> bool:
    """Whether the cluster exists with this version: after an `up` that failed later, or because Google upgraded it already."""
    gke, name = plan.settings.gke, plan.cluster.args["name"]
    cluster = google.read("container", f"projects/{gke.project}/locations/{gke.region}/clusters/{name}") or {}
    return gke.version in (cluster.get("initialClusterVersion"), cluster.get("currentMasterVersion"))


def _offered(channel: Mapping[str, Any]) -> list[str]:
    """Returns the versions of a channel, newest first."""
    return sorted(channel.get("validVersions") or (), key=lambda version: parse(version) or (), reverse=True)


def _fix(plan: GkePlan, offered: Sequence[str], default: str | None, others: Sequence[str]) -> str:
    """Returns a fix with the newest versions that support the machine, the default among them."""
    gke, floor = plan.settings.gke, plan.settings.pool.since[plan.settings.rdma]
    fitting = [version for version in offered if at_least(version, floor)] or [*offered]
    newest = [f"{version} (the default)" if version == default else version for version in fitting[:SHOWN]]
    if default in fitting[SHOWN:]:
        newest[-1] = f"{default} (the default)"
    channel = f", or `releaseChannel: {others[0]}`, which has it" if others else ""
    return f"write {' or '.join(newest)}{channel}; `{offers_command(gke.region, gke.project)}` lists all"
