"""Replacements that a changed stack file would cause in an existing cluster, reported before the engine refuses them.

The cluster as it was last planned is a fingerprint, which a stack keeps among its outputs: from the state alone nobody could tell
an argument that was left out from one that Google filled in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.clouds.replaces import Immutables
from stacks.clouds.resource import Resource, plain, snake

Fingerprint = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """The effect of a change on a resource, and the changed arguments.

    `replaced`: it goes with all that is on it, and another comes; else its nodes are made anew, one after the other.
    `refused`: the stack protects it.
    """

    resource: Resource
    fields: tuple[str, ...]
    replaced: bool

    @property
    def refused(self) -> bool:
        """Whether the engine will not do it until the stack file allows it."""
        return self.replaced and self.resource.protect


def fingerprint(resources: Sequence[Resource], table: Immutables) -> dict[str, dict[str, Any]]:
    """Returns the fingerprint of resources, by which a later run finds changes, as JSON data."""
    return {
        resource.name: {"type": resource.type, "args": plain(resource.args)}
        for resource in resources
        if table.knows(resource.type)
    }


def changes(before: Fingerprint, resources: Sequence[Resource], table: Immutables) -> list[Change]:
    """Replacements and nodes made anew, of resources that are in both. What changes in place and cheaply is left out."""
    found = []
    for resource in resources:
        known = before.get(resource.name)
        if known is None or known["type"] != resource.type:
            continue
        ignored = {snake(name) for name in resource.ignore_changes}
        old, new = (
            {key: value for key, value in args.items() if key not in ignored}
            for args in (known["args"], plain(resource.args))
        )
        if fields := table.replacing_fields(old, new, resource.type):
            found.append(Change(resource, tuple(fields), replaced=True))
        elif fields := table.disruptive_fields(old, new, resource.type):
            found.append(Change(resource, tuple(fields), replaced=False))
    return found
