"""Reading and writing a postmortem section by section, and compiling it anew without losing a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain import sections as parts
from bot.domain.incident import Incident
from bot.domain.postmortem import Facts, Revision
from bot.domain.refusals import Refusal
from bot.domain.review import Review, ReviewState, RevisionLine
from bot.domain.sections import Sections, in_question, joined
from bot.domain.wording import listed
from bot.store import incident as incidents
from bot.store import postmortem as postmortems
from bot.store.db import Session
from bot.usecases.desk import Desk, Done
from bot.usecases.sight import seen, shown


@dataclass(frozen=True)
class Document:
    """A postmortem as it stands, for who reads it."""

    incident: Incident
    revision: Revision
    review: Review
    #: Every revision, the newest first.
    history: tuple[RevisionLine, ...]


@dataclass(frozen=True)
class Compared(Document):
    """Likewise, beside the facts as they are now."""

    facts: Facts
    #: Whether the facts give something else now than when the newest revision was compiled.
    is_behind: bool
    #: Whether they give something else than when it was published.
    is_changed_since_published: bool


def written(desk: Desk, incident_id: int, *, by: str) -> Document | None:
    """The postmortem with its state and its history; None while there is none. Raises NoSuchIncident."""
    with desk.db.reading() as session:
        return _written(session, shown(session, incident_id, by))


def _written(session: Session, about: Incident) -> Document | None:
    newest = postmortems.latest(session, about.id)
    if newest is None:
        return None
    review = postmortems.review(session, about.id)
    return Document(about, newest, review, tuple(postmortems.revisions(session, about.id)))


def document(desk: Desk, incident_id: int, *, by: str) -> Compared | None:
    """The postmortem, compared with what the facts give now; None while there is none. Raises NoSuchIncident."""
    with desk.db.reading() as session:
        found = _written(session, shown(session, incident_id, by))
        if found is None:
            return None
        facts = postmortems.facts(session, incident_id, desk.options.team_zone)
    markdown = desk.compile(facts)
    newest = found.revision
    return Compared(
        **vars(found),
        facts=facts,
        is_behind=joined(parts.recompiled(newest.sections, markdown)) != newest.markdown,
        is_changed_since_published=found.review.state is ReviewState.PUBLISHED
        and found.review.facts_digest != facts_digest(markdown),
    )


def facts_digest(markdown: str) -> str:
    """What tells one state of the facts from another: the digest of what they give."""
    return postmortems.digest_of(joined(parts.split(markdown)))


def revision_of(desk: Desk, incident_id: int, number: int, *, by: str) -> Revision:
    """One revision, as it was. Raises NoSuchIncident, and Refusal for a number that is not there."""
    with desk.db.reading() as session:
        about = shown(session, incident_id, by)
        found = postmortems.find_revision(session, incident_id, number)
        newest = postmortems.latest(session, incident_id)
    if found is None:
        known = (
            f"Its newest is {newest.number}."
            if newest
            else "It has none yet: `/postmortem compile` makes one."
        )
        raise Refusal(f"The postmortem of {about.slug} has no revision {number}. {known}")
    return found


def compiled(desk: Desk, session: Session, incident_id: int) -> str:
    """What the facts give, in the transaction that changes them."""
    facts = postmortems.facts(session, incident_id, desk.options.team_zone)
    with desk.db.unhurried():
        return desk.compile(facts)


def recompile(desk: Desk, session: Session, incident_id: int, by: str) -> tuple[Revision, bool]:
    """The newest revision after compiling anew, and whether that made it. Call it on a locked incident."""
    before = postmortems.latest(session, incident_id)
    markdown = compiled(desk, session, incident_id)
    if before is None:
        return keep(desk, session, incident_id, parts.split(markdown), by), True
    fresh = parts.recompiled(before.sections, markdown)
    if fresh == before.sections:
        return before, False
    return keep(desk, session, incident_id, fresh, by), True


def keep(desk: Desk, session: Session, incident_id: int, sections: Sections, by: str) -> Revision:
    """Keep these sections as the next revision."""
    return postmortems.add_revision(
        session,
        incident_id=incident_id,
        number=incidents.take_number(session, incident_id, "revision"),
        sections=sections,
        created_at=desk.clock(),
        created_by=by,
    )


def questions_told(sections: Sections) -> str:
    """A sentence about the sections that a person has to decide about; "" for none."""
    asked = in_question(sections)
    if not asked:
        return ""
    names = listed([f"“{one.title or 'The beginning'}”" for one in asked])
    return (
        f" In {names} people and the facts have changed the same lines: what people wrote stands until somebody "
        "decides, `/postmortem keep mine` or `/postmortem keep facts`."
    )


def edit_section(
    desk: Desk, incident_id: int, key: str, text: str, *, made_from: str, by: str, origin: str | None = None
) -> Done:
    """Write a section. `made_from` is the text that the person had before them when they began."""
    return _change(
        desk,
        incident_id,
        lambda now: parts.edited(now, key, text, made_from=made_from),
        "Saved as revision {number}.",
        by=by,
        origin=origin,
    )


def add_section(
    desk: Desk, incident_id: int, title: str, text: str, *, by: str, origin: str | None = None
) -> Done:
    """Add a section of people's own at the end."""
    return _change(
        desk,
        incident_id,
        lambda now: parts.added(now, title, text),
        "Added, as revision {number}.",
        by=by,
        origin=origin,
    )


def settle_section(
    desk: Desk, incident_id: int, key: str, *, is_human_kept: bool, by: str, origin: str | None = None
) -> Done:
    """Decide what stands in a section: people's words, or what the facts give. "" decides every open question."""

    def settle(now: Sections) -> Sections:
        for one in in_question(now) if not key else [parts.find(now, key)]:
            now = parts.settled(now, one.key, is_human_kept=is_human_kept)
        return now

    whose = "What people wrote stands" if is_human_kept else "What the facts give stands"
    return _change(desk, incident_id, settle, f"{whose}, as revision {{number}}.", by=by, origin=origin)


def _change(
    desk: Desk,
    incident_id: int,
    change: Callable[[Sections], Sections],
    said: str,
    *,
    by: str,
    origin: str | None,
) -> Done:
    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        newest = postmortems.latest(session, incident_id)
        if newest is None:
            raise Refusal(f"{about.slug} has no postmortem yet. `/postmortem compile` makes its draft.")
        fresh = change(newest.sections)
        if fresh == newest.sections:
            return Done(f"Nothing changed: revision {newest.number} says that.", incident_id, is_new=False)
        kept = keep(desk, session, incident_id, fresh, by)
        return Done(said.format(number=kept.number), incident_id)

    return desk.once(origin, act)
