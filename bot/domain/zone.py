"""Time zones as people write them: `Europe/Berlin`, `UTC`, `+05:30`, `UTC-4`, `CEST`.

An abbreviation that stands for several zones is refused with its candidates, never guessed.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bot.domain.refusals import Refusal

#: Abbreviation -> offset east of UTC in minutes, and the region whose clocks decide whether it is in force.
#: No region: some place keeps it all year (Phoenix MST, Brisbane AEST), or the zone has no summer time.
_ABBREVIATIONS: dict[str, tuple[int, str]] = {
    "UTC": (0, ""),
    "GMT": (0, ""),
    "Z": (0, ""),
    "WET": (0, "Europe/Lisbon"),
    "WEST": (60, "Europe/Lisbon"),
    "CET": (60, "Europe/Berlin"),
    "CEST": (120, "Europe/Berlin"),
    "EET": (120, "Europe/Athens"),
    "EEST": (180, "Europe/Athens"),
    "MSK": (180, ""),
    "EST": (-300, "America/New_York"),
    "EDT": (-240, "America/New_York"),
    "CDT": (-300, "America/Chicago"),
    "MST": (-420, ""),
    "MDT": (-360, "America/Denver"),
    "PST": (-480, "America/Los_Angeles"),
    "PDT": (-420, "America/Los_Angeles"),
    "AKST": (-540, "America/Anchorage"),
    "AKDT": (-480, "America/Anchorage"),
    "HST": (-600, ""),
    "JST": (540, ""),
    "KST": (540, ""),
    "SGT": (480, ""),
    "HKT": (480, ""),
    "PKT": (300, ""),
    "SAST": (120, ""),
    "AEST": (600, ""),
    "AEDT": (660, "Australia/Sydney"),
    "ACST": (570, ""),
    "ACDT": (630, "Australia/Adelaide"),
    "AWST": (480, ""),
    "NZST": (720, "Pacific/Auckland"),
    "NZDT": (780, "Pacific/Auckland"),
}
#: North American short forms that mean "whatever the clocks there say".
_REGIONS = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
}
_AMBIGUOUS = {
    "IST": ("Indian, Irish or Israel time", "Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"),
    "CST": ("US Central, China or Cuba time", "America/Chicago", "Asia/Shanghai", "America/Havana"),
    "BST": ("British summer or Bangladesh time", "Europe/London", "Asia/Dhaka"),
    "AST": ("Atlantic or Arabia time", "America/Halifax", "Asia/Riyadh"),
    "ADT": ("Atlantic or Arabia summer time", "America/Halifax", "Asia/Riyadh"),
    "AMT": ("Amazon or Armenia time", "America/Manaus", "Asia/Yerevan"),
    "GST": ("Gulf or South Georgia time", "Asia/Dubai", "Atlantic/South_Georgia"),
    "SST": ("Samoa or Singapore time", "Pacific/Pago_Pago", "Asia/Singapore"),
    "ECT": ("Ecuador or Eastern Caribbean time", "America/Guayaquil", "America/Puerto_Rico"),
}
#: Abbreviations that are words or everyday capitals as well ("ist" is German, "est" is French, CT is a scan).
#: In running text they count only in capitals, or when nothing but a separator follows.
_WORDS_TOO = frozenset(
    {
        "EST",
        "IST",
        "BST",
        "AST",
        "ECT",
        "SST",
        "GST",
        "AMT",
        "ADT",
        "ET",
        "CT",
        "MT",
        "PT",
        "WET",
        "WEST",
        "Z",
    }
)
_AREAS = "Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc"

_OFFSET = re.compile(r"(?:(?:UTC|GMT)\s?)?([+\-−])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)
_RUNNING_OFFSET = re.compile(
    r"(?:(?:UTC|GMT)\s?[+\-−][0-9]{1,2}(?::?[0-9]{2})?|[+\-−][0-9]{2}:?[0-9]{2})(?![\w:%/.])", re.IGNORECASE
)
#: "+1000" may count users as well: an offset only when nothing but a separator follows.
_BIG_NUMBER = re.compile(r"[+\-−]1[0-9]{3}")
_RUNNING_NAME = re.compile(r"[A-Za-z]+(?:/[A-Za-z0-9_+\-]*[A-Za-z0-9_])*(?![\w/'’])")
_AT_EDGE = re.compile(r"\s*(?:$|[:,;|\-–—)\]])")


@dataclass(frozen=True)
class Spoken:
    """A zone as it was written next to a time."""

    #: What was written, e.g. "CEST".
    name: str
    zone: tzinfo
    #: Region whose clocks must agree with the abbreviation on that day, or "".
    region: str = ""


@cache
def _known_names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones() if name not in {"localtime", "Factory"}}


def _fixed(minutes: int, name: str = "") -> tzinfo:
    if minutes == 0:
        return UTC
    sign = "-" if minutes < 0 else "+"
    return timezone(
        timedelta(minutes=minutes), name or f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    )


def _from_offset(match: re.Match[str]) -> tzinfo:
    hours, minutes = int(match[2]), int(match[3] or 0)
    total = (hours * 60 + minutes) * (1 if match[1] == "+" else -1)
    if minutes > 59 or not -12 * 60 <= total <= 14 * 60:
        raise Refusal(
            f"There is no zone `{match[0]}`: offsets go from -12:00 to +14:00. "
            "Write one like `+05:30` or `-04:00`."
        )
    return _fixed(total)


def _ambiguous(name: str) -> Refusal:
    what, *candidates = _AMBIGUOUS[name]
    named = " or ".join(f"`{candidate}`" for candidate in candidates)
    return Refusal(f"{name} is {what}. Write {named} instead, or an offset such as `+05:30`.")


def _unknown(name: str) -> Refusal:
    shown = re.sub(r"[^\w/+:\- ]", "", name, flags=re.ASCII)[:40] or "this"
    close = difflib.get_close_matches(name.lower().replace(" ", "_"), _known_names(), n=2, cutoff=0.75)
    if close:
        meant = " or ".join(f"`{_known_names()[match]}`" for match in close)
        return Refusal(f"There is no time zone “{shown}”. Did you mean {meant}?")
    return Refusal(
        f"There is no time zone “{shown}”. Write its IANA name, such as `Europe/Berlin`, "
        "or an offset, such as `+05:30`."
    )


def _abbreviation(name: str) -> Spoken | None:
    if name in _AMBIGUOUS:
        raise _ambiguous(name)
    if name in _REGIONS:
        return Spoken(name, ZoneInfo(_REGIONS[name]))
    if name in _ABBREVIATIONS:
        minutes, region = _ABBREVIATIONS[name]
        return Spoken(name, _fixed(minutes, name), region)
    return None


def region(name: str) -> ZoneInfo | None:
    """The zone of an IANA name; None when there is none of that name.

    ZoneInfo itself looks for a folder at each "/" of whatever it is given, until the stack is full.
    """
    found = _known_names().get(name.lower())
    return ZoneInfo(found) if found else None


def of_city(name: str) -> str:
    """The IANA name that ends in a city, "Europe/Berlin" for "berlin"; "" when none does."""
    return _cities().get(name.lower(), "")


@cache
def _cities() -> dict[str, str]:
    areas = re.compile(rf"(?:{_AREAS})/[A-Za-z_-]+")
    names = sorted(name for name in _known_names().values() if areas.fullmatch(name) and name[:3] != "Etc")
    return {name.rpartition("/")[2].lower(): name for name in names}


def zone_named(name: str) -> tzinfo:
    """Give the zone of an IANA name, an offset, or an unambiguous abbreviation (a fixed offset).

    Raises Refusal when it is unknown or stands for several zones.
    """
    wanted = name.strip()
    if match := _OFFSET.fullmatch(wanted):
        return _from_offset(match)
    if spoken := _abbreviation(wanted.upper()):
        return spoken.zone
    if found := _known_names().get(wanted.lower().replace(" ", "_")):
        return UTC if found in {"Etc/UTC", "Etc/GMT", "Etc/UCT", "Etc/Zulu", "Zulu"} else ZoneInfo(found)
    raise _unknown(wanted)


def take_zone(text: str) -> tuple[Spoken | None, str]:
    """Take a leading zone off a text that follows a time. Raises Refusal for one that cannot be honoured."""
    body = text.lstrip()
    if body.startswith("("):
        inside, closed, rest = body[1:].partition(")")
        spoken, left = take_zone(inside) if closed else (None, inside)
        return (spoken, rest) if spoken and not left.strip() else (None, text)
    match = _RUNNING_OFFSET.match(body)
    if match and not (_BIG_NUMBER.fullmatch(match[0]) and not _AT_EDGE.match(body[match.end() :])):
        offset = _OFFSET.fullmatch(match[0])
        assert offset
        return Spoken(match[0], _from_offset(offset)), body[match.end() :]
    match = _RUNNING_NAME.match(body)
    if not match:
        return None, text
    name, rest = match[0], body[match.end() :]
    short = name.upper()
    if short not in _WORDS_TOO or name == short or _AT_EDGE.match(rest):
        spoken = _abbreviation(short)
        if spoken:
            return spoken, rest
    if "/" in name:
        return _take_region(name, rest, text)
    return None, text


def _take_region(name: str, rest: str, text: str) -> tuple[Spoken | None, str]:
    if found := _known_names().get(name.lower()):
        return Spoken(found, zone_named(found)), rest
    area, _, place = name.partition("/")
    if re.fullmatch(_AREAS, area) and not re.fullmatch(_AREAS, place):
        raise _unknown(name)
    return None, text


def name_at(zone: tzinfo, offset: timedelta, abbreviation: str | None) -> str:
    """Name a zone at one moment so that it can be read back: an unambiguous abbreviation, else its offset."""
    minutes = round(offset / timedelta(minutes=1))
    if minutes == 0 and zone is UTC:
        return "UTC"
    if abbreviation in _ABBREVIATIONS and _ABBREVIATIONS[abbreviation][0] == minutes and abbreviation != "Z":
        return abbreviation
    return _fixed(minutes).tzname(None) or "UTC"
