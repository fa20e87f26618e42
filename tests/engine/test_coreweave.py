"""Node pools on CoreWeave by the real engine: made, grown, replaced only when told, protected, and gone in order; and what a bad
day looks like. Who makes the nodes is the rehearsal's controller."""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal.control_plane.plane import ControlPlane
from rehearsal.fleet import node_pools as nodepools
from rehearsal.fleet.crds import CRDS
from rehearsal.parts.standins.crds import NODE_POOL
from rehearsal.parts.toolchain import Toolchain
from rehearsal.verdict.node_pools import Pools
from rehearsal.verdict.verdict import verdict_of
from stacks.clouds.coreweave.pools import API
from stacks.kube.api import Api
from tests.engine.departures import Departures
from tests.engine.harness import Stack, control_plane
from tests.engine.inventory import steady
from tests.engine.test_rehearse import COREWEAVE, Started, finished, nothing_is_left, root, start
from tests.engine.waiting import until

__all__ = ["root", "start"]

CPU, GPU = f"{API}/guide-cpu", f"{API}/guide-gpu"


@pytest.fixture(scope="module")
def plane(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane without a node, and with what CoreWeave brings."""
    with control_plane("coreweave", tmp_path_factory.mktemp("coreweave"), toolchain) as started:
        Api(str(started.kubeconfig), started.context).create(CRDS, NODE_POOL.definition)
        nodepools.restart(started, None)
        yield started


def types(api: Api) -> list[str]:
    return sorted(node["metadata"]["labels"]["node.kubernetes.io/instance-type"] for node in api.items("/api/v1/nodes"))


def test_from_no_node_to_the_guide_and_back(stack: Callable[..., Stack]) -> None:
    guide = stack(
        "guide",
        serving={"accelerator": "nvidia", "fabric": "coreweave"},
        cluster={"provider": "coreweave", "machine": "coreweave-h200", "nodes": 3},  # one to spare for the scheduler
    )
    api, place = guide.api, f"/namespaces/{guide.config['namespace']}"
    nothing = steady(api)
    assert api.items("/api/v1/nodes") == []
    assert guide.up().code == 0
    assert types(api) == ["cd-gp-i64-erapids"] + ["gd-8xh200ib-i128"] * 3
    around = Pools(guide.blueprint.cluster.pools)
    verdict = verdict_of(api, guide.config["namespace"], [around])
    assert verdict.passed, (verdict.refusals(), verdict.flaws)
    assert {pod.node for pod in verdict.pods if "vllm" in pod.owner} <= {f"guide-gpu-{index}" for index in range(3)}
    assert guide.preview("--expect-no-changes").code == 0

    # More nodes: in place, and waited for.
    guide.config["cluster"] |= {"nodes": 4}
    grown = guide.up()
    assert (grown.code, len(types(api))) == (0, 5)
    assert re.search(r"1 updated", grown.text)

    # Another type: by name only, and by its field's name.
    guide.config["cluster"] |= {"coreweave": {"systemPool": {"instanceType": "turin-gp"}}}
    for refused in (guide.preview(), guide.up()):
        assert refused.code != 0
        assert (
            "llmd-pd:cluster.coreweave.systemPool.instanceType: NodePool guide-cpu is of cd-gp-i64-erapids"
            in refused.text
        )
        assert "Traceback" not in refused.text
    assert "cd-gp-i64-erapids" in types(api)
    guide.config["cluster"] |= {"allowReplace": ["systemPool"]}
    assert guide.up().code == 0
    assert types(api) == ["gd-8xh200ib-i128"] * 4 + ["turin-gp"]

    # Protected, until told.
    guide.config["cluster"] |= {"allowReplace": []}
    assert guide.up().code == 0
    before = steady(api)
    refused = guide.run(
        "destroy", "--yes"
    )  # with its preview, which is where the engine refuses; without, it begins first
    assert refused.code != 0
    assert "protected" in refused.text
    assert steady(api).keys() == before.keys(), "nothing goes before everything may"
    guide.config["cluster"] |= {"protect": False}
    assert guide.up().code == 0

    paths = {"CPU pool": CPU, "GPU pool": GPU, "release": f"/apis/apps/v1{place}/deployments/guide-epp"}
    roles = {role: f"/apis/apps/v1{place}/deployments/guide-nvidia-gpu-vllm-{role}" for role in ("prefill", "decode")}
    after = {"GPU pool": [*roles], "CPU pool": ["release", "GPU pool"]}
    with Departures(api, {**paths, **roles}, after) as seen:
        assert guide.destroy().code == 0
    assert seen.gone == {*paths, *roles}
    assert seen.outlived == set(), "nodes went under what ran on them, or all CPUs before the accelerators"
    assert api.items("/api/v1/nodes") == []
    assert api.items(API) == []
    left = set(steady(api)) - set(nothing)
    assert all(key.startswith("customresourcedefinitions.apiextensions.k8s.io ") for key in left), left


def test_a_pool_of_somebody_elses_is_refused_and_taken_over_as_the_message_says(stack: Callable[..., Stack]) -> None:
    pool = {"name": "theirs"}
    guest = stack(
        "guest",
        serving={"accelerator": "nvidia", "fabric": "coreweave", "prefill": {"replicas": 2}, "decode": {"replicas": 1}},
        cluster={"provider": "coreweave", "nodes": 1, "coreweave": {"acceleratorPool": pool}, "protect": False},
    )
    theirs = {"metadata": {"name": "theirs"}, "spec": {"instanceType": "gd-8xh200ib-i128", "targetNodes": 1}}
    kind = {"apiVersion": "compute.coreweave.com/v1alpha1", "kind": "NodePool"}
    guest.api.create(API, {**kind, **theirs})
    refused = guest.up()
    assert refused.code != 0
    assert "NodePool theirs exists already, because it belongs to another owner" in refused.text
    assert len(guest.api.items(API)) == 1
    until(lambda: len(types(guest.api)) == 1)
    (before,) = guest.api.items("/api/v1/nodes")

    (advice,) = set(re.findall(r"`(kubectl annotate [^`]*)`", refused.text))
    subprocess.run([str(guest.toolchain["kubectl"].path), *shlex.split(advice)[1:]], check=True, env=guest.env)
    assert guest.up().code == 0
    assert guest.preview("--expect-no-changes").code == 0
    after = guest.api.get(f"/api/v1/nodes/{before['metadata']['name']}")
    assert (after or {})["metadata"]["uid"] == before["metadata"]["uid"], "the node is the one that was there"
    assert guest.destroy().code == 0
    assert guest.api.items(API) == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            "quota",
            "0 of 2 nodes (gd-8xh200ib-i128): quota limit is 0 for instance type gd-8xh200ib-i128 (Quota: NotSet)",
        ),
        ("not-in-zone", "0 of 1 nodes (cd-gp-i64-erapids): instance type does not exist in zone (Validated: Invalid)"),
        ("apply-forbidden", 'User cannot create resource "nodepools" in API group "compute.coreweave.com"'),
    ],
)
def test_a_bad_day(fault: str, words: str, start: Started, root: Path) -> None:
    code, text = finished(start("rehearse", COREWEAVE, "--fault", fault))
    assert code == 1
    assert words in text
    assert "Traceback" not in text
    assert f"llmd-pd rehearse {COREWEAVE} --fault {fault} --keep" in text
    nothing_is_left(root)
