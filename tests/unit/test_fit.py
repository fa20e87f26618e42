"""Does it fit, and on how many nodes: the guide's own numbers first, then the ways in which a pod does not fit."""

import time
from dataclasses import replace
from decimal import Decimal

import pytest

from hardware.fit import quantities
from hardware.fit.fit import ClaimRequest, Misfit, PodDoesNotFitError, PodRequest, Toleration, misfits, nodes_needed
from hardware.fit.requests import pod_requests
from hardware.machines import SYSTEM, machine

PCIE_ROOT = "resource.kubernetes.io/pcieRoot"


def gpus(count: int, each: int, resource: str = "nvidia.com/gpu", **more: str) -> PodRequest:
    return PodRequest(count, {"cpu": "8", "memory": "16Gi", resource: str(each), **more})


def claims(count: int, each: int, device_class: str, *, per_claim: int = 1, **more: str) -> PodRequest:
    """Pods with `each` devices, in claims of `per_claim`."""
    return PodRequest(count, more, tuple(ClaimRequest({device_class: per_claim}) for _ in range(each // per_claim)))


def nic_claims(count: int, each: int, gpu: str, nic: str, per_claim: int = 1) -> PodRequest:
    claim = ClaimRequest({gpu: per_claim, nic: per_claim}, same_attribute=PCIE_ROOT)
    return PodRequest(
        count, claims=(claim,) * (each // per_claim), tolerations=(Toleration("nvidia.com/gpu", effect="NoSchedule"),)
    )


@pytest.mark.parametrize(
    ("key", "pods", "nodes"),
    [
        ("nvidia-generic", [gpus(8, 1), gpus(2, 4)], 2),
        ("coreweave-h200", [gpus(8, 1, **{"rdma/ib": "1"}), gpus(2, 4, **{"rdma/ib": "1"})], 2),
        ("gke-a3-ultragpu-8g-rdma", [gpus(8, 1), gpus(2, 4)], 2),
        (
            "gke-a3-ultragpu-8g-dra",
            [nic_claims(n, d, "gpu.nvidia.com", "mrdma.google.com") for n, d in ((8, 1), (2, 4))],
            2,
        ),
        ("amd-mi300x", [gpus(4, 1, "amd.com/gpu"), gpus(1, 4, "amd.com/gpu")], 1),
        (
            "amd-mi300x-oci",
            [gpus(4, 1, "amd.com/gpu", **{"nvidia.com/sriov-rdma-vf": "1"}), gpus(1, 4, "amd.com/gpu")],
            1,
        ),
        ("intel-xpu-dra", [claims(3, 1, "gpu.intel.com"), claims(1, 1, "gpu.intel.com")], 1),
        ("intel-xpu-rdma-dra", [nic_claims(n, 1, "gpu.intel.com", "rdma-dranet") for n in (3, 1)], 1),
        ("gaudi-dra", [claims(4, 1, "gaudi.intel.com"), claims(1, 4, "gaudi.intel.com")], 1),
        ("gke-tpu7x", [PodRequest(1, {"google.com/tpu": 4, "cpu": "200", "memory": "800Gi"})] * 2, 2),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_nodes_of_the_guides_own_sizings(key: str, pods: list[PodRequest], nodes: int) -> None:
    assert nodes_needed(pods, machine(key)) == nodes
    assert nodes_needed(pods[::-1], machine(key)) == nodes  # whichever role is listed first
    assert [misfits(pod, machine(key)) for pod in pods] == [[], []]


@pytest.mark.parametrize(
    ("pods", "nodes"),
    [
        ([], 0),
        ([gpus(0, 1)], 0),
        ([gpus(1, 8)], 1),
        ([gpus(9, 1)], 2),
        ([gpus(3, 5), gpus(3, 3)], 3),  # threes fill what fives leave
        ([gpus(2, 6), gpus(1, 2), gpus(1, 4)], 3),
        ([gpus(1, 1), gpus(1, 7), gpus(2, 4)], 2),
        ([gpus(10, 1), gpus(5, 4), gpus(1, 8)], 5),  # 10 + 20 + 8 = 38 devices
    ],
)
def test_nodes_of_other_mixtures(pods: list[PodRequest], nodes: int) -> None:
    assert nodes_needed(pods, machine("nvidia-generic")) == nodes


def test_every_dimension_limits() -> None:
    generic = machine("nvidia-generic")  # 190 CPU, 2000Gi, 8 GPUs, 110 pods
    assert nodes_needed([PodRequest(4, {"cpu": "95"})], generic) == 2
    assert nodes_needed([PodRequest(4, {"cpu": "95001m"})], generic) == 4
    assert nodes_needed([PodRequest(3, {"memory": "900Gi", "nvidia.com/gpu": 1})], generic) == 2
    assert nodes_needed([PodRequest(111, {"cpu": "1m"})], generic) == 2


def test_rdma_functions_limit_as_devices_do() -> None:
    pods = [gpus(4, 1, "amd.com/gpu", **{"nvidia.com/sriov-rdma-vf": "4"})]
    assert nodes_needed(pods, machine("amd-mi300x-oci")) == 2


def test_a_million_replicas_take_no_longer() -> None:
    started = time.perf_counter()
    assert nodes_needed([gpus(1_000_001, 4), gpus(5, 1)], machine("nvidia-generic")) == 500_002
    assert nodes_needed([claims(1_000_000, 3, "gaudi.intel.com")], machine("gaudi-dra")) == 500_000
    assert time.perf_counter() - started < 20  # node by node it takes minutes


def test_more_devices_than_a_node_has() -> None:
    too_big = gpus(2, 16)
    assert misfits(too_big, machine("nvidia-generic")) == [Misfit("resource", "nvidia.com/gpu", "16", "8")]
    with pytest.raises(
        PodDoesNotFitError, match=r"does not fit nvidia-generic .*nvidia\.com/gpu: a pod asks for 16, a node has 8"
    ):
        nodes_needed([gpus(8, 1), too_big], machine("nvidia-generic"))
    assert misfits(claims(1, 16, "gaudi.intel.com"), machine("gaudi-dra")) == [
        Misfit("device", "gaudi.intel.com", "16", "8")
    ]


def test_every_reason_is_told_at_once() -> None:
    pod = PodRequest(
        1,
        {"cpu": "500", "memory": "3Ti", "rdma/ib": 1},
        (ClaimRequest({"gpu.intel.com": 1}),),
        {"cloud.google.com/gke-tpu-accelerator": "tpu7x"},
    )
    found = misfits(pod, machine("gke-ct6e"))
    assert [(reason.kind, reason.what, reason.asked, reason.has) for reason in found] == [
        ("resource", "cpu", "500", "179480m"),
        ("resource", "memory", "3072Gi", "1306Gi"),
        ("resource", "rdma/ib", "1", "0"),
        ("device", "gpu.intel.com", "1", "0"),
        ("label", "cloud.google.com/gke-tpu-accelerator", "tpu7x", "tpu-v6e-slice"),
        ("taint", "google.com/tpu", "a node without it", "google.com/tpu=present:NoSchedule"),
    ]


def test_refusals_seen_from_the_real_scheduler() -> None:
    assert misfits(gpus(1, 1), machine("gke-a3-ultragpu-8g-dra")) == [Misfit("resource", "nvidia.com/gpu", "1", "0")]
    assert misfits(gpus(1, 1, **{"rdma/ib": "1"}), machine("nvidia-generic")) == [
        Misfit("resource", "rdma/ib", "1", "0")
    ]
    on_plain_xpu = misfits(nic_claims(1, 1, "gpu.intel.com", "rdma-dranet"), machine("intel-xpu-dra"))
    assert on_plain_xpu == [Misfit("device", "rdma-dranet", "1", "0")]


def test_two_devices_of_one_claim_may_not_share_a_root() -> None:
    """4 GPUs, but one per PCIe root: a claim that wants two GPUs and their NICs on one root waits for ever."""
    pair = nic_claims(1, 2, "gpu.intel.com", "rdma-dranet", per_claim=2)
    (reason,) = misfits(pair, machine("intel-xpu-rdma-dra"))
    assert reason.kind == "claim"
    assert reason.asked == "2 gpu.intel.com + 2 rdma-dranet with one resource.kubernetes.io/pcieRoot"
    assert reason.has == "at most 1 gpu.intel.com + 1 rdma-dranet"
    assert misfits(nic_claims(1, 2, "gpu.intel.com", "rdma-dranet", per_claim=1), machine("intel-xpu-rdma-dra")) == []
    # An A3 Ultra has two of each per root, so there the same claim is fine, four times a node.
    twos = nic_claims(5, 2, "gpu.nvidia.com", "mrdma.google.com", per_claim=2)
    assert nodes_needed([twos], machine("gke-a3-ultragpu-8g-dra")) == 2


def test_single_claims_leave_whole_roots_for_pairs() -> None:
    pairs = nic_claims(3, 2, "gpu.nvidia.com", "mrdma.google.com", per_claim=2)
    singles = nic_claims(2, 1, "gpu.nvidia.com", "mrdma.google.com")
    assert nodes_needed([singles, pairs], machine("gke-a3-ultragpu-8g-dra")) == 1
    mixed = PodRequest(1, claims=(*singles.claims * 2, *pairs.claims * 3), tolerations=singles.tolerations)
    assert nodes_needed([mixed], machine("gke-a3-ultragpu-8g-dra")) == 1


def test_claims_that_fit_alone_but_not_together() -> None:
    """Roots of 3 and 1 devices have room for one pair on a root, not for two, though 4 devices are free."""
    gaudi = machine("gaudi-dra")
    lopsided = replace(gaudi.slices[0], rows=(("19", "17"), ("1a", "17"), ("1b", "17"), ("33", "31")))
    pair = ClaimRequest({"gaudi.intel.com": 2}, PCIE_ROOT)
    (reason,) = misfits(PodRequest(1, claims=(pair, pair)), replace(gaudi, slices=(lopsided,)))
    assert reason.asked == "2 gaudi.intel.com with one resource.kubernetes.io/pcieRoot, in one of 2 claims"
    assert reason.has == "at most 3 gaudi.intel.com"
    assert misfits(PodRequest(1, claims=(pair,)), replace(gaudi, slices=(lopsided,))) == []


def test_free_claims_leave_the_roots_of_bound_ones() -> None:
    two_nics = ClaimRequest({"rdma-dranet": 2})
    bound = ClaimRequest({"gpu.intel.com": 1, "rdma-dranet": 1}, PCIE_ROOT)
    assert misfits(PodRequest(1, claims=(two_nics, bound, bound, bound)), machine("intel-xpu-rdma-dra")) == []


@pytest.mark.parametrize(
    ("tolerations", "fits"),
    [
        ((), False),
        ((Toleration("nvidia.com/gpu"),), True),
        ((Toleration(),), True),
        ((Toleration("nvidia.com/gpu", value="present"),), True),
        ((Toleration("nvidia.com/gpu", value="absent"),), False),
        ((Toleration("nvidia.com/gpu", effect="NoExecute"),), False),
        ((Toleration("google.com/tpu"),), False),
    ],
)
def test_taints(tolerations: tuple[Toleration, ...], fits: bool) -> None:
    pod = PodRequest(1, claims=(ClaimRequest({"gpu.nvidia.com": 1}),), tolerations=tolerations)
    assert (misfits(pod, machine("gke-a3-ultragpu-8g-dra")) == []) is fits


def test_a_soft_taint_keeps_nobody_away() -> None:
    assert misfits(PodRequest(1, {"cpu": 1}), machine("coreweave-h200")) == []


def test_the_standalone_router_fits_the_system_machine() -> None:
    router = PodRequest(1, {"cpu": "12", "memory": "24Gi"})
    assert nodes_needed([router], SYSTEM) == 1


# --- requests read from rendered objects


def deployment(pod: dict[str, object], replicas: int = 1) -> dict[str, object]:
    return {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": replicas, "template": {"spec": pod}}}


def container(**resources: str) -> dict[str, object]:
    return {"resources": {"requests": resources}}


def test_containers_and_sidecars_add_and_init_containers_peak() -> None:
    sidecar = {**container(cpu="2"), "restartPolicy": "Always"}
    pod = {
        "initContainers": [container(cpu="1"), sidecar, container(cpu="7", memory="1Gi")],
        "containers": [container(cpu="3")] * 2,
    }
    (request,) = pod_requests([deployment(pod, replicas=3)])
    assert request.count == 3
    assert request.resources == {"cpu": 9, "memory": 2**30}  # 2 + 7 while the last one initialises; then 2 + 3 + 3


def test_limits_stand_in_for_requests() -> None:
    pod = {
        "containers": [{"resources": {"limits": {"nvidia.com/gpu": 4, "cpu": "8"}, "requests": {"cpu": "500m"}}}, {}]
    }
    assert pod_requests([deployment(pod)])[0].resources == {"nvidia.com/gpu": 4, "cpu": Decimal("0.5")}


def template(request: dict[str, object], **devices: object) -> dict[str, object]:
    spec = {"devices": {"requests": [{"name": "r", **request}], **devices}}
    return {"kind": "ResourceClaimTemplate", "metadata": {"name": "t"}, "spec": {"spec": spec}}


def test_claims_selectors_and_tolerations_are_read() -> None:
    pod = {
        "containers": [{}],
        "resourceClaims": [{"name": name, "resourceClaimTemplateName": "t"} for name in ("a", "b")],
        "nodeSelector": {"zone": "z"},
        "tolerations": [
            {"key": "a", "operator": "Exists"},
            {"key": "b", "value": "v", "effect": "NoSchedule"},
            {"key": "c"},
        ],
    }
    claim = template({"exactly": {"deviceClassName": "gpu.intel.com"}}, constraints=[{"matchAttribute": PCIE_ROOT}])
    (request,) = pod_requests([claim, deployment(pod)])
    assert request.claims == (ClaimRequest({"gpu.intel.com": 1}, PCIE_ROOT),) * 2
    assert request.devices == {"gpu.intel.com": 2}
    assert request.node_selector == {"zone": "z"}
    assert request.tolerations == (Toleration("a"), Toleration("b", "v", "NoSchedule"), Toleration("c", ""))


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ([], "'c' names no ResourceClaimTemplate"),
        ([template({"firstAvailable": []})], "no fixed count"),
        ([template({"exactly": {"deviceClassName": "x", "allocationMode": "All"}})], "no fixed count"),
        (
            [template({"exactly": {"deviceClassName": "x"}}, constraints=[{"matchAttribute": "a", "requests": ["r"]}])],
            "constraints",
        ),
        (
            [
                template(
                    {"exactly": {"deviceClassName": "x"}},
                    constraints=[{"matchAttribute": "a"}, {"matchAttribute": "b"}],
                )
            ],
            "constraints",
        ),
    ],
)
def test_claims_that_cannot_be_counted_are_refused(objects: list[dict[str, object]], message: str) -> None:
    pod = {"containers": [{}], "resourceClaims": [{"name": "c", "resourceClaimTemplateName": "t"}]}
    with pytest.raises(ValueError, match=message):
        pod_requests([*objects, deployment(pod)])


# --- quantities


@pytest.mark.parametrize(
    ("quantity", "number"),
    [
        (8, "8"),
        ("8", "8"),
        ("0", "0"),
        ("223370m", "223.37"),
        ("1k", "1000"),
        ("1.5Gi", "1610612736"),
        ("64Gi", "68719476736"),
        ("2112109800Ki", "2162800435200"),
        ("143771Mi", "150754820096"),
        ("1e3", "1000"),
        ("12E-1", "1.2"),
        ("1E", "1000000000000000000"),
        ("2Ei", "2305843009213693952"),
        ("100n", "0.0000001"),
        ("5u", "0.000005"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-1", "-1"),
    ],
)
def test_quantities(quantity: str | int, number: str) -> None:
    assert quantities.parse(quantity) == Decimal(number)


@pytest.mark.parametrize(
    "quantity",
    ["", "64 Gi", "64GiB", "64gi", "Gi", "1K", "0x10", "1,5", "e3", "nan", "inf", "1e999999999", "1Gi\n", True, "٣"],
)
def test_what_is_no_quantity(quantity: str) -> None:
    with pytest.raises(ValueError, match="not a Kubernetes quantity"):
        quantities.parse(quantity)


@pytest.mark.parametrize("spelling", ["0", "8", "1000", "800Gi", "2838Gi", "143771Mi", "223370m", "500m", "-1"])
def test_quantities_are_spelt_as_people_do(spelling: str) -> None:
    assert quantities.text(quantities.parse(spelling)) == spelling


def test_spelling_goes_to_the_unit_that_is_exact() -> None:
    assert quantities.text(quantities.parse("1.5Gi")) == "1536Mi"
    assert quantities.text(quantities.parse("3Ti")) == "3072Gi"
    assert quantities.text(quantities.parse("2Ki")) == "2048"
