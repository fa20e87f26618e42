"""`llmd-pd leftovers` of a stack on GKE: what is still at Google's, which of it bills, and when that cannot be told."""

import ast
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.cli import run
from stacks.clouds.gke.leftovers.google import Google
from stacks.clouds.gke.leftovers.kinds import KINDS
from stacks.clouds.gke.leftovers.search import PATHS, search_google
from stacks.clouds.gke.plan import GkePlan
from stacks.findings import StackFileError
from stacks.kube.leftover import Leftover, Leftovers
from tests.gke_plans import CLUSTER, DRANET, GKE, VARIANTS, planned, stack, variant
from tests.google_rest import FORBIDDEN, LISTS, OFF, PROJECT, GoogleServer, link, of_the_cloud, refusal, thing
from tests.pretend_cloud import Program
from tests.unit.api_server import refusing

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("google.auth") is None, reason="google-auth is not installed: make gke"
)
NAME = "pd-disaggregation"
NAMESPACE = "llm-d-pd-disaggregation"
REGION, ZONE = GKE["region"], GKE["zone"]
OURS = {"network": link(f"global/networks/{NAME}-network")}
THEIRS = {"network": link("global/networks/default")}
LABELS = {"labels": {"goog-k8s-cluster-name": NAME, "goog-k8s-cluster-location": REGION}}


def look(server: GoogleServer, plan: GkePlan | None = None, namespace: str | None = NAMESPACE) -> Leftovers:
    return search_google(plan or planned(stack()), namespace, server.connect)


def left(server: GoogleServer, **more: Any) -> list[tuple[str, str, bool]]:
    return [(one.kind, one.name, one.bills) for one in look(server, **more).left]


def there(server: GoogleServer, *things: dict[str, Any]) -> None:
    """Puts things of Compute's where they are listed."""
    for one in things:
        plural = one["selfLink"].rsplit("/", 2)[1]
        (where,) = [path for path in LISTS if path in (f"compute/aggregated/{plural}", f"compute/global/{plural}")]
        server.things.setdefault(where, []).append(one)


# --- the whole of it -----------------------------------------------------------------------------------------------------


def test_nothing_is_left(google: GoogleServer) -> None:
    found = look(google)
    assert (found.left, found.others, found.unread) == ([], (), ())
    apis = ["compute", "container", "file", "iam"]
    assert sorted(one.name.partition(".")[0] for one in found.on_purpose) == apis, "those that answered are on"


def test_it_only_reads_and_in_the_projects_name(google: GoogleServer) -> None:
    look(google)
    assert {method for method, *_ in google.asked} == {"GET"}
    assert {behalf for *_, behalf in google.asked} == {PROJECT}
    paths = [path for _, path, *_ in google.asked]
    assert len(paths) == len(set(paths)) == len(LISTS) + 2, "the lists, an account and the reservation"


def test_nothing_that_asks_google_could_write() -> None:
    gke = ROOT / "stacks" / "clouds" / "gke"
    modules = [gke / "readiness.py", *(gke / "leftovers").glob("*.py")]
    called = {
        node.func.attr
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert "get" in called
    assert called.isdisjoint({"post", "put", "patch", "delete", "request", "send", "options"})


@pytest.mark.parametrize("name", VARIANTS)
def test_a_stack_that_is_there_is_found_whole_and_less_with_everything_that_goes(
    name: str, google: GoogleServer, tmp_path: Path
) -> None:
    """In the pretend cloud: each resource as it goes, in the engine's order, is one thing less that is left."""
    serving, gke, more = VARIANTS[name]
    cluster = {**more.get("cluster", {}), "protect": False}
    plan = planned(stack(serving, gke, **{**more, "cluster": cluster}))
    program = Program(tmp_path / "cloud.json")
    program.create_all(plan.resources)
    things = [
        r
        for r in plan.resources
        if r.type.split(".")[0] in ("compute", "container") or r.type == "serviceaccount.Account"
    ]
    google.things, google.found = map(dict, of_the_cloud(program.cloud.records()))
    assert len(left(google, plan=plan)) == len(things)
    for resource in reversed(plan.resources):
        program.delete(resource.name)
        google.things, google.found = map(dict, of_the_cloud(program.cloud.records()))
        things = [one for one in things if one is not resource]
        assert len(look(google, plan).left) == len(things), resource.name
    assert things == []


def test_every_kind_that_a_plan_has_is_looked_for_or_known_to_be_no_thing() -> None:
    otherwise = {"container.Cluster", "container.NodePool", "compute.RouterNat", "serviceaccount.Account"}
    nothing = {"projects.Service", "projects.ServiceIdentity", "projects.IAMMember"}
    kinds = {resource.type for name in VARIANTS for resource in planned(variant(name)).resources}
    assert kinds == PATHS.keys() | otherwise | nothing


def test_every_page_of_a_list_is_read(google: GoogleServer) -> None:
    google.page_size = 2
    there(google, *(thing(f"global/firewalls/k8s-fw-{number}", **OURS) for number in range(5)))
    assert [name for _, name, _ in left(google)] == [f"k8s-fw-{number}" for number in range(5)]
    assert [token for _, path, token, _ in google.asked if path.endswith("firewalls")] == ["", "2", "4"]


# --- whose things are ----------------------------------------------------------------------------------------------------


BACKEND = f"regions/{REGION}/backendServices/gkegw1-abc"
GROUP = f"zones/{ZONE}/networkEndpointGroups/k8s1-abc"


def test_a_load_balancer_is_followed_from_what_is_in_the_network(google: GoogleServer) -> None:
    check = f"regions/{REGION}/healthChecks/gkegw1-abc"
    there(
        google,
        thing("global/forwardingRules/external", target=link("global/targetHttpProxies/p"), IPAddress="203.0.113.7"),
        thing("global/targetHttpProxies/p", urlMap=link("global/urlMaps/m")),
        thing("global/urlMaps/m", pathMatchers=[{"defaultService": link(BACKEND)}]),
        thing(BACKEND, backends=[{"group": link(GROUP)}], healthChecks=[link(check)]),
        thing(GROUP, size=3, **OURS),
        thing(check),
        thing("global/addresses/a", address="203.0.113.7", users=[link("global/forwardingRules/external")]),
        thing(f"regions/{REGION}/healthChecks/others"),
        thing(f"regions/{REGION}/backendServices/others"),
    )
    found = {(one.kind, one.name): one for one in look(google).left}
    assert set(found) == {
        ("Forwarding rule", "external"), ("Address", "a"), ("Target proxy", "p"), ("URL map", "m"),
        ("Backend service", "gkegw1-abc"), ("Network endpoint group", "k8s1-abc"), ("Health check", "gkegw1-abc"),
    }  # fmt: skip
    assert {one.kind for one in found.values() if one.bills} == {"Forwarding rule", "Address"}
    assert found["Forwarding rule", "external"].what == "load balancer at 203.0.113.7; refers to p"
    assert found["Network endpoint group", "k8s1-abc"].what == f"3 endpoints, {ZONE}; in network {NAME}-network"
    assert found["Health check", "gkegw1-abc"].what == f"{REGION}; used by gkegw1-abc"


def test_a_health_check_that_others_use_too_is_theirs(google: GoogleServer) -> None:
    check = "global/healthChecks/shared"
    there(
        google,
        thing(check),
        thing(BACKEND, healthChecks=[link(check)], **OURS),
        thing(f"regions/{REGION}/backendServices/theirs", healthChecks=[link(check)], **THEIRS),
    )
    assert left(google) == [("Backend service", "gkegw1-abc", False)]


@pytest.mark.parametrize(
    ("namespace", "backends", "ours"),
    [
        (NAMESPACE, {}, True),
        ("another", {}, False),
        (None, {}, False),
        (NAMESPACE, {"backends": [{"group": link(GROUP)}]}, False),
    ],
    ids=["ours", "another namespace", "no namespace", "in another network"],
)
def test_what_lost_its_network_is_told_by_the_namespace_in_its_description(
    namespace: str | None, backends: dict[str, Any], ours: bool, google: GoogleServer
) -> None:
    description = json.dumps({"kubernetes.io/service-name": f"{NAMESPACE}/epp", "x-features": ["NEG"]})
    there(
        google,
        thing(BACKEND, description=description, **backends),
        thing(GROUP, **THEIRS),
        thing("global/urlMaps/m", defaultService=link(BACKEND)),
    )
    found = look(google, namespace=namespace).left
    assert [one.name for one in found] == (["m", "gkegw1-abc"] if ours else [])
    if ours:
        assert found[1].what == f"{REGION}; made for namespace {NAMESPACE}, of a cluster it does not name"


def test_machines_are_the_clusters_by_label_wherever_they_are(google: GoogleServer) -> None:
    """And with them the networks of their NICs, which GKE may have made; their own disks go with them."""
    nics = [{"network": link("global/networks/gke-made-1")}]
    there(
        google,
        thing(
            f"zones/{ZONE}/instances/gke-gpu-1", status="RUNNING", networkInterfaces=nics, **LABELS,
            machineType=link(f"zones/{ZONE}/machineTypes/a3-ultragpu-8g"), disks=[{"source": link(f"zones/{ZONE}/disks/boot")}],
        ),
        thing(f"zones/{ZONE}/disks/boot", users=[link(f"zones/{ZONE}/instances/gke-gpu-1")], **LABELS),
        thing(f"zones/{ZONE}/instances/theirs", networkInterfaces=[THEIRS]),
        thing("global/networks/gke-made-1"),
        thing("global/networks/default"),
        thing(f"regions/{REGION}/subnetworks/gke-made-1", network=link("global/networks/gke-made-1")),
        thing("global/firewalls/gke-made-1", network=link("global/networks/gke-made-1")),
    )  # fmt: skip
    found = look(google).left
    assert [(one.kind, one.name, one.bills) for one in found] == [
        ("VM instance", "gke-gpu-1", True), ("Firewall rule", "gke-made-1", False),
        ("Subnet", "gke-made-1", False), ("Network", "gke-made-1", False),
    ]  # fmt: skip
    assert found[0].what == f"a3-ultragpu-8g, {ZONE}, RUNNING; of the cluster, by its label"
    assert found[-1].what == "made by GKE for the nodes' further NICs"


@pytest.mark.parametrize(
    ("labels", "ours"),
    [
        ({"goog-k8s-cluster-name": NAME}, True),
        ({"goog-k8s-cluster-name": NAME, "goog-k8s-cluster-location": REGION}, True),
        ({"goog-k8s-cluster-name": NAME, "goog-k8s-cluster-location": "us-east1"}, False),
        ({"goog-k8s-cluster-name": "other", "goog-k8s-cluster-location": REGION}, False),
        ({}, False),
    ],
)
def test_a_label_is_of_the_cluster_by_its_name_and_its_place(
    labels: dict[str, str], ours: bool, google: GoogleServer
) -> None:
    there(google, thing(f"zones/{ZONE}/instances/gke-1", labels=labels, networkInterfaces=[THEIRS]))
    assert left(google) == ([("VM instance", "gke-1", True)] if ours else [])


def test_networks_for_accelerators_are_told_by_their_names_or_mentioned(google: GoogleServer) -> None:
    profile = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/global/networkProfiles"
    there(
        google,
        thing(f"global/networks/gke-{NAME}-1a2b-rdma", networkProfile=f"{profile}/{ZONE}-vpc-roce"),
        thing("global/networks/unclear", networkProfile=f"{profile}/{ZONE}-vpc-roce"),
        thing("global/networks/elsewhere", networkProfile=f"{profile}/us-east1-b-vpc-roce"),
    )
    found = look(google)
    assert [one.name for one in found.left] == [f"gke-{NAME}-1a2b-rdma"]
    assert found.others == (
        "Network unclear has an RDMA profile of the zone: GKE may have made it for this stack's nodes",
    )


def pvc(namespace: str, name: str = "models") -> str:
    return json.dumps(
        {"kubernetes.io/created-for/pvc/namespace": namespace, "kubernetes.io/created-for/pvc/name": name}
    )


def test_volumes_outlive_machines_and_clusters(google: GoogleServer) -> None:
    zone = f"zones/{ZONE}/disks"
    users = [link(f"zones/{ZONE}/instances/gke-gpu-1")]
    there(
        google,
        thing(f"zones/{ZONE}/instances/gke-gpu-1", **LABELS),
        thing(f"{zone}/pvc-1", sizeGb="512", description=pvc("monitoring"), users=users, **LABELS),
        thing(f"{zone}/pvc-2", sizeGb="10", type=link(f"zones/{ZONE}/diskTypes/pd-ssd"), description=pvc(NAMESPACE)),
        thing(f"{zone}/pvc-3", description=pvc("monitoring")),
        thing("zones/us-east1-b/disks/pvc-4", description=pvc("monitoring")),
        thing(f"{zone}/pvc-5", description=pvc(NAMESPACE), labels={"goog-k8s-cluster-name": "other"}),
        thing(f"{zone}/somebodys", description="my data"),
    )
    found = look(google)
    assert [(one.name, one.bills) for one in found.left] == [("gke-gpu-1", True), ("pvc-1", True), ("pvc-2", True)]
    assert found.left[1].what.startswith(f"512 GB, {ZONE}, attached to gke-gpu-1, claimed by monitoring/models; of the")
    assert found.left[2].what.startswith(f"10 GB, pd-ssd, {ZONE}, attached to nothing, claimed by {NAMESPACE}/models; ")
    (said,) = found.others
    assert said == "volumes of claims do not name their cluster: pvc-3; those of this cluster are left, and bill"


@pytest.mark.parametrize(
    ("of", "what"),
    [
        ({"networks": [{"network": f"{NAME}-network"}]}, f"in network {NAME}-network"),
        (
            {"networks": [{"network": f"projects/{PROJECT}/global/networks/{NAME}-network"}]},
            f"in network {NAME}-network",
        ),
        (
            {"labels": {"storage_gke_io_cluster_name": NAME, "storage_gke_io_cluster_location": REGION}},
            "of the cluster, by its label",
        ),
        ({"networks": [{"network": "default"}]}, None),
    ],
)
def test_filestore(of: dict[str, Any], what: str | None, google: GoogleServer) -> None:
    path = f"projects/{PROJECT}/locations/{ZONE}/instances/pvc-9"
    one = {"name": path, "tier": "BASIC_SSD", "state": "READY", "fileShares": [{"capacityGb": "2560"}], **of}
    google.things["file/locations/-/instances"] = [one]
    said = f"2560 GB, BASIC_SSD, {ZONE}, READY; {what}"
    assert look(google).left == ([Leftover("Filestore instance", "pvc-9", said, bills=True)] if what else [])


def test_a_nat_bills_and_its_router_does_not(google: GoogleServer) -> None:
    there(google, thing(f"regions/{REGION}/routers/{NAME}-router", nats=[{"name": "n"}, {"name": "by-hand"}], **OURS))
    assert left(google) == [
        ("Cloud NAT", "n", True), ("Cloud NAT", "by-hand", True), ("Cloud Router", f"{NAME}-router", False)
    ]  # fmt: skip


# --- the cluster ---------------------------------------------------------------------------------------------------------


def cluster(name: str = NAME, **more: Any) -> dict[str, Any]:
    return {"name": name, "location": REGION, "network": "default", "status": "RUNNING", **more}


@pytest.mark.parametrize(
    "ours",
    [
        {"resourceLabels": {"llmd-pd": NAME}},
        {"network": f"{NAME}-network"},
        {"networkConfig": {"network": f"projects/{PROJECT}/global/networks/{NAME}-network"}},
    ],
)
def test_the_cluster_is_the_stacks_by_its_label_or_its_network(ours: dict[str, Any], google: GoogleServer) -> None:
    pool = {"name": "gpu", "config": {"machineType": "a3-ultragpu-8g"}, "status": "STOPPING"}
    google.things["container/locations/-/clusters"] = [cluster(nodePools=[pool], **ours)]
    assert look(google).left == [
        Leftover("GKE cluster", NAME, f"{REGION}, running; what is in it was not looked at", bills=True),
        Leftover("Node pool", f"{NAME}/gpu", "a3-ultragpu-8g, stopping; its nodes bill, as VM instances"),
    ]


def test_a_cluster_of_that_name_that_is_not_the_stacks_is_mentioned_and_so_are_its_things_not_listed(
    google: GoogleServer,
) -> None:
    google.things["container/locations/-/clusters"] = [cluster()]
    there(google, thing(f"zones/{ZONE}/instances/gke-1", **LABELS))
    found = look(google)
    assert found.left == []
    assert found.others == (
        f"GKE cluster {NAME} exists and is not this stack's: it has neither its label nor its network",
    )


def test_another_cluster_in_the_stacks_network_is_named_as_what_holds_it(google: GoogleServer) -> None:
    google.things["container/locations/-/clusters"] = [cluster("intruder", network=f"{NAME}-network")]
    there(
        google,
        thing(f"zones/{ZONE}/instances/gke-i", networkInterfaces=[OURS], labels={"goog-k8s-cluster-name": "intruder"}),
        thing(f"global/networks/{NAME}-network"),
    )
    found = look(google)
    assert [one.name for one in found.left] == [f"{NAME}-network"]
    assert found.others == (
        f"GKE cluster intruder is not this stack's, and in its network {NAME}-network",
        f"VM instance gke-i is another cluster's, and holds network {NAME}-network",
    )


# --- what stays ----------------------------------------------------------------------------------------------------------


def test_a_reservation_is_the_teams_own(google: GoogleServer) -> None:
    google.found[f"compute/zones/{ZONE}/reservations/h200"] = {"name": "h200", "specificReservation": {"count": "2"}}
    found = look(google)
    assert found.left == []
    assert found.on_purpose[0] == Leftover(
        "Reservation", "h200", "2 machines, the team's own: it bills whether or not nodes use it", True, True
    )


def test_a_reservation_that_cannot_be_read_is_mentioned(google: GoogleServer) -> None:
    google.answers[f"compute/zones/{ZONE}/reservations/h200"] = FORBIDDEN
    found = look(google)
    assert (found.left, found.unread) == ([], ())
    assert found.others == (f"reservation h200 of project {PROJECT} cannot be read; it bills as long as it exists",)


# --- when it cannot be told ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(LISTS))
def test_who_may_not_look_is_not_told_that_nothing_is_left(path: str, google: GoogleServer) -> None:
    google.answers[path] = FORBIDDEN
    api, _, rest = path.partition("/")
    assert look(google).unread == (f"{api}.{rest.rpartition('/')[2]}",)


def test_an_account_that_may_not_be_read(google: GoogleServer) -> None:
    email = f"{NAME}-nodes@{PROJECT}.iam.gserviceaccount.com"
    google.answers[f"iam/serviceAccounts/{email}"] = FORBIDDEN
    assert look(google).unread == (f"iam.serviceAccounts/{email}",)


def test_an_api_that_is_off_has_nothing_and_is_asked_once(google: GoogleServer) -> None:
    google.answers |= {path: OFF for path in LISTS if path.startswith("compute/")}
    found = look(google)
    assert (found.left, found.unread) == ([], ())
    assert found.others == (
        f"compute.googleapis.com is off in project {PROJECT}, so the project has none of its resources",
    )
    assert len([path for _, path, *_ in google.asked if path.startswith("/compute/")]) == 1


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("compute/global/networks", refusal(404, "notFound", "no"), "Google knows no projects/acme-serving/global/networks"),
        ("compute/global/networks", refusal(401, "authError", "Invalid Credentials"), "401: Invalid Credentials; log in"),
        ("compute/global/networks", refusal(403, "rateLimitExceeded", "Slow down. Please."), "it answers 403: Slow down;"),
        ("container/locations/-/clusters", refusal(403, "USER_PROJECT_DENIED", "Caller may not"), "403: Caller may not"),
        ("compute/global/networks", (500, b"<html>"), "it answers 500: Internal Server Error; correct"),
        ("compute/global/networks", (200, b"<html>"), "check the network"),
        ("compute/global/networks", (200, []), "answers with no JSON object"),
        ("compute/global/networks", (403, {"error": "what"}), None),
    ],
)  # fmt: skip
def test_an_answer_of_no_use(path: str, answer: tuple[int, Any], words: str | None, google: GoogleServer) -> None:
    google.answers[path] = answer
    if words is None:
        assert look(google).unread == ("compute.networks",)
        return
    with pytest.raises(StackFileError) as error:
        look(google)
    (problem,) = error.value.problems
    assert words in str(problem)
    assert str(problem).startswith("llmd-pd:cluster.gke: Google cannot be asked what is left, because ")


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("compute/aggregated/disks", {"unreachables": [f"projects/x/zones/{ZONE}"]}),
        ("compute/aggregated/disks", {"items": {f"zones/{ZONE}": {"warning": {"code": "UNREACHABLE"}}}}),
        ("container/locations/-/clusters", {"missingZones": [ZONE]}),
        ("file/locations/-/instances", {"unreachable": [f"projects/x/locations/{REGION}"]}),
    ],
)
def test_a_place_that_does_not_answer(path: str, more: dict[str, Any], google: GoogleServer) -> None:
    google.more[path] = more
    with pytest.raises(StackFileError, match=f"{REGION}.* does not answer for .*; try again later"):
        look(google)
    google.more[path] = json.loads(json.dumps(more).replace(REGION, "asia-east1"))
    assert look(google).left == [], "elsewhere is no matter"


def test_nobody_listens() -> None:
    import requests

    roots = dict.fromkeys(("compute", "container", "file", "iam"), refusing())
    session = requests.Session()
    session.trust_env = False
    with pytest.raises(StackFileError, match="Connection refused; check the network, and the proxy"):
        search_google(planned(stack()), None, lambda project: Google(session, project, roots))


# --- the command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stack file of stack `gke` in the working directory, on a machine without anybody's credentials."""
    config = {"cluster": {**CLUSTER, "gke": GKE}, "serving": DRANET}
    path = tmp_path / "Pulumi.gke.yaml"
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "GOOGLE_API_USE_MTLS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def connected(file: Path, google: GoogleServer, monkeypatch: pytest.MonkeyPatch) -> GoogleServer:
    assert file.exists()
    monkeypatch.setattr(Google, "connect", google.connect)
    return google


def leftovers(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    return run(["leftovers", "gke", *more]), *capsys.readouterr()


def test_the_command_says_what_is_left(connected: GoogleServer, capsys: pytest.CaptureFixture[str]) -> None:
    there(
        connected,
        thing("global/firewalls/k8s-fw-1", **OURS),
        thing(f"zones/{ZONE}/disks/pvc-1", sizeGb="512", description=pvc(NAMESPACE)),
    )
    code, out, err = leftovers(capsys)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "left                    bills  what",
        f"Disk pvc-1              yes    512 GB, {ZONE}, attached to nothing, claimed by {NAMESPACE}/models; "
        f"made for namespace {NAMESPACE}, of a cluster it does not name",
        f"Firewall rule k8s-fw-1  no     in network {NAME}-network",
        "",
        "stays on purpose              what",
        "API container.googleapis.com  others of the project may use it",
        "API compute.googleapis.com    others of the project may use it",
        "API file.googleapis.com       others of the project may use it",
        "API iam.googleapis.com        others of the project may use it",
        "",
        f"stack gke: 2 things left in project `{PROJECT}`, 1 of which bill",
    ]  # fmt: skip


@pytest.mark.usefixtures("connected")
def test_the_command_says_that_nothing_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = leftovers(capsys)
    assert (code, err) == (0, "")
    assert out.endswith(f"stack gke: nothing is left in project `{PROJECT}` except what stays on purpose\n")
    code, out, _ = leftovers(capsys, "--output", "json")
    document = json.loads(out)
    assert (code, document["project"], document["left"]) == (0, PROJECT, [])
    assert document["summary"] == {"left": 0, "bill": 0, "whole": True}


def test_the_command_says_what_it_may_not_read(connected: GoogleServer, capsys: pytest.CaptureFixture[str]) -> None:
    connected.answers |= {"compute/aggregated/disks": FORBIDDEN, "file/locations/-/instances": FORBIDDEN}
    code, out, err = leftovers(capsys)
    assert code == 1
    assert "nothing is left" not in out
    assert err == (
        f"Error: compute.disks, file.instances cannot be listed, because your role in project {PROJECT} may not read them "
        "(403), so what is left cannot be told; use one that may: docs/gke.md names it.\n"
    )


def test_a_stack_that_only_makes_nodes(file: Path, connected: GoogleServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Its namespace is nobody's, so that what only names one is a note, and no thing of the stack's."""
    config = {"cluster": {**CLUSTER, "gke": GKE, "machine": "gke-a3-ultragpu-8g-dra"}}
    file.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    there(
        connected,
        thing("global/firewalls/k8s-fw-1", **OURS),
        thing(f"zones/{ZONE}/disks/pvc-1", description=pvc(NAMESPACE)),
    )
    code, out, err = leftovers(capsys)
    assert code == 1
    assert out.endswith(f"stack gke: 1 thing left in project `{PROJECT}`, 0 of which bill\n")
    assert err == (
        "Note: volumes of claims do not name their cluster: pvc-1; those of this cluster are left, and bill.\n"
    )


def test_without_credentials(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said = "llmd-pd:cluster.gke: Google cannot be asked what is left, because no credentials were found: "
    fix = "; log in with `gcloud auth application-default login`. (CLUSTER) [docs/operate.md]\n"
    assert leftovers(capsys) == (1, "", f"{said}Your default credentials were not found{fix}")
    broken = file.with_name("credentials.json")
    broken.write_text("{}")
    for path, why in ((broken, "does not have a valid type"), (file.with_name("gone.json"), "was not found")):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        code, out, err = leftovers(capsys)
        assert (code, out) == (1, "")
        assert err.startswith(said)
        assert why in err
        assert err.endswith(fix)


def test_without_the_extra(file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert file.exists()
    monkeypatch.setitem(__import__("sys").modules, "google.auth", None)
    assert leftovers(capsys) == (
        1,
        "",
        "llmd-pd:cluster.gke: Google cannot be asked what is left, because the package google-auth is not installed; "
        "install the extra with `make gke`, or `.venv/bin/pip install -e '.[gke]'`. (CLUSTER) [docs/operate.md]\n",
    )


def test_credentials_that_are_there_are_used_in_the_projects_name(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "t"}
    path = file.with_name("adc.json")
    path.write_text(json.dumps({**user, "quota_project_id": "somebody-elses"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    session: Any = Google.connect(PROJECT)._session
    assert session.credentials.quota_project_id == PROJECT
    retries = session.get_adapter("https://compute.googleapis.com").max_retries
    assert 503 in retries.status_forcelist
    assert "POST" not in retries.allowed_methods


def test_every_list_has_a_row_of_its_own() -> None:
    assert len({(kind.api, kind.path) for kind in KINDS}) == len(KINDS)
