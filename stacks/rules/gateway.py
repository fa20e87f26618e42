"""The rule of `router.gateway`: it comes with mode `gateway`, and its recipe, class and place are ones that can be."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import yaml

from releases.gateways import IMPLEMENTATIONS, RECIPES
from stacks.clouds.registry import CLOUDS
from stacks.findings import ERROR, Finding, Rule, known
from stacks.rules.proposals import either, write
from stacks.serving.gateway import recipe_of
from stacks.spec.router import Gateway
from stacks.spec.stack import StackSpec

if TYPE_CHECKING:
    from stacks.rules.facts import Facts


def is_valid_gateway(spec: StackSpec) -> bool:
    """Whether a gateway can be derived of the stack file."""
    return not any(_findings(spec))


def _gateway_section(facts: "Facts") -> Iterator[Finding]:
    if facts.router:
        yield from _findings(facts.spec)


def _findings(spec: StackSpec) -> Iterator[Finding]:
    """`router.gateway` and mode `gateway` come together; its recipe, class and place are ones that can be."""
    router = spec.router
    if router.mode == "gateway" and router.gateway is None:
        what, why = "mode gateway has no gateway", "whose implementation it is decides what the chart makes"
        yield Finding(
            at=("router", "gateway"),
            what=what,
            why=why,
            fix="add `gateway: {provider: istio}` (or gke, agentgateway, na)",
        )
    elif router.mode == "standalone" and router.gateway is not None:
        what, why = "a gateway is there in mode standalone", "nothing would be made of it"
        yield Finding(at=("router", "gateway"), what=what, why=why, fix="write `mode: gateway`, or leave it out")
    elif router.gateway is not None:
        yield from _gateway(spec, router.gateway)


def _gateway(spec: StackSpec, gateway: Gateway) -> Iterator[Finding]:
    place, provider, found = ("router", "gateway"), gateway.provider, gateway.implementation
    others = [f"`provider: {key}`" for key in IMPLEMENTATIONS]
    of_provider = [recipe.key for recipe in RECIPES.values() if recipe.provider == provider]
    if gateway.recipe is not None and gateway.recipe not in of_provider:
        what = f"recipe `{gateway.recipe}` is not one of provider {provider}"
        why = "the chart's objects and the Gateway would be of different implementations"
        yield Finding(at=(*place, "recipe"), what=what, why=why, fix=known(gateway.recipe, of_provider))
    elif gateway.manage and gateway.class_name is None and recipe_of(gateway).gateway_class is None:
        what, why = (
            "the Gateway has no class",
            f"recipe `{recipe_of(gateway).key}` leaves it open, and nobody would serve it",
        )
        yield Finding(
            at=(*place, "className"), what=what, why=why, fix="write the name of a GatewayClass of the cluster"
        )
    if gateway.manage and gateway.namespace not in (None, spec.namespace):
        what = f"a Gateway of the stack's own cannot be in namespace `{gateway.namespace}`"
        why = f"the stack owns namespace {spec.namespace} only"
        yield Finding(
            at=(*place, "namespace"),
            what=what,
            why=why,
            fix="leave it out, or write `manage: false` to use an existing one",
        )
    yield from _idle(gateway)
    cloud = spec.cluster.cloud
    if found.in_cluster and spec.cluster.makes_nodes and provider in CLOUDS and provider != cloud.key:
        what = f"a Gateway of {found.title} cannot be in a cluster of `provider: {cloud.key}`"
        fix = write(*others) if gateway.recipe is None and gateway.backend_timeout is None else "use another provider"
        why = f"only clusters of {found.title} have it"
        yield Finding(at=(*place, "provider"), what=what, why=why, fix=fix)
    if gateway.install and provider not in IMPLEMENTATIONS:
        what = f"nothing can be installed for provider {provider}"
        why = f"{found.title} brings its own" if found.in_cluster else "what `na` stands for cannot be known"
        yield Finding(
            at=(*place, "install"),
            what=what,
            why=why,
            fix=either(
                [
                    "leave it out",
                    *([write(*others)] if gateway.recipe is None and gateway.backend_timeout is None else []),
                ]
            ),
        )
    elif gateway.install and not gateway.manage:
        what, why = "`install` is there for a Gateway of another owner", "it has to work before this stack comes"
        yield Finding(
            at=(*place, "install"),
            what=what,
            why=why,
            fix="leave it out: who owns the Gateway installs its implementation",
        )
    if gateway.backend_timeout is not None and not found.policies:
        what, why = f"provider {provider} has no `backendTimeout`", "only GKE's GCPBackendPolicy has one"
        fix = f"write `requestTimeout: {gateway.backend_timeout}s` instead" if found.route_timeout else "leave it out"
        yield Finding(at=(*place, "backendTimeout"), what=what, why=why, fix=fix)
    if gateway.request_timeout is not None and not found.route_timeout:
        what, why = (
            f"provider {provider} has no `requestTimeout`",
            "GKE's gateways know no timeout in a route, and the chart leaves it out",
        )
        fix = f"write `backendTimeout: {_seconds(gateway.request_timeout)}` instead"
        yield Finding(at=(*place, "requestTimeout"), what=what, why=why, fix=fix)


def _seconds(duration: str) -> int:
    """A duration of the Gateway API in seconds, of which there is one at least."""
    units = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
    return max(1, round(sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(ms|h|m|s)", duration))))


def _idle(gateway: Gateway) -> Iterator[Finding]:
    """Keys that mean nothing beside the others, and a base model that YAML would not take for text."""
    place, why = ("router", "gateway"), "nothing would be made of it"
    theirs = {"recipe": gateway.recipe, "className": gateway.class_name, "deleteInUse": gateway.delete_in_use}
    for key in [key for key, value in theirs.items() if value and not gateway.manage]:
        yield Finding(
            at=(*place, key),
            what=f"`{key}` is there for a Gateway of another owner",
            why=why,
            fix="leave it out: it is the owner's",
        )
    if not gateway.retain and not gateway.install:
        yield Finding(
            at=(*place, "retain"),
            what="`retain` is there without `install`",
            why=why,
            fix="leave it out, or write `install: true`",
        )
    if gateway.base_model is not None and not isinstance(yaml.safe_load(gateway.base_model), str):
        what, why = (
            f"base model `{gateway.base_model}` cannot be used",
            "the chart writes it without quotes, and it would be no text",
        )
        yield Finding(
            at=(*place, "baseModel"), what=what, why=why, fix="use a name that is no number, date or truth value"
        )


GW_01 = Rule(
    "GW-01", ERROR,
    "a gateway without its mode, or the other way round; a recipe of another provider, no class, a place, an "
    "installation or a timeout the provider does not have, an installation for a Gateway that another stack owns, "
    "a cloud's Gateway in a cluster that another cloud makes, keys that mean nothing beside the others, a base model that "
    "YAML would not take for text",
    "the Gateway would not work, or not be what was asked for",
    "docs/gateways.md", check=_gateway_section, firm=True,
)  # fmt: skip
