"""How a document words the facts: names for ids, moments, spans, and what people typed.

Months and weekdays are spelled here, not by strftime: a draft must not change with the machine's locale.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from urllib.parse import quote

from bot.domain.draft import UNKNOWN, Words
from bot.domain.markup import to_markdown, to_plain
from bot.domain.zone import name_at

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

#: What may stand in a link's target as it is; the rest (spaces, brackets, parentheses, quotes) is %-encoded.
_URL_SAFE = "%/:?#@!$&*+,;=~-._"
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|])")
#: What begins a heading, a list or a rule at the start of a line, and what ends a heading.
_LEADING = re.compile(r"^(\d{0,9})([-+=#.)])")
_TRAILING = re.compile(r"(?<!\\)#(?=#*$)")
#: Control characters, line and paragraph separators, and the marks that turn the direction of text.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")


@lru_cache(1024)
def escaped(text: str) -> Words:
    """Set plain text (a name, a title) on one line; it is no markup in Markdown, wherever it stands."""
    plain = " ".join(_UNPRINTABLE.sub(" ", text).split())
    inner = _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", plain))
    return Words(plain, _TRAILING.sub(r"\\#", inner))


def link(shown: str, url: str) -> str:
    """Link Markdown that is shown to a URL; give it as it is when the URL is not http or https."""
    if not re.match(r"https?://[^\s/]", url):
        return shown
    return f"[{shown}]({quote(url, safe=_URL_SAFE)})"


def on_day(day: date) -> str:
    """June 3, 2024"""
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


@dataclass(frozen=True)
class Wording:
    """Words the facts of one incident."""

    #: Slack id -> name.
    people: Mapping[str, str]
    #: Slack id -> channel name.
    channels: Mapping[str, str]
    #: The team's zone.
    zone: tzinfo

    def words(self, text: str | None) -> Words:
        """Word what somebody typed in Slack; nothing typed is unknown."""
        if text is None or not text.strip():
            return UNKNOWN
        return Words(
            to_plain(text, self.people, self.channels).strip(),
            to_markdown(text, self.people, self.channels).strip("\n"),
        )

    def title(self, text: str) -> Words:
        """Word what somebody typed in Slack, on one line and without any markup."""
        return escaped(to_plain(text, self.people, self.channels))

    def person(self, person: str) -> Words:
        """Name a person; one that is not known keeps the id."""
        return escaped(self.people.get(person) or person or "nobody named")

    def moment(self, at: datetime) -> str:
        """June 3, 2024 10:30 UTC (12:30 CEST)"""
        local = self.local(at)
        return f"{stamp(at)} UTC ({local})" if local else f"{stamp(at)} UTC"

    def local(self, at: datetime) -> str:
        """12:30 CEST by the team's clock, with the date when the day differs; "" when it is UTC's."""
        there = at.astimezone(self.zone)
        if not there.utcoffset():
            return ""
        day = "" if there.date() == at.date() else f"{on_day(there.date())} "
        return f"{day}{clock(there)} {self._zone_at(there)}"

    def span(self, start: datetime, end: datetime | None) -> str:
        """June 3, 2024 10:31 - 16:00 UTC; an open end is said."""
        if end is None:
            return f"from {stamp(start)} UTC, no end recorded"
        until = clock(end) if end.date() == start.date() else stamp(end)
        return f"{stamp(start)} - {until} UTC"

    def local_ends(self, start: datetime, end: datetime) -> str:
        """Both ends in full by the team's clock, "" when that is UTC's at both."""
        there, then = start.astimezone(self.zone), end.astimezone(self.zone)
        if not there.utcoffset() and not then.utcoffset():
            return ""
        first, last = self._zone_at(there), self._zone_at(then)
        if first == last:
            return f"{stamp(there)} - {stamp(then)} ({first})"
        return f"{stamp(there)} {first} - {stamp(then)} {last}"

    def _zone_at(self, there: datetime) -> str:
        return name_at(self.zone, there.utcoffset() or timedelta(0), there.tzname())


def clock(at: datetime) -> str:
    """10:30"""
    return f"{at.hour:02d}:{at.minute:02d}"


def stamp(at: datetime) -> str:
    """June 3, 2024 10:30"""
    return f"{on_day(at.date())} {clock(at)}"


def short_span(length: timedelta) -> str:
    """14 h 26 min, 5 min 30 s, 8 d: to the second below an hour, to the minute above; "0 s" for nothing."""
    total = round(length.total_seconds())
    if total >= 3600:
        total = total // 60 * 60
    units = ((total // 86400, "d"), (total // 3600 % 24, "h"), (total // 60 % 60, "min"), (total % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in units if count) or "0 s"


def times(count: int) -> str:
    """once, twice, 3 times"""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def counted(count: int, noun: str, plural: str = "") -> str:
    """1 step, 2 steps"""
    return f"{count} {noun}" if count == 1 else f"{count} {plural or noun + 's'}"


def listed(items: list[str]) -> str:
    """a, b and c"""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
