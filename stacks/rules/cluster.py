"""Rules of the cluster of any provider: keys that the provider heeds, and a machine of the table that serves."""

from collections.abc import Iterator
from typing import Any

from hardware.machines import MACHINES, machines_for
from stacks.clouds.registry import CLOUDS
from stacks.findings import ERROR, Finding, Rule, known
from stacks.rules.corrected import foreign
from stacks.rules.facts import Facts
from stacks.spec.cluster import OF_A_STACK, Cluster
from stacks.spec.stack import StackSpec


def _known_machine(facts: Facts) -> Iterator[Finding]:
    """The machine is one of the table."""
    machine = facts.spec.cluster.machine
    if machine and machine not in MACHINES:
        what, why = f"machine `{machine}` is not in the table", "without its facts nothing can be checked or rehearsed"
        provider = facts.spec.cluster.provider if facts.spec.cluster.makes_nodes else None
        fitting = [key for key, row in MACHINES.items() if provider in (None, row.provider)]
        yield Finding(at=("cluster", "machine"), what=what, why=why, fix=known(machine, fitting))


def _of_the_provider(facts: Facts) -> Iterator[Finding]:
    """Nothing is said that this provider would not do."""
    cluster = facts.spec.cluster
    for key in _idle(facts.spec):
        why, fix = _useless(key, cluster)
        yield Finding(at=("cluster", key), what=f"`{key}` with `provider: {cluster.provider}`", why=why, fix=fix)


def _useless(key: str, cluster: Cluster) -> tuple[str, str]:
    """Returns why the provider does not read a key, and the fix."""
    makers = [word for word, cloud in CLOUDS.items() if cloud.makes_nodes and key in cloud.heeds]
    if key in CLOUDS or key == OF_A_STACK:
        return f"only `provider: {key}` reads it", f"leave it out, or write `provider: {key}`"
    stack = f"stack {cluster.stack}" if cluster.stack else "the other stack"
    if key in ("context", "kubeconfig"):
        follows = f"from {stack}" if cluster.provider == OF_A_STACK else "from the cluster that the stack makes"
        return f"the way to the cluster follows {follows}", "leave it out"
    if cluster.provider == OF_A_STACK:
        return f"the nodes are those of {stack}", f"leave it out, or write it in the file of {stack}"
    return "the stack makes no nodes", f"leave it out, or name a provider that makes them: {', '.join(makers)}"


def _fields() -> dict[str, str]:
    """Keys that only some providers heed, and their fields."""
    own = {
        "stack": "stack",
        "kubeconfig": "kubeconfig",
        "context": "context",
        "protect": "protect",
        "allowReplace": "allow_replace",
    }
    return {**{key: key for key, cloud in CLOUDS.items() if cloud.section_type is not None}, **own}


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
        what, why = "the stack is missing", "the cluster is what it says"
        yield Finding(
            at=("cluster", "stack"), what=what, why=why, fix="name a stack that makes nodes, such as `stack: platform`"
        )


def _goes_with_the_machine(facts: Facts) -> Iterator[Finding]:
    """Nodes that are made serve the accelerator and the fabric; on existing nodes a rehearsal may try any."""
    cluster, serving = facts.spec.cluster, facts.serving
    machine = MACHINES.get(cluster.machine or "")
    pair = (facts.accelerator.key, facts.fabric)
    if machine is None or cluster.provider == "existing" or pair in machine.serves:
        return
    if foreign(cluster):
        return  # which the provider's own rule says
    others = [row for row in machines_for(*pair) if row.provider == machine.provider]
    if cluster.makes_nodes and others and all(row.handed_out_as != machine.handed_out_as for row in others):
        return  # which another rule says, with the way to the NICs that goes with each fix
    fabrics = [fabric for accelerator, fabric in machine.serves if accelerator == serving.accelerator]
    key, has = ("fabric", serving.fabric) if fabrics else ("accelerator", serving.accelerator)
    there = fabrics or list(dict.fromkeys(accelerator for accelerator, _ in machine.serves))
    fixes = [f"`{key}: {word}`" for word in there]
    elsewhere = ""
    if cluster.provider != OF_A_STACK:
        fixes += [f"`machine: {row.key}`" for row in others]
    elif others:
        elsewhere = f", or refer to a stack that makes {' or '.join(row.key for row in others)}"
    what, why = f"{key} `{has}` with machine `{machine.key}`", "its pods are not written for such nodes"
    yield Finding(at=("serving", key), what=what, why=why, fix=f"write {' or '.join(fixes)}{elsewhere}")


CLUSTER_01 = Rule(
    "CLUSTER-01", ERROR,
    "a key of `cluster` that its provider does not read: the section of another cloud, `protect: false` or "
    "`allowReplace` of nodes that the stack does not make, a context or kubeconfig that follows from the cluster",
    "it would have no effect",
    "docs/stack-files.md", check=_of_the_provider, firm=True,
)  # fmt: skip
CLUSTER_02 = Rule(
    "CLUSTER-02", ERROR,
    "`provider: stack` without `cluster.stack`, or the other way round, or with a kubeconfig or context of its "
    "own",
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
