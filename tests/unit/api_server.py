"""A loopback server that answers as an API server does, and what such servers say of a stack in namespace team-a."""

import base64
import gzip
import json
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from hardware.render.namespace import OWNER as OWNER_KEY
from stacks.blueprint import ServingBlueprint
from stacks.rules.live import Found

OWNER = "acme/llmd-pd/prod"
NAMESPACE = "/api/v1/namespaces/team-a"
SECRETS = f"{NAMESPACE}/secrets"
Answer = tuple[int, Any]
#: Looks ahead for a stack at that address, and gives its plan and what was found.
Look = Callable[..., tuple[ServingBlueprint, Found]]


class ApiServer:
    """Answers by path; what it does not know is not there. Keeps what it was asked, with whose token."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        #: For what is answered by path and query; they come first.
        self.queries: dict[tuple[str, str], Answer] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.patched: list[tuple[str, str, Any]] = []
        self.patch_answer = 200
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                server.asked.append((path, query, self.headers["Authorization"]))
                unknown: Answer = (404, {"kind": "Status", "code": 404})
                status, body = server.queries.get((path, query)) or server.answers.get(path, unknown)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_PATCH(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.patched.append((self.path, self.headers["Content-Type"], body))
                self.send_response(server.patch_answer)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


def kubeconfig(path: Path, url: str) -> Path:
    """A kubeconfig whose context `prod` leads to an address, unless there is one already."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "t0ken"}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
    }
    if not path.exists():
        path.write_text(yaml.safe_dump(document))
    return path


def namespace(holder: str | None) -> Answer:
    metadata: dict[str, Any] = {"name": "team-a"}
    if holder is not None:
        metadata["annotations"] = {OWNER_KEY: holder}
    return 200, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def releases(*descriptions: str, status: str = "deployed", name: str = "pd-disaggregation", **record: Any) -> Answer:
    """One Secret per revision, as Helm stores them and the API server lists them: by name, v10 before v2.

    `record` is more of what each record holds.
    """
    items = [
        {
            "metadata": {
                "name": f"sh.helm.release.v1.{name}.v{revision}",
                "resourceVersion": f"10{revision}",
                "labels": {"version": f"{revision}", "status": status},
            },
            "data": {
                "release": stored({"info": {"description": description, "status": status}, "manifest": "…", **record})
            },
        }
        for revision, description in enumerate(descriptions, start=1)
    ]
    return 200, {"kind": "SecretList", "items": sorted(items, key=lambda item: item["metadata"]["name"])}


def stored(record: dict[str, Any]) -> str:
    zipped = gzip.compress(json.dumps(record).encode())
    return base64.b64encode(base64.b64encode(zipped)).decode()


def refusing() -> str:
    """The address of a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
