"""`images`: what it prints for people, programs and shells, where it can ask nobody, and where it has nowhere to copy to."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import registry
from commands.cli import run
from commands.registry import Answer
from hardware.render.pod_images import pod_images, value_images
from releases.charts import helm_arguments
from stacks import images as pulls
from stacks.findings import single_line
from tests.unit.test_cli import terminal
from tests.unit.test_rules import spec

EPP, ENVOY = "ghcr.io/llm-d/llm-d-inference-scheduler:v0.8.0", "docker.io/envoyproxy/envoy:distroless-v1.33.2"
SERVER, SIDECAR = "docker.io/vllm/vllm-openai:v0.19.1-x86_64-cu130", "ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.0"
CHART = "oci://registry.k8s.io/gateway-api-inference-extension/charts/standalone"
REGISTRY, CHARTS = "registry.example.test/team", "oci://registry.example.test/charts"
DIGEST = "sha256:" + "0123456789abcdef" * 4
OWN = "sha256:" + "f" * 64
NVIDIA = {"accelerator": "nvidia"}
ROOT = Path(__file__).parents[2]
NOTE = (
    "Note: the router's images are those of release guide-2026-05 and not read off its chart, "
    "because helm is not on PATH (`llmd-pd setup` gets one).\n"
)


@pytest.fixture(autouse=True)
def _nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No helm, an empty cache, and no registry that anybody could ask."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(registry, "digest", lambda _: Answer(None, "unreachable"))


def stack(directory: Path, serving: dict[str, Any] | None = None, **sections: Any) -> str:
    path = directory / "Pulumi.test.yaml"
    given = {"serving": {**NVIDIA, **(serving or {})}, **sections}
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in given.items()}}))
    return str(path)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


# --- for people ----------------------------------------------------------------------------------------------------------


def test_a_pipe_gets_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images", stack(tmp_path), "--no-digests"]) == 0
    assert capsys.readouterr() == (
        f"""\
image                                            used by
{SERVER}  decode/modelserver, prefill/modelserver
{SIDECAR}       decode/routing-proxy
{EPP}   router
{ENVOY}    router

chart                                                                    version  used by
{CHART}  v1.5.0   router
""",
        NOTE,
    )


def test_digests_or_why_there_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {
        SERVER: Answer(DIGEST),
        f"{CHART.removeprefix('oci://')}:v1.5.0": Answer(OWN),
        EPP: Answer(None, "not found"),
    }
    monkeypatch.setattr(registry, "digest", lambda reference: known.get(reference, Answer(None, "unreachable")))
    assert run(["images", stack(tmp_path)]) == 0
    rows = {row.split()[0]: row.split("  ")[-1].strip() for row in lines(capsys) if row}
    assert rows == {
        "image": "digest",
        SERVER: DIGEST,
        SIDECAR: "unreachable",
        EPP: "not found",
        ENVOY: "unreachable",
        "chart": "digest",
        CHART: OWN,
    }


def shown_on_a_terminal(file: str, directory: Path, *options: str, width: int) -> str:
    """Nobody outside is asked, whatever network there is."""
    kept = {"LLMD_PD_CACHE": str(directory / "cache"), "https_proxy": "http://127.0.0.1:1", "PATH": str(directory)}
    shown = terminal(["images", file, *options], directory, COLUMNS=str(width), **kept)
    return shown.replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 120])
def test_a_narrow_terminal_gets_blocks_that_fit(width: int, tmp_path: Path) -> None:
    file = stack(tmp_path, {"image": f"docker.io/vllm/vllm-openai@{DIGEST}"})
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown_on_a_terminal(file, tmp_path, width=width))
    assert f"  used by decode/modelserver, prefill/modelserver\n  digest {DIGEST}\n{SIDECAR}\n" in plain
    assert f"\n\n{CHART}\n  version v1.5.0\n  used by router\n  digest unreachable\n" in plain
    _, *block = plain[plain.index("docker.io/vllm") :].splitlines()
    assert max(len(row) for row in block) <= 80


def test_a_wide_terminal_gets_tables(tmp_path: Path) -> None:
    shown = shown_on_a_terminal(stack(tmp_path), tmp_path, "--no-digests", width=200)
    assert f"\n{SIDECAR}       decode/routing-proxy\n" in shown
    assert "\x1b[2mimage " in shown


# --- for programs --------------------------------------------------------------------------------------------------------


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        registry, "digest", lambda name: Answer(DIGEST) if name == SIDECAR else Answer(None, "timed out")
    )
    file = stack(tmp_path, mirror={"registry": REGISTRY, "charts": CHARTS})
    assert run(["images", file, "--output", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["images"][:2] == [
        {
            "image": SERVER,
            "digest": None,
            "why": "timed out",
            "used_by": ["decode/modelserver", "prefill/modelserver"],
            "mirrored": f"{REGISTRY}/vllm/vllm-openai:v0.19.1-x86_64-cu130",
        },
        {
            "image": SIDECAR,
            "digest": DIGEST,
            "why": "",
            "used_by": ["decode/routing-proxy"],
            "mirrored": f"{REGISTRY}/llm-d/llm-d-routing-sidecar:v0.8.0",
        },
    ]
    assert document["charts"] == [
        {
            "chart": CHART,
            "version": "v1.5.0",
            "digest": None,
            "why": "timed out",
            "used_by": ["router"],
            "mirrored": f"{CHARTS}/standalone",
        }
    ]


def test_what_cannot_be_asked_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "chart").mkdir()
    istio = {"mode": "gateway", "gateway": {"provider": "istio", "install": True}, "chart": {"source": "./chart"}}
    assert run(["images", stack(tmp_path, router=istio), "--output", "json"]) == 0
    charts = json.loads(capsys.readouterr().out)["charts"]
    assert [(row["chart"].rpartition("/")[2], row["version"], row["why"], row["mirrored"]) for row in charts] == [
        ("chart", None, "a path", None),
        ("base", "1.29.2", "no registry", None),
        ("istiod", "1.29.2", "no registry", None),
    ]
    assert run(["images", stack(tmp_path), "--output", "json", "--no-digests"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["why"] for row in (*document["images"], *document["charts"])} == {"not asked"}


@pytest.mark.parametrize("provider", ["istio", "agentgateway"])
def test_an_implementation_is_listed_where_it_is_installed(
    provider: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for install in (True, False):
        router = {"mode": "gateway", "gateway": {"provider": provider, "install": install}}
        assert run(["images", stack(tmp_path, router=router), "--output", "json", "--no-digests"]) == 0
        document = json.loads(capsys.readouterr().out)
        found[install] = ({row["image"] for row in document["images"]}, len(document["charts"]))
    assert found[False] == ({SERVER, SIDECAR, EPP}, 1)
    theirs = {
        "istio": {"docker.io/istio/pilot:1.29.2", "docker.io/istio/proxyv2:1.29.2"},
        "agentgateway": {"cr.agentgateway.dev/controller:v1.1.0", "cr.agentgateway.dev/agentgateway:v1.1.0"},
    }
    assert found[True] == ({SERVER, SIDECAR, EPP} | theirs[provider], 3)


# --- for shells ----------------------------------------------------------------------------------------------------------


def test_crane_and_helm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stack(tmp_path, mirror={"registry": REGISTRY, "charts": CHARTS})
    assert run(["images", file, "--output", "crane"]) == 0
    assert lines(capsys) == [
        f"crane copy {SERVER} {REGISTRY}/vllm/vllm-openai:v0.19.1-x86_64-cu130",
        f"crane copy {SIDECAR} {REGISTRY}/llm-d/llm-d-routing-sidecar:v0.8.0",
        f"crane copy {EPP} {REGISTRY}/llm-d/llm-d-inference-scheduler:v0.8.0",
        f"crane copy {ENVOY} {REGISTRY}/envoyproxy/envoy:distroless-v1.33.2",
        f"helm pull {CHART} --version v1.5.0",
        f"helm push standalone-v1.5.0.tgz {CHARTS}",
    ]


def test_skopeo_to_a_registry_the_stack_does_not_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images", stack(tmp_path), "--output", "skopeo", "--to", REGISTRY]) == 0
    found = lines(capsys)
    assert found[0] == (
        f"skopeo copy --all docker://{SERVER} docker://{REGISTRY}/vllm/vllm-openai:v0.19.1-x86_64-cu130"
    )
    assert found[-2] == f"helm push standalone-v1.5.0.tgz oci://{REGISTRY}/charts"
    assert found[-1] == (
        f"# then, in the stack file: llmd-pd:mirror: {{registry: {REGISTRY}, charts: oci://{REGISTRY}/charts}}"
    )
    ((key, said),) = yaml.safe_load(found[-1].partition("file: ")[2]).items()
    assert run(["check", stack(tmp_path, **{key.removeprefix("llmd-pd:"): said})]) == 0


def test_a_registry_on_the_command_line_takes_the_stacks_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = stack(tmp_path, mirror={"registry": REGISTRY, "charts": CHARTS})
    assert run(["images", file, "--output", "crane", "--to", "other.example.test"]) == 0
    found = lines(capsys)
    assert found[1] == f"crane copy {SIDECAR} other.example.test/llm-d/llm-d-routing-sidecar:v0.8.0"
    assert f"helm push standalone-v1.5.0.tgz {CHARTS}" in found
    assert run(["images", file, "--output", "crane", "--to", REGISTRY]) == 0
    assert not any(line.startswith("#") for line in lines(capsys)), "the stack says the same"


@pytest.mark.parametrize("output", ["crane", "skopeo"])
def test_nowhere_to_copy_to(output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stack(tmp_path, mirror={"charts": CHARTS})
    assert run(["images", file, "--output", output]) == 1
    assert capsys.readouterr() == (
        "",
        "Error: there is no mirror to copy to, because the stack has no `llmd-pd:mirror.registry`; "
        "add it, or name a registry with --to.\n",
    )


@pytest.mark.parametrize("to", ["https://registry.example.test", "", "Registry", "llmd", "a b", "x; rm -rf /"])
def test_a_registry_that_is_none(to: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images", stack(tmp_path), "--output", "crane", "--to", to]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert f"`{to}` cannot be used for --to" in err


def test_what_needs_no_copy_and_what_helm_cannot_push(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = f"{REGISTRY}/vllm/vllm-openai:v1"
    file = stack(tmp_path, {"image": there}, mirror={"registry": REGISTRY})
    assert run(["images", file, "--output", "crane"]) == 0
    found = lines(capsys)
    assert found[0] == f"# {there} is in the mirror already"
    assert found[-1] == "# the charts are left out, because the stack has no llmd-pd:mirror.charts"

    router = {"chart": {"source": f"{CHARTS}/standalone"}}
    file = stack(tmp_path, router=router, mirror={"registry": REGISTRY, "charts": CHARTS})
    assert run(["images", file, "--output", "crane"]) == 0
    assert lines(capsys)[-1] == f"# {CHARTS}/standalone is in the mirror already"

    (tmp_path / "chart").mkdir()
    file = stack(tmp_path, router={"chart": {"source": "./chart"}}, mirror={"registry": REGISTRY, "charts": CHARTS})
    assert run(["images", file, "--output", "crane"]) == 0
    assert lines(capsys)[-1] == f"# {tmp_path}/chart is a path"

    file = stack(tmp_path, mirror={"registry": REGISTRY, "charts": "https://charts.example.test"})
    assert run(["images", file, "--output", "crane"]) == 0
    assert lines(capsys)[-2:] == [
        f"helm pull {CHART} --version v1.5.0",
        "# helm pushes to oci://… only: upload standalone-v1.5.0.tgz to https://charts.example.test as that server requires",
    ]


def test_charts_of_a_repository_are_pulled_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    router = {"mode": "gateway", "gateway": {"provider": "istio", "install": True}}
    file = stack(tmp_path, router=router, mirror={"registry": REGISTRY, "charts": CHARTS})
    assert run(["images", file, "--output", "crane"]) == 0
    assert lines(capsys)[-2:] == [
        "helm pull istiod --repo https://istio-release.storage.googleapis.com/charts --version 1.29.2",
        f"helm push istiod-1.29.2.tgz {CHARTS}",
    ]
    assert helm_arguments("https://example.test/r.tgz", None) == ["https://example.test/r.tgz"]


@pytest.mark.parametrize(
    ("image", "source", "target"),
    [
        ("a/b:v1", "docker.io/a/b:v1", f"{REGISTRY}/a/b:v1"),
        (f"ghcr.io/a/b:v1@{DIGEST}", f"ghcr.io/a/b@{DIGEST}", f"{REGISTRY}/a/b:v1"),
        (f"ghcr.io/a/b@{DIGEST}", f"ghcr.io/a/b@{DIGEST}", f"{REGISTRY}/a/b@{DIGEST}"),
        ("localhost:5000/b:v1", "localhost:5000/b:v1", f"{REGISTRY}/b:v1"),
    ],
)
def test_a_reference_goes_by_tag_or_digest_never_by_both(
    image: str, source: str, target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["images", stack(tmp_path, {"image": image}), "--output", "crane", "--to", REGISTRY]) == 0
    assert lines(capsys)[0] == f"crane copy {source} {target}"


@pytest.mark.parametrize(
    "awkward", ["a/b:v1; touch x", "a/b:v1\ntouch x", "$(reboot)", "a/b:v1 '", "a/b\x1b[31m"], ids=ascii
)
@pytest.mark.parametrize("output", ["crane", "skopeo"])
def test_text_of_a_file_runs_nothing(
    output: str, awkward: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    router = {
        "chart": {"source": f"oci://{awkward}"},
        "values": {"inferenceExtension": {"sidecar": {"image": awkward}}},
    }
    file = stack(tmp_path, router=router, mirror={"charts": CHARTS})
    assert run(["images", file, "--output", output, "--to", REGISTRY]) == 0
    found = lines(capsys)
    assert [shlex.split(line, comments=True)[:2] for line in found] == [
        *[[output, "copy"]] * 3,
        *[[]] * 3,
    ]
    assert single_line(f"# {awkward} is left out: it is no image reference") in found
    assert single_line(f"# oci://{awkward} is left out: it is no chart reference") in found


def test_the_page_shows_what_it_prints(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    page, place = (ROOT / "docs" / "images.md").read_text(), "registry.example.com/llmd"
    # The chart itself is not at hand here: what it makes of an image's user is not compared.
    monkeypatch.setattr(registry, "digest", lambda _: Answer("sha256:…"))
    for options in ((), ("--output", "crane", "--to", place)):
        assert run(["images", str(ROOT / "Pulumi.coreweave-h200.yaml"), *options]) == 0
        shown = re.search(
            rf"\$ llmd-pd {' '.join(['images Pulumi.coreweave-h200.yaml', *options])}\n(.*?)```", page, re.DOTALL
        )
        assert shown
        names = [
            [word for word in line.split() if "/" in word and not word.startswith("router/")] for line in lines(capsys)
        ]
        assert sorted(names) == sorted(
            [word for word in line.split() if "/" in word and not word.startswith("router/")]
            for line in shown[1].splitlines()
        )


# --- what is listed ------------------------------------------------------------------------------------------------------


def test_a_stack_that_is_not_wholly_mirrored_can_be_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = "quay.io/team/envoy:v1"
    router = {"values": {"inferenceExtension": {"sidecar": {"image": own}}}}
    file = stack(tmp_path, router=router, mirror={"registry": REGISTRY})
    assert run(["check", file]) == 1
    assert "(MIRROR-01)" in capsys.readouterr().out
    assert run(["images", file, "--no-digests"]) == 0
    rows = [row.split() for row in lines(capsys)]
    assert [own, "router", f"{REGISTRY}/team/envoy:v1"] in rows
    assert not any(row and row[0] == ENVOY for row in rows), "its own is not what runs"


def test_a_stack_file_with_another_problem_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images", stack(tmp_path, {"fabric": "roce"})]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "(HW-01)" in err


def test_an_image_is_listed_once_however_it_is_spelled(tmp_path: Path) -> None:
    whole = {"accelerator": "nvidia", "image": "envoyproxy/envoy:distroless-v1.33.2"}
    upstream = pulls.without_mirror(spec(whole), tmp_path)
    (server, *others) = pulls.images(upstream, None, None)
    assert server.image == "envoyproxy/envoy:distroless-v1.33.2"
    assert server.used_by == ("decode/modelserver", "prefill/modelserver", "router")
    assert [row.image for row in others] == [SIDECAR, EPP]


def test_the_charts_own_objects_go_before_the_bill(tmp_path: Path) -> None:
    """With a helm and a chart at hand, what it makes is what counts."""
    made = tmp_path / "made.yaml"
    pods = {
        "initContainers": [{"name": "init", "image": "a/init:v1"}],
        "containers": [{"name": "epp", "image": EPP}, {"name": "more", "image": "a/more:v1"}],
        "volumes": [{"name": "weights", "image": {"reference": "a/weights:v1"}}, {"name": "shm", "emptyDir": {}}],
    }
    job = {
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "j", "image": "a/job:v1"}]}}}}}
    }
    objects = [
        {"kind": "Deployment", "metadata": {"name": "epp"}, "spec": {"template": {"spec": pods}}},
        {"kind": "CronJob", "metadata": {"name": "job"}, **job},
        {"kind": "ConfigMap", "metadata": {"name": "image"}, "data": {"image": "no/image:v1"}},
    ]
    made.write_text(yaml.safe_dump_all(objects))
    (tmp_path / "nothing").mkdir()
    helm = tmp_path / "nothing" / "helm"
    helm.write_text(f"#!/bin/sh\n/bin/cat {made}\n")
    helm.chmod(0o755)
    (tmp_path / "chart").mkdir()
    file = stack(tmp_path, router={"chart": {"source": "./chart"}})
    shown = terminal(["images", file, "--no-digests"], tmp_path, CI="true", PATH=str(tmp_path / "nothing"))
    assert "Note:" not in shown
    rows = {row.split()[0]: row.split()[-1] for row in shown.splitlines() if row.split()}
    assert rows.keys() == {"image", SERVER, SIDECAR, EPP, "a/more:v1", "a/init:v1", "a/weights:v1", "a/job:v1"} | {
        "chart",
        f"{tmp_path}/chart",
    }
    assert (rows["a/weights:v1"], rows["a/init:v1"]) == ("router/weights", "router/init")


def test_where_values_name_images() -> None:
    tree = {
        "image": "a/text:v1",
        "empty": {"image": ""},
        "parts": {"image": {"registry": "r.example.test", "repository": "a/parts", "tag": 1.5, "pullPolicy": "Always"}},
        "bare": {"image": {"repository": "a/bare"}},
        "elsewhere": {"repository": "ghcr.io/a/elsewhere", "digest": DIGEST},
        "none": {"repository": "a/only", "name": "x"},
        "git": {"repository": "https://git.example.test/a", "tag": "v1"},
        "list": [{"image": "a/first:v1"}, {"image": "a/second:v1"}],
        "text": "image: a/no:v1",
    }
    assert dict(value_images(tree)) == {
        ("image",): "a/text:v1",
        ("parts", "image"): "r.example.test/a/parts:1.5",
        ("bare", "image"): "a/bare",
        ("elsewhere",): f"ghcr.io/a/elsewhere@{DIGEST}",
        ("list", 0, "image"): "a/first:v1",
        ("list", 1, "image"): "a/second:v1",
    }


@pytest.mark.parametrize(
    "obj", [None, "text", [], {"containers": None}, {"containers": ["x", {"name": "a"}]}, {"volumes": {}}]
)
def test_objects_without_pods(obj: Any) -> None:
    assert list(pod_images(obj)) == []
