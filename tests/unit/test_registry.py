"""Registries are asked as their API wants it, and whatever they answer is a digest or a word on why there is none."""

import hashlib
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import IncompleteRead, InvalidURL
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit

import pytest

from commands import registry
from commands.registry import Answer, digest, digests

BODY = b'{"schemaVersion": 2}'
OWN = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
TOLD = "sha256:" + "1" * 64
PINNED = "sha256:" + "2" * 64


@dataclass
class Server:
    """A registry on this machine. Each repository is a way to answer; `seen` are the requests, as `METHOD path`."""

    port: int = 0
    seen: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)

    def reference(self, path: str) -> str:
        return f"127.0.0.1:{self.port}/{path}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def reply(self, code: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            state.seen.append(f"{self.command} {url.path}")
            if url.path == "/token":
                state.scopes.append(parse_qs(url.query)["scope"][0])
                assert parse_qs(url.query).get("service", ["registry"]) == ["registry"]
                key = "access_token" if "other-key" in self.path else "token"
                self.reply(200, b"{}" if "no-token" in self.path else f'{{"{key}": "anonymous"}}'.encode())
                return
            assert "manifest.list" in self.headers["Accept"]
            assert "image.index" in self.headers["Accept"]
            token = self.headers.get("Authorization")
            repository = url.path.removeprefix("/v2/").partition("/manifests/")[0]
            place = f"http://127.0.0.1:{state.port}"
            realm = f'realm="{place}/token?for={repository}",service="registry"'
            match repository:
                case "plain" | "charts/standalone":
                    self.reply(200, BODY, Docker_Content_Digest=TOLD)
                case "without-header":
                    self.reply(200, BODY)
                case "odd-header":
                    self.reply(200, BODY, Docker_Content_Digest="sha256:x\x1b[31m")
                case "asks" | "other-key" | "no-token":
                    if token == "Bearer anonymous":
                        self.reply(200, BODY, Docker_Content_Digest=TOLD)
                    else:
                        self.reply(401, WWW_Authenticate=f'Bearer {realm},scope="repository:{repository}:pull,more"')
                case "asks-without-scope/at-all":
                    self.reply(
                        200 if token else 401, BODY, Docker_Content_Digest=TOLD, WWW_Authenticate=f"Bearer {realm}"
                    )
                case "private":
                    self.reply(401, WWW_Authenticate=f"Bearer {realm}")
                case "basic":
                    self.reply(401, WWW_Authenticate='Basic realm="registry"')
                case "file-realm":
                    self.reply(401, WWW_Authenticate='Bearer realm="file:///etc/hostname"')
                case "elsewhere":
                    if token:
                        self.reply(307, Location=f"{place}/v2/landed/manifests/v1")
                    else:
                        self.reply(401, WWW_Authenticate=f"Bearer {realm}")
                case "landed":
                    state.leaked.extend(filter(None, [token]))
                    self.reply(200, BODY, Docker_Content_Digest=TOLD)
                case "hands-over":
                    self.reply(307, Location=f"{place}/v2/asks/manifests/v1")
                case "forbidden":
                    self.reply(403)
                case "busy":
                    self.reply(429)
                case "broken":
                    self.reply(500)
                case "hangs":
                    state.let_go.wait(20)
                case "no-http":
                    self.wfile.write(b"SSH-2.0-OpenSSH\r\n")
                case _:
                    self.reply(404)

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = httpd.server_address[1]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    state.let_go.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("plain:v1", Answer(TOLD)),
        ("plain:v1@" + PINNED, Answer(PINNED)),
        ("plain@" + PINNED, Answer(PINNED)),
        ("plain", Answer(None, "no tag")),
        ("without-header:v1", Answer(OWN)),
        ("odd-header:v1", Answer(None, "no digest")),
        ("asks:v1", Answer(TOLD)),
        ("other-key:v1", Answer(TOLD)),
        ("asks-without-scope/at-all:v1", Answer(TOLD)),
        ("elsewhere:v1", Answer(TOLD)),
        ("hands-over:v1", Answer(TOLD)),
        ("absent:v1", Answer(None, "not found")),
        ("private:v1", Answer(None, "no access")),
        ("basic:v1", Answer(None, "no access")),
        ("forbidden:v1", Answer(None, "no access")),
        ("no-token:v1", Answer(None, "no registry")),
        ("file-realm:v1", Answer(None, "no registry")),
        ("no-http:v1", Answer(None, "no registry")),
        ("busy:v1", Answer(None, "rate limited")),
        ("broken:v1", Answer(None, "answers 500")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.why,
)
def test_an_answer_for_everything(path: str, answer: Answer, server: Server) -> None:
    assert digest(server.reference(path)) == answer


def test_a_digest_takes_one_request_and_what_is_pinned_none(server: Server) -> None:
    digest(server.reference("plain:v1"))
    digest(server.reference(f"plain:v2@{PINNED}"))
    assert server.seen == ["HEAD /v2/plain/manifests/v1"]


def test_a_token_is_for_reading_that_repository_and_goes_to_nobody_else(server: Server) -> None:
    digest(server.reference("asks-without-scope/at-all:v1"))
    digest(server.reference("elsewhere:v1"))
    digest(server.reference("asks:v1"))
    assert server.scopes == [
        "repository:asks-without-scope/at-all:pull",
        "repository:elsewhere:pull",
        "repository:asks:pull,more",
    ]
    assert any(request.endswith("/v2/landed/manifests/v1") for request in server.seen)
    assert server.leaked == []


def test_a_registry_that_hangs_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "ANSWER_SECONDS", 0.2)
    assert digest(server.reference("hangs:v1")) == Answer(None, "timed out")


def test_all_are_asked_at_once_and_nobody_is_waited_for_longer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "ALL_SECONDS", 2)
    silent = [server.reference(f"hangs:v{number}") for number in range(8)]
    quick = server.reference("asks:v1")
    began = time.monotonic()
    answers = digests([*silent, quick, quick])
    assert time.monotonic() - began < 15  # one after the other they take 16
    assert list(answers) == [*silent, quick]
    assert answers[quick] == Answer(TOLD)
    assert {answers[reference] for reference in silent} == {Answer(None, "timed out")}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (URLError(OSError("no route to host")), "unreachable"),
        (URLError(TimeoutError()), "timed out"),
        (URLError(ssl.SSLCertVerificationError("self-signed")), "bad certificate"),
        (ConnectionResetError(), "unreachable"),
        (TimeoutError(), "timed out"),
        (IncompleteRead(b""), "no registry"),
        (InvalidURL("a b"), "no registry"),
        (UnicodeError("label too long"), "no registry"),
    ],
    ids=repr,
)
def test_a_failure_has_a_word(error: Exception, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(registry, "urlopen", fail)
    assert digest("registry.example.test/a:v1") == Answer(None, why)


def test_nobody_there() -> None:
    assert digest("127.0.0.1:1/a:v1") == Answer(None, "unreachable")


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("vllm/vllm-openai:v1", "https://registry-1.docker.io/v2/vllm/vllm-openai/manifests/v1"),
        ("envoy:v1", "https://registry-1.docker.io/v2/library/envoy/manifests/v1"),
        ("index.docker.io/a/b:v1", "https://registry-1.docker.io/v2/a/b/manifests/v1"),
        ("ghcr.io/llm-d/x:v1", "https://ghcr.io/v2/llm-d/x/manifests/v1"),
        ("registry.k8s.io/charts/standalone:v1.5.0", "https://registry.k8s.io/v2/charts/standalone/manifests/v1.5.0"),
        ("registry.example.test:5000/x:v1", "https://registry.example.test:5000/v2/x/manifests/v1"),
        ("localhost:5000/x:v1", "http://localhost:5000/v2/x/manifests/v1"),
        ("127.1.2.3/x:v1", "http://127.1.2.3/v2/x/manifests/v1"),
        ("localhost.example.test/x:v1", "https://localhost.example.test/v2/x/manifests/v1"),
    ],
)
def test_where_it_asks(reference: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def note(place: str, path: str) -> str:
        asked.append(place)
        return TOLD if path in place else ""

    monkeypatch.setattr(registry, "_digest", note)
    assert digest(reference) == Answer(TOLD)
    assert asked == [url]
