"""Bills of versions are complete and pinned; their CRDs load from a directory or from the pinned URLs, or say what is wrong."""

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

from hardware.accelerators import ACCELERATORS
from hardware.bill import AddedEnv, Bill, Crd
from hardware.render.workload import UnknownChoiceError
from hardware.vocabulary import SecretRef
from releases import DEFAULT, RELEASES, release
from releases.files import Directory, Pinned, SourceError, crd_objects, download
from tests.crd_files import write

BILL = release(DEFAULT)

CONTENT = b"""---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.test}
spec: {group: example.test}
status: {conditions: null, storedVersions: null}
---
"""
CRD = Crd("things.yaml", "https://releases.example.test/things.yaml", hashlib.sha256(CONTENT).hexdigest())


def bill_of(*crds: Crd) -> Bill:
    return replace(BILL, crds=crds)


# --- the bills ---------------------------------------------------------------------------------------------------------


def test_unknown_release_is_refused_and_names_the_known_ones() -> None:
    with pytest.raises(UnknownChoiceError, match=r"release 'guide-2025-01' does not exist; known: .*guide-2026-05"):
        release("guide-2025-01")


@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
def test_everything_in_a_bill_is_pinned(bill: Bill) -> None:
    for image in (
        bill.router.endpoint_picker.image,
        bill.router.proxy.image,
        bill.sidecar.image,
        *bill.images.values(),
    ):
        assert re.fullmatch(r"[\w.-]+(/[\w.-]+)+:[\w.-]*\d[\w.-]*", image), f"{image} has no tag that stays"
    for chart in bill.router.charts.values():
        assert chart.ref.startswith("oci://")
        assert ":" not in chart.ref.removeprefix("oci://"), "the version belongs in `version`"
        assert re.fullmatch(r"v\d+\.\d+\.\d+", chart.version)
    for crd in bill.crds:
        assert crd.url.startswith("https://")
        assert re.fullmatch(r"[0-9a-f]{64}", crd.sha256)
    assert len({crd.file for crd in bill.crds}) == len(bill.crds)


@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
def test_a_bill_names_what_every_engine_counts(bill: Bill) -> None:
    engines = {build.engine.key for accelerator in ACCELERATORS.values() for build in accelerator.builds}
    assert bill.metrics.engines.keys() == engines


@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
def test_the_values_carry_the_plugin_config_they_select(bill: Bill) -> None:
    found = [text for tree in bill.router.values for text in plugin_configs(tree)]
    assert [yaml.safe_load(text) for text in found] == [bill.router.plugin_config]


def plugin_configs(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key == "pluginsCustomConfig":
                yield from value.values()
            else:
                yield from plugin_configs(value)


def test_sidecar_speaks_the_engines_connector() -> None:
    assert BILL.sidecar.argv("sglang") == [
        "--port=8000",
        "--vllm-port=8200",
        "--connector=sglang",
        "--zap-log-level=1",
        "--secure-proxy=false",
    ]


def test_added_environment_reaches_only_the_pods_it_names() -> None:
    token = {"HF_TOKEN": SecretRef("llm-d-hf-token", "HF_TOKEN")}
    gpu, tpu = ("nvidia", "vllm"), ("tpu", "vllm")
    bill = replace(
        BILL,
        env=(
            AddedEnv(token, builds=frozenset({gpu}), first=True),
            AddedEnv({"VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "120"}, roles=("prefill",)),
            AddedEnv({"USER": "llm-d"}, builds=frozenset({gpu})),
        ),
    )
    assert bill.added_env(gpu, "prefill", first=True) == token
    assert bill.added_env(gpu, "prefill", first=False) == {"VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "120", "USER": "llm-d"}
    assert bill.added_env(gpu, "decode", first=False) == {"USER": "llm-d"}
    assert bill.added_env(tpu, "decode", first=True) == bill.added_env(tpu, "decode", first=False) == {}


# --- CRDs from a directory ---------------------------------------------------------------------------------------------


def test_directory_gives_every_definition_without_its_status(tmp_path: Path) -> None:
    (tmp_path / CRD.file).write_bytes(CONTENT + CONTENT.replace(b"things.example", b"others.example"))
    objects = crd_objects([CRD], Directory(tmp_path))
    assert [item["metadata"]["name"] for item in objects] == ["things.example.test", "others.example.test"]
    assert all(item.keys() == {"apiVersion", "kind", "metadata", "spec"} for item in objects)


def test_files_load_in_the_bills_order(tmp_path: Path) -> None:
    objects = crd_objects(BILL.crds, Directory(write(tmp_path / "crds")))
    assert [f"{item['spec']['group']}_{item['spec']['names']['plural']}.yaml" for item in objects] == [
        crd.file for crd in BILL.crds
    ]


def test_missing_file_is_named_with_its_directory_and_url(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        crd_objects([CRD], Directory(tmp_path))
    assert all(word in str(error.value) for word in (CRD.file, str(tmp_path), CRD.url))


def test_missing_directory_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere is not a directory; .*`llmd-pd:crds: \{directory: …\}`"):
        crd_objects([CRD], Directory(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{a: [", "is not YAML"),
        (b"\xff\xfe\x00broken", "is not YAML"),
        (b"", "does not hold CustomResourceDefinitions"),
        (b"just words", "does not hold CustomResourceDefinitions"),
        (b"404: Not Found", "does not hold CustomResourceDefinitions"),
        (CONTENT + b"kind: ConfigMap\nmetadata: {name: x}\n", "does not hold CustomResourceDefinitions only"),
    ],
)
def test_a_file_that_is_something_else_is_refused_by_name(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / CRD.file).write_bytes(content)
    with pytest.raises(SourceError, match=complaint) as error:
        crd_objects([CRD], Directory(tmp_path))
    assert str(tmp_path / CRD.file) in str(error.value)
    assert "\n" not in str(error.value)


# --- CRDs from the pinned URLs -----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback site is not to be asked for through a proxy of the machine's."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server() -> Iterator[str]:
    """A release site on the loopback interface: serves CRD.file and nothing else."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == f"/{CRD.file}"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(CONTENT if found else b"no")

        def log_message(self, *_: object) -> None: ...

    site = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{site.server_port}"
    site.shutdown()
    thread.join()
    site.server_close()


def test_download_is_verified_and_kept_so_that_the_next_one_needs_no_network(server: str, tmp_path: Path) -> None:
    bill = bill_of(replace(CRD, url=f"{server}/{CRD.file}"))
    first = crd_objects(bill.crds, Pinned(cache=tmp_path))
    assert [item["metadata"]["name"] for item in first] == ["things.example.test"]

    def offline(url: str) -> bytes:
        raise AssertionError(f"{url} was asked for although it is kept")

    assert crd_objects(bill.crds, Pinned(fetch=offline, cache=tmp_path)) == first


def test_a_damaged_kept_file_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / f"{CRD.sha256}.yaml").write_bytes(b"half of i")
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return CONTENT

    assert len(crd_objects([CRD], Pinned(fetch=fetch, cache=tmp_path))) == 1
    assert asked == [CRD.url]
    assert (tmp_path / f"{CRD.sha256}.yaml").read_bytes() == CONTENT
    assert len(list(tmp_path.iterdir())) == 1, "nothing half-written is left behind"


def test_a_cache_that_cannot_be_written_does_not_stop_anyone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert crd_objects([CRD], Pinned(fetch=lambda _: CONTENT, cache=tmp_path / "file" / "cache"))


def test_a_wrong_checksum_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        crd_objects([CRD], Pinned(fetch=lambda _: CONTENT + b"# tampered", cache=tmp_path))
    found = hashlib.sha256(CONTENT + b"# tampered").hexdigest()
    assert all(word in str(error.value) for word in (CRD.file, CRD.url, CRD.sha256, found, "llmd-pd:crds"))
    assert list(tmp_path.iterdir()) == []


def test_404_says_so_with_the_way_around(server: str, tmp_path: Path) -> None:
    crd = replace(CRD, file="gone.yaml", url=f"{server}/gone.yaml")
    with pytest.raises(SourceError, match=r"gone\.yaml .* answers 404 Not Found; .*llmd-pd:crds: \{directory"):
        crd_objects([crd], Pinned(cache=tmp_path))


def test_an_unreachable_site_says_so_with_the_way_around(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        crd = replace(CRD, url=f"http://127.0.0.1:{free.getsockname()[1]}/{CRD.file}")
        with pytest.raises(SourceError, match=r"cannot be reached: .*refused.*; .*llmd-pd:crds: \{directory"):
            crd_objects([crd], Pinned(cache=tmp_path))


def test_a_connection_that_breaks_off_is_no_traceback(tmp_path: Path) -> None:
    site = socket.create_server(("127.0.0.1", 0))

    def answer_half() -> None:
        connection, _ = site.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\napiVersion")

    thread = threading.Thread(target=answer_half)
    thread.start()
    crd = replace(CRD, url=f"http://127.0.0.1:{site.getsockname()[1]}/{CRD.file}")
    with pytest.raises(SourceError, match=r"cannot be read: IncompleteRead.*; .*llmd-pd:crds"):
        crd_objects([crd], Pinned(cache=tmp_path))
    thread.join()
    site.close()


def test_download_gives_the_body(server: str) -> None:
    assert download(f"{server}/{CRD.file}") == CONTENT
