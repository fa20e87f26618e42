"""Invalid and valid stack files of a GKE cluster, by the ids of the rules.

The ids that no stack file can break are laws of the plan: `test_gke_checks.py`.
"""

import itertools
import re
from typing import Any

import pytest

from hardware.machines import GKE_POOLS
from stacks.file.yaml import Document, parse
from stacks.findings import Problem, StackFileError
from stacks.rules.table import examine
from tests.blueprints import read, spec_from_config
from tests.gke_plans import A4_DRA, A4_RDMA, CLUSTER, DRANET, GATEWAY, GKE, JUNE, MULTINET, TPU, TPU_V6E, stack
from tests.unit.test_rules import spec

DRA, PLUGIN = "gke-a3-ultragpu-8g-dra", "gke-a3-ultragpu-8g-rdma"
POOL = "cluster.gke.acceleratorPool"
TEAM = {"key": "team", "value": "chat", "effect": "NoSchedule"}
PEER = "10.0.0.0/12"

#: Rule, what is served, what of `cluster.gke` and of `cluster` is wrong, the key that is named, words.
FINDINGS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str, str]] = [
    # --- whose keys they are
    ("CLUSTER-01", DRANET, {}, {"coreweave": {}}, "cluster.coreweave", "with `provider: gke`"),
    ("CLUSTER-01", DRANET, {}, {"context": "mine"}, "cluster.context",
     "the way to the cluster follows from the cluster that the stack makes; leave it out."),
    ("CLUSTER-01", DRANET, {}, {"kubeconfig": "~/k"}, "cluster.kubeconfig", "leave it out"),
    ("CLUSTER-01", DRANET, {}, {"provider": "existing", "machine": "gke-a3-ultragpu-8g-dra"}, "cluster.gke",
     "write `provider: gke`"),
    ("CLUSTER-03", DRANET, {}, {"gke": None}, "cluster.gke", "in which project and zone"),
    # --- the cluster
    ("GKE-01", DRANET, {"version": "1.34.1-gke.1829000"}, {}, "cluster.gke.version", "write 1.34.1-gke.1829001 or later"),
    ("GKE-01", MULTINET, {"rdma": "multinet", "version": "1.31.4-gke.1182999"}, {}, "cluster.gke.version",
     "no a3-ultragpu-8g with `rdma: multinet`"),
    ("GKE-01", MULTINET, {"rdma": "multinet", "version": "1.32.2-gke.1474999"}, A4_RDMA, "cluster.gke.version",
     "no a4-highgpu-8g with `rdma: multinet`"),
    ("GKE-01", DRANET, {"version": "1.34.1-gke.1829000"}, A4_DRA, "cluster.gke.version", "no a4-highgpu-8g with `rdma: dranet`"),
    ("GKE-08", DRANET, {"acceleratorPool": {"labels": {"cloud.google.com/gke-networking-dra-driver": "false"}}}, {},
     f'{POOL}.labels["cloud.google.com/gke-networking-dra-driver"]', "leave `cloud.google.com/gke-networking-dra-driver` out"),
    ("GKE-08", DRANET, {"acceleratorPool": {"labels": {"nvidia.com/gpu.present": "false"}}}, {},
     f'{POOL}.labels["nvidia.com/gpu.present"]',
     "not the stack's to set"),
    ("GKE-08", MULTINET, {"rdma": "none", "acceleratorPool": {"labels": {"cloud.google.com/gke-networking-dra-driver": "true"}}},
     {}, f'{POOL}.labels["cloud.google.com/gke-networking-dra-driver"]', "`rdma` says how"),
    ("GKE-08", DRANET, {"acceleratorPool": {"labels": {"gke.networks.io/accelerator-network-profile": "none"}}}, {},
     f'{POOL}.labels["gke.networks.io/accelerator-network-profile"]', "not the stack's to set"),
    ("GKE-24", DRANET, {"acceleratorPool": {"taints": [{**TEAM, "key": "nvidia.com/gpu"}]}}, {}, f"{POOL}.taints[0]",
     "GKE puts it on such nodes itself"),
    ("GKE-24", {**DRANET, "tolerations": [{"operator": "Exists"}]}, {"acceleratorPool": {"taints": [TEAM, TEAM]}}, {},
     f"{POOL}.taints[1]", "`team:NoSchedule` is there twice"),
    ("MACHINE-02", TPU, {}, {"machine": "gke-ct6e"}, "serving.accelerator",
     "write `accelerator: tpu-v6e` with `release: guide-2026-06`, or `machine: gke-tpu7x`"),
    ("GKE-10", DRANET, {"zone": "us-central1-b"}, {}, "cluster.gke.zone", "write `region: us-central1`"),
    ("GKE-12", MULTINET, {}, {}, "cluster.gke.rdma",
     "write `rdma: multinet` or `rdma: none`, or `fabric: gke-rdma`"),
    ("GKE-12", DRANET, {"rdma": "multinet"}, {}, "cluster.gke.rdma", "its pods ask for gpu.nvidia.com"),
    ("GKE-12", DRANET, {"rdma": "none"}, {}, "cluster.gke.rdma", "stay Pending for ever"),
    ("GKE-12", MULTINET, {"rdma": "dranet"}, {"machine": "gke-a3-ultragpu-8g-rdma"}, "cluster.gke.rdma",
     "`rdma: dranet` of machine gke-a3-ultragpu-8g-rdma"),
    ("GKE-12", TPU, {"rdma": "dranet"}, {}, "cluster.gke.rdma", "write `rdma: none`"),
    # Not one of its pods would be placed, and neither role's is told of.
    ("GKE-12", MULTINET, {}, {"machine": DRA}, "serving.fabric",
     f"`fabric: gke` on machine {DRA}, because its pods ask for nvidia.com/gpu, such nodes hand out gpu.nvidia.com, and pods "
     f"would stay Pending for ever; write `fabric: gke-rdma`, or `machine: {PLUGIN}` with `rdma: multinet` or `rdma: none`."),
    ("GKE-12", {"accelerator": "nvidia"}, {"rdma": "none"}, {"machine": DRA}, "serving.fabric",
     f"write `fabric: gke-rdma` with `rdma: dranet`, or `machine: {PLUGIN}`. (GKE-12)"),
    ("GKE-12", DRANET, {}, {"machine": PLUGIN}, "serving.fabric",
     f"ask for gpu.nvidia.com, such nodes hand out nvidia.com/gpu, and pods would stay Pending for ever; write `fabric: gke` or "
     f"`fabric: base` with `rdma: multinet` or `rdma: none`, or `machine: {DRA}`. (GKE-12)"),
    ("GKE-12", DRANET, {"rdma": "multinet"}, {"machine": PLUGIN}, "serving.fabric",
     f"write `fabric: gke` or `fabric: base`, or `machine: {DRA}` with `rdma: dranet`. (GKE-12)"),
    ("GKE-12", DRANET, {}, {"machine": "gke-tpu7x"}, "cluster.machine",
     f"such nodes hand out google.com/tpu, and pods would stay Pending for ever; write `machine: {DRA}`, or `machine: "),
    # The same machine, set up otherwise, is meant before another.
    ("GKE-12", MULTINET, {"rdma": "multinet"}, A4_DRA, "serving.fabric",
     "write `fabric: gke-rdma` with `rdma: dranet`, or `machine: gke-a4-highgpu-8g-rdma`. (GKE-12)"),
    # What no machine of GKE's has is another rule's.
    ("MACHINE-02", {"accelerator": "nvidia", "fabric": "coreweave"}, {"rdma": "none"}, {"machine": PLUGIN}, "serving.fabric",
     "write `fabric: gke`"),
    ("GKE-17", DRANET, {"version": "1.35"}, {}, "cluster.gke.version", "every preview show a change"),
    ("GKE-17", DRANET, {"version": "latest"}, {}, "cluster.gke.version", "1.35.2-gke.1234000"),
    ("GKE-12", MULTINET, {}, A4_RDMA, "cluster.gke.rdma",
     "write `rdma: multinet` or `rdma: none`, or `fabric: gke-rdma` with `machine: gke-a4-highgpu-8g-dra`. (GKE-12)"),
    ("GKE-17", DRANET, {"version": "1.35"}, {}, "cluster.gke.version",
     "`gcloud container get-server-config --region us-south1 --format='yaml(channels)'` lists those that GKE offers. (GKE-17)"),
    # A placeholder is one problem: it is no wrong project, family of versions or half a reservation.
    ("GKE-28", DRANET, {"project": "<your-project>"}, {}, "cluster.gke.project",
     "`<your-project>` stands for one of yours, because the cluster is made in it, and billed to it; write the id of one"),
    ("GKE-28", DRANET, {"version": "<look it up>"}, {}, "cluster.gke.version",
     "`<look it up>` has to be looked up, because GKE stops offering a version within months; write one of those that `gcloud "
     "container get-server-config --region us-south1 --project acme-serving --format='yaml(channels)'` lists under REGULAR."),
    ("GKE-28", DRANET, {"version": "<look-it-up>", "releaseChannel": "RAPID"}, {}, "cluster.gke.version", "under RAPID"),
    ("GKE-28", DRANET, {"capacity": {"reservation": "projects/acme-serving/reservations/<yours>"}}, {},
     "cluster.gke.capacity.reservation", "`gcloud compute reservations list --project acme-serving` lists, or `spot: true`"),
    ("GKE-28", DRANET, {"capacity": {"reservation": "<yours>"}}, {}, "cluster.gke.capacity.reservation", "one in us-south1-b of"),
    ("GKE-19", DRANET, {}, {"machine": "coreweave-h200"}, "cluster.machine", "none of GKE's"),
    ("GKE-20", DRANET, {}, {"nodes": None}, "cluster.nodes", "it is what you pay for"),
    ("GKE-21", DRANET, {"systemPool": {"min": 4}}, {}, "cluster.gke.systemPool", "write `min: 3` with `max: 4`"),
    ("GKE-21", DRANET, {"acceleratorPool": {"autoscaling": {"min": 4, "max": 2}}}, {}, f"{POOL}.autoscaling", "min 4 is more"),
    ("GKE-21", DRANET, {"acceleratorPool": {"autoscaling": {"min": 3, "max": 4}}}, {}, "cluster.nodes", "between 3 and 4"),
    ("GKE-22", DRANET, {"acceleratorPool": {"name": "system"}}, {}, f"{POOL}.name", "both pools are called"),
    *(
        ("GKE-27", DRANET, {"systemPool": {"machineType": machine}}, {}, "cluster.gke.systemPool.machineType", f"`{machine}`")
        for machine in ("a3-ultragpu-8g", "a4-highgpu-8g", "ct6e-standard-8t", "tpu7x-standard-4t")
    ),
    ("GKE-29", DRANET, {"maintenanceWindow": {"days": ["SA"]}}, {}, "cluster.gke.maintenanceWindow.days",
     "are too few, because GKE demands 48 hours of maintenance in any 32 days, and these are 16; write `hours: 12` or more"),
    ("GKE-29", DRANET, {"maintenanceWindow": {"days": ["SU", "SA"], "hours": 5}}, {}, "cluster.gke.maintenanceWindow.days",
     "5 hours on SA and SU are too few"),
    ("GKE-29", DRANET, {"maintenanceWindow": {"days": ["SA", "SA"], "hours": 11}}, {}, "cluster.gke.maintenanceWindow.days",
     "these are 44"),
    # --- where nodes come from
    ("CAP-01", DRANET, {"capacity": None}, {}, "cluster.gke.capacity", "it is not said"),
    ("CAP-01", DRANET, {"capacity": {"spot": True, "onDemand": True}}, {}, "cluster.gke.capacity", "spot and onDemand"),
    ("CAP-01", DRANET, {"capacity": {"spot": True, "flexStart": {}}}, {}, "cluster.gke.capacity", "spot and flexStart"),
    ("CAP-02", DRANET, {"capacity": {"reservation": "h200"}}, {}, "cluster.gke.capacity.reservation",
     "write `projects/acme-serving/reservations/h200`"),
    ("CAP-02", DRANET, {"capacity": {"reservation": "projects/a/reservations/b/blocks/c"}}, {},
     "cluster.gke.capacity.reservation", "no reservation's full name"),
    ("CAP-03", DRANET, {"capacity": {"flexStart": {"maxRunDuration": 604_801}}}, {},
     "cluster.gke.capacity.flexStart.maxRunDuration", "write 604800 at most"),
    ("CAP-03", MULTINET, {"capacity": {"flexStart": {}}, "rdma": "multinet", "version": "1.32.2-gke.1651999"}, {},
     "cluster.gke.version", "it came with 1.32.2-gke.1652000"),
    # CAP-07 and TPU-03 are what the scheduler would never place.
    ("FIT-01", DRANET, {}, {"nodes": 1}, "cluster.nodes", "write `nodes: 2`"),
    ("FIT-01", {**MULTINET, "decode": {"devices": 16}}, {"rdma": "none"}, {"nodes": 9}, "serving.decode.devices",
     "write `devices: 8` or less"),
    ("FIT-01", DRANET, {"acceleratorPool": {"taints": [TEAM]}}, {}, f"{POOL}.taints[0]", "team=chat:NoSchedule"),
    ("FIT-01", {**DRANET, "nodeSelector": {"team": "chat"}}, {}, {}, "serving.nodeSelector.team", "no such label"),
    ("HW-03", {**TPU, "decode": {"devices": 2}}, {}, {}, "serving.decode.devices", "whole tpu slice of 4 chips"),
    ("TPU-04", TPU_V6E, {"version": "1.30.9-gke.1000000"}, {}, "cluster.gke.version", "no ct6e-standard-8t"),
    ("TPU-04", TPU, {"version": "1.34.3-gke.1317999"}, {}, "cluster.gke.version", "no tpu7x-standard-4t"),
    # --- addresses
    ("NET-01", DRANET, {"network": {"peers": [PEER]}}, {}, "cluster.gke.network.peers[0]", "overlaps peer"),
    ("NET-01", DRANET, {"network": {"peers": ["172.20.1.1/16"]}}, {}, "cluster.gke.network.peers[0]", "write `172.20.0.0/16`"),
    ("NET-01", DRANET, {"network": {"base": "8.8.0.0/16"}}, {}, "cluster.gke.network.base", "cannot be used"),
    ("NET-01", DRANET, {"network": {"base": "ten"}}, {}, "cluster.gke.network.base", "is no IPv4 network"),
    # One that is proposed has room for the nodes too.
    ("NET-01", DRANET, {"network": {"base": "ten"}}, {}, "cluster.gke.network.base", "another base, e.g. `base: 10.0.0.0/20`"),
    ("NET-03", DRANET, {"network": {"base": "10.0.0.1/22"}}, {}, "cluster.gke.network.base",
     "use a /20 or larger, e.g. `base: 10.0.0.0/20`"),
    ("NET-03", DRANET, {"network": {"base": "10.0.0.0/21"}}, {}, "cluster.gke.network.base", "`pods` gets"),
    ("NET-03", DRANET, {"network": {"base": "10.0.0.0/19"}, "systemPool": {"max": 30}}, {}, "cluster.gke.network.base",
     "is too small"),
]  # fmt: skip

#: Variants with a router.
GATEWAYS = ("GKE-26", "llmd-pd:cluster.gke.gateways")


def problems(serving: dict[str, Any], gke: dict[str, Any], cluster: dict[str, Any]) -> list[Problem]:
    more = JUNE if serving is TPU_V6E else {}
    return list(examine(stack(serving, gke, cluster, **more)).errors)


@pytest.mark.parametrize(
    ("rule", "serving", "gke", "cluster", "path", "words"), FINDINGS, ids=[f"{f[0]} {f[5][:40]}" for f in FINDINGS]
)
def test_a_rule_finds_what_it_is_for(
    rule: str, serving: dict[str, Any], gke: dict[str, Any], cluster: dict[str, Any], path: str, words: str
) -> None:
    found = problems(serving, gke, cluster)
    assert {(problem.rule, problem.path) for problem in found} == {(rule, f"llmd-pd:{path}")}
    for problem in found:
        assert words in str(problem)
        assert problem.source


@pytest.mark.parametrize(
    ("serving", "gke", "cluster"),
    [
        (DRANET, {}, {}),
        (DRANET, {}, {"machine": "gke-a3-ultragpu-8g-dra"}),
        (DRANET, {"rdma": "dranet", "version": "1.34.1-gke.1829001"}, {}),
        (MULTINET, {"rdma": "multinet", "version": "1.31.4-gke.1183000"}, {}),
        (MULTINET, {"rdma": "none"}, {"machine": "gke-a3-ultragpu-8g-rdma"}),
        ({"accelerator": "nvidia"}, {"rdma": "none"}, {}),
        (DRANET, {"version": "1.34.1-gke.1829001"}, A4_DRA),
        (MULTINET, {"rdma": "multinet", "version": "1.32.2-gke.1475000"}, A4_RDMA),
        (MULTINET, {"rdma": "none", "capacity": {"spot": True}}, A4_RDMA),
        (DRANET, {"capacity": {"flexStart": {}}}, A4_DRA),
        (TPU, {"version": "1.34.3-gke.1318000"}, {}),
        (TPU_V6E, {}, {"machine": "gke-ct6e"}),
        (TPU, {"rdma": "none"}, {"machine": "gke-tpu7x"}),
        (TPU_V6E, {}, {}),
        (DRANET, {"zone": "us-south1-ai1b"}, {}),
        (DRANET, {}, {"protect": False}),
        (DRANET, {}, {"allowReplace": ["acceleratorPool"]}),
        (DRANET, {"capacity": {"flexStart": {"maxRunDuration": 604_800}}}, {}),
        (DRANET, {"maintenanceWindow": {"hours": 24}}, {}),
        (DRANET, {"maintenanceWindow": {"days": ["SA"], "hours": 12}}, {}),
        (DRANET, {"maintenanceWindow": {"days": ["SA", "SU"], "hours": 6}}, {}),
        (DRANET, {"maintenanceWindow": {"days": ["MO", "WE", "FR"]}}, {}),
        (
            DRANET,
            {"capacity": {"reservation": "projects/p/reservations/r/reservationBlocks/b/reservationSubBlocks/s"}},
            {},
        ),
        (DRANET, {"acceleratorPool": {"autoscaling": {"min": 0, "max": 2}}}, {}),
        (DRANET, {"acceleratorPool": {"labels": {"team": "chat"}}}, {}),
        (DRANET, {"acceleratorPool": {"taints": [{**TEAM, "effect": "PreferNoSchedule"}]}}, {}),
        (DRANET, {"systemPool": {"min": 3}}, {}),
        (DRANET, {"network": {"base": "10.16.0.0/12", "peers": [PEER]}}, {}),
        (DRANET, {"network": {"base": "10.0.0.0/19"}}, {}),
    ],
)
def test_and_leaves_alone_what_can_be(serving: dict[str, Any], gke: dict[str, Any], cluster: dict[str, Any]) -> None:
    assert problems(serving, gke, cluster) == []


@pytest.mark.parametrize("rdma", [None, "dranet", "multinet", "none"])
@pytest.mark.parametrize("machine", GKE_POOLS)
@pytest.mark.parametrize("fabric", ["gke", "gke-rdma", "base"])
def test_every_fix_for_a_wrong_machine_is_one(fabric: str, machine: str, rdma: str | None) -> None:
    serving, gke = {"accelerator": "nvidia", "fabric": fabric}, {"rdma": rdma}
    (found, *others) = problems(serving, gke, {"machine": machine}) or [None]
    if found is None or found.path == "llmd-pd:cluster.gke.rdma":
        return  # the machine is right
    assert (found.rule, others) == ("GKE-12", [])
    for fix in found.fix.removeprefix("write ").split(", or "):
        parts = [re.findall(r"`(\w+): ([-\w]+)`", part) for part in fix.split(" with ")]
        for choice in itertools.product(*parts):
            chosen = dict(choice)
            way = {"rdma": chosen.get("rdma", rdma)}
            assert (
                problems(
                    {**serving, "fabric": chosen.get("fabric", fabric)},
                    way,
                    {"machine": chosen.get("machine", machine)},
                )
                == []
            )


def test_the_wrong_machine_does_not_hide_what_comes_after() -> None:
    """The rest is judged by the machine that serves the fabric."""
    found = problems({**MULTINET, "decode": {"cpu": "300"}}, {"rdma": "multinet"}, {"machine": DRA, "nodes": 1})
    assert {(problem.rule, problem.path) for problem in found} == {
        ("GKE-12", "llmd-pd:serving.fabric"),
        ("FIT-01", "llmd-pd:serving.decode.cpu"),
    }
    found = problems(MULTINET, {"rdma": "multinet"}, {"machine": DRA, "nodes": 1})
    assert {problem.path for problem in found} == {"llmd-pd:serving.fabric", "llmd-pd:cluster.nodes"}


def test_pods_that_select_another_tpu_are_refused() -> None:
    """TPU-03, by the arithmetic of the scheduler: selectors that are not the host's labels, more CPU than it has."""
    on_others = spec(TPU, cluster={"machine": "gke-ct6e", "nodes": 2})
    found = {(problem.rule, problem.path) for problem in examine(on_others).errors}
    assert ("FIT-01", "llmd-pd:cluster.machine") in found
    assert ("FIT-01", "llmd-pd:serving.decode.cpu") in found


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"gke": {**GKE, "zone": "nowhere"}}, "cluster.gke.zone"),
        ({"gke": {key: value for key, value in GKE.items() if key != "version"}}, "cluster.gke.version"),
        ({"gke": {**GKE, "capacity": {"spot": "yes"}}}, "cluster.gke.capacity.spot"),
        ({"gke": "us-south1"}, "cluster.gke"),
        ({"provider": "gcp"}, "cluster.provider"),
    ],
)
def test_a_field_that_cannot_be_read_is_the_only_problem(changed: dict[str, Any], path: str) -> None:
    """Rules that depend on the invalid key are silent; the others still apply."""
    cluster = {"provider": "gke", "nodes": 2, "protect": False, "gke": GKE, **changed}
    with pytest.raises(StackFileError) as refused:
        spec_from_config({"serving": DRANET, "cluster": cluster, "release": "guide-2020-01"})
    assert sorted((problem.rule, problem.path) for problem in refused.value.problems) == [
        ("BILL-01", "llmd-pd:release"),
        ("SPEC", f"llmd-pd:{path}"),
    ]


@pytest.mark.parametrize(("key", "out"), [("capacity", False), ("network", True)])
def test_a_key_is_to_be_left_out_where_its_default_will_do(key: str, out: bool) -> None:
    """Of `capacity` CAP-01 refuses the default."""
    cluster = {"provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 2, "gke": {**GKE, key: 5}}
    with pytest.raises(StackFileError) as refused:
        spec_from_config({"serving": DRANET, "cluster": cluster})
    (problem,) = refused.value.problems
    assert problem.path == f"llmd-pd:cluster.gke.{key}"
    assert problem.fix.endswith(", or leave the key out for its default") == out


def test_what_cannot_be_tried_is_proposed_all_the_same() -> None:
    """Without a version there is no section in which a label could be tried."""
    cluster = {"provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 2, "gke": {**GKE, "version": [5, 6]}}
    with pytest.raises(StackFileError) as refused:
        spec_from_config({"serving": {**DRANET, "nodeSelector": {"team": "chat"}}, "cluster": cluster})
    (found,) = [problem for problem in refused.value.problems if problem.rule == "FIT-01"]
    assert found.fix.startswith("write `team: chat` in `cluster.gke.acceleratorPool.labels`, or leave")


def test_a_section_of_another_cloud_is_judged_by_the_provider_that_is_written() -> None:
    """Also where a key of the provider's own section cannot be read."""
    cluster = {"provider": "gke", "nodes": 2, "gke": {**GKE, "zone": "nowhere"}, "coreweave": {}}
    with pytest.raises(StackFileError) as refused:
        spec_from_config({"serving": DRANET, "cluster": cluster})
    assert [(problem.path, problem.what) for problem in refused.value.problems] == [
        ("llmd-pd:cluster.gke.zone", "`nowhere` cannot be used"),
        ("llmd-pd:cluster.coreweave", "`coreweave` is there with `provider: gke`"),
    ]


@pytest.mark.parametrize(
    ("stated", "path", "words"),
    [
        ("start: 9:00", "start", "`9:00` cannot be used, because it has to be a time of day in UTC, hours and minutes; write "
         "something like `09:00`"),
        ("start: 24:00", "start", "`24:00` cannot be used"),
        ("start: 12:60", "start", "`12:60` cannot be used"),
        ("start: 0900", "start", "write something like `09:00`"),
        ("start: 9", "start", "`9` cannot be used, because it has to be a time of day in UTC, hours and minutes"),
        ("start: 9.5", "start", "write something like `09:00`"),
        ("start: '09:00Z'", "start", "write something like `09:00`"),
        ("start:", "start", "it is empty"),
        ("hours: 3", "hours", "it has to be at least 4"),
        ("hours: 25", "hours", "it can be 24 at most"),
        ("days: SA", "days", "write `[SA]`"),
        ("days: [Sat]", "days[0]", "it has to be MO, TU, WE, TH, FR, SA or SU"),
        ("recurrence: FREQ=DAILY", "recurrence", "unknown key"),
    ],
)  # fmt: skip
def test_a_window_that_google_would_not_read_is_refused_in_one_sentence(stated: str, path: str, words: str) -> None:
    (found,) = window_problems(stated)
    assert (found.rule, found.path) == ("SPEC", f"llmd-pd:cluster.gke.maintenanceWindow.{path}")
    assert words in str(found)


@pytest.mark.parametrize("start", ["09:00", "12:30", "00:00", "23:59", "'01:10'"])
def test_a_time_needs_no_quotes(start: str) -> None:
    """YAML 1.1 reads `12:30` as 750; the Pulumi CLI does not, and so we do not."""
    assert window_problems(f"start: {start}") == []


def window_problems(stated: str) -> list[Problem]:
    written = parse(f"maintenanceWindow:\n  {stated}\n".encode())
    assert isinstance(written, Document)
    return read({"serving": DRANET, "cluster": {**CLUSTER, "gke": {**GKE, **written.data}}})[0]


def test_a_gateway_of_gkes_needs_a_cluster_that_can_have_some() -> None:
    (found,) = examine(stack(gke={"gateways": False}, router=GATEWAY)).errors
    assert (found.rule, found.path) == GATEWAYS
    assert "would never get an address" in str(found)
    assert examine(stack(gke={"gateways": True}, router=GATEWAY)).errors == ()
    assert examine(stack(gke={"gateways": False})).errors == ()
