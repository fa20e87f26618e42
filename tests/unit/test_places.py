"""A finding about an item of a list, or a key of a map, has its path and its line: of every such field of a stack file.

Each case has a good item before the bad one. The line that `check` has to print is marked in the file.
"""

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest

from commands.cli import run
from stacks.clouds.registry import CLOUDS
from stacks.findings import place_text
from stacks.rules.table import examine
from stacks.schema import Section
from stacks.spec.stack import StackSpec
from tests.contract import rule_cases

Field = tuple[str, ...]
#: Ends the line that a finding has to name.
MARK = "  # here"

SERVES = "  llmd-pd:serving: {accelerator: nvidia}\n"
ON_GKE = """\
  llmd-pd:serving:
    accelerator: nvidia
    fabric: gke-rdma
    tolerations: [{operator: Exists}]
  llmd-pd:cluster:
    provider: gke
    machine: gke-a3-ultragpu-8g-dra
    nodes: 2
    gke:
      project: acme-serving
      region: us-south1
      zone: us-south1-b
      version: 1.35.2-gke.1234000
      capacity: {onDemand: true}
"""
ON_COREWEAVE = """\
  llmd-pd:serving:
    accelerator: nvidia
    fabric: coreweave
    tolerations: [{operator: Exists}]
  llmd-pd:cluster:
    provider: coreweave
    machine: coreweave-h200
    nodes: 2
    coreweave:
"""
CKS = f"{ON_COREWEAVE}      cluster:\n        zone: US-EAST-02A\n        version: v1.35\n        vpc:\n"
TEAM = "{key: team, value: a, effect: NoSchedule}"
PLUGINS = """\
  llmd-pd:router:
    plugins:
      plugins:
      - type: queue-scorer
      - type: decode-filter
      - type: max-score-picker
      schedulingProfiles:
      - name: a
        plugins: [{pluginRef: queue-scorer}]
      - name: b
        plugins:
        - pluginRef: queue-scorer
        - pluginRef: nope
"""


def taints(*rows: str) -> str:
    return "".join(f"        - {row}\n" for row in rows)


#: The field, the rule, the path that is printed, and the file below `config:`.
CASES: list[tuple[Field, str, str, str]] = [
    # suppress
    (("suppress",), "SPEC", "suppress[1].reason", f"""{SERVES}  llmd-pd:suppress:
  - {{rule: SUPPRESS-02, reason: a}}
  - {{rule: FIT-01, reason: 5}}{MARK}
"""),
    (("suppress",), "SPEC", "suppress[1].why", f"""{SERVES}  llmd-pd:suppress:
  - {{rule: SUPPRESS-02, reason: a}}
  - rule: FIT-01
    reason: b
    why: c{MARK}
"""),
    (("suppress",), "SUPPRESS-01", "suppress[1].rule", f"""{SERVES}  llmd-pd:suppress:
  - {{rule: SUPPRESS-02, reason: a}}
  - reason: b
    rule: FIT-99{MARK}
"""),
    (("suppress",), "SUPPRESS-02", "suppress[1].rule", f"""{SERVES}  llmd-pd:suppress:
  - {{rule: MON-01, reason: a}}
  - reason: b
    rule: FIT-01{MARK}
"""),
    # cluster
    (("cluster", "allowReplace"), "SPEC", "cluster.allowReplace[1]", f"""{ON_GKE}    allowReplace:
    - systemPool
    - gpuPool{MARK}
"""),
    (("cluster", "gke", "maintenanceWindow", "days"), "SPEC", "cluster.gke.maintenanceWindow.days[1]", f"""{ON_GKE}\
      maintenanceWindow:
        days:
        - SA
        - SO{MARK}
"""),
    (("cluster", "gke", "maintenanceWindow", "days"), "GKE-29", "cluster.gke.maintenanceWindow.days", f"""{ON_GKE}\
      maintenanceWindow:
        start: 09:00
        days:{MARK}
        - SA
        - SU
"""),
    (("cluster", "gke", "network", "peers"), "SPEC", "cluster.gke.network.peers[1]", f"""{ON_GKE}      network:
        peers:
        - 10.128.0.0/16
        - [1, 2]{MARK}
"""),
    (("cluster", "gke", "network", "peers"), "NET-01", "cluster.gke.network.peers[1]", f"""{ON_GKE}      network:
        peers:
        - 10.128.0.0/16
        - 10.129.1.0/16{MARK}
"""),
    (("cluster", "gke", "network", "peers"), "NET-01", "cluster.gke.network.peers[1]", f"""{ON_GKE}      network:
        peers:
        - 10.128.0.0/16
        - 10.1.0.0/16{MARK}
"""),
    (("cluster", "gke", "network", "peers"), "NET-01", "cluster.gke.network.base", f"""{ON_GKE}      network:
        base: 10.0.0.0/12{MARK}
        peers: [10.128.0.0/16, 10.1.0.0/16]
"""),
    (("cluster", "coreweave", "cluster", "vpc", "peers"), "SPEC", "cluster.coreweave.cluster.vpc.peers[1]", f"""{CKS}\
          peers:
          - 10.128.0.0/16
          - ""{MARK}
"""),
    (("cluster", "coreweave", "cluster", "vpc", "peers"), "CW-12", "cluster.coreweave.cluster.vpc.peers[1]", f"""{CKS}\
          peers:
          - 10.128.0.0/16
          - 10.1.0.0/16{MARK}
"""),
    (("cluster", "coreweave", "cluster", "vpc", "peers"), "CW-12", "cluster.coreweave.cluster.vpc.peers[1]", f"""{CKS}\
          peers:
          - 10.128.0.0/16
          - 10.129.0.1/16{MARK}
"""),
    (("cluster", "coreweave", "cluster", "vpc", "peers"), "CW-12", "cluster.coreweave.cluster.vpc.pods", f"""{CKS}\
          pods: 10.0.0.0/13{MARK}
          peers: [10.128.0.0/16, 10.1.0.0/16]
"""),
    (("cluster", "coreweave", "cluster", "vpc", "internalLoadBalancers"), "SPEC",
     "cluster.coreweave.cluster.vpc.internalLoadBalancers[1]", f"""{CKS}\
          internalLoadBalancers:
          - 10.32.4.0/22
          - [1, 2]{MARK}
"""),
    (("cluster", "coreweave", "cluster", "vpc", "internalLoadBalancers"), "CW-12",
     "cluster.coreweave.cluster.vpc.internalLoadBalancers[1]", f"""{CKS}\
          internalLoadBalancers:
          - 10.32.4.0/22
          - 10.16.0.0/24{MARK}
"""),
    (("cluster", "coreweave", "cluster", "vpc", "internalLoadBalancers"), "CW-12",
     "cluster.coreweave.cluster.vpc.internalLoadBalancers[1]", f"""{CKS}\
          internalLoadBalancers:
          - 10.32.4.0/22
          - 8.8.8.0/24{MARK}
"""),
    # pools
    *(
        case
        for cloud, head, theirs, once in (
            ("gke", ON_GKE, "GKE-08", "GKE-24"),
            ("coreweave", f"{ON_COREWEAVE}", "CW-08", "CW-09"),
        )
        for pool in [f"cluster.{cloud}.acceleratorPool"]
        for context in ["" if cloud == "gke" else "    context: cw\n"]
        for case in (
            ((*pool.split("."), "labels"), "SPEC", f"{pool}.labels.kind", f"""{head}      acceleratorPool:
        labels:
          team: a
          kind: 5{MARK}
{context}"""),
            ((*pool.split("."), "labels"), "SPEC", f"{pool}.labels.a b", f"""{head}      acceleratorPool:
        labels:
          team: a
          a b: c{MARK}
{context}"""),
            ((*pool.split("."), "labels"), theirs, f'{pool}.labels["kubernetes.io/a"]', f"""{head}      acceleratorPool:
        labels:
          team: a
          kubernetes.io/a: b{MARK}
{context}"""),
            ((*pool.split("."), "taints"), "SPEC", f"{pool}.taints[1].effect", f"""{head}      acceleratorPool:
        taints:
        - {TEAM}
        - key: b
          value: c
          effect: Never{MARK}
{context}"""),
            ((*pool.split("."), "taints"), once, f"{pool}.taints[1]", f"""{head}      acceleratorPool:
        taints:
        - {TEAM}
        - {TEAM}{MARK}
{context}"""),
            ((*pool.split("."), "taints"), "FIT-01", f"{pool}.taints[1]", f"""\
{head.replace("{operator: Exists}", "{key: team, operator: Exists}")}      acceleratorPool:
        taints:
        - {TEAM}
        - {{key: b, value: c, effect: NoSchedule}}{MARK}
{context}"""),
        )
    ),
    # The first is a wish, which fits.
    (("cluster", "gke", "acceleratorPool", "taints"), "FIT-01", "cluster.gke.acceleratorPool.taints[1]", f"""\
{ON_GKE.replace("{operator: Exists}", "{key: c, operator: Exists}")}      acceleratorPool:
        taints:
        - {{key: b, value: c, effect: PreferNoSchedule}}
        - {{key: b, value: c, effect: NoSchedule}}{MARK}
"""),
    (("cluster", "gke", "acceleratorPool", "taints"), "GKE-24", "cluster.gke.acceleratorPool.taints[1]", f"""{ON_GKE}\
      acceleratorPool:
        taints:
        - {TEAM}
        - {{key: nvidia.com/gpu, value: c, effect: NoSchedule}}{MARK}
"""),
    (("cluster", "coreweave", "acceleratorPool", "taints"), "CW-09", "cluster.coreweave.acceleratorPool.taints[1]",
     f"""{ON_COREWEAVE}      acceleratorPool:
        taints:
        - {TEAM}
        - {{key: is_gpu, value: "", effect: PreferNoSchedule}}{MARK}
    context: cw
"""),
    # router
    (("router", "flags"), "SPEC", "router.flags.kv", f"""{SERVES}  llmd-pd:router:
    flags:
      v: 3
      kv: [a]{MARK}
"""),
    (("router", "flags"), "ROUTER-03", "router.flags.tracing", f"""{SERVES}  llmd-pd:router:
    flags:
      v: 3
      tracing: true{MARK}
"""),
    (("router", "plugins"), "ROUTER-01", "router.plugins.profiles", f"""{SERVES}  llmd-pd:router:
    plugins:
      plugins: [{{type: queue-scorer}}]
      profiles: []{MARK}
"""),
    (("router", "plugins"), "ROUTER-01", "router.plugins.kind", f"""{SERVES}  llmd-pd:router:
    plugins:
      plugins: [{{type: queue-scorer}}]
      kind: Other{MARK}
"""),
    (("router", "plugins"), "ROUTER-01", "router.plugins.plugins[1].type", f"""{SERVES}  llmd-pd:router:
    plugins:
      plugins:
      - type: queue-scorer
      - name: b
        type: nope{MARK}
"""),
    (("router", "plugins"), "ROUTER-01", "router.plugins.plugins[1]", f"""{SERVES}  llmd-pd:router:
    plugins:
      plugins:
      - type: queue-scorer
      - decode-filter{MARK}
"""),
    (("router", "plugins"), "ROUTER-01", "router.plugins.schedulingProfiles[1].plugins[1].pluginRef",
     f"{SERVES}{PLUGINS}".replace("nope", f"nope{MARK}")),
    (("router", "extraPorts"), "SPEC", "router.extraPorts[1].port", f"""{SERVES}  llmd-pd:router:
    extraPorts:
    - {{name: a, port: 1000, targetPort: 1000}}
    - name: b
      port: 0{MARK}
      targetPort: 1000
"""),
    (("router", "extraPorts"), "SPEC", "router.extraPorts[1].node", f"""{SERVES}  llmd-pd:router:
    extraPorts:
    - {{name: a, port: 1000, targetPort: 1000}}
    - name: b
      port: 1001
      targetPort: 1000
      node: 1{MARK}
"""),
    (("router", "extraPorts"), "ROUTER-06", "router.extraPorts[1].port", f"""{SERVES}  llmd-pd:router:
    extraPorts:
    - {{name: a, port: 1000, targetPort: 1000}}
    - name: b
      port: 1000{MARK}
      targetPort: 1000
"""),
    (("router", "values"), "SPEC", 'router.values[""]', f"""{SERVES}  llmd-pd:router:
    values:
      inferenceExtension: {{}}
      "": 1{MARK}
"""),
    (("router", "values"), "BILL-02", "router.values.router", f"""{SERVES}  llmd-pd:router:
    values:
      inferenceExtension: {{}}
      router: {{}}{MARK}
"""),
    (("router", "values"), "MIRROR-01", "router.values.inferenceExtension.sidecars[1].image", f"""{SERVES}\
  llmd-pd:mirror: {{registry: registry.example.com/team}}
  llmd-pd:router:
    values:
      inferenceExtension:
        sidecars:
        - {{name: a, image: registry.example.com/team/a:v1}}
        - name: b
          image: ghcr.io/team/b:v1{MARK}
"""),
    # serving
    (("serving", "extraArgs"), "SPEC", "serving.extraArgs[1]", f"""  llmd-pd:serving:
    accelerator: nvidia
    extraArgs:
    - --seed=1
    - [1, 2]{MARK}
"""),
    (("serving", "extraArgs"), "MODEL-02", "serving.extraArgs[2]", f"""  llmd-pd:serving:
    accelerator: nvidia
    extraArgs:
    - --seed
    - "1"
    - --seed=2{MARK}
"""),
    (("serving", "extraArgs"), "HW-02", "serving.extraArgs[1]", f"""  llmd-pd:serving:
    accelerator: nvidia
    extraArgs:
    - --seed=1
    - --port=1{MARK}
"""),
    (("serving", "dropArgs"), "SPEC", "serving.dropArgs[1]", f"""  llmd-pd:serving:
    accelerator: nvidia
    dropArgs:
    - --block-size
    - ""{MARK}
"""),
    (("serving", "dropArgs"), "HW-02", "serving.dropArgs[1]", f"""  llmd-pd:serving:
    accelerator: nvidia
    dropArgs:
    - --block-size
    - --nope{MARK}
"""),
    (("serving", "env"), "SPEC", "serving.env.B", f"""  llmd-pd:serving:
    accelerator: nvidia
    env:
      A: "1"
      B: 1{MARK}
"""),
    (("serving", "env"), "SPEC", "serving.env.1B", f"""  llmd-pd:serving:
    accelerator: nvidia
    env:
      A: "1"
      1B: "1"{MARK}
"""),
    (("serving", "env"), "FILE", "serving.env.A", f"""  llmd-pd:serving:
    accelerator: nvidia
    env:
      A: "1"
      A: "2"{MARK}
"""),
    (("serving", "env"), "SECRET-01", "serving.env.HF_TOKEN", f"""  llmd-pd:serving:
    accelerator: nvidia
    env:
      A: "1"
      HF_TOKEN: x{MARK}
"""),
    (("serving", "nodeSelector"), "SPEC", "serving.nodeSelector.b", f"""  llmd-pd:serving:
    accelerator: nvidia
    nodeSelector:
      a: b
      b: 1{MARK}
"""),
    (("serving", "nodeSelector"), "HW-02", 'serving.nodeSelector["cloud.google.com/gke-tpu-topology"]', f"""\
  llmd-pd:serving:
    accelerator: tpu
    nodeSelector:
      a: b
      cloud.google.com/gke-tpu-topology: 4x4{MARK}
"""),
    (("serving", "nodeSelector"), "FIT-01", "serving.nodeSelector.b", f"""\
{ON_COREWEAVE}      acceleratorPool: {{labels: {{a: b}}}}
    context: cw
""".replace("    tolerations", f"    nodeSelector:\n      a: b\n      b: c{MARK}\n    tolerations")),
    (("serving", "tolerations"), "SPEC", "serving.tolerations[1].effect", f"""  llmd-pd:serving:
    accelerator: nvidia
    tolerations:
    - {{key: a, operator: Exists}}
    - key: b
      operator: Exists
      effect: Never{MARK}
"""),
    (("serving", "tolerations"), "POD-01", "serving.tolerations[1].value", f"""  llmd-pd:serving:
    accelerator: nvidia
    tolerations:
    - {{key: a, operator: Exists}}
    - key: b
      operator: Exists
      value: c{MARK}
"""),
    # In flow style an item has the line it begins on.
    (("serving", "extraArgs"), "HW-02", "serving.extraArgs[1]", f"""  llmd-pd:serving:
    accelerator: nvidia
    extraArgs: [--seed=1, --port=1]{MARK}
"""),
    (("serving", "extraArgs"), "HW-02", "serving.extraArgs[1]", f"""  llmd-pd:serving:
    accelerator: nvidia
    extraArgs: [--seed=1,
                --port=1]{MARK}
"""),
    (("serving", "env"), "SECRET-01", "serving.env.HF_TOKEN",
     f"  llmd-pd:serving: {{accelerator: nvidia, env: {{A: b, HF_TOKEN: x}}}}{MARK}\n"),
    (("serving", "env"), "SECRET-01", "serving.env.HF_TOKEN", f"""  other:base: &base
    A: b
    HF_TOKEN: x{MARK}
  llmd-pd:serving:
    accelerator: nvidia
    env: {{<<: *base, C: d}}
"""),
]  # fmt: skip

#: Findings about a list or a map as a whole: something that it does not have, or that nothing reads it.
OF_THE_WHOLE = {
    ("FIT-01", "serving.tolerations"),
    ("CW-17", "serving.nodeSelector"),
    ("CLUSTER-01", "cluster.allowReplace"),
    ("GKE-29", "cluster.gke.maintenanceWindow.days"),
    ("PLATFORM-01", "suppress"),
}


def containers(kind: type[Section], above: Field = ()) -> Iterator[Field]:
    """Yields every field of a section, and below it, whose value is a list or a map."""
    for info in kind.model_fields.values():
        at, parts = (*above, str(info.alias)), [info.annotation]
        if get_origin(info.annotation) in (Union, UnionType):
            parts = [*get_args(info.annotation)]
        for part in parts:
            if get_origin(part) in (tuple, list, dict, set, frozenset):
                yield at
            elif isinstance(part, type) and issubclass(part, Section):
                yield from containers(part, at)


FIELDS = {
    *containers(StackSpec),
    *(
        field
        for key, cloud in CLOUDS.items()
        if cloud.section_type is not None
        for field in containers(cloud.section_type, ("cluster", key))
    ),
}


def text_of(field: Field) -> str:
    return ".".join(field)


def test_every_list_and_map_of_a_stack_file_has_a_case() -> None:
    assert {field for field, *_ in CASES} == FIELDS
    judged = {text_of(field) for field, rule, *_ in CASES if rule == "SPEC"}
    # The picker's own configuration may hold anything.
    assert judged == {text_of(field) for field in FIELDS} - {"router.plugins"}


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [case[1:] for case in CASES],
    ids=[f"{rule} {path} {index}" for index, (_, rule, path, _) in enumerate(CASES)],
)
def test_a_bad_item_has_its_path_and_line(
    rule: str, path: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Pulumi.case.yaml"
    file.write_text(f"config:\n{text}")
    (line,) = (number for number, row in enumerate(file.read_text().splitlines(), start=1) if row.endswith(MARK))
    run(["check", str(file)])
    rows = [row for row in capsys.readouterr().out.splitlines() if row.removeprefix("Warning: ").startswith(f"{file}:")]
    found = [row.removeprefix("Warning: ") for row in rows if " [" in row]
    assert [row.partition(": ")[0] for row in found] == [f"{file}:{line}"], found
    assert found[0].startswith(f"{file}:{line}: llmd-pd:{path}: ")
    assert f" ({rule}) [" in found[0]


def field_of(place: tuple[str | int, ...]) -> Field | None:
    """Returns the list or map that a place is in, or is; the rest of the place is below it."""
    found = [field for field in FIELDS if place[: len(field)] == field]
    return max(found, key=len) if found else None


def test_no_rule_names_a_list_for_an_item_of_it() -> None:
    """In all cases that break a rule; and each rule that names an item has a case above."""
    pairs = set()
    for _, stated in (*rule_cases.of_files(), *rule_cases.of_warnings()):
        outcome = examine(stated())
        for problem in (*outcome.errors, *outcome.warnings):
            at = problem.finding.at
            field = field_of(at)
            if field is not None and (problem.rule, text_of(field)) not in OF_THE_WHOLE:
                assert at != field, f"{problem.rule} names {place_text(at)}"
                pairs.add((problem.rule, field))
    assert pairs - {(rule, field) for field, rule, *_ in CASES} == set()


def test_places_are_spelt_as_the_pulumi_cli_reads_them() -> None:
    spelt: dict[tuple[Any, ...], str] = {
        ("a",): "llmd-pd:a",
        ("a", "b", 1, "c"): "llmd-pd:a.b[1].c",
        ("a", "b.c/d", "e"): 'llmd-pd:a["b.c/d"].e',
        ("a", "", 0): 'llmd-pd:a[""][0]',
        ("a", "b[c]"): 'llmd-pd:a["b[c]"]',
        (): "",
    }
    assert {place: place_text(place) for place in spelt} == spelt
