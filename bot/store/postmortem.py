"""Updates, revisions of the postmortem, and the gathering of all facts of an incident."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from bot.domain import markup
from bot.domain.postmortem import Facts, Revision, Update
from bot.store import followup, incident, people, runbook, timeline
from bot.store.db import Session
from bot.store.tables import postmortem_revision, stakeholder_update


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


def add_revision(session: Session, **values: Any) -> Revision:
    row = session.execute(
        insert(postmortem_revision).values(**values).returning(postmortem_revision)
    ).mappings()
    return Revision(**row.one())


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
    return None if row is None else Revision(**row)


def revisions(session: Session, incident_id: int) -> list[Revision]:
    """Every revision of the incident's postmortem, newest first."""
    rows = session.execute(
        select(postmortem_revision)
        .where(postmortem_revision.c.incident_id == incident_id)
        .order_by(postmortem_revision.c.number.desc())
    ).mappings()
    return [Revision(**row) for row in rows]


def get_revision(session: Session, incident_id: int, number: int) -> Revision:
    row = session.execute(
        select(postmortem_revision).where(
            postmortem_revision.c.incident_id == incident_id, postmortem_revision.c.number == number
        )
    ).mappings()
    return Revision(**row.one())


def facts(session: Session, incident_id: int, team_zone: str) -> Facts:
    """All that is known about the incident, from the database alone."""
    about = incident.get(session, incident_id)
    entries = timeline.live(session, incident_id)
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
        channels=people.channel_names(session, channels),
        team_zone=team_zone,
    )
