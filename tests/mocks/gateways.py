"""Stacks in mode gateway, one for each thing that can be said of a gateway, and what the program makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stacks.blueprint import ServingBlueprint
from stacks.compose import compose
from stacks.rules.facts import serving_blueprint
from tests.blueprints import spec_from_config, whole
from tests.mocks.recording import GATEWAY, OWNER, RELEASE, Recording, Registration, record

NAME, STEM = "llm-d-inference-gateway", "pd-disaggregation"
NAMESPACE = "llm-d-pd-disaggregation"
GUARD = "pulumi-python:dynamic/gateway:Guard"
SHARED = {"manage": False, "namespace": "shared", "baseModel": "gpt-oss-120b"}
#: `router.gateway` of each case, and the rest of the stack.
STACKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "istio": ({"provider": "istio"}, {}),
    "istio installed": ({"provider": "istio", "install": True}, {}),
    "agentgateway not retained": ({"provider": "agentgateway", "install": True, "retain": False}, {}),
    "openshift": ({"provider": "agentgateway", "recipe": "agentgateway-openshift"}, {}),
    "gke": ({"provider": "gke", "backendTimeout": 3600}, {"release": "guide-2026-06"}),
    "gke shared": ({"provider": "gke", **SHARED}, {}),
    "na": ({"provider": "na", "className": "nginx", "name": "mine"}, {"monitoring": {"podMonitors": True}}),
    "shared here": ({"provider": "istio", "manage": False}, {}),
    "shared elsewhere, May": ({"provider": "istio", **SHARED}, {"release": "guide-2026-05"}),
    "shared elsewhere, June": ({"provider": "istio", **SHARED}, {"release": "guide-2026-06"}),
    "foreign CRDs": ({"provider": "istio", "deleteInUse": True}, {"crds": {"manage": False, "gatewayApi": False}}),
    "named": (
        {"provider": "istio", "install": True},
        {"name": "tiny", "namespace": "team-a", "cluster": {"kubeconfig": "~/kube/a", "context": "a"}},
    ),
}
OWNED = [name for name, (gateway, _) in STACKS.items() if gateway.get("manage", True)]
INSTALLED = [name for name, (gateway, _) in STACKS.items() if gateway.get("install")]


@dataclass(frozen=True)
class Case:
    """One of `STACKS`, composed."""

    name: str
    plan: ServingBlueprint
    recording: Recording

    @property
    def gateway(self) -> Registration:
        """The Gateway, made or read."""
        return next(r for r in self.recording.resources if r.type == GATEWAY)

    @property
    def applied(self) -> list[Registration]:
        """Returns the objects made in the cluster."""
        return [r for r in self.recording.resources if r.type.startswith("kubernetes:") and not r.read]

    @property
    def components(self) -> set[str]:
        """The names of the components."""
        return {r.name for r in self.recording.resources if r.type.startswith("llmd-pd:index:")}

    @property
    def router(self) -> Registration:
        """The router's release."""
        return next(r for r in self.recording.under("Router") if r.type == RELEASE)


def planned(crd_directory: Path, gateway: Mapping[str, Any], **more: Any) -> ServingBlueprint:
    crds = {"directory": str(crd_directory), **more.pop("crds", {})}
    router = {"mode": "gateway", "gateway": gateway}
    return serving_blueprint(
        spec_from_config({"serving": {"accelerator": "nvidia"}, "router": router, "crds": crds, **more}), Path("/")
    )


def composed(name: str, crd_directory: Path) -> Case:
    gateway, more = STACKS[name]
    found = planned(crd_directory, gateway, **more)
    return Case(name, found, record(lambda: compose(whole(found), OWNER), addresses=["10.1.2.3"]))
