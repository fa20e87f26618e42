"""Warnings about node pools that get no nodes, in CoreWeave's words, while an `up` waits for them.

The provider waits for a number of nodes, for an hour, and does not show the conditions by which CoreWeave says that none comes.
So the program, which lives for as long as the engine makes its resources, looks beside it and says each of them once. It only
looks: what ends the wait is the user's Ctrl-C, or the hour. A pool that was refused before is found by
`stacks.clouds.coreweave.look`.
"""

import contextlib
import contextvars
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import grpc
import pulumi

from stacks.clouds.coreweave.pools import API
from stacks.clouds.pools import NodePool
from stacks.kube.api import Api, KubeconfigError
from stacks.kube.context import Context

#: Between two looks. CoreWeave judges a pool at once, and nodes take 20 to 30 minutes.
SECONDS = 10.0
#: As long as the provider waits for two pools, one after the other.
LONGEST = 7200.0
#: Fixes by the type of the failed condition.
ADVICE: Mapping[str, str] = {
    "Validated": "no node will ever come: Ctrl-C, and name an instance type that the zone has",
    "Quota": "no node will ever come: Ctrl-C, and ask CoreWeave for quota",
    "Capacity": "nothing of it bills yet: wait, or Ctrl-C and `pulumi up` later",
}


def shortages(api: Api, pools: Sequence[NodePool]) -> Iterator[tuple[NodePool, str]]:
    """The pools that lack nodes, each with an empty sentence, and one more for every condition that says why.

    Raises what `api` raises.
    """
    for pool in pools:
        live = api.get(f"{API}/{pool.name}")
        status = (live or {}).get("status") or {}
        wanted = live["spec"].get("targetNodes", 0) if live else 1
        if status.get("currentNodes", 0) >= wanted:
            continue
        yield pool, ""
        for row in status.get("conditions") or ():
            if row["type"] in ADVICE and row["status"] == "False":
                why = f"{row.get('message') or 'CoreWeave does not say why'} ({row['type']}: {row.get('reason')})"
                yield pool, f"NodePool {pool.name} lacks nodes ({pool.instance_type}): {why}; {ADVICE[row['type']]}"


def watch(
    look: Callable[[], Iterator[tuple[NodePool, str]]],
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Says each sentence once, until every pool has its nodes."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    said = {""}
    for _ in range(int(LONGEST / SECONDS)):
        sleep(SECONDS)
        try:
            found = [*look()]
        except (ApiException, HTTPError, OSError, json.JSONDecodeError):
            continue  # the provider asks the same server, and says so
        if not found:
            return
        for _, sentence in found:
            if sentence not in said:
                say(sentence)
                said.add(sentence)


def watch_pools(pools: Sequence[NodePool], context: Context) -> None:
    """Watches them in an `up`, beside the program and for no longer than that lives."""
    if not pools or pulumi.runtime.is_dry_run():
        return
    try:
        api = Api(context.kubeconfig, context.context)
    except KubeconfigError:
        return  # it was read a moment ago, by whom it would have been refused
    # The SDK keeps its connection to the engine in a context variable, which a thread of its own would not have.
    variables = contextvars.copy_context()
    arguments = (watch, lambda: shortages(api, pools), _say)
    threading.Thread(target=variables.run, args=arguments, name="node pools", daemon=True).start()


def _say(sentence: str) -> None:
    with contextlib.suppress(grpc.RpcError):  # the engine has ended, and nobody waits any more
        pulumi.log.warn(sentence)
