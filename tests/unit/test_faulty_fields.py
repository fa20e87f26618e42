"""A field that cannot be read hides the findings that depend on it, and no others; and it makes no finding of its own.

The walk is over two stack files with as many independent faults as they can have: every field of them is made unreadable.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from stacks.findings import StackFileError, place_text
from tests.blueprints import spec_from_config
from tests.mistakes import Path, at, places, put

TAINT = {"key": "team", "value": "a", "effect": "NoSchedule"}
POOL = {"autoscaling": {"min": 4, "max": 3}, "labels": {"team": "a", "kubernetes.io/x": "y"}, "taints": [TAINT, TAINT]}
GKE = {
    "project": "<p>", "region": "us-south1", "zone": "us-central1-b", "version": "1.35", "rdma": "dranet", "gateways": False,
    "maintenanceWindow": {"start": "09:00", "days": ["SA", "SU"], "hours": 4},
    "capacity": {"reservation": "h200", "onDemand": True},
    "network": {"base": "10.0.0.0/21", "peers": ["10.1.1.1/16", "10.2"]},
    "systemPool": {"machineType": "a3-ultragpu-8g", "min": 4, "max": 2},
    "acceleratorPool": {**POOL, "name": "system", "bootDiskGb": 100},
}  # fmt: skip
VPC = {
    "name": "v" * 31, "pods": "10.1.0.0/13", "services": "8.8.0.0/22", "hosts": "10.4.0.0", "peers": ["10.1", "10.32.4.0/24"],
    "internalLoadBalancers": ["10.16.0.0", "10.32.4.0/22", "10.32.4.0/24"],
}  # fmt: skip
COREWEAVE = {
    "cluster": {"zone": "US-EAST-02A", "version": "1.35", "name": "n" * 31, "vpc": VPC},
    "systemPool": {"instanceType": "b200-8x", "name": "x"},
    "acceleratorPool": {**POOL, "name": "x"},
}
SERVING = {
    "accelerator": "nvidia", "image": "a/b:latest", "extraArgs": ["--a", "--port=1"], "dropArgs": ["--nope", "--nope-too"],
    "env": {"A": "b", "HF_TOKEN": "x"}, "nodeSelector": {"team": "x", "kind": "y"}, "ipcLock": False,
    "tolerations": [{"key": "team", "operator": "Exists"}, {"key": "b", "operator": "Exists", "value": "c"}],
    "decode": {"devices": 16, "cpu": "1000"}, "prefill": {"memory": "9000Gi"},
}  # fmt: skip
OTHERS = {
    "release": "guide-2026-05", "name": "a" * 35, "mirror": {"registry": "team", "charts": "oci://a.b/c"},
    "router": {
        "mode": "gateway", "gateway": {"provider": "gke", "recipe": "nope", "namespace": "other"}, "replicas": 2,
        "flags": {"v": 3, "tracing": True}, "resources": {"requests": {"cpu": "20"}, "limits": {"cpu": "4"}},
        "plugins": {"plugins": [{"type": "queue-scorer"}, {"type": "nope"}], "zzz": 1}, "values": {"a": 1, "router": {}},
        "extraPorts": [{"name": "a", "port": 1000, "targetPort": 1}, {"name": "a", "port": 1001, "targetPort": 1}],
    },
    "suppress": [{"rule": "CAP-08", "reason": "x"}, {"rule": "NOPE-01", "reason": "y"}],
}  # fmt: skip
FILES: dict[str, dict[str, Any]] = {
    "gke": {
        **OTHERS, "serving": {**SERVING, "fabric": "gke-rdma"},
        "cluster": {"provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 2, "context": "x", "protect": False,
                    "gke": GKE},
    },
    "coreweave": {
        **OTHERS, "serving": {**SERVING, "fabric": "coreweave"},
        "cluster": {"provider": "coreweave", "machine": "coreweave-h200", "nodes": 2, "kubeconfig": "a", "gke": GKE,
                    "coreweave": COREWEAVE},
    },
}  # fmt: skip
#: Fields in which anything may stand.
FREE: tuple[Path, ...] = (("router", "values"), ("router", "plugins"), ("router", "flags"))
GKES, COREWEAVES = r"cluster\.gke", r"cluster\.coreweave"
#: The unreadable field, and the findings that depend on it (rule and place), as patterns.
DEPENDS: list[tuple[str, str]] = [
    (r"serving(\.accelerator)?", r"NAME-02 name"),  # the name of a Deployment has the accelerator in it
    (r"serving\.accelerator", r"(FIT-01|HW-02) serving.*"),
    (r"serving\.decode(\.devices)?", r"FIT-01 serving\.fabric"),
    (r"serving\.tolerations\[1\]\.\w+", r"POD-01 serving\.tolerations\[1\]\.value"),
    (r"cluster\.provider", r"((CAP|CW|GKE|NET)-\d\d|CLUSTER-01) cluster.*"),
    (r"cluster(\.(provider|gke|coreweave))?", r"FIT-01 serving\.nodeSelector.*"),
    (r"cluster\.nodes", r"NET-03 .*base"),
    (r"cluster\.kubeconfig", r"CW-14 .*"),
    (rf"{GKES}\.region", r"GKE-10 .*"),
    (rf"{GKES}\.rdma", r"FIT-01 serving.*"),
    (rf"{GKES}\.maintenanceWindow\.(hours|days\[\d\])", r"GKE-29 .*days"),
    (rf"{GKES}\.capacity\.\w+", r"CAP-01 .*"),
    (rf"{GKES}\.network\.peers", r"NET-03 .*base"),
    (rf"{GKES}\.systemPool\.(min|max)", r"GKE-21 .*systemPool"),
    (rf"{GKES}\.systemPool(\.max)?", r"NET-03 .*base"),
    (rf"{GKES}\.acceleratorPool(\.autoscaling(\.max)?)?", r"NET-03 .*base"),
    (rf"{GKES}(\.acceleratorPool(\.autoscaling)?)?", r"GKE-21 cluster\.nodes"),
    (rf"{GKES}\.acceleratorPool\.autoscaling\.\w+", r"GKE-21 .*(autoscaling|nodes)"),
    (rf"({GKES}|{COREWEAVES})\.acceleratorPool(\.(labels|taints))?", r"FIT-01 serving.*"),
    (rf"({GKES}|{COREWEAVES})\.acceleratorPool\.labels\.team", r"FIT-01 serving\.nodeSelector\.team"),
    (rf"({GKES}|{COREWEAVES})\.acceleratorPool\.taints\[\d\](\.\w+)?", r"(GKE-24|CW-09) .*taints\[1\]"),
    (rf"{COREWEAVES}(\.cluster(\.name)?)?", r"CW-14 .*"),
    (rf"{COREWEAVES}\.cluster\.vpc\.peers(\[1\])?", r"CW-12 .*internalLoadBalancers\[2\]"),
    (rf"{COREWEAVES}\.acceleratorPool(\.name)?", r"CW-06 .*systemPool\.name"),
    (rf"{COREWEAVES}(\.acceleratorPool(\.autoscaling(\.\w+)?)?)?", r"CW-02 .*"),
    (r"router(\.gateway(\.provider)?)?", r"GKE-26 .*"),
    (r"router\.(mode|gateway\.provider)", r"GW-01 router\.gateway.*"),
    (r"cluster(\.provider)?", r"GW-01 router\.gateway\.provider"),
    (r"router\.(replicas|plugins)", r"ROUTER-02 .*"),
    (r"router\.resources\.limits(\.cpu)?", r"ROUTER-05 .*"),
    (r"router\.extraPorts\[\d\](\.\w+)?", r"ROUTER-06 router\.extraPorts\[1\]\.name"),
]


@dataclass(frozen=True)
class Case:
    """A file, and a field of it that is made unreadable."""

    name: str
    field: Path

    def __str__(self) -> str:
        return f"{self.name}: {self.path}"

    @property
    def path(self) -> str:
        return place_text(self.field).removeprefix("llmd-pd:")

    @property
    def content(self) -> Any:
        value = at(FILES[self.name], self.field)
        # Values of which nobody could say what is meant.
        strange = [1, 2] if isinstance(value, str) else 5 if isinstance(value, dict) else 0
        return put(FILES[self.name], self.field, strange if isinstance(value, str | dict | list) else "x")


def is_anothers(name: str, place: Path) -> bool:
    """Whether a place is in the section of another provider, of which CLUSTER-01 says that nothing reads it."""
    return name == "coreweave" and place[:2] == ("cluster", "gke")


def cases() -> Iterator[Case]:
    for name, content in FILES.items():
        for place, _ in places(content):
            free = any(len(place) > len(above) and place[: len(above)] == above for above in FREE)
            part = name == "gke" or place[:2] == ("cluster", "coreweave") or len(place) <= 2
            if not free and part and not is_anothers(name, place):
                yield Case(name, place)


def found(content: Any) -> set[str]:
    with pytest.raises(StackFileError) as refused:
        spec_from_config(content)
    assert all(row.fix.strip() for row in refused.value.problems)
    return {f"{row.rule} {row.path.removeprefix('llmd-pd:')}" for row in refused.value.problems}


CASES = [*cases()]
BASE = {name: found(content) for name, content in FILES.items()}


def elsewhere(rows: set[str], field: str) -> set[str]:
    """Those that are not at or below a field."""
    return {row for row in rows if not re.match(rf"{re.escape(field)}($|[.\[])", row.partition(" ")[2])}


def depends(field: str, row: str) -> bool:
    return any(re.fullmatch(first, field) and re.fullmatch(second, row) for first, second in DEPENDS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_unreadable_field_hides_what_depends_on_it_and_nothing_else(case: Case) -> None:
    now, base = found(case.content), BASE[case.name]
    assert any(row.startswith("SPEC ") for row in now), "it is refused"
    assert elsewhere(now, case.path) - base == set(), "its default has no findings"
    gone = elsewhere(base, case.path) - now
    assert [row for row in sorted(gone) if not depends(case.path, row)] == []


@pytest.mark.parametrize("name", FILES)
def test_an_unknown_key_hides_nothing(name: str) -> None:
    for place, value in places(FILES[name]):
        if not isinstance(value, dict) or _is_a_map(place) or is_anothers(name, place):
            continue
        now = found(put(FILES[name], (*place, "zzzzzz"), 1))
        item = any(isinstance(step, int) for step in place)  # a port, a taint or a toleration is judged as a whole
        gone = BASE[name] - now
        assert now - BASE[name] == {f"SPEC {place_text((*place, 'zzzzzz')).removeprefix('llmd-pd:')}"}
        text = place_text(place).removeprefix("llmd-pd:")
        assert gone == set() or (item and all(depends(text, row) for row in elsewhere(gone, text))), place


def _is_a_map(place: Path) -> bool:
    maps = ("labels", "nodeSelector", "env", "flags", "values", "plugins")
    return any(step in maps for step in place)


@pytest.mark.parametrize(
    ("misspelt", "key"),
    [
        (("cluster", "nodess"), "nodes"),
        (("cluster", "gke", "capactiy"), "capacity"),
        (("cluster", "gke", "verison"), "version"),
        (("cluster", "gke", "capacity", "ondemand"), "onDemand"),
        (("cluster", "gke", "network", "peer"), "peers"),
        (("serving", "dropargs"), "dropArgs"),
    ],
)
def test_a_misspelt_key_is_not_missing_too(misspelt: Path, key: str) -> None:
    """Nor are findings made of its default."""
    good = {
        "serving": {"accelerator": "nvidia", "fabric": "gke-rdma", "model": "a/b", "dropArgs": []},
        "cluster": {
            "provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 2,
            "gke": {**GKE, "project": "acme-serving", "zone": "us-south1-b", "version": "1.35.2-gke.1234000", "gateways": None,
                    "capacity": {"onDemand": True}, "maintenanceWindow": {}, "systemPool": {}, "acceleratorPool": {},
                    "network": {"peers": ["10.240.0.0/16"]}},
        },
    }  # fmt: skip
    spec_from_config(good)
    *above, _ = misspelt
    holder = at(good, tuple(above))
    renamed = {misspelt[-1] if each == key else each: value for each, value in holder.items()}
    rows = found(put(good, tuple(above), renamed))
    required = {f"SPEC {place_text((*above, key)).removeprefix('llmd-pd:')}"} if key == "version" else set()
    assert rows == {f"SPEC {place_text(misspelt).removeprefix('llmd-pd:')}"} | required


def test_the_table_is_of_what_is_there() -> None:
    """A row about nothing hides that its subject was renamed."""
    for first, second in DEPENDS:
        assert any(
            re.fullmatch(first, case.path) and re.fullmatch(second, row) for case in CASES for row in BASE[case.name]
        ), (first, second)
