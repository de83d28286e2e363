"""Clock times as people type them: `10:30`, `10:30:15`, `10.30pm`, `10 AM`, `22h10`, `1030 UTC`.

What may be a clock time or something else (`10`, `1030`, `10.30`, `2h30`, `10:30-11:00`) is refused, with the
ways to say each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

from bot.domain.refusals import Refusal

_HALF = r"(?:\s?(?P<half>[ap])\.?m\b\.?)"
#: Not the start of a longer word, a fraction, a MAC address or a possessive.
_END = r"(?=(?:Z|UTC|GMT|ish)\b|(?![\w%/°'’]|[.,][0-9]|:[0-9a-f]{1,4}:))"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?P<h>[0-9]{{1,2}}):(?P<m>[0-9]{{2}})(?::(?P<s>[0-9]{{2}})(?:[.,][0-9]{{1,9}})?)?{_HALF}?{_END}",
        rf"(?P<h>[0-9]{{1,2}})\.(?P<m>[0-9]{{2}}){_HALF}{_END}",
        rf"(?P<h>[0-9]{{1,2}}){_HALF}{_END}",
        rf"(?P<h>[01][0-9]|2[0-9])h(?P<m>[0-9]{{2}}){_END}",
        r"(?P<h>[0-9]{1,2})\.(?P<m>[0-9]{2})(?=\s?(?:Z|UTC|GMT)\b)",
        r"(?P<h>[0-9]{2}):?(?P<m>[0-9]{2})(?=\s?(?:Z|UTC|GMT)\b)",
    )
)
_NOON = re.compile(r"(?:12\s?)?noon\b(?!['’])", re.IGNORECASE)
_ABOUT = re.compile(r"(?:~|about\s|around\s|circa\s|ca\.?\s|approx\.?\s|roughly\s)\s*", re.IGNORECASE)
_ISH = re.compile(r"\s?-?ish\b", re.IGNORECASE)
_TO_ANOTHER = re.compile(
    r"(?:\s*[–—]\s*|\s+-\s+|-|\s+(?:to|till|until)\s+)(?P<end>[0-9]{1,2}[:.][0-9]{2})(?![0-9])", re.IGNORECASE
)
#: What may be a clock time or a mere number -> two ways to say it, from the hour {h}, its twelve-hour
#: form {t} and the minutes {m}.
_BARE = (
    (re.compile(r"(?P<h>[01]?[0-9]|2[0-4])\s?[-–—]\s?[0-9]{1,2}(?![\w.]|:\S)"), "{h:02d}:00", "{t}pm"),
    (re.compile(r"(?P<h>[01]?[0-9]|2[0-4])(?![\w.]|:\S)"), "{h:02d}:00", "{t}pm"),
    (re.compile(r"(?P<h>[01][0-9]|2[0-3])(?P<m>[0-5][0-9])(?!\w)"), "{h:02d}:{m}", "{h:02d}:{m} UTC"),
    (re.compile(r"(?P<h>[01]?[0-9]|2[0-3])\.(?P<m>[0-5][0-9])(?![\w.])"), "{h:02d}:{m}", "{h:02d}:{m} UTC"),
    (re.compile(r"(?P<h>[0-9])h(?P<m>[0-5][0-9])(?!\w)", re.IGNORECASE), "{h:02d}:{m}", "{h}h{m}m ago"),
    (re.compile(r"(?P<h>[01]?[0-9]|2[0-3])h(?!\w)", re.IGNORECASE), "{h:02d}:00", "{h}h ago"),
)


@dataclass(frozen=True)
class Clock:
    at: time
    #: Written with seconds: then a `-04:00` attached to it is an offset, as in ISO 8601.
    has_seconds: bool = False

    @property
    def text(self) -> str:
        return f"{self.at:%H:%M:%S}" if self.at.second else f"{self.at:%H:%M}"


def _no_such(written: str) -> Refusal:
    if written.startswith("24"):
        return Refusal(f"`{written}` is the next day already. Write `00:00` with its day: `today 00:00`.")
    return Refusal(f"There is no clock time `{written}`. Write one such as `10:30`, `22:10` or `10:30 pm`.")


def _read(match: re.Match[str]) -> Clock:
    parts = match.groupdict()
    hour, minute, second = int(parts["h"]), int(parts.get("m") or 0), int(parts.get("s") or 0)
    half = (parts.get("half") or "").lower()
    written = match[0].strip()
    if half and not 1 <= hour <= 12:
        raise _no_such(written)
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise _no_such(written)
    return Clock(time(hour, minute, second), parts.get("s") is not None)


def take_clock(text: str) -> tuple[Clock | None, str]:
    """Take a leading clock time off a text. Raises Refusal for one that no clock shows, or a rough one."""
    about = _ABOUT.match(text)
    body = text[about.end() :] if about else text
    if noon := _NOON.match(body):
        clock, rest = Clock(time(12)), body[noon.end() :]
    else:
        match = next((found for form in _FORMS if (found := form.match(body))), None)
        if match is None:
            return None, text
        clock, rest = _read(match), body[match.end() :]
    if about or _ISH.match(rest):
        raise Refusal(
            f"An entry has one moment, not a rough one. Write `{clock.text}`, "
            f"and say in the text that it is rough: `{clock.text} alarms on login (about then)`."
        )
    return clock, rest


def refuse_span(clock: Clock, rest: str, *, is_iso: bool) -> None:
    """Raise Refusal when a second clock time follows: a span, or a `-04:00` that looks like one."""
    match = _TO_ANOTHER.match(rest)
    if match is None or (is_iso and rest.startswith("-")):
        return
    end = match["end"]
    aside = f", and an offset after a space: `{clock.text} -{end}`" if rest.startswith("-") else ""
    raise Refusal(
        f"`{clock.text}` to `{end}` is a span, and an entry has one moment. "
        f"Write its start, `{clock.text}`, or its end, `{end}`{aside}."
    )


def bare_number(text: str) -> tuple[str, str, str, str] | None:
    """Give what was written, two ways to mean it, and the rest, when a text starts with a bare number."""
    for form, one, other in _BARE:
        if match := form.match(text):
            hour, minutes = int(match["h"]) % 24, match.groupdict().get("m")
            one, other = (way.format(h=hour, t=hour % 12 or 12, m=minutes) for way in (one, other))
            return match[0], one, other, text[match.end() :]
    return None
