"""How facts look on a page: moments in the visitor's zone, people by name, what was typed in Slack as safe HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from markupsafe import Markup

from bot.domain import markup, zoned
from bot.domain.people import Person
from bot.domain.when import say_duration
from bot.domain.wording import MONTHS, WEEKDAYS
from bot.domain.zone import name_at


@dataclass(frozen=True)
class Look:
    """Words the facts of one page for one visitor."""

    now: datetime
    #: The visitor's own; UTC when Slack does not say.
    zone: tzinfo = UTC
    people: Mapping[str, Person] = field(default_factory=dict)
    #: Slack id -> channel name.
    channels: Mapping[str, str] = field(default_factory=dict)

    # Moments. The element's title is UTC, to the second.

    def clock(self, at: datetime) -> Markup:
        """10:30"""
        there = at.astimezone(self.zone)
        return _time(at, f"{there:%H:%M}")

    def moment(self, at: datetime) -> Markup:
        """3 June 10:30; with the year when it is not this one."""
        there = at.astimezone(self.zone)
        return _time(at, f"{self._day(there.date())} {there:%H:%M}")

    def day(self, at: datetime) -> str:
        """Monday, 3 June 2024"""
        there = at.astimezone(self.zone).date()
        return f"{WEEKDAYS[there.weekday()]}, {there.day} {MONTHS[there.month - 1]} {there.year}"

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def due(self, on: date) -> str:
        return self._day(on)

    def _day(self, on: date) -> str:
        year = "" if on.year == self.now.astimezone(self.zone).year else f" {on.year}"
        return f"{on.day} {MONTHS[on.month - 1][:3]}{year}"

    def typed(self, at: datetime) -> str:
        """2024-06-03 10:30, as a field takes it back in the visitor's zone."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"

    @property
    def zone_name(self) -> str:
        """What the visitor's clocks are called now: CEST"""
        there = self.now.astimezone(self.zone)
        return name_at(self.zone, there.utcoffset() or timedelta(0), there.tzname())

    def lasted(self, start: datetime, end: datetime | None) -> str:
        """How long: 2 hours 5 minutes; until now while there is no end."""
        length = (end or self.now) - start
        return say_duration(length) if length >= timedelta(0) else ""

    # What people typed in Slack

    def said(self, text: str | None) -> Markup:
        # to_html escapes whatever was typed; tests/test_console_attacks.py types it.
        return Markup(markup.to_html(text or "", self._names(), self.channels))  # noqa: S704

    def line(self, text: str | None) -> str:
        """On one line and without marks: a title."""
        return " ".join(markup.to_plain(text or "", self._names(), self.channels).split())

    def name(self, person: str | None) -> str:
        if not person:
            return "nobody"
        found = self.people.get(person)
        return found.name if found is not None else person

    def _names(self) -> Mapping[str, str]:
        return {one.id: one.name for one in self.people.values()}


def look_of(visitor: Person | None, now: datetime) -> Look:
    """How things look to somebody, before anybody else is known."""
    return Look(now, zoned.zone_of(visitor) or UTC)


def _time(at: datetime, shown: str) -> Markup:
    day, clock = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}".split()
    # Digits and names of months: nothing here was typed.
    return Markup(f'<time datetime="{day}T{clock}Z" title="{day} {clock} UTC">{shown}</time>')  # noqa: S704
