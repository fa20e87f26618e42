"""Rules a stack file must obey beyond its fields, as a table: every rule, over every stack, all problems at once.

A rule is a generator of findings; its id and source are its row's. Rules see a spec whose fields are valid.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from hardware.render.argv import ArgumentError, command_line, flag
from hardware.render.join import ConflictError
from hardware.render.pods import model_server
from hardware.render.workload import Workload
from hardware.vocabulary import ROLES
from releases import DEFAULT, RELEASES
from stacks.clouds.coreweave import rules as cks_rules
from stacks.clouds.gke import rules as gke_rules
from stacks.findings import Problem, known
from stacks.rules import cluster as cluster_rules
from stacks.rules import hardware as choice_rule
from stacks.rules import platform, router_api
from stacks.rules import router as router_rules
from stacks.rules.facts import Finding, Rule, Subject
from stacks.rules.fit import code_for_the_gpu, fits
from stacks.rules.mirror import all_from_the_mirror
from stacks.rules.monitoring import MON_01
from stacks.rules.pods import valid_tolerations
from stacks.rules.token import token_rule
from stacks.spec.stack import StackSpec

#: Words of a tag that moves, unless a date or a commit stands beside them.
FLOATING = {"latest", "main", "master", "nightly", "dev", "edge", "stable"}


def problems_of(spec: StackSpec, but: Collection[str] = ()) -> Iterator[Problem]:
    """Every problem the rules find in a spec, without those `but` of these ids."""
    if spec.serving is None:
        for row in platform.RULES:
            yield from row.problems(Subject(spec))
        return
    subject = Subject(spec)
    for rule in (rule for rule in RULES if rule.id not in but):
        found = rule.problems(subject)
        yield from found
        if found and rule.gate:
            if (repaired := rule.gate(subject.spec)) is None:
                return
            subject = Subject(repaired)


def _known_release(subject: Subject) -> Iterator[Finding]:
    release = subject.spec.release
    if release not in RELEASES:
        what, why = f"release `{release}` does not exist", "a bill of versions is what was tested together"
        yield Finding("release", what, why, known(release, RELEASES))


def _with_default_release(spec: StackSpec) -> StackSpec | None:
    return spec.model_copy(update={"release": DEFAULT})


def _without_machine(spec: StackSpec) -> StackSpec | None:
    """The spec with the default machine, and no number of nodes, which was meant for another."""
    return spec.model_copy(update={"cluster": spec.cluster.model_copy(update={"machine": None, "nodes": None})})


def _composes(subject: Subject) -> Iterator[Finding]:
    """Every edit of the recipe alone, so that one that cannot be honoured does not hide the others."""
    given = subject.workload
    drops = [(name, replace(given, extra_args=(), drop_args=(name,))) for name in given.drop_args]
    dropped = tuple(name for name, alone in drops if _refusal(alone) is None)
    extras = [replace(given, extra_args=(word,), drop_args=dropped) for word in given.extra_args]
    for alone in (*(alone for _, alone in drops), *extras):
        if error := _refusal(alone):
            why = "a flag has one owner, the recipe or the stack file"
            yield Finding(f"serving.{error.field}", str(error), why, f"take it out of `{error.field}`")
    for key, value in subject.spec.served.node_selector.items():
        try:
            model_server(replace(given, extra_args=(), drop_args=(), spec={"nodeSelector": {key: value}}))
        except ConflictError as error:
            why, fix = "the recipe's pods run nowhere else", f"leave {key} out"
            yield Finding("serving.nodeSelector", str(error).split(";")[0], why, fix)


def _refusal(workload: Workload) -> ArgumentError | None:
    try:
        for role in ROLES:
            command_line(workload, role)
    except ArgumentError as error:
        return error
    return None


def _without_edits(spec: StackSpec) -> StackSpec | None:
    """The spec without what it does to the recipe's command line and pods."""
    edits: dict[str, Any] = {"extra_args": (), "drop_args": (), "node_selector": {}, "tolerations": ()}
    return spec.model_copy(update={"serving": spec.served.model_copy(update=edits)})


def _whole_slices(subject: Subject) -> Iterator[Finding]:
    fixed = subject.workload.hardware.accelerator.devices.fixed
    for role in ROLES:
        devices = subject.workload.sizing[role].devices
        if fixed is not None and devices != fixed:
            yield Finding(
                f"serving.{role}.devices", f"{devices} devices",
                f"a pod takes a whole {subject.workload.hardware.accelerator.key} slice of {fixed} chips",
                f"leave it out, or write {fixed}",
            )  # fmt: skip


def _with_whole_slices(spec: StackSpec) -> StackSpec | None:
    whole: dict[str, Any] = {
        role: stated.model_copy(update={"devices": None}) for role, stated in spec.served.sizing.items()
    }
    return spec.model_copy(update={"serving": spec.served.model_copy(update=whole)})


def _tuned_flags(subject: Subject) -> Iterator[Finding]:
    serving, recipe = subject.spec.served, subject.workload.hardware
    undecided = serving.extra_args is None and serving.drop_args is None
    if subject.workload.model != recipe.accelerator.model and recipe.build.tuned and undecided:
        flags = ", ".join(recipe.build.tuned)
        yield Finding(
            "serving.model", f"`{serving.model}` would run with flags chosen for {recipe.accelerator.model} ({flags})",
            "they may be wrong for another model",
            "list those that go in `dropArgs` (with their replacements in `extraArgs`), or write `dropArgs: []` to keep them",
        )  # fmt: skip


def _repeats(subject: Subject) -> Iterator[Finding]:
    flags = [flag(word) for word in subject.spec.served.extra_args or () if flag(word)]
    for name in sorted({name for name in flags if flags.count(name) > 1}):
        yield Finding("serving.extraArgs", f"{name} is there twice", "the second would silently win", "keep one")


def _pinned_image(subject: Subject) -> Iterator[Finding]:
    image = subject.spec.served.image
    if image is None or "@sha256:" in image:
        return
    _, _, tag = image.rpartition("/")[2].partition(":")
    dated = re.search(r"\d{6}|[0-9a-f]{7}", tag)
    if not tag or (FLOATING & set(re.split(r"[-_.]", tag)) and not dated):
        what = f"`{image}` has a floating tag" if tag else f"`{image}` has no tag"
        yield Finding(
            "serving.image", what, "tomorrow's pods would run something else", "pin a version tag or a digest"
        )


def _model_label(subject: Subject) -> Iterator[Finding]:
    label = (subject.spec.served.model or "").rsplit("/", 1)[-1]
    if label and not re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", label):
        what, why = f"`{label}` cannot be a label value", "the label is the last part of the id, 63 characters at most"
        yield Finding(
            "serving.model", what, why, "use an id whose last part ends in a letter or digit and is no longer"
        )


def _locks_for_rdma(subject: Subject) -> Iterator[Finding]:
    if subject.spec.served.ipc_lock and not subject.workload.hardware.fabric.rdma:
        what, why = (
            f"`ipcLock` with fabric `{subject.spec.served.fabric}`",
            "it has no RDMA, which memory is locked for",
        )
        yield Finding("serving.ipcLock", what, why, "leave it out, or use a fabric with RDMA")


def _names(subject: Subject) -> Iterator[Finding]:
    # A pod's name is its Deployment's, two hashes of 10 and 5, and two dashes; longer ones are cut and stop being unique.
    name = max((subject.workload.deployment_name(role) for role in ROLES), key=len)
    most = 63 - 17
    if len(name) > most:
        what = f"Deployment name {name} has {len(name)} characters"
        fix = f"shorten the stack's name by {len(name) - most}"
        yield Finding("name", what, f"{most} leave room for the hashes of its pods' names", fix)


#: In this order: first what can be asked of any spec, then the gates, then what needs a spec that renders.
RULES: tuple[Rule[Subject], ...] = (
    Rule("PIN-01", "a deployment is what was tested", _pinned_image),
    Rule("MODEL-02", "argparse keeps the last value", _repeats),
    Rule("NAME-01", "Kubernetes labels", _model_label),
    Rule("POD-01", "the API server's validation", valid_tolerations),
    replace(cluster_rules.CLUSTER_01, gate=cluster_rules.as_said),
    Rule("CLUSTER-02", "stacks/spec/cluster.py", cluster_rules.reference),
    replace(gke_rules.CLUSTER_03, gate=gke_rules.as_existing),
    *gke_rules.OF_THE_SECTION,
    Rule("GKE-26", gke_rules.GKE_DOCS, gke_rules.gateways_of_its_own),
    cluster_rules.CW_01,
    cluster_rules.CW_02,
    cluster_rules.CW_08,
    *cks_rules.RULES,
    cluster_rules.CW_09,
    Rule("BILL-01", "releases", _known_release, gate=_with_default_release),
    Rule("GW-01", "upstream's gateway recipes", router_rules.gateway_section, gate=router_rules.without_gateway),
    MON_01,
    Rule("ROUTER-01", "the endpoint picker's registered plugins", router_rules.plugin_config),
    Rule("ROUTER-02", "in-memory producers", router_rules.one_replica),
    Rule("ROUTER-03", "the router's chart", router_rules.charts_flags),
    Rule("ROUTER-04", "the router's chart", router_rules.of_this_mode),
    Rule("ROUTER-05", "the API server's validation", router_api.requests_within_limits),
    Rule("ROUTER-06", "the API server's validation", router_api.ports_once),
    Rule("BILL-02", "releases", router_rules.own_bills_values),
    replace(cluster_rules.MACHINE_01, gate=_without_machine),
    replace(cluster_rules.CW_07, gate=_without_machine),
    replace(gke_rules.GKE_19, gate=_without_machine),
    Rule("HW-01", "upstream's overlays", choice_rule.known_choices, gate=choice_rule.with_known_choices),
    Rule("MACHINE-02", "hardware/machines", cluster_rules.goes_with_the_machine, gate=cluster_rules.as_unmade),
    Rule("SECRET-01", "Hugging Face's gated models", token_rule),
    Rule("MODEL-01", "upstream's model-specific flags", _tuned_flags),
    Rule("HW-02", "hardware/render/join.py", _composes, gate=_without_edits),
    Rule("HW-03", "a TPU slice is scheduled whole", _whole_slices, gate=_with_whole_slices),
    Rule("HW-04", "hardware/fabrics.py", _locks_for_rdma),
    Rule("HW-05", "NVIDIA's release notes of CUDA", code_for_the_gpu),
    Rule("NAME-02", "Kubernetes names", _names),
    Rule("CW-05", "upstream's coreweave overlay", cluster_rules.infiniband_said_aloud),
    *gke_rules.OF_THE_MACHINE,
    cks_rules.CW_06,
    Rule("FIT-01", "hardware/machines", fits),
    Rule("MIRROR-01", "the stack's mirror", all_from_the_mirror),
)
