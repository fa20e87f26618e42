"""The guard on a Gateway: it stops a destroy while routes of other stacks use the Gateway.

Neither Kubernetes nor the provider refuses that, and Pulumi runs no program on destroy. So the last resource of a stack with a
Gateway is a dynamic resource, the only kind whose deletion runs code of this project. It is the first deletion of a destroy, and
checks the cluster (docs/adr/0014).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from components.kube_client import Api
from components.kube_errors import refusing
from releases.gateway_api import GROUP
from releases.gateways import hangs_on

#: The kinds of routes in the standard channel.
ROUTES = ("httproutes", "grpcroutes", "tlsroutes")
#: The fix that permits the deletion.
ANYWAY = "write `deleteInUse: true` under `llmd-pd:router.gateway`, run `pulumi up`, and destroy again"
#: The fixes if the cluster does not answer, and if the user may not list routes.
UNREACHABLE = "check the context and your credentials, and destroy again"
FORBIDDEN = f"have somebody destroy it who may list the routes of all namespaces, or {ANYWAY}"


class GatewayInUseError(Exception):
    """Routes of other stacks use the Gateway, or the cluster does not answer."""


def foreign_routes(routes: list[Mapping[str, Any]], props: Mapping[str, Any]) -> Iterator[str]:
    """Yields routes of other owners that use the Gateway of `props`, as `namespace/name`."""
    for route in routes:
        place, name = route["metadata"]["namespace"], route["metadata"]["name"]
        own = place == props["namespace"] and name in props["routes"]
        if not own and hangs_on(route, gateway=props["gateway"], namespace=props["gatewayNamespace"]):
            yield f"{place}/{name}"


class GuardProvider(ResourceProvider):
    """Checks the cluster on delete and does nothing else. Pickled by name into the stack's state: it has to stay importable."""

    #: It holds no secret; an encrypted text would change with every state.
    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_=f"{props['gatewayNamespace']}/{props['gateway']}", outs=props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        # `__provider`, the pickle, is among them: a state with a class's old path could not be deleted.
        changed = {key for key in {*_olds, *_news} if _olds.get(key) != _news.get(key)}
        moved = sorted(changed & {"gateway", "gatewayNamespace"})
        return DiffResult(changes=bool(changed), replaces=moved, delete_before_replace=False)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(outs=_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Checks the routes, unless `deleteInUse` permits the deletion.

        Raises:
            GatewayInUseError: routes of other stacks use the Gateway, or the cluster does not answer.
        """
        if _props.get("deleteInUse"):
            return
        others = sorted(set(foreign_routes(_routes(_props), _props)))
        if others:
            raise GatewayInUseError(
                f"Gateway {_id} is not deleted, because routes of others hang on it: {', '.join(others)}; destroy their stacks "
                f"first, or {ANYWAY}. Nothing of this stack was deleted."
            )


def _routes(props: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    def refusal(why: str, forbidden: bool) -> GatewayInUseError:
        return GatewayInUseError(
            f"Gateway {props['gatewayNamespace']}/{props['gateway']} is not deleted, because its cluster does not say whether "
            f"routes of others hang on it ({why}); {FORBIDDEN if forbidden else UNREACHABLE}. Nothing of this stack was deleted."
        )

    found: list[Mapping[str, Any]] = []
    with refusing(refusal):
        api = Api(props.get("kubeconfig"), props.get("context"))
        for plural in ROUTES:
            # A cluster may lack the kind.
            found += (api.read(f"/apis/{GROUP}/v1/{plural}") or {"items": []})["items"]
    return found


class GatewayGuard(Resource, module="gateway", name="Guard"):
    """Made after everything else, so that a destroy asks it before anything is deleted.

    Plain: `kubeconfig` (a path, or its whole text as JSON, which may be wired) and `context`, the Gateway's name and
    namespace, the stack's namespace and the possible names of its `routes`, and `deleteInUse`.
    """

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(GuardProvider(), name, dict(props), opts)
