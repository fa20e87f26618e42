"""The questions to Google before a cluster is made: are the project's first APIs on, does GKE offer the version?"""

import importlib.util
import json
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from stacks.clouds.changes import fingerprint
from stacks.clouds.gke import readiness as gke_readiness
from stacks.clouds.gke.leftovers.google import ANSWERS, Google, UnansweredError, connection
from stacks.clouds.gke.readiness import NEEDED
from stacks.clouds.gke.replaces import GKE as TABLE
from stacks.findings import Problem, StackFileError
from stacks.spec.stack import StackSpec
from tests.gke_changes import look_at_project
from tests.gke_plans import planned, stack
from tests.google_rest import OFF, PROJECT, GoogleServer, refusal
from tests.unit.api_server import refusing

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("google.auth") is None, reason="google-auth is not installed: make gke"
)
APIS, CONFIG = "serviceusage/services:batchGet", "container/locations/us-south1/serverConfig"
CLUSTER = "container/locations/us-south1/clusters/pd-disaggregation"
VERSION, GONE = "1.35.2-gke.1234000", "1.36.0-gke.2459000"
OLD = stack(gke={"version": GONE})
COMMAND = f"`gcloud container get-server-config --region us-south1 --project {PROJECT} --format='yaml(channels)'`"
WHETHER_APIS = f"serviceusage.googleapis.com and cloudresourcemanager.googleapis.com are on in project {PROJECT}"
WHETHER_VERSION = f"GKE offers version {VERSION} in us-south1"


def services(**states: str) -> dict[str, Any]:
    """Service Usage's answer; an API is on by default."""
    rows = [
        {
            "name": f"projects/7/services/{api}.googleapis.com",
            "parent": "projects/7",
            "state": states.get(api, "ENABLED"),
        }
        for api in NEEDED
    ]
    return {"services": rows}


def offers(default: str = VERSION, **channels: list[str]) -> dict[str, Any]:
    """GKE's answer with its server configuration."""
    rows = [
        {"channel": name, "defaultVersion": default, "validVersions": versions} for name, versions in channels.items()
    ]
    return {"defaultClusterVersion": default, "validMasterVersions": ["1.33.1-gke.1"], "channels": rows}


@pytest.fixture
def ready(google: GoogleServer) -> GoogleServer:
    """A project in which everything is as it should be, for a cluster that is not there yet."""
    google.found |= {APIS: services(), CONFIG: offers(RAPID=["1.36.1-gke.2"], REGULAR=["1.36.1-gke.1", VERSION])}
    return google


def kept(before: StackSpec) -> dict[str, Any]:
    return fingerprint(planned(before).resources, TABLE)


def look(server: GoogleServer, spec: StackSpec | None = None, before: StackSpec | None = None) -> list[str]:
    return look_at_project(spec or stack(), kept(before) if before else {}, server.connect)


def refused(server: GoogleServer, *given: StackSpec) -> list[Problem]:
    with pytest.raises(StackFileError) as refusal:
        look(server, *given)
    return [*refusal.value.problems]


def asked(server: GoogleServer) -> set[str]:
    return {path.rpartition("/")[2] for _, path, *_ in server.asked}


# --- a project that is ready ---------------------------------------------------------------------------------------------


def test_a_new_stack_asks_twice_in_the_projects_name_and_only_reads(ready: GoogleServer) -> None:
    assert look(ready) == []
    assert asked(ready) == {"services:batchGet", "serverConfig"}
    assert {(method, behalf) for method, *_, behalf in ready.asked} == {("GET", PROJECT)}
    names = [f"projects/{PROJECT}/services/{api}.googleapis.com" for api in NEEDED]
    assert ready.queries["services:batchGet"] == {"names": names}


def test_a_cluster_that_stays_on_a_version_that_is_gone_asks_nobody(google: GoogleServer) -> None:
    assert look(google, OLD, OLD) == []
    assert google.asked == []


def test_another_change_asks_nobody(google: GoogleServer) -> None:
    changed = stack(gke={"version": GONE, "releaseChannel": "RAPID"}, cluster={"nodes": 4})
    assert look(google, changed, OLD) == []
    assert google.asked == []


def test_an_upgrade_asks_for_the_version_alone(ready: GoogleServer) -> None:
    assert look(ready, stack(), OLD) == []
    assert asked(ready) == {"serverConfig"}


# --- the version ---------------------------------------------------------------------------------------------------------


def test_a_version_that_is_gone_is_refused_with_those_that_are_offered(ready: GoogleServer) -> None:
    (found,) = refused(ready, OLD)
    assert str(found) == (
        f"llmd-pd:cluster.gke.version: GKE does not offer {GONE} in channel REGULAR of us-south1, because a version is offered "
        f"for some months only, and in some channels; write 1.36.1-gke.1 or {VERSION} (the default); {COMMAND} lists all. "
        "(GKE-17) [https://cloud.google.com/kubernetes-engine/versioning]"
    )


def test_an_upgrade_to_one_is_refused_too(ready: GoogleServer) -> None:
    assert [found.rule for found in refused(ready, OLD, stack())] == ["GKE-17"]


def test_it_is_the_channels_own_versions_that_count(ready: GoogleServer) -> None:
    (found,) = refused(ready, stack(gke={"version": "1.36.1-gke.2"}))
    assert f"{VERSION} (the default), or `releaseChannel: RAPID`, which has it; {COMMAND}" in found.fix
    assert look(ready, stack(gke={"version": "1.36.1-gke.2", "releaseChannel": "RAPID"})) == []


def test_the_newest_few_are_named_by_number_and_always_the_default(ready: GoogleServer) -> None:
    offered = [f"1.{minor}.{patch}-gke.9" for minor in (35, 34, 36) for patch in (2, 10, 9)]
    ready.found[CONFIG] = offers("1.35.9-gke.9", REGULAR=offered)
    (found,) = refused(ready, OLD)
    assert found.fix.startswith(
        "write 1.36.10-gke.9 or 1.36.9-gke.9 or 1.36.2-gke.9 or 1.35.9-gke.9 (the default); `gcloud"
    )


def test_none_is_named_that_the_machine_cannot_be_had_with(ready: GoogleServer) -> None:
    """Another rule would refuse it: GKE-01."""
    ready.found[CONFIG] = offers(REGULAR=["1.35.1-gke.1", "1.34.1-gke.1829001", "1.34.1-gke.1829000", "1.33.5-gke.1"])
    (found,) = refused(ready, OLD)
    assert found.fix.startswith("write 1.35.1-gke.1 or 1.34.1-gke.1829001; ")


@pytest.mark.parametrize("field", ["initialClusterVersion", "currentMasterVersion"])
def test_a_cluster_that_is_there_with_it_is_left_alone(field: str, ready: GoogleServer) -> None:
    """No `up` of its stack has ended well yet, so that the stack does not know of it; or Google upgraded it already."""
    ready.found[CLUSTER] = {"name": "pd-disaggregation", field: GONE}
    assert look(ready, OLD) == look(ready, OLD, stack()) == []
    ready.found[CLUSTER] = {"name": "pd-disaggregation", field: VERSION}
    assert [found.rule for found in refused(ready, OLD)] == ["GKE-17"]


# --- the APIs ------------------------------------------------------------------------------------------------------------


def test_an_api_that_is_off_is_refused_with_the_command(ready: GoogleServer) -> None:
    ready.found[APIS] = services(cloudresourcemanager="DISABLED")
    (found,) = refused(ready)
    assert str(found) == (
        f"llmd-pd:cluster.gke.project: cloudresourcemanager.googleapis.com is off in project {PROJECT}, because the first "
        "resource of the stack needs them both, and no stack can turn them on; run `gcloud services enable "
        f"serviceusage.googleapis.com cloudresourcemanager.googleapis.com --project {PROJECT}`, and wait a minute. (GKE-30) "
        "[docs/gke.md]"
    )


def test_service_usage_says_by_its_refusal_that_it_is_off(ready: GoogleServer) -> None:
    ready.answers[APIS] = OFF
    (found,) = refused(ready)
    assert found.what == f"serviceusage.googleapis.com is off in project {PROJECT}"


def test_everything_that_is_wrong_is_said_at_once(ready: GoogleServer) -> None:
    ready.found[APIS] = services(**dict.fromkeys(NEEDED, "DISABLED"))
    found = refused(ready, OLD)
    assert {problem.rule for problem in found} == {"GKE-30", "GKE-17"}
    assert any("and cloudresourcemanager.googleapis.com are off" in problem.what for problem in found)


# --- without an answer ---------------------------------------------------------------------------------------------------


def test_gke_that_is_off_is_the_stacks_to_turn_on(ready: GoogleServer) -> None:
    """As in any new project."""
    ready.answers[CONFIG] = OFF
    assert look(ready) == [
        f"Google could not be asked whether {WHETHER_VERSION}, because container.googleapis.com is off in project {PROJECT}, and "
        f"is the stack's to turn on; run `gcloud services enable container.googleapis.com --project {PROJECT}` to have it looked "
        "at."
    ]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            refusal(403, "forbidden", "Permission denied."),
            f"your role in project {PROJECT} may not read it (403); roles/",
        ),
        (
            refusal(403, "USER_PROJECT_DENIED", "Caller may not use it."),
            "it answers 403: Caller may not use it; correct",
        ),
        (refusal(404, "notFound", "No such place."), "Google knows no project"),
        ((200, b"<html>"), "does not speak JSON; check the network, and the proxy"),
        ((200, {}), "Google"),
        ((200, {"services": 5, "channels": 5}), "is not of the form"),
        ((200, {"services": [5], "channels": [5]}), "is not of the form"),
        (
            (200, {"services": [{"name": None}], "channels": [{"channel": "REGULAR", "validVersions": 5}]}),
            "not of the form",
        ),
    ],
)
def test_an_answer_of_no_use_is_a_warning(answer: tuple[int, Any], why: str, ready: GoogleServer) -> None:
    for place, whether in ((APIS, WHETHER_APIS), (CONFIG, WHETHER_VERSION)):
        ready.answers = {place: answer}
        (warning,) = look(ready)
        assert warning.startswith(f"Google could not be asked whether {whether}, because ")
        assert why in warning
        assert warning.endswith(".")
        assert len(warning.splitlines()) == 1


def test_without_credentials_there_is_one_warning() -> None:
    def connect(_: str) -> Google:
        raise UnansweredError("no credentials can be had", "log in")

    assert look_at_project(stack(), {}, connect) == [
        f"Google could not be asked whether {WHETHER_APIS}, or whether {WHETHER_VERSION}, "
        "because no credentials can be had; log in."
    ]


def test_without_a_network_likewise() -> None:
    session = requests.Session()
    session.trust_env = False
    roots = dict.fromkeys(("serviceusage", "container"), refusing())
    (warning,) = look_at_project(stack(), {}, lambda project: Google(session, project, roots))
    assert "Connection refused; check the network, and the proxy" in warning


def test_a_google_that_is_silent_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its library looks for a machine's own credentials for seconds, whatever the time for an answer."""
    monkeypatch.setattr(gke_readiness, "LIMIT_SECONDS", 0.05)
    over, waited_for = threading.Event(), threading.Event()

    def connect(_: str) -> Google:
        over.wait(60)
        waited_for.set()
        raise UnansweredError("late", "hurry")

    (warning,) = look_at_project(stack(), {}, connect)
    assert not waited_for.is_set()
    over.set()
    assert "because Google does not answer within 0.05 seconds; check the network" in warning


def test_what_is_wrong_is_said_though_the_rest_has_no_answer(ready: GoogleServer) -> None:
    ready.answers[CONFIG] = OFF
    ready.found[APIS] = services(cloudresourcemanager="DISABLED")
    assert [found.rule for found in refused(ready)] == ["GKE-30"]


# --- how Google is reached -----------------------------------------------------------------------------------------------


def test_the_client_waits_no_longer_than_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "adc.json"
    user = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "t"}
    path.write_text(json.dumps(user))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    client: Any = connection({}, 8, 1)(PROJECT)
    assert client._timeout == 8
    assert client._session.get_adapter("https://container.googleapis.com").max_retries.total == 1


def test_a_rehearsal_answers_and_looks_for_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Google, "connect", lambda *_, **__: pytest.fail("credentials are looked for"))
    kept, connect = tmp_path / "google.json", connection({ANSWERS: str(tmp_path / "google.json")}, 8, 1)
    (warning,) = look_at_project(stack(), {}, connect)
    assert f"{kept} cannot be read" in warning
    kept.write_text(
        json.dumps({"serviceusage/services:batchGet": services(), "container/serverConfig": offers(REGULAR=[VERSION])})
    )
    assert look_at_project(stack(), {}, connect) == []
    with pytest.raises(StackFileError, match="GKE-17"):
        look_at_project(OLD, {}, connect)
