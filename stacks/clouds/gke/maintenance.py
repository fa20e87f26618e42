"""Maintenance of a GKE cluster: the window in the stack file, and an exclusion of upgrades that `version` controls.

Google's provider demands exactly one of three kinds of window. The daily window has 4 hours; any other length, or days of the
week, need a recurring window.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from math import ceil
from typing import Any, get_args

from stacks.clouds.gke.spec import DAILY_HOURS, MaintenanceWindow, Weekday

#: The start of the exclusion. It must be a time, which may be in the past.
EXCLUSION_START = "2026-01-01T00:00:00Z"
#: The hours of maintenance that GKE demands in every period of so many days (GKE docs, maintenance windows).
_LEAST_HOURS, _ROLLING_DAYS = 48, 32
#: The Monday of the week in which recurring windows begin. It may be in the past too.
_MONDAY = datetime(2026, 1, 5)
_WEEK: Sequence[Weekday] = get_args(Weekday)


def policy(stated: MaintenanceWindow) -> dict[str, Any]:
    """Returns the cluster's `maintenance_policy`: one window, and an exclusion of all but patches of the control plane."""
    frozen = {"scope": "NO_MINOR_OR_NODE_UPGRADES", "end_time_behavior": "UNTIL_END_OF_SUPPORT"}
    exclusion = {"exclusion_name": "until-the-stack-says", "start_time": EXCLUSION_START, "exclusion_options": frozen}
    return {**_window(stated), "maintenance_exclusions": [exclusion]}


def shortage(stated: MaintenanceWindow) -> tuple[str, str, str] | None:
    """Returns what is wrong, why, and the fix, if a window is open for less time than GKE demands."""
    named = _days(stated)
    # 32 days contain every day of the week at least four times. A daily window is always long enough.
    times = len(named) * (_ROLLING_DAYS // len(_WEEK)) if named else _ROLLING_DAYS
    if (available := times * stated.hours) >= _LEAST_HOURS:
        return None
    what = f"{stated.hours} hours on {' and '.join(named)} are too few"
    why = f"GKE demands {_LEAST_HOURS} hours of maintenance in any {_ROLLING_DAYS} days, and these are {available}"
    return what, why, f"write `hours: {ceil(_LEAST_HOURS / times)}` or more, or more days"


def _days(stated: MaintenanceWindow) -> list[Weekday]:
    """Returns the days that the file names, each once, from Monday to Sunday."""
    return [day for day in _WEEK if day in stated.days]


def _window(stated: MaintenanceWindow) -> dict[str, Any]:
    named = _days(stated)
    if not named and stated.hours == DAILY_HOURS:
        return {"daily_maintenance_window": {"start_time": stated.start}}
    # The first window begins on a day of the recurrence, because RFC 5545 does not define another start.
    first = _MONDAY + timedelta(days=_WEEK.index(named[0]) if named else 0)
    begin = datetime.combine(first, time.fromisoformat(stated.start))
    recurrence = f"FREQ=WEEKLY;BYDAY={','.join(named)}" if named else "FREQ=DAILY"
    window = {
        "start_time": _utc(begin),
        "end_time": _utc(begin + timedelta(hours=stated.hours)),
        "recurrence": recurrence,
    }
    return {"recurring_window": window}


def _utc(moment: datetime) -> str:
    """Spells a time as GKE returns it; any other spelling would differ at every preview."""
    return f"{moment.isoformat(timespec='seconds')}Z"
