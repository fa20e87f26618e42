"""Where a rehearsal's CRDs come from: the order of their sources; what the set-up fetches; what pins it all."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import yaml

from hardware.bill import Crd, InModule
from rehearsal.parts import builds, cluster_crds, parts
from rehearsal.parts.cluster_crds import Definition
from rehearsal.parts.standins.crds import BROUGHT, MONITORING
from releases import RELEASES, gateway_api
from releases.cluster_crds import PUBLISHED, Published
from releases.files import Pinned, SourceError
from stacks.blueprint import ServingBlueprint
from stacks.rules.facts import serving_blueprint
from stacks.spec.stack import StackSpec
from tests.cks_plans import CLUSTER, SERVING, stack
from tests.unit.pretend_machine import GAIE, SAID, Machine, machine, planned
from tests.unit.test_gke_rules import DRANET
from tests.unit.test_monitors import GKE
from tests.unit.test_rules import spec

__all__ = ["machine"]

BILL = RELEASES["guide-2026-05"]
FILES = {
    name: yaml.safe_dump(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{name}.example.test"},
        }
    ).encode()
    for name in ("things", "others")
}
CRDS = tuple(
    Crd(
        f"{name}.yaml",
        f"https://example.test/{name}.yaml",
        hashlib.sha256(content).hexdigest(),
        InModule(GAIE, f"config/crd/bases/{name}.yaml"),
    )
    for name, content in FILES.items()
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that were asked for, by a network that knows no name."""
    urls: list[str] = []

    def nobody_answers(url: str, **_: object) -> None:
        urls.append(url)
        raise URLError("no such host")

    monkeypatch.setattr("releases.files.urlopen", nobody_answers)
    return urls


def crd_module(machine: Machine, change: Callable[[bytes], bytes] = lambda content: content) -> None:
    machine.module(GAIE, {f"config/crd/bases/{name}.yaml": change(content) for name, content in FILES.items()})


def crd_plan(crds: tuple[Crd, ...] = CRDS, directory: Path | None = None) -> ServingBlueprint:
    found = planned(crds={"directory": str(directory)} if directory else {})
    bill = replace(found.bill, crds=crds)
    return replace(found, workload=replace(found.workload, bill=bill))


def test_urls_come_first(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    crd_module(machine)
    bodies = {f"https://example.test/{name}.yaml": content for name, content in FILES.items()}
    monkeypatch.setattr("releases.files.urlopen", lambda url, **_: io.BytesIO(bodies[url]))
    part = parts.custom_resource_definitions(crd_plan(), machine.report)
    assert (part.official, part.origin) == (True, "2 files, checked by checksum")
    assert machine.calls("go") == []


def test_then_the_go_module_into_the_cache_of_every_command(machine: Machine, asked: list[str]) -> None:
    crd_module(machine)
    part = parts.custom_resource_definitions(crd_plan(), machine.report)
    assert str(part) == f"CRDs (2 files, checked by checksum; {SAID})"
    assert part.official
    assert asked == [CRDS[0].url], "a site that does not answer is not asked for every file"
    assert machine.out.getvalue().splitlines() == [f"CRDs cannot be downloaded: taking them from {SAID}"]
    assert [Pinned().read(crd) for crd in CRDS] == list(FILES.values())
    before = machine.calls("go")
    again = parts.custom_resource_definitions(crd_plan(), machine.report)
    assert again.origin == "2 files, checked by checksum"
    assert machine.calls("go") == before
    assert len(asked) == 1


def test_a_file_of_the_module_is_taken_only_with_the_bills_checksum(machine: Machine, asked: list[str]) -> None:
    crd_module(machine, lambda content: content + b"# changed\n")
    with pytest.raises(SourceError, match="and not the pinned sha256:"):
        parts.custom_resource_definitions(crd_plan(), machine.report)
    assert asked
    assert not list((machine.cache / "crds").glob("*"))


def test_what_nobody_has_is_one_sentence_with_every_reason(machine: Machine, asked: list[str]) -> None:
    with pytest.raises(SourceError) as error:
        parts.custom_resource_definitions(crd_plan(), machine.report)
    assert str(error.value) == (
        f"CRD file things.yaml cannot be used, because {CRDS[0].url} cannot be reached: no such host; {SAID} cannot be "
        "downloaded: connection refused; put the release's CRD files in a directory and name it: "
        "`llmd-pd:crds: {directory: …}`"
    )
    with pytest.raises(SourceError, match="cannot be reached: no such host; put"):
        parts.custom_resource_definitions(crd_plan((replace(CRDS[0], source=None),)), machine.report)
    assert len(asked) == 2


def test_offline_only_the_cache_is_read(machine: Machine, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    crd_module(machine)
    monkeypatch.setenv("LLMD_PD_OFFLINE", "1")
    with pytest.raises(SourceError, match="LLMD_PD_OFFLINE is set, and the file is not in the cache; put"):
        parts.custom_resource_definitions(crd_plan(), machine.report)
    assert asked == machine.calls("go") == []


def test_the_stacks_own_directory_is_taken_as_it_is(machine: Machine, asked: list[str], tmp_path: Path) -> None:
    directory = tmp_path / "crds"
    directory.mkdir()
    for name, content in FILES.items():
        (directory / f"{name}.yaml").write_bytes(content + b"# patched by the team\n")
    part = parts.custom_resource_definitions(crd_plan(directory=directory), machine.report)
    assert (part.official, part.origin) == (True, "2 files of the stack's own directory")
    (directory / "others.yaml").unlink()
    with pytest.raises(SourceError, match=r"others\.yaml is missing"):
        parts.custom_resource_definitions(crd_plan(directory=directory), machine.report)
    assert asked == machine.calls("go") == []


# --- the set-up, and the pins --------------------------------------------------------------------------------------------


def test_the_set_up_leaves_nothing_to_ask_for(
    machine: Machine, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.chart_module()
    crd_module(machine)
    monkeypatch.setattr(parts, "release", lambda _: replace(BILL, crds=CRDS))
    monkeypatch.setattr(gateway_api, "CRDS", ())
    parts.prepare(machine.toolchain, machine.report)
    assert len(list((machine.cache / "charts").glob("*/*.tgz"))) == 2
    assert len(list((machine.cache / "crds").glob("*.yaml"))) == 2
    before = (machine.calls("go"), list(asked))
    monkeypatch.setenv("LLMD_PD_OFFLINE", "1")
    assert machine.chart().part.origin == SAID
    assert parts.custom_resource_definitions(crd_plan(), machine.report).official
    parts.prepare(machine.toolchain, machine.report)
    assert (machine.calls("go"), asked) == before


def test_a_set_up_that_cannot_have_them_says_so_and_goes_on(machine: Machine, asked: list[str]) -> None:
    parts.prepare(machine.toolchain, machine.report)
    said = machine.out.getvalue()
    for name in ("standalone", "inferencepool"):
        assert (
            f"charts/{name} v1.5.0 is not available: `helm pull` says: no such host; {SAID} cannot be downloaded"
            in said
        )
    assert "CRD file inference.networking.k8s.io_inferencepools.yaml cannot be used" in said
    assert asked


@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
def test_modules_are_pinned_at_the_versions_of_the_releases(bill: Any) -> None:
    required = builds.required("upstream")
    for chart in bill.router.charts.values():
        if chart.source:
            assert f"v{required[chart.source.module]}" == chart.version
            assert chart.ref.rpartition("/")[2] == chart.source.path.rpartition("/")[2]
    for crd in (*bill.crds, *gateway_api.CRDS):
        assert crd.source, f"{crd.file} is in a Go module"
        assert crd.source.path.endswith(f"/{crd.file}")
        assert f"/v{required[crd.source.module]}/{crd.source.path}" in crd.url, "one tag, one path, two publishers"


def test_every_byte_of_the_modules_is_pinned() -> None:
    lines = (builds.MODULES / "upstream" / "go.sum").read_text().splitlines()
    pinned = {tuple(line.split()[:2]) for line in lines}
    for module, version in builds.required("upstream").items():
        # Go adds what is missing without a word: the line without `/go.mod` is the one of the content.
        assert {(module, f"v{version}"), (module, f"v{version}/go.mod")} <= pinned


# --- what a cluster brings -----------------------------------------------------------------------------------------------

OPERATOR = "github.com/prometheus-operator/prometheus-operator"
PODS, SERVICES = MONITORING
#: Two definitions in one file, as Istio publishes its own; the first is another kind's.
PUBLISHED_FILE = yaml.safe_dump_all(
    [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name},
            "spec": {"group": "published.test"},
        }
        for name in ("others.monitoring.coreos.com", PODS.name)
    ]
).encode()


@pytest.fixture
def pods(monkeypatch: pytest.MonkeyPatch) -> Published:
    """The one kind that anybody has published."""
    digest = hashlib.sha256(PUBLISHED_FILE).hexdigest()
    crd = Crd("all.yaml", "https://example.test/all.yaml", digest, InModule(OPERATOR, "config/all.yaml"))
    made = Published(crd, "an/operator v1")
    monkeypatch.setattr(cluster_crds, "PUBLISHED", {PODS.name: made})
    return made


def origins(found: list[Definition]) -> list[bool]:
    return [definition.published is not None for definition in found]


def test_what_a_cluster_brings_is_the_published_file_and_kept(
    machine: Machine, asked: list[str], pods: Published
) -> None:
    machine.module(OPERATOR, {"config/all.yaml": PUBLISHED_FILE})
    assert origins(cluster_crds.kept(MONITORING)) == [False, False]
    assert asked == machine.calls("go") == [], "what is kept is read without a network"
    first, second = cluster_crds.definitions(MONITORING, machine.report)
    assert (first.published, first.object["spec"]) == (pods, {"group": "published.test"})
    assert (second.published, second.object) == (None, SERVICES.definition)
    assert asked == [pods.crd.url]
    before = machine.calls("go")
    assert origins(cluster_crds.kept(MONITORING)) == [True, False]
    assert origins(cluster_crds.definitions(MONITORING, machine.report)) == [True, False]
    assert (machine.calls("go"), len(asked)) == (before, 1)


def test_the_stand_in_takes_the_place_of_what_nobody_gives(machine: Machine, asked: list[str], pods: Published) -> None:
    (found,) = cluster_crds.definitions([PODS], machine.report)
    assert (found.published, found.object) == (None, PODS.definition)
    assert asked == [pods.crd.url]
    machine.module(OPERATOR, {"config/all.yaml": PUBLISHED_FILE + b"# changed\n"})
    assert origins(cluster_crds.definitions([PODS], machine.report)) == [False], "its checksum is not the pinned one"


@pytest.mark.usefixtures("pods")
def test_offline_nobody_is_asked_for_what_a_cluster_brings(
    machine: Machine, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMD_PD_OFFLINE", "1")
    machine.module(OPERATOR, {"config/all.yaml": PUBLISHED_FILE})
    assert origins(cluster_crds.definitions([PODS], machine.report)) == [False]
    assert asked == machine.calls("go") == []


def test_the_set_up_keeps_what_clusters_bring_and_says_what_is_missing(
    machine: Machine, asked: list[str], pods: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.module(OPERATOR, {"config/all.yaml": PUBLISHED_FILE})
    monkeypatch.setattr(parts, "BROUGHT", MONITORING)
    parts.prepare(machine.toolchain, machine.report)
    assert pods.crd.url in asked
    assert origins(cluster_crds.kept(MONITORING)) == [True, False]
    assert "no published CRD is available of ServiceMonitor: rehearsals use permissive ones" in (machine.out.getvalue())


def test_a_report_says_which_crds_are_published_and_which_stand_for_one(
    machine: Machine, asked: list[str], pods: Published
) -> None:
    plain = planned()
    assert parts.monitors(plain) == ()
    monitored = [
        serving_blueprint(
            plain.spec.model_copy(update={"monitoring": plain.spec.monitoring.model_copy(update=update)}), Path("/")
        )
        for update in ({"pod_monitors": True}, {"router": True})
    ]
    for made in monitored:
        said = [(part.official, str(part)) for part in parts.monitors(made)]
        assert said == [(False, "permissive CRDs of the Prometheus operator (PodMonitor, ServiceMonitor)")]
    machine.module(OPERATOR, {"config/all.yaml": PUBLISHED_FILE})
    cluster_crds.definitions(MONITORING, machine.report)
    for made in monitored:
        assert [(part.official, str(part)) for part in parts.monitors(made)] == [
            (True, "CRDs of the Prometheus operator (PodMonitor of an/operator v1)"),
            (False, "permissive CRDs of the Prometheus operator (ServiceMonitor)"),
        ]
    assert asked == [pods.crd.url]


def test_every_kind_a_cluster_brings_is_published_somewhere() -> None:
    assert {resource.name for resource in BROUGHT} == PUBLISHED.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_a_module_holds_of_a_cluster_is_at_the_version_of_its_publisher(name: str) -> None:
    published, required = PUBLISHED[name], builds.required("upstream")
    assert published.crd.url.endswith(f"/{published.crd.file}")
    if (source := published.crd.source) is not None:
        assert published.crd.url.endswith(f"/v{required[source.module]}/{source.path}")
        assert published.publisher.endswith(f" v{required[source.module]}")


BOTH = {"podMonitors": True, "router": True}
CLOUDS = {
    "a CKS cluster to come": stack(monitoring=BOTH),
    "a CKS cluster of the stack's own": stack(cluster={"context": "cw"}, monitoring=BOTH),
    "node pools on CoreWeave": spec(SERVING, cluster={**CLUSTER, "context": "cw"}, monitoring=BOTH),
    "GKE": spec(DRANET, cluster=GKE, monitoring=BOTH),
    "nodes of a platform stack": spec(SERVING, cluster={"provider": "stack", "stack": "a/b/c"}, monitoring=BOTH),
}


@pytest.mark.parametrize("given", CLOUDS.values(), ids=CLOUDS)
def test_a_cloud_and_a_platform_have_no_operator(given: StackSpec) -> None:
    assert parts.monitors(serving_blueprint(given, Path("/project"))) == ()
