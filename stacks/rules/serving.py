"""Rules of what is served: its release, image, model and flags, and the names that follow."""

import re
from collections.abc import Iterator

from hardware.render.argv import flag
from hardware.vocabulary import ROLES
from releases import RELEASES
from stacks.findings import ERROR, Finding, Rule, known
from stacks.rules.facts import Facts

#: Words of a tag that moves, unless a date or a commit stands beside them.
FLOATING = {"latest", "main", "master", "nightly", "dev", "edge", "stable"}


def _known_release(facts: Facts) -> Iterator[Finding]:
    release = facts.spec.release
    if facts.serving and release not in RELEASES:
        what, why = f"release `{release}` does not exist", "a bill of versions is what was tested together"
        yield Finding(at=("release",), what=what, why=why, fix=known(release, RELEASES))


def _whole_slices(facts: Facts) -> Iterator[Finding]:
    accelerator = facts.written.hardware.accelerator
    fixed = accelerator.devices.fixed
    for role in ROLES:
        devices = facts.written.sizing[role].devices
        if fixed is not None and devices != fixed:
            yield Finding(
                at=("serving", role, "devices"), what=f"{devices} devices cannot be had",
                why=f"a pod takes a whole {accelerator.key} slice of {fixed} chips",
                fix=f"leave it out, or write `{fixed}`",
            )  # fmt: skip


def _tuned_flags(facts: Facts) -> Iterator[Finding]:
    serving, recipe = facts.serving, facts.written.hardware
    undecided = serving.extra_args is None and serving.drop_args is None
    if facts.written.model != recipe.accelerator.model and recipe.build.tuned and undecided:
        flags = ", ".join(recipe.build.tuned)
        yield Finding(
            at=("serving", "model"),
            what=f"`{serving.model}` would run with flags chosen for {recipe.accelerator.model} ({flags})",
            why="they may be wrong for another model",
            fix="list those that go in `dropArgs` (with their replacements in `extraArgs`), or write `dropArgs: []` to keep them",
        )  # fmt: skip


def _repeats(facts: Facts) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, name in enumerate(map(flag, facts.serving.extra_args or ())):
        if name in seen:
            yield Finding(
                at=("serving", "extraArgs", index),
                what=f"{name} is there twice",
                why="the second would silently win",
                fix="keep one",
            )
        seen |= {name} - {""}


def _pinned_image(facts: Facts) -> Iterator[Finding]:
    image = facts.serving.image
    if image is None or "@sha256:" in image:
        return
    _, _, tag = image.rpartition("/")[2].partition(":")
    dated = re.search(r"\d{6}|[0-9a-f]{7}", tag)
    if not tag or (FLOATING & set(re.split(r"[-_.]", tag)) and not dated):
        what = f"`{image}` has a floating tag" if tag else f"`{image}` has no tag"
        yield Finding(
            at=("serving", "image"),
            what=what,
            why="tomorrow's pods would run something else",
            fix="pin a version tag or a digest",
        )


def _model_label(facts: Facts) -> Iterator[Finding]:
    label = (facts.serving.model or "").rsplit("/", 1)[-1]
    if label and not re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", label):
        what, why = f"`{label}` cannot be a label value", "the label is the last part of the id, 63 characters at most"
        yield Finding(
            at=("serving", "model"),
            what=what,
            why=why,
            fix="use an id whose last part ends in a letter or digit and is no longer",
        )


def _locks_for_rdma(facts: Facts) -> Iterator[Finding]:
    if facts.serving.ipc_lock and facts.fabric and not facts.written.hardware.fabric.rdma:
        what, why = (
            f"`ipcLock` with fabric `{facts.serving.fabric}`",
            "it has no RDMA, which memory is locked for",
        )
        yield Finding(at=("serving", "ipcLock"), what=what, why=why, fix="leave it out, or use a fabric with RDMA")


def _names(facts: Facts) -> Iterator[Finding]:
    # A pod's name is its Deployment's, two hashes of 10 and 5, and two dashes; longer ones are cut and stop being unique.
    name = max((facts.workload.deployment_name(role) for role in ROLES), key=len)
    most = 63 - 17
    if len(name) > most:
        what = f"Deployment name {name} has {len(name)} characters"
        room = most - len(name) + len(facts.spec.name)
        why = f"{most} leave room for the hashes of its pods' names"
        yield Finding(at=("name",), what=what, why=why, fix=f"shorten the stack's name to {room} characters")


MODEL_01 = Rule(
    "MODEL-01", ERROR,
    "another model with the recipe's tuned flags, neither kept nor dropped",
    "they were chosen for another model; `dropArgs: []` says they stay",
    "docs/stack-files.md", check=_tuned_flags,
)  # fmt: skip
RULES = (
    Rule(
        "PIN-01", ERROR,
        "an image without a tag, or with a floating one (`latest`, `main`, `nightly` without a date)",
        "tomorrow's pods would run something else",
        "https://kubernetes.io/docs/concepts/containers/images/", check=_pinned_image,
    ),
    MODEL_01,
    Rule(
        "MODEL-02", ERROR,
        "a flag twice in `extraArgs`",
        "the second would silently win",
        "https://docs.python.org/3/library/argparse.html", check=_repeats,
    ),
    Rule(
        "NAME-01", ERROR,
        "a model id whose last part cannot be a label value",
        "it is the value of `llm-d.ai/model`",
        "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/", check=_model_label, firm=True,
    ),
    Rule(
        "NAME-02", ERROR,
        "names that leave no room for the hashes of pods",
        "they would be cut, and stop being unique",
        "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/", check=_names,
    ),
    Rule(
        "BILL-01", ERROR,
        "a release that does not exist",
        "a bill is what was tested together",
        "docs/upgrade.md", check=_known_release, firm=True,
    ),
    Rule(
        "HW-03", ERROR,
        "a number of devices other than the TPU slice's",
        "a slice is scheduled whole",
        "https://cloud.google.com/kubernetes-engine/docs/concepts/tpus", check=_whole_slices, firm=True,
    ),
    Rule(
        "HW-04", ERROR,
        "`ipcLock` with a fabric that has no RDMA",
        "memory is locked for RDMA",
        "docs/stack-files.md", check=_locks_for_rdma,
    ),
)  # fmt: skip
