"""The fields of a stack file: what each takes, what it refuses and in which words, and that its defaults are upstream's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from stacks.clouds.registry import CLOUDS
from stacks.file.faults import EXAMPLES
from stacks.schema import FORMS, Section
from stacks.spec.cluster import Cluster
from stacks.spec.stack import StackSpec, is_platform
from tests.blueprints import read

ROOT = Path(__file__).parents[2]


def config(**more: Any) -> dict[str, Any]:
    return {"serving": {"accelerator": "nvidia"}, **more}


def on_istio(**gateway: Any) -> dict[str, Any]:
    return config(router={"mode": "gateway", "gateway": {"provider": "istio", **gateway}})


def on_gke(**more: Any) -> dict[str, Any]:
    stated = {"project": "acme-serving", "region": "us-south1", "zone": "us-south1-b", "version": "1.35.2-gke.1234000"}
    return config(cluster={"provider": "gke", "gke": {**stated, **more}})


def serving(**more: Any) -> dict[str, Any]:
    return {"serving": {"accelerator": "nvidia", **more}}


#: The sections of the clouds: which there are, the registry says.
OF_CLOUDS = [cloud.section_type for cloud in CLOUDS.values() if cloud.section_type is not None]


def sections(of: Any = StackSpec) -> Iterator[type[BaseModel]]:
    """Every section of a stack file, the whole first."""
    if isinstance(of, type) and issubclass(of, BaseModel):
        yield of
        for field in of.model_fields.values():
            yield from sections(field.annotation)
        if of is Cluster:
            yield from (each for own in OF_CLOUDS for each in sections(own))
    for part in get_args(of):
        yield from sections(part)


# --- what is left out ----------------------------------------------------------------------------------------------------


def test_an_accelerator_is_all_a_stack_has_to_say() -> None:
    found, spec = read(config())
    assert found == []
    assert spec is not None
    assert (spec.name, spec.namespace) == ("pd-disaggregation", "llm-d-pd-disaggregation")
    assert (spec.serving.engine, spec.serving.fabric, spec.serving.wait) == ("vllm", "base", True)
    assert (spec.cluster.provider, spec.router.mode, spec.crds.manage) == ("existing", "standalone", True)
    assert not spec.monitoring.pod_monitors
    assert not spec.monitoring.router
    assert spec.serving.prefill.model_dump(exclude_none=True) == {"autoscaled": False}


def test_pulumi_yaml_names_the_same_defaults() -> None:
    """The Pulumi CLI fills these in before the program runs; a different one would win over the spec's."""
    stated = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    ours = {key.removeprefix("llmd-pd:"): value for key, value in stated.items() if key.startswith("llmd-pd:")}
    fields = {field.alias: field for field in StackSpec.model_fields.values()}
    # The CLI would demand it of platform stacks too; any other stack without it is refused by the program.
    assert ours["serving"].pop("default") == {}
    assert not is_platform({"serving": {}})
    for key, value in ours.items():
        if "default" in value:  # an empty section is the section's own defaults
            default = fields[key].default
            empty = value["default"] in ({}, [])
            assert value["default"] == default or (empty and default == type(default)()), key
        else:
            assert key == "serving"
    assert ours.keys() == fields.keys()


def test_every_section_is_frozen_closed_strict_and_camel_cased() -> None:
    found = list(sections())
    assert len(found) >= 8
    for section in found:
        assert issubclass(section, Section)
        assert section.model_config["frozen"]
        assert section.model_config["strict"]
        # A cluster takes the clouds' sections and refuses every other key itself.
        assert section.model_config["extra"] == ("allow" if section is Cluster else "forbid")
        for name, field in section.model_fields.items():
            assert field.alias
            assert "_" not in field.alias, f"{section.__name__}.{name}"
    (unknown,), _ = read(config(cluster={"labels": {}}))
    assert (unknown.path, unknown.what) == ("llmd-pd:cluster.labels", "unknown key")
    spec = read(config())[1]
    with pytest.raises(ValidationError):
        spec.name = "other"  # type: ignore[misc, union-attr]


def test_every_pattern_has_words_and_an_example_that_it_takes() -> None:
    patterns = {
        part["pattern"]
        for section in (StackSpec, *OF_CLOUDS)
        for part in walk(section.model_json_schema())
        if isinstance(part, dict) and isinstance(part.get("pattern"), str)
    }
    keys = {"^[-._a-zA-Z][-._a-zA-Z0-9]*$", "^[a-z][-a-z0-9]*$"}  # a map's keys: the schema names them as keys itself
    assert patterns | keys == FORMS.keys()
    for pattern, (words, example) in FORMS.items():
        assert words
        assert re.fullmatch(pattern, example), example


def walk(tree: Any) -> Iterator[Any]:
    yield tree
    for value in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from walk(value)


# --- what it takes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        config(name="a", namespace="team-a"),
        config(name="x" * 40),
        config(cluster={"kubeconfig": "~/k", "context": "c", "machine": "m", "nodes": 1}),
        config(router={"mode": "standalone", "chart": {"source": "./chart.tgz"}, "wait": False}),
        config(crds={"manage": False}),
        config(monitoring={"podMonitors": True, "router": True}),
        serving(prefill={"replicas": 1, "devices": 2, "cpu": "8", "memory": "16Gi"}),
        serving(prefill={"replicas": 2, "autoscaled": True}, decode={"autoscaled": False}),
        serving(decode={"cpu": "1500m", "memory": "0.5Ti"}),
        serving(model="openai/gpt-oss-120b", dropArgs=[]),
        serving(model="/models/llama_3.1"),
        serving(image="registry:5000/a/b:v1"),
        serving(image="ghcr.io/llm-d/llm-d-cuda@sha256:" + "0" * 64),
        serving(env={"NCCL_DEBUG": "INFO", "EMPTY": "", "_a.b-c": "1"}),
        serving(nodeSelector={"pool": "h200"}),
        on_istio(baseModel="openai/gpt-oss-120b:lora_1"),
        on_istio(baseModel="/models/m"),
        serving(
            tolerations=[
                {"key": "gpu", "operator": "Exists"},
                {"key": "a", "effect": "NoExecute", "tolerationSeconds": 60},
            ]
        ),
        serving(extraArgs=["--seed=1", "--max-model-len", "4096"]),
    ],
    ids=str,
)
def test_it_takes(given: dict[str, Any]) -> None:
    assert read(given)[0] == []


# --- what it refuses -----------------------------------------------------------------------------------------------------

#: Input, place of the problem, and its reason and fix.
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (serving(prefil={}), "serving.prefil", "unknown key, because a misspelt key would silently mean its default; did"),
    (serving(prefill={"replica": 1}), "serving.prefill.replica", "did you mean `replicas`?"),
    (serving(extra_args=[]), "serving.extra_args", "did you mean `extraArgs`?"),
    (config(clster={}), "clster", "did you mean `cluster`?"),
    (config(servng={}), "servng", "leave it out: `serving` is there already."),
    (config(router={"chart": {"source": "x", "versoin": "1"}}), "router.chart.versoin", "did you mean `version`?"),
    (config(zzz=1), "zzz",
     "leave it out; the keys here are name, namespace, release, cluster, router, monitoring, crds, mirror, serving, suppress."),
    (serving(tolerations=[{"operater": "Exists"}]), "serving.tolerations[0].operater", "did you mean `operator`?"),
    ({}, "serving", "it is missing, because nothing can be derived without it; add `llmd-pd:serving"),
    ({"serving": {}}, "serving.accelerator", "because nothing can be derived without it; add `accelerator: nvidia`"),
    (config(router={"chart": {}}), "router.chart.source", "add `source: …`"),
    ({"serving": []}, "serving", "it is a list, because it has to be a map; write `llmd-pd:serving: {accelerator: nvidia}`."),
    ({"serving": "nvidia"}, "serving", "it is text, because it has to be a map"),
    ({"serving": None}, "serving", "it is empty, because it has to be a map"),
    (config(monitoring=True), "monitoring", "it is `true`, because it has to be a map"),
    (serving(env=["A=b", "C=1"]), "serving.env", "it is a list, because it has to be a map; write `{A: b, C: \"1\"}`."),
    (serving(env=["A"]), "serving.env", "write `key: value` pairs under it, or leave the key out for its default."),
    (serving(model=["a/b"]), "serving.model", "it is a list, because it has to be text; write `a/b`."),
    (serving(extraArgs="--seed 1"), "serving.extraArgs", 'it has to be a list; write `[--seed, "1"]`.'),
    (on_gke(maintenanceWindow={"days": "MO, TU WE"}), "cluster.gke.maintenanceWindow.days", "write `[MO, TU, WE]`."),
    (serving(tolerations=["gpu"]), "serving.tolerations[0]", "it is text, because it has to be a map"),
    (serving(tolerations={}), "serving.tolerations", "it has to be a list; write `- …` lines under it, or leave"),
    (serving(tolerations={"key": "a"}), "serving.tolerations", 'it has to be a list; write `[{"key": "a"}]`.'),
    (serving(extraArgs="--seed=1"), "serving.extraArgs", "it is text, because it has to be a list; write `[--seed=1]`."),
    (serving(prefill={"replicas": 0}), "serving.prefill.replicas", "`0` cannot be used, because it has to be at least 1; write"),
    (serving(decode={"replicas": -2}), "serving.decode.replicas", "`-2` cannot be used, because it has to be at least 1"),
    (serving(decode={"devices": 0}), "serving.decode.devices", "it has to be at least 1"),
    (serving(decode={"devices": 4096}), "serving.decode.devices", "`4096` cannot be used, because it can be 1024 at most"),
    (serving(decode={"replicas": 2**31}), "serving.decode.replicas", "it can be 2147483647 at most"),
    (config(cluster={"nodes": 0}), "cluster.nodes",
     "`0` cannot be used, because the model servers have to run somewhere; write how many, such as `nodes: 2`."),
    (serving(prefill={"replicas": "8"}), "serving.prefill.replicas", "it has to be a whole number; take the quotes off: 8."),
    (serving(prefill={"replicas": "eight"}), "serving.prefill.replicas", "it has to be a whole number; write one, such as 2."),
    (on_gke(acceleratorPool={"bootDiskGb": "ten"}), "cluster.gke.acceleratorPool.bootDiskGb", "write one, such as 10."),
    (serving(prefill={"replicas": 1.5}), "serving.prefill.replicas", "`1.5` cannot be used, because it has to be a whole number"),
    (serving(prefill={"replicas": True}), "serving.prefill.replicas", "`true` cannot be used, because it has to be"),
    (serving(prefill={"cpu": 8}), "serving.prefill.cpu", '`8` cannot be used, because it has to be text; quote it: "8".'),
    (serving(prefill={"memory": "16GB"}), "serving.prefill.memory", "because it has to be an amount of memory"),
    (serving(prefill={"memory": 64}), "serving.prefill.memory", "Gi or Ti; write a unit: `64Gi`."),
    (serving(prefill={"memory": "400m"}), "serving.prefill.memory", "write something like `16Gi`."),
    (serving(prefill={"cpu": "16Gi"}), "serving.prefill.cpu", "it has to be a number of cores"),
    (serving(prefill={"cpu": "8 cores"}), "serving.prefill.cpu", 'write something like `"16"`.'),
    (serving(prefill={"memory": "-1Gi"}), "serving.prefill.memory", "write something like `16Gi`."),
    (serving(wait="false"), "serving.wait", "it has to be true or false; take the quotes off: false."),
    (serving(wait="no"), "serving.wait", "`no` cannot be used, because it has to be true or false; write `false`."),
    (serving(wait="True"), "serving.wait", "take the quotes off: True."),
    (serving(wait=1), "serving.wait", "it has to be true or false; write `true` or `false`."),
    (serving(env={"A": 1}), "serving.env.A", 'it has to be text; quote it: "1".'),
    (serving(env={"A": True}), "serving.env.A", 'quote it: "true".'),
    (serving(env={"A": None}), "serving.env.A", "it is empty, because it has to be text; write a word, or leave it out."),
    (serving(env={"1A": "x"}), "serving.env.1A", "with no digit first; write something like `NCCL_DEBUG`."),
    (serving(env={"": "x"}), 'serving.env[""]', "it has to be letters"),
    (serving(extraArgs=[""]), "serving.extraArgs[0]", "it is empty, because an empty value means nothing; take the item out."),
    (serving(nodeSelector={"pool": "h200 east"}), "serving.nodeSelector.pool", "a label's value: letters, digits"),
    (serving(nodeSelector={"a b": "c"}), "serving.nodeSelector.a b", "key `a b` cannot be used, because"),
    (serving(tolerations=[{"key": "a b"}]), "serving.tolerations[0].key", "it has to be a taint's key"),
    (serving(tolerations=[{"key": "a", "value": "b c"}]), "serving.tolerations[0].value", "write something like `chat`."),
    (serving(accelerator=[]), "serving.accelerator", "because it has to be text; write `accelerator: nvidia` (or another one)."),
    (serving(accelerator=""), "serving.accelerator", "because an empty value means nothing; write `accelerator: nvidia`"),
    (serving(fabric=""), "serving.fabric", "leave the key out for its default."),
    (serving(model="a/"), "serving.model", "it has to be a model's id or a path"),
    (serving(model="a/{tp}"), "serving.model", "write something like `openai/gpt-oss-120b`."),
    (serving(image="vllm vllm"), "serving.image", "it has to be an image reference"),
    (serving(image="vllm@sha256:0"), "serving.image", "it has to be an image reference"),
    (serving(tolerations=[{"effect": "NoShedule"}]), "serving.tolerations[0].effect", "did you mean `NoSchedule`?"),
    (config(name="My_Stack"), "name", "it has to be lower-case letters, digits and dashes, with a letter first"),
    (config(name="-a"), "name", "write `a`."),
    (config(name="模型"), "name", "write something like `chat`."),
    (config(name="a\n"), "name", "it has to be lower-case letters"),
    (config(name="a" * 41), "name", "(41 characters), because it can have 40 at most; shorten it to 40 characters."),
    (config(namespace="a" * 64), "namespace", "it can have 63 at most; shorten it to 63 characters."),
    (config(namespace="Team_A"), "namespace", "with a letter first; write `team-a`."),
    (config(router={"flags": {"--v": 4}}), "router.flags.--v", "a flag's name without the dashes before it; write `v`."),
    (config(mirror={"registry": "https://a.example/b"}), "mirror.registry", "write `a.example/b`."),
    (serving(prefill={"memory": "16 gi"}), "serving.prefill.memory", "write something like `16Gi`."),
    (serving(prefill={"memory": "16 Gi"}), "serving.prefill.memory", "write `16Gi`."),
    (serving(tolerations=[{"key": "a", "effect": "NoExecute", "tolerationSeconds": "soon"}]),
     "serving.tolerations[0].tolerationSeconds", "it has to be a whole number; write one, such as 2."),
    (on_gke(capacity="spot"), "cluster.gke.capacity", "it has to be a map; write `key: value` pairs"),
    (on_gke(network=5), "cluster.gke.network", "write `key: value` pairs under it, or leave the key out for its default."),
    (on_gke(acceleratorPool={"autoscaling": 3}), "cluster.gke.acceleratorPool.autoscaling", "write `{min: …, max: …}`, or leave"),
    (config(router={"mode": "gateway", "gateway": "istio"}), "router.gateway", "it has to be a map; write `{provider: istio}`."),
    (config(suppress=["CW-17"]), "suppress[0]", "write `{rule: …, reason: …}`, or take the item out."),
    (serving(model="https://huggingface.co/a/b"), "serving.model", "write `a/b`."),
    (on_gke(capacity={"flexStart": True}), "cluster.gke.capacity.flexStart", "it has to be a map; write `{}`."),
    (config(router={"tracing": False}), "router.tracing", "it has to be a map; leave the key out for its default."),
    (config(namespace=5), "namespace", "`5` cannot be used, because it has to be lower-case letters"),
    (config(release=5), "release", 'quote it: "5".'),
    (config(cluster={"provider": "aks"}), "cluster.provider",
     "because it has to be existing, coreweave, gke or stack; write one of these."),
    (config(cluster={"provider": "corewave"}), "cluster.provider", "did you mean `coreweave`?"),
    (config(cluster={"provider": "GKE"}), "cluster.provider", "did you mean `gke`?"),
    (config(cluster={"provider": "coreweave", "coreweav": {}}), "cluster.coreweav", "did you mean `coreweave`?"),
    (on_gke(projct="acme-serving"), "cluster.gke.projct", "leave it out: `project` is there already."),
    (on_gke(maintenanceWindo={"hours": 6}), "cluster.gke.maintenanceWindo", "did you mean `maintenanceWindow`?"),
    (config(cluster={"coreweave": {"cluster": {"zone": "US-EAST-02A", "version": "v1.35", "vcp": {}}}}),
     "cluster.coreweave.cluster.vcp", "leave it out; the keys here are zone, version, name, public, vpc"),
    (config(cluster={"provider": "coreweave", "allowReplace": ["pool"]}), "cluster.allowReplace[0]", "`pool` cannot be used"),
    (config(cluster={"provider": None}), "cluster.provider", "it has to be existing, coreweave, gke or stack"),
    (on_gke(project="Acme"), "cluster.gke.project", "write something like `acme-serving`"),
    (on_gke(region="us"), "cluster.gke.region", "write something like `us-central1`"),
    (on_gke(zone="us-central1"), "cluster.gke.zone", "write something like `us-central1-b`"),
    (on_gke(rdma="roce"), "cluster.gke.rdma", "it has to be dranet, multinet or none; write one of these."),
    (on_gke(capacity={"queued": True}), "cluster.gke.capacity.queued", "the keys here are reservation, spot,"),
    (on_gke(capacity={"flexStart": {"maxRunDuration": 0}}), "cluster.gke.capacity.flexStart.maxRunDuration", "at least 1"),
    (on_gke(acceleratorPool={"bootDiskGb": 5}), "cluster.gke.acceleratorPool.bootDiskGb", "at least 10"),
    (on_gke(acceleratorPool={"name": "g" * 41}), "cluster.gke.acceleratorPool.name", "it can have 40 at most"),
    (on_gke(systemPool={"min": 0}), "cluster.gke.systemPool.min", "at least 1"),
    (config(router={"mode": "gatway"}), "router.mode", "did you mean `gateway`?"),
    (config(router={"mode": "gateway", "gateway": {"provider": "kong"}}), "router.gateway.provider", "istio"),
    (on_istio(baseModel="a\nb"), "router.gateway.baseModel", "a model's name, as it can stand in a header"),
    (on_istio(baseModel="a: b"), "router.gateway.baseModel", "write something like `gpt-oss-120b`."),
    (on_istio(baseModel="模型"), "router.gateway.baseModel", "as it can stand in a header"),
    (on_istio(baseModel="m" * 4097), "router.gateway.baseModel", "it can have 4096 at most; shorten it to 4096 characters."),
    (serving(hfToken=3), "serving.hfToken", "it is `3`, because it has to be the name of a Secret; write something like"),
    (on_istio(requestTimeout=600), "router.gateway.requestTimeout", "s or ms; write a unit: `600s`."),
    (config(router={"flags": {"v": [1]}}), "router.flags.v", "it has to be text, a whole number, true or false"),
    (config(router={"tracing": {"ratio": "0.1"}}), "router.tracing.ratio", "take the quotes off: 0.1."),
    (config(router={"tracing": {"ratio": "ten"}}), "router.tracing.ratio", "it has to be a number; write one, such as 0.05."),
    (config(router={"extraPorts": [{"name": "My_Port", "port": 1, "targetPort": 1}]}), "router.extraPorts[0].name", "`my-port`"),
    (config(router={"extraPorts": [{"name": "a", "port": 0, "targetPort": 1}]}), "router.extraPorts[0].port", "write 1 or more."),
    (config(mirror={"charts": "registry.example/charts"}), "mirror.charts", "oci://registry.example.com/charts"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "path", "words"), REFUSED, ids=[f"{path}: {words[:30]}" for _, path, words in REFUSED]
)
def test_it_refuses_and_says_how_to_mend_it(given: dict[str, Any], path: str, words: str) -> None:
    (problem,) = read(given)[0]
    assert problem.path == f"llmd-pd:{path}"
    assert words in str(problem)
    assert problem.rule == "SPEC"


def test_a_long_value_is_not_repeated_in_full() -> None:
    (problem,) = read(serving(engine="vllm", model="a b" * 1000))[0]
    assert len(str(problem)) < 300


def test_all_at_once_and_the_rest_can_still_be_judged() -> None:
    found, rest = read(
        {
            "name": "My",
            "serving": {
                "accelerator": "amd",
                "fabric": "oci",
                "prefill": {"replicas": 0, "devices": 2},
                "env": {"A": 1},
            },
            "cluster": {"nodes": 1},
            "router": {"chart": {}},
        }
    )
    assert [problem.path for problem in found] == [
        "llmd-pd:name",
        "llmd-pd:router.chart.source",
        "llmd-pd:serving.prefill.replicas",
        "llmd-pd:serving.env.A",
    ]
    assert rest is not None
    assert (rest.serving.accelerator, rest.serving.fabric, rest.serving.prefill.devices) == ("amd", "oci", 2)
    assert rest.cluster.nodes == 1


@pytest.mark.parametrize("given", [{}, {"serving": 5}, {"serving": {}}, {"serving": {"accelerator": 5}}])
def test_without_an_accelerator_the_rest_can_still_be_judged(given: dict[str, Any]) -> None:
    found, rest = read({**given, "release": "x"})
    assert len(found) == 1
    assert rest is not None
    assert rest.release == "x"


def test_examples_are_what_they_say() -> None:
    written = yaml.safe_load(EXAMPLES["serving"].strip("`"))
    assert read({key.removeprefix("llmd-pd:"): value for key, value in written.items()})[0] == []
