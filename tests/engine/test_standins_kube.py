"""How Pulumi and its Kubernetes provider behave, row by row (the table of observed behaviour): the stand-in must do the same.

The tests would pass against the official plugin too, but for what `kinder` checks: words that only the stand-in adds.
"""

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.engine.standins_fixtures import Result, Stack, interrupt, stack
from tests.engine.waiting import PATIENCE

__all__ = ["stack"]

WIDGET = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"annotations": {"pulumi.com/waitFor": "condition=Established"}},
    "spec": {
        "group": "example.dev",
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


def widget_crd(plural: str) -> dict[str, object]:
    names = {"plural": plural, "singular": plural.removesuffix("s"), "kind": plural.removesuffix("s").capitalize()}
    metadata = WIDGET["metadata"] | {"name": f"{plural}.example.dev"}  # type: ignore[operator]
    return WIDGET | {"metadata": metadata, "spec": WIDGET["spec"] | {"names": names}}  # type: ignore[operator]


def kinder(result: object, *texts: str) -> None:
    """Features that the official plugin leaves out."""
    result.says(*texts)  # type: ignore[attr-defined]


def test_existing_object_is_refused_and_adopted_under_upsert(stack: Stack) -> None:
    stack.kubectl("create", "deployment", "d", "--image=pause")
    stack.program("""
        k8s.core.v1.ConfigMap("d", metadata={"name": "d", "namespace": env("NAMESPACE")}, data={"a": "1"},
                              opts=Options(provider=cluster))
    """)
    stack.kubectl("create", "configmap", "d", "--from-literal=a=1")
    stack.preview().ok().says("+  kubernetes:core/v1:ConfigMap d create")
    stack.up().failed().says(
        "was not successfully created by the Kubernetes API server",
        'configmaps "d" already exists',
        "use an alias",
        "Patch resource",
        "`pulumi import`",
        "upsertExistingObjects",
    )
    stack.up(SETTINGS="upsert_existing_objects").ok().says("cluster updated", "d created").hides("replace")
    stack.unchanged(SETTINGS="upsert_existing_objects")


def test_retained_crd(stack: Stack) -> None:
    crd = widget_crd("gizmos")
    stack.program(f"""
        spec = {crd!r}
        crd = k8s.apiextensions.v1.CustomResourceDefinition("crd", metadata=spec["metadata"], spec=spec["spec"],
            opts=Options(provider=cluster, retain_on_delete=True))
        k8s.apiextensions.CustomResource("one", api_version="example.dev/v1", kind="Gizmo",
            metadata={{"name": "one", "namespace": env("NAMESPACE")}}, spec={{"size": 3}},
            opts=Options(provider=cluster, depends_on=[crd]))
    """)
    stack.up(SETTINGS="upsert_existing_objects").ok().hides("Retry")
    stack.unchanged(SETTINGS="upsert_existing_objects")
    assert json.loads(stack.kubectl("get", "gizmo", "one", "-o", "json"))["spec"] == {"size": 3}
    stack.pulumi("destroy", "--yes", "--skip-preview", SETTINGS="upsert_existing_objects").ok()
    stack.kubectl("get", "crd", "gizmos.example.dev")
    assert stack.kubectl("get", "gizmo") == ""
    stack.up().failed().says('customresourcedefinitions.apiextensions.k8s.io "gizmos.example.dev" already exists')
    stack.up(SETTINGS="upsert_existing_objects").ok()


class Running:
    """A command under way."""

    def __init__(self, process: "subprocess.Popen[str]"):
        self.process = process
        self.began = time.monotonic()

    def result(self) -> Result:
        output, _ = self.process.communicate(timeout=PATIENCE)
        return Result(self.process.returncode, output)


@pytest.fixture(scope="module", autouse=True)
def without_kind(standins_plane: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An `up` that takes a minute to fail: it runs beside the other tests."""
    made = Stack(tmp_path_factory.mktemp("without-kind") / "program", "default", dict(standins_plane))
    made.program("""
        k8s.apiextensions.CustomResource("one", api_version="example.dev/v1", kind="Sprocket",
            metadata={"name": "one", "namespace": env("NAMESPACE")}, opts=Options(provider=cluster))
    """)
    made.preview().ok().says("one create")
    running = Running(made.start("up", "--yes", "--skip-preview"))
    yield running
    running.process.kill()
    running.process.wait()


def test_custom_resource_whose_kind_comes_late(stack: Stack) -> None:
    stack.program("""
        k8s.apiextensions.CustomResource("one", api_version="example.dev/v1", kind="Widget",
            metadata={"name": "one", "namespace": env("NAMESPACE")}, opts=Options(provider=cluster))
    """)
    running = Running(stack.start("up", "--yes", "--skip-preview"))
    time.sleep(2)
    stack.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(widget_crd("widgets")))
    running.result().ok()


def test_selector_change_replaces(stack: Stack) -> None:
    stack.program('deployment(labels={"app": env("LABEL")})')
    stack.up(LABEL="a").ok()
    stack.preview("--diff", LABEL="b").ok().says("+-kubernetes:apps/v1:Deployment: (replace)", 'app: "a" => "b"')
    uid = stack.kubectl("get", "deployment", "d", "-o", "jsonpath={.metadata.uid}")
    stack.up(LABEL="b").ok().says("replaced")
    assert stack.kubectl("get", "deployment", "d", "-o", "jsonpath={.metadata.uid}") != uid
    stack.unchanged(LABEL="b")


def test_secrets_and_config_maps(stack: Stack) -> None:
    stack.program("""
        options = Options(provider=cluster)
        place = {"namespace": env("NAMESPACE")}
        k8s.core.v1.Secret("s", metadata=place | {"name": "s"}, string_data={"key": env("VALUE")}, opts=options)
        k8s.core.v1.ConfigMap("c", metadata=place, data={"key": env("OTHER", "x")}, opts=options)
    """)
    stack.up(VALUE="hush-one").ok()
    stored = stack.stored()
    assert "v1:" in stored
    assert not [text for text in ("hush-one", "aHVzaC1vbmU") if text in stored]
    stack.pulumi("refresh", "--preview-only", "--expect-no-changes", VALUE="hush-one").ok()
    preview = stack.preview("--diff", VALUE="hush-two").ok().says("kubernetes:core/v1:Secret: (replace)", "[secret]")
    preview.hides("hush-one", "hush-two")
    stack.preview("--diff", VALUE="hush-one", OTHER="y").ok().says(
        "kubernetes:core/v1:ConfigMap: (replace)", '"x" => "y"'
    )
    mutable = {"SETTINGS": "enable_secret_mutable enable_config_map_mutable"}
    stack.up(VALUE="hush-two", OTHER="y", **mutable).ok().hides("replace")
    assert stack.kubectl("get", "secret", "s", "-o", "jsonpath={.data.key}") == "aHVzaC10d28="


def test_deployment_that_cannot_be_placed(stack: Stack) -> None:
    stack.program('deployment(cpu=env("CPU"))')
    failed = stack.up(CPU="64", WAIT="5s").failed()
    failed.says(
        "was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live",
        "'d' timed out waiting to be Ready",
        "Minimum number of live Pods was not attained",
    )
    kinder(failed, "[Unschedulable] 0/1 nodes are available: 1 Insufficient cpu")
    assert "initErrors" in stack.stored()
    stack.preview("--diff", CPU="64").ok().says("kubernetes:apps/v1:Deployment: (update)").hides("=>")
    stack.up(CPU="65", WAIT="5s").failed()
    stack.preview("--diff", CPU="65").ok().says("kubernetes:apps/v1:Deployment: (update)").hides("=>")
    stack.up(CPU="1").ok()
    stack.unchanged(CPU="1")


def test_scaled_by_somebody_else(stack: Stack) -> None:
    stack.program("""
        ignore = {"ignore_changes": ["spec.replicas"]} if env("IGNORE") else {}
        force = {"pulumi.com/patchForce": "true"} if env("FORCE") else {}
        deployment(cpu=env("CPU", "100m"), annotations=force, **ignore)
    """)
    stack.up().ok()
    stack.unchanged()
    stack.kubectl("scale", "deployment", "d", "--replicas=2")
    stack.unchanged()
    found = stack.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes").failed()
    found.says("replicas: 1 => 2")
    stack.up(CPU="200m").failed().says(
        "server-side apply field conflict detected",
        'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas',
    )
    stack.up(CPU="200m", IGNORE="1").ok()
    assert stack.kubectl("get", "deployment", "d", "-o", "jsonpath={.spec.replicas}") == "2"
    stack.up(CPU="300m", FORCE="1").ok()
    assert stack.kubectl("get", "deployment", "d", "-o", "jsonpath={.spec.replicas}") == "1"


def test_replicas_diff_shows_that_line(stack: Stack) -> None:
    stack.program('deployment(cpu="100m", replicas=int(env("N", "1")))')
    stack.up().ok()
    changed = stack.preview("--diff", N="2").ok().says("replicas: 1 => 2")
    assert [line.strip() for line in changed.output.splitlines() if "=>" in line] == ["~ replicas: 1 => 2"]


def test_deleted_by_hand(stack: Stack) -> None:
    stack.program('deployment(cpu=env("CPU", "100m"))')
    stack.up().ok()
    stack.kubectl("delete", "deployment", "d")
    stack.unchanged()
    stack.up(CPU="200m").failed().says('deployments.apps "d" not found')
    stack.up("--refresh", CPU="200m").ok().says("d created")


def test_api_server_unreachable(stack: Stack, tmp_path: Path) -> None:
    stack.program('deployment(cpu="100m")')
    config = yaml.safe_load(Path(stack.environment["KUBECONFIG"]).read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    dead = tmp_path / "kubeconfig"
    dead.write_text(yaml.safe_dump(config))
    stack.preview(KUBECONFIG=str(dead)).ok().says("d create")
    stack.up(KUBECONFIG=str(dead)).failed().says("configured Kubernetes cluster is unreachable", "connection refused")


def test_invalid_object_is_found_in_preview(stack: Stack) -> None:
    stack.program('k8s.core.v1.ConfigMap("c", metadata={"name": "Not A Name"}, opts=Options(provider=cluster))')
    stack.preview().failed().says("was not successfully created", "Not A Name")


def test_interrupt_during_a_wait(stack: Stack) -> None:
    stack.program('deployment(cpu=env("CPU"), timeout="1h")')
    running = stack.start("up", "--yes", "--skip-preview", CPU="64")
    stack.wait_for("get", "pods", text="Pending")
    interrupt(running, signal.SIGINT).failed()
    stored = json.loads(stack.stored())["checkpoint"]["latest"]
    assert not stored.get("pending_operations")
    assert [item["initErrors"] for item in stored["resources"] if item.get("initErrors")]
    stack.up(CPU="1").ok()


def test_kill_during_a_wait(stack: Stack) -> None:
    stack.program('deployment(cpu=env("CPU", "100m"))')
    stack.up().ok()
    running = stack.start("up", "--yes", "--skip-preview", CPU="64")
    stack.wait_for("get", "pods", text="Pending")
    interrupt(running, signal.SIGKILL)
    stack.up().failed().says("the stack is currently locked by 1 lock(s)")
    stack.pulumi("cancel", "--yes").ok()
    stack.up().ok().says("interrupted while updating")
    stack.pulumi("refresh", "--yes", "--skip-preview").ok()
    stack.up().ok().hides("interrupted")


def test_import(stack: Stack) -> None:
    stack.kubectl("create", "configmap", "c", "--from-literal=a=1")
    stack.program("""
        k8s.core.v1.ConfigMap("c", metadata={"name": "c", "namespace": env("NAMESPACE")}, data={"a": "1"},
                              opts=Options(provider=cluster, import_=f'{env("NAMESPACE")}/c'))
    """)
    stack.up().ok().says("c imported")
    stack.unchanged()


def test_names_are_made_up_once(stack: Stack) -> None:
    stack.program('k8s.core.v1.ConfigMap("c", data={"a": env("A", "1")}, opts=Options(provider=cluster))')
    stack.up().ok()
    name = stack.kubectl("get", "configmap", "-o", "name").split("configmap/c-")[1][:8]
    assert len(name) == 8
    stack.unchanged()
    stack.up(A="2").ok().says("c created replacement", "c deleted original")
    stack.pulumi("destroy", "--yes", "--skip-preview").ok()
    assert "configmap/c-" not in stack.kubectl("get", "configmap", "-o", "name")


def test_no_warnings_about_plugins(stack: Stack) -> None:
    stack.program('k8s.core.v1.ConfigMap("c", opts=Options(provider=cluster))')
    stack.preview().ok().hides("$PATH", "warning:")


def test_custom_resource_without_its_kind(without_kind: Running) -> None:
    """The last test of this file: by now it has been tried again for a minute."""
    without_kind.result().failed().says(
        "apiVersion for this resource does not exist. Verify that any required CRDs have been created",
        'no matches for kind "Sprocket" in version "example.dev/v1"',
    )
    assert time.monotonic() - without_kind.began > 60
