"""The live cluster as rules ask it: each path is read once, so that every rule can ask for what it needs."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from stacks.findings import Finding, each
from stacks.kube.api import Api, Object
from stacks.kube.context import Context

if TYPE_CHECKING:
    from stacks.rules.facts import Facts


class LiveCluster(Api):
    """The API server of an existing cluster, for the stack with the full name `owner`. Raises what `Api` raises."""

    def __init__(self, context: Context, owner: str) -> None:
        super().__init__(context.kubeconfig, context.context)
        self.owner = owner
        self._found: dict[str, Object | None] = {}

    def get(self, path: str) -> Object | None:
        if path not in self._found:
            self._found[path] = super().get(path)
        return self._found[path]


def live_check(*checks: Callable[["Facts", LiveCluster], Iterator[Finding]]) -> Callable[["Facts"], Iterator[Finding]]:
    """Returns the check of a rule that consists of these looks at the live cluster."""

    def asked(check: Callable[["Facts", LiveCluster], Iterator[Finding]]) -> Callable[["Facts"], Iterator[Finding]]:
        return lambda facts: check(facts, facts.live)

    return each(*map(asked, checks))
