"""A loopback server that answers as Google's REST APIs do, and what they say of a pretend cloud."""

import json
from collections.abc import Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from rehearsal.clouds.store import Record
from stacks.clouds.gke.leftovers.google import ROOTS, Google
from stacks.clouds.gke.leftovers.kinds import KINDS, last
from stacks.clouds.gke.leftovers.search import CLUSTERS

PROJECT = "acme-serving"
COMPUTE = "https://www.googleapis.com/compute/v1"
Object = dict[str, Any]


class GoogleServer:
    """Answers by API and path below the project. A list has as many things on a page as it is told, and is empty unless told.

    Keeps what it was asked: method, path, the token of the page, and on whose behalf; and the last query by the path's last part.
    """

    def __init__(self) -> None:
        self.things: dict[str, list[Object]] = {}
        self.found: dict[str, Object] = {}
        #: For what is answered otherwise, by path: a status and a body.
        self.answers: dict[str, tuple[int, Any]] = {}
        self.more: dict[str, Object] = {}
        self.page_size = 500
        self.asked: list[tuple[str, str, str, str | None]] = []
        self.queries: dict[str, dict[str, list[str]]] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                url = urlsplit(self.path)
                query = parse_qs(url.query)
                token = query.get("pageToken", [""])[0]
                server.queries[url.path.rpartition("/")[2]] = query
                server.asked.append((self.command, url.path, token, self.headers["x-goog-user-project"]))
                status, body = server.answer(url.path.removeprefix("/"), token)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def connect(self, project: str) -> Google:
        """A client of it, with no credentials."""
        session = requests.Session()
        session.trust_env = False
        roots = {api: f"http://127.0.0.1:{self.http.server_port}/{api}" for api in ROOTS}
        return Google(session, project, roots)

    def answer(self, path: str, token: str) -> tuple[int, Any]:
        where = path.replace(f"projects/{PROJECT}/", "", 1)
        if where in self.answers:
            return self.answers[where]
        if where in LISTS:
            start = int(token or 0)
            things = self.things.get(where, [])
            page = things[start : start + self.page_size]
            rest = {"nextPageToken": str(start + self.page_size)} if start + self.page_size < len(things) else {}
            return 200, {**_page(where, page), **rest, **self.more.get(where, {})}
        if where in self.found:
            return 200, self.found[where]
        return refusal(404, "notFound", f"The resource '{path}' was not found")


#: The lists there are, as API and path below the project.
LISTS = {f"{kind.api}/{kind.path}": kind for kind in (*KINDS, CLUSTERS)}


def _page(where: str, things: Sequence[Object]) -> Object:
    kind = LISTS[where]
    if not kind.path.startswith("aggregated/"):
        return {kind.items: [*things]} if things else {}  # Google leaves out what is empty
    scopes: dict[str, Object] = {"regions/nowhere1": {"warning": {"code": "NO_RESULTS_ON_PAGE"}}}
    for thing in things:
        scope = thing["selfLink"].split(f"/{PROJECT}/")[1].rpartition(f"/{last(kind.path)}/")[0]
        scopes.setdefault(scope, {last(kind.path): []})[last(kind.path)].append(thing)
    return {"items": scopes}


def refusal(status: int, reason: str, message: str, *details: Object) -> tuple[int, Object]:
    """Google's answer to a refused request."""
    error = {"code": status, "message": message, "errors": [{"message": message, "reason": reason}]}
    return status, {"error": {**error, **({"details": [*details]} if details else {})}}


FORBIDDEN = refusal(403, "forbidden", "Required 'compute.disks.list' permission for 'projects/acme-serving'")
OFF = refusal(
    403, "accessNotConfigured", "Compute Engine API has not been used in project 1 before or it is disabled. Enable it.",
    {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"},
)  # fmt: skip


def thing(path: str, **more: Any) -> Object:
    """Something of Compute's: its path says what it is called and where it is, as its own fields do."""
    scope, place, *_ = path.split("/")
    located = {scope.removesuffix("s"): f"{COMPUTE}/projects/{PROJECT}/{scope}/{place}"} if scope != "global" else {}
    return {"name": last(path), "selfLink": f"{COMPUTE}/projects/{PROJECT}/{path}", **located, **more}


def link(path: str) -> str:
    """How one thing refers to another."""
    return f"{COMPUTE}/projects/{PROJECT}/{path}"


def of_the_cloud(records: Iterable[Record]) -> tuple[Mapping[str, list[Object]], Mapping[str, Object]]:
    """A pretend cloud's resources as Google lists them, and those that are asked for by name."""
    things: dict[str, list[Object]] = {}
    found: dict[str, Object] = {}
    by_id: dict[str, Object] = {}
    for record in records:
        args, name = record.args, record.args.get("name", "")
        network = {"network": f"{COMPUTE}/{args['network']}"} if "network" in args else {}
        made = {
            "name": name,
            "selfLink": record.state.get("selfLink"),
            "description": args.get("description"),
            **network,
        }
        by_id[record.id] = made
        match record.kind:
            case "compute.Network":
                things.setdefault("compute/global/networks", []).append(made)
            case "compute.Subnetwork":
                things.setdefault("compute/aggregated/subnetworks", []).append(made)
            case "compute.Firewall":
                things.setdefault("compute/global/firewalls", []).append(made)
            case "compute.Router":
                things.setdefault("compute/aggregated/routers", []).append(made)
            case "compute.RouterNat":
                router = next(row for row in by_id.values() if row["name"] == args["router"].rpartition("/")[2])
                router.setdefault("nats", []).append({"name": name})
            case "container.Cluster":
                cluster = {**made, "network": last(args["network"]), "location": args["location"], "status": "RUNNING"}
                by_id[record.id] = {**cluster, "resourceLabels": args["resource_labels"], "nodePools": []}
                things.setdefault("container/locations/-/clusters", []).append(by_id[record.id])
            case "container.NodePool":
                config = {"machineType": args["node_config"]["machine_type"]}
                by_id[args["cluster"]]["nodePools"].append({"name": name, "config": config, "status": "RUNNING"})
            case "serviceaccount.Account":
                found[f"iam/serviceAccounts/{last(record.id)}"] = {"email": last(record.id)}
    return things, found
