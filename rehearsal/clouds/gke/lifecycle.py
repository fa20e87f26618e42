"""The life of a resource in the pretend GKE: check, create, update, delete.

`checks` and `needs` find what it refuses; a name that is taken and a resource in use are refused here. It is stricter than
Google, who deletes a service account that nodes still use, with the nodes' permissions.
"""
# ruff: noqa: ARG002 - the signatures are the protocol's

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.clouds.gke import words
from rehearsal.clouds.gke.answers import answered, as_kept
from rehearsal.clouds.gke.checks import Subject, problems
from rehearsal.clouds.gke.faults import play
from rehearsal.clouds.gke.kinds import KINDS, Kind, Made
from rehearsal.clouds.gke.needs import allowed
from rehearsal.clouds.gke.nodes import Fleet
from rehearsal.clouds.gke.references import references, users
from rehearsal.clouds.inputs import camel, drop_nulls
from rehearsal.clouds.store import Cloud, Record, stack_of
from rehearsal.plugins.kube.diff import detailed
from rehearsal.plugins.plugin import Failure
from rehearsal.plugins.provider import Changes, Lifecycle, Properties, Resource
from rehearsal.plugins.values import UNKNOWN, is_unknown
from releases.values import at, merge
from stacks.clouds.gke.laws.view import look_up
from stacks.clouds.gke.replaces import REPLACING, replacing_fields
from stacks.clouds.resource import Arguments, from_the_engine

_CLUSTER, _POOL, _SUBNET = "container.Cluster", "container.NodePool", "compute.Subnetwork"


def _at_once(_seconds: float) -> bool:
    return False


@dataclass(frozen=True)
class World:
    """The state that all resources share: cloud, project of the provider, fleet, fault, how to wait, and the fleet's endpoint."""

    cloud: Cloud
    project: str = ""
    fleet: Fleet | None = None
    fault: str | None = None
    wait: Callable[[float], bool] = _at_once
    endpoint: str = ""


class CloudResources(Lifecycle):
    """The lifecycle of one kind of resource."""

    foresees = True

    def __init__(self, kind: str, world: World) -> None:
        self._kind: Kind = KINDS[kind]
        self._world = world

    def check(
        self, resource: Resource, old: Properties, new: Properties, name: str
    ) -> tuple[Properties, Mapping[str, str]]:
        if "{name}" in self._kind.id and new.get("name") is None:
            new = {**new, "name": name}
        args = self._args(new)
        stack = stack_of(resource.urn)
        others = [
            record for record in self._world.cloud.records() if record.stack == stack and record.urn != resource.urn
        ]
        missing = {camel(place): "required field is not set" for place in self._kind.places if not args.get(place)}
        return new, missing or problems(Subject(self._kind.path, args, self._kind.id_of(args), others))

    def diff(self, resource: Resource, old: Properties, new: Properties, state: Properties) -> Changes:
        """Compares with the kept state: a value that Google filled in and the program leaves out can be a change too."""
        kept = as_kept(self._kind.path, old, state)
        fields = self._replacing(self._args(kept), self._args(new))
        return detailed(kept, new, [tuple(camel(field).split(".")) for field in fields])

    def create(self, resource: Resource, new: Properties, timeout: float, preview: bool) -> tuple[str, Properties]:
        if preview:
            return "", self._foreseen(new)
        args = self._args(new)
        id_ = self._kind.id_of(args)
        if self._kind.path == _POOL:
            play(self._world.fault, args, id_, self._world.wait)
        with self._world.cloud.changing() as records:
            allowed(self._kind, args, records)
            if not self._kind.shared and any(record.id == id_ for record in records):
                raise words.already_exists(id_)
            outputs = [
                at(tuple(path.split(".")), value(Made(args, id_, self._world.endpoint)))
                for path, value in self._kind.computed.items()
            ]
            state = answered(self._kind.path, args, merge(new, *outputs))
            made = Record(self._kind.path, id_, resource.urn, args["project"], new, state)
            self._settle(made, records)
            records.append(made)
            self._world.cloud.tell("create", made)
        return id_, state

    def read(
        self, resource: Resource, id_: str, inputs: Properties, state: Properties
    ) -> tuple[str, Properties, Properties] | None:
        found = _find(self._world.cloud.records(), self._kind.path, id_, resource.urn)
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
        outputs = [
            at(tuple(path.split(".")), value)
            for path in self._kind.computed
            if (value := look_up(state, path)) is not None
        ]
        if preview:
            return merge(new, *outputs)
        args = self._args(new)
        with self._world.cloud.changing() as records:
            before = _find(records, self._kind.path, id_, resource.urn)
            if before is None:
                raise words.not_found(id_)
            allowed(self._kind, args, records)
            if self._kind.path == _CLUSTER:
                outputs.append({"masterVersion": self._kind.computed["masterVersion"](Made(args, id_))})
            kept = answered(self._kind.path, args, merge(new, *outputs))
            after = replace(before, urn=resource.urn, inputs=new, state=kept)
            self._settle(after, records)
            records[records.index(before)] = after
            self._world.cloud.tell("update", after)
        return after.state

    def delete(self, resource: Resource, id_: str, inputs: Properties, state: Properties, timeout: float) -> None:
        """Removes the resource, and the pools of a cluster with it; no error if it does not exist."""
        with self._world.cloud.changing() as records:
            found = _find(records, self._kind.path, id_, resource.urn)
            if found is None or (self._kind.shared and found.urn != resource.urn):
                return
            gone = [found]
            if found.kind == _CLUSTER:
                if found.args.get("deletion_protection") is not False:
                    raise words.protected()
                gone = [*(user for user in users(found, records) if user.kind == _POOL), found]
            elif not any(other.id == found.id for other in records if other is not found):
                self._unused(found, records)
            for record in gone:
                self._let_go(record)
                records.remove(record)
                self._world.cloud.tell("delete", record)

    def _args(self, inputs: Properties) -> dict[str, Any]:
        args: dict[str, Any] = from_the_engine(drop_nulls(inputs))
        return {**args, "project": args.get("project") or self._world.project}

    def _replacing(self, old: Arguments, new: Arguments) -> list[str]:
        if self._kind.path not in REPLACING:
            return [field for field in self._kind.fixed if old.get(field) != new.get(field)]
        if self._kind.path == _SUBNET and is_unknown(new.get("ip_cidr_range")):
            # A range that is not known yet can become any.
            new = {**new, "ip_cidr_range": old["ip_cidr_range"]}
            return [*replacing_fields(old, new, self._kind.path), "ip_cidr_range"]
        return replacing_fields(old, new, self._kind.path)

    def _foreseen(self, new: Properties) -> Properties:
        return merge(new, *(at(tuple(path.split(".")), UNKNOWN) for path in self._kind.computed))

    def _unused(self, found: Record, records: Sequence[Record]) -> None:
        for user in users(found, records):
            raise words.in_use(self._kind.noun, found.id, user.id)

    def _settle(self, record: Record, records: Sequence[Record]) -> None:
        """Changes the fleet to what a cluster or a pool asks for."""
        fleet = self._world.fleet
        if fleet is None:
            return
        with _fleet_answers():
            if record.kind == _CLUSTER:
                fleet.bring(str(record.state["masterVersion"]), record.args)
            elif record.kind == _POOL:
                fleet.settle(record.args, _cluster_of(record, records).args)

    def _let_go(self, record: Record) -> None:
        fleet = self._world.fleet
        if fleet is None:
            return
        with _fleet_answers():
            if record.kind == _POOL:
                fleet.remove(record.args)
            elif record.kind == _CLUSTER:
                fleet.take()


@contextmanager
def _fleet_answers() -> Iterator[None]:
    """Turns errors of the fleet's API server into failures of the operation."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (ApiException, HTTPError) as error:
        raise Failure(f"the fleet of the rehearsal failed: {' '.join(str(error).split())}") from error


def _find(records: Sequence[Record], kind: str, id_: str, urn: str) -> Record | None:
    """Returns the resource of this id; of several grants of one role the one with this URN, if it exists."""
    found = [record for record in records if record.kind == kind and record.id == id_]
    return next((record for record in found if record.urn == urn), found[0] if found else None)


def _cluster_of(pool: Record, records: Sequence[Record]) -> Record:
    (reference,) = (one for one in references(_POOL, pool.args) if one.path == "cluster")
    cluster = reference.found(records)
    if cluster is None:
        raise words.not_found(reference.target)
    return cluster
