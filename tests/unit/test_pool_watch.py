"""Warnings about node pools while an `up` waits for their nodes: each reason once, and none after the nodes exist."""

import threading
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from kubernetes.client.exceptions import ApiException

from rehearsal.fleet.node_pools import Controller
from stacks.clouds.coreweave import watch as pool_watch
from stacks.clouds.coreweave.watch import shortages, watch, watch_pools
from stacks.clouds.pools import NodePool
from tests import cks_plans
from tests.unit.test_coreweave import stack
from tests.unit.test_nodepools import Store, pool, served

GIVEN = stack(acceleratorPool={"name": "gpu"}, systemPool={"name": "cpu"})
POOLS = cks_plans.pools(GIVEN)
Look = Iterator[tuple[NodePool, str]]


def store() -> Store:
    return Store(pool(), pool("cpu", nodes=1, kind="cd-gp-i64-erapids"))


def said(found: Store) -> list[str]:
    return [sentence for _, sentence in shortages(found, POOLS) if sentence]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "sentences"),
    [
        (
            "not-in-zone",
            [
                "NodePool cpu lacks nodes (cd-gp-i64-erapids): instance type does not exist in zone (Validated: Invalid); "
                "no node will ever come: Ctrl-C, and name an instance type that the zone has",
                "NodePool gpu lacks nodes (gd-8xh200ib-i128): instance type does not exist in zone (Validated: Invalid); "
                "no node will ever come: Ctrl-C, and name an instance type that the zone has",
            ],
        ),
        (
            "quota",
            [
                "NodePool gpu lacks nodes (gd-8xh200ib-i128): quota limit is 0 for instance type gd-8xh200ib-i128 "
                "(Quota: NotSet); no node will ever come: Ctrl-C, and ask CoreWeave for quota"
            ],
        ),
        (
            "stockout",
            [
                "NodePool gpu lacks nodes (gd-8xh200ib-i128): 2 nodes wait for capacity of the zone (Capacity: "
                "QueuedAwaitingCapacity); nothing of it bills yet: wait, or Ctrl-C and `pulumi up` later"
            ],
        ),
        (None, []),
    ],
)
def test_each_reason_in_coreweaves_words_and_what_helps(fault: str | None, sentences: list[str]) -> None:
    assert said(served(store(), fault)) == sentences


def test_each_is_said_once_and_the_watch_ends_when_the_nodes_are_there() -> None:
    found, told, slept = store(), list[str](), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        Controller(found, "quota" if len(slept) < 8 else None).reconcile()  # type: ignore[arg-type]

    watch(lambda: shortages(found, POOLS), told.append, sleep)  # type: ignore[arg-type]
    assert len(told) == 1
    assert "(Quota: NotSet)" in told[0]
    assert 8 <= len(slept) < 16, "it ends by itself"


def test_a_pool_that_is_not_there_yet_is_waited_for() -> None:
    assert [(found.name, text) for found, text in shortages(Store(), POOLS)] == [("cpu", ""), ("gpu", "")]  # type: ignore[arg-type]


def test_an_answer_of_no_use_ends_nothing() -> None:
    answers: list[Any] = [ApiException(status=503), OSError("away"), [(POOLS[0], "why")], []]
    told: list[str] = []

    def look() -> Look:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield from answer

    watch(look, told.append, lambda _: None)
    assert (told, answers) == (["why"], [])


def test_it_ends_some_time() -> None:
    looks: list[int] = []

    def look() -> Look:
        looks.append(1)
        yield POOLS[0], ""

    watch(look, pytest.fail, lambda _: None)
    assert len(looks) == pool_watch.LONGEST / pool_watch.SECONDS


@pytest.mark.parametrize(
    ("preview", "pools", "watched"), [(False, POOLS, True), (True, POOLS, False), (False, [], False)]
)
def test_only_an_up_that_makes_pools_is_watched(
    preview: bool, pools: list[NodePool], watched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: preview)
    monkeypatch.setattr(pool_watch, "Api", lambda *_: None)
    monkeypatch.setattr(pool_watch, "watch", lambda *_: done.set())
    watch_pools(pools, GIVEN.cluster.at)
    assert done.wait(5 if watched else 0.1) is watched
