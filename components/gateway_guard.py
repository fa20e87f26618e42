"""What keeps a destroy from taking a shared Gateway away under other stacks' routes.

Neither Kubernetes nor the provider refuses that, and Pulumi runs no program on destroy. So the last thing a stack with a Gateway
makes is a resource whose deletion, the first of a destroy, looks at the cluster. A dynamic resource is the one kind whose
deletion can run code of ours (docs/adr/0014).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from components.kube_client import Api, KubeconfigError
from components.kube_errors import reason
from releases.gateway_api import GROUP
from releases.gateways import hangs_on

#: The kinds of routes the standard channel has.
ROUTES = ("httproutes", "grpcroutes", "tlsroutes")
#: How to have a Gateway deleted all the same.
ANYWAY = "write `deleteInUse: true` under `llmd-pd:router.gateway`, run `pulumi up`, and destroy again"
#: What to do where the cluster does not answer, and where it answers that one may not ask.
UNREACHABLE = "check the context and your credentials, and destroy again"
FORBIDDEN = f"have somebody destroy it who may list the routes of all namespaces, or {ANYWAY}"


class GatewayInUseError(Exception):
    """Routes of others hang on the Gateway, or nobody can say whether they do."""


def foreign_routes(routes: list[Mapping[str, Any]], props: Mapping[str, Any]) -> Iterator[str]:
    """The routes that hang on the Gateway of `props` and are not the stack's own, as `namespace/name`."""
    for route in routes:
        place, name = route["metadata"]["namespace"], route["metadata"]["name"]
        own = place == props["namespace"] and name in props["routes"]
        if not own and hangs_on(route, gateway=props["gateway"], namespace=props["gatewayNamespace"]):
            yield f"{place}/{name}"


class GuardProvider(ResourceProvider):
    """Does nothing but look, on delete. Pickled into the stack's state by name, so it has to stay importable."""

    #: It holds no secret; encrypted, it would be another text in every state.
    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_=f"{props['gatewayNamespace']}/{props['gateway']}", outs=props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        # `__provider`, the pickle, is among them: state that refers to a class by its old place could not be deleted.
        changed = {key for key in {*_olds, *_news} if _olds.get(key) != _news.get(key)}
        moved = sorted(changed & {"gateway", "gatewayNamespace"})
        return DiffResult(changes=bool(changed), replaces=moved, delete_before_replace=False)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(outs=_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Refuses while routes of others hang on the Gateway, unless the stack said it may go.

        Raises:
            GatewayInUseError: with their names, or because the cluster does not answer.
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
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    found: list[Mapping[str, Any]] = []
    try:
        api = Api(props.get("kubeconfig"), props.get("context"))
        for plural in ROUTES:
            # A cluster may lack the kind.
            found += (api.read(f"/apis/{GROUP}/v1/{plural}") or {"items": []})["items"]
    except (ApiException, HTTPError, json.JSONDecodeError) as error:
        fix = FORBIDDEN if getattr(error, "status", None) == 403 else UNREACHABLE
        raise _silent(props, reason(error), fix) from error
    except KubeconfigError as error:
        raise _silent(props, str(error), UNREACHABLE) from error
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise _silent(props, "what answers there is no API server", UNREACHABLE) from error
    return found


def _silent(props: Mapping[str, Any], why: str, fix: str) -> GatewayInUseError:
    return GatewayInUseError(
        f"Gateway {props['gatewayNamespace']}/{props['gateway']} is not deleted, because its cluster does not say whether "
        f"routes of others hang on it ({why}); {fix}. Nothing of this stack was deleted."
    )


class GatewayGuard(Resource, module="gateway", name="Guard"):
    """Made after everything else, so that a destroy asks it before anything is gone.

    Plain: `kubeconfig` (a path, or all of it as JSON, which may be wired) and `context`, the Gateway's name and
    namespace, the stack's namespace and the names its `routes` can have, and `deleteInUse`.
    """

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(GuardProvider(), name, dict(props), opts)
