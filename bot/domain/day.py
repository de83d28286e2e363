"""Days as people type them: `yesterday`, `last monday`, `3 June 2024`, `June 3rd`, `2024-06-03`, `3.6.2024`.

Day and month as two numbers with a slash (`3/4/2024`) are read differently in different countries: refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil import parser

from bot.domain.refusals import Refusal

_NAMES = parser.parserinfo()
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WEEKDAY = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)"
)
_NUMBER = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?(?![\w:]|[.,][0-9])"
_YEAR = r"(?:,?\s+(?P<year>(?:19|20)[0-9]{2})(?![\w:./-]))?"
_LED = rf"(?:(?P<weekday>{_WEEKDAY})\b\.?,?\s+)?"
_NAMED = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_LED}{_NUMBER}\s+(?:of\s+)?{_MONTH}{_YEAR}(?!['’])",
        rf"{_LED}{_MONTH}\s+{_NUMBER}{_YEAR}(?!['’])",
    )
)
_ISO = re.compile(
    r"(?P<year>[0-9]{4})(?P<sep>[-/])(?P<month>[0-9]{1,2})(?P=sep)(?P<day>[0-9]{1,2})(?![0-9/-]|\.[0-9])"
)
_DOTTED = re.compile(
    r"(?P<day>[0-9]{1,2})\.\s?(?P<month>[0-9]{1,2})\.\s?(?P<year>(?:19|20)[0-9]{2})(?![\w]|\.[0-9])"
)
_SLASHED = re.compile(
    r"[0-9]{1,2}(?:/[0-9]{1,2}(?:/(?P<year>[0-9]{4}|[0-9]{2}))?|-[0-9]{1,2}-(?P<dashed>[0-9]{4}))(?![\w/%.-]|:\S)"
)
_WORD = re.compile(
    rf"(?:(?P<near>today|this\s+(?:morning|afternoon|evening)|yesterday(?:\s+(?:morning|afternoon|evening))?|tomorrow)"
    rf"|(?:(?P<which>last|this|next)\s+)?(?P<weekday>{_WEEKDAY}))\b(?!['’])",
    re.IGNORECASE,
)
_DAYS_AGO = re.compile(r"(?P<n>[0-9]{1,4}|an?|one|two|three)\s+(?P<unit>day|week)s?\s+ago\b", re.IGNORECASE)
_SMALL = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}


@dataclass(frozen=True)
class Day:
    #: The days it may mean on a given today, the likeliest first; the first that is not ahead is meant.
    candidates: Callable[[date], tuple[date, ...]]
    #: Its meaning moves with today's date, so the zone it is said in matters.
    is_relative: bool
    #: A whole date: with nothing else it is still plainly a date, not prose.
    is_dated: bool = False
    #: A weekday's name, which before a noun may belong to it ("Monday deploy").
    is_weekday: bool = False


def _fixed(year: int, month: int, day: int, written: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Refusal(
            f"There is no day `{written}`. Write one such as `2024-06-03 10:30` or `3 June 2024 10:30`."
        ) from None


def _yearless(month: int, day: int, today: date) -> tuple[date, ...]:
    # 29 February may be up to eight years back (2096 to 2104).
    found = []
    for year in range(today.year + 1, today.year - 9, -1):
        try:
            found.append(date(year, month, day))
        except ValueError:
            continue
    return tuple(found)


def _named(match: re.Match[str]) -> Day:
    written, number = match[0], int(match["day"])
    month = _NAMES.month(match["month"].lower().rstrip("."))
    assert month
    weekday = _NAMES.weekday(match["weekday"].lower()) if match["weekday"] else None
    if match["year"]:
        known = _fixed(int(match["year"]), month, number, written)
        if weekday is not None and known.weekday() != weekday:
            raise Refusal(
                f"`{written}` is a {known:%A}. "
                f"Write `{known:%Y-%m-%d} 10:30`, or `last {match['weekday'].lower()} 10:30`."
            )
        return Day(lambda _: (known,), is_relative=False, is_dated=True)
    _fixed(2000, month, number, written)

    def candidates(today: date) -> tuple[date, ...]:
        days = _yearless(month, number, today)
        fitting = tuple(one for one in days if weekday is None or one.weekday() == weekday)
        nearest = min(days, key=lambda one: abs(one - today))
        if weekday is not None and nearest.weekday() != weekday:
            raise Refusal(
                f"`{written}`: {nearest:%-d %B %Y} is a {nearest:%A}. "
                f"Write `{nearest:%Y-%m-%d} 10:30`, or `last {match['weekday'].lower()} 10:30`."
            )
        # More than half a year back is likelier a slip for a day ahead: the nearest one decides.
        return (nearest,) if nearest in fitting else fitting

    return Day(candidates, is_relative=False)


def _worded(match: re.Match[str]) -> Day:
    if match["near"]:
        near = match["near"].lower()
        shift = {"y": -1, "t": 0}[near[0]] if near != "tomorrow" else 1
        return Day(lambda today: (today + timedelta(days=shift),), is_relative=True)
    weekday, which = _NAMES.weekday(match["weekday"].lower()[:3]), (match["which"] or "").lower()
    assert weekday is not None

    def candidates(today: date) -> tuple[date, ...]:
        latest = today - timedelta(days=(today.weekday() - weekday) % 7)
        if which == "next":
            return (latest + timedelta(days=7),)
        if which == "last" and latest == today:
            return (latest - timedelta(days=7),)
        return (latest, latest - timedelta(days=7))

    return Day(candidates, is_relative=False, is_weekday=True)


def take_day(text: str) -> tuple[Day | None, str]:
    """Take a leading day off a text. Raises Refusal for one no calendar has."""
    if match := _ISO.match(text) or _DOTTED.match(text):
        known = _fixed(int(match["year"]), int(match["month"]), int(match["day"]), match[0])
        return Day(lambda _: (known,), is_relative=False, is_dated=True), text[match.end() :]
    for form in _NAMED:
        if match := form.match(text):
            return _named(match), text[match.end() :]
    if match := _DAYS_AGO.match(text):
        days = (_SMALL.get(match["n"].lower()) or int(match["n"])) * (
            7 if match["unit"].lower() == "week" else 1
        )
        return Day(lambda today: (today - timedelta(days=days),), is_relative=True), text[match.end() :]
    if match := _WORD.match(text):
        return _worded(match), text[match.end() :]
    return None, text


def slashed(text: str) -> tuple[str, bool, str] | None:
    """Give a leading `3/4` or `3/4/2024`, whether it has a year, and the rest."""
    match = _SLASHED.match(text)
    return (match[0], bool(match["year"] or match["dashed"]), text[match.end() :]) if match else None
