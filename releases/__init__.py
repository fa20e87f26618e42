"""Bills of versions by name. A release is a row: one data module, one line here."""

from hardware.bill import Bill
from hardware.render.workload import UnknownChoiceError
from releases import guide_2026_05, guide_2026_06

DEFAULT = "guide-2026-05"

RELEASES: dict[str, Bill] = {bill.name: bill for bill in (guide_2026_05.BILL, guide_2026_06.BILL)}


def release(name: str) -> Bill:
    """Returns the bill with a name.

    Raises:
        UnknownChoiceError: no such bill; the message names the known ones.
    """
    try:
        return RELEASES[name]
    except KeyError:
        raise UnknownChoiceError("release", name, RELEASES) from None
