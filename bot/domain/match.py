"""How well incidents match a question of several terms: rare words count more, and what an incident says of itself
counts more than what stands in one of its entries."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.terms import Term

#: Weight of a term that stands in an entry or a lesson; in title, impact, cause, fix or service it is 1.
_IN_PASSING = 0.6
#: Weight of a term that no incident holds, when it is asked how much of a question is answered.
_NOWHERE = 0.5


@dataclass(frozen=True)
class Match:
    """One incident, and what of the question it holds."""

    incident_id: int
    #: Part of the question's weight that it holds, from 0 to 1.
    score: float
    #: Term -> the first slot in which it stands (bot.store.search): 0 is the incident's own facts.
    slots: Mapping[Term, int]

    @property
    def told(self) -> int:
        """How many terms stand in what the incident says of itself."""
        return sum(slot == 0 for slot in self.slots.values())


def rank(found: Mapping[Term, Mapping[int, int]], among: Collection[int]) -> list[Match]:
    """The incidents of `among` that hold a term, best first and newest first among equals.

    `found`: term -> incident id -> slot.
    """
    seen = set(among)
    held = {term: {one: slot for one, slot in where.items() if one in seen} for term, where in found.items()}
    weights = {term: math.log(1 + len(seen) / (len(where) or _NOWHERE)) for term, where in held.items()}
    whole = sum(weight * (1 if held[term] else _NOWHERE) for term, weight in weights.items())
    slots: dict[int, dict[Term, int]] = {}
    for term, where in held.items():
        for one, slot in where.items():
            slots.setdefault(one, {})[term] = slot
    matches = [
        Match(
            one,
            round(
                sum(weights[term] * (1 if slot == 0 else _IN_PASSING) for term, slot in terms.items())
                / whole,
                4,
            ),
            terms,
        )
        for one, terms in slots.items()
    ]
    return sorted(matches, key=lambda one: (-one.score, -one.incident_id))


def holding_all(matches: Sequence[Match], terms: Collection[Term]) -> list[Match]:
    """The matches that hold every term."""
    return [one for one in matches if len(one.slots) == len(terms)]
