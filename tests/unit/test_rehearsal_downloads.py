"""Fetching official releases, against a server of our own: complete and checked, or not at all."""

import gzip
import hashlib
import http.server
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.parts import downloads
from rehearsal.parts.downloads import SOURCES, Source

PROGRAM = b"#!/bin/sh\necho v3.21.4\n"


class Server(http.server.ThreadingHTTPServer):
    files: dict[str, bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        body = self.server.files.get(self.path)
        self.send_response(404 if body is None else 403 if body == b"forbidden" else 200)
        self.end_headers()
        if self.command == "GET" and body:
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.files = {}
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path))
    monkeypatch.setattr(downloads, "goos_goarch", lambda: ("linux", "amd64"))
    return tmp_path


def archive(member: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(member)
        info.size = len(PROGRAM)
        tar.addfile(info, io.BytesIO(PROGRAM))
    return gzip.compress(out.getvalue(), mtime=0)


def offer(server: Server, monkeypatch: pytest.MonkeyPatch, packed: bytes, sums: str, member: str = "") -> Path:
    server.files = {"/helm-v3-linux": packed, "/sums": sums.encode()}
    monkeypatch.setitem(SOURCES, "helm", Source(f"{server.url}/helm-v{{version}}-{{os}}", member, f"{server.url}/sums"))
    return downloads.directory("helm", "3") / "helm"


@pytest.mark.parametrize(
    "sums", ["{digest}", "{digest}\n", "{other}  helm-v3-darwin\n{digest}  helm-v3-linux\n", "{digest} *helm-v3-linux"]
)
def test_a_file_is_checked_against_what_its_publisher_says(
    server: Server, monkeypatch: pytest.MonkeyPatch, sums: str
) -> None:
    filled = sums.format(digest=hashlib.sha256(PROGRAM).hexdigest(), other="0" * 64)
    target = offer(server, monkeypatch, PROGRAM, filled)
    downloads.fetch("helm", "3")
    assert target.read_bytes() == PROGRAM
    assert target.stat().st_mode & 0o111
    assert list(target.parent.iterdir()) == [target]


def test_one_member_of_an_archive_is_taken(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = archive("linux-amd64/helm")
    target = offer(server, monkeypatch, packed, hashlib.sha256(packed).hexdigest(), "{os}-{arch}/helm")
    downloads.fetch("helm", "3")
    assert target.read_bytes() == PROGRAM


@pytest.mark.parametrize(
    ("packed", "sums", "member", "why"),
    [
        (PROGRAM, "0" * 64, "", "its publisher says 0000"),
        (PROGRAM, hashlib.sha256(PROGRAM).hexdigest() + "  helm-v3-darwin", "", "has no SHA-256 for"),
        (PROGRAM, hashlib.sha256(PROGRAM).hexdigest(), "linux-amd64/helm", "could not be opened"),
        (archive("x"), hashlib.sha256(archive("x")).hexdigest(), "linux-amd64/helm", "not found"),
    ],
    ids=["another digest", "no digest", "no archive", "no member"],
)
def test_what_is_wrong_leaves_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch, packed: bytes, sums: str, member: str, why: str
) -> None:
    target = offer(server, monkeypatch, packed, sums, member)
    with pytest.raises(RehearsalError, match=f"the official helm 3 could not be downloaded: .*{why}"):
        downloads.fetch("helm", "3")
    assert not target.parent.exists()
    assert list(target.parent.parent.iterdir()) == []


def test_a_missing_file_is_an_error_with_the_servers_words(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(server, monkeypatch, PROGRAM, "")
    server.files.clear()
    with pytest.raises(RehearsalError, match="404"):
        downloads.fetch("helm", "3")


def test_the_addresses_are_complete() -> None:
    for tool, source in SOURCES.items():
        filled = source.filled("1.2.3")
        assert filled.url.startswith("https://")
        assert not any("{" in part for part in (filled.url, filled.member, filled.checksums)), tool
    # As kwokctl 0.8.0 names them in `kwokctl create cluster --help`, but for the version.
    assert (
        SOURCES["kube-apiserver"].filled("1.36.1").url
        == "https://dl.k8s.io/release/v1.36.1/bin/linux/amd64/kube-apiserver"
    )
    assert (
        SOURCES["etcd"].filled("3.6.10").url
        == "https://github.com/etcd-io/etcd/releases/download/v3.6.10/etcd-v3.6.10-linux-amd64.tar.gz"
    )
    assert (
        SOURCES["kwok"].filled("0.8.0").url
        == "https://github.com/kubernetes-sigs/kwok/releases/download/v0.8.0/kwok-linux-amd64"
    )


def test_only_a_success_is_reach(server: Server) -> None:
    server.files = {"/there": b"x", "/filtered": b"forbidden"}
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert downloads.probe(f"{server.url}/there")
        assert not downloads.probe(f"{server.url}/filtered")
        assert not downloads.probe(f"{server.url}/missing")
        assert not downloads.probe(f"http://127.0.0.1:{port}/refused")
        assert not downloads.probe("http://no-such-host.invalid/")


def test_a_host_that_never_answers_costs_one_timeout_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PROBE_SECONDS", 1.0)
    asked: list[str] = []
    over, waited_for = threading.Event(), list[str]()

    def probe(url: str) -> bool:
        asked.append(url)
        if "hang" in url:
            over.wait(60)
            waited_for.append(url)
        return "good" in url

    sources = [Source(f"https://{host}/{file}") for host in ("hang-1", "hang-2", "good", "bad") for file in ("a", "b")]
    assert downloads.reachable(sources, probe) == {"good"}
    assert waited_for == []
    over.set()
    assert len(asked) == 4
