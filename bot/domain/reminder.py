"""When the owner of a follow-up is reminded: three days before it is due, that day, and every week after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.domain.followup import FollowUp, FollowUpState
from bot.domain.incident import Severity

BEFORE = timedelta(days=3)
EVERY = timedelta(days=7)
#: From this hour on, by the clock of whoever is reminded.
HOUR = time(9)
#: Days from noting a follow-up to its due day, where somebody has it and nobody said a day.
DAYS = {Severity.SEV1: 15, Severity.SEV2: 15, Severity.SEV3: 30, Severity.SEV4: 30}


@dataclass(frozen=True)
class Reminder:
    """A follow-up that is worth a word today."""

    follow_up: FollowUp
    #: The day for which it is said; said once for each.
    occasion: date


def default_due(severity: Severity, today: date) -> date:
    """The due day of a follow-up that has an owner and no day."""
    return today + timedelta(days=DAYS[severity])


def occasion(item: FollowUp, now: datetime) -> date | None:
    """The day for which its owner is to be reminded now; None when there is none, or it was said before.

    `now` is the owner's own clock. Of several that were missed, only the newest counts.
    """
    if item.state is not FollowUpState.OPEN or item.due_on is None:
        return None
    # Before the hour it is still yesterday.
    day = now.date() if now.time() >= HOUR else now.date() - timedelta(days=1)
    if item.snoozed_until is not None and day < item.snoozed_until:
        return None
    found = _newest(item.due_on, day)
    if item.snoozed_until is not None:
        found = max(found, item.snoozed_until) if found else None
    if found is None or (item.reminded_on is not None and found <= item.reminded_on):
        return None
    return found


def _newest(due_on: date, day: date) -> date | None:
    if day < due_on - BEFORE:
        return None
    if day < due_on:
        return due_on - BEFORE
    return due_on + EVERY * ((day - due_on) // EVERY)


def how_late(due_on: date, today: date) -> str:
    """due in 3 days, due today, 8 days overdue"""
    days = (due_on - today).days
    if days == 0:
        return "due today"
    many = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    return f"due in {many}" if days > 0 else f"{many} overdue"
