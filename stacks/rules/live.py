"""Checks of the live cluster before anything is applied, where the provider would say nothing or say it late.

The provider's preview succeeds on a cluster that cannot be reached, and notices only during `up` that a namespace or a
release of that name exists already. These checks look first, read-only, and say how to import it. CRDs are adopted,
but never taken back to an older version: another stack may live from what the newer one brought.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hardware.render.namespace import OWNER
from stacks.clouds.registry import CLOUDS
from stacks.findings import ERROR, Finding, Rule
from stacks.kube import helm as helm_records
from stacks.kube.api import Object
from stacks.kube.commands import kubectl_flags
from stacks.kube.helm import Releases
from stacks.kube.live import LiveCluster, live_check
from stacks.kube.owner import owner_of, owner_text
from stacks.rules.facts import Facts
from stacks.rules.live_gateway import implementation, installed, namespace, second_proxy

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#: The annotation by which the provider is told to wait for an object.
WAIT_FOR = "pulumi.com/waitFor"


@dataclass(frozen=True)
class Found:
    """The state of the cluster that a run goes by: the stack's own Helm releases with the Secrets of their revisions, if there
    are any, the names of CRDs that the cluster brings and keeps itself, and of those that are established and not waited for by
    a stack.
    """

    revisions: Releases = ()
    preinstalled: frozenset[str] = frozenset()
    established: frozenset[str] = frozenset()


def found_in(facts: Facts) -> Found:
    """Returns the state of the live cluster, to which no rule objects."""
    if facts.blueprint.serving is None:
        return Found()
    live, router = facts.live, facts.served.router
    own = [(router, helm_records.revisions(live, router.namespace, router.name))] if namespace(facts, live) else []
    established = frozenset(name for name, (_, found) in _crds(facts, live).items() if _established(found))
    return Found([*own, *implementation(facts, live)], _preinstalled(facts, live), established)


def _foreign_namespace(facts: Facts, live: LiveCluster) -> Iterator[Finding]:
    spec, found = facts.served.spec, namespace(facts, live)
    if found is not None and owner_of(found) != live.owner:
        flags = kubectl_flags(spec.cluster.at)
        mark = f"kubectl annotate namespace {spec.namespace} {OWNER}={live.owner} --overwrite{flags}"
        yield Finding(
            at=("namespace",), what=f"namespace {spec.namespace} exists already",
            why=f"it belongs to {owner_text(found)}, and a destroy of this stack would delete it",
            fix=f"choose another name, or import it: `{mark}` makes it this stack's, and the next `pulumi up` takes it over",
        )  # fmt: skip


def _foreign_release(facts: Facts, live: LiveCluster) -> Iterator[Finding]:
    router, spec = facts.served.router, facts.served.spec
    if namespace(facts, live) is None:
        return
    revisions = helm_records.revisions(live, router.namespace, router.name)
    description = helm_records.foreign(revisions, live.owner)
    if description is not None:
        flags = kubectl_flags(spec.cluster.at)
        forget = f"kubectl delete secrets -n {spec.namespace} -l owner=helm,name={router.name}{flags}"
        yield Finding(
            at=("name",), what=f"a Helm release {router.name} exists already in namespace {spec.namespace}",
            why=f"it is not this stack's (its description is {description!r}), and helm cannot use a name twice",
            fix=f"choose another name, or import it: `{forget}` makes helm forget it but leaves its objects, and the next "
            "`pulumi up` installs over them",
        )  # fmt: skip


def _newer_crds(facts: Facts, live: LiveCluster) -> Iterator[Finding]:
    for name, (crd, found) in _crds(facts, live).items():
        ours, theirs = _bundle(crd), _bundle(found) if found else None
        if ours and theirs and theirs[0] > ours[0]:
            yield Finding(
                at=("crds",), what=f"CRD {name} is there in version {theirs[1]}",
                why=f"this stack would take it back to {ours[1]}, for every stack of the cluster",
                fix="write `llmd-pd:crds: {manage: false}` to use the existing ones",
            )  # fmt: skip


def _preinstalled(facts: Facts, live: LiveCluster) -> frozenset[str]:
    return kept_by_the_cluster(live.get("/version") if facts.served.crd_files else None)


def kept_by_the_cluster(version: Object | None) -> frozenset[str]:
    """The CRDs of ours that an existing cluster of this version (as `/version` says it) keeps itself."""
    text = (version or {}).get("gitVersion", "").removeprefix("v")
    return frozenset[str]().union(*(cloud.kept_crds(text) for cloud in CLOUDS.values()))


def _crds(facts: Facts, live: LiveCluster) -> Mapping[str, tuple[Object, Object | None]]:
    """By name, the CRDs that the stack installs, and what the cluster has of each."""
    ours = {crd["metadata"]["name"]: crd for crd in facts.served.crds()}
    kept = _preinstalled(facts, live)
    return {name: (crd, live.get(f"{CRDS}/{name}")) for name, crd in ours.items() if name not in kept}


def _established(live: Object | None) -> bool:
    """Whether a CRD can be used, and no stack has put its order to wait for that on it (`components.crds`)."""
    if live is None or WAIT_FOR in live["metadata"].get("annotations", {}):
        return False
    conditions = live.get("status", {}).get("conditions") or ()
    return any((row["type"], row["status"]) == ("Established", "True") for row in conditions)


def _bundle(crd: dict[str, Any]) -> tuple[tuple[int, ...], str] | None:
    """The version of the set of CRDs one belongs to, to compare and to show; None where it does not say."""
    for key, value in crd["metadata"].get("annotations", {}).items():
        if key.endswith("/bundle-version"):
            return tuple(int(part) for part in re.findall(r"\d+", value)), value
    return None


EXISTS = Rule(
    "EXISTS", ERROR,
    "when Pulumi runs: a namespace, Helm release, CRD, ConfigMap or NodePool of that name is not this stack's; the "
    "message says how to import it",
    "this stack would change or delete what others own",
    "docs/operate.md", firm=True, when_run=True,
    check=live_check(
        *(_foreign_namespace, _foreign_release, _newer_crds, second_proxy, installed),
        lambda facts, live: facts.spec.cluster.cloud.of_others(facts, live),
    ),
)  # fmt: skip
