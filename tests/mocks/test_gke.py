"""A GKE plan against the installed SDK of Google's: every argument exists and has its type; and as the engine is told of it.

Needs the extra `gke`; without it the stack says so in one sentence, which is tested too.
"""

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.cluster.addons import ClusterAddons, ClusterAddonsArgs
from rehearsal.clouds.sdk import Sdk
from stacks.clouds.gke.cloud import GKE, GkeCloud
from stacks.clouds.gke.plan import GkePlan, kubeconfig
from stacks.clouds.gke.replaces import DISRUPTIVE, REPLACING
from stacks.clouds.resource import Ref, Resource, from_the_engine, snake
from stacks.compose_cluster import registered
from tests.gke_plans import VARIANTS, planned, stack, variant
from tests.laws import resource_problems
from tests.mocks.recording import OWNER, Recording, Registration, record

GOOGLES = Sdk("pulumi_gcp")
SDK = pytest.mark.skipif(
    importlib.util.find_spec("pulumi_gcp") is None,
    reason="pulumi-gcp is not installed: pip install -e '.[gke]' to test what a GKE cluster is made of",
)
EVERY = pytest.mark.parametrize("name", VARIANTS)
COMPONENT = "gke"
ENDPOINT = "gke-1234.us-south1.gke.goog"
#: Outputs that Google adds and a plan refers to.
COMPUTED: Mapping[str, Mapping[str, Any]] = {
    "gcp:serviceaccount/account:Account": {"email": "nodes@acme", "member": "serviceAccount:nodes@acme"},
    "gcp:projects/serviceIdentity:ServiceIdentity": {"email": "gke@acme", "member": "serviceAccount:gke@acme"},
    "gcp:container/cluster:Cluster": {
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": {"endpoint": ENDPOINT, "allowExternalTraffic": True},
            "ipEndpointsConfig": {"enabled": False},
        }
    },
}


def kinds(plan: GkePlan) -> dict[str, str]:
    return {resource.name: resource.type for resource in plan.resources}


def recorded(plan: GkePlan) -> Recording:
    def program() -> None:
        made = registered(plan, GKE)
        pulumi.export("kubeconfig", made.kubeconfig)
        pulumi.export("endpoint", made.endpoint)

    return record(program, computed=COMPUTED)


def by_name(recording: Recording) -> dict[str, Registration]:
    return {resource.name: resource for resource in recording.resources if resource.type.startswith("gcp:")}


# --- the SDK takes it ----------------------------------------------------------------------------------------------------


@SDK
@EVERY
def test_every_argument_exists_and_has_its_type(name: str) -> None:
    plan = planned(variant(name))
    assert {
        resource.name: found for resource in plan.resources if (found := GOOGLES.mistakes(resource, kinds(plan)))
    } == {}


@SDK
@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"node_cuont": 2}, "node_cuont: there is no such argument"),
        ({"node_count": "2"}, "node_count: '2' is not of"),
        ({"node_count": True}, "node_count: True is not of"),
        ({"node_locations": "us-south1-b"}, "node_locations: 'us-south1-b' is not of"),
        ({"autoscaling": [2]}, "autoscaling: a list is not taken"),
        ({"version": {}}, "version: a map is not taken"),
        ({"node_config": {"labels": {"a": 1}}}, "node_config.labels[a]: 1 is not of"),
        ({"node_config": {"taints": [{"key": "a", "value": "b"}]}}, "node_config.taints[0].effect: it is required"),
        ({"node_config": {"boot_disk": {"size": 1}}}, "node_config.boot_disk.size: there is no such argument"),
        ({"cluster": Ref("pd-disaggregation-cluster", "idd")}, "cluster: container.Cluster has no idd"),
        ({"cluster": Ref("pd-disaggregation-cluster", "node_config")}, "cluster: node_config is a"),
    ],
)
def test_a_wrong_argument_would_be_seen(args: dict[str, Any], words: str) -> None:
    plan = planned(stack())
    pool = plan.of("container.NodePool")[1]
    (found,) = GOOGLES.mistakes(replace(pool, args={**pool.args, **args}), kinds(plan))
    assert str(found).startswith(words)


@SDK
def test_fields_of_the_tables_of_changes_exist() -> None:
    listed = [(kind, path) for kind, fixed in REPLACING.items() for path in fixed.paths]
    listed += [(kind, path) for kind, paths in DISRUPTIVE.items() for path in paths]
    assert [row for row in listed if not GOOGLES.declares(*row)] == []
    assert not GOOGLES.declares("container.NodePool", "node_config.boot_disk.size")
    assert not GOOGLES.declares("container.NodePool", "version.minor")


# --- the engine is told of it --------------------------------------------------------------------------------------------


@SDK
@EVERY
def test_every_resource_is_registered_under_the_component_and_by_its_provider(name: str) -> None:
    plan = planned(variant(name))
    found = by_name(recorded(plan))
    assert set(found) == {resource.name for resource in plan.resources}
    assert {resource.parent for resource in found.values()} == {COMPONENT}
    assert {resource.provider for resource in found.values()} == {f"{COMPONENT}-provider"}


@SDK
@EVERY
def test_with_protection_order_and_patience_as_planned(name: str) -> None:
    plan = planned(variant(name))
    found = by_name(recorded(plan))
    for resource in plan.resources:
        told = found[resource.name]
        assert told.after == resource.before
        assert told.protected == resource.protect
        assert told.ignored == resource.ignore_changes
        assert told.deleted_first == resource.delete_before_replace
        assert told.create_timeout == (resource.timeouts.create or "")
        assert told.update_timeout == (resource.timeouts.update or "")
        assert told.delete_timeout == (resource.timeouts.delete or "")
        assert not told.retained


@SDK
def test_arguments_arrive_as_the_provider_spells_them_with_references_resolved() -> None:
    found = by_name(recorded(planned(stack())))
    pool = found["pd-disaggregation-accelerators"].inputs
    assert pool["cluster"] == "pd-disaggregation-cluster-id"
    assert pool["nodeConfig"]["serviceAccount"] == "nodes@acme"
    assert pool["nodeConfig"]["ephemeralStorageLocalSsdConfig"] == {"localSsdCount": 32}
    assert pool["nodeConfig"]["labels"]["nvidia.com/gpu.present"] == "true"
    assert pool["networkConfig"] == {"enablePrivateNodes": True, "acceleratorNetworkProfile": "auto"}
    assert found["pd-disaggregation-gke-agent-networks"].inputs["member"] == "serviceAccount:gke@acme"
    multinet = by_name(recorded(planned(variant("multinet"))))["pd-disaggregation-accelerators"].inputs
    nics = multinet["networkConfig"]["additionalNodeNetworkConfigs"]
    assert nics[0] == {"network": "pd-disaggregation-gvnic-network", "subnetwork": "pd-disaggregation-gvnic"}
    assert len(nics) == 9


def with_googles_ids(one: Registration) -> str:
    """The mocks' ids end in `-id`, Google's in the name."""
    return re.sub(r'"([^"]+)-id"', r'"projects/acme-serving/somewhere/\1"', json.dumps(one.inputs))


@SDK
@EVERY
def test_registered_resources_break_no_law_and_have_their_types(name: str) -> None:
    """As a provider judges it, who knows nothing of the plan."""
    plan = planned(variant(name))
    told = [
        Resource(one.name, kinds(plan)[one.name], "", from_the_engine(json.loads(with_googles_ids(one))))
        for one in by_name(recorded(plan)).values()
    ]
    assert resource_problems(told) == []
    assert {one.name: found for one in told if (found := GOOGLES.mistakes(one, {}))} == {}
    accelerators = next(one for one in told if one.name == plan.settings.named("accelerators"))
    assert accelerators.args["node_config"].keys() == plan.resource(accelerators.name).args["node_config"].keys()


@SDK
def test_ignored_arguments_are_spelt_as_the_engine_does() -> None:
    """One that is spelt otherwise ignores nothing, without a word."""
    plan = planned(variant("autoscaled"))
    for resource in plan.resources:
        for ignored in resource.ignore_changes:
            assert GOOGLES.declares(resource.type, snake(ignored))


@SDK
def test_the_kubeconfig_leads_to_the_dns_endpoint_and_holds_no_credential() -> None:
    exported = recorded(planned(stack())).exports
    assert exported == {"kubeconfig": kubeconfig("pd-disaggregation", ENDPOINT), "endpoint": ENDPOINT}


@SDK
def test_googles_provider_is_told_the_project() -> None:
    (provider,) = recorded(planned(stack())).of("pulumi:providers:gcp")
    assert (provider.inputs["project"], provider.parent) == ("acme-serving", COMPONENT)


def test_a_kubeconfig_asks_googles_plugin_for_credentials() -> None:
    text = kubeconfig("chat", ENDPOINT)
    read = json.loads(text)
    (cluster,), (user,), (context,) = read["clusters"], read["users"], read["contexts"]
    assert cluster == {"name": "chat", "cluster": {"server": f"https://{ENDPOINT}"}}
    assert [*user["user"]] == ["exec"]
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert read["current-context"] == context["name"]
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"]}
    assert not any(word in text for word in ("token", "password", "certificate", "client-key"))


def test_without_the_extra_a_stack_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert GKE.extra is not None
    monkeypatch.setattr(GkeCloud, "extra", replace(GKE.extra, module="pulumi_gcp_that_is_not_there"))
    with pytest.raises(pulumi.RunError, match=r"needs the package pulumi-gcp, which is not installed; run `make gke`"):
        record(lambda: _made(planned(stack())))


def _made(plan: GkePlan) -> None:
    registered(plan, GKE)


# --- what the cluster is given -------------------------------------------------------------------------------------------


def given(plan: GkePlan) -> Recording:
    """Its addons, after something that stands for the nodes."""

    def program() -> None:
        nodes = pulumi.CustomResource("test:index:Nodes", "nodes", {})
        args = ClusterAddonsArgs(waves=plan.waves, releases=plan.charts, owner=OWNER, after=[nodes])
        ClusterAddons("addons", args)

    return record(program)


def test_networks_come_after_their_parameters_and_all_of_them_after_the_nodes() -> None:
    recording = given(planned(variant("multinet")))
    parameters = recording.of(":GKENetworkParamSet")
    networks = recording.of(":Network")
    assert (len(parameters), len(networks)) == (9, 9)
    assert all(resource.after == {"nodes"} for resource in parameters)
    assert all(resource.after == {"nodes", *(one.name for one in parameters)} for resource in networks)
    assert {resource.parent for resource in (*parameters, *networks)} == {"addons"}
    plan = planned(variant("multinet"))
    told = {(r.inputs["kind"], r.inputs["metadata"]["name"]): r.inputs for r in (*parameters, *networks)}
    for obj in plan.objects:
        assert told[obj["kind"], obj["metadata"]["name"]].items() >= obj.items()


def test_what_hands_out_gpus_is_a_helm_release() -> None:
    release = given(planned(stack())).one(":Release")
    assert release.inputs["chart"] == release.inputs["namespace"] == "nvidia-dra-driver-gpu"
    assert release.inputs["repositoryOpts"] == {"repo": "https://helm.ngc.nvidia.com/nvidia"}
    assert release.inputs["values"]["gpuResourcesEnabledOverride"] is True
    assert release.inputs["description"] == OWNER
    assert release.after == {"nodes"}
