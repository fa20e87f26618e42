"""Every way in which one field of a GKE pool's labels, taints, machine or RDMA is wrong: refused or its pods Pending, and named.

The walk is over the plan itself, registered in the pretend cloud as the engine would: what comes in there is walked, unless a row
below says why not. Whether pods would be placed is the scheduler's arithmetic on the nodes that come of it, and which words they
get are the verdict's. The real scheduler has the word in `tests/engine/test_single_mistakes.py`.

Needs the extra `gke`: inputs are checked against Google's own SDK.
"""

import copy
import importlib.util
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from hardware.fit.requests import PodRequest, pod_requests
from hardware.machines import GKE_POOLS, MACHINES
from rehearsal.clouds.gke.nodes import CLASSES
from rehearsal.clouds.inputs import camel
from rehearsal.fleet.live import SLICES
from rehearsal.fleet.nodes import device_class_objects
from rehearsal.plugins.plugin import Failure
from rehearsal.verdict.mismatch import machines_of, nearest
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.pools import DRANET_LABELS
from stacks.clouds.resource import Ref, Resource
from stacks.rules.facts import serving_blueprint
from tests.gke_plans import planned, variant
from tests.mistakes import Mistake, added, mistakes, places
from tests.mistakes import Path as Place
from tests.pretend_cloud import Program
from tests.unit.test_pretend_cloud_nodes import Store

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pulumi_gcp") is None,
    reason="pulumi-gcp is not installed: pip install -e '.[gke]' to walk the mistakes of a GKE pool",
)
#: H200 by either way to its NICs and without, TPU7x, and a pool with labels and taints of the user's own.
NAMES = ("dranet", "multinet", "none", "tpu7x", "told everything")
POOL = "accelerators"
NODE, NICS, PROFILE = ("node_config",), ("network_config", "additional_node_network_configs"), (
    "network_config", "accelerator_network_profile",
)  # fmt: skip
#: Places that are changed: the pool, and the fields of other resources that switch its RDMA.
WALKED: list[tuple[str, Place]] = [
    (POOL, ()),
    ("cluster", ("datapath_provider",)),
    ("cluster", ("enable_multi_networking",)),
    ("rdma-network", ("network_profile",)),
]
#: Fields of a pool that are neither label, taint, machine nor RDMA.
ELSEWHERE: dict[str, str] = {
    "project": "where the pool is", "name": "a name", "cluster": "where the pool is", "location": "GKE-10",
    "node_locations": "GKE-10", "version": "GKE-01, GKE-17, TPU-04", "node_count": "how many: CAP-07, NET-02",
    "management": "upgrades: GKE-17", "upgrade_settings": "upgrades: CAP-06", "node_drain_configs": "upgrades",
    "node_config.boot_disk": "a disk", "node_config.linux_node_config": "the kernel's settings",
    "node_config.service_account": "an identity", "node_config.oauth_scopes": "an identity",
    "node_config.workload_metadata_config": "an identity", "node_config.shielded_instance_config": "security",
    "node_config.metadata": "security", "node_config.reservation_affinity": "where it comes from: CAP-02",
    "network_config.enable_private_nodes": "the way out: NET-06",
}  # fmt: skip
#: Words that mean something to Google, by the argument's name.
WORDS: dict[str, Sequence[Any]] = {
    "machine_type": [
        *dict.fromkeys(row.instance_type for row in MACHINES.values() if row.provider == "gke"),
        *("a3-megagpu-8g", "a3-highgpu-8g", "a4-highgpu-8g", "ct6e-standard-4t", "n2-standard-32"),
    ],
    "type": [*dict.fromkeys(row.gpu for row in GKE_POOLS.values() if row.gpu), "nvidia-b200"],
    "count": [4],
    "gpu_driver_version": ["INSTALLATION_DISABLED", "LATEST", "DEFAULT", "GPU_DRIVER_VERSION_UNSPECIFIED"],
    "effect": ["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"],
    "image_type": ["UBUNTU_CONTAINERD"],
    "datapath_provider": ["LEGACY_DATAPATH"],
    "network_profile": ["projects/acme-serving/global/networkProfiles/us-south1-a-vpc-roce"],
}
NOBODYS = {"key": "nobody", "value": "tolerates", "effect": "NO_SCHEDULE"}
GPU = (*NODE, "guest_accelerators", 0)
_NIC = {"network": "n", "subnetwork": "s"}
#: Values that can be added: the variants, the place, and the value.
ADDED: list[tuple[Sequence[str], Place, Any]] = [
    *((NAMES, (*NODE, "taints", 0), {**NOBODYS, "effect": effect}) for effect in WORDS["effect"]),
    *((("multinet", "none", "tpu7x"), (*NODE, "labels", key), value) for key, value in DRANET_LABELS.items()),
    (("tpu7x",), (*NODE, "labels", "cloud.google.com/gke-tpu-topology"), "2x4"),
    (("tpu7x",), (*NODE, "labels", "cloud.google.com/gke-tpu-accelerator"), "tpu-v6e-slice"),
    (NAMES, (*NODE, "labels", "anybodys"), "own"),
    (("multinet", "none", "tpu7x"), PROFILE, "auto"),
    (("dranet", "none", "tpu7x"), NICS, [_NIC]),
    (("tpu7x",), (*NODE, "guest_accelerators"), [{"type": "nvidia-h200-141gb", "count": 8}]),
]  # fmt: skip
TAINT_GKE_ADDS = "GKE puts this taint on such nodes whether the pool says it or not"
NO_RDMA = "nothing of this pool needs it: it has no RDMA"
#: Harmless changes: the variants, the mistakes (a pattern), and why. Everything else has to be found.
HARMLESS: list[tuple[Sequence[str], str, str]] = [
    (NAMES[:4], r"node_config\.taints(\.0)? gone", TAINT_GKE_ADDS),
    (NAMES[4:], r"node_config\.taints\.0 gone", TAINT_GKE_ADDS),
    (NAMES[4:], r"node_config\.taints\.0 swapped .*", "taints have no order"),
    (NAMES[4:], r"node_config\.taints gone", f"{TAINT_GKE_ADDS}; the user's own is tolerated, not asked for"),
    (NAMES[4:], r"node_config\.taints\.1(| gone|\.value is .*|\.effect is '(PREFER_NO_SCHEDULE|NO_EXECUTE)')",
     "the user's own pods tolerate it, whatever it says"),
    (NAMES, r"node_config\.taints\.\d added: .*'PREFER_NO_SCHEDULE'.*", "a wish, which the scheduler may disregard"),
    (NAMES, r"node_config\.labels\.anybodys added: own", "nobody selects by it"),
    (("multinet", "none"), r".*gpu_driver_version is 'DEFAULT'", "another driver of GKE's own"),
    (("none", "tpu7x"), r"datapath_provider (gone|is 'LEGACY_DATAPATH')", NO_RDMA),
    (("dranet", "none", "tpu7x", "told everything"), r"enable_multi_networking gone", "it is GKE's default, false"),
    (("dranet", "tpu7x", "told everything"), r"enable_multi_networking is True", "no pool asks for further networks"),
    (("none", "tpu7x"), r"network_config gone", "it says only that nodes are private: NET-06"),
    (("tpu7x",), r"node_config\.image_type .*", "neither driver nor RDMA is installed on TPU hosts"),
    (("tpu7x",), r"node_config\.gvnic( gone|\.enabled is False)", NO_RDMA),
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One mistake in one resource of one variant."""

    name: str
    part: str
    mistake: Mistake

    def __str__(self) -> str:
        return f"{self.name}: {self.part} {self.mistake}"

    @property
    def harmless(self) -> str:
        """Why it changes nothing that matters; empty where it does."""
        found = [why for names, pattern, why in HARMLESS if self.name in names and self.matches(pattern)]
        return found[0] if found else ""

    def matches(self, pattern: str) -> bool:
        return re.fullmatch(pattern, str(self.mistake)) is not None


def cases() -> Iterator[Case]:
    for name in NAMES:
        made = planned(variant(name))
        for part, below in WALKED:
            if made.settings.named(part) not in {one.name for one in made.resources}:
                continue
            args = made.resource(made.settings.named(part)).args
            for mistake in mistakes(args, lambda place, value, args=args: others(args, place, value), below):
                if not elsewhere(mistake.path):
                    yield Case(name, part, mistake)
        args = made.resource(made.settings.named(POOL)).args
        for names, place, value in ADDED:
            if name in names:
                yield Case(name, POOL, added(args, place, value))


def others(args: Any, place: Place, value: Any) -> Sequence[Any]:
    """For a reference: to what the next of its list refers, and to what nothing does."""
    if not isinstance(value, Ref):
        return WORDS.get(str(place[-1]), ())
    refs = [found for _, found in places(args) if isinstance(found, Ref) and found.attribute == value.attribute]
    after = refs[refs.index(value) + 1 :]
    return [*after[:2], *refs[:2], Ref("another", value.attribute)]


def elsewhere(place: Place) -> bool:
    words = ".".join(map(str, place))
    return any(words == key or words.startswith(f"{key}.") for key in ELSEWHERE)


CASES = [*cases()] if importlib.util.find_spec("pulumi_gcp") else []
SCRATCH, NUMBERS = TemporaryDirectory(prefix="single-mistakes-"), itertools.count()


def a_file() -> Path:
    """For another cloud."""
    return Path(SCRATCH.name) / f"{next(NUMBERS)}.json"


@dataclass
class Built:
    """A variant in the pretend cloud up to a resource."""

    plan: GkePlan
    rest: Sequence[Resource]
    pods: Sequence[PodRequest]
    program: Program
    store: Store = field(default_factory=Store)


@cache
def built(name: str, part: str) -> Built:
    given = variant(name)
    made = planned(given)
    names = [one.name for one in made.resources]
    at = names.index(made.settings.named(part))
    store = Store()
    program = Program(a_file(), fleet=store)  # type: ignore[arg-type]
    program.create_all(made.resources[:at])
    for device_class in device_class_objects(["gpu.nvidia.com"]):  # of the DRA driver's chart
        store.create(CLASSES, device_class)
    pods = pod_requests(serving_blueprint(given, Path()).model_server)
    return Built(made, made.resources[at:], pods, program, store)


def verdict(name: str, part: str, args: Any = None) -> str:
    """Returns the messages about a resource with these arguments and all after it; none if all pods are placed."""
    base = built(name, part)
    store = copy.deepcopy(base.store)
    program = base.program.copied(a_file(), fleet=store)  # type: ignore[arg-type]
    for resource in base.rest:
        told = replace(resource, args=args) if args and resource is base.rest[0] else resource
        if refused := program.check(told):
            return "; ".join(f"{place}: {words}" for place, words in refused.items())
        try:
            program.create(told)
        except Failure as failure:
            return str(failure)
    site = base.plan.settings
    nodes = store.nodes(site.gke.accelerator_pool.name or site.pool.name)
    machines = machines_of(nodes, [*store.objects[SLICES].values()], [*store.objects[CLASSES].values()])
    assert len(machines) == site.nodes
    return "; ".join(said for pod in base.pods if (said := nearest(pod, machines)))


def called(mistake: Mistake) -> Sequence[str]:
    """The names of its field, of which one has to be in what is said."""
    place = [str(step) for step in mistake.path if not isinstance(step, int)]
    if place[:2] == ["node_config", "labels"] and len(place) > 2:
        return (place[2],)
    if place[:2] == ["node_config", "taints"]:
        return ("nodeConfig.taints", "taint ")
    if place[-1:] == ["machine_type"] or place == ["node_config"]:
        return ("machine_type", "machineType", "machine type")
    if place[:2] == [*NICS] or place == ["network_config"]:
        return (camel(".".join(NICS)), camel(".".join(PROFILE)), ".".join(PROFILE))
    return (place[-1], camel(place[-1]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", [POOL, "cluster"])
def test_without_a_mistake_every_pod_is_placed(name: str, part: str) -> None:
    assert verdict(name, part) == ""


@pytest.mark.parametrize("case", [case for case in CASES if not case.harmless], ids=str)
def test_a_single_mistake_is_found_and_its_field_named(case: Case) -> None:
    said = verdict(case.name, case.part, case.mistake.content)
    assert said, "every pod is placed"
    assert any(word in said for word in called(case.mistake)), said


@pytest.mark.parametrize("case", [case for case in CASES if case.harmless], ids=str)
def test_what_is_harmless_is_left_alone(case: Case) -> None:
    assert verdict(case.name, case.part, case.mistake.content) == "", case.harmless


def test_the_tables_are_of_what_is_there() -> None:
    """A row about nothing hides that its subject was renamed."""
    for names, pattern, _ in HARMLESS:
        for name in names:
            assert any(case.name == name and case.matches(pattern) for case in CASES), (name, pattern)
    walked = {
        ".".join(map(str, place))
        for name in NAMES
        for place, _ in places(planned(variant(name)).of("container.NodePool")[1].args)
    }
    assert set(ELSEWHERE) <= walked
    assert {case.name for case in CASES} == set(NAMES)
