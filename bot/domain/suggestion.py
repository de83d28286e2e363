"""Which runbook fits what people say, and why: plain word matching, no more.

A suggestion must be explainable to someone in a hurry, so it always carries the words that led to it,
and one shared everyday word is never enough.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.runbook import Runbook

_SAID_OF_ANYTHING = """
a about after all an and any are as at be been but by can cannot could did do does down for from get
gets go goes had has have he her his how i if in into is it its just me more most much my no not of
off on one only or other our out over please say says see seem seems she should since so some still
than that the their them then there these they this those to too under up us use user very was we
were what when where which while who why will with would you your
"""
#: Words that say nothing about what is broken.
STOP_WORDS = frozenset(_SAID_OF_ANYTHING.split())

SUGGESTED_AT_MOST = 3
FOUND_AT_MOST = 10


@dataclass(frozen=True)
class Suggestion:
    runbook: Runbook
    #: "matches: failed logins, uneven".
    reason: str
    score: float


def _stem(word: str) -> str:
    """The word without its commonest English endings: logins, login; unevenly, uneven; failing, fail."""
    for ending in ("ingly", "edly", "ures", "ings", "ure", "ing", "ies", "ed", "ly", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] in "ey":
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl":
        word = word[:-1]
    return word


def _stems(text: str) -> dict[str, str]:
    """Stem -> the word as it was written, for every word that means something, in their order."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Names come as one piece, LoginFailureRateHigh or be_auth, and are matched whole.
    words = re.findall(r"[^\W_]+(?:[_.][^\W_]+)*", folded)
    return {_stem(word): word for word in words if word not in STOP_WORDS and len(word) > 1}


def _phrases_said(phrases: Iterable[str], said: Mapping[str, str]) -> tuple[float, list[str], set[str]]:
    """How strongly the trigger phrases are in what was said: score, the phrases, the stems used."""
    score, matched, used = 0.0, [], set[str]()
    for phrase in phrases:
        wanted = set(_stems(phrase))
        found = wanted & said.keys()
        if not wanted or len(found) * 2 <= len(wanted):
            continue
        whole = found == wanted
        score += 2 + len(found) if whole else len(found) / 2
        matched += [phrase] if whole else [said[stem] for stem in said if stem in found]
        used |= found
    return score, matched, used


def _judge(
    runbook: Runbook, said: Mapping[str, str], alerts: set[str], services: set[str]
) -> Suggestion | None:
    score, reasons, used = _phrases_said(runbook.words, said)
    in_title = _stems(runbook.title).keys() & said.keys()
    in_summary = (_stems(runbook.summary).keys() & said.keys()) - in_title - used
    if len(in_title | used) >= 2 or score >= 3:
        score += len(in_title) + len(in_summary) / 4
        reasons += [said[stem] for stem in said if stem in in_title - used]
    else:
        score, reasons = 0.0, []
    for alert in runbook.alerts:
        if alert.casefold() in alerts or alert.casefold() in said.values():
            score += 10
            reasons.insert(0, f"alert {alert}")
    if not score:
        return None
    for service in runbook.services:
        if service.casefold() in services:
            score += 1
            reasons.append(f"service {service}")
    return Suggestion(runbook, "matches: " + ", ".join(dict.fromkeys(reasons[:5])), round(score, 2))


def _best(found: Iterable[Suggestion | None], at_most: int) -> list[Suggestion]:
    return sorted((one for one in found if one), key=lambda one: (-one.score, one.runbook.id))[:at_most]


def suggest(
    runbooks: Mapping[str, Runbook], words: str, alerts: Iterable[str] = (), services: Iterable[str] = ()
) -> list[Suggestion]:
    """At most three runbooks that fit what people wrote and what rang, best first; [] when none does.

    A service alone suggests nothing; it only lifts what fits already.
    """
    said = _stems(words)
    names = {alert.casefold() for alert in alerts}
    places = {service.casefold() for service in services}
    best = _best((_judge(one, said, names, places) for one in runbooks.values()), SUGGESTED_AT_MOST)
    # What fits four times worse than the best only costs reading time.
    return [one for one in best if one.score * 4 >= best[0].score]


def search(runbooks: Mapping[str, Runbook], words: str) -> list[Suggestion]:
    """Up to ten runbooks that hold all or some of the words anywhere, best first: for someone looking, not guessing."""
    said = _stems(words)
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
            here = _stems(text).keys() & said.keys()
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
