"""Which runbook fits what people say, and why: plain word matching, no more.

A suggestion must be explainable to someone in a hurry, so it always carries the words that led to it and where they
stand, and one shared everyday word is never enough.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.runbook import Runbook
from bot.domain.terms import stems

SUGGESTED_AT_MOST = 3
FOUND_AT_MOST = 10
#: A score from here on is worth saying unasked: two words of a trigger in one breath, or an alert by its name.
FITS_WELL = 4.0

#: Words and phrases of a reason.
_REASONS = 4


@dataclass(frozen=True)
class Said:
    """Words of an incident, and where they stand."""

    #: "the title", "the impact", "#3".
    where: str
    text: str


@dataclass(frozen=True)
class Suggestion:
    runbook: Runbook
    #: "because of “failed logins” in #3; it is for login". Plain text.
    reason: str
    score: float


@dataclass(frozen=True)
class _Heard:
    """One piece of what was said, cut into stems."""

    where: str
    stems: Mapping[str, str]


def _phrases_heard(
    phrases: Iterable[str], heard: Sequence[_Heard]
) -> tuple[float, list[tuple[str, str]], set[str]]:
    """How strongly trigger phrases are in what was said: score, (words, where), the stems used."""
    score, matched, used = 0.0, list[tuple[str, str]](), set[str]()
    for phrase in phrases:
        wanted = set(stems(phrase))
        # Two words of a phrase that stand in two entries are no phrase.
        where, found, said = max(
            ((one.where, wanted & one.stems.keys(), one.stems) for one in heard),
            key=lambda one: len(one[1]),
            default=("", set[str](), {}),
        )
        if not wanted or len(found) * 2 <= len(wanted):
            continue
        whole = found == wanted
        score += 2 + len(found) if whole else len(found) / 2
        words = [phrase] if whole else [said[one] for one in said if one in found]
        matched += [(word, where) for word in words]
        used |= found
    return score, matched, used


def _judge(
    runbook: Runbook, heard: Sequence[_Heard], alerts: set[str], services: set[str]
) -> Suggestion | None:
    #: Stem -> how it was written, and where first.
    said = {one: (word, piece.where) for piece in reversed(heard) for one, word in piece.stems.items()}
    score, words, used = _phrases_heard(runbook.words, heard)
    in_title = stems(runbook.title).keys() & said.keys()
    in_summary = (stems(runbook.summary).keys() & said.keys()) - in_title - used
    if len(in_title | used) >= 2 or score >= 3:
        score += len(in_title) + len(in_summary) / 4
        words += [said[one] for piece in heard for one in piece.stems if one in in_title - used]
    else:
        score, words = 0.0, []
    because = [_because(words)] if words else []
    for alert in runbook.alerts:
        rang = next((one.where for one in heard if alert.casefold() in one.stems.values()), None)
        if alert.casefold() in alerts or rang is not None:
            score += 10
            because.insert(0, f"alert {alert}" + (f" in {rang}" if rang is not None else ""))
    for service in runbook.services:
        if service.casefold() in services:
            # Alone it is the weakest of reasons.
            score += 1 if score else 0.5
            because.append(f"it is for {service}")
    return Suggestion(runbook, "; ".join(because), round(score, 2)) if score else None


def _because(words: Iterable[tuple[str, str]]) -> str:
    """ "because of “failed logins”, “uneven” in #3, “slow” in the title" """
    places: dict[str, list[str]] = {}
    for word, where in list(dict.fromkeys(words))[:_REASONS]:
        places.setdefault(where, []).append(f"“{word}”")
    return "because of " + ", ".join(f"{', '.join(found)} in {where}" for where, found in places.items())


def _best(found: Iterable[Suggestion | None], at_most: int) -> list[Suggestion]:
    return sorted((one for one in found if one), key=lambda one: (-one.score, one.runbook.id))[:at_most]


def suggest(
    runbooks: Mapping[str, Runbook],
    said: Iterable[Said],
    alerts: Iterable[str] = (),
    services: Iterable[str] = (),
) -> list[Suggestion]:
    """At most three runbooks that fit what people wrote, what rang and the service, best first; [] when none does."""
    heard = [_Heard(one.where, stems(one.text)) for one in said]
    names = {alert.casefold() for alert in alerts}
    places = {service.casefold() for service in services}
    best = _best((_judge(one, heard, names, places) for one in runbooks.values()), SUGGESTED_AT_MOST)
    # What fits four times worse than the best only costs reading time.
    return [one for one in best if one.score * 4 >= best[0].score]


def search(runbooks: Mapping[str, Runbook], words: str) -> list[Suggestion]:
    """Up to ten runbooks that hold all or some of the words anywhere, best first: for someone looking, not guessing."""
    said = stems(words)
    found = []
    for runbook in runbooks.values():
        places = (
            ("", 3.0, " ".join([*runbook.words, *runbook.alerts])),
            ("title ", 3.0, f"{runbook.title} {runbook.id.replace('-', ' ')}"),
            ("area ", 1.0, f"{runbook.area} {' '.join(runbook.services)}"),
            ("steps ", 1.5, " ".join(step.title for step in runbook.steps)),
            (
                "text ",
                0.5,
                " ".join([runbook.summary, *runbook.symptoms, *(step.prose for step in runbook.steps)]),
            ),
        )
        score, reasons, seen = 0.0, [], set[str]()
        for place, weight, text in places:
            here = stems(text).keys() & said.keys()
            score += weight * len(here)
            reasons += [f"{place}{said[stem]}" for stem in said if stem in here - seen]
            seen |= here
        if seen:
            score *= len(seen) / len(said)
            found.append(Suggestion(runbook, "matches: " + ", ".join(reasons[:5]), round(score, 2)))
    return _best(found, FOUND_AT_MOST)


def closest(runbooks: Mapping[str, Runbook], typed: str) -> str | None:
    """The id somebody meant by what they typed, for "did you mean"; None when nothing is near."""
    wanted = re.sub(r"[\s_]+", "-", typed.strip().casefold()).removesuffix(".md")
    if not wanted:
        return None
    if wanted in runbooks:
        return wanted
    inside = sorted(one for one in runbooks if wanted in one)
    if len(wanted) >= 3 and len(inside) == 1:
        return inside[0]
    near = difflib.get_close_matches(wanted, sorted(runbooks), n=1, cutoff=0.6)
    if near:
        return near[0]
    # "uneven-trafic" lacks the area that every id of the folder begins with.
    tails = {one.partition("-")[2]: one for one in sorted(runbooks)}
    near = difflib.get_close_matches(wanted, [tail for tail in tails if tail], n=1, cutoff=0.6)
    return tails[near[0]] if near else None
