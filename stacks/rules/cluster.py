"""Rules of the cluster of any provider: keys that the provider heeds, and a machine of the table that serves."""

from collections.abc import Iterable, Iterator
from typing import Any

from hardware.machines import MACHINES, Machine
from stacks.clouds.registry import CLOUDS, section_types
from stacks.findings import ERROR, Finding, Rule
from stacks.rules.corrected import foreign, machines_of_its_own, releases_having
from stacks.rules.facts import Facts
from stacks.rules.proposals import Proposals, either, one_of, pair, together, write
from stacks.spec.cluster import OF_A_STACK, Cluster
from stacks.spec.stack import StackSpec


def _known_machine(facts: Facts) -> Iterator[Finding]:
    """The machine is one of the table."""
    cluster, at = facts.spec.cluster, ("cluster", "machine")
    if cluster.machine and cluster.machine not in MACHINES:
        what = f"machine `{cluster.machine}` is not in the table"
        why = "without its facts nothing can be checked or rehearsed"
        fix = facts.known_that_helps(at, cluster.machine, machines_of_its_own(cluster))
        yield Finding(at=at, what=what, why=why, fix=fix)


def _of_the_provider(facts: Facts) -> Iterator[Finding]:
    """Nothing is said that this provider would not do."""
    cluster = facts.spec.cluster
    for key in _idle(facts.spec):
        why, words, other = _useless(key, cluster)
        at = ("cluster", key)
        fixes = ["leave it out", *map(write, facts.helping(at, one_of(*words))), *other]
        what = f"`{key}` is there with `provider: {cluster.provider}`"
        yield Finding(at=at, what=what, why=why, fix=either(fixes))


def _useless(key: str, cluster: Cluster) -> tuple[str, list[Proposals], list[str]]:
    """Returns why the provider does not read a key, the providers that would, and another fix."""
    makers = [word for word, cloud in CLOUDS.items() if cloud.makes_nodes and key in cloud.heeds]
    if key in CLOUDS or key == OF_A_STACK:
        return f"only `provider: {key}` reads it", [pair(("cluster", "provider"), key)], []
    stack = f"stack {cluster.stack}" if cluster.stack else "the other stack"
    if key in ("context", "kubeconfig"):
        follows = f"from {stack}" if cluster.provider == OF_A_STACK else "from the cluster that the stack makes"
        return f"the way to the cluster follows {follows}", [], []
    if cluster.provider == OF_A_STACK:
        return f"the nodes are those of {stack}", [], [f"write it in the file of {stack}"]
    return "the stack makes no nodes", [pair(("cluster", "provider"), word) for word in makers], []


def _fields() -> dict[str, str]:
    """Keys that only some providers heed, and their fields."""
    own = {
        "stack": "stack",
        "kubeconfig": "kubeconfig",
        "context": "context",
        "protect": "protect",
        "allowReplace": "allow_replace",
    }
    return {**{key: key for key in section_types()}, **own}


def _default(field: str) -> Any:
    info = Cluster.model_fields.get(field)
    return info.get_default() if info else None


def _idle(spec: StackSpec) -> list[str]:
    """Yields keys of the cluster that have no effect."""
    cluster = spec.cluster
    # With `provider: stack`, the platform stack's section counts.
    heeded = {OF_A_STACK} if cluster.provider == OF_A_STACK else {cluster.cloud.key, *cluster.cloud.heeds}
    return [
        key
        for key, field in _fields().items()
        if key not in heeded and getattr(cluster, field, None) != _default(field)
    ]


def _reference(facts: Facts) -> Iterator[Finding]:
    """Provider `stack` says which."""
    cluster = facts.spec.cluster
    if cluster.provider == "stack" and cluster.stack is None:
        what, why = "`stack` is missing", "the cluster is what that stack says"
        yield Finding(
            at=("cluster", "stack"), what=what, why=why, fix="name a stack that makes nodes, such as `stack: platform`"
        )


def _goes_with_the_machine(facts: Facts) -> Iterator[Finding]:
    """Nodes that are made serve the accelerator and the fabric; on existing nodes a rehearsal may try any."""
    cluster, serving, accelerator = facts.spec.cluster, facts.serving, facts.accelerator
    machine = MACHINES.get(cluster.machine or "")
    if machine is None or cluster.provider == "existing" or foreign(cluster):
        return
    served = any(key == accelerator.key for key, _ in machine.serves)
    # Of an accelerator that has no such fabric, HW-01 says which it has: any of them would do.
    known = serving.fabric in accelerator.fabrics
    wanted = {(accelerator.key, fabric) for fabric in ((serving.fabric,) if known else accelerator.fabrics)}
    if wanted & {*machine.serves}:
        return
    others = [row for row in MACHINES.values() if row.provider == machine.provider and wanted & {*row.serves}]
    if cluster.makes_nodes and known and others and all(row.handed_out_as != machine.handed_out_as for row in others):
        return  # which another rule says, with the way to the NICs that goes with each fix
    key, has = ("fabric", serving.fabric) if served else ("accelerator", serving.accelerator)
    at, fixes = ("serving", key), served_by(facts, [machine])
    elsewhere = ""
    if cluster.provider != OF_A_STACK:
        fixes = one_of(fixes, *(pair(("cluster", "machine"), row.key) for row in others))
    elif others:
        elsewhere = f", or refer to a stack that makes {' or '.join(row.key for row in others)}"
    words = facts.helping(at, fixes) or [*fixes]
    what, why = f"{key} `{has}` does not go with machine `{machine.key}`", "its pods are not written for such nodes"
    yield Finding(at=at, what=what, why=why, fix=write(*words) + elsewhere)


def served_by(facts: Facts, machines: Iterable[Machine]) -> Proposals:
    """Proposals of what to serve on machines instead: on another fabric, or by another accelerator with a fabric of its own."""
    serving, bill = facts.serving, facts.bill
    served = [*dict.fromkeys(each for row in machines for each in row.serves)]
    if fabrics := [fabric for accelerator, fabric in served if accelerator == serving.accelerator]:
        return one_of(*(pair(("serving", "fabric"), fabric) for fabric in fabrics))
    proposals = []
    for accelerator, fabric in served:
        parts = [pair(("serving", "accelerator"), accelerator)]
        if fabric != serving.fabric:
            parts.append(pair(("serving", "fabric"), fabric))
        if not bill.has(accelerator, fabric):
            parts.append(pair(("release",), releases_having(accelerator, fabric)[0]))
        proposals.append(together(*parts))
    return one_of(*proposals)


CLUSTER_01 = Rule(
    "CLUSTER-01", ERROR,
    "a key of `cluster` that its provider does not read: the section of another cloud, `stack` without `provider: "
    "stack`, `protect: false` or `allowReplace` of nodes that the stack does not make, a context or kubeconfig that "
    "follows from the cluster",
    "it would have no effect",
    "docs/stack-files.md", check=_of_the_provider, firm=True,
)  # fmt: skip
CLUSTER_02 = Rule(
    "CLUSTER-02", ERROR,
    "`provider: stack` without `cluster.stack`",
    "the cluster is what that stack says",
    "docs/platform-stacks.md", check=_reference, firm=True,
)  # fmt: skip
RULES = (
    CLUSTER_01,
    CLUSTER_02,
    Rule(
        "MACHINE-01", ERROR,
        "a machine that is not in the table",
        "without its facts nothing can be checked or rehearsed",
        "docs/stack-files.md", check=_known_machine, firm=True,
    ),
    Rule(
        "MACHINE-02", ERROR,
        "where the stack or another one makes the nodes: an accelerator or a fabric that the machine does not serve",
        "pods are written for the nodes they run on",
        "docs/stack-files.md", check=_goes_with_the_machine,
    ),
)  # fmt: skip
