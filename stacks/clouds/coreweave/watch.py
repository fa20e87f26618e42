"""Watches node pools during an `up`, and reports why CoreWeave gives them no nodes.

The provider waits an hour for the number of nodes and does not show the conditions with which CoreWeave gives the reason. So
the program, which lives while the engine creates its resources, reads the pools in the background and logs each condition once.
It only reads: the wait ends by the user's Ctrl-C or after the hour. `stacks.clouds.coreweave.live` finds a pool that was
refused before.
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

#: Seconds between two reads. CoreWeave validates a pool at once, and nodes take 20 to 30 minutes.
SECONDS = 10.0
#: Seconds of the longest watch: as long as the provider waits for two pools, one after the other.
LONGEST = 7200.0
#: The fix, by the type of the condition that is not true.
ADVICE: Mapping[str, str] = {
    "Validated": "no node will ever come: Ctrl-C, and name an instance type that the zone has",
    "Quota": "no node will ever come: Ctrl-C, and ask CoreWeave for quota",
    "Capacity": "nothing of it bills yet: wait, or Ctrl-C and `pulumi up` later",
}


def shortages(api: Api, pools: Sequence[NodePool]) -> Iterator[tuple[NodePool, str]]:
    """Yields pools that lack nodes: each with an empty text, and again with a text for every condition that gives a reason.

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
    """Logs each text of `look` once by `say`, until every pool has its nodes."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    said = {""}
    for _ in range(int(LONGEST / SECONDS)):
        sleep(SECONDS)
        try:
            found = [*look()]
        except (ApiException, HTTPError, OSError, json.JSONDecodeError):
            continue  # the provider asks the same server, and reports the error
        if not found:
            return
        for _, sentence in found:
            if sentence not in said:
                say(sentence)
                said.add(sentence)


def watch_pools(pools: Sequence[NodePool], context: Context) -> None:
    """Watches the pools of an `up` in a background thread, which ends with the program."""
    if not pools or pulumi.runtime.is_dry_run():
        return
    try:
        api = Api(context.kubeconfig, context.context)
    except KubeconfigError:
        return  # an invalid kubeconfig was refused a moment ago, when it was read first
    # The SDK keeps its connection to the engine in a context variable, which a new thread does not have.
    variables = contextvars.copy_context()
    arguments = (watch, lambda: shortages(api, pools), _say)
    threading.Thread(target=variables.run, args=arguments, name="node pools", daemon=True).start()


def _say(sentence: str) -> None:
    with contextlib.suppress(grpc.RpcError):  # the engine has ended
        pulumi.log.warn(sentence)
