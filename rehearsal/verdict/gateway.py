"""The way into a stack in gateway mode, as its Gateway's controller sees it: a programmed Gateway, and a route it takes.

Read from what the controller says of both; why it says so is its own affair.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.gateway import API
from rehearsal.gateway.statuses import names_a_gateway, parent_key
from rehearsal.verdict.verdict import Flaw
from stacks.blueprint import ServingBlueprint
from stacks.kube.api import Api, Object


@dataclass(frozen=True)
class Entrance:
    """The Gateway and the HTTPRoute of a stack, each by namespace and name, and whether they are the stack's own."""

    gateway: tuple[str, str]
    route: tuple[str, str]
    owned: bool
    own_route: bool = False

    @classmethod
    def of(cls, plan: ServingBlueprint) -> "Entrance | None":
        """The way into a stack; None where it has no Gateway."""
        if plan.gateway is None:
            return None
        route = (plan.spec.namespace, plan.gateway.route)
        return cls(
            (plan.gateway.namespace, plan.gateway.name), route, bool(plan.gateway.objects), bool(plan.gateway.routes)
        )

    def flaws(self, api: Api) -> list[Flaw]:
        """Everything that keeps requests out, now. Raises what `Api` raises."""
        return [*self._of_gateway(api), *self._of_route(api)]

    def _of_gateway(self, api: Api) -> Iterator[Flaw]:
        (namespace, name), named = self.gateway, f"Gateway {'/'.join(self.gateway)}"
        found = api.get(f"{API}/namespaces/{namespace}/gateways/{name}")
        if found is None:
            yield Flaw(f"{named} does not exist")
            return
        said = _conditions((found.get("status") or {}).get("conditions"), found)
        for kind, words in (("Accepted", "is not accepted"), ("Programmed", "is not programmed")):
            row = said.get(kind)
            if row is None or row["status"] == "Unknown":
                which = found["spec"]["gatewayClassName"]
                why = f"no controller has looked at it: is there a GatewayClass {which}, and does one serve it?"
                yield Flaw(f"{named} {words}: {why}", awaited=self.owned)
                return
            if row["status"] != "True":
                yield Flaw(f"{named} {words}: {_words(row)}", awaited=self.owned)
                return
        if not (found.get("status") or {}).get("addresses"):
            yield Flaw(f"{named} is programmed but has no address")

    def _of_route(self, api: Api) -> Iterator[Flaw]:
        (namespace, name), named = self.route, f"HTTPRoute {'/'.join(self.route)}"
        found = api.get(f"{API}/namespaces/{namespace}/httproutes/{name}")
        if found is None:
            yield Flaw(f"{named} does not exist")
            return
        parents = [
            parent
            for parent in (found.get("status") or {}).get("parents") or []
            if names_a_gateway(parent["parentRef"]) and parent_key(found, parent["parentRef"]) == self.gateway
        ]
        if not parents:
            yield Flaw(
                f"{named} does not hang on Gateway {'/'.join(self.gateway)}, or its controller has not looked at it",
                awaited=self.own_route,
            )
        for parent in parents:
            said = _conditions(parent["conditions"], found)
            for kind, words in (("Accepted", "is not accepted"), ("ResolvedRefs", "cannot reach its backend")):
                row = said.get(kind)
                if row is None or row["status"] != "True":
                    why = _words(row) if row else "its Gateway's controller has not looked at it"
                    yield Flaw(f"{named} {words}: {why}", awaited=self.own_route and kind == "Accepted")


def _conditions(rows: list[Object] | None, about: Object) -> dict[str, Object]:
    """Conditions by type, those of an earlier generation of the object left out."""
    generation = about["metadata"].get("generation", 0)
    return {row["type"]: row for row in rows or [] if row.get("observedGeneration", generation) >= generation}


def _words(row: Object) -> str:
    return f"{row['message'].rstrip('.') or 'its controller does not say why'} ({row['reason']})"
