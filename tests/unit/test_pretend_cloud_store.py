"""The pretend cloud's file, and its plugin: kept by several processes at once, found by the environment."""

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from rehearsal.clouds import CLOUD, FAULT, FLEET
from rehearsal.clouds.gke.pretend import GKE
from rehearsal.clouds.provider import PretendProvider
from rehearsal.clouds.store import Cloud, Record, stack_of
from rehearsal.parts import official
from rehearsal.plugins import install
from rehearsal.plugins.plugin import Engine, Failure
from rehearsal.plugins.provider import Resource
from rehearsal.plugins.values import UNKNOWN, to_python, to_struct
from tests.pretend_cloud import installed, token

URN = "urn:pulumi:prod::llmd-pd::llmd-pd:index:CloudCluster$gcp:compute/network:Network::chat-network"
ROOT = Path(__file__).parents[2]


def record(number: int) -> Record:
    inputs = {"name": f"n{number}", "autoCreateSubnetworks": False}
    return Record("compute.Network", f"id-{number}", f"{URN}-{number}", "acme", inputs, inputs)


def add(cloud: Cloud, number: int) -> None:
    with cloud.changing() as records:
        records.append(record(number))
        cloud.tell("create", records[-1])


def test_a_record_says_whose_it_is_and_what_it_was_told() -> None:
    one = record(1)
    assert one.name == "chat-network-1"
    assert one.stack == stack_of(URN) == "urn:pulumi:prod::llmd-pd"
    assert one.args == {"project": "acme", "name": "n1", "auto_create_subnetworks": False}


def test_a_cloud_without_a_file_is_empty(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "cloud.json")
    assert (cloud.records(), cloud.events()) == ([], [])
    assert [*tmp_path.iterdir()] == []


def _clear_and_fail(cloud: Cloud) -> None:
    with cloud.changing() as records:
        records.clear()
        raise Failure("no")


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "cloud.json")
    add(cloud, 1)
    with pytest.raises(Failure):
        _clear_and_fail(cloud)
    assert [one.id for one in cloud.records()] == ["id-1"]


def test_threads_take_turns(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "cloud.json")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: add(cloud, number), range(40)))
    assert {one.id for one in cloud.records()} == {f"id-{number}" for number in range(40)}
    assert [event.id for event in cloud.events()] == [one.id for one in cloud.records()]


def test_and_so_do_processes(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.unit.test_pretend_cloud_store import add, Cloud\n"
        "for number in range(10): add(Cloud(Path(sys.argv[1])), int(sys.argv[2]) * 10 + number)"
    )
    path = str(tmp_path / "cloud.json")
    running = [subprocess.Popen([sys.executable, "-c", program, path, str(at)], cwd=ROOT) for at in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(Cloud(tmp_path / "cloud.json").records()) == len(Cloud(tmp_path / "cloud.json").events()) == 30


# --- the plugin ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def provider(tmp_path: Path) -> PretendProvider:
    found = PretendProvider(GKE, "10.2.0", Engine(""), {CLOUD: str(tmp_path / "cloud.json")})
    found.configure({"project": "acme"})
    return found


def request(kind: Any, type_: str, **fields: Any) -> Any:
    urn = f"urn:pulumi:prod::llmd-pd::{type_}::chat"
    return kind(urn=urn, type=type_, name="chat", **fields)


class Context:
    """Returns a servicer's message to its caller when it fails."""

    def abort(self, _code: Any, words: str) -> None:
        raise Failure(words)


def test_what_a_stack_does_not_make_is_not_offered(provider: PretendProvider) -> None:
    for type_ in ("gcp:storage/bucket:Bucket", "gcp:compute/instance:Instance"):
        with pytest.raises(Failure, match=r"is not offered by the offline stand-in for the gcp plugin"):
            provider.lifecycle(Resource("urn", type_, "a"))
    ask = provider_pb2.InvokeRequest(tok="gcp:compute/getZones:getZones")
    with pytest.raises(Failure, match="getZones is not offered"):
        provider.Invoke(ask, Context())


def test_a_cloud_that_is_nowhere_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="set LLMD_PD_PRETEND_CLOUD to its path"):
        PretendProvider(GKE, "1", Engine(""), {}).lifecycle(Resource("urn", token("compute.Network"), "a"))
    environment = {CLOUD: str(tmp_path / "c"), FLEET: str(tmp_path / "none")}
    with pytest.raises(Failure, match="the fleet of LLMD_PD_FLEET_KUBECONFIG cannot be reached"):
        PretendProvider(GKE, "1", Engine(""), environment).lifecycle(Resource("urn", token("compute.Network"), "a"))


def test_the_environment_says_what_goes_wrong(tmp_path: Path) -> None:
    environment = {CLOUD: str(tmp_path / "c"), FAULT: "quota"}
    lifecycle: Any = PretendProvider(GKE, "1", Engine(""), environment).lifecycle(
        Resource("u", token("container.NodePool"), "a")
    )
    assert lifecycle._world.fault == "quota"


def test_over_the_protocol_a_resource_is_made_and_goes(provider: PretendProvider, tmp_path: Path) -> None:
    type_, inputs = token("projects.Service"), to_struct({"service": "compute.googleapis.com"})
    foreseen = provider.Create(request(provider_pb2.CreateRequest, type_, properties=inputs, preview=True), Context())
    assert (foreseen.id, to_python(foreseen.properties)) == ("", {"service": "compute.googleapis.com"})
    made = provider.Create(request(provider_pb2.CreateRequest, type_, properties=inputs), Context())
    assert made.id == "acme/compute.googleapis.com"
    gone = request(provider_pb2.DeleteRequest, type_, id=made.id, properties=made.properties, old_inputs=inputs)
    provider.Delete(gone, Context())
    assert Cloud(tmp_path / "cloud.json").records() == []


def test_in_a_preview_what_is_made_later_is_not_known_yet(provider: PretendProvider) -> None:
    inputs = to_struct({"name": "chat", "location": "us-south1", "network": UNKNOWN})
    answer = provider.Create(
        request(provider_pb2.CreateRequest, token("container.Cluster"), properties=inputs, preview=True), Context()
    )
    endpoints = to_python(answer.properties)["controlPlaneEndpointsConfig"]
    assert endpoints == {"dnsEndpointConfig": {"endpoint": UNKNOWN}}


# --- its installation ----------------------------------------------------------------------------------------------------


@pytest.fixture
def without_gcp(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    find = importlib.util.find_spec
    with monkeypatch.context() as patched:
        patched.setattr(importlib.util, "find_spec", lambda name: None if name == "pulumi_gcp" else find(name))
        importlib.reload(install)
        yield
    importlib.reload(install)


@pytest.mark.usefixtures("without_gcp")
def test_where_the_extra_is_not_installed_there_is_no_pretend_cloud(tmp_path: Path) -> None:
    assert not installed()
    assert "gcp" not in [row.name for row in install.STAND_INS]
    assert [row.name for row in install.install_plugins(tmp_path, Path(sys.executable), ROOT)]


@pytest.mark.skipif(not installed(), reason="pulumi-gcp is not installed")
def test_it_takes_the_official_plugins_place(tmp_path: Path) -> None:
    """A rehearsal that reached a real cloud would be none."""
    (row,) = [row for row in install.STAND_INS if row.name == "gcp"]
    directory = official.directory(tmp_path, row.key, row.version)
    directory.mkdir(parents=True)
    program = directory / "pulumi-resource-gcp"
    program.write_bytes(b"\x7fELF")
    assert "gcp" in [one.name for one in install.install_plugins(tmp_path, Path(sys.executable), ROOT)]
    assert b"rehearsal.plugins" in program.read_bytes()
    assert row.key not in official.NAMEABLE
