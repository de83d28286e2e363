"""What may help with an incident: runbooks that fit, and past incidents that looked like it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain import markup
from bot.domain.incident import Incident
from bot.domain.match import rank
from bot.domain.precedent import Precedent, best, looks_alike, question, reason
from bot.domain.suggestion import FITS_WELL, Said, Suggestion, suggest
from bot.domain.timeline import Entry, Kind, Source
from bot.store import incident as incidents
from bot.store import people, search
from bot.store import timeline as entries
from bot.store.db import Session
from bot.usecases.desk import Desk
from bot.usecases.sight import ids_shown, shown

#: Lines of a message that nobody asked for.
UNASKED_AT_MOST = 3
#: Matches that are looked at closely.
_LOOKED_AT = 40


@dataclass(frozen=True)
class Suggested:
    """Three of each at most, the best first."""

    runbooks: tuple[Suggestion, ...]
    precedents: tuple[Precedent, ...]

    def __bool__(self) -> bool:
        return bool(self.runbooks or self.precedents)


def suggestions(desk: Desk, incident_id: int, *, by: str) -> Suggested:
    """What may help, for the eyes of `by` alone: it names private incidents that they are in. Raises NoSuchIncident."""
    with desk.db.reading() as session:
        about = shown(session, incident_id, by)
        return _suggested(desk, session, about, to=by)


def unasked_suggestions(desk: Desk, incident_id: int) -> Suggested:
    """What fits so well that the incident's channel is told of it: a few lines, and only what everybody may see."""
    with desk.db.reading() as session:
        found = _suggested(desk, session, incidents.get(session, incident_id), to=None)
    runbooks = tuple(one for one in found.runbooks if one.score >= FITS_WELL)
    precedents = tuple(one for one in found.precedents if one.fits_well)
    runbooks = runbooks[: UNASKED_AT_MOST - min(1, len(precedents))]
    return Suggested(runbooks, precedents[: UNASKED_AT_MOST - len(runbooks)])


def _suggested(desk: Desk, session: Session, about: Incident, *, to: str | None) -> Suggested:
    said = _said(session, about)
    services = [about.service] if about.service else []
    return Suggested(
        tuple(suggest(desk.runbooks(), said, services=services)),
        tuple(_precedents(session, about, said, to=to)),
    )


def _said(session: Session, about: Incident) -> list[Said]:
    """What people and checks said of the incident, the title first."""
    facts = (("the title", about.title), ("the impact", about.impact), ("the cause", about.cause))
    told = [Said(where, text) for where, text in facts if text]
    live = entries.live(session, about.id)
    return told + [Said(f"#{one.number}", one.text) for one in live if _tells_something(one)]


def _tells_something(entry: Entry) -> bool:
    """False for what Lantern notes of its own deeds: an opening repeats the title, a run the runbook's."""
    if entry.source is Source.RUNBOOK:
        return False
    return entry.source is not Source.AUTOMATIC or entry.kind is not Kind.NOTE


def _precedents(session: Session, about: Incident, said: list[Said], *, to: str | None) -> list[Precedent]:
    among = set(ids_shown(session, to=to, is_precedent=True)) - {about.id}
    if not among:
        return []
    matches = rank({term: search.holding(session, term) for term in question(said)}, among)[:_LOOKED_AT]
    past = {one.id: one for one in incidents.find_these(session, [one.incident_id for one in matches])}
    found = []
    for match in matches:
        one = past[match.incident_id]
        score = looks_alike(match, about.service, one)
        if score:
            found.append(Precedent(one, "", reason(match, about.service, one), score))
    return [
        Precedent(one.incident, _was(session, one.incident), one.reason, one.score) for one in best(found)
    ]


def _was(session: Session, past: Incident) -> str:
    return plain(session, past.cause or past.fix or "")


def plain(session: Session, text: str) -> str:
    """A stored text as plain text on one line, with the names that Lantern knows."""
    known = people.known(session, markup.mentions(text))
    channels = people.channel_names(session, markup.channel_refs(text))
    names = {one: person.name for one, person in known.items()}
    return " ".join(markup.to_plain(text, names, channels).split())
