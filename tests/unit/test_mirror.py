"""With a mirror all that a stack pulls comes from it, or the rule says which key names something else."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hardware.render.images import is_in, mirrored
from hardware.render.pod_images import pod_images, value_images
from releases import RELEASES
from releases.gateways import IMPLEMENTATIONS
from releases.gke import DRA_DRIVER_IMAGE, DRA_DRIVER_VALUES
from releases.values import image_values
from stacks import images as pulls
from stacks.rules.facts import blueprint, serving_blueprint
from stacks.rules.table import examine
from stacks.spec.stack import StackSpec
from tests.gke_plans import DRANET, VARIANTS, planned, stack
from tests.unit.test_rules import COMBINATIONS, problems, spec

NVIDIA = {"accelerator": "nvidia"}
REGISTRY, CHARTS = "registry.example.test/team", "oci://registry.example.test/charts"
MIRROR = {"registry": REGISTRY, "charts": CHARTS}
MODES: list[dict[str, Any]] = [
    {"mode": "standalone"},
    *({"mode": "gateway", "gateway": {"provider": provider, "className": "c"}} for provider in ("gke", "na")),
    *({"mode": "gateway", "gateway": {"provider": key, "install": True}} for key in IMPLEMENTATIONS),
]
MODE_IDS = [mode.get("gateway", {}).get("provider", "standalone") for mode in MODES]


def values(**extension: Any) -> dict[str, Any]:
    return {"values": {"inferenceExtension": extension}}


#: Rule, `router`, `mirror`, path, words of the sentence.
FINDINGS: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("MIRROR-01", values(sidecar={"image": "docker.io/envoyproxy/envoy:v1"}), MIRROR,
     "router.values.inferenceExtension.sidecar.image",
     f"image `docker.io/envoyproxy/envoy:v1` is not under {REGISTRY}, because a cluster with a mirror may reach nothing else; "
     f"make it `{REGISTRY}/envoyproxy/envoy:v1`"),
    ("MIRROR-01", values(image={"registry": "quay.io", "repository": "me/epp", "tag": "v9"}), {"registry": REGISTRY},
     "router.values.inferenceExtension.image", "image `quay.io/me/epp:v9` is not under"),
    ("MIRROR-01", values(image={"registry": "quay.io"}), MIRROR,
     "router.values.inferenceExtension.image", "leave its registry and repository out"),
    ("MIRROR-01", values(extraContainers=[{"name": "a", "image": "a/b:c"}]), MIRROR,
     "router.values.inferenceExtension.extraContainers[0].image", "image `a/b:c`"),
    ("MIRROR-01", values(helper={"repository": "ghcr.io/a/b", "digest": "sha256:1"}), MIRROR,
     "router.values.inferenceExtension.helper", "image `ghcr.io/a/b@sha256:1`"),
    ("MIRROR-01", {"chart": {"source": "oci://other.example.test/charts/standalone"}}, MIRROR,
     "router.chart.source", f"chart `oci://other.example.test/charts/standalone` is not under {CHARTS}"),
    ("MIRROR-01", {"chart": {"source": "oci://registry.example.test/charts-of-others/standalone"}}, {"charts": CHARTS},
     "router.chart.source", "leave `router.chart` out, or name the mirror's copy"),
    ("MIRROR-01", {}, {"registry": "team/mirror"}, "mirror.registry", "looked for on Docker Hub"),
    ("MIRROR-01", {}, {"registry": "mirror"}, "mirror.registry", "`registry.example.com/mirror`"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "router", "mirror", "path", "words"), FINDINGS, ids=[f"{f[3]} {f[4][:30]}" for f in FINDINGS]
)
def test_the_rule_finds_what_it_is_for(
    rule: str, router: dict[str, Any], mirror: dict[str, Any], path: str, words: str
) -> None:
    (found,) = problems(NVIDIA, router=router, mirror=mirror)
    assert (found.rule, found.path) == (rule, f"llmd-pd:{path}")
    assert words in str(found)


def files(spec: StackSpec, base: Path) -> list[dict[str, Any]]:
    return [*blueprint(spec, base).cluster.files()]


@pytest.mark.parametrize("name", VARIANTS)
def test_what_a_gke_cluster_is_given_comes_from_the_mirror_and_nothing_else_changes(name: str) -> None:
    serving, gke, more = VARIANTS[name]
    stated = stack(serving, gke, mirror=MIRROR, **more)
    assert examine(stated).errors == ()
    upstream, found = planned(stack(serving, gke, **more)), planned(stated)
    for theirs, ours in zip(upstream.charts, found.charts, strict=True):
        assert is_in(ours.chart, CHARTS)
        assert [image for _, image in value_images(ours.values)] == [mirrored(DRA_DRIVER_IMAGE.image, REGISTRY)]
        assert "image" not in theirs.values, "what a stack without mirror is told is what it was"
        assert {key: value for key, value in ours.values.items() if key != "image"} == theirs.values
    rest = {"charts": ()}
    assert replace(found, **rest) == replace(upstream, **rest)


def test_a_chart_of_ones_own_names_its_image_itself() -> None:
    chart = {"source": "oci://registry.example.test/charts/dra", "version": "v1"}
    stated = stack(DRANET, {"gpuDriver": {"chart": chart}}, mirror=MIRROR)
    assert examine(stated).errors == ()
    (release,) = planned(stated).charts
    assert (release.chart, release.version, release.values) == (*chart.values(), DRA_DRIVER_VALUES)


def test_the_files_a_cluster_is_given_come_from_the_mirror(tmp_path: Path) -> None:
    pods = {
        "initContainers": [{"name": "there", "image": "cos-installer:fixed", "imagePullPolicy": "Never"}],
        "containers": [{"name": "idle", "image": "gcr.io/a/pause:2.0"}, {"name": "own", "image": f"{REGISTRY}/b:v1"}],
        "volumes": [{"name": "weights", "image": {"reference": "a/weights:v1"}}],
    }
    own: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "a"},
        "spec": {"template": {"spec": pods}},
    }
    (tmp_path / "own.yaml").write_text(json.dumps(own))
    driver = {"installer": "own.yaml", "chart": {"source": "./chart"}}
    upstream = stack(DRANET, {"gpuDriver": driver})
    assert files(upstream, tmp_path) == [own]
    stated = stack(DRANET, {"gpuDriver": driver}, mirror={"registry": REGISTRY})
    assert examine(stated).errors == ()
    text = (
        json.dumps(own).replace("gcr.io/a/pause", f"{REGISTRY}/a/pause").replace("a/weights", f"{REGISTRY}/a/weights")
    )
    assert files(stated, tmp_path) == [json.loads(text)]


@pytest.mark.parametrize(
    ("router", "mirror"),
    [
        (values(sidecar={"image": "docker.io/envoyproxy/envoy:v1"}), {"charts": CHARTS}),
        ({"chart": {"source": "oci://other.example.test/standalone"}}, {"registry": REGISTRY}),
        ({"chart": {"source": "./charts/standalone.tgz"}}, MIRROR),
        ({"chart": {"source": f"{CHARTS}/standalone"}}, {"registry": REGISTRY, "charts": f"{CHARTS}/"}),
        (values(sidecar={"image": f"{REGISTRY}/envoy:v1"}, image={"tag": "v9"}), MIRROR),
        (values(image={"pullPolicy": "Always"}, tracing={"image": ""}), MIRROR),
        (values(source={"repository": "https://git.example.test/x", "tag": "v1"}), MIRROR),
        ({}, {"registry": "docker.io/team"}),
        ({}, {"registry": "localhost:5000"}),
    ],
    ids=str,
)
def test_what_a_team_with_a_mirror_may_say(router: dict[str, Any], mirror: dict[str, Any]) -> None:
    assert problems(NVIDIA, router=router, mirror=mirror) == []


@pytest.mark.parametrize("mode", MODES, ids=MODE_IDS)
@pytest.mark.parametrize(("release", "accelerator", "engine", "fabric"), COMBINATIONS)
def test_everything_comes_from_the_mirror_and_nothing_else_changes(
    release: str, accelerator: str, engine: str, fabric: str, mode: dict[str, Any]
) -> None:
    serving = {"accelerator": accelerator, "engine": engine, "fabric": fabric}
    sections: dict[str, Any] = {"router": mode, "release": release, "monitoring": {"podMonitors": True, "router": True}}
    assert problems(serving, mirror=MIRROR, **sections) == []
    ours = serving_blueprint(spec(serving, mirror=MIRROR, **sections), Path("/project"))
    upstream = serving_blueprint(spec(serving, **sections), Path("/project"))
    sources = [found.image for obj in upstream.model_server for found in pod_images(obj)]
    assert len(sources) == 3, "two servers and a sidecar"
    assert [found.image for obj in ours.model_server for found in pod_images(obj)] == [
        mirrored(image, REGISTRY) for image in sources
    ]
    text = json.dumps(ours.model_server)
    for image in dict.fromkeys(sources):
        text = text.replace(f'"{mirrored(image, REGISTRY)}"', f'"{image}"')
    assert json.loads(text) == upstream.model_server
    everywhere = [image for _, image in value_images(ours.router.values)]
    assert len(everywhere) == (2 if mode["mode"] == "standalone" else 1)
    assert all(is_in(image, REGISTRY) for image in everywhere)
    releases = [ours.router, *(ours.gateway.implementation if ours.gateway else ())]
    assert all(each.chart.startswith(f"{CHARTS}/") for each in releases)
    assert all(is_in(ours.versions[key], REGISTRY) for key in ("endpointPicker", "routingProxy", "modelServer"))


def test_an_image_of_the_teams_own_is_looked_for_in_the_mirror_too() -> None:
    own = serving_blueprint(spec({**NVIDIA, "image": "quay.io/team/vllm:v1"}, mirror=MIRROR), Path("/project"))
    assert own.versions["modelServer"] == f"{REGISTRY}/team/vllm:v1"
    there = serving_blueprint(spec({**NVIDIA, "image": f"{REGISTRY}/vllm:v1"}, mirror=MIRROR), Path("/project"))
    assert there.versions["modelServer"] == f"{REGISTRY}/vllm:v1"


@pytest.mark.parametrize("registry", [REGISTRY, "registry.example.test"])
@pytest.mark.parametrize("provider", IMPLEMENTATIONS)
def test_the_implementations_values_spell_the_mirrored_images(provider: str, registry: str) -> None:
    """Both charts put a name and their own version behind one registry."""
    releases = [release for release in IMPLEMENTATIONS[provider].releases if release.images]
    assert releases
    for release in releases:
        for known in release.images:
            ((_, form),) = known.keys.items()
            assert form == "{place}"
            (place,) = re.findall(
                r'"([^"{}]*)"(?=\})', json.dumps(image_values(known, mirrored(known.image, registry)))
            )
            name = known.image.rpartition("/")[2]
            assert f"{place}/{name}" == mirrored(known.image, registry)


def test_a_stack_without_a_mirror_names_upstreams() -> None:
    for bill in RELEASES.values():
        upstream = pulls.without_mirror(spec(NVIDIA, mirror=MIRROR, release=bill.name), Path("/project"))
        assert upstream == blueprint(spec(NVIDIA, release=bill.name), Path("/project"))
