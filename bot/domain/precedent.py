"""A precedent: a past incident that looked like this one, and what it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.incident import Incident
from bot.domain.match import Match
from bot.domain.suggestion import Said
from bot.domain.terms import Term, read_terms

SHOWN_AT_MOST = 3
#: Part of the question's weight from which an incident looks like another; and from which that is worth saying unasked.
_LOOKS_LIKE = 0.3
FITS_WELL = 0.5
#: What the same service is worth.
_SAME_SERVICE = 0.15
#: Terms of a title, of what else is known of the incident, and of its entries.
_OF_TITLE, _OF_FACTS, _OF_ENTRIES = 6, 3, 3
#: The last entries, in which they are counted.
_ENTRIES_READ = 60


@dataclass(frozen=True)
class Precedent:
    incident: Incident
    #: What it was, as plain text: its cause, else its fix; "" when nobody wrote that down.
    was: str
    #: "because of “logins”, “fail”; it was about login too". Plain text.
    reason: str
    score: float

    @property
    def fits_well(self) -> bool:
        """Worth saying unasked: it looks much alike, and one learns something."""
        return self.score >= FITS_WELL and bool(self.was)


def question(said: Sequence[Said]) -> list[Term]:
    """The terms by which past incidents are looked for: the title's, then facts', then what entries say most often."""
    title = [one.text for one in said if one.where == "the title"]
    facts = [one.text for one in said if one.where.startswith("the ") and one.where != "the title"]
    terms = dict.fromkeys(read_terms(" ".join(title), _OF_TITLE))
    for term in read_terms(" ".join(facts), _OF_FACTS):
        terms.setdefault(term)
    counted: Counter[Term] = Counter()
    for one in [one for one in said if one.where.startswith("#")][-_ENTRIES_READ:]:
        counted.update(term for term in read_terms(one.text, 30) if term not in terms)
    often = sorted(counted, key=lambda term: (_is_name(term), counted[term]), reverse=True)
    return [*terms, *often[:_OF_ENTRIES]]


def _is_name(term: Term) -> bool:
    """True for what is rarely said by chance: auth1, 10.0.0.5, be_auth, LoginFailureRateHigh."""
    return len(term.typed) >= 10 or " " in term.forms[0] or any(map(str.isdigit, term.typed))


def reason(match: Match, service: str | None, past: Incident) -> str:
    words = ", ".join(f"“{term.typed}”" for term in list(match.slots)[:4])
    same = f"; it was about {service} too" if service and past.service == service else ""
    return f"because of {words}{same}"


def looks_alike(match: Match, service: str | None, past: Incident) -> float:
    """How much the past incident looks like this one; 0.0 when it does not.

    One word is a chance; two, or one about the same service, are a likeness.
    """
    is_same = bool(service) and past.service == service
    score = match.score + (_SAME_SERVICE if is_same else 0.0)
    if len(match.slots) < (1 if is_same else 2) or not match.told or score < _LOOKS_LIKE:
        return 0.0
    return round(score, 4)


def best(found: Iterable[Precedent], at_most: int = SHOWN_AT_MOST) -> list[Precedent]:
    """The likest first, the newest first among equals."""
    return sorted(found, key=lambda one: (-one.score, -one.incident.number))[:at_most]
