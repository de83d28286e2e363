"""Follow-ups and lessons: rows to domain and back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, insert, or_, select, update

from bot.domain.followup import FollowUp, FollowUpState, Lesson, LessonKind
from bot.domain.incident import Status
from bot.store.db import Session
from bot.store.tables import follow_up, incident, lesson

#: Of these nobody is reminded: there was no incident, or it is told elsewhere.
_NEVER_WERE = (Status.CANCELLED.value, Status.MERGED.value)


def _follow_up(row: Any) -> FollowUp:
    return FollowUp(**{**row, "state": FollowUpState(row["state"])})


def add(
    session: Session,
    *,
    incident_id: int,
    number: int,
    text: str,
    owner: str | None,
    due_on: date | None,
    created_at: datetime,
    created_by: str,
    link: str | None = None,
) -> FollowUp:
    row = (
        session.execute(
            insert(follow_up)
            .values(
                incident_id=incident_id,
                number=number,
                text=text,
                owner=owner,
                due_on=due_on,
                state=FollowUpState.OPEN.value,
                created_at=created_at,
                created_by=created_by,
                link=link,
            )
            .returning(follow_up)
        )
        .mappings()
        .one()
    )
    return _follow_up(row)


def find_by_number(session: Session, incident_id: int, number: int) -> FollowUp | None:
    row = (
        session.execute(
            select(follow_up).where(follow_up.c.incident_id == incident_id, follow_up.c.number == number)
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _follow_up(row)


def save(session: Session, follow_up_id: int, **changes: Any) -> None:
    session.execute(update(follow_up).where(follow_up.c.id == follow_up_id).values(**changes))


def of(session: Session, incident_id: int) -> list[FollowUp]:
    """Every follow-up of the incident, by number."""
    rows = session.execute(
        select(follow_up).where(follow_up.c.incident_id == incident_id).order_by(follow_up.c.number)
    ).mappings()
    return [_follow_up(row) for row in rows]


def find(session: Session, follow_up_id: int) -> FollowUp | None:
    row = session.execute(select(follow_up).where(follow_up.c.id == follow_up_id)).mappings().one_or_none()
    return None if row is None else _follow_up(row)


def worth_reminding(session: Session, until: date) -> list[FollowUp]:
    """Open follow-ups that somebody has and that are due by that day, of incidents that really were."""
    rows = session.execute(
        select(follow_up)
        .join(incident, incident.c.id == follow_up.c.incident_id)
        .where(
            follow_up.c.state == FollowUpState.OPEN.value,
            follow_up.c.owner.is_not(None),
            follow_up.c.due_on <= until,
            incident.c.status.not_in(_NEVER_WERE),
        )
        .order_by(follow_up.c.due_on, follow_up.c.id)
    ).mappings()
    return [_follow_up(row) for row in rows]


def note_reminder(session: Session, follow_up_id: int, occasion: date) -> bool:
    """Write down that its owner is reminded for that day; False when another replica was quicker."""
    changed = session.execute(
        update(follow_up)
        .where(
            follow_up.c.id == follow_up_id,
            or_(follow_up.c.reminded_on.is_(None), follow_up.c.reminded_on < occasion),
        )
        .values(reminded_on=occasion)
        .returning(follow_up.c.id)
    ).one_or_none()
    return changed is not None


def open_in_public(session: Session, limit: int) -> list[FollowUp]:
    """Open follow-ups of public incidents that really were (no drills), the longest overdue first."""
    rows = session.execute(
        select(follow_up)
        .join(incident, incident.c.id == follow_up.c.incident_id)
        .where(
            follow_up.c.state == FollowUpState.OPEN.value,
            incident.c.status.not_in(_NEVER_WERE),
            incident.c.is_private.is_(False),
            incident.c.is_drill.is_(False),
        )
        .order_by(follow_up.c.due_on.is_(None), follow_up.c.due_on, follow_up.c.id)
        .limit(limit)
    ).mappings()
    return [_follow_up(row) for row in rows]


def worth_reading(
    session: Session, kind: str, *, read_before: datetime, settled_after: datetime, limit: int
) -> list[FollowUp]:
    """Follow-ups that are issues of this kind of tracker and were not read since then, the longest ago first.

    Open ones, and those that the tracker itself settled not long ago: there it may be opened again.
    """
    rows = session.execute(
        select(follow_up)
        .where(
            follow_up.c.tracker_key.is_not(None),
            follow_up.c.tracker.startswith(f"{kind}:", autoescape=True),
            follow_up.c.tracker_state_at < read_before,
            or_(
                follow_up.c.state == FollowUpState.OPEN.value,
                and_(follow_up.c.settled_by == kind, follow_up.c.settled_at > settled_after),
            ),
        )
        .order_by(follow_up.c.tracker_state_at, follow_up.c.id)
        .limit(limit)
    ).mappings()
    return [_follow_up(row) for row in rows]


def open_of(session: Session, owner: str, limit: int) -> list[FollowUp]:
    """Open follow-ups that this person has, of incidents that really were, the longest overdue first."""
    rows = session.execute(
        select(follow_up)
        .join(incident, incident.c.id == follow_up.c.incident_id)
        .where(
            follow_up.c.state == FollowUpState.OPEN.value,
            follow_up.c.owner == owner,
            incident.c.status.not_in(_NEVER_WERE),
        )
        .order_by(follow_up.c.due_on.is_(None), follow_up.c.due_on, follow_up.c.id)
        .limit(limit)
    ).mappings()
    return [_follow_up(row) for row in rows]


def add_lesson(
    session: Session, *, incident_id: int, kind: LessonKind, text: str, created_at: datetime, created_by: str
) -> None:
    session.execute(
        insert(lesson).values(
            incident_id=incident_id,
            kind=kind.value,
            text=text,
            created_at=created_at,
            created_by=created_by,
        )
    )


def lessons(session: Session, incident_id: int) -> list[Lesson]:
    """Every lesson of the incident, in the order they were written."""
    rows = session.execute(
        select(lesson).where(lesson.c.incident_id == incident_id).order_by(lesson.c.id)
    ).mappings()
    return [Lesson(**{**row, "kind": LessonKind(row["kind"])}) for row in rows]
