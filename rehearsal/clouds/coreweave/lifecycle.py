"""The life of a VPC or a CKS cluster in the pretend cloud: check, create, update, delete.

It is as strict as CoreWeave's docs, and stricter where they are silent: a cluster with a NodePool cannot be deleted.
"""
# ruff: noqa: ARG002 - the signatures are the protocol's

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.clouds.coreweave import words
from rehearsal.clouds.inputs import camel, drop_nulls
from rehearsal.clouds.sdk import Sdk
from rehearsal.clouds.store import Cloud, Record, stack_of
from rehearsal.plugins.kube.diff import detailed
from rehearsal.plugins.provider import Changes, Lifecycle, Properties, Resource
from rehearsal.plugins.values import UNKNOWN, contains_unknown
from releases.coreweave import SDK
from stacks.clouds.coreweave.plan import CLUSTER, VPC
from stacks.clouds.coreweave.replaces import CKS, unchangeable_fields
from stacks.clouds.coreweave.rules import RULES
from stacks.clouds.coreweave.versions import OLDEST_OFFERED, parse
from stacks.clouds.resource import Resource as Planned
from stacks.clouds.resource import from_the_engine
from stacks.findings import run
from stacks.rules.facts import Facts

#: The noun in messages, by class.
NOUNS = {VPC: "VPC", CLUSTER: "cluster"}


@dataclass(frozen=True)
class World:
    """The state that both kinds share: the cloud, the fleet's endpoint, and the names of its NodePools."""

    cloud: Cloud
    endpoint: str = ""
    node_pools: Callable[[], Sequence[str]] = tuple


class CoreWeaveResources(Lifecycle):
    """The lifecycle of one kind of resource, by its class in the SDK."""

    foresees = True

    def __init__(self, kind: str, world: World) -> None:
        self._kind = kind
        self._world = world

    def check(
        self, resource: Resource, old: Properties, new: Properties, name: str
    ) -> tuple[Properties, Mapping[str, str]]:
        if new.get("name") is None:
            new = {**new, "name": name}
        args = _args(new)
        wrong = [(str(path), what) for path, what in Sdk(SDK).mistakes(Planned("", self._kind, "", args), {})]
        found: dict[str, list[str]] = {}
        for path, what in wrong or self._laws(resource, args):
            found.setdefault(camel(path), []).append(what)
        return new, {path: "; ".join(what) for path, what in found.items()}

    def diff(self, resource: Resource, old: Properties, new: Properties, state: Properties) -> Changes:
        fields = CKS.replacing_fields(_args(old), _args(new), self._kind)
        return detailed(old, new, [(camel(field),) for field in fields])

    def create(self, resource: Resource, new: Properties, timeout: float, preview: bool) -> tuple[str, Properties]:
        if preview:
            return "", {**new, **dict.fromkeys(self._computed("", _args(new)), UNKNOWN)}
        args, id_ = _args(new), str(uuid.uuid4())
        with self._world.cloud.changing() as records:
            if any(record.kind == self._kind and record.args["name"] == args["name"] for record in records):
                raise words.already_exists(NOUNS[self._kind], args["name"])
            self._require_vpc(args, records)
            if self._kind == CLUSTER and (parse(args["version"]) or OLDEST_OFFERED) < OLDEST_OFFERED:
                raise words.not_offered(args["version"])
            made = Record(self._kind, id_, resource.urn, "", new, {**new, **self._computed(id_, args)})
            records.append(made)
            self._world.cloud.tell("create", made)
        return id_, made.state

    def read(
        self, resource: Resource, id_: str, inputs: Properties, state: Properties
    ) -> tuple[str, Properties, Properties] | None:
        found = self._find(self._world.cloud.records(), id_)
        return None if found is None else (found.id, found.inputs, found.state)

    def update(
        self,
        resource: Resource,
        id_: str,
        new: Properties,
        state: Properties,
        *,
        timeout: float,
        preview: bool,
        ignore: list[str],
    ) -> Properties:
        args = _args(new)
        after = {**new, **{key: state.get(key, value) for key, value in self._computed(id_, args).items()}}
        if preview:
            return after
        with self._world.cloud.changing() as records:
            found = self._find(records, id_)
            if found is None:
                raise words.not_found(NOUNS[self._kind], id_)
            self._require_vpc(args, records)
            self._can_become(found, args, records)
            changed = replace(found, urn=resource.urn, inputs=new, state=after)
            records[records.index(found)] = changed
            self._world.cloud.tell("update", changed)
        return after

    def delete(self, resource: Resource, id_: str, inputs: Properties, state: Properties, timeout: float) -> None:
        """Removes the resource; no error if it does not exist."""
        with self._world.cloud.changing() as records:
            found = self._find(records, id_)
            if found is None:
                return
            for user in self._users(found, records):
                raise words.in_use(NOUNS[self._kind], found.args["name"], user)
            records.remove(found)
            self._world.cloud.tell("delete", found)

    def _laws(self, resource: Resource, args: Properties) -> Iterator[tuple[str, str]]:
        """Yields the laws that the resource and others of its stack break; a value that is not known yet breaks none."""
        stack = stack_of(resource.urn)
        others = [record for record in self._world.cloud.records() if record.stack == stack]
        known = {key: value for key, value in args.items() if not contains_unknown(value)}
        own = Planned(resource.urn, self._kind, "", known)
        there = [Planned(one.id, one.kind, "", one.args) for one in others if one.urn != resource.urn]
        for broken in run(RULES, Facts(resources=[*there, own])).errors:
            _, name, *field = broken.finding.at
            if name == own.name:
                yield ".".join(map(str, field)), f"{broken.rule}: {broken.what}"

    def _computed(self, id_: str, args: Properties) -> Properties:
        """Returns the outputs that the cloud adds."""
        if self._kind == VPC:
            said = {"hostPrefixes", "ingress", "egress"} - {camel(key) for key in args}
            hosts = {"name": "primary", "type": "PRIMARY", "prefixes": ["10.176.192.0/18"]}
            added = {
                "hostPrefixes": [hosts],
                "ingress": {"disablePublicServices": False},
                "egress": {"disablePublicAccess": False},
            }
            return {key: value for key, value in added.items() if key in said}
        endpoint = self._world.endpoint or f"{id_[:8]}.k8s.{str(args.get('zone')).lower()}.coreweave.com"
        return {
            "apiServerEndpoint": endpoint,
            "status": "STATUS_RUNNING",
            "serviceAccountOidcIssuerUrl": f"https://oidc.cks.coreweave.com/id/{id_}",
        }

    def _require_vpc(self, args: Properties, records: Sequence[Record]) -> None:
        """Raises Failure if a cluster's VPC does not exist."""
        if self._kind == CLUSTER and self._vpc(args, records) is None:
            raise words.not_found(NOUNS[VPC], str(args.get("vpc_id")))

    def _can_become(self, found: Record, args: Properties, records: Sequence[Record]) -> None:
        fields = unchangeable_fields(found.args, args, self._kind)
        if "version" in fields:
            raise words.no_upgrade(found.args["version"], args["version"])
        if fields:
            for user in self._users(found, records):
                raise words.in_use("a prefix of VPC", found.args["name"], user)

    def _users(self, found: Record, records: Sequence[Record]) -> Iterator[str]:
        """Yields the resources that use it."""
        if self._kind == CLUSTER:
            yield from (f"NodePool {name}" for name in self._world.node_pools())
            return
        for record in records:
            if record.kind == CLUSTER and record.args["vpc_id"] == found.id:
                yield f"cluster {record.args['name']}"

    def _vpc(self, args: Properties, records: Sequence[Record]) -> Record | None:
        return next((one for one in records if one.kind == VPC and one.id == args.get("vpc_id")), None)

    def _find(self, records: Sequence[Record], id_: str) -> Record | None:
        return next((one for one in records if one.kind == self._kind and one.id == id_), None)


def _args(inputs: Properties) -> dict[str, Any]:
    found: dict[str, Any] = from_the_engine(drop_nulls(inputs))
    return {key: value for key, value in found.items() if not key.startswith("__")}
