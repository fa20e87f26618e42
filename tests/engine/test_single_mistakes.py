"""A pool that is wrong in one field, before the real scheduler: its pods stay Pending, and the verdict names the field.

`tests/unit/test_single_mistakes_*.py` walk every field by arithmetic; here one of each kind shows that the arithmetic is right,
first on pools that are made without the engine, then by whole rehearsals of a program whose plan is wrong.
"""

import importlib.util
import json
import os
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearsal.clouds.gke.nodes import CLASSES, Fleet
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.fleet.crds import CRDS
from rehearsal.fleet.live import ready
from rehearsal.fleet.node_pools import Controller
from rehearsal.fleet.nodes import device_class_objects
from rehearsal.parts.standins.crds import NODE_POOL
from rehearsal.parts.toolchain import Toolchain
from rehearsal.verdict.node_pools import Pools
from rehearsal.verdict.verdict import Verdict, verdict_of
from stacks.clouds.coreweave.pools import API, FLAVOR
from stacks.kube.api import Api
from stacks.rules.facts import serving_blueprint
from stacks.spec.stack import StackSpec
from tests.engine.harness import control_plane
from tests.engine.test_gke import write
from tests.engine.test_rehearse import CHECKOUT, COREWEAVE, Started, finished, nothing_is_left, root, start
from tests.engine.waiting import until
from tests.gke_plans import planned, variant
from tests.mistakes import Path as Place
from tests.mistakes import put, without
from tests.pretend_cloud import Program
from tests.unit.test_coreweave import pools_of
from tests.unit.test_coreweave import stack as on_coreweave

__all__ = ["root", "start"]
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pulumi_gcp") is None, reason="pulumi-gcp is not installed: make gke"
)
GONE = object()
NODE = ("node_config",)
NOBODYS = {"key": "nobody", "value": "tolerates"}
#: The place of a mistake, the wrong value, the scheduler's message, and the verdict's text.
Row = tuple[Place, Any, str, str]
RIGHT: Row = ((), None, "", "")
ON_GKE: list[tuple[str, Row]] = [
    ("tpu7x", RIGHT),
    ("tpu7x", ((*NODE, "labels", "cloud.google.com/gke-tpu-topology"), "2x4", "node affinity/selector",
               "its label cloud.google.com/gke-tpu-topology is 2x4, and the pods select 2x2x1")),
    ("tpu7x", ((*NODE, "taints"), [{**NOBODYS, "effect": "NO_SCHEDULE"}], "untolerated taint",
               "the pods do not tolerate its taint nobody=tolerates:NoSchedule")),
    ("tpu7x", ((*NODE, "machine_type"), "ct6e-standard-8t", "node affinity/selector",
               "(machine type ct6e-standard-8t): of cpu it has 179480m, and a pod asks for 200; its label "
               "cloud.google.com/gke-tpu-accelerator is tpu-v6e-slice, and the pods select tpu7x")),
    ("dranet", RIGHT),
    # The laws would not let these through: what nodes without NICs or GPUs look like.
    ("dranet", (("network_config", "accelerator_network_profile"), GONE, "cannot allocate all claims",
                "of mrdma.google.com it has 0, and a pod asks for")),
    ("dranet", ((*NODE, "labels", "nvidia.com/gpu.present"), "false", "cannot allocate all claims",
                "of gpu.nvidia.com it has 0, and a pod asks for")),
]  # fmt: skip
ON_COREWEAVE: list[Row] = [
    RIGHT,
    (("nodeLabels", FLAVOR), "", "node affinity/selector", f"its label {FLAVOR} is empty, and the pods select infiniband"),
    (("nodeTaints",), [{**NOBODYS, "effect": "NoExecute"}], "untolerated taint",
     "the pods do not tolerate its taint nobody=tolerates:NoExecute"),
    (("instanceType",), "turin-gp", "node affinity/selector",
     "(machine type turin-gp): of nvidia.com/gpu it has 0, and a pod asks for"),
    (("nodeTaints",), [{"key": "is_gpu", "value": "mine", "effect": "PreferNoSchedule"}], "",
     "taints must be unique by key and effect pair"),
]  # fmt: skip


@pytest.fixture(scope="module")
def plane(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One without a node, and with what CoreWeave and the GPU's DRA driver bring."""
    with control_plane("mistakes", tmp_path_factory.mktemp("mistakes"), toolchain) as started:
        api = Api(str(started.kubeconfig), started.context)
        api.create(CRDS, NODE_POOL.definition)
        for device_class in device_class_objects(["gpu.nvidia.com"]):
            api.create(CLASSES, device_class)
        yield started


@pytest.fixture
def api(plane: ControlPlane) -> Api:
    return Api(str(plane.kubeconfig), plane.context)


def wrong(content: Any, row: Row) -> Any:
    place, value, *_ = row
    return without(content, place) if value is GONE else put(content, place, value) if place else content


def judged(api: Api, spec: StackSpec, enough: Callable[[Verdict], bool], pools: Pools | None = None) -> Verdict:
    """The verdict on a stack's model servers, once there is enough of one. They are taken away again."""
    place = f"namespaces/{spec.namespace}"
    api.create("/api/v1/namespaces", {"metadata": {"name": spec.namespace}})
    paths = {
        "Deployment": f"/apis/apps/v1/{place}/deployments",
        "ServiceAccount": f"/api/v1/{place}/serviceaccounts",
        "ResourceClaimTemplate": f"/apis/resource.k8s.io/v1/{place}/resourceclaimtemplates",
    }
    around = [pools] if pools else []
    try:
        for obj in sorted(
            serving_blueprint(spec, CHECKOUT).model_server, key=lambda obj: str(obj["kind"]) == "Deployment"
        ):
            api.create(paths[obj["kind"]], obj)
        until(lambda: enough(verdict_of(api, spec.namespace, around)))
        return verdict_of(api, spec.namespace, around)
    finally:
        api.delete(paths["Deployment"])
        holders = (f"/api/v1/{place}/pods", f"/apis/resource.k8s.io/v1/{place}/resourceclaims")
        until(lambda: not any(api.items(path) for path in holders))


def told(verdict: Verdict, row: Row) -> None:
    """The verdict passes without a mistake, and names it with one."""
    _, _, scheduler, words = row
    if not words:
        assert verdict.serving, verdict.reasons()
        assert not verdict.mismatches
        return
    assert not verdict.passed
    said = [*verdict.reasons(), *(flaw.text for flaw in verdict.flaws)]
    assert any(scheduler in line and words in line for line in said), said


def refused(verdict: Verdict) -> bool:
    """Whether the scheduler has had its say about every pod."""
    return bool(verdict.pods) and all(pod.pending and pod.reason for pod in verdict.pods) and not verdict.shortfalls


@pytest.mark.parametrize(("name", "row"), ON_GKE, ids=[f"{name} {row[3][:50] or 'right'}" for name, row in ON_GKE])
def test_a_pool_on_gke(name: str, row: Row, api: Api, tmp_path: Path) -> None:
    spec = variant(name)
    made = planned(spec)
    program = Program(tmp_path / "cloud.json", fleet=api)
    *before, pool = made.resources
    system = made.settings.named("system")  # its nodes would only be more that do not match
    program.create_all([one for one in before if one.name != system])
    program.create(replace(pool, args=wrong(pool.args, row)))
    try:
        told(judged(api, spec, refused if row[3] else lambda verdict: verdict.serving), row)
    finally:
        Fleet(api).remove(program.cloud.records()[-1].args)
        Fleet(api).take()


@pytest.mark.parametrize("row", ON_COREWEAVE, ids=[row[3][:50] or "right" for row in ON_COREWEAVE])
def test_a_pool_on_coreweave(row: Row, api: Api) -> None:
    spec = on_coreweave(systemPool={"manage": False})
    pool = pools_of(spec)["acceleratorPool"]
    pools, controller = Pools([pool]), Controller(api)
    api.create(API, pool.manifest() | {"spec": wrong(pool.spec, row)})

    def settled() -> bool:
        controller.reconcile()
        there = [node for node in api.items("/api/v1/nodes") if ready(node)]
        return len(there) == pool.nodes or any(flaw.awaited for flaw in pools.flaws(api))

    try:
        until(settled)
        controller.reconcile()  # and says so
        told(judged(api, spec, refused if row[3] else lambda verdict: verdict.serving, pools), row)
    finally:
        api.delete(f"{API}/{pool.name}")
        until(lambda: (controller.reconcile(), not api.items(API))[1])


#: A plan that is wrong, in every process of a rehearsal: whichever reads it finds the same.
WRONG = """
    import json, os
    from dataclasses import replace
    from stacks.clouds.coreweave import plan as coreweave
    from stacks.clouds.gke import plan as gke
    from tests.mistakes import put
    place, value = json.loads(os.environ["MISTAKE"])
    on_gke, on_coreweave = gke.accelerator_pool, coreweave.node_pools
    def wrong_on_gke(site):
        pool = on_gke(site)
        return replace(pool, args=put(pool.args, place, value))
    def wrong_on_coreweave(request):
        pools = on_coreweave(request)
        return [replace(one, spec=put(one.spec, place, value)) if one.key == "acceleratorPool" else one for one in pools]
    gke.accelerator_pool, coreweave.node_pools = wrong_on_gke, wrong_on_coreweave
"""


def test_whole_rehearsals_of_wrong_plans(start: Started, root: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "sitecustomize.py").write_text(textwrap.dedent(WRONG))
    search = os.pathsep.join((str(tmp_path / "wrong"), str(CHECKOUT)))
    tpu = write(tmp_path, "tpu", {"accelerator": "tpu"})
    label = (*NODE, "labels", "cloud.google.com/gke-tpu-topology")
    tainted = [{**NOBODYS, "effect": "NoSchedule"}]
    # The last one breaks a law of the plan, which is refused before a rehearsal starts.
    runs: list[tuple[Path, Place, Any, str]] = [
        (tpu, label, "2x4", f"its label {label[-1]} is 2x4, and the pods select 2x2x1"),
        (COREWEAVE, ("nodeTaints",), tainted, "the pods do not tolerate its taint nobody=tolerates:NoSchedule"),
        (COREWEAVE, ("instanceType",), "turin-gp", "(machine type turin-gp): of nvidia.com/gpu it has 0"),
        (tpu, ("network_config", "accelerator_network_profile"), "auto",
         "claim no NICs, because the cloud would refuse it"),
    ]  # fmt: skip
    for pair in (runs[:2], runs[2:]):
        started = [
            start("rehearse", file, env=os.environ | {"MISTAKE": json.dumps([place, value]), "PYTHONPATH": search})
            for file, place, value, _ in pair
        ]
        for process, (*_, words) in zip(started, pair, strict=True):
            code, text = finished(process)
            assert code == 1
            assert ("FAILED" in text) is ("(GKE-25)" not in text)
            assert words in " ".join(text.split())
            assert "Traceback" not in text
    nothing_is_left(root)
