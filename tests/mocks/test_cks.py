"""A CKS plan against the installed SDK of CoreWeave's, and as the engine is told of it: alone, and with all that is in it.

Needs the extra `coreweave`; without it the stack says so in one sentence, which is tested too.
"""

import importlib.util
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from rehearsal.clouds.sdk import Sdk
from releases.coreweave import SDK as MODULE
from stacks.clouds.cloud import ByHand, ClusterPlan
from stacks.clouds.coreweave.cloud import COREWEAVE, CoreWeaveCloud
from stacks.clouds.coreweave.plan import CLUSTER, VPC
from stacks.clouds.coreweave.replaces import CKS
from stacks.compose import compose
from stacks.compose_cluster import compose_alone, registered
from stacks.rules.facts import blueprint
from stacks.spec.stack import StackSpec
from tests.cks_plans import VARIANTS, planned, stack, variant, vpc
from tests.mocks.recording import OWNER, Recording, record

ROOT = Path(__file__).parents[2]
SDK = pytest.mark.skipif(
    importlib.util.find_spec(MODULE) is None,
    reason="pulumi-coreweave is not installed: pip install -e '.[coreweave]' to test what a CKS cluster is made of",
)
EVERY = pytest.mark.parametrize("name", VARIANTS)
COREWEAVES = Sdk(MODULE)
ENDPOINT = "https://acme-1234.k8s.us-east-02a.coreweave.com"
COMPUTED = {"coreweave:index/cksCluster:CksCluster": {"apiServerEndpoint": ENDPOINT, "status": "STATUS_RUNNING"}}
WITHOUT_CRDS = {"crds": {"manage": False}}
IN_IT = {"context": "cw"}


def kinds(plan: ClusterPlan) -> dict[str, str]:
    return {resource.name: resource.type for resource in plan.resources}


# --- the SDK takes it ----------------------------------------------------------------------------------------------------


@SDK
@EVERY
def test_every_argument_exists_and_has_its_type(name: str) -> None:
    made = planned(variant(name))
    assert [COREWEAVES.mistakes(one, kinds(made)) for one in made.resources] == [[], []]


@SDK
@pytest.mark.parametrize(
    ("kind", "args", "words"),
    [
        (VPC, {"vpc_prefix": []}, "vpc_prefix: there is no such argument"),
        (VPC, {"vpc_prefixes": [{"name": "a", "cidr": "b"}]}, "vpc_prefixes[0].value: it is required"),
        (CLUSTER, {"internal_lb_cidr_names": "a"}, "internal_lb_cidr_names: 'a' is not of"),
        (CLUSTER, {"public": 1}, "public: 1 is not of bool"),
    ],
)
def test_a_wrong_argument_would_be_seen(kind: str, args: dict[str, Any], words: str) -> None:
    made = planned(stack())
    (one,) = made.of(kind)
    assert str(COREWEAVES.mistakes(replace(one, args={**one.args, **args}), kinds(made))[0]).startswith(words)


@SDK
def test_fields_of_the_tables_of_changes_exist() -> None:
    listed = [(kind, path) for kind, fixed in CKS.replacing.items() for path in fixed.paths]
    listed += [("NetworkingVpc", path) for path in ("host_prefix", "host_prefixes", "vpc_prefixes")]
    listed += [("CksCluster", path) for path in ("internal_lb_cidr_names", "node_port_range.start", "version")]
    assert [row for row in listed if not COREWEAVES.declares(*row)] == []


# --- the engine is told of it --------------------------------------------------------------------------------------------


def alone(given: StackSpec) -> Recording:
    made = blueprint(given)
    access = made.cluster.reached_by
    assert isinstance(access, ByHand)
    return record(lambda: compose_alone(made, access), computed=COMPUTED)


@SDK
@EVERY
def test_resources_are_registered_as_planned(name: str) -> None:
    made = planned(variant(name))
    found = {one.name: one for one in alone(variant(name)).resources if one.type.startswith("coreweave:")}
    assert set(found) == {one.name for one in made.resources}
    for one in made.resources:
        told = found[one.name]
        assert (told.parent, told.provider) == ("coreweave", "coreweave-provider")
        assert told.after == one.before
        assert told.protected == one.protect
        assert told.deleted_first
        timeouts = (told.create_timeout, told.update_timeout, told.delete_timeout)
        assert timeouts == (one.timeouts.create, one.timeouts.update, one.timeouts.delete)
    cluster = found[made.cluster.name].inputs
    assert cluster["vpcId"] == f"{vpc(made).name}-id"
    assert cluster["internalLbCidrNames"] == made.cluster.args["internal_lb_cidr_names"]


@SDK
def test_the_first_step_makes_the_cluster_alone_and_says_how_to_go_on() -> None:
    recording = alone(stack())
    assert recording.of(":NodePool") == recording.of(":Namespace") == recording.of("providers:kubernetes") == []
    said = recording.exports["next"]
    assert said["endpoint"] == ENDPOINT
    assert "cwic cluster auth pd-disaggregation" in said["kubeconfig"]
    assert "as `context` under `llmd-pd:cluster`" in said["then"]
    assert not re.search(r"token:|CW-SECRET", str(recording.exports))


@SDK
def test_the_provider_is_given_no_token() -> None:
    (provider,) = [one for one in alone(stack()).resources if one.type == "pulumi:providers:coreweave"]
    assert not {"token", "endpoint"} & set(provider.inputs)


@SDK
def test_whatever_is_in_the_cluster_comes_after_it_and_goes_before() -> None:
    """All of it is its providers', and those come after the cluster."""
    made = blueprint(stack(cluster=IN_IT, **WITHOUT_CRDS), ROOT)
    recording = record(lambda: compose(made, OWNER), computed=COMPUTED)
    providers = [one for one in recording.resources if one.type == "pulumi:providers:kubernetes"]
    assert {one.name for one in providers} == {"cluster-cluster", "cluster-shared"}
    assert all("pd-disaggregation-cluster" in one.after for one in providers)
    inside = [one for one in recording.resources if one.type.startswith("kubernetes:") and not one.read]
    assert {one.provider for one in inside} == {"cluster-cluster", "cluster-shared"}
    assert len(recording.of(":NodePool")) == 2
    assert "next" not in recording.exports
    (guard,) = recording.of(":Guard")
    assert guard.after == {"pd-disaggregation-cpu"}
    told = {key: value for key, value in guard.inputs.items() if key != "__provider"}
    assert told == {
        "cluster": "pd-disaggregation",
        "context": "cw",
        "owner": OWNER,
        "section": "cluster.coreweave",
        "deleteInUse": False,
        "namespaces": ["ns.coreweave.cloud/org", "control-plane"],
    }
    for one in inside:
        pool = one.type.endswith(":NodePool")
        assert pool or one.retained or guard.name in recording.before(one), f"{one.name} would go after the look"
    assert "pd-disaggregation-gpu" not in recording.before(recording.one(":Release"))


@SDK
def test_a_platform_stack_makes_its_nodes_in_it() -> None:
    made = blueprint(StackSpec(cluster=stack(cluster=IN_IT).cluster))
    recording = record(lambda: compose(made, OWNER), computed=COMPUTED)
    assert len(recording.of(":NodePool")) == 2
    assert len(recording.of(":CksCluster")) == 1
    assert len(recording.of("llmd-pd:index:CloudCluster")) == 1
    assert recording.exports["cluster"]["context"] == "cw"
    assert recording.one(":Guard").after == {"pd-disaggregation-cpu", "pd-disaggregation-gpu"}, "it is asked first"


def test_of_an_existing_cluster_the_providers_come_after_nothing() -> None:
    made = blueprint(stack(cluster={**IN_IT, "coreweave": {}}, **WITHOUT_CRDS), ROOT)
    recording = record(lambda: compose(made, OWNER))
    providers = [one for one in recording.resources if one.type == "pulumi:providers:kubernetes"]
    assert [one.after for one in providers] == [frozenset(), frozenset()]
    assert recording.of(":Guard") == []


def test_without_the_extra_a_stack_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert COREWEAVE.extra is not None
    monkeypatch.setattr(CoreWeaveCloud, "extra", replace(COREWEAVE.extra, module="pulumi_coreweave_that_is_not_there"))
    made = planned(stack())
    words = (
        r"`cluster.coreweave.cluster` needs the package pulumi-coreweave, which is not installed; run `make coreweave`"
    )
    with pytest.raises(pulumi.RunError, match=words):
        record(lambda: _made(made))


def _made(made: ClusterPlan) -> None:
    registered(made, COREWEAVE)


@SDK
def test_the_page_counts_the_resources_of_a_preview_from_nothing() -> None:
    said = (ROOT / "docs" / "coreweave.md").read_text()
    (number,) = re.findall(r"its preview shows (\d+) resources", said)
    assert int(number) == len(alone(stack()).resources) + 1  # and the stack itself
