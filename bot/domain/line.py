"""What people type after `/log`: `10:30 AM detection: alarms on login`, time and kind in either order.

A kind counts only with a colon, a spaced dash or brackets, or before a time, so that "action needed from the
db team" stays a text that begins with the word action.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bot.domain.markup import to_mrkdwn_safe
from bot.domain.refusals import Refusal
from bot.domain.timeline import Kind
from bot.domain.when import take_moment
from bot.domain.zone import of_city

#: Slack shows 3,000 characters in one section block; an entry longer than that belongs in a document.
LONGEST = 3000

_KINDS = {kind.value.replace(" ", ""): kind for kind in Kind}
_NAME = "(?P<name>" + "|".join(kind.value.replace(" ", r"[\s_-]?") for kind in Kind) + ")"
_BRACKETED = re.compile(rf"[\[(]\s*{_NAME}\s*[\])](?:\s*:|\s+[-–—]+(?=\s))?\s*", re.IGNORECASE)
_MARKED = re.compile(rf"[*_`]?{_NAME}(?:[*_`]?\s*:[*_`]?(?!//)|\s+[-–—]+(?=\s))\s*", re.IGNORECASE)
_WORD = re.compile(rf"{_NAME}[\s,]+(?=\S)", re.IGNORECASE)
_LABEL = re.compile(r"(?P<open>\[)?(?P<name>[A-Za-z]+(?:[ _-][A-Za-z]+)?)(?(open)\]|\s*:(?!//))")
#: After a kind a bare number counts things ("finding 2: the pool is small"); it is not a time.
#: One word or two that may be a city, and whether "time" stands behind it.
_CITIES = (
    re.compile(r"\s*([a-z]+[ _][a-z]+)(\s+time\b)?(?=\W)", re.IGNORECASE),
    re.compile(r"\s*([a-z-]+)(\s+time\b)?(?=\W)", re.IGNORECASE),
)
_NUMBERED = re.compile(r"[0-9]{1,4}\s*:(?:\s|$)")
#: Words in their own right that are a letter or two from a kind.
_OWN_WORDS = frozenset(
    {"active", "auction", "import", "impart", "compact", "deletion", "division", "direction", "revolution"}
    | {
        "funding",
        "binding",
        "fining",
        "notebook",
        "migration",
        "motion",
        "nation",
        "commas",
        "precision",
        "knot",
    }
)
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile("\r\n|[\r\u2028\u2029]")


@dataclass(frozen=True)
class Line:
    #: None: none was typed.
    kind: Kind | None
    #: UTC; None: none was typed.
    happened_at: datetime | None
    text: str


def clean(text: str) -> str:
    """Give a text without control characters (line breaks and tabs stay) or marks that turn its order.

    Composed (NFC), so that what looks the same is the same.
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _BIDI.sub("", _BREAKS.sub("\n", text))
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def read_line(text: str, *, now: datetime, zone: tzinfo) -> Line:
    """Read what follows `/log`. Raises Refusal when there is nothing to log, or time or kind is unclear."""
    rest = clean(text)
    moment, rest = take_moment(rest, now=now, zone=zone, is_start=_begins_with_kind)
    if moment is not None:
        _refuse_city(rest)
    kind, rest = _take_kind(rest)
    if kind is None:
        kind, moment, rest = _take_kind_then_moment(rest, moment, now, zone)
    elif moment is None and not _NUMBERED.match(rest):
        moment, rest = take_moment(rest, now=now, zone=zone)
    if kind is None:
        _refuse_misspelt(rest)
    rest = rest.strip()
    if not rest:
        raise Refusal(
            "There is nothing to log in that. "
            "Write what happened, such as `/log 10:30 detection: alarms on login`."
        )
    if len(rest) > LONGEST:
        raise Refusal(
            f"That is {len(rest):,} characters, and an entry holds {LONGEST:,}. "
            "Put the long text in a file or a page, and log a line that links to it: "
            "`/log finding: memory leak, see https://example.com/notes`."
        )
    return Line(kind, moment, rest)


def _refuse_city(rest: str) -> None:
    """ "10:30 Berlin finding: ..." and "10:30 Berlin time" say a zone; "10:30 Berlin office is dark" says a place."""
    for city in _CITIES:
        match = city.match(rest)
        found = of_city(match[1].replace(" ", "_")) if match else ""
        if match and found and (match[2] or _begins_with_kind(rest[match.end() :].lstrip())):
            raise Refusal(
                f"“{match[1]}” alone is no time zone. Did you mean `{found}`? "
                f"Write it behind the time: `10:30 {found} finding: what was found`."
            )


def _named(match: re.Match[str]) -> Kind:
    return _KINDS[re.sub(r"[\s_-]", "", match["name"].lower())]


def _take_kind(text: str) -> tuple[Kind | None, str]:
    match = _BRACKETED.match(text) or _MARKED.match(text)
    return (_named(match), text[match.end() :]) if match else (None, text)


def _take_kind_then_moment(
    text: str, moment: datetime | None, now: datetime, zone: tzinfo
) -> tuple[Kind | None, datetime | None, str]:
    match = _WORD.match(text)
    if moment is not None or match is None or _NUMBERED.match(text, match.end()):
        return None, moment, text
    after, rest = take_moment(text[match.end() :], now=now, zone=zone)
    return (_named(match), after, rest) if after is not None else (None, None, text)


def _begins_with_kind(text: str) -> bool:
    return _take_kind(text)[0] is not None


def _refuse_misspelt(text: str) -> None:
    match = _LABEL.match(text)
    if match is None:
        return
    typed = re.sub("[ _-]", "", match["name"].lower())
    for name in _KINDS:
        if typed not in _OWN_WORDS and _is_slip(typed, name):
            kind = _KINDS[name].value
            shown = to_mrkdwn_safe(match["name"])
            raise Refusal(
                f"There is no kind of entry “{shown}”. Did you mean `{kind}`? "
                f"Write `{kind}: what happened`, or `note: {shown}: ...` to log it as it is."
            )


def _is_slip(typed: str, name: str) -> bool:
    """True when a word is a misspelt kind; in a short one no letter may differ ("node" is not "note")."""
    if typed[0] != name[0] or abs(len(typed) - len(name)) > 2:
        return False
    if len(name) <= 5:
        is_turned = len(typed) == len(name) and sorted(typed) == sorted(name)
        return is_turned or (len(typed) != len(name) and _distance(typed, name) == 1)
    return _distance(typed, name) <= (2 if len(name) >= 8 else 1)


def _distance(one: str, other: str) -> int:
    """Count the letters to add, drop, change or swap with their neighbour."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            best = min(row[-1] + 1, rows[-1][j] + 1, rows[-1][j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
