"""The gateway controller of a rehearsal: sets the statuses that Istio's or GKE's would set, and serves no requests.

Left out: hostnames and filters of routes, TLS certificates, ListenerSets and every route that is not an HTTPRoute. Why it is
not a set of kwok Stages: docs/adr/0022-a-gateway-controller-and-not-stages.md.
"""

from releases.gateway_api import API, GROUP

__all__ = ["API", "CONTROLLER", "FINALIZER", "GROUP"]

CONTROLLER = "llmd-pd.rehearsal/gateway"
"""The `controllerName` of the GatewayClasses this controller serves."""

FINALIZER = "llmd-pd.rehearsal/address"
"""On a Gateway for as long as it has an address, as an implementation's is while a load balancer exists."""
