"""Laws of a whole GKE plan: its ranges and its peers', its objects and its charts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from releases.gke import DRA_DRIVER, DRIVER_ROOT
from stacks.clouds.gke.change import plan_of
from stacks.clouds.gke.laws.networks import inside, overlaps
from stacks.clouds.gke.laws.view import look_up, pools
from stacks.clouds.laws import broken
from stacks.findings import Finding, UnknownError

if TYPE_CHECKING:
    from stacks.rules.facts import Facts


def no_overlaps(facts: "Facts") -> Iterator[Finding]:
    """NET-01: no two ranges overlap, nor one of them and a peer, if the stack file names peers."""
    return overlaps(facts.resources, _peers(facts))


def _peers(facts: "Facts") -> tuple[str, ...]:
    try:
        return tuple(plan_of(facts).settings.gke.network.peers)
    except UnknownError:
        return ()


def within_base(facts: "Facts") -> Iterator[Finding]:
    """NET-04: every subnet is a part of the base."""
    return inside(facts.resources, plan_of(facts).settings.gke.network.base)


def no_network_objects(facts: "Facts") -> Iterator[Finding]:
    """GKE-04: networks of the stack's own beside a pool whose NICs DRANET manages."""
    if plan_of(facts).objects and any(pool.dranet for pool in pools(facts.resources)):
        yield broken("objects", "kind", "Network objects beside a pool whose NICs DRANET manages")


def driver_chart(facts: "Facts") -> Iterator[Finding]:
    """GKE-14: what the GPU's DRA driver needs on Container-Optimized OS."""
    for chart in plan_of(facts).charts:
        if chart.name != DRA_DRIVER:
            continue
        if look_up(chart.values, "nvidiaDriverRoot") != DRIVER_ROOT:
            yield broken(chart.name, "nvidiaDriverRoot", f"the driver is in {DRIVER_ROOT}")
        if look_up(chart.values, "kubeletPlugin.priorityClassName") != "":
            what = "a priority class that is refused outside kube-system, where no ResourceQuota allows it"
            yield broken(chart.name, "kubeletPlugin.priorityClassName", what)
