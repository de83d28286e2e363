"""Moments as people type them, in the zone of who types: `10:30`, `15m ago`, `yesterday 22:10 UTC`.

Never a guess: what does not exist on that day's clocks, happens twice on them, may mean two things, or lies
ahead is refused with things to type instead.  Prose that merely begins like a time ("10 users report ...") is
left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NoReturn
from zoneinfo import ZoneInfo

from dateutil import tz

from bot.domain.clock import Clock, bare_number, refuse_span, take_clock
from bot.domain.day import Day, slashed, take_day
from bot.domain.refusals import Refusal
from bot.domain.zone import Spoken, name_at, take_zone, zone_named

__all__ = ["read_moment", "say_duration", "say_moment", "take_moment", "zone_named"]

#: How far a typed clock time may lie ahead of ours: two clocks never agree.
SKEW = timedelta(minutes=2)
#: An incident's timeline reaches back this far; a moment before it is a slip of the year.
OLDEST = timedelta(days=5 * 365 + 2)

_NUMBER = (
    r"(?:[0-9]{1,6}(?:[.,][0-9]{1,3})?\s*|(?:half\s+an?|an?|one|two|three|four|five|six|seven|eight|nine|ten"
    r"|fifteen|twenty|thirty|forty|fifty)\s+)"
)
_UNIT = r"(?:seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wks?|w)(?![a-z])"
_AGO = re.compile(
    rf"(?P<parts>[0-9]{{1,3}}h[0-9]{{2}}|{_NUMBER}{_UNIT}(?:\s*(?:,|and\b)?\s*{_NUMBER}{_UNIT}){{0,5}}"
    r"(?P<half>\s+and\s+a\s+half)?)\s+ago\b(?!['’])",
    re.IGNORECASE,
)
_ONE_PART = re.compile(rf"(?P<n>{_NUMBER})(?P<unit>{_UNIT})", re.IGNORECASE)
_BACK = re.compile(rf"[-−]\s?(?P<parts>(?:[0-9]{{1,5}}\s?{_UNIT}\s?)+)", re.IGNORECASE)
_SPAN = re.compile(rf"(?P<parts>(?:[0-9]{{1,5}}\s?{_UNIT}\s?)+)", re.IGNORECASE)
_AHEAD = re.compile(rf"in\s+{_NUMBER}{_UNIT}", re.IGNORECASE)
_WORDS = ("a an one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SAID = {word: count for count, words in enumerate(_WORDS, 1) for word in words.split()}
_SAID |= {"fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

_NOW = re.compile(r"(?:just\s+|right\s+)?now\b(?!['’])", re.IGNORECASE)
_MIDNIGHT = re.compile(r"midnight\b(?!['’])", re.IGNORECASE)
_STAMP = re.compile(r"<!date\^([0-9]{1,12})\^[^<>]*>")
_LED_BY = re.compile(r"(?:at\s+|@\s?)(?=[0-9]|noon\b|midnight\b)", re.IGNORECASE)
_BETWEEN = re.compile(
    r"(?:\s*,\s*(?:at\s+)?|\s+at\s+|\s+-\s+|T|\s+)(?=[0-9@~]|noon\b|midnight\b)", re.IGNORECASE
)
_ON = re.compile(r"(?:\s*,\s*(?:on\s+)?|\s+on\s+(?:the\s+)?|\s+)(?=\S)", re.IGNORECASE)
#: What ends a word that is a time only when it stands apart: the end, a colon, a spaced dash.
_EDGE = re.compile(r"\s*(?:$|:(?!//)|[|;\])]|[-–—]+\s|[→⇒]|[-=]&gt;)")
_SEPARATOR = re.compile(
    r"\s*(?:[-=]?&gt;|[→⇒|;,]|:(?!:?[a-z][a-z0-9_+'-]*:)|[-–—]+(?=\s|$)|\.(?=\s|$))\s*|[-–—](?=[^\W\d_])|\s+"
)
_EXAMPLES = "`10:30`, `15m ago`, `yesterday 22:10` or `2024-06-03 10:30 UTC`"


def read_moment(text: str, *, now: datetime, zone: tzinfo) -> datetime:
    """Give the UTC moment a whole text says. Raises Refusal when it says none, or more than one."""
    moment, rest = take_moment(text, now=now, zone=zone)
    if moment is None:
        shown = _shown(text)
        what = f"“{shown}” is not a time that can be read" if shown else "There is no time in that"
        raise Refusal(f"{what}. Write one such as {_EXAMPLES}.")
    if rest:
        raise Refusal(
            f"After the time, “{_shown(rest)}” cannot be read. Write only the time, such as {_EXAMPLES}."
        )
    return moment


def take_moment(
    text: str, *, now: datetime, zone: tzinfo, is_start: Callable[[str], bool] = lambda rest: False
) -> tuple[datetime | None, str]:
    """Take a leading moment off a line: the UTC moment and the rest without its separator.

    None (and the text as it was) when the line begins with no time.  `is_start` says whether a rest begins
    something of its own, which makes a time of the word before it: `now`, `noon`.  Raises Refusal.
    """
    body = text.strip()

    def stands_apart(rest: str) -> bool:
        return bool(_EDGE.match(rest)) or is_start(rest.lstrip())

    found = _take(body, now, zone, stands_apart)
    if found is None:
        return None, text
    moment, rest = found
    separator = _SEPARATOR.match(rest)
    return moment, rest[separator.end() :] if separator else rest


def _take(
    body: str, now: datetime, zone: tzinfo, stands_apart: Callable[[str], bool]
) -> tuple[datetime, str] | None:
    if body[:1] in {"[", "("}:
        inside, closed, rest = body[1:].partition("])"["[(".index(body[0])])
        inner = _take(inside.strip(), now, zone, stands_apart) if closed else None
        return (inner[0], rest) if inner and not inner[1].strip() else None
    if match := _STAMP.match(body):
        return _checked_stamp(int(match[1]), now), body[match.end() :]
    if match := _NOW.match(body):
        return (now, body[match.end() :]) if stands_apart(body[match.end() :]) else None
    led = _LED_BY.match(body)
    start = body[led.end() :] if led else body
    found = (
        _take_ago(start, now, stands_apart)
        or _take_clock_first(start, now, zone, stands_apart if not led else lambda rest: True)
        or _take_day_first(start, now, zone, stands_apart)
    )
    if found is None:
        _refuse_unclear(start, now, zone, stands_apart)
    return found


def _take_ago(body: str, now: datetime, stands_apart: Callable[[str], bool]) -> tuple[datetime, str] | None:
    if match := _AGO.match(body):
        if take_day(body)[0] and _BETWEEN.match(body, match.end()):
            return None
        back = _length(match["parts"])
        if match["half"]:
            unit = _ONE_PART.findall(match["parts"])[-1][1]
            back += timedelta(seconds=_SECONDS[unit[0].lower()] / 2)
    elif (match := _BACK.match(body)) and stands_apart(body[match.end() :]):
        back = _length(match["parts"])
    else:
        return None
    if back > OLDEST:
        _refuse_old(match[0], now)
    return now - back, body[match.end() :]


def _length(parts: str) -> timedelta:
    if match := re.fullmatch(r"([0-9]+)h([0-9]{2})", parts, re.IGNORECASE):
        return timedelta(hours=int(match[1]), minutes=int(match[2]))
    seconds = 0.0
    for number, unit in _ONE_PART.findall(parts):
        count = number.strip().lower()
        if count.startswith("half"):
            amount = 0.5
        else:
            amount = float(_SAID[count]) if count in _SAID else float(count.replace(",", "."))
        seconds += amount * _SECONDS[unit[0].lower()]
    return timedelta(seconds=seconds)


def _take_clock_first(
    body: str, now: datetime, zone: tzinfo, stands_apart: Callable[[str], bool]
) -> tuple[datetime, str] | None:
    clock, rest = take_clock(body)
    if clock is None:
        return None
    refuse_span(clock, rest, is_iso=False)
    spoken, rest = take_zone(rest)
    day, after = _day_after(rest)
    if day is not None:
        rest = after
        if spoken is None:
            spoken, rest = take_zone(rest)
    elif spoken is None and body[:4].lower() == "noon" and not stands_apart(rest):
        return None
    return _settle(clock, day, spoken, now, zone), rest


def _day_after(rest: str) -> tuple[Day | None, str]:
    between = _ON.match(rest)
    if between is None:
        return None, rest
    day, after = take_day(rest[between.end() :])
    # "10:30 Monday deploy suspected" speaks of the deploy; "10:30 Monday: ..." of the day.
    if day and day.is_weekday and "on" not in between[0].lower() and not _EDGE.match(after):
        return None, rest
    return day, after


def _take_day_first(
    body: str, now: datetime, zone: tzinfo, stands_apart: Callable[[str], bool]
) -> tuple[datetime, str] | None:
    start = re.sub(r"^on\s+", "", body, flags=re.IGNORECASE)
    day, rest = take_day(start)
    if day is None:
        return None
    between = _BETWEEN.match(rest)
    if between:
        at = rest[between.end() :].removeprefix("@").lstrip()
        clock, after = take_clock(at)
        if clock is not None:
            is_iso = between[0] == "T" or clock.has_seconds
            refuse_span(clock, after, is_iso=is_iso)
            spoken, after = take_zone(after)
            return _settle(clock, day, spoken, now, zone), after
        if _MIDNIGHT.match(at):
            _refuse_midnight(now, zone)
    written = start[: len(start) - len(rest)].strip()
    if day.is_dated or stands_apart(rest) or (re.search("[0-9]", written) and re.match(r"\s+[0-9]", rest)):
        raise Refusal(
            f"“{written}” has no clock time. Write one with it: `{written} 09:15` or `{written} 10:30`."
        )
    return None


def _refuse_unclear(body: str, now: datetime, zone: tzinfo, stands_apart: Callable[[str], bool]) -> None:
    """Raise Refusal for what may be a time, when it stands where a time would."""
    if (match := _MIDNIGHT.match(body)) and stands_apart(body[match.end() :]):
        _refuse_midnight(now, zone)
    if date_like := slashed(body):
        written, has_year, rest = date_like
        is_clocked = bool(rest and take_clock(rest.lstrip(" ,"))[0])
        if has_year or stands_apart(rest) or is_clocked or _may_be_a_day(written, rest):
            first, last = re.split(r"[/-]", written)[:2]
            raise Refusal(
                f"`{written}` is one day in some countries and another elsewhere. "
                "Write `2024-06-03 10:30` or `3 June 2024 10:30`"
                + ("." if has_year else f", or “{first} of {last}” if it is a part of something.")
            )
    bare = bare_number(body)
    is_before_a_kind = bare is not None and stands_apart(bare[3]) and not _EDGE.match(bare[3])
    if bare and (not bare[3] or is_before_a_kind or re.match(r"\s*:(?!//)(?:\s|$)", bare[3])):
        written, one, other, _ = bare
        raise Refusal(f"`{written}` may be a time or a number. Write `{one}` or `{other}` for the time.")
    if (match := _SPAN.match(body)) and re.match(r"\s*(?::\s|$)", body[match.end() :]):
        written = match[0].strip()
        raise Refusal(f"`{written}` is a length of time. Write `{written} ago`, or the time itself, `10:30`.")
    if (match := _AHEAD.match(body)) and stands_apart(body[match.end() :]):
        raise Refusal(
            f"`{match[0]}` is in the future. Entries tell what has happened: write `now` or `15m ago`."
        )


def _may_be_a_day(written: str, rest: str) -> bool:
    """True for `3/4 alarms`, which is no more a fraction than a day; not for `3/4 of them`, `24/7`, `80/20`."""
    if "/" not in written or written == "24/7" or re.match(r"\s+of\b", rest, re.IGNORECASE):
        return False
    small, large = sorted(int(part) for part in written.split("/"))
    return 1 <= small <= 12 and large <= 31


def _settle(clock: Clock, day: Day | None, spoken: Spoken | None, now: datetime, zone: tzinfo) -> datetime:
    """Give the UTC moment of a clock time on a day. Raises Refusal unless it is just one, and past."""
    moment = _latest(clock, day, spoken, now, spoken.zone if spoken else zone, zone)
    if day is not None and day.is_relative and spoken is not None:
        here = day.candidates(now.astimezone(zone).date())
        there = day.candidates(now.astimezone(spoken.zone).date())
        if here != there:
            raise Refusal(
                f"It is not the same day in {spoken.name} as where you are, so that day may be two. "
                f"Write `{here[0]:%Y-%m-%d} {clock.text} {spoken.name}` or "
                f"`{there[0]:%Y-%m-%d} {clock.text} {spoken.name}`."
            )
    return moment


def _latest(
    clock: Clock, day: Day | None, spoken: Spoken | None, now: datetime, there: tzinfo, zone: tzinfo
) -> datetime:
    if day is None:
        today = (now + SKEW).astimezone(there).date()
        days: tuple[date, ...] = (today, today - timedelta(days=1))
    else:
        days = day.candidates(now.astimezone(there).date())
    for one in days:
        if one < (now - OLDEST).date():
            _refuse_old(f"{one:%Y-%m-%d}", now)
        if one > (now + timedelta(days=3)).date():
            continue
        past = [m for m in _moments(one, clock.at, spoken, there, day is not None) if m <= now + SKEW]
        if not past:
            continue
        wall = datetime.combine(one, clock.at)
        region = ZoneInfo(spoken.region) if spoken and spoken.region else there
        if not tz.datetime_exists(wall, region):
            _refuse_gap(wall, past, region, day is not None)
        if len(past) > 1:
            _refuse_twice(wall, past, region, day is not None)
        return past[0]
    raise Refusal(
        f"That time is in the future (it is {now.astimezone(zone):%H:%M} for you). "
        f"Entries tell what has happened: write `now` or `yesterday {clock.text}`."
    )


def _moments(day: date, at: time, spoken: Spoken | None, there: tzinfo, is_dated: bool) -> list[datetime]:
    """Give the UTC moments at which clocks there show this: two when they were put back or forward."""
    wall = datetime.combine(day, at)
    if spoken is None or not spoken.region:
        return sorted({wall.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1)})
    region = ZoneInfo(spoken.region)
    offset = wall.replace(tzinfo=spoken.zone).utcoffset()
    in_force = [wall.replace(tzinfo=region, fold=fold) for fold in (0, 1)]
    if offset not in [moment.utcoffset() for moment in in_force]:
        said, place = in_force[0].tzname(), spoken.region.rpartition("/")[2].replace("_", " ")
        typed = f"{wall:%Y-%m-%d %H:%M}" if is_dated else f"{wall:%H:%M}"
        raise Refusal(
            f"{place} was on {said}, not {spoken.name}, on {_on(wall)}. "
            f"Write `{typed} {said}` or `{typed} {_offset(wall.replace(tzinfo=spoken.zone))}`."
        )
    return [wall.replace(tzinfo=spoken.zone).astimezone(UTC)]


def _on(wall: datetime) -> str:
    return f"{wall.day} {wall:%b %Y}"


def _offset(moment: datetime) -> str:
    text = f"{moment:%z}"
    return f"{text[:3]}:{text[3:5]}"


def _refuse_gap(wall: datetime, past: list[datetime], region: tzinfo, is_dated: bool) -> NoReturn:
    form = "%Y-%m-%d %H:%M" if is_dated else "%H:%M"
    ways = [f"`{m.astimezone(region):{form}}`" for m in past] + ["`15m ago`"]
    raise Refusal(
        f"There was no {wall:%H:%M} on {_on(wall)}: clocks were put forward over it. "
        f"Write {ways[0]} or {ways[1]}."
    )


def _refuse_twice(wall: datetime, past: list[datetime], region: tzinfo, is_dated: bool) -> NoReturn:
    form = "%Y-%m-%d %H:%M" if is_dated else "%H:%M"
    first, second = (f"`{wall:{form}} {_offset(m.astimezone(region))}`" for m in past)
    raise Refusal(
        f"{wall:%H:%M} came twice on {_on(wall)}: clocks were put back. "
        f"Write {first} for the first, or {second} for the second."
    )


def _refuse_old(written: str, now: datetime) -> NoReturn:
    raise Refusal(
        f"“{written}” is more than 5 years back. "
        f"Write a later one such as `{now - timedelta(days=1):%Y-%m-%d} 10:30`, "
        "or `now`, with the date in the text."
    )


def _refuse_midnight(now: datetime, zone: tzinfo) -> NoReturn:
    today = now.astimezone(zone).date()
    raise Refusal(
        "Midnight begins one day and ends another. "
        f"Write `{today:%Y-%m-%d} 00:00` or `{today - timedelta(days=1):%Y-%m-%d} 00:00`."
    )


def _checked_stamp(seconds: int, now: datetime) -> datetime:
    oldest, latest = (now - OLDEST).timestamp(), (now + SKEW).timestamp()
    if seconds > latest:
        raise Refusal("That date is in the future. Entries tell what has happened: write `now` or `15m ago`.")
    if seconds < oldest:
        _refuse_old("That date", now)
    return datetime.fromtimestamp(seconds, UTC)


def _shown(text: str) -> str:
    """Give the first words of what was typed, without the characters Slack gives a meaning to."""
    plain = " ".join(re.sub(r"[<>&`*_~|\x00-\x1f]", " ", text).split())
    return plain if len(plain) <= 40 else plain[:39] + "…"


def say_moment(moment: datetime, zone: tzinfo) -> str:
    """Say a moment in a zone, to the minute, or to the second when it has seconds: 3 Jun 2024 10:30 UTC."""
    local = moment.astimezone(zone)
    offset = local.utcoffset()
    assert offset is not None
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{local.day} {local:%b %Y} {clock} {name_at(zone, offset, local.tzname())}"


def say_duration(length: timedelta) -> str:
    """Say a length of time to the minute, below a minute to the second: 1 day 2 hours 5 minutes."""
    total = int(abs(length).total_seconds())
    if total < 60:
        parts = [(total, "second")]
    else:
        parts = [(total // 86400, "day"), (total // 3600 % 24, "hour"), (total // 60 % 60, "minute")]
    said = " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count)
    sign = "minus " if length < -timedelta(seconds=1) else ""
    return sign + (said or "0 seconds")
