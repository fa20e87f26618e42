"""Every object of every stack and variant, tried on a real API server that has the published CRDs: a strict dry run.

Published CRDs that no Go module carries are taken from upstream's files where those are at hand (`tests.parity.reference`); of
the others there is the stand-in, and the test prints which these are.
"""

import copy
import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException

from commands.manifests import placed
from commands.render import stack_objects
from rehearsal import placeholders
from rehearsal.errors import UnavailableError
from rehearsal.fleet.crds import CRDS
from rehearsal.parts import charts, cluster_crds
from rehearsal.parts.cluster_crds import Definition
from rehearsal.parts.crd_files import Fetch
from rehearsal.parts.standins import charts as standins
from rehearsal.parts.standins.crds import BROUGHT, NODE_POOL, Resource
from rehearsal.parts.toolchain import Toolchain
from rehearsal.report import PlainReport
from releases import RELEASES, gateway_api
from releases.cluster_crds import PUBLISHED
from releases.files import Pinned, crd_objects
from releases.gateways import RECIPES
from stacks.blueprint import Blueprint, ServingBlueprint
from stacks.file.load import load
from stacks.kube.api import Api
from stacks.rules.facts import blueprint
from tests.blueprints import read
from tests.engine.harness import control_plane
from tests.engine.waiting import until
from tests.gke_plans import VARIANTS, variant
from tests.parity.overlays import OVERLAYS
from tests.parity.reference import upstream

Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(ROOT.glob("Pulumi.*.yaml"))
STRICT = "dryRun=All&fieldValidation=Strict"
HEALTH = next(resource for resource in BROUGHT if resource.kind == "HealthCheckPolicy")
#: Of a Gateway in another namespace, so that May's HTTPRoute is the stack's own.
SHARED = {"provider": "istio", "manage": False, "namespace": "shared", "baseModel": "m"}
GATEWAYS: list[dict[str, Any]] = [
    SHARED,
    *(
        {"provider": recipe.provider, "recipe": recipe.key, **({} if recipe.gateway_class else {"className": "c"})}
        for recipe in RECIPES.values()
    ),
]
SILENT = PlainReport(io.StringIO())


def published(resource: Resource) -> Definition:
    """The published CRD: kept, downloaded, of a module, or of upstream's files; else the stand-in."""
    (found,) = cluster_crds.definitions([resource], SILENT)
    directory = upstream()
    if found.published is None and directory is not None:
        with suppress(OSError):
            content = (directory / "crds" / resource.file).read_bytes()
            if hashlib.sha256(content).hexdigest() == PUBLISHED[resource.name].crd.sha256:
                return Definition(resource, yaml.safe_load(content), PUBLISHED[resource.name])
    return found


class Server:
    """An API server that knows the kinds of a set of CRDs, and of which objects are asked for and none is kept."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kinds: dict[tuple[str, str], tuple[str, bool]] = {}

    def install(self, crds: list[Object]) -> None:
        for crd in crds:
            self._api.create(CRDS, crd)
        for crd in crds:
            name = crd["metadata"]["name"]
            until(lambda name=name: self._established(name), f"CRD {name} is not established")

    def _established(self, name: str) -> bool:
        found = self._api.get(f"{CRDS}/{name}") or {}
        conditions = {row["type"]: row for row in found.get("status", {}).get("conditions") or []}
        refused = conditions.get("NonStructuralSchema", {}).get("message")
        assert refused is None, f"CRD {name}: {refused}"
        return conditions.get("Established", {}).get("status") == "True"

    def refusal(self, obj: Object) -> str | None:
        """Returns the refusal of a strict dry run that creates the object."""
        version = obj["apiVersion"]
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        plural, namespaced = self._kind(base, obj["kind"])
        metadata = {key: value for key, value in obj["metadata"].items() if key != "namespace" or namespaced}
        place = f"/namespaces/{metadata['namespace']}" if namespaced else ""
        try:
            self._api.create(f"{base}{place}/{plural}?{STRICT}", {**obj, "metadata": metadata})
        except ApiException as error:
            return str(json.loads(error.body)["message"])
        return None

    def _kind(self, base: str, kind: str) -> tuple[str, bool]:
        if (base, kind) not in self._kinds:
            for row in (self._api.get(base) or {}).get("resources", []):
                if "/" not in row["name"]:
                    self._kinds[base, row["kind"]] = (row["name"], row["namespaced"])
        return self._kinds[base, kind]

    def namespace(self, name: str) -> None:
        self._api.create("/api/v1/namespaces", {"metadata": {"name": name}})


@pytest.fixture(scope="module")
def definitions() -> list[Definition]:
    """The CRDs of every kind that a cluster brings."""
    return [published(resource) for resource in BROUGHT]


@pytest.fixture(scope="module")
def server(
    toolchain: Toolchain, definitions: list[Definition], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    files = list(dict.fromkeys(crd for bill in RELEASES.values() for crd in (*bill.crds, *gateway_api.CRDS)))
    own = crd_objects(files, replace(Pinned(), fetch=Fetch(files, Pinned().fetch, SILENT)))
    with control_plane("custom-resources", tmp_path_factory.mktemp("crs"), toolchain) as plane:
        api = Api(str(plane.kubeconfig), plane.context)
        # The control plane of the tests has the stand-ins of these.
        for definition in definitions:
            api.delete(f"{CRDS}/{definition.resource.name}")
            until(lambda name=definition.resource.name: api.get(f"{CRDS}/{name}") is None, "a CRD stays")
        found = Server(api)
        found.install([*own, *(definition.object for definition in definitions), NODE_POOL.definition])
        yield found


def chart(made: ServingBlueprint, helm: Path, directory: Path) -> Path:
    """The official chart, or the stand-in for one whose sources are in no Go module."""
    ref, version = made.router.chart, made.router.version
    try:
        return charts.find(ref, version, helm, SILENT).path
    except UnavailableError:
        return standins.package(ref.rpartition("/")[2], directory, helm)


def without_rules(schema: Any) -> Any:
    """A CRD, or a part of one, without its rules in CEL."""
    if isinstance(schema, dict):
        return {key: without_rules(below) for key, below in schema.items() if key != "x-kubernetes-validations"}
    return [without_rules(item) for item in schema] if isinstance(schema, list) else schema


def planned(**config: Any) -> Blueprint:
    problems, spec = read({"serving": {"accelerator": "nvidia"}, **config})
    assert problems == []
    assert spec is not None
    return blueprint(spec, ROOT)


def plans() -> Iterator[Blueprint]:
    """Of every overlay, way into a router, cluster on GKE and shipped file."""
    for overlay in OVERLAYS:
        accelerator, engine, fabric = overlay.choice
        serving = {"accelerator": accelerator, "engine": engine, "fabric": fabric}
        yield planned(release=overlay.release, serving=serving, monitoring={"podMonitors": True})
    for release in RELEASES:
        for router in ({}, *({"mode": "gateway", "gateway": gateway} for gateway in GATEWAYS)):
            for monitored in (False, True):
                yield planned(release=release, router=router, monitoring={"router": monitored})
    for name in VARIANTS:
        yield blueprint(variant(name), ROOT)
    for path in SHIPPED:
        yield blueprint(placeholders.filled(load(path, placeholders.UNASKED).spec), ROOT)


def objects(made: Blueprint, helm: Path, directory: Path) -> Iterator[Object]:
    """All that a plan applies but CRDs."""
    if (served := made.serving) is not None:
        local = replace(served, router=replace(served.router, chart=str(chart(served, helm, directory)), version=None))
        files, left_out = stack_objects(local, skip_crds=True)
        assert left_out.keys() <= {"crds.yaml"}
        for found in files.values():
            yield from found
    yield from made_beside(made)


def made_beside(made: Blueprint) -> Iterator[Object]:
    """All that a plan applies but CRDs and its router."""
    if (served := made.serving) is not None:
        yield served.namespace()
        yield from (placed(obj, made.spec.namespace) for obj in (*served.model_server, *served.monitoring))
    yield from (pool.manifest("organization/project/stack") for pool in made.cluster.pools)
    yield from made.cluster.objects


def test_every_object_of_every_stack_passes(
    server: Server, definitions: list[Definition], toolchain: Toolchain, tmp_path: Path
) -> None:
    found: dict[str, Object] = {}
    routers: list[object] = []
    for made in plans():
        if (served := made.serving) and (router := (served.router, served.gateway)) not in routers:
            routers.append(router)
            new = objects(made, toolchain["helm"].path, tmp_path)
        else:
            new = made_beside(made)
        found |= {json.dumps(obj, sort_keys=True): obj for obj in new}
    for name in {obj["metadata"].get("namespace") for obj in found.values()} - {None}:
        server.namespace(name)
    refused = [
        f"{obj['kind']} {obj['metadata']['name']}: {why}" for obj in found.values() if (why := server.refusal(obj))
    ]
    standing_in = [definition.resource.kind for definition in definitions if definition.published is None]
    print(f"{len(found)} objects; CRDs that are stand-ins: {', '.join([*standing_in, NODE_POOL.kind])}")
    assert refused == []
    # A kind of which there is no object would have been tried by nothing.
    assert {resource.kind for resource in (*BROUGHT, NODE_POOL)} <= {obj["kind"] for obj in found.values()}


def test_the_charts_own_health_check_is_refused_by_gkes_newer_crd_and_ours_by_neither(
    server: Server, definitions: list[Definition], toolchain: Toolchain, tmp_path: Path
) -> None:
    made = planned(router={"mode": "gateway", "gateway": {"provider": "gke"}})
    (ours,) = (obj for obj in objects(made, toolchain["helm"].path, tmp_path) if obj["kind"] == HEALTH.kind)
    server.namespace(made.spec.namespace)
    charts_own, unpatched = copy.deepcopy(ours), copy.deepcopy(ours)
    del charts_own["spec"]["default"]["config"]["httpHealthCheck"]["portSpecification"]
    del unpatched["spec"]["default"]["config"]

    assert "portSpecification" in (server.refusal(charts_own) or "")
    assert server.refusal(ours) is None
    assert server.refusal(unpatched) is None, "what Helm creates, before the stack's patch"

    # As it was before 2026-04-23: without the rules (gke-gateway-api 983ac3d and the three commits before it).
    (current,) = (definition.object for definition in definitions if definition.resource == HEALTH)
    earlier = without_rules(current)
    earlier["spec"]["group"] = "earlier.example.test"
    earlier["metadata"] = {"name": f"{HEALTH.plural}.earlier.example.test"}
    server.install([earlier])
    for obj in (charts_own, ours, unpatched):
        assert server.refusal({**obj, "apiVersion": "earlier.example.test/v1"}) is None
