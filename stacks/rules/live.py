"""A look at the cluster before anything is applied, where the provider would say nothing or say it late.

The provider's preview succeeds on a cluster that cannot be reached, and notices only during `up` that a namespace or a
release of that name exists already. We look first, read-only, and say how to import it. CRDs are adopted,
but never taken back to an older version: another stack may live from what the newer one brought.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hardware.render.namespace import OWNER
from releases.charts import HelmRelease
from stacks.blueprint import Blueprint, ServingBlueprint
from stacks.clouds.cloud import Follows
from stacks.clouds.registry import CLOUDS
from stacks.findings import Problem, StackFileError, Suppressed, sift
from stacks.kube import helm as helm_records
from stacks.kube.answering import answering
from stacks.kube.api import Api, Object
from stacks.kube.commands import kubectl_flags
from stacks.kube.helm import Releases
from stacks.kube.owner import owner_of, owner_text
from stacks.kube.rules import EXISTS
from stacks.rules.live_gateway import look_at_gateway, second_proxy
from stacks.rules.monitoring import missing_kinds

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#: The annotation by which the provider is told to wait for an object.
WAIT_FOR = "pulumi.com/waitFor"


@dataclass(frozen=True)
class Found:
    """The result of the live check: the stack's own Helm releases with the Secrets of their revisions, if there are any,
    the names of CRDs that the cluster brings and keeps itself, of those that are established and not waited for by a stack, and
    problems that the stack file suppresses.
    """

    revisions: Releases = ()
    preinstalled: frozenset[str] = frozenset()
    established: frozenset[str] = frozenset()
    suppressed: tuple[Suppressed, ...] = ()


def check_live_cluster(plan: Blueprint, owner: str) -> Found:
    """Raises if an object the stack would create belongs to another owner, or a prerequisite is missing; else what was found.

    An unreachable cluster fails an `up`; a preview goes on with a warning, because a preview in CI may have no access.

    Raises:
        StackFileError: with each such object, or with the reason why the cluster cannot be reached.
    """
    if isinstance(plan.cluster.reached_by, Follows):
        # The cluster is the stack's own: before it is made nothing can be asked, and afterwards nobody else is expected.
        return Found((), plan.cluster.brought_crds)
    found = Found()
    at = plan.spec.cluster.at
    with answering(at):
        api = Api(at.kubeconfig, at.context)
        problems: list[Problem] = []
        if plan.request is not None:
            problems += plan.cloud.check_live(api, plan.request, plan.cluster, owner)
        if plan.serving is not None:
            found, more = _serving(api, plan.serving, owner)
            problems += more
        counted, accepted = sift(problems, plan.spec.suppress)
        if counted:
            raise StackFileError(counted)
        return replace(found, suppressed=tuple(accepted))


def _serving(api: Api, plan: ServingBlueprint, owner: str) -> tuple[Found, list[Problem]]:
    """Looks at everything that the stack serves with."""
    found: list[tuple[HelmRelease, Sequence[Object]]] = []
    preinstalled = kept_by_the_cluster(api.get("/version") if plan.crd_files else None)
    crds = _live_crds(api, plan, preinstalled)
    established = frozenset(name for name, (_, live) in crds.items() if _established(live))
    problems = [*_newer_crds(crds), *missing_kinds(api, plan.spec)]
    namespace = api.get(f"/api/v1/namespaces/{plan.spec.namespace}")
    if namespace is not None:
        revisions = helm_records.revisions(api, plan.router.namespace, plan.router.name)
        found.append((plan.router, revisions))
        problems += [*_already_there(plan, owner, namespace, revisions), *second_proxy(api, plan)]
    if plan.gateway is not None:
        installs = plan.gateway.implementation
        releases = [(each, helm_records.revisions(api, each.namespace, each.name)) for each in installs]
        ours = namespace is not None and owner_of(namespace) == owner
        problems += look_at_gateway(api, plan, plan.gateway, releases, owner, ours=ours)
        found += releases
    return Found(found, preinstalled, established), problems


def _already_there(
    plan: ServingBlueprint, owner: str, namespace: Object, revisions: Sequence[Object]
) -> Iterator[Problem]:
    spec, target = plan.spec, kubectl_flags(plan.spec.cluster.at)
    if owner_of(namespace) != owner:
        mark = f"kubectl annotate namespace {spec.namespace} {OWNER}={owner} --overwrite{target}"
        yield EXISTS.problem(
            at=("namespace",), what=f"namespace {spec.namespace} exists already",
            why=f"it belongs to {owner_text(namespace)}, and a destroy of this stack would delete it",
            fix=f"choose another name, or import it: `{mark}` makes it this stack's, and the next `pulumi up` takes it over",
        )  # fmt: skip
    name = plan.router.name
    description = helm_records.foreign(revisions, owner)
    if description is not None:
        forget = f"kubectl delete secrets -n {spec.namespace} -l owner=helm,name={name}{target}"
        yield EXISTS.problem(
            at=("name",), what=f"a Helm release {name} exists already in namespace {spec.namespace}",
            why=f"it is not this stack's (its description is {description!r}), and helm cannot use a name twice",
            fix=f"choose another name, or import it: `{forget}` makes helm forget it but leaves its objects, and the next "
            "`pulumi up` installs over them",
        )  # fmt: skip


def kept_by_the_cluster(version: Object | None) -> frozenset[str]:
    """The CRDs of ours that an existing cluster of this version (as `/version` says it) keeps itself."""
    text = (version or {}).get("gitVersion", "").removeprefix("v")
    return frozenset[str]().union(*(cloud.kept_crds(text) for cloud in CLOUDS.values()))


def _live_crds(
    api: Api, plan: ServingBlueprint, preinstalled: Collection[str]
) -> dict[str, tuple[Object, Object | None]]:
    """By name, the CRDs that the stack installs, and what the cluster has of each."""
    ours = {crd["metadata"]["name"]: crd for crd in plan.crds()}
    return {name: (crd, api.get(f"{CRDS}/{name}")) for name, crd in ours.items() if name not in preinstalled}


def _established(live: Object | None) -> bool:
    """Whether a CRD can be used, and no stack has put its order to wait for that on it (`components.crds`)."""
    if live is None or WAIT_FOR in live["metadata"].get("annotations", {}):
        return False
    conditions = live.get("status", {}).get("conditions") or ()
    return any((row["type"], row["status"]) == ("Established", "True") for row in conditions)


def _newer_crds(crds: Mapping[str, tuple[Object, Object | None]]) -> Iterator[Problem]:
    for name, (crd, live) in crds.items():
        ours, theirs = _bundle(crd), _bundle(live) if live else None
        if ours and theirs and theirs[0] > ours[0]:
            yield EXISTS.problem(
                at=("crds",), what=f"CRD {name} is there in version {theirs[1]}",
                why=f"this stack would take it back to {ours[1]}, for every stack of the cluster",
                fix="write `llmd-pd:crds: {manage: false}` to use the existing ones",
            )  # fmt: skip


def _bundle(crd: dict[str, Any]) -> tuple[tuple[int, ...], str] | None:
    """The version of the set of CRDs one belongs to, to compare and to show; None where it does not say."""
    for key, value in crd["metadata"].get("annotations", {}).items():
        if key.endswith("/bundle-version"):
            return tuple(int(part) for part in re.findall(r"\d+", value)), value
    return None
