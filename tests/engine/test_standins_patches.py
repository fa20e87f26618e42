"""Patch resources, and custom resources that a controller looks after: what it takes from gateway mode.

As in test_standins_kube, all of it holds for the official plugin too.
"""

import json
import subprocess
import time
from typing import Any

import pytest
import yaml

from tests.engine.standins_fixtures import Stack, stack
from tests.engine.test_standins_kube import widget_crd
from tests.engine.waiting import PATIENCE

__all__ = ["stack"]

#: `Policy`, like GKE's GCPBackendPolicy: it must have a spec, and nothing in it.
CRD = yaml.safe_load(
    """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: policies.example.dev}
spec:
  group: example.dev
  scope: Namespaced
  names: {plural: policies, singular: policy, kind: Policy}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            spec:
              type: object
              properties:
                default: {type: object, properties: {timeoutSec: {type: integer}, drain: {type: integer}}}
                target: {type: string}
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
)
PATCH = """
    force = {"pulumi.com/patchForce": "true"} if env("FORCE") else {}
    k8s.apiextensions.CustomResourcePatch("patch", api_version="example.dev/v1", kind="Policy",
        metadata={"name": env("NAME", "theirs"), "namespace": env("NAMESPACE"), "annotations": force},
        spec={"default": {"timeoutSec": int(env("SECONDS", "900"))}}, opts=Options(provider=cluster))
"""

DIAL = """
    def dial(metadata=None, **options):
        # The SDK's CustomResource has no outputs.
        inputs = {"apiVersion": "example.dev/v1", "kind": "Dial", "metadata": metadata, "spec": {}, "status": None}
        made = pulumi.CustomResource("kubernetes:example.dev/v1:Dial", "w", inputs, Options(provider=cluster, **options))
        pulumi.export("value", made.status.apply(lambda status: status["addresses"][0]["value"]))

    if env("READER"):
        dial(id=f'{env("NAMESPACE")}/w')
    elif not env("NOTHING"):
        wait = {"pulumi.com/waitFor": "condition=Programmed"}
        dial({"name": "w", "namespace": env("NAMESPACE"), "annotations": wait},
             custom_timeouts=pulumi.CustomTimeouts(create=env("SECONDS", "60s")))
"""


@pytest.fixture
def policy(stack: Stack) -> Stack:
    """The kind, and an object of it that another manager (helm, say) applied."""
    stack.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(CRD))
    theirs = {"apiVersion": "example.dev/v1", "kind": "Policy", "metadata": {"name": "theirs"}}
    spec = {"target": "service", "default": {"timeoutSec": 300, "drain": 5}}
    stack.wait_for("api-resources", "--api-group=example.dev", text="Policy")
    stack.kubectl(
        "apply", "--server-side", "--field-manager=helm", "-f", "-", stdin=yaml.safe_dump({**theirs, "spec": spec})
    )
    return stack


def spec_of(stack: Stack, name: str = "theirs") -> Any:
    return json.loads(stack.kubectl("get", "policy.example.dev", name, "-o", "json"))["spec"]


def test_patch_of_an_object_of_others(policy: Stack) -> None:
    policy.program(PATCH)
    policy.preview().ok().says("+  kubernetes:example.dev/v1:PolicyPatch patch create")
    policy.up().failed().says(
        "was not successfully created by the Kubernetes API server",
        "server-side apply field conflict detected",
        'conflict with "helm": .spec.default.timeoutSec',
    )
    policy.up(FORCE="1").ok().says("patch created")
    assert spec_of(policy) == {"target": "service", "default": {"timeoutSec": 900, "drain": 5}}
    policy.unchanged(FORCE="1")
    changed = policy.preview("--diff", FORCE="1", SECONDS="60").ok().says("PolicyPatch: (update)")
    assert [line.strip() for line in changed.output.splitlines() if "=>" in line] == ["~ timeoutSec: 900 => 60"]
    policy.up(FORCE="1", SECONDS="60").ok().says("patch updated")
    assert spec_of(policy)["default"] == {"timeoutSec": 60, "drain": 5}
    policy.kubectl("apply", "--server-side", "--field-manager=x", "--force-conflicts", "-f", "-", stdin="""
        {apiVersion: example.dev/v1, kind: Policy, metadata: {name: theirs}, spec: {default: {timeoutSec: 1}}}
    """)  # fmt: skip
    found = policy.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes", FORCE="1", SECONDS="60")
    found.failed().says("timeoutSec: 60 => 1")
    policy.up("--refresh", FORCE="1", SECONDS="60").ok().says("patch updated")
    # What it set goes, the rest and the object stay; the value of before is nobody's any more.
    policy.pulumi("destroy", "--yes", "--skip-preview", FORCE="1").ok().says("patch deleted")
    assert spec_of(policy) == {"target": "service", "default": {"drain": 5}}


def test_patch_of_another_object_is_another_patch(policy: Stack) -> None:
    policy.program(PATCH)
    policy.up(FORCE="1").ok()
    # As server-side apply has it: where nothing is, an object is made.
    policy.up(FORCE="1", NAME="none").ok().says("patch replaced")
    assert spec_of(policy, "none") == {"default": {"timeoutSec": 900}}
    assert spec_of(policy)["default"] == {"drain": 5}
    policy.kubectl("delete", "policy.example.dev", "none")
    policy.pulumi("destroy", "--yes", "--skip-preview", NAME="none").failed().says(
        "this Patch resource is currently managing a required field, so it can't be deleted directly",
        "retainOnDelete",
        "before deleting: spec",
    )
    policy.up("--refresh", FORCE="1").ok().says("patch created")


def test_patch_needs_a_name_and_a_manager_can_be_named(policy: Stack) -> None:
    policy.program("""
        named = {"name": "theirs"} if env("NAMED") else {}
        said = {"pulumi.com/patchFieldManager": env("MANAGER"), "pulumi.com/patchForce": "true"}
        k8s.apiextensions.CustomResourcePatch("patch", api_version="example.dev/v1", kind="Policy",
            metadata={"namespace": env("NAMESPACE"), "annotations": said} | named,
            spec={"target": "service"}, opts=Options(provider=cluster))
    """)
    policy.preview().failed().says("patch resources require the `.metadata.name` field to be set")
    policy.up(NAMED="1", MANAGER="one").ok()
    policy.up(NAMED="1", MANAGER="two").ok()
    managed = json.loads(policy.kubectl("get", "policy.example.dev", "theirs", "-o", "json", "--show-managed-fields"))
    assert {entry["manager"] for entry in managed["metadata"]["managedFields"]} == {"helm", "two"}
    policy.pulumi("destroy", "--yes", "--skip-preview", NAMED="1", MANAGER="two").ok()
    assert spec_of(policy)["target"] == "service"


def controller(stack: Stack, patch: Any, subresource: str = "") -> None:
    """Does to the dial `w` what its controller would; kubectl's own fields would be taken over by an `up` that comes later."""
    more = ["--field-manager=dials", *([f"--subresource={subresource}"] if subresource else [])]
    stack.kubectl("patch", "dial.example.dev", "w", "--type=merge", *more, "-p", json.dumps(patch))


def test_custom_resource_with_a_controller(stack: Stack) -> None:
    """As a Gateway is waited for: until a condition holds; on delete until the controller lets go; and read by others."""
    crd: Any = widget_crd("dials")
    crd["spec"]["versions"][0] |= {"subresources": {"status": {}}}
    stack.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(crd))
    stack.wait_for("api-resources", "--api-group=example.dev", text="Dial")
    stack.program(DIAL)
    stack.up(SECONDS="2s").failed().says("timed out waiting for the condition")
    running = stack.start("up", "--yes", "--skip-preview")
    time.sleep(2)
    assert running.poll() is None
    condition = {"type": "Programmed", "status": "True"}
    controller(stack, {"metadata": {"finalizers": ["example.dev/address"]}})
    status = {"conditions": [condition], "addresses": [{"value": "192.0.2.7"}]}
    controller(stack, {"status": status}, "status")
    said = ended(running)
    assert "192.0.2.7" in said
    reader = Stack(stack.directory / "reader", stack.namespace, dict(stack.environment))
    project = reader.directory / "Pulumi.yaml"
    project.write_text(project.read_text().replace(f"name: {stack.namespace}\n", "name: reader\n"))
    reader.program(DIAL)
    reader.up(READER="1").ok().says('value: "192.0.2.7"')
    reader.pulumi("destroy", "--yes", "--skip-preview", READER="1").ok()
    running = stack.start("up", "--yes", "--skip-preview", NOTHING="1")
    stack.wait_for("get", "dial.example.dev", "w", "-o", "yaml", text="deletionTimestamp")
    time.sleep(1)
    assert running.poll() is None
    controller(stack, {"metadata": {"finalizers": None}})
    assert "w deleted" in ended(running)


def ended(process: "subprocess.Popen[str]") -> str:
    text, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, text
    return text
