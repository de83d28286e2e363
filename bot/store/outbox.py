"""The outbox: what Slack must be told, kept in the database until it was told.

`put` runs in the transaction that makes a thing true. A postman takes work with `claim` and writes how far
it got through a `Hold` (outbox_hold.py), which only works while the work is still its own.

Order: items of one key are delivered by id, one at a time. On PostgreSQL row id is not commit order, so
whoever puts work under an incident's key holds the incident's row first (incident.lock).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from bot.domain.outcomes import Unknown, Unreachable
from bot.store.db import Session
from bot.store.once import insert_once
from bot.store.prepared import Prepared
from bot.store.types import UtcDateTime
from bot.store.work_tables import work, work_step

#: PostgreSQL's channel on which a put wakes the postmen of all replicas.
BELL = "lantern_work"


@dataclass(frozen=True)
class Parcel:
    """One thing to tell Slack: the kind names its sender, the args are ids and facts (JSON)."""

    kind: str
    #: Its place in an order: a channel, an incident, or something of its own when it depends on nothing.
    key: str
    args: Mapping[str, Any] = field(default_factory=dict)
    #: The second parcel with the same one is not put. None: every put is new.
    dedup_key: str | None = None
    incident_id: int | None = None
    #: Whom to tell, and where, when it cannot be delivered.
    asked_by: str | None = None
    asked_in: str | None = None
    #: Waits until then, and holds up nothing behind it before that.
    not_before: datetime | None = None


@dataclass(frozen=True)
class Work:
    """A parcel in the outbox, as it was when it was read."""

    id: int
    kind: str
    key: str
    args: dict[str, Any]
    dedup_key: str | None
    state: str
    next_at: datetime
    attempts: int
    owner: str | None
    lease_until: datetime | None
    last_error: str | None
    incident_id: int | None
    asked_by: str | None
    asked_in: str | None
    created_at: datetime
    finished_at: datetime | None
    first_failed_at: datetime | None


@dataclass(frozen=True)
class StepKept:
    """What is remembered of one step. Started but neither answered nor finished: nobody knows."""

    name: str
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any] | None


@dataclass(frozen=True)
class Backlog:
    """How much is waiting. `oldest_due_at` is None when nothing is late."""

    open: int
    running: int
    set_aside: int
    oldest_due_at: datetime | None


_FIELDS = tuple(each.name for each in fields(Work))
_COLUMNS = tuple(work.c[name] for name in _FIELDS)


def _work(row: Any) -> Work:
    return Work(**dict(zip(_FIELDS, row, strict=True)))


def moment(session: Session, now: datetime) -> datetime:
    """The time all replicas agree about: the database's on PostgreSQL, `now` on SQLite."""
    if session.dialect.name != "postgresql":
        return now
    told: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return told


def put(session: Session, parcel: Parcel, now: datetime) -> int | None:
    """Put a parcel in, and give its work id; None when its dedup key was put before."""
    values = {
        "kind": parcel.kind,
        "key": parcel.key,
        "args": dict(parcel.args),
        "dedup_key": parcel.dedup_key,
        "state": "open",
        "attempts": 0,
        "incident_id": parcel.incident_id,
        "asked_by": parcel.asked_by,
        "asked_in": parcel.asked_in,
    }
    if session.dialect.name == "postgresql":
        row = session.execute(_PUT_AND_RING, values | {"not_before": parcel.not_before}).one_or_none()
        return None if row is None else int(row.id)
    due = now if parcel.not_before is None else parcel.not_before
    return insert_once(session, work, **values, next_at=due, created_at=now)


# One statement instead of three: the database's own time, the row, and the bell that wakes the postmen.
_PUT_AND_RING = (
    postgresql.insert(work)
    .values(
        next_at=func.coalesce(bindparam("not_before", type_=UtcDateTime), func.statement_timestamp()),
        created_at=func.statement_timestamp(),
    )
    .on_conflict_do_nothing()
    .returning(work.c.id, func.pg_notify(BELL, ""))
)


def coalesce(session: Session, parcel: Parcel) -> int | None:
    """Let an open item of the same key and kind that has told nothing yet take the new args, and give its id.

    None when there is none such: then put it. Ten changes of a card are one update.
    """
    replacing = {"of_key": parcel.key, "of_kind": parcel.kind, "new_args": dict(parcel.args)}
    row = _REPLACE_ARGS.row(session, replacing)
    return None if row is None else int(row[0])


def _replacing() -> Prepared:
    # A remembered step would be skipped, and the new args with it: such an item is left to end as it is.
    has_told = exists().where(
        work_step.c.work_id == work.c.id,
        or_(work_step.c.finished_at.is_not(None), work_step.c.result.is_not(None)),
    )
    latest = (
        select(func.max(work.c.id))
        .where(
            text("state IN ('open', 'running')"),
            work.c.key == bindparam("of_key"),
            work.c.kind == bindparam("of_kind"),
        )
        .scalar_subquery()
    )
    return Prepared(
        update(work)
        .where(work.c.id == latest, work.c.state == "open", ~has_told)
        .values(args=bindparam("new_args", type_=work.c.args.type))
        .returning(work.c.id)
    )


def _due() -> Select[tuple[int]]:
    mine, other = work.alias("mine"), work.alias("other")
    now: BindParameter[datetime] = bindparam("now", type_=UtcDateTime)
    # Put for later and never tried: it holds up nothing behind it until its time has come.
    is_waiting_its_turn = or_(
        other.c.attempts > 0, other.c.next_at <= other.c.created_at, other.c.next_at <= now
    )
    is_blocked = exists().where(
        text("other.state IN ('open', 'running')"),
        other.c.key == mine.c.key,
        or_(other.c.state == "running", and_(other.c.id < mine.c.id, is_waiting_its_turn)),
    )
    # next_at of a running item is the end of its lease.
    return (
        select(mine.c.id)
        .where(
            text("mine.state IN ('open', 'running')"),
            mine.c.next_at <= now,
            mine.c.id.not_in(bindparam("besides", expanding=True)),
            or_(mine.c.state == "running", ~is_blocked),
        )
        .order_by(mine.c.next_at, mine.c.id)
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(of=mine, skip_locked=True)
    )


# Built once: a postman that has nothing to do asks this every second.
_DUE = _due()
# Likewise: every logged line asks whether the channel's next message is still to be sent.
_REPLACE_ARGS = _replacing()
_TAKE = (
    update(work)
    .where(work.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state="running",
        owner=bindparam("owner"),
        lease_until=bindparam("until", type_=UtcDateTime),
        next_at=bindparam("until", type_=UtcDateTime),
        attempts=work.c.attempts + 1,
    )
    .returning(*_COLUMNS)
)


def claim(
    session: Session,
    owner: str,
    now: datetime,
    lease_for: timedelta,
    limit: int,
    *,
    besides: Collection[int] = (),
) -> list[Work]:
    """Take up to `limit` items that may be delivered now, at most one of each key, oldest first.

    Also takes over items whose holder let its lease run out. `besides` are ids the caller still has
    threads on: their lease may have run out while the database was away.
    """
    now = moment(session, now)
    ids = session.execute(_DUE, {"now": now, "limit": limit, "besides": list(besides)}).scalars().all()
    if not ids:
        return []
    taking = {"ids": ids, "owner": owner, "until": now + lease_for}
    try:
        with session.begin_nested():
            taken = [_work(row) for row in session.execute(_TAKE, taking)]
    except IntegrityError:
        # Another replica took an item of one of these keys in between; the next look will see it.
        return []
    return sorted(taken, key=lambda each: each.id)


def steps_of(session: Session, work_ids: Collection[int]) -> dict[int, dict[str, StepKept]]:
    """The remembered steps of each of these works, by name."""
    found: dict[int, dict[str, StepKept]] = {work_id: {} for work_id in work_ids}
    rows = session.execute(select(work_step).where(work_step.c.work_id.in_(work_ids))).all()
    for row in rows:
        found[row.work_id][row.name] = StepKept(row.name, row.started_at, row.finished_at, row.result)
    return found


def heartbeat(
    session: Session, owner: str, work_ids: Collection[int], now: datetime, lease_for: timedelta
) -> set[int]:
    """Renew the leases of these works, and give the ids that are still this owner's."""
    until = moment(session, now) + lease_for
    renewed = session.execute(
        update(work)
        .where(work.c.id.in_(work_ids), work.c.owner == owner, work.c.state == "running")
        .values(lease_until=until, next_at=until)
        .returning(work.c.id)
    ).scalars()
    return set(renewed)


def hurry(session: Session, now: datetime) -> int:
    """Slack answers again: let what failed because it did not be tried at once, and give how many."""
    now = moment(session, now)
    is_late = and_(
        text("state = 'open'"),
        work.c.next_at > now,
        work.c.first_failed_at.is_not(None),
        or_(*(work.c.last_error.startswith(f"{each.__name__}:") for each in (Unknown, Unreachable))),
    )
    # What somebody claims just now is left to them.
    late = select(work.c.id).where(is_late).with_for_update(skip_locked=True)
    hurry = update(work).where(work.c.id.in_(late)).values(next_at=now).returning(work.c.id)
    return len(session.execute(hurry).all())


def free_running(session: Session, now: datetime) -> int:
    """Open what a former life of the only process held, and give how many. SQLite, at start."""
    freed = session.execute(
        update(work)
        .where(work.c.state == "running")
        .values(state="open", owner=None, lease_until=None, next_at=now)
        .returning(work.c.id)
    ).all()
    return len(freed)


def find(session: Session, work_id: int) -> Work | None:
    row = session.execute(select(*_COLUMNS).where(work.c.id == work_id)).one_or_none()
    return None if row is None else _work(row)


def list_set_aside(session: Session, limit: int = 100) -> list[Work]:
    """What could not be delivered and waits for a person, oldest first."""
    rows = session.execute(
        select(*_COLUMNS).where(work.c.state == "set_aside").order_by(work.c.id).limit(limit)
    ).all()
    return [_work(row) for row in rows]


def send_again(session: Session, work_id: int, now: datetime) -> bool:
    """Open what was set aside; finished steps stay finished. False when it was not set aside."""
    row = session.execute(
        update(work)
        .where(work.c.id == work_id, work.c.state == "set_aside")
        .values(
            state="open",
            next_at=moment(session, now),
            owner=None,
            first_failed_at=None,
            last_error=None,
            finished_at=None,
        )
        .returning(work.c.id)
    ).one_or_none()
    if row is not None and session.dialect.name == "postgresql":
        session.execute(select(func.pg_notify(BELL, "")))
    return row is not None


def cancel(session: Session, work_id: int, now: datetime) -> bool:
    """Take back what is open or set aside. False when it is running, over, or was never there."""
    return _cancel(session, now, work.c.id == work_id)


def cancel_by_dedup_key(session: Session, dedup_key: str, now: datetime) -> bool:
    """The same, for whoever knows the occasion: a reminder nobody needs any more."""
    return _cancel(session, now, work.c.dedup_key == dedup_key)


def _cancel(session: Session, now: datetime, which: Any) -> bool:
    row = session.execute(
        update(work)
        .where(which, work.c.state.in_(("open", "set_aside")))
        .values(state="cancelled", finished_at=moment(session, now))
        .returning(work.c.id)
    ).one_or_none()
    return row is not None


def backlog(session: Session, now: datetime) -> Backlog:
    """Counts for the health page."""
    rows = session.execute(
        select(work.c.state, func.count().label("many"))
        .where(work.c.state.in_(("open", "running", "set_aside")))
        .group_by(work.c.state)
    )
    counts = {row.state: row.many for row in rows}
    # min() of a typed column keeps the type: an aware moment.
    oldest = session.execute(
        select(func.min(work.c.next_at)).where(work.c.state == "open", work.c.next_at <= moment(session, now))
    ).scalar_one()
    return Backlog(counts.get("open", 0), counts.get("running", 0), counts.get("set_aside", 0), oldest)


def sweep(session: Session, before: datetime, limit: int = 1000) -> int:
    """Delete up to `limit` works done or cancelled before then, and give how many.

    Their dedup keys are forgotten with them: keep them longer than anyone repeats himself.
    """
    old = (
        session.execute(
            select(work.c.id)
            .where(work.c.state.in_(("done", "cancelled")), work.c.finished_at < before)
            .limit(limit)
        )
        .scalars()
        .all()
    )
    session.execute(delete(work_step).where(work_step.c.work_id.in_(old)))
    session.execute(delete(work).where(work.c.id.in_(old)))
    return len(old)
