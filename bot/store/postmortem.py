"""Updates, revisions of the postmortem and how far it is, and the gathering of all facts of an incident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import RowMapping, func, insert, select

from bot.domain import markup
from bot.domain.postmortem import Facts, Revision, Update
from bot.domain.review import Review, ReviewState, RevisionLine
from bot.domain.sections import Section, Sections, joined, recompiled, split
from bot.domain.timeline import Entry
from bot.store import followup, incident, people, runbook, timeline
from bot.store.db import Session
from bot.store.once import insert_or_update
from bot.store.tables import postmortem, postmortem_revision, stakeholder_update


def add_update(session: Session, *, incident_id: int, text: str, sent_at: datetime, sent_by: str) -> Update:
    row = (
        session.execute(
            insert(stakeholder_update)
            .values(incident_id=incident_id, text=text, sent_at=sent_at, sent_by=sent_by)
            .returning(stakeholder_update)
        )
        .mappings()
        .one()
    )
    return Update(**row)


def get_update(session: Session, update_id: int) -> Update:
    row = session.execute(select(stakeholder_update).where(stakeholder_update.c.id == update_id))
    return Update(**row.mappings().one())


def updates(session: Session, incident_id: int) -> list[Update]:
    rows = session.execute(
        select(stakeholder_update)
        .where(stakeholder_update.c.incident_id == incident_id)
        .order_by(stakeholder_update.c.id)
    ).mappings()
    return [Update(**row) for row in rows]


def add_revision(session: Session, *, sections: Sections, **values: Any) -> Revision:
    """Keep one more revision of these sections; the whole text and its digest are made from them."""
    markdown = joined(sections)
    row = session.execute(
        insert(postmortem_revision)
        .values(
            markdown=markdown,
            digest=digest_of(markdown),
            sections=[asdict(one) for one in sections],
            **values,
        )
        .returning(postmortem_revision)
    ).mappings()
    return _revision(row.one())


def digest_of(markdown: str) -> str:
    """SHA-256 (hex) of a postmortem's text."""
    return sha256(markdown.encode()).hexdigest()


def _revision(row: RowMapping) -> Revision:
    # A revision of a Lantern that knew no sections was compiled as a whole.
    kept = row["sections"]
    sections = tuple(Section(**one) for one in kept) if kept else split(row["markdown"])
    return Revision(**{**row, "sections": sections})


def latest(session: Session, incident_id: int) -> Revision | None:
    """The newest revision of the incident's postmortem."""
    row = (
        session.execute(
            select(postmortem_revision)
            .where(postmortem_revision.c.incident_id == incident_id)
            .order_by(postmortem_revision.c.number.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    found = _revision(row)
    if row["sections"] is None:
        found = _with_words_of_before(session, found)
    return found


def latest_number(session: Session, incident_id: int) -> int | None:
    """The number of the newest revision; None before the first. Its text may have megabytes."""
    columns = postmortem_revision.c
    newest: int | None = session.execute(
        select(func.max(columns.number)).where(columns.incident_id == incident_id)
    ).scalar_one()
    return newest


def _with_words_of_before(session: Session, found: Revision) -> Revision:
    """What people wrote before an older Lantern, in the middle of a deploy, compiled without knowing of it."""
    written = (
        select(postmortem_revision)
        .where(
            postmortem_revision.c.incident_id == found.incident_id,
            postmortem_revision.c.sections.is_not(None),
        )
        .order_by(postmortem_revision.c.number.desc())
        .limit(1)
    )
    before = session.execute(written).mappings().one_or_none()
    if before is None:
        return found
    return replace(found, sections=recompiled(_revision(before).sections, found.markdown))


def revisions(session: Session, incident_id: int) -> list[RevisionLine]:
    """Every revision, the newest first, without their texts."""
    columns = postmortem_revision.c
    rows = session.execute(
        select(columns.number, columns.digest, columns.created_at, columns.created_by)
        .where(columns.incident_id == incident_id)
        .order_by(columns.number.desc())
    ).mappings()
    return [RevisionLine(**row) for row in rows]


def review(session: Session, incident_id: int) -> Review:
    """How far the postmortem is; a draft when nobody has said anything."""
    row = session.execute(select(postmortem).where(postmortem.c.incident_id == incident_id))
    found = row.mappings().one_or_none()
    if found is None:
        return Review(incident_id, ReviewState.DRAFT)
    return Review(**{**found, "state": ReviewState(found["state"])})


def save_review(session: Session, kept: Review) -> None:
    values = asdict(kept) | {"state": kept.state.value}
    insert_or_update(session, postmortem, "incident_id", **values)


def get_revision(session: Session, incident_id: int, number: int) -> Revision:
    found = find_revision(session, incident_id, number)
    assert found is not None
    return found


def find_revision(session: Session, incident_id: int, number: int) -> Revision | None:
    """The revision of that number; None when there is none."""
    row = session.execute(
        select(postmortem_revision).where(
            postmortem_revision.c.incident_id == incident_id, postmortem_revision.c.number == number
        )
    ).mappings()
    found = row.one_or_none()
    return None if found is None else _revision(found)


def facts(
    session: Session, incident_id: int, team_zone: str, entries: Sequence[Entry] | None = None
) -> Facts:
    """All that is known about the incident, from the database alone; of its entries all that stand, or these."""
    about = incident.get(session, incident_id)
    entries = timeline.live(session, incident_id) if entries is None else entries
    roles = people.roles(session, incident_id)
    responders = people.responders(session, incident_id)
    follow_ups = followup.of(session, incident_id)
    lessons = followup.lessons(session, incident_id)
    told = updates(session, incident_id)
    runs = runbook.of(session, incident_id)
    texts = [about.title, about.impact or "", about.cause or "", about.fix or ""]
    texts += [one.text for one in entries] + [one.text for one in follow_ups]
    texts += [one.text for one in lessons] + [one.text for one in told]
    texts += [step.note for one in runs for step in one.outcomes]
    ids = {about.opened_by, *(held.person for held in roles), *(one.person for one in responders)}
    ids |= {one.author for one in entries} | {one.recorded_by for one in entries}
    ids |= {one.owner for one in follow_ups if one.owner} | {one.created_by for one in follow_ups}
    ids |= {one.created_by for one in lessons} | {one.sent_by for one in told}
    ids |= {one.started_by for one in runs} | {step.by for one in runs for step in one.outcomes}
    ids |= {named for text in texts for named in markup.mentions(text)}
    channels = {named for text in texts for named in markup.channel_refs(text)}
    return Facts(
        incident=about,
        entries=tuple(entries),
        roles=tuple(roles),
        responders=tuple(responders),
        follow_ups=tuple(follow_ups),
        lessons=tuple(lessons),
        updates=tuple(told),
        runs=tuple(runs),
        people=people.known(session, ids),
        channels=people.channel_names(session, channels, within=incident_id),
        team_zone=team_zone,
    )
