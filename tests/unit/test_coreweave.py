"""Node pools on CoreWeave: what a stack file makes of them, what it may not say, and what a wrong one is called."""

from pathlib import Path
from typing import Any

import pytest

from hardware.machines import COREWEAVE_CPU, MACHINES
from stacks.clouds.coreweave.pools import FABRIC, FLAVOR
from stacks.clouds.pools import NodePool
from stacks.findings import Problem
from stacks.rules.facts import blueprint, serving_blueprint
from stacks.rules.table import examine
from stacks.spec.stack import StackSpec
from tests import cks_plans
from tests.blueprints import read
from tests.unit.test_rules import spec

SERVING: dict[str, Any] = {"accelerator": "nvidia", "fabric": "coreweave"}
CLUSTER: dict[str, Any] = {"provider": "coreweave", "context": "cw", "machine": "coreweave-h200", "nodes": 2}
GPU = "cluster.coreweave.acceleratorPool"
CPU = "cluster.coreweave.systemPool"


def stack(cluster: dict[str, Any] | None = None, *, serving: dict[str, Any] | None = None, **pools: Any) -> StackSpec:
    made = {"coreweave": pools} if pools else {}
    return spec({**SERVING, **(serving or {})}, cluster={**CLUSTER, **(cluster or {}), **made})


def pools_of(given: StackSpec) -> dict[str, NodePool]:
    return {pool.key: pool for pool in cks_plans.pools(given)}


def problems(given: StackSpec) -> list[Problem]:
    return list(examine(given).errors)


# --- what is made --------------------------------------------------------------------------------------------------------


def test_two_pools_of_which_the_cpus_comes_first() -> None:
    given = stack()
    assert problems(given) == []
    system, accelerator = cks_plans.pools(given)
    assert system.manifest() == {
        "apiVersion": "compute.coreweave.com/v1alpha1",
        "kind": "NodePool",
        "metadata": {"name": "pd-disaggregation-cpu"},
        "spec": {
            "computeClass": "default",
            "instanceType": "cd-gp-i64-erapids",
            "autoscaling": False,
            "targetNodes": 1,
            "nodeLabels": {"cks.coreweave.cloud/system-critical": "true"},
        },
    }
    assert accelerator.manifest("org/project/stack") == {
        "apiVersion": "compute.coreweave.com/v1alpha1",
        "kind": "NodePool",
        "metadata": {"name": "pd-disaggregation-gpu", "annotations": {"llmd-pd/stack": "org/project/stack"}},
        "spec": {
            "computeClass": "default",
            "instanceType": "gd-8xh200ib-i128",
            "autoscaling": False,
            "targetNodes": 2,
            "lifecycle": {"scaleDownStrategy": "IdleOnly"},
        },
    }
    assert [(pool.nodes, pool.protect) for pool in (system, accelerator)] == [(1, True), (2, True)]


def test_everything_a_pool_can_be_told() -> None:
    taint = {"key": "team", "value": "chat", "effect": "NoSchedule"}
    given = stack(
        {"nodes": 3, "allowReplace": ["acceleratorPool"]},
        serving={"tolerations": [{"key": "team", "operator": "Exists"}], "nodeSelector": {"team": "chat"}},
        systemPool={"name": "cpu", "instanceType": "turin-gp", "nodes": 2},
        acceleratorPool={
            "name": "h200",
            "computeClass": "spot",
            "autoscaling": {"min": 2, "max": 4},
            "labels": {"team": "chat"},
            "taints": [taint],
        },
    )
    assert problems(given) == []
    found = pools_of(given)
    assert (found["systemPool"].name, found["systemPool"].spec["targetNodes"]) == ("cpu", 2)
    assert found["acceleratorPool"].spec == {
        "computeClass": "spot",
        "instanceType": "gd-8xh200ib-i128",
        "autoscaling": True,
        "targetNodes": 3,
        "minNodes": 2,
        "maxNodes": 4,
        "nodeLabels": {"team": "chat"},
        "nodeTaints": [taint],
        "lifecycle": {"scaleDownStrategy": "IdleOnly"},
    }
    assert found["acceleratorPool"].nodes is None, "an autoscaler says how many there are"
    assert (found["systemPool"].protect, found["acceleratorPool"].protect) == (True, False)


def test_a_cpu_pool_of_somebody_elses() -> None:
    assert [*pools_of(stack(systemPool={"manage": False}))] == ["acceleratorPool"]


def test_a_gateway_of_another_cloud_is_none_of_its_clusters() -> None:
    router = {"mode": "gateway", "gateway": {"provider": "gke"}}
    (found,) = problems(spec({**SERVING}, cluster=CLUSTER, router=router))
    assert (found.rule, found.path) == ("GW-01", "llmd-pd:router.gateway.provider")
    assert found.fix == "write `provider: istio` or `provider: agentgateway`"


def test_the_keys_of_another_clouds_section_do_not_count() -> None:
    """It is one mistake, whatever the section lacks."""
    found, whole = read({"serving": SERVING, "cluster": {**CLUSTER, "gke": {"zone": "nowhere", "colour": "blue"}}})
    assert found == []
    assert whole is not None
    assert [(problem.rule, problem.path) for problem in problems(whole)] == [("CLUSTER-01", "llmd-pd:cluster.gke")]


def test_nothing_is_made_of_a_cluster_that_exists() -> None:
    assert blueprint(spec(SERVING, cluster={"machine": "coreweave-h200"}), Path()).cluster.pools == ()


def test_both_roles_are_kept_on_one_infiniband_fabric() -> None:
    for given, kept in ((stack(), True), (stack(serving={"fabric": "base"}), False)):
        for obj in serving_blueprint(given, Path()).model_server:
            if obj["kind"] != "Deployment":
                continue
            affinity = obj["spec"]["template"]["spec"].get("affinity")
            if not kept:
                assert affinity is None
                continue
            (together,) = affinity["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
            assert together["topologyKey"] == FABRIC
            labels = obj["spec"]["template"]["metadata"]["labels"]
            assert together["labelSelector"]["matchLabels"].items() <= labels.items()
            (term,) = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
            assert term == {"matchExpressions": [{"key": FLAVOR, "operator": "In", "values": ["infiniband"]}]}


def test_machines_without_infiniband_do_not_match_each_other() -> None:
    """Their labels are there and empty."""
    assert MACHINES["coreweave-h200"].all_labels[FLAVOR] == "infiniband"
    assert {machine.all_labels[FLAVOR] for machine in COREWEAVE_CPU.values()} == {""}
    assert {machine.all_labels[FABRIC] for machine in COREWEAVE_CPU.values()} == {""}


def test_one_slot_of_the_shared_hcas_and_no_operators() -> None:
    """CW-04 and CW-05: one slot attaches every HCA; drivers, plugins and network operators are CoreWeave's."""
    planned = serving_blueprint(stack(), Path())
    assert {obj["kind"] for obj in planned.model_server} == {"Deployment", "ServiceAccount"}
    for obj in planned.model_server:
        if obj["kind"] == "Deployment":
            (server,) = obj["spec"]["template"]["spec"]["containers"]
            assert server["resources"]["limits"]["rdma/ib"] == "1"


# --- what is refused -----------------------------------------------------------------------------------------------------

MADE = {"zone": "US-EAST-02A", "version": "v1.35"}
OWN = "cluster.coreweave.cluster"


def of(**cluster: Any) -> dict[str, Any]:
    """Pools of a stack that makes the cluster too."""
    return {"cluster": {**MADE, **cluster}}


TEAM = {"key": "team", "value": "chat", "effect": "NoSchedule"}
#: Rule, what of the cluster, of the serving and of the pools is wrong, the key that is named, words.
FINDINGS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str, str]] = [
    ("CLUSTER-01", {"provider": "existing"}, {}, {"systemPool": {}}, "cluster.coreweave", "only `provider: coreweave` reads it"),
    ("CLUSTER-01", {"provider": "existing", "protect": False}, {}, {}, "cluster.protect", "the stack makes no nodes"),
    ("CLUSTER-01", {"provider": "existing", "allowReplace": ["systemPool"]}, {}, {}, "cluster.allowReplace", "leave it out"),
    ("CLUSTER-01", {"provider": "existing", "context": None, "stack": "a"}, {}, {}, "cluster.stack",
     "leave it out, or write `provider: stack`"),
    # With another provider the context would be the next mistake.
    ("CLUSTER-01", {"provider": "existing", "stack": "a"}, {}, {}, "cluster.stack", "reads it; leave it out. (CLUSTER-01)"),
    ("CLUSTER-02", {"provider": "stack", "context": None}, {}, {}, "cluster.stack", "name a stack that makes nodes"),
    ("CLUSTER-01", {"provider": "stack", "stack": "a/b/c"}, {}, {}, "cluster.context", "follows from stack a/b/c; leave it out."),
    ("CW-01", {"nodes": None}, {}, {}, "cluster.nodes", "it is what you pay for"),
    ("CW-02", {}, {}, {"acceleratorPool": {"autoscaling": {"min": 3, "max": 4}}}, "cluster.nodes", "not between 3 and 4"),
    ("CW-02", {}, {}, {"acceleratorPool": {"autoscaling": {"min": 3, "max": 2}}}, f"{GPU}.autoscaling",
     "write `min: 2` with `max: 3`"),
    ("CW-05", {}, {"fabric": None}, {}, "serving.fabric", "over TCP, beside the InfiniBand that is paid for"),
    ("CW-06", {}, {}, {"systemPool": {"instanceType": "gd-8xh200ib-i128"}}, f"{CPU}.instanceType", "no CPU instance type"),
    ("CW-06", {}, {}, {"systemPool": {"name": "a"}, "acceleratorPool": {"name": "a"}}, f"{CPU}.name", "called `a`"),
    ("CW-07", {"machine": "gke-tpu7x"}, {}, {}, "cluster.machine", "write `coreweave-h200`"),
    ("CW-08", {}, {}, {"acceleratorPool": {"labels": {FABRIC: "mine"}}},
     f'{GPU}.labels["{FABRIC}"]', "is not the stack's to write"),
    ("CW-09", {}, {}, {"acceleratorPool": {"taints": [{"key": "is_gpu", "value": "", "effect": "PreferNoSchedule"}]}},
     f"{GPU}.taints[0]", "no node could have both"),
    ("CW-06", {}, {}, {"systemPool": {"manage": False, "instanceType": "x"}}, f"{CPU}.instanceType",
     "the stack does not own that pool"),
    ("CW-08", {}, {}, {"acceleratorPool": {"labels": {"kubernetes.io/hostname": "a"}}},
     f'{GPU}.labels["kubernetes.io/hostname"]', "go by what it says"),
    ("FIT-01", {"nodes": 1}, {}, {"acceleratorPool": {"autoscaling": {"min": 0, "max": 1}}}, f"{GPU}.autoscaling.max",
     "write `max: 2`"),
    # A cluster of the stack's own.
    ("CW-06", {}, {}, of(name="a" * 31), f"{OWN}.name", "shorten it to 30 characters, or leave it out"),
    ("CW-06", {}, {}, of(vpc={"name": "a" * 40}), f"{OWN}.vpc.name", "has 40 characters, because CoreWeave takes 30"),
    ("CW-06", {}, {}, {**of(), "systemPool": {"manage": False}}, f"{CPU}.manage", "no CPU nodes for the router"),
    ("CW-06", {}, {}, {**of(version="v1.31"), "acceleratorPool": {"autoscaling": {"min": 1, "max": 2}}}, f"{OWN}.version",
     "upgrade it to v1.32 or later first"),
    ("CW-11", {}, {}, of(version="1.35"), f"{OWN}.version", "brings its patches itself; write `v1.35`"),
    ("CW-11", {"context": None}, {}, of(version="v1.32"), f"{OWN}.version",
     "no new cluster is made of v1.32, because CoreWeave keeps it for clusters that have it already; write one of v1.34, v1.35"),
    ("CW-11", {"context": None}, {}, {**of(version="v1.31"), "acceleratorPool": {"autoscaling": {"min": 1, "max": 2}}},
     f"{OWN}.version", "write one of v1.34"),
    ("CW-11", {}, {}, of(version="v1.35.2"), f"{OWN}.version", "brings its patches itself"),
    ("CW-12", {}, {}, of(vpc={"pods": "10.0.0.0"}), f"{OWN}.vpc.pods", "its first address and prefix length"),
    ("CW-12", {}, {}, of(vpc={"pods": "10.1.0.0/13"}), f"{OWN}.vpc.pods", "write `10.0.0.0/13`"),
    ("CW-12", {}, {}, of(vpc={"pods": "fd00::/48"}), f"{OWN}.vpc.pods", "is no IPv4 network"),
    ("CW-12", {}, {}, of(vpc={"services": "8.8.0.0/22"}), f"{OWN}.vpc.services", "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or"),
    ("CW-12", {}, {}, of(vpc={"services": "10.0.4.0/22"}), f"{OWN}.vpc.services", "overlaps `10.0.0.0/13` of `pods`"),
    ("CW-12", {}, {}, of(vpc={"internalLoadBalancers": ["10.16.0.0/24"]}),
     f"{OWN}.vpc.internalLoadBalancers[0]", "of `services`"),
    ("CW-12", {}, {}, of(vpc={"services": "10.0.4.0/22", "pods": "10.0.0.0/13"}), f"{OWN}.vpc.pods", "of `services`"),
    ("CW-12", {}, {}, of(vpc={"internalLoadBalancers": ["10.32.4.0/22", "10.32.4.0/24"]}), f"{OWN}.vpc.internalLoadBalancers[0]",
     "take another range for either"),
    ("CW-12", {}, {}, of(vpc={"hosts": "10.4.0.0/18"}), f"{OWN}.vpc.hosts", "of `pods`"),
    ("CW-12", {}, {}, of(vpc={"peers": ["10.0.0.0/8"], "pods": "172.16.0.0/13", "services": "172.24.0.0/22",
                              "internalLoadBalancers": ["10.1.0.0/22"]}), f"{OWN}.vpc.internalLoadBalancers[0]", "of `peers`"),
    ("CW-12", {}, {}, of(vpc={"peers": ["10.1"]}), f"{OWN}.vpc.peers[0]", "is no IPv4 network"),
    ("CW-13", {}, {}, of(vpc={"pods": "10.0.0.0/24"}), f"{OWN}.vpc.pods", "there may be 3, with 128 addresses each; take a /23"),
    ("CW-13", {}, {}, {**of(vpc={"pods": "10.0.0.0/23"}), "acceleratorPool": {"autoscaling": {"min": 1, "max": 4}}},
     f"{OWN}.vpc.pods", "the pods of 4 nodes, because there may be 5"),
    ("CW-13", {}, {}, of(vpc={"hosts": "10.16.192.0/30"}), f"{OWN}.vpc.hosts",
     "has room for 2 nodes, because there may be 3, with 2 addresses each; take a /29"),
    ("CW-13", {"nodes": 200_000}, {}, of(), f"{OWN}.vpc.pods", "plan for fewer nodes"),
    ("CW-14", {"context": None, "kubeconfig": "~/.kube/x"}, {}, of(), "cluster.context", "cluster than pd-disaggregation"),
    # What the scheduler would never place.
    ("FIT-01", {"nodes": 1}, {}, {}, "cluster.nodes", "write `nodes: 2`"),
    ("FIT-01", {}, {}, {"acceleratorPool": {"taints": [TEAM]}}, f"{GPU}.taints[0]", "team=chat:NoSchedule"),
    ("FIT-01", {}, {"nodeSelector": {"team": "chat"}}, {}, "serving.nodeSelector.team",
     "write `team: chat` in `cluster.coreweave.acceleratorPool.labels`"),
    ("MACHINE-02", {}, {"fabric": "gke"}, {}, "serving.fabric", "write `fabric: coreweave` or `fabric: base`"),
    ("MACHINE-02", {}, {"accelerator": "amd", "fabric": "base"}, {}, "serving.accelerator", "write `accelerator: nvidia`"),
    ("FIT-01", {}, {"nodeSelector": {"team": "chat"}}, {"acceleratorPool": {"labels": {"team": "search"}}},
     "serving.nodeSelector.team", "write `team: search` in `serving.nodeSelector`, or leave `team` out of"),
    ("FIT-01", {"machine": None}, {"accelerator": "amd", "fabric": "base"}, {}, "cluster.machine", "of coreweave serves"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "cluster", "serving", "pools", "path", "words"), FINDINGS, ids=[f"{f[0]} {f[5][:40]}" for f in FINDINGS]
)
def test_a_rule_finds_what_it_is_for(
    rule: str, cluster: dict[str, Any], serving: dict[str, Any], pools: dict[str, Any], path: str, words: str
) -> None:
    stated = {key: value for key, value in {**CLUSTER, **cluster}.items() if value is not None}
    served = {key: value for key, value in {**SERVING, **serving}.items() if value is not None}
    found = problems(spec(served, cluster={**stated, **({"coreweave": pools} if pools else {})}))
    assert {(problem.rule, problem.path) for problem in found} == {(rule, f"llmd-pd:{path}")}
    for problem in found:
        assert words in str(problem)
        assert problem.source


@pytest.mark.parametrize(
    ("cluster", "serving", "pools"),
    [
        ({}, {}, {}),
        ({"machine": None}, {}, {}),
        ({"protect": False}, {}, {}),
        ({}, {"fabric": "base"}, {}),
        ({}, {}, {"acceleratorPool": {"autoscaling": {"min": 0, "max": 2}}}),
        ({}, {}, {"acceleratorPool": {"labels": {"cks.coreweave.cloud/system-critical": "true"}}}),
        ({}, {}, {"acceleratorPool": {"taints": [{**TEAM, "effect": "PreferNoSchedule"}]}}),
        *(({}, {}, {"systemPool": {"instanceType": kind}}) for kind in COREWEAVE_CPU),
        ({}, {}, of()),
        ({"context": None}, {}, of()),
        ({"kubeconfig": "~/.kube/x"}, {}, of()),
        ({}, {}, of(name="a" * 30, vpc={"name": "b" * 30})),
        ({}, {}, {**of(version="v1.32"), "acceleratorPool": {"autoscaling": {"min": 1, "max": 2}}}),
        ({}, {}, of(version="v1.31")),  # one that exists keeps its version
        ({"context": None}, {}, of(version="v1.33")),
        ({"context": None}, {}, of(version="v1.37")),
        ({}, {}, of(vpc={"hosts": "10.16.192.0/19"})),
        ({}, {}, of(vpc={"hosts": "10.16.192.0/29"})),
        ({}, {}, of(vpc={"hosts": "10.16.192.0/18", "peers": ["10.128.0.0/9", "10.128.0.0/10", "8.8.8.0/24"]})),
        ({}, {}, of(vpc={"pods": "100.64.0.0/23", "internalLoadBalancers": ["192.168.0.0/24", "192.168.1.0/24"]})),
    ],
)
def test_and_leaves_alone_what_can_be(cluster: dict[str, Any], serving: dict[str, Any], pools: dict[str, Any]) -> None:
    stated = {key: value for key, value in {**CLUSTER, **cluster}.items() if value is not None}
    assert problems(spec({**SERVING, **serving}, cluster={**stated, **({"coreweave": pools} if pools else {})})) == []
