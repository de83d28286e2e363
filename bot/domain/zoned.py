"""Times as people type them, in their own zone; or, while nobody knows which that is, only with a zone named.

"10:30" of somebody whose zone is unknown is refused: a guess would stand in the postmortem as a fact.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

from bot.domain import line, when
from bot.domain.people import Person
from bot.domain.refusals import Refusal
from bot.domain.zone import region

#: A zone in which every clock differs from UTC's: the test for "did they say a zone?".
_FAR = timezone(timedelta(hours=13, minutes=37))


class NoZone(Refusal):
    """A time without a zone, of somebody whose zone nobody knows."""

    def __init__(self) -> None:
        super().__init__(
            "Slack does not say which time zone you are in just now, so that time could mean anything. "
            "Add the zone, for example `10:30 UTC` or `10:30 Europe/Berlin`."
        )


def zone_of(someone: Person | None) -> tzinfo | None:
    """The person's time zone; None when nobody can say."""
    return region(someone.tz) if someone is not None and someone.tz else None


def read_line(text: str, *, now: datetime, zone: tzinfo | None) -> line.Line:
    """Time, kind and words of a log line. Raises Refusal."""
    if zone is not None:
        return line.read_line(text, now=now, zone=zone)
    found = line.read_line(text, now=now, zone=UTC)
    if found.happened_at != line.read_line(text, now=now, zone=_FAR).happened_at:
        raise NoZone
    return found


def take_moment(text: str, *, now: datetime, zone: tzinfo | None) -> tuple[datetime | None, str]:
    """A leading moment and the rest. Raises Refusal."""
    if zone is not None:
        return when.take_moment(text, now=now, zone=zone)
    moment, rest = when.take_moment(text, now=now, zone=UTC)
    if moment != when.take_moment(text, now=now, zone=_FAR)[0]:
        raise NoZone
    return moment, rest


def read_moment(text: str, *, now: datetime, zone: tzinfo | None) -> datetime:
    """The whole text as a moment. Raises Refusal."""
    if zone is not None:
        return when.read_moment(text, now=now, zone=zone)
    moment = when.read_moment(text, now=now, zone=UTC)
    if moment != when.read_moment(text, now=now, zone=_FAR):
        raise NoZone
    return moment
