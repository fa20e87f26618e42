"""Laws of a whole GKE plan: its ranges and its peers', its objects and its charts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from releases.gke import DRA_DRIVER, DRIVER_ROOT
from stacks.clouds.gke.laws.networks import inside, overlaps
from stacks.clouds.gke.laws.view import Broken, look_up, pools
from stacks.clouds.gke.plan import GkePlan
from stacks.findings import Finding, UnknownError

if TYPE_CHECKING:
    from stacks.rules.facts import Facts


def no_overlaps(facts: "Facts") -> Iterator[Finding]:
    """NET-01: no two ranges overlap, nor one of them and a peer, if the stack file names peers."""
    for broken in overlaps(facts.resources, _peers(facts)):
        yield broken.finding()


def _gke(facts: "Facts") -> GkePlan:
    if not isinstance(facts.cluster, GkePlan):
        raise UnknownError
    return facts.cluster


def _peers(facts: "Facts") -> tuple[str, ...]:
    try:
        return tuple(_gke(facts).site.gke.network.peers)
    except UnknownError:
        return ()


def within_base(facts: "Facts") -> Iterator[Finding]:
    """NET-04: every subnet is a part of the base."""
    for broken in inside(facts.resources, _gke(facts).site.gke.network.base):
        yield broken.finding()


def no_network_objects(facts: "Facts") -> Iterator[Finding]:
    """GKE-04: networks of the stack's own beside a pool whose NICs DRANET manages."""
    if _gke(facts).objects and any(pool.dranet for pool in pools(facts.resources)):
        yield Broken("GKE-04", "objects", "kind", "Network objects beside a pool whose NICs DRANET manages").finding()


def driver_chart(facts: "Facts") -> Iterator[Finding]:
    """GKE-14: what the GPU's DRA driver needs on Container-Optimized OS."""
    for chart in _gke(facts).charts:
        if chart.name != DRA_DRIVER:
            continue
        if look_up(chart.values, "nvidiaDriverRoot") != DRIVER_ROOT:
            yield Broken("GKE-14", chart.name, "nvidiaDriverRoot", f"the driver is in {DRIVER_ROOT}").finding()
        if look_up(chart.values, "kubeletPlugin.priorityClassName") != "":
            what = "a priority class that is refused outside kube-system, where no ResourceQuota allows it"
            yield Broken("GKE-14", chart.name, "kubeletPlugin.priorityClassName", what).finding()
