"""The life of a resource in a pretend cloud: check, create, update, delete, by the rows of the cloud's table.

Every pretend cloud refuses a name that is taken, a reference to a missing resource, and the deletion of a resource that another
one uses. It is as strict as the cloud's docs, and stricter if they are silent.
"""
# ruff: noqa: ARG002 - the signatures are the protocol's

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from rehearsal.clouds.input_checks import Subject, problems
from rehearsal.clouds.inputs import camel, drop_nulls
from rehearsal.clouds.pretend import Kind, Made, PretendKinds, World
from rehearsal.clouds.references import found as referred
from rehearsal.clouds.references import references, users
from rehearsal.clouds.store import Record, stack_of
from rehearsal.plugins.kube.diff import detailed
from rehearsal.plugins.plugin import Failure
from rehearsal.plugins.provider import Changes, Lifecycle, Properties, Resource
from rehearsal.plugins.values import UNKNOWN
from releases.values import at, look_up, merge
from stacks.clouds.resource import from_the_engine


class PretendResources(Lifecycle):
    """The lifecycle of one kind of resource, by its class path."""

    foresees = True

    def __init__(self, table: PretendKinds, kind: str, world: World) -> None:
        self._table = table
        self._kind: Kind = table.kinds[kind]
        self._errors = table.errors
        self._world = world

    def check(
        self, resource: Resource, old: Properties, new: Properties, name: str
    ) -> tuple[Properties, Mapping[str, str]]:
        if self._kind.named and new.get("name") is None:
            new = {**new, "name": name}
        args = self._args(new)
        missing = {camel(place): "required field is not set" for place in self._kind.places if not args.get(place)}
        if missing:
            return new, missing
        stack = stack_of(resource.urn)
        others = [one for one in self._world.cloud.records() if one.stack == stack and one.urn != resource.urn]
        # Others refer to a random id, which does not exist yet.
        id_ = self._kind.id_of(args) or resource.urn
        return new, problems(self._table, Subject(self._kind.path, args, id_, others))

    def diff(self, resource: Resource, old: Properties, new: Properties, state: Properties) -> Changes:
        """Compares with the kept state: a value that the cloud filled in and the program leaves out can be a change too."""
        kept = self._table.as_kept(self._kind.path, old, state)
        fields = self._table.replacing_fields(self._kind, self._args(kept), self._args(new))
        return detailed(kept, new, [_steps(camel(field)) for field in fields])

    def create(self, resource: Resource, new: Properties, timeout: float, preview: bool) -> tuple[str, Properties]:
        args = self._args(new)
        if preview:
            return "", merge(new, *(at(_steps(path), UNKNOWN) for path in self._outputs(new)))
        made = Made(args, self._kind.id_of(args) or str(uuid.uuid4()), self._world)
        self._kind.begin(made)
        with self._world.cloud.changing() as records:
            made = self._allowed(made, records)
            if any(self._is_taken(made, record) for record in records):
                raise self._errors.already_exists(self._kind.noun, self._errors.name(args, made.id))
            self._kind.check_new(made)
            outputs = [at(_steps(path), value(made)) for path, value in self._outputs(new).items()]
            state = self._table.answered(self._kind.path, args, merge(new, *outputs))
            record = Record(
                kind=self._kind.path,
                id=made.id,
                urn=resource.urn,
                project=args.get("project", ""),
                inputs=new,
                state=state,
            )
            with _fleet_answers():
                self._kind.settle(made, state)
            records.append(record)
            self._world.cloud.tell("create", record)
        return made.id, state

    def read(
        self, resource: Resource, id_: str, inputs: Properties, state: Properties
    ) -> tuple[str, Properties, Properties] | None:
        found = self._find(self._world.cloud.records(), id_, resource.urn)
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
        known = ((path, look_up(state, _steps(path))) for path in self._outputs(new))
        outputs = [at(_steps(path), value) for path, value in known if value is not None]
        if preview:
            return merge(new, *outputs)
        args = self._args(new)
        with self._world.cloud.changing() as records:
            before = self._find(records, id_, resource.urn)
            if before is None:
                raise self._errors.not_found(self._kind.noun, id_)
            made = self._allowed(Made(args, id_, self._world, before=before), records)
            self._kind.check_change(made, before)
            outputs += [at(_steps(path), self._kind.computed[path](made)) for path in self._kind.follows]
            kept = self._table.answered(self._kind.path, args, merge(new, *outputs))
            after = replace(before, urn=resource.urn, inputs=new, state=kept)
            with _fleet_answers():
                self._kind.settle(made, kept)
            records[records.index(before)] = after
            self._world.cloud.tell("update", after)
        return after.state

    def delete(self, resource: Resource, id_: str, inputs: Properties, state: Properties, timeout: float) -> None:
        """Removes the resource, and the users that its kind takes along; no error if it does not exist."""
        with self._world.cloud.changing() as records:
            found = self._find(records, id_, resource.urn)
            if found is None or (self._kind.shared and found.urn != resource.urn):
                return
            self._kind.check_delete(found)
            gone = [*self._taken_along(found, records), found]
            for record in gone:
                with _fleet_answers():
                    self._table.kinds[record.kind].leave(self._world, record)
                records.remove(record)
                self._world.cloud.tell("delete", record)

    def _args(self, inputs: Properties) -> dict[str, Any]:
        """Returns the arguments in the SDK's spelling, without the engine's own (`__…`)."""
        found: dict[str, Any] = from_the_engine(drop_nulls(inputs))
        args = {key: value for key, value in found.items() if not key.startswith("__")}
        if "project" in self._kind.places:
            args["project"] = args.get("project") or self._world.project
        return args

    def _outputs(self, new: Properties) -> dict[str, Any]:
        """Returns how the outputs are computed that no argument sets."""
        filled = {path: value for path, value in self._kind.filled.items() if look_up(new, _steps(path)) is None}
        return {**self._kind.computed, **filled}

    def _allowed(self, made: Made, records: Sequence[Record]) -> Made:
        """Returns the resource with those it refers to. Raises Failure if a prerequisite is missing."""
        made = replace(made, records=records)
        self._kind.check_project(made)
        refers = {}
        for reference in references(self._table.kinds, self._kind.path, made.args):
            record = referred(self._table.kinds, reference, records)
            if record is None:
                raise self._errors.no_target(reference)
            refers[reference.path] = record
        made = replace(made, refers=refers)
        self._kind.check_references(made)
        return made

    def _is_taken(self, made: Made, record: Record) -> bool:
        """Whether a record has the id of a new resource, or its name if ids are random."""
        if self._kind.id:
            return not self._kind.shared and record.id == made.id
        return record.kind == self._kind.path and record.args["name"] == made.args["name"]

    def _taken_along(self, found: Record, records: Sequence[Record]) -> list[Record]:
        """Returns the users that go with a resource. Raises Failure if it has others."""
        if any(other.id == found.id for other in records if other is not found):
            return []  # a shared resource, which stays
        with _fleet_answers():
            by = [*self._kind.users(self._world)]
        using = [*users(self._table.kinds, found, records)]
        for user in (one for one in using if one.kind not in self._kind.takes):
            by.append((self._table.kinds[user.kind].noun, self._errors.name(user.args, user.id)))
        for noun, name in by:
            raise self._errors.in_use(self._kind.noun, self._errors.name(found.args, found.id), noun, name)
        return using

    def _find(self, records: Sequence[Record], id_: str, urn: str) -> Record | None:
        """Returns the resource of this id; of several grants of one role the one with this URN, if it exists."""
        found = [record for record in records if record.kind == self._kind.path and record.id == id_]
        return next((record for record in found if record.urn == urn), found[0] if found else None)


@contextmanager
def _fleet_answers() -> Iterator[None]:
    """Turns errors of the fleet's API server into failures of the operation."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (ApiException, HTTPError) as error:
        raise Failure(f"the fleet of the rehearsal failed: {' '.join(str(error).split())}") from error


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))
