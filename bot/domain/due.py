"""Due days as people type them after "by": `friday`, `next week`, `in 10 days`, `2026-12-01`, `1 December`."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from dateutil import parser

from bot.domain.refusals import Refusal

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_IN = re.compile(r"(?:in\s+)?(?P<n>\d{1,3}|a|one|two|three)\s+(?P<unit>day|week|month)s?")
_SMALL = {"a": 1, "one": 1, "two": 2, "three": 3}
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_NAMED = re.compile(
    r"(?:\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?[a-z]{3,9}\.?|[a-z]{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?)(?:,?\s+\d{4})?"
)


_BY = re.compile(r"\sby\s+(?P<day>\S.{0,40}?)[.\s]*$", re.IGNORECASE)
#: Characters at the end of a text in which its day is looked for.
_WITHIN = 60


def split_due(text: str, *, today: date) -> tuple[str, date | None]:
    """The text without "by friday" at its end, and that day; the whole text when no day is meant.

    Raises Refusal as read_due_day does.
    """
    found = _BY.search(text, max(0, len(text) - _WITHIN))
    day = read_due_day(found["day"], today=today) if found is not None else None
    if found is None or day is None:
        return text, None
    return text[: found.start()].rstrip(), day


def read_due_day(text: str, *, today: date) -> date | None:
    """The day that is meant; None when the words are no day at all ("by hand").

    Raises Refusal for a day that has passed, does not exist, or could be either of two.
    """
    word = " ".join(text.lower().replace(",", " ").split())
    day = _near(word, today) or _counted(word, today) or _dated(word, today)
    if day is not None and day < today:
        raise Refusal(
            f"“{text.strip()}” has passed. Give a day ahead, for example `by {today + timedelta(7)}`."
        )
    return day


def _near(word: str, today: date) -> date | None:
    if word in {"today", "tonight", "eod", "end of day"}:
        return today
    if word == "tomorrow":
        return today + timedelta(1)
    if word in {"end of month", "the end of the month", "eom"}:
        return (today.replace(day=28) + timedelta(4)).replace(day=1) - timedelta(1)
    name = word.removeprefix("next ").removeprefix("this ")
    full = next((one for one in _WEEKDAYS if one == name or (len(name) >= 3 and name == one[:3])), None)
    if full is None:
        return None
    ahead = (_WEEKDAYS.index(full) - today.weekday()) % 7
    if ahead == 0 and not word.startswith("next "):
        raise Refusal(
            f"Today is {full.capitalize()}. Write `by today`, or `by {today + timedelta(7)}` for the next one."
        )
    return today + timedelta(ahead or 7)


def _counted(word: str, today: date) -> date | None:
    if word == "next week":
        return today + timedelta(7)
    found = _IN.fullmatch(word)
    if found is None:
        return None
    number = _SMALL.get(found["n"]) or int(found["n"])
    return today + timedelta(number * {"day": 1, "week": 7, "month": 30}[found["unit"]])


def _dated(word: str, today: date) -> date | None:
    if _ISO.fullmatch(word):
        year, month, day = (int(part) for part in word.split("-"))
        try:
            return date(year, month, day)
        except ValueError:
            raise Refusal(f"There is no day `{word}`. For example `by {today + timedelta(7)}`.") from None
    if re.fullmatch(r"\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?", word):
        raise Refusal(
            f"`{word}` can be two different days. Write it as `by {today + timedelta(7)}` (year-month-day)."
        )
    if _NAMED.fullmatch(word):
        try:
            # Only the date of what is read counts, so no zone is needed.
            found = parser.parse(word.replace(" of ", " "), default=datetime(today.year, 1, 1))  # noqa: DTZ001
        except (ValueError, OverflowError):
            return None
        has_year = re.search(r"\d{4}", word) is not None
        day_meant = found.date()
        if not has_year and day_meant < today:
            return day_meant.replace(year=day_meant.year + 1)
        return day_meant
    return None
