"""Checks of a stack's Gateway and HTTPRoute by their statuses: requests reach a stack in gateway mode only through both."""

from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.gateway import API
from rehearsal.gateway.statuses import Key, gateway_of
from rehearsal.verdict.verdict import Flaw
from stacks.blueprint import ServingBlueprint
from stacks.kube.api import Api, Object


@dataclass(frozen=True)
class Entrance:
    """The Gateway and the HTTPRoute of a stack, each by namespace and name.

    `owned` and `own_route`: the stack itself creates the Gateway, and the route. `pulumi up` waits for what the stack creates.
    """

    gateway: Key
    route: Key
    owned: bool
    own_route: bool = False

    @classmethod
    def of(cls, blueprint: ServingBlueprint) -> "Entrance | None":
        """Returns the entrance of a stack; None in mode `standalone`."""
        found = blueprint.gateway
        if found is None:
            return None
        return cls(
            gateway=(found.namespace, found.name),
            route=(blueprint.spec.namespace, found.route),
            owned=bool(found.objects),
            own_route=bool(found.routes),
        )

    def flaws(self, api: Api) -> list[Flaw]:
        """Returns everything that keeps requests out. Raises what `Api` raises."""
        return [*self._of_gateway(api), *self._of_route(api)]

    def _of_gateway(self, api: Api) -> Iterator[Flaw]:
        (namespace, name), named = self.gateway, f"Gateway {'/'.join(self.gateway)}"
        found = api.get(f"{API}/namespaces/{namespace}/gateways/{name}")
        if found is None:
            yield Flaw(f"{named} does not exist")
            return
        status = found.get("status") or {}
        current = _current(status.get("conditions"), found)
        for kind, words in (("Accepted", "is not accepted"), ("Programmed", "is not programmed")):
            row = current.get(kind)
            if row is None or row["status"] == "Unknown":
                which = found["spec"]["gatewayClassName"]
                why = f"no controller has set its status: does GatewayClass {which} exist, and does a controller serve it?"
                yield Flaw(f"{named} {words}: {why}", awaited=self.owned)
                return
            if row["status"] != "True":
                yield Flaw(f"{named} {words}: {_why(row)}", awaited=self.owned)
                return
        if not status.get("addresses"):
            yield Flaw(f"{named} is programmed but has no address")

    def _of_route(self, api: Api) -> Iterator[Flaw]:
        (namespace, name), named = self.route, f"HTTPRoute {'/'.join(self.route)}"
        found = api.get(f"{API}/namespaces/{namespace}/httproutes/{name}")
        if found is None:
            yield Flaw(f"{named} does not exist")
            return
        parents = [
            row
            for row in (found.get("status") or {}).get("parents") or []
            if gateway_of(found, row["parentRef"]) == self.gateway
        ]
        if not parents:
            gateway = "/".join(self.gateway)
            why = f"it does not name Gateway {gateway} as a parent, or the Gateway's controller has not set its status"
            yield Flaw(f"{named} is not attached: {why}", awaited=self.own_route)
        for parent in parents:
            current = _current(parent["conditions"], found)
            for kind, words in (("Accepted", "is not accepted"), ("ResolvedRefs", "cannot reach its backend")):
                row = current.get(kind)
                if row is None or row["status"] != "True":
                    why = _why(row) if row else "the Gateway's controller has not set its status"
                    yield Flaw(f"{named} {words}: {why}", awaited=self.own_route and kind == "Accepted")


def _current(conditions: list[Object] | None, about: Object) -> dict[str, Object]:
    """Returns conditions by type, without those of an earlier generation of the object."""
    generation = about["metadata"].get("generation", 0)
    return {row["type"]: row for row in conditions or [] if row.get("observedGeneration", generation) >= generation}


def _why(row: Object) -> str:
    return f"{row['message'].rstrip('.') or 'its controller gives no reason'} ({row['reason']})"
