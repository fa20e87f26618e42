"""The guide's stack from nothing and back, by the real engine on a real API server: what an `up` leaves alone, what a
changed key shows and does, and what a `destroy` takes with it. `test_existing` has the existing objects."""

import re
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from hardware.machines import MACHINES
from hardware.vocabulary import ROLES, Role
from rehearsal.fleet import fleet
from rehearsal.fleet.nodes import node_name
from rehearsal.session import CHECKOUT
from tests.engine.conftest import NVIDIA
from tests.engine.harness import Run, Stack
from tests.engine.inventory import inventory, steady
from tests.engine.waiting import until

OPERATE = CHECKOUT / "docs" / "operate.md"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#: A line of a preview's diff, or of its summary, that says that something changes.
CHANGE = re.compile(r"^\s*((?:~|\+|-|=|\+-|-\+|\+\+|--)\s.*)$", re.MULTILINE)
#: 4 prefill pods and 1 decode pod on two nodes: room for the pods of a rolling update beside the old ones.
DECODE = {"replicas": 1, "devices": 4}
ROOMY = {"accelerator": "nvidia", "prefill": {"replicas": 4, "devices": 1}, "decode": DECODE}
TWO_NODES = {"nodes": 2}


def unchanged(stack: Stack) -> None:
    """A preview has nothing to do."""
    assert stack.preview("--expect-no-changes").code == 0


def changes(run: Run) -> list[str]:
    """The lines of a preview that say that something changes."""
    assert run.code == 0
    return [line.strip() for line in CHANGE.findall(run.text)]


def deployment(stack: Stack, role: Role) -> dict[str, Any]:
    namespace, name = stack.config["namespace"], stack.serving_blueprint.workload.deployment_name(role)
    found = stack.api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    assert found is not None
    return found


def kubectl(stack: Stack, *arguments: str) -> None:
    at = ["--kubeconfig", stack.plane.kubeconfig, "--namespace", stack.config["namespace"]]
    subprocess.run([stack.toolchain["kubectl"].path, *at, *arguments], check=True)


def scale(stack: Stack, role: Role, replicas: int) -> None:
    """As an autoscaler does it: through the subresource, so the number is its own from then on."""
    kubectl(
        stack, "scale", f"deployment/{stack.serving_blueprint.workload.deployment_name(role)}", f"--replicas={replicas}"
    )


def pods(stack: Stack) -> list[dict[str, Any]]:
    """The model servers' pods but for those on their way out."""
    label = f"llm-d.ai/guide%3D{stack.config['name']}"
    found = stack.api.items(f"/api/v1/namespaces/{stack.config['namespace']}/pods?labelSelector={label}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def crd_names(stack: Stack) -> set[str]:
    return {crd["metadata"]["name"] for crd in stack.serving_blueprint.crds()}


def without_crds(stack: Stack) -> None:
    """The cluster as no stack of ours has ever seen it."""
    for name in crd_names(stack):
        stack.api.delete(f"{CRDS}/{name}")


def settled(stack: Stack, count: int, image: str) -> list[dict[str, Any]]:
    """The pods, once there are so many and all of this image: the provider does not wait until the old ones are gone."""

    def done() -> bool:
        found = pods(stack)
        return len(found) == count and {pod["spec"]["containers"][0]["image"] for pod in found} == {image}

    until(done, f"there are not {count} pods of {image} alone")
    return pods(stack)


def test_from_nothing_and_back(stack: Callable[..., Stack]) -> None:
    """Two stacks on one cluster, the second gone without a trace, the first with all but the CRDs, and back again."""
    first = stack("first", monitoring={"podMonitors": True})
    fleet.add_nodes(first.api, {"nvidia-generic": 4, "system": 1})
    without_crds(first)
    nothing = steady(first.api)

    assert first.up().code == 0
    unchanged(first)
    first.config["serving"] = NVIDIA | {"prefill": {"replicas": 7, "devices": 1}}
    assert changes(first.preview("--diff")) == [
        "~ kubernetes:apps/v1:Deployment: (update)",
        "~ spec: {",
        "~ replicas: 8 => 7",
        "~ 1 to update",
    ]
    first.config["serving"] = NVIDIA
    assert first.run("refresh", "--preview-only", "--expect-no-changes").code == 0
    alone = steady(first.api)

    second = stack("second", serving=ROOMY)
    assert second.up().code == 0
    assert len(pods(second)) == 5
    assert second.destroy().code == 0
    assert steady(first.api) == alone

    assert first.destroy().code == 0
    after = steady(first.api)
    assert {key: after.get(key) for key in nothing} == nothing
    left = {key: after[key] for key in after.keys() - nothing}
    assert set(left) == {f"customresourcedefinitions.apiextensions.k8s.io /{name}" for name in crd_names(first)}
    assert len(left) == 4

    assert first.up().code == 0
    again = inventory(first.api)
    assert {key: again[key]["metadata"]["uid"] for key in left} == {key: left[key]["metadata"]["uid"] for key in left}
    unchanged(first)


def test_updates(stack: Callable[..., Stack]) -> None:
    """Replicas, an image, a fabric: each in place, by one `up` that waits until the new pods serve."""
    guide = stack("updates", serving=ROOMY, cluster=TWO_NODES)
    guide.nodes()
    assert guide.up().code == 0
    made = {role: deployment(guide, role)["metadata"]["uid"] for role in ROLES}

    guide.config["serving"] = ROOMY | {"prefill": {"replicas": 6, "devices": 1}}
    more = guide.up()
    assert more.code == 0
    assert deployment(guide, "prefill")["status"]["readyReplicas"] == 6
    assert deployment(guide, "decode")["metadata"]["generation"] == 1

    guide.config["serving"] = ROOMY | {"decode": {**DECODE, "memory": "48Gi"}}
    alone = guide.preview()
    assert alone.code == 0
    assert "the change replaces the decode pods and not the prefill pods" in alone.text
    assert "ROLL-01" not in more.text

    old = {pod["metadata"]["name"] for pod in pods(guide)}
    image = "docker.io/vllm/vllm-openai:v0.19.2-x86_64-cu130"
    guide.config["serving"] = ROOMY | {"image": image}
    assert guide.up().code == 0
    rolled = settled(guide, 5, image)
    assert not old & {pod["metadata"]["name"] for pod in rolled}

    coreweave = MACHINES["coreweave-h200"]
    guide.config["serving"] = ROOMY | {"image": image, "fabric": "coreweave"}
    fleet.add_nodes(guide.api, {coreweave.key: 2})
    assert guide.up().code == 0
    there = {node_name(coreweave, index) for index in range(2)}
    until(lambda: {pod["spec"].get("nodeName") for pod in pods(guide)} <= there, "pods stay on the old nodes")
    settled(guide, 5, image)

    assert {role: deployment(guide, role)["metadata"]["uid"] for role in made} == made
    unchanged(guide)

    # Both roles at once, as docs/operate.md has it.
    guide.config["serving"] = ROOMY | {"image": image, "fabric": "coreweave", "decode": {**DECODE, "memory": "48Gi"}}
    kubectl(guide, "delete", "deployment", "-l", f"llm-d.ai/guide={guide.config['name']}")
    assert guide.up("--refresh").code == 0
    assert made.items().isdisjoint((role, deployment(guide, role)["metadata"]["uid"]) for role in made)
    unchanged(guide)


def test_what_kubectl_took_is_taken_back_as_the_docs_say(stack: Callable[..., Stack]) -> None:
    """A number that kubectl set is kubectl's: no refresh ends that, and the variable of docs/operate.md does."""
    guide = stack("scaled", serving=ROOMY, cluster=TWO_NODES)
    guide.nodes()
    assert guide.up().code == 0
    scale(guide, "prefill", 3)
    unchanged(guide)
    assert guide.run("refresh", "--preview-only", "--expect-no-changes").code != 0

    assert guide.run("refresh", "--yes", "--skip-preview").code == 0
    for refused in (guide.up(), guide.up("--refresh")):
        assert refused.code != 0
        assert 'conflict with "kubectl"' in refused.text
        assert "Deployment (scaled-prefill)" in refused.text
    assert deployment(guide, "prefill")["spec"]["replicas"] == 3

    (variable,) = re.findall(r"`(PULUMI_\w+)=true pulumi up`", OPERATE.read_text())
    guide.env[variable] = "true"
    assert guide.up().code == 0
    del guide.env[variable]
    assert deployment(guide, "prefill")["spec"]["replicas"] == 4
    assert "1 to update" in guide.preview().text, "the provider is to forget the variable"
    assert guide.up().code == 0
    unchanged(guide)
    guide.config["serving"] = ROOMY | {"prefill": {"replicas": 2, "devices": 1}}
    assert guide.up().code == 0, "nothing of it is kubectl's any more"


@pytest.mark.newest_provider
def test_what_an_autoscaler_decides_stays(stack: Callable[..., Stack]) -> None:
    """While the rest of the Deployment still changes."""
    guide = stack("autoscaled", serving=ROOMY, cluster=TWO_NODES)
    guide.nodes()
    autoscaled = ROOMY | {"prefill": {"replicas": 4, "devices": 1, "autoscaled": True}}
    guide.config["serving"] = autoscaled
    assert guide.up().code == 0
    scale(guide, "prefill", 5)
    image = "docker.io/vllm/vllm-openai:v0.19.2-x86_64-cu130"
    guide.config["serving"] = autoscaled | {"image": image}
    assert guide.up().code == 0
    settled(guide, 5 + 1, image)
    assert deployment(guide, "prefill")["spec"]["replicas"] == 5
    unchanged(guide)


def test_to_another_release_and_back(stack: Callable[..., Stack]) -> None:
    """One key: the servers and the router's release are replaced where Kubernetes cannot change them in place."""
    guide = stack("moves", serving=ROOMY, cluster={"nodes": 4}, monitoring={"podMonitors": True, "router": True})
    guide.nodes()
    assert guide.up().code == 0
    may = guide.serving_blueprint
    old = {role: deployment(guide, role)["metadata"]["uid"] for role in ROLES}

    guide.config["release"] = "guide-2026-06"
    moving = guide.preview("--diff")
    assert moving.code == 0
    assert len(re.findall(r"\+-kubernetes:apps/v1:Deployment", moving.text)) == 2
    assert guide.up().code == 0
    unchanged(guide)
    assert {role: deployment(guide, role)["metadata"]["uid"] for role in ROLES}.items().isdisjoint(old.items())
    settled(guide, 5, guide.serving_blueprint.workload.image)
    picker = f"/apis/apps/v1/namespaces/{guide.config['namespace']}/deployments/moves-epp"
    found = guide.api.get(picker)
    assert found is not None
    assert guide.serving_blueprint.bill.router.epp_selector in found["spec"]["selector"]["matchLabels"]
    # What the new release does not install any more stays: other stacks may live from it.
    assert all(guide.api.get(f"{CRDS}/{crd['metadata']['name']}") for crd in may.crds())

    guide.config["release"] = "guide-2026-05"
    assert guide.up().code == 0
    unchanged(guide)
    settled(guide, 5, may.workload.image)
