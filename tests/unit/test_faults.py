"""The list of faults: each row is played by the parts it names, and told to users where they look."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from commands.rehearse import rehearse
from rehearsal.errors import RehearsalError
from rehearsal.faults import FAULTS, Player, check, played_by
from tests.unit.test_nodepools import FINE, Store, conditions, pool, served

DOCS = Path(__file__).resolve().parents[2] / "docs" / "rehearse.md"
IDS = [fault.id for fault in FAULTS]


def test_ids_are_unique() -> None:
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("fault", played_by(Player.NODE_POOLS))
def test_the_node_pool_controller_plays_each_of_its_faults(fault: str) -> None:
    store = served(Store(pool()), fault, looks=2)
    assert len(store.nodes) < 2
    assert conditions(store) != FINE


def rows() -> Iterator[tuple[str, str]]:
    for fault in FAULTS:
        yield from ((fault.id, provider) for provider in fault.players)


@pytest.mark.parametrize(("fault", "provider"), list(rows()))
def test_a_fault_is_accepted_for_the_providers_that_have_it(fault: str, provider: str) -> None:
    check(fault, provider)


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
        check(fault, provider)
    check(None, provider)


def test_the_docs_and_the_help_have_every_row() -> None:
    text = DOCS.read_text()
    for fault in FAULTS:
        where = ", ".join(fault.players)
        assert f"| `{fault.id}` | {fault.title} | {where} |" in text
    (option,) = get_type_hints(rehearse, include_extras=True)["fault"].__metadata__
    assert ", ".join(IDS) in option.help
