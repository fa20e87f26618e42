"""`llmd-pd leftovers`: what of a stack is still in its cluster, which of it bills, and when that cannot be told."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.cli import run
from commands.leftovers import file_of
from releases.gateway_api import API as GATEWAY_API
from stacks.clouds.coreweave.pools import API as POOLS
from stacks.leftovers import CRDS
from tests.gke_plans import GKE
from tests.unit.api_server import (
    NAMESPACE,
    OWNER,
    SECRETS,
    Answer,
    ApiServer,
    kubeconfig,
    namespace,
    refusing,
    releases,
)

VOLUMES = "/api/v1/persistentvolumes"
GATEWAY = f"{GATEWAY_API}/namespaces/team-a/gateways/llm-d-inference-gateway"
FORBIDDEN: Answer = (403, {"kind": "Status", "code": 403})
COREWEAVE = {"provider": "coreweave", "machine": "coreweave-h200", "nodes": 2}
ISTIO = {"mode": "gateway", "gateway": {"provider": "istio", "install": True}}


ISTIO_SECRETS = "/api/v1/namespaces/istio-system/secrets"
IN_NAMESPACE = [f"{NAMESPACE}/{kind}" for kind in ("services", "persistentvolumeclaims", "pods", "secrets")]
#: Answers of an empty API server: no list of a built-in kind is ever missing.
EMPTY: dict[str, Answer] = dict.fromkeys((VOLUMES, CRDS, ISTIO_SECRETS, *IN_NAMESPACE), (200, {"items": []}))


class Stack:
    """Stack `prod`, in namespace team-a of the server; its file is in the working directory."""

    def __init__(self, directory: Path, server: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory, self.server, self.capsys = directory, server, capsys
        self.file = directory / "Pulumi.prod.yaml"
        server.answers = EMPTY
        self.write()

    def write(self, url: str = "", context: str = "prod", cluster: dict[str, Any] | None = None, **more: Any) -> None:
        path = kubeconfig(self.directory / f"kubeconfig{len(url)}", url or self.server.url)
        config = {
            "namespace": "team-a",
            "serving": {"accelerator": "nvidia", "fabric": "coreweave"},
            "cluster": {"kubeconfig": str(path), "context": context, **(cluster or {})},
            **more,
        }
        self.file.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = run(["leftovers", *(arguments or ("prod",))])
        return code, *self.capsys.readouterr()

    def document(self) -> tuple[int, dict[str, Any]]:
        code, out, _ = self("prod", "--output", "json")
        return code, json.loads(out)

    def left(self) -> list[tuple[str, str, bool]]:
        code, document = self.document()
        assert code == (1 if document["left"] else 0)
        return [(row["kind"], row["name"], row["bills"]) for row in document["left"]]


@pytest.fixture
def stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: ApiServer, capsys: pytest.CaptureFixture[str]
) -> Stack:
    monkeypatch.chdir(tmp_path)
    return Stack(tmp_path, server, capsys)


def items(*found: dict[str, Any]) -> Answer:
    return 200, {"items": list(found)}


def thing(name: str, spec: dict[str, Any], status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "team-a", **metadata}, "spec": spec, "status": status or {}}


def pool(name: str, current: int, holder: str | None = OWNER) -> dict[str, Any]:
    annotations = {"llmd-pd/stack": holder} if holder else {}
    spec = {"instanceType": "gd-8xh200ib-i128", "targetNodes": 2}
    return {
        "metadata": {"name": name, "annotations": annotations},
        "spec": spec,
        "status": {"currentNodes": current} if current else {},
    }


def crd(name: str) -> dict[str, Any]:
    return thing(name, {"group": name.partition(".")[2]})


# --- nothing -------------------------------------------------------------------------------------------------------------


def test_nothing_is_left(stack: Stack) -> None:
    assert stack() == (0, "stack prod: nothing is left in context `prod`\n", "")


def test_it_only_reads_and_each_path_once(stack: Stack) -> None:
    stack.write(cluster=COREWEAVE, router=ISTIO)
    stack.server.answers = EMPTY | {POOLS: items(), NAMESPACE: namespace(OWNER)}
    stack()
    asked = [(path, query) for path, query, _ in stack.server.asked]
    assert len(asked) == len(set(asked)) == 11
    assert stack.server.patched == []


def test_what_stays_on_purpose_is_no_error(stack: Stack) -> None:
    ours = [crd("inferencepools.inference.networking.k8s.io"), crd("inferenceobjectives.inference.networking.x-k8s.io")]
    stack.server.answers = EMPTY | {
        CRDS: items(*ours, crd("gateways.gateway.networking.k8s.io"), crd("widgets.acme.example"))
    }
    code, out, err = stack()
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "stays on purpose                                       what",
        "CRD inferencepools.inference.networking.k8s.io         other stacks may use it",
        "CRD inferenceobjectives.inference.networking.x-k8s.io  other stacks may use it",
        "",
        "stack prod: nothing is left in context `prod` except what stays on purpose",
    ]


def test_crds_of_others_are_not_the_stacks(stack: Stack) -> None:
    stack.write(crds={"manage": False})
    stack.server.answers = EMPTY | {CRDS: items(crd("inferencepools.inference.networking.k8s.io"))}
    assert stack.document()[1]["on_purpose"] == []
    assert CRDS not in [path for path, _, _ in stack.server.asked]


def test_the_gateway_apis_crds_stay_where_the_stack_brings_them(stack: Stack) -> None:
    stack.write(router=ISTIO)
    stack.server.answers = EMPTY | {CRDS: items(crd("gateways.gateway.networking.k8s.io"))}
    code, document = stack.document()
    assert code == 0
    assert [row["name"] for row in document["on_purpose"]] == ["gateways.gateway.networking.k8s.io"]


# --- each kind -----------------------------------------------------------------------------------------------------------


def test_node_pools_bill_by_their_nodes(stack: Stack) -> None:
    stack.write(cluster=COREWEAVE)
    stack.server.answers = EMPTY | {
        POOLS: items(
            pool("pd-disaggregation-gpu", 2),
            pool("pd-disaggregation-cpu", 0),
            pool("renamed-since", 1, "other-org/llmd-pd/prod"),
            pool("somebody-elses", 3, "acme/llmd-pd/dev"),
            pool("nobodys", 3, None),
        )
    }
    code, out, _ = stack()
    assert code == 1
    assert out.splitlines() == [
        "left                            bills  what",
        "NodePool pd-disaggregation-gpu  yes    2 nodes of gd-8xh200ib-i128, billed per node",
        "NodePool pd-disaggregation-cpu  no     no node of gd-8xh200ib-i128 now, 2 wanted",
        "NodePool renamed-since          yes    1 node of gd-8xh200ib-i128, billed per node",
        "",
        "stack prod: 3 things left in context `prod`, 2 of which bill",
    ]


def test_a_pool_of_the_stacks_name_without_a_mark_is_listed(stack: Stack) -> None:
    stack.write(cluster=COREWEAVE)
    stack.server.answers = EMPTY | {POOLS: items(pool("pd-disaggregation-gpu", 2, None))}
    code, out, _ = stack()
    assert code == 1
    assert "billed per node; it is not marked as any stack's" in out


def test_a_pool_of_the_stacks_name_that_is_another_stacks_is_a_note(stack: Stack) -> None:
    stack.write(cluster=COREWEAVE)
    stack.server.answers = EMPTY | {POOLS: items(pool("pd-disaggregation-gpu", 2, "acme/llmd-pd/preprod"))}
    code, _, err = stack()
    assert (code, err) == (
        0,
        "Note: NodePool pd-disaggregation-gpu exists and belongs to stack acme/llmd-pd/preprod.\n",
    )


def test_a_cluster_without_node_pools_is_the_wrong_one(stack: Stack) -> None:
    """Not "nothing is left": the nodes bill in another cluster."""
    stack.write(cluster=COREWEAVE)
    code, out, err = stack()
    assert (code, out) == (1, "")
    assert "the cluster knows no NodePools, because it is no CKS cluster; check that the context" in err


@pytest.mark.parametrize(
    ("kind", "found", "expected", "what"),
    [
        (
            "services",
            thing("chat", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}),
            [("Service", "team-a/chat", True)],
            "load balancer, at 203.0.113.7",
        ),
        (
            "services",
            thing("chat", {"type": "LoadBalancer"}, deletionTimestamp="…", finalizers=["a/cleanup"]),
            [("Service", "team-a/chat", True)],
            "load balancer, without an address; being deleted, held by a/cleanup",
        ),
        ("services", thing("epp", {"type": "ClusterIP"}), [], ""),
        (
            "persistentvolumeclaims",
            thing("models", {"volumeName": "pv-1"}, {"capacity": {"storage": "512Gi"}}),
            [("PersistentVolumeClaim", "team-a/models", True)],
            "512Gi, on volume pv-1",
        ),
        (
            "persistentvolumeclaims",
            thing("models", {}),
            [("PersistentVolumeClaim", "team-a/models", False)],
            "without a volume yet",
        ),
        (
            "pods",
            thing(
                "decode-0",
                {
                    "nodeName": "g1",
                    "containers": [
                        {"resources": {"limits": {"nvidia.com/gpu": "4", "rdma/ib": "1", "cpu": "8"}}},
                        {"name": "sidecar"},
                    ],
                },
                {"phase": "Running"},
            ),
            [("Pod", "team-a/decode-0", True)],
            "holds node g1: 4 nvidia.com/gpu, 1 rdma/ib",
        ),
        (
            "pods",
            thing("decode-0", {"containers": [{}], "resourceClaims": [{"name": "gpus"}]}, {"phase": "Pending"}),
            [("Pod", "team-a/decode-0", False)],
            "waits for a node: 1 resource claim",
        ),
        (
            "pods",
            thing("epp", {"nodeName": "c1", "containers": [{"resources": {"limits": {"cpu": "8"}}}]}),
            [],
            "",
        ),
        (
            "pods",
            thing(
                "job",
                {"nodeName": "g1", "containers": [{"resources": {"limits": {"nvidia.com/gpu": "1"}}}]},
                {"phase": "Succeeded"},
            ),
            [],
            "",
        ),
    ],
)  # fmt: skip
def test_in_the_stacks_namespace(
    kind: str, found: dict[str, Any], expected: list[tuple[str, str, bool]], what: str, stack: Stack
) -> None:
    stack.server.answers = EMPTY | {NAMESPACE: namespace(OWNER), f"{NAMESPACE}/{kind}": items(found)}
    assert stack.left() == [("Namespace", "team-a", False), *expected]
    assert [row["what"] for row in stack.document()[1]["left"]][1:] == ([what] if expected else [])


def test_the_routers_release(stack: Stack) -> None:
    stack.server.answers = EMPTY | {NAMESPACE: namespace(OWNER), SECRETS: releases(OWNER, OWNER)}
    code, out, _ = stack()
    assert code == 1
    assert "\nHelm release team-a/pd-disaggregation  no     revision 2, deployed\n" in out


@pytest.mark.parametrize(("addresses", "bills"), [([{"value": "203.0.113.7"}], True), ([], False)])
def test_the_stacks_gateway(addresses: list[dict[str, str]], bills: bool, stack: Stack) -> None:
    stack.write(router=ISTIO)
    live = thing("llm-d-inference-gateway", {}, {"addresses": addresses})
    stack.server.answers = EMPTY | {NAMESPACE: namespace(OWNER), GATEWAY: (200, live)}
    assert stack.left()[1:] == [("Gateway", "team-a/llm-d-inference-gateway", bills)]


def test_a_gateway_of_somebody_elses_is_not_looked_for(stack: Stack) -> None:
    stack.write(router={"mode": "gateway", "gateway": {"provider": "istio", "manage": False, "namespace": "shared"}})
    stack.server.answers = EMPTY | {NAMESPACE: namespace(OWNER)}
    assert stack.left() == [("Namespace", "team-a", False)]
    assert not [path for path, _, _ in stack.server.asked if "gateways" in path]


@pytest.mark.parametrize("retain", [True, False])
def test_the_gateways_implementation_stays_if_it_shall(retain: bool, stack: Stack) -> None:
    stack.write(router={"mode": "gateway", "gateway": {"provider": "istio", "install": True, "retain": retain}})
    query = "labelSelector=owner%3Dhelm%2Cname%3D"
    stack.server.queries = {
        (ISTIO_SECRETS, f"{query}istiod"): releases(OWNER, name="istiod"),
        (ISTIO_SECRETS, f"{query}istio-base"): releases("Install complete", name="istio-base"),
    }
    code, document = stack.document()
    assert code == (0 if retain else 1)
    (row,) = document["on_purpose" if retain else "left"]
    assert row["name"] == "istio-system/istiod", "the other one has another owner"


def volume(name: str, phase: str, namespace: str, claim: str = "models") -> dict[str, Any]:
    spec = {
        "capacity": {"storage": "512Gi"},
        "claimRef": {"namespace": namespace, "name": claim},
        "persistentVolumeReclaimPolicy": "Retain",
    }
    return {"metadata": {"name": name}, "spec": spec, "status": {"phase": phase}}


def test_released_volumes_are_left_when_even_the_namespace_is_gone(stack: Stack) -> None:
    unclaimed: dict[str, Any] = {"metadata": {"name": "free"}, "spec": {}}
    stack.server.answers = EMPTY | {
        VOLUMES: items(volume("pv-1", "Released", "team-a"), volume("pv-2", "Bound", "b"), unclaimed)
    }
    code, out, _ = stack()
    assert code == 1
    assert out.splitlines()[1] == "PersistentVolume pv-1  yes    512Gi, Released, Retain, claimed by team-a/models"


def test_a_volume_is_billed_once(stack: Stack) -> None:
    """By its claim while that exists, by itself if not."""
    stack.server.answers = EMPTY | {
        NAMESPACE: namespace(OWNER),
        f"{NAMESPACE}/persistentvolumeclaims": items(thing("models", {"volumeName": "pv-1"})),
        VOLUMES: items(volume("pv-1", "Bound", "team-a"), volume("pv-2", "Released", "team-a", "cache")),
    }
    assert [name for _, name, bills in stack.left() if bills] == ["team-a/models", "pv-2"]


# --- another owner's ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holder", "whose"),
    [(None, "another owner"), ("acme/llmd-pd/preprod", "stack acme/llmd-pd/preprod"), ("a/b/prod", "stack a/b/prod")],
)
def test_a_namespace_of_somebody_elses_is_mentioned_and_not_looked_into(
    holder: str | None, whose: str, stack: Stack
) -> None:
    stack.server.answers = EMPTY | {
        NAMESPACE: namespace(holder),
        SECRETS: releases(OWNER),
        VOLUMES: items(volume("pv-1", "Released", "team-a")),
    }
    code, out, err = stack()
    assert (code, out) == (0, "stack prod: nothing is left in context `prod`\n")
    assert err == (
        f"Note: namespace team-a exists and belongs to {whose}, so nothing in it is this stack's, "
        "nor a volume claimed from it.\n"
    )


# --- when it cannot be told ----------------------------------------------------------------------------------------------


def test_an_unreachable_cluster(stack: Stack) -> None:
    stack.write(refusing())
    code, out, err = stack()
    assert (code, out) == (1, "")
    assert err.startswith("llmd-pd:cluster: the cluster's API server cannot be reached, because ")
    assert err.count("\n") == 1


def test_no_such_context(stack: Stack) -> None:
    stack.write(context="gone")
    code, out, err = stack()
    assert (code, out) == (1, "")
    assert err.startswith("llmd-pd:cluster: context `gone` cannot be used, because the kubeconfig does not give it: ")


@pytest.mark.parametrize("status", [401, 500])
def test_an_answer_of_no_use(status: int, stack: Stack) -> None:
    stack.server.answers = EMPTY | {VOLUMES: (status, {})}
    code, out, err = stack()
    assert (code, out) == (1, "")
    assert f"because it answers {status}" in err


@pytest.mark.parametrize("cluster", [{}, COREWEAVE], ids=["existing", "coreweave"])
def test_a_server_that_knows_nothing_at_all_is_no_api_server(cluster: dict[str, Any], stack: Stack) -> None:
    stack.write(cluster=cluster)
    stack.server.answers = {POOLS: items()}
    code, out, err = stack()
    assert (code, out) == (1, "")
    assert err.startswith(
        "llmd-pd:cluster: the cluster's API server cannot be reached, because what answers there knows no "
    )
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (POOLS, "NodePools"),
        (NAMESPACE, "namespace team-a"),
        (f"{NAMESPACE}/services", "Services of team-a"),
        (f"{NAMESPACE}/persistentvolumeclaims", "PersistentVolumeClaims of team-a"),
        (f"{NAMESPACE}/pods", "Pods of team-a"),
        (SECRETS, "Secrets of team-a (Helm's records of pd-disaggregation)"),
        (GATEWAY, "Gateway team-a/llm-d-inference-gateway"),
        (VOLUMES, "PersistentVolumes"),
        (CRDS, "CustomResourceDefinitions"),
    ],
)
def test_who_may_not_look_is_not_told_that_nothing_is_left(path: str, named: str, stack: Stack) -> None:
    stack.write(cluster=COREWEAVE, router=ISTIO)
    stack.server.answers = EMPTY | {POOLS: items(), NAMESPACE: namespace(OWNER), path: FORBIDDEN}
    code, out, err = stack()
    assert code == 1
    assert "nothing is left" not in out
    assert err.startswith(f"Error: {named} cannot be listed, because your role in the cluster may not read ")
    assert err.count("\n") == 1


def test_what_was_found_is_shown_all_the_same(stack: Stack) -> None:
    stack.server.answers = EMPTY | {NAMESPACE: namespace(OWNER), VOLUMES: FORBIDDEN, CRDS: FORBIDDEN}
    code, out, err = stack()
    assert code == 1
    assert out.splitlines()[-1] == "stack prod: at least 1 thing left in context `prod`, 0 of which bill"
    assert err.startswith("Error: PersistentVolumes, CustomResourceDefinitions cannot be listed, because ")
    document = stack.document()[1]
    assert document["unread"] == ["PersistentVolumes", "CustomResourceDefinitions"]
    assert document["summary"] == {"left": 1, "bill": 0, "whole": False}


# --- the command ---------------------------------------------------------------------------------------------------------


def test_json(stack: Stack) -> None:
    stack.server.answers = EMPTY | {
        NAMESPACE: namespace(OWNER),
        VOLUMES: items(volume("pv-1", "Released", "team-a")),
        CRDS: items(crd("inferencepools.inference.networking.k8s.io")),
    }
    assert stack.document() == (
        1,
        {
            "stack": "prod",
            "file": "Pulumi.prod.yaml",
            "context": "prod",
            "left": [
                {"kind": "Namespace", "name": "team-a", "what": f"of stack {OWNER}", "bills": False},
                {
                    "kind": "PersistentVolume",
                    "name": "pv-1",
                    "what": "512Gi, Released, Retain, claimed by team-a/models",
                    "bills": True,
                },
            ],
            "on_purpose": [
                {
                    "kind": "CRD",
                    "name": "inferencepools.inference.networking.k8s.io",
                    "what": "other stacks may use it",
                    "bills": False,
                }
            ],
            "others": [],
            "unread": [],
            "summary": {"left": 2, "bill": 1, "whole": True},
        },
    )


def test_a_stack_by_its_name_or_its_file(stack: Stack) -> None:
    for argument in ("prod", "Pulumi.prod.yaml", str(stack.file)):
        assert stack(argument)[:2] == (0, "stack prod: nothing is left in context `prod`\n")


@pytest.mark.parametrize(
    ("argument", "file"),
    [
        ("prod", "Pulumi.prod.yaml"),
        ("prod.v2", "Pulumi.prod.v2.yaml"),
        ("mine.yaml", "mine.yaml"),
        ("./mine", "mine"),
        ("stacks/Pulumi.prod.yml", "stacks/Pulumi.prod.yml"),
    ],
)
def test_what_is_a_name_and_what_a_path(argument: str, file: str) -> None:
    assert file_of(argument) == Path(file)


def test_a_missing_file(stack: Stack) -> None:
    code, out, err = stack("prd")
    assert (code, out) == (1, "")
    assert err.startswith("Pulumi.prd.yaml: the file cannot be read, because there is none of that name; ")
    assert "Pulumi.prod.yaml" in err


@pytest.mark.parametrize("arguments", [(), ("prod", "other"), ("prod", "--output", "xml")], ids=str)
def test_a_command_line_that_makes_no_sense(arguments: tuple[str, ...]) -> None:
    assert run(["leftovers", *arguments]) == 2


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["leftovers", "--help"]) == 0
    assert "\n    llmd-pd leftovers " in capsys.readouterr().out


# --- a platform stack, and a stack that refers to it ---------------------------------------------------------------------


def as_platform(stack: Stack) -> None:
    """The file of stack `prod` as that of a platform stack."""
    cluster = {
        "kubeconfig": str(kubeconfig(stack.directory / "kube", stack.server.url)),
        "context": "prod",
        **COREWEAVE,
    }
    stack.file.write_text(yaml.safe_dump({"config": {"llmd-pd:cluster": cluster}}))


def test_of_a_stack_that_only_makes_nodes_nodes_can_be_left(stack: Stack) -> None:
    as_platform(stack)
    stack.server.answers = {POOLS: items(pool("pd-disaggregation-gpu", 2), pool("theirs", 8, "acme/llmd-pd/dev"))}
    assert stack.left() == [("NodePool", "pd-disaggregation-gpu", True)]
    assert {path for path, *_ in stack.server.asked} == {POOLS}
    stack.server.answers = {POOLS: items()}
    assert stack.left() == []


def test_where_to_look_is_what_the_stack_says_that_makes_the_nodes(stack: Stack) -> None:
    as_platform(stack)
    config = {
        "namespace": "team-a",
        "cluster": {"provider": "stack", "stack": "prod"},
        "serving": {"accelerator": "nvidia", "fabric": "coreweave"},
    }
    chat = stack.directory / "Pulumi.chat.yaml"
    chat.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    code, out, err = stack("chat")
    assert (code, out, err) == (0, "stack chat: nothing is left in context `prod`\n", "")
    assert POOLS not in {path for path, *_ in stack.server.asked}, "the nodes are not its own"
    stack.file.unlink()
    code, out, err = stack("chat")
    assert (code, out) == (1, "")
    assert "Pulumi.prod.yaml does not exist, because without the engine" in err


def of_its_own(**cluster: Any) -> dict[str, Any]:
    return {**COREWEAVE, "coreweave": {"cluster": {"zone": "US-EAST-02A", "version": "v1.35"}}, **cluster}


def test_a_cluster_of_the_stacks_own_that_answers_is_left_with_its_vpc(stack: Stack) -> None:
    stack.server.answers = {**EMPTY, POOLS: items()}
    stack.write(cluster=of_its_own())
    assert stack.left() == [("CKS cluster", "pd-disaggregation", False), ("VPC", "pd-disaggregation", False)]


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        (
            {"context": None, "kubeconfig": None},
            "without it nothing leads to the cluster that the stack makes; name it; https",
        ),
        ({}, "after a destroy nothing answers: https"),
    ],
)
def test_of_one_that_does_not_answer_the_console_tells(cluster: dict[str, Any], words: str, stack: Stack) -> None:
    stack.write("http://127.0.0.1:1", cluster=of_its_own(**cluster))
    code, out, error = stack()
    assert (code, out) == (1, "")
    said = " ".join(error.split())
    assert words in said
    assert (
        "https://console.coreweave.com shows whether cluster pd-disaggregation and VPC pd-disaggregation still exist"
        in said
    )
    assert stack.server.asked == []


def test_on_a_cluster_that_only_the_engine_knows_the_way_to_it_has_to_be_named(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground = {"provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 2, "gke": GKE}
    stack.file.write_text(yaml.safe_dump({"config": {"llmd-pd:cluster": ground}}))
    config = {
        "namespace": "team-a",
        "cluster": {"provider": "stack", "stack": "prod"},
        "serving": {"accelerator": "nvidia", "fabric": "gke-rdma"},
    }
    chat = stack.directory / "Pulumi.chat.yaml"
    chat.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    own = str(kubeconfig(stack.directory / "kube", stack.server.url))
    # The client looks for it once, when it is imported.
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", own)
    code, out, err = stack("chat")
    assert (code, out, stack.server.asked) == (1, "", [])
    assert "llmd-pd:cluster.stack: the cluster is stack prod's, because how to reach it is an output" in err
    assert "with --context" in err
    code, out, err = stack("chat", "--context", "prod")
    assert (code, out, err) == (0, "stack chat: nothing is left in context `prod`\n", "")
    assert stack.server.asked


def test_a_context_that_the_file_says_is_not_to_be_said_again(stack: Stack) -> None:
    assert stack("prod", "--context", "prod")[0] == 2
    as_platform(stack)
    assert stack("prod", "--context", "prod")[0] == 2
    assert stack.server.asked == []
