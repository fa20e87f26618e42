"""Node pools as the engine is told of them: order, protection, replacement and patience; and what comes after them."""

import re
from pathlib import Path
from typing import Any

import pytest

from stacks.blueprint import ServingBlueprint
from stacks.compose import compose
from stacks.file.load import load
from stacks.rules.facts import serving_blueprint
from tests.blueprints import whole
from tests.crd_files import write
from tests.mocks.recording import OWNER, Recording, Registration, record
from tests.unit.test_coreweave import stack

ROOT = Path(__file__).parents[2]
CPU, GPU = "pd-disaggregation-cpu", "pd-disaggregation-gpu"


def composed(cluster: dict[str, Any] | None = None, **pools: Any) -> tuple[ServingBlueprint, Recording]:
    given = stack(cluster, **pools)
    planned = serving_blueprint(
        given.model_copy(update={"crds": given.crds.model_copy(update={"manage": False})}), ROOT
    )
    return planned, record(lambda: compose(whole(planned), OWNER))


def pools(recording: Recording) -> dict[str, Registration]:
    return {resource.name: resource for resource in recording.under("NodePools")}


def test_pools_are_the_plans_and_say_whose_they_are() -> None:
    planned, recording = composed()
    for pool in whole(planned).cluster.pools:
        registered = pools(recording)[pool.name]
        assert registered.type == "kubernetes:compute.coreweave.com/v1alpha1:NodePool"
        assert registered.provider == "cluster-shared", "one that carries our mark is taken over"
        annotations = registered.inputs["metadata"]["annotations"]
        assert annotations == {
            "llmd-pd/stack": OWNER,
            "pulumi.com/waitFor": f"jsonpath={{.status.currentNodes}}={pool.nodes}",
        }
        assert registered.inputs["spec"] == pool.spec


def test_the_cpus_come_first_and_everything_else_after() -> None:
    _, recording = composed()
    found = pools(recording)
    assert (found[CPU].after, found[GPU].after) == (frozenset(), {CPU})
    for deployment in recording.of(":Deployment"):
        assert {CPU, GPU} <= deployment.after
    release = recording.one(":Release")
    assert CPU in release.after
    assert GPU not in recording.before(release), "the router need not wait for the accelerators"


def test_the_router_waits_for_no_accelerator_if_the_cpus_are_not_the_stacks() -> None:
    _, recording = composed(systemPool={"manage": False})
    assert [*pools(recording)] == [GPU]
    assert GPU not in recording.before(recording.one(":Release"))


@pytest.mark.parametrize(
    ("cluster", "protected"),
    [
        ({}, {CPU: True, GPU: True}),
        ({"allowReplace": ["acceleratorPool"]}, {CPU: True, GPU: False}),
        ({"allowReplace": ["systemPool", "acceleratorPool"]}, {CPU: False, GPU: False}),
        ({"protect": False}, {CPU: False, GPU: False}),
    ],
)
def test_what_bills_is_protected_until_told(cluster: dict[str, Any], protected: dict[str, bool]) -> None:
    _, recording = composed(cluster)
    assert {name: pool.protected for name, pool in pools(recording).items()} == protected
    guard = {"pool-guard"} if any(protected.values()) else set()
    assert {r.name for r in recording.resources if r.protected} == guard | {
        name for name, so in protected.items() if so
    }


def test_a_destroy_asks_whose_pods_are_on_the_nodes_before_anything_goes() -> None:
    _, recording = composed(deleteInUse=True)
    guard = recording.one(":PoolGuard")
    made = {r.name for r in recording.resources if r.type.startswith("kubernetes:") and not r.read and not r.retained}
    assert made <= recording.before(guard)
    said = {key: guard.inputs[key] for key in ("pools", "label", "owner", "section", "deleteInUse")}
    assert said == {
        "pools": [CPU, GPU],
        "label": "compute.coreweave.com/node-pool",
        "owner": OWNER,
        "section": "cluster.coreweave",
        "deleteInUse": True,
    }


def test_a_pool_of_another_type_is_another_pool_and_never_two_at_once() -> None:
    for pool in pools(composed()[1]).values():
        assert (pool.replaced_on, pool.deleted_first) == (("spec.instanceType",), True)


def test_bare_metal_takes_its_time() -> None:
    for pool in pools(composed()[1]).values():
        assert {pool.create_timeout, pool.update_timeout, pool.delete_timeout} == {"3600s"}


def test_the_number_of_autoscaled_nodes_is_the_autoscalers() -> None:
    _, recording = composed(acceleratorPool={"autoscaling": {"min": 0, "max": 4}})
    found = pools(recording)
    assert (found[CPU].ignored, found[GPU].ignored) == ((), ("spec.targetNodes",))
    assert "pulumi.com/waitFor" not in found[GPU].inputs["metadata"]["annotations"], "it may be none, rightly"


def test_the_page_counts_the_resources_of_a_preview_from_nothing(tmp_path: Path) -> None:
    spec = load(ROOT / "Pulumi.coreweave-h200.yaml").spec
    crds = spec.crds.model_copy(update={"directory": str(write(tmp_path / "crds"))})
    planned = serving_blueprint(spec.model_copy(update={"crds": crds}), ROOT)
    made = [r for r in record(lambda: compose(whole(planned), OWNER)).resources if not r.read]
    (said,) = re.findall(
        r"The preview from nothing shows (\d+) resources", (ROOT / "docs" / "coreweave.md").read_text()
    )
    assert int(said) == len(made) + 1  # and the stack itself
