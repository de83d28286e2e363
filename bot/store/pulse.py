"""The pulse of an incident: a short text that changes whenever what its page shows has changed.

Pages that stay open ask for it every few seconds, so it is a handful of counters, not the incident.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sqlalchemy import Select, func, select

from bot.store.db import Session
from bot.store.tables import (
    entry,
    entry_revision,
    follow_up,
    incident,
    lesson,
    postmortem_revision,
    reading,
    responder,
    role_held,
    run,
    run_step,
    stakeholder_update,
)
from bot.store.work_tables import work


def _counters(incident_id: int) -> Select[Any]:
    def of(*what: Any, table: Any) -> list[Any]:
        return [select(one).where(table.c.incident_id == incident_id).scalar_subquery() for one in what]

    steps = select(func.count(run_step.c.id)).join(run).where(run.c.incident_id == incident_id)
    notes = select(func.sum(func.length(run_step.c.note))).join(run).where(run.c.incident_id == incident_id)
    # Editing, undoing and bringing back keep what an entry said before: the rows only grow.
    changes = select(func.max(entry_revision.c.id)).join(entry).where(entry.c.incident_id == incident_id)
    return select(
        incident.c.version,
        incident.c.last_entry,
        incident.c.channel_name,
        incident.c.draft_permalink,
        changes.scalar_subquery(),
        steps.scalar_subquery(),
        notes.scalar_subquery(),
        *of(func.count(run.c.id), func.count(run.c.ended_at), table=run),
        *of(func.count(responder.c.id), func.count(responder.c.left_at), table=responder),
        *of(func.max(role_held.c.id), table=role_held),
        *of(func.max(stakeholder_update.c.id), table=stakeholder_update),
        *of(func.max(lesson.c.id), table=lesson),
        *of(func.max(reading.c.id), table=reading),
        *of(func.max(postmortem_revision.c.number), table=postmortem_revision),
    ).where(incident.c.id == incident_id)


def pulse(session: Session, incident_id: int) -> str:
    """The pulse of an incident, which must exist."""
    beat = [tuple(session.execute(_counters(incident_id)).one())]
    beat += session.execute(
        select(
            follow_up.c.number,
            follow_up.c.state,
            follow_up.c.owner,
            follow_up.c.due_on,
            follow_up.c.text,
            follow_up.c.link,
            follow_up.c.tracker_key,
        )
        .where(follow_up.c.incident_id == incident_id)
        .order_by(follow_up.c.number)
    ).all()
    beat += session.execute(
        select(work.c.id, work.c.state, work.c.attempts, work.c.last_error)
        .where(work.c.incident_id == incident_id, work.c.state.in_(("open", "running", "set_aside")))
        .order_by(work.c.id)
    ).all()
    return sha256(repr([tuple(row) for row in beat]).encode()).hexdigest()[:20]
