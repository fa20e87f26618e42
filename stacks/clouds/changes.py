"""Changes of an existing cluster that a stack file would cause, found before the engine refuses them without a reason.

A stack keeps the last plan of its cluster as a fingerprint among its outputs. The state alone cannot tell an argument that was
left out from one that Google filled in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.clouds.replaces import Immutables
from stacks.clouds.resource import Resource, plain, snake

Fingerprint = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """A change of a resource, and the arguments that cause it.

    `replaced`: the resource is deleted with all that runs on it, and created anew; else its nodes are recreated one after the
    other. `refused`: the stack protects the resource.
    """

    resource: Resource
    fields: tuple[str, ...]
    replaced: bool

    @property
    def refused(self) -> bool:
        """Whether the engine refuses the change until the stack file allows it."""
        return self.replaced and self.resource.protect


def fingerprint(resources: Sequence[Resource], table: Immutables) -> dict[str, dict[str, Any]]:
    """Returns the fingerprint of resources: all that `changes` compares, as plain JSON values."""
    return {
        resource.name: {"type": resource.type, "args": plain(resource.args)}
        for resource in resources
        if table.knows(resource.type)
    }


def changes(before: Fingerprint, resources: Sequence[Resource], table: Immutables) -> list[Change]:
    """Returns replacements, and recreations of nodes, for resources that are in both plans. Cheap in-place changes are left
    out.
    """
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
