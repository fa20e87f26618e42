"""The gateway implementation of a rehearsal: a controller that does to Gateways and routes what Istio's or GKE's does, but serve.

`controller` is its loop and `__main__` its process; `statuses` and `references` are what it says and why, `addresses` what it
hands out. Left out: hostnames and filters of routes, TLS certificates, ListenerSets and every route that is not an HTTPRoute.
"""

from releases.gateway_api import API, GROUP

__all__ = ["API", "CONTROLLER", "FINALIZER", "GROUP"]

CONTROLLER = "llmd-pd.rehearsal/gateway"
"""What a GatewayClass says to be served by this controller."""

FINALIZER = "llmd-pd.rehearsal/address"
"""On a Gateway for as long as it has an address, as an implementation's is while a load balancer exists."""
