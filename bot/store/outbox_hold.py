"""A hold on one piece of work: every write of a postman goes through it, and only while the work is its own.

A replica that was paused past its lease finds its work taken over: owner or attempts no longer match, and
it can write nothing about it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, bindparam, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.db import Session
from bot.store.outbox import Work, moment
from bot.store.types import UtcDateTime
from bot.store.work_tables import work, work_step

# Built once: these run for every step of every work.
_UNTIL: BindParameter[datetime] = bindparam("until", type_=UtcDateTime)
_HOLD = (
    update(work)
    .where(
        work.c.id == bindparam("of"),
        work.c.owner == bindparam("by"),
        work.c.attempts == bindparam("attempt"),
        work.c.state == "running",
    )
    .values(lease_until=_UNTIL, next_at=_UNTIL)
    .returning(work.c.first_failed_at)
)
_STEP = {
    "work_id": bindparam("of"),
    "name": bindparam("step"),
    "started_at": bindparam("at", type_=UtcDateTime),
}
_BEGIN_ON_SQLITE = sqlite.insert(work_step).values(_STEP)
_BEGIN_ON_SQLITE = _BEGIN_ON_SQLITE.on_conflict_do_update(
    index_elements=["work_id", "name"], set_={"started_at": _BEGIN_ON_SQLITE.excluded.started_at}
)
_BEGIN_ON_POSTGRESQL = postgresql.insert(work_step).values(_STEP)
_BEGIN_ON_POSTGRESQL = _BEGIN_ON_POSTGRESQL.on_conflict_do_update(
    index_elements=["work_id", "name"], set_={"started_at": _BEGIN_ON_POSTGRESQL.excluded.started_at}
)
_FINISH_STEP = (
    update(work_step)
    .where(
        work_step.c.work_id == bindparam("of"),
        work_step.c.name == bindparam("step"),
        work_step.c.finished_at.is_(None),
    )
    .values(
        finished_at=bindparam("at", type_=UtcDateTime),
        result=bindparam("answer", type_=work_step.c.result.type),
    )
    .returning(work_step.c.name)
)


class LeaseLost(Exception):
    """The work is not ours any more: somebody else has it, or it is over."""


class Hold:
    """One transaction in which the work is surely ours. Making one renews the lease.

    Raises LeaseLost when the work is not ours any more.
    """

    def __init__(self, session: Session, held: Work, now: datetime, lease_for: timedelta) -> None:
        self.session = session
        self.work = held
        self.now = moment(session, now)
        until = self.now + lease_for
        row = session.execute(
            _HOLD, {"of": held.id, "by": held.owner, "attempt": held.attempts, "until": until}
        ).one_or_none()
        if row is None:
            raise LeaseLost(f"work {held.id} (attempt {held.attempts}) is no longer held by {held.owner}")
        #: When the present row of failures began.
        self.first_failed_at: datetime | None = row.first_failed_at
        #: A step went well after a row of failures.
        self.has_recovered = False

    def begin_step(self, name: str) -> None:
        """Write down that Slack may be told from now on."""
        is_postgresql = self.session.dialect.name == "postgresql"
        begin = _BEGIN_ON_POSTGRESQL if is_postgresql else _BEGIN_ON_SQLITE
        self.session.execute(begin, {"of": self.work.id, "step": name, "at": self.now})

    def finish_step(self, name: str, result: dict[str, Any]) -> bool:
        """Write down what came of a step that was begun. False when that was already written down.

        It can have been: a commit whose acknowledgement was lost is tried again.
        """
        finishing = {"of": self.work.id, "step": name, "at": self.now, "answer": result}
        if self.session.execute(_FINISH_STEP, finishing).one_or_none() is None:
            return False
        if self.first_failed_at is not None:
            self.first_failed_at = None
            self.has_recovered = True
            self._work(first_failed_at=None, last_error=None)
        return True

    def keep_answer(self, name: str, result: dict[str, Any]) -> None:
        """Write down Slack's answer to a step, though what follows from it could not be done yet."""
        self.session.execute(
            update(work_step)
            .where(work_step.c.work_id == self.work.id, work_step.c.name == name)
            .values(result=result)
        )

    def clear_step(self, name: str) -> None:
        """Write down that Slack surely was not told."""
        self.session.execute(
            delete(work_step).where(
                work_step.c.work_id == self.work.id,
                work_step.c.name == name,
                work_step.c.finished_at.is_(None),
                work_step.c.result.is_(None),
            )
        )

    def finish(self) -> None:
        self._work(state="done", finished_at=self.now, lease_until=None, last_error=None)

    def put_back(self, at: datetime) -> None:
        """Let go of it until `at`. It waited, it did not fail."""
        self._work(state="open", next_at=at, lease_until=None)

    def fail(self, again_at: datetime, error: str) -> None:
        """Let go of it until `again_at`; the first of a row of failures is remembered."""
        self._work(
            state="open",
            next_at=again_at,
            lease_until=None,
            last_error=error,
            first_failed_at=self.first_failed_at or self.now,
        )

    def set_aside(self, error: str) -> None:
        """Leave it for a person; the next item of its key goes on."""
        self._work(state="set_aside", last_error=error, lease_until=None, finished_at=self.now)

    def _work(self, **values: Any) -> None:
        self.session.execute(update(work).where(work.c.id == self.work.id).values(**values))
