"""The faults of every cloud: each is played, and listed where users look."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from rehearsal.clouds.coreweave.faults import OF_POOLS
from rehearsal.clouds.registry import REHEARSALS, rehearsal_of
from rehearsal.errors import RehearsalError
from rehearsal.faults import Fault, check
from stacks.clouds.registry import CLOUDS
from tests.unit.test_nodepools import FINE, Store, conditions, pool, served

DOCS = Path(__file__).resolve().parents[2] / "docs" / "rehearse.md"
ROWS = [(key, fault) for key, cloud in REHEARSALS.items() for fault in cloud.faults]


def of(provider: str) -> Sequence[Fault]:
    return rehearsal_of(CLOUDS[provider]).faults


def test_ids_are_unique() -> None:
    assert len({(key, fault.id) for key, fault in ROWS}) == len(ROWS)


@pytest.mark.parametrize("fault", OF_POOLS, ids=lambda fault: fault.id)
def test_the_node_pool_controller_plays_each_of_its_faults(fault: Fault) -> None:
    store = served(Store(pool()), fault.id, looks=2)
    assert len(store.nodes) < 2
    assert conditions(store) != FINE


@pytest.mark.parametrize(("provider", "fault"), ROWS)
def test_a_fault_is_accepted_for_the_providers_that_have_it(provider: str, fault: Fault) -> None:
    check(fault.id, of(provider))


@pytest.mark.parametrize(
    ("fault", "provider", "words"),
    [
        ("flood", "gke", "use one of quota, stockout, slow-pool, apply-forbidden, zone-mismatch"),
        ("not-in-zone", "gke", "use one of quota,"),
        ("zone-mismatch", "coreweave", "use one of quota,"),
        ("quota", "existing", "the stack makes no nodes"),
    ],
)
def test_any_other_is_refused(fault: str, provider: str, words: str) -> None:
    with pytest.raises(RehearsalError, match=f"fault `{fault}` cannot be played: .*{words}"):
        check(fault, of(provider))
    check(None, of(provider))


def test_the_docs_have_every_row() -> None:
    text = DOCS.read_text()
    assert [row for row in ROWS if f"| {row[0]} | `{row[1].id}` | {row[1].title} |" not in text] == []
