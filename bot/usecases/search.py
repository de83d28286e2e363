"""Finding incidents by the words that stand in them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.domain import markup
from bot.domain.incident import Incident, Wanted
from bot.domain.match import Match, holding_all, rank
from bot.domain.refusals import Refusal
from bot.domain.terms import Term, excerpt, read_terms
from bot.store import incident as incidents
from bot.store import search
from bot.store.db import Session
from bot.usecases.desk import Desk
from bot.usecases.sight import ids_shown, may_see
from bot.usecases.suggestion import plain

#: Places shown of one incident.
_HITS = 2
_NUMBER = re.compile(r"(?:inc-|#)0*([1-9]\d{0,8})", re.IGNORECASE)


@dataclass(frozen=True)
class Hit:
    """A place where a word stands."""

    #: "impact", "cause", "fix", "service", "#12", "lesson" or "postmortem".
    where: str
    #: Plain text on one line, cut to about the word.
    text: str


@dataclass(frozen=True)
class Found:
    """One incident that was found. Without hits all of the words stand in its title."""

    incident: Incident
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What was found, the best first."""

    #: What was looked for, as it was typed.
    words: tuple[str, ...]
    found: tuple[Found, ...]
    #: How many incidents were found in all.
    total: int
    #: False: no incident holds all of the words, and these hold some.
    is_whole: bool = True


def search_incidents(
    desk: Desk, text: str, *, by: str, among: Wanted | None = None, limit: int = 10
) -> Finding:
    """Incidents that hold the words and that `by` may see: all of the words, or else some of them.

    `among`: only those that are like that.

    Looked through: title, impact, cause, fix, service, entries that stand, lessons, and what people wrote in the
    postmortem. Raises Refusal for no words.
    """
    terms = read_terms(text)
    if not terms:
        typed = markup.escape(" ".join(text.split())[:80])
        raise Refusal(
            (f"“{typed}” holds no word to look for. " if typed else "Say what to look for. ")
            + "For example `/incident search uneven traffic`"
        )
    with desk.db.reading() as session:
        found = {term: search.holding(session, term) for term in terms}
        ids = ids_shown(session, to=by) if among is None else incidents.wanted_ids(session, among, to=by)
        matches = rank(found, ids)
        whole = holding_all(matches, terms)
        kept = whole or matches
        named = _named(session, text, by)
        if named is not None and named.id not in ids:
            named = None
        first = [Match(named.id, 1.0, {})] if named is not None else []
        kept = first + [one for one in kept if named is None or one.incident_id != named.id]
        shown = kept[:limit]
        about = incidents.find_these(session, [one.incident_id for one in shown])
        results = tuple(
            Found(one, _hits(session, one, match)) for one, match in zip(about, shown, strict=True)
        )
    return Finding(
        tuple(term.typed for term in terms), results, len(kept), is_whole=bool(whole or first) or not kept
    )


def _named(session: Session, text: str, by: str) -> Incident | None:
    """The incident of a number such as inc-0042, when nothing else was typed."""
    number = _NUMBER.fullmatch(text.strip())
    about = incidents.find_by_number(session, int(number[1])) if number is not None else None
    return about if about is not None and may_see(session, about, by) else None


def _hits(session: Session, about: Incident, match: Match) -> tuple[Hit, ...]:
    """Where the words stand that its title does not show, the place with most of them first."""
    title = plain(session, about.title)
    left = [term for term in match.slots if term.span(title) is None]
    stored = search.texts(session, about.id, {match.slots[term] for term in left})
    facts = {name: getattr(about, name) for name in ("impact", "cause", "fix", "service")}
    read = {name: plain(session, text) for name, text in facts.items() if text}
    for slot, text in sorted(stored.items()):
        if slot == search.POSTMORTEM:
            read["postmortem"] = text
        else:
            read[f"#{slot}" if slot < search.LESSONS else "lesson"] = plain(session, text)
    hits: list[Hit] = []
    while left and read and len(hits) < _HITS:
        where = max(read, key=lambda one: sum(term.span(read[one]) is not None for term in left))
        here = [term for term in left if term.span(read[where]) is not None]
        if not here:
            break
        hits.append(Hit(where, excerpt(read.pop(where), here)))
        left = _without(left, here)
    return tuple(hits)


def _without(terms: list[Term], found: list[Term]) -> list[Term]:
    return [term for term in terms if term not in found]
