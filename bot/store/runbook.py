"""Runs of runbooks and the outcomes of their steps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from bot.domain.runbook import Outcome, Run, RunStep
from bot.store.db import Session
from bot.store.once import insert_once
from bot.store.tables import run, run_step


def _run(session: Session, row: Any) -> Run:
    steps = session.execute(
        select(run_step).where(run_step.c.run_id == row["id"]).order_by(run_step.c.position)
    ).mappings()
    return Run(
        id=row["id"],
        incident_id=row["incident_id"],
        runbook_id=row["runbook_id"],
        runbook_title=row["runbook_title"],
        revision=row["revision"],
        steps_total=row["steps_total"],
        started_at=row["started_at"],
        started_by=row["started_by"],
        ended_at=row["ended_at"],
        commit=row["git_commit"],
        outcomes=tuple(RunStep(**{**step, "outcome": Outcome(step["outcome"])}) for step in steps),
    )


def add(
    session: Session,
    *,
    incident_id: int,
    runbook_id: str,
    runbook_title: str,
    revision: str,
    snapshot: dict[str, Any],
    steps_total: int,
    started_at: datetime,
    started_by: str,
    commit: str | None = None,
) -> Run:
    row = (
        session.execute(
            insert(run)
            .values(
                incident_id=incident_id,
                runbook_id=runbook_id,
                runbook_title=runbook_title,
                revision=revision,
                snapshot=snapshot,
                steps_total=steps_total,
                started_at=started_at,
                started_by=started_by,
                git_commit=commit,
            )
            .returning(run)
        )
        .mappings()
        .one()
    )
    return _run(session, row)


def find(session: Session, run_id: int) -> Run | None:
    row = session.execute(select(run).where(run.c.id == run_id)).mappings().one_or_none()
    return None if row is None else _run(session, row)


def of(session: Session, incident_id: int) -> list[Run]:
    """Every run in the incident, in the order they began."""
    rows = session.execute(select(run).where(run.c.incident_id == incident_id).order_by(run.c.id)).mappings()
    return [_run(session, row) for row in rows.all()]


def snapshot(session: Session, run_id: int) -> dict[str, Any]:
    """The runbook as it was when the run began."""
    kept: dict[str, Any] = session.execute(select(run.c.snapshot).where(run.c.id == run_id)).scalar_one()
    return kept


def end(session: Session, run_id: int, now: datetime) -> None:
    session.execute(update(run).where(run.c.id == run_id).values(ended_at=now))


def mark(
    session: Session,
    *,
    run_id: int,
    position: int,
    title: str,
    outcome: Outcome,
    note: str,
    by: str,
    at: datetime,
) -> bool:
    """Write down the outcome of a step. False when it already has one."""
    row = insert_once(
        session,
        run_step,
        run_id=run_id,
        position=position,
        title=title,
        outcome=outcome.value,
        note=note,
        by=by,
        at=at,
    )
    return row is not None


def add_note(session: Session, run_id: int, position: int, note: str) -> None:
    """Add to the note of a step that has its outcome."""
    former: str = session.execute(
        select(run_step.c.note).where(run_step.c.run_id == run_id, run_step.c.position == position)
    ).scalar_one()
    joined = f"{former}; {note}" if former else note
    session.execute(
        update(run_step)
        .where(run_step.c.run_id == run_id, run_step.c.position == position)
        .values(note=joined)
    )


def step_ts(session: Session, run_id: int, position: int) -> str | None:
    """The ts of the message that shows a step."""
    kept: dict[str, str] = session.execute(select(run.c.step_ts).where(run.c.id == run_id)).scalar_one()
    return kept.get(str(position))


def keep_step_ts(session: Session, run_id: int, position: int, ts: str) -> None:
    kept = session.execute(select(run.c.step_ts).where(run.c.id == run_id).with_for_update()).scalar_one()
    session.execute(update(run).where(run.c.id == run_id).values(step_ts={**kept, str(position): ts}))
