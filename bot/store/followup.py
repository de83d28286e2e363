"""Follow-ups and lessons: rows to domain and back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, update

from bot.domain.followup import FollowUp, FollowUpState, Lesson, LessonKind
from bot.store.db import Session
from bot.store.tables import follow_up, lesson


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
