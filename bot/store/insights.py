"""What the figures of many incidents are made of: only the columns that are counted, and never a word of an entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, select

from bot.domain.followup import FollowUpState
from bot.domain.incident import Severity, Status
from bot.domain.insights import LISTED, NOT_COUNTED, Case, Known, Overdue, Owed, Timeline
from bot.domain.metrics import ITSELF
from bot.domain.people import Role, RoleHeld
from bot.domain.timeline import Kind, Source
from bot.store.db import Session
from bot.store.incident import visible
from bot.store.tables import entry, follow_up, incident, person, role_held, stakeholder_update

T = TypeVar("T")


_CASE = tuple(incident.c[field.name] for field in fields(Case))
_HELD = tuple(role_held.c[field.name] for field in fields(RoleHeld))


@dataclass(frozen=True)
class Chosen:
    """Which incidents are looked at; None and "" choose all."""

    #: Aware: opened at or after this, and before that.
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    severity: Severity | None = None
    #: "" chooses the incidents that have no service.
    service: str | None = None


def known(session: Session, chosen: Chosen, *, to: str, today: date) -> Known:
    """All that person `to` may know of the chosen incidents. Follow-ups come from any time."""
    alike = [visible(to), *_alike(chosen)]
    those = [*alike, *_opened(chosen)]
    return Known(
        cases=_cases(session, those),
        timelines=_timelines(session, those),
        roles=_roles(session, those),
        updates=_updates(session, those),
        follow_ups=_owed(session, alike),
        overdue=_overdue(session, alike, today),
    )


def services(session: Session, *, to: str) -> list[str]:
    """The services of the incidents that person `to` may see, by name."""
    query = select(incident.c.service).where(visible(to), incident.c.service.is_not(None)).distinct()
    return sorted(str(name) for name in session.execute(query).scalars())


def _alike(chosen: Chosen) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.severity is not None:
        conditions.append(incident.c.severity == chosen.severity.value)
    if chosen.service is not None:
        conditions.append(
            incident.c.service == chosen.service if chosen.service else incident.c.service.is_(None)
        )
    return conditions


def _opened(chosen: Chosen) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.opened_from is not None:
        conditions.append(incident.c.opened_at >= chosen.opened_from)
    if chosen.opened_before is not None:
        conditions.append(incident.c.opened_at < chosen.opened_before)
    return conditions


def _cases(session: Session, those: Sequence[ColumnElement[bool]]) -> list[Case]:
    rows = session.execute(select(*_CASE).where(*those)).mappings()
    return [
        Case(**{**row, "severity": Severity(row["severity"]), "status": Status(row["status"])})
        for row in rows
    ]


def _timelines(session: Session, those: Sequence[ColumnElement[bool]]) -> dict[int, Timeline]:
    """One row an incident, for all of its entries: a row each takes several times as long."""
    bots = select(person.c.id).where(person.c.is_bot)
    is_by_a_person = and_(
        entry.c.source != Source.ALERT.value,
        entry.c.recorded_by.not_in(bots),
        entry.c.recorded_at > _a_while_after(incident.c.opened_at, session.dialect.name),
    )
    rows = session.execute(
        select(
            incident.c.id,
            func.aggregate_strings(cast(entry.c.happened_at, String), ","),
            func.min(case((is_by_a_person, entry.c.recorded_at))),
            func.min(case((entry.c.kind == Kind.DETECTION.value, entry.c.happened_at))),
            func.min(case((entry.c.kind == Kind.MITIGATION.value, entry.c.happened_at))),
        )
        .join(entry, entry.c.incident_id == incident.c.id)
        .where(entry.c.undone_at.is_(None), *those)
        .group_by(incident.c.id)
    )
    # SQLite's text has no zone: it is UTC (see UtcDateTime). PostgreSQL's has one.
    suffix = "+00:00" if session.dialect.name == "sqlite" else ""
    resolved = _resolutions(session, those)
    return {
        of: Timeline(
            happened=[datetime.fromisoformat(text + suffix) for text in joined.split(",")],
            first_written_at=written,
            first_detected_at=detected,
            first_mitigated_at=mitigated,
            resolutions_at=resolved.get(of, ()),
        )
        for of, joined, written, detected, mitigated in rows
    }


def _resolutions(session: Session, those: Sequence[ColumnElement[bool]]) -> dict[int, list[datetime]]:
    ids = select(incident.c.id).where(*those)
    rows = session.execute(
        select(entry.c.incident_id, entry.c.happened_at).where(
            entry.c.undone_at.is_(None),
            entry.c.kind == Kind.RESOLUTION.value,
            entry.c.incident_id.in_(ids),
        )
    )
    return _by_incident((of, at) for of, at in rows)


def _a_while_after(opened_at: ColumnElement[datetime], dialect: str) -> ColumnElement[Any]:
    """When what is written down no longer belongs to the opening: see `ITSELF`."""
    seconds = int(ITSELF.total_seconds())
    if dialect == "postgresql":
        return opened_at + literal(ITSELF)
    # SQLite keeps moments as text and its date functions cut them to milliseconds: only the whole seconds are moved.
    text = cast(opened_at, String)
    moved = func.strftime("%Y-%m-%d %H:%M:%S", func.substr(text, 1, 19), f"+{seconds} seconds")
    return cast(moved.op("||")(func.substr(text, 20)), String)


def _roles(session: Session, those: Sequence[ColumnElement[bool]]) -> dict[int, list[RoleHeld]]:
    ids = select(incident.c.id).where(*those)
    rows = session.execute(select(*_HELD).where(role_held.c.incident_id.in_(ids))).mappings()
    return _by_incident((row["incident_id"], RoleHeld(**{**row, "role": Role(row["role"])})) for row in rows)


def _updates(session: Session, those: Sequence[ColumnElement[bool]]) -> dict[int, list[datetime]]:
    ids = select(incident.c.id).where(*those)
    sent = stakeholder_update.c
    rows = session.execute(select(sent.incident_id, sent.sent_at).where(sent.incident_id.in_(ids)))
    return _by_incident((of, at) for of, at in rows)


def _owed(session: Session, those: Sequence[ColumnElement[bool]]) -> list[Owed]:
    rows = session.execute(
        select(
            incident.c.is_drill,
            incident.c.status,
            follow_up.c.due_on,
            follow_up.c.state,
            follow_up.c.settled_at,
        )
        .join(incident, incident.c.id == follow_up.c.incident_id)
        .where(*those)
    )
    return [
        Owed(is_drill, Status(status), due_on, FollowUpState(state), settled_at)
        for is_drill, status, due_on, state, settled_at in rows
    ]


def _overdue(session: Session, those: Sequence[ColumnElement[bool]], today: date) -> list[Overdue]:
    """Those that are listed, longest overdue first. Only these are read with their words."""
    rows = session.execute(
        select(
            follow_up.c.incident_id,
            incident.c.number.label("incident_number"),
            follow_up.c.number,
            follow_up.c.text,
            follow_up.c.owner,
            follow_up.c.due_on,
        )
        .join(incident, incident.c.id == follow_up.c.incident_id)
        .where(
            *those,
            incident.c.is_drill.is_(False),
            incident.c.status.not_in([status.value for status in NOT_COUNTED]),
            follow_up.c.state == FollowUpState.OPEN.value,
            follow_up.c.due_on < today,
        )
        .order_by(follow_up.c.due_on, incident.c.number, follow_up.c.number)
        .limit(LISTED)
    ).mappings()
    return [Overdue(**row) for row in rows]


def _by_incident(pairs: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    found: dict[int, list[T]] = {}
    for of, one in pairs:
        found.setdefault(of, []).append(one)
    return found
