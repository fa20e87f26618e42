"""Existing objects that are not the stack's: CRDs are adopted, a namespace or a release is refused
with a sentence that says how to import it, and here that sentence is followed to the letter."""

import re
import subprocess
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml

from rehearsal.fleet import fleet
from releases.charts import HelmRelease
from stacks.kube.api import Api
from tests.engine.harness import Run, Stack
from tests.engine.inventory import steady

#: A CRD that kubectl applied is a conflict of fields to older providers, and so is each stack that comes after it.
pytestmark = pytest.mark.newest_provider

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
POOLS = "inferencepools.inference.networking.k8s.io"
POOL: dict[str, Any] = {
    "apiVersion": "inference.networking.k8s.io/v1",
    "kind": "InferencePool",
    "metadata": {"name": "theirs", "namespace": "default"},
    "spec": {
        "selector": {"matchLabels": {"app": "theirs"}},
        "targetPorts": [{"number": 8000}],
        "endpointPickerRef": {"name": "theirs-epp", "port": {"number": 9002}},
    },
}
SERVING = {"accelerator": "nvidia", "prefill": {"replicas": 2, "devices": 1}, "decode": {"replicas": 1, "devices": 4}}


def shell(stack: Stack, command: str, stdin: str = "") -> str:
    """A command line as a user would type it, who works with another cluster at the moment."""
    env = {key: value for key, value in stack.env.items() if key != "KUBECONFIG"}
    done = subprocess.run(command, shell=True, env=env, input=stdin, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def kubectl(stack: Stack, arguments: str, stdin: str = "") -> str:
    return shell(stack, f"kubectl --kubeconfig {stack.plane.kubeconfig} {arguments}", stdin)


def helm(stack: Stack, arguments: str, stdin: str = "") -> str:
    namespace = stack.config["namespace"]
    return shell(stack, f"helm --kubeconfig {stack.plane.kubeconfig} --namespace {namespace} {arguments}", stdin)


def refused(stack: Stack) -> Run:
    """Returns the messages of a preview; an `up` gives the same, and neither changes anything."""
    before = steady(stack.api)
    runs = [stack.preview(), stack.up()]
    for run in runs:
        assert run.code != 0
        assert "Traceback" not in run.text
        assert "(EXISTS)" in run.text
    assert told(runs[0]) == told(runs[1])
    assert steady(stack.api) == before
    return runs[0]


def told(run: Run) -> list[str]:
    """The commands the sentences say to run."""
    return [*dict.fromkeys(re.findall(r"`(kubectl [^`]+)`", run.text))]


def follow(stack: Stack, run: Run) -> None:
    """Does what the sentences say, and nothing else: the commands, then an `up`."""
    commands = told(run)
    assert commands
    for command in commands:
        shell(stack, command)
    assert stack.up().code == 0
    assert stack.preview("--expect-no-changes").code == 0


def test_crds_are_adopted_without_loss(stack: Callable[..., Stack]) -> None:
    """CRDs of an older release, applied by hand, and a custom resource that needs one of them."""
    adopting = stack("adopting", serving=SERVING)
    adopting.nodes()
    ours = {crd["metadata"]["name"]: crd for crd in adopting.serving_blueprint.crds()}
    theirs = older(ours[POOLS])
    kubectl(adopting, f"delete crd --ignore-not-found {' '.join(ours)}")
    kubectl(adopting, "apply -f -", yaml.safe_dump(theirs))
    kubectl(adopting, f"wait --for condition=Established crd/{POOLS}")
    kubectl(adopting, "apply -f -", yaml.safe_dump(POOL))
    definition, pool = existing(adopting.api)
    assert definition["spec"]["versions"] != ours[POOLS]["spec"]["versions"]

    assert adopting.up().code == 0
    adopted, kept = existing(adopting.api)
    assert adopted["metadata"]["uid"] == definition["metadata"]["uid"]
    assert adopted["metadata"]["labels"] == definition["metadata"]["labels"]
    assert adopted["spec"]["names"]["shortNames"] == ours[POOLS]["spec"]["names"]["shortNames"]
    assert said(adopted) == said(ours[POOLS]) != said(definition)
    assert kept == pool
    assert adopting.preview("--expect-no-changes").code == 0

    assert adopting.destroy().code == 0
    assert existing(adopting.api) == (adopted, pool)
    assert adopting.up().code == 0
    assert existing(adopting.api)[1] == pool
    kubectl(adopting, f"delete --namespace default {POOLS} theirs")


def older(crd: dict[str, Any]) -> dict[str, Any]:
    """A CRD of the same versions that says other things of them, as each release does."""
    changed = deepcopy(crd)
    changed["metadata"]["labels"] = {"installed-by": "somebody"}
    changed["spec"]["names"]["shortNames"] = ["pool"]
    changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = "as it was"
    return changed


def said(crd: dict[str, Any]) -> str | None:
    """Returns the description in the CRD's schema."""
    text: str | None = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].get("description")
    return text


def existing(api: Api) -> tuple[dict[str, Any], dict[str, Any]]:
    """The CRD and the custom resource, as they are."""
    definition = api.get(f"{CRDS}/{POOLS}")
    pool = api.get("/apis/inference.networking.k8s.io/v1/namespaces/default/inferencepools/theirs")
    assert definition is not None
    assert pool is not None
    return definition, pool


def test_a_namespace_is_refused_until_it_is_imported(stack: Callable[..., Stack]) -> None:
    taking = stack("taking", serving=SERVING)
    taking.nodes()
    kubectl(taking, "create namespace ns-taking")
    kubectl(taking, "label namespace ns-taking team=blue")
    kubectl(taking, "create configmap theirs --namespace ns-taking --from-literal=a=1")
    uid = kubectl(taking, "get namespace ns-taking -o jsonpath={.metadata.uid}")

    refusal = refused(taking)
    assert "llmd-pd:namespace: namespace ns-taking exists already, because it belongs to another owner" in refusal.text
    assert len(told(refusal)) == 1
    follow(taking, refusal)

    assert "team:blue" in kubectl(taking, "get namespace ns-taking -o jsonpath={.metadata.labels}").replace('"', "")
    assert kubectl(taking, "get namespace ns-taking -o jsonpath={.metadata.uid}") == uid
    assert kubectl(taking, "get configmap theirs --namespace ns-taking -o jsonpath={.data.a}") == "1"


def test_a_release_is_refused_until_it_is_imported(stack: Callable[..., Stack]) -> None:
    """Somebody's release in a namespace that is the stack's: its first `up` got no further than the router."""
    routed = stack("routed", serving=SERVING)
    routed.nodes()
    router = routed.serving_blueprint.router
    broken = routed.workdir / "broken.tgz"
    broken.write_text("no chart")
    routed.config["router"] = {"chart": {"source": str(broken)}}
    assert routed.up().code != 0
    del routed.config["router"]
    theirs = installed(routed, router, flags={"v": 5})

    refusal = refused(routed)
    assert "llmd-pd:name: a Helm release routed exists already in namespace ns-routed" in refusal.text
    follow(routed, refusal)

    assert yaml.safe_load(helm(routed, "get values routed -o yaml")) == router.values
    assert objects_of(routed) == theirs
    # Ours it stays, whatever helm makes of its description from now on.
    helm(routed, f"upgrade routed {router.chart} --reuse-values")
    assert routed.preview().code == 0


def test_namespace_and_release_are_imported_together(stack: Callable[..., Stack]) -> None:
    """Makes the objects of the guide's own kubectl and helm commands, without the model servers."""
    both = stack("both", serving=SERVING)
    both.nodes()
    kubectl(both, "create namespace ns-both")
    theirs = installed(both, both.serving_blueprint.router)

    refusal = both.preview()
    assert refusal.code != 0
    assert len(told(refusal)) == 2
    follow(both, refusal)
    assert objects_of(both) == theirs


def installed(stack: Stack, router: HelmRelease, **changed: Any) -> dict[str, str]:
    """The router by somebody's own helm, with some values of the picker changed."""
    crds_first(stack)
    values = deepcopy(router.values)
    values["inferenceExtension"] |= changed
    helm(stack, f"install {router.name} {router.chart} --values -", yaml.safe_dump(values))
    return objects_of(stack)


def crds_first(stack: Stack) -> None:
    """Makes the CRDs of the release that are missing, as the guide does: other stacks may have brought them, or none."""
    missing = [
        crd for crd in stack.serving_blueprint.crds() if stack.api.get(f"{CRDS}/{crd['metadata']['name']}") is None
    ]
    if missing:
        kubectl(stack, "create -f -", yaml.safe_dump_all(missing))
        kubectl(stack, f"wait --for condition=Established crd {' '.join(crd['metadata']['name'] for crd in missing)}")


def objects_of(stack: Stack) -> dict[str, str]:
    """The Deployments and Services of the release, each with its uid: the same as long as it serves on."""
    namespace = stack.config["namespace"]
    label = "labelSelector=app.kubernetes.io/managed-by%3DHelm"
    return {
        f"{path}/{item['metadata']['name']}": item["metadata"]["uid"]
        for path in (f"/apis/apps/v1/namespaces/{namespace}/deployments", f"/api/v1/namespaces/{namespace}/services")
        for item in stack.api.items(f"{path}?{label}")
    }


def test_a_release_that_failed_is_not_called_somebody_elses(stack: Callable[..., Stack]) -> None:
    """Helm overwrites the description by which a release is recognised when it is not Ready in time, as our own first."""
    failing = stack("failing", serving=SERVING)
    fleet.fit_to(failing.api, {})
    crds_first(failing)
    owner, router = "organization/llmd-pd/failing", failing.serving_blueprint.router
    kubectl(failing, "create -f -", yaml.safe_dump(failing.serving_blueprint.namespace(owner)))
    install = f"install failing {router.chart} --values - --wait --timeout 1s --description {owner}"
    with pytest.raises(AssertionError, match="context deadline exceeded"):
        helm(failing, install, yaml.safe_dump(router.values))
    (revision,) = yaml.safe_load(helm(failing, "history failing -o yaml"))
    assert revision["description"] != owner

    assert failing.preview().code == 0
