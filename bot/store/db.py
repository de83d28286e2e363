"""The database: one writing transaction at a time on SQLite, as many as you like on PostgreSQL.

`writing()` commits at its end or leaves nothing. What it could not commit is a `NotSaved`, so that
a door can tell the person that what they typed was not logged.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy import Connection as Session
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.domain.refusals import Refusal

__all__ = ["Database", "NotSaved", "Session"]

# A Session is SQLAlchemy's Connection, in a transaction: we have tables and no mapped classes, and the ORM's own
# session made every statement a third dearer.

#: Seconds a writer waits for another one before the person is told that nothing was saved.
#: Slack gives three for the whole answer.
_LOCK_WAIT = 2.0


class NotSaved(Refusal):
    """The database did not take it. The sentence says so; the door adds what was typed."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "This was *not* saved: the database did not answer in time. Nothing is half done; "
            "send it again in a moment. If it goes on, `lantern check` on the host says what is wrong."
        )
        self.why = why


class Database:
    """An engine, and the two ways to use it. Close it with `close()`."""

    def __init__(self, url: str, *, pool_size: int = 12) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        if self.dialect == "sqlite":
            self.engine = _sqlite(url, pool_size)
        else:
            self.engine = _postgresql(url, pool_size)
        self._writing = self.engine.execution_options(is_writer=True)
        # SQLite lets one writer in; queueing here is fair and quick, its own busy wait sleeps.
        self._turn: threading.Lock | None = threading.Lock() if self.dialect == "sqlite" else None

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A Session in one transaction: committed at the end, rolled back on any exception.

        Raises NotSaved when the database is locked, full, read-only or unreachable.
        """
        if self._turn is not None and not self._turn.acquire(timeout=_LOCK_WAIT):
            raise NotSaved("another writer held the database too long")
        try:
            with self._writing.connect() as session:
                yield session
                session.commit()
        except PoolTimeout as error:
            raise NotSaved(str(error)) from error
        except DBAPIError as error:
            if _is_outage(error):
                raise NotSaved(str(error.orig)) from error
            raise
        finally:
            if self._turn is not None:
                self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A Session that writes nothing. On SQLite it sees one state; on PostgreSQL each statement sees its own."""
        try:
            with self.engine.connect() as session:
                yield session
        except PoolTimeout as error:
            raise NotSaved(str(error)) from error
        except DBAPIError as error:
            if _is_outage(error):
                raise NotSaved(str(error.orig)) from error
            raise

    def is_answering(self) -> bool:
        """True when a trivial query comes back."""
        return not self.trouble()

    def trouble(self) -> str:
        """Why the database does not answer, in its own words; "" when it does."""
        try:
            with self.engine.connect() as session:
                session.execute(text("SELECT 1"))
        except (PoolTimeout, DBAPIError) as error:
            said = str(getattr(error, "orig", error)).strip().splitlines()
            return said[0] if said else "no reason given"
        return ""

    def close(self) -> None:
        self.engine.dispose()


def _is_outage(error: DBAPIError) -> bool:
    """True for a database that is away, locked, full or busy; False for a mistake of ours."""
    if error.connection_invalidated:
        return True
    kind = type(error.orig).__name__
    if kind in {"OperationalError", "InterfaceError", "AdminShutdown", "CannotConnectNow"}:
        return True
    state = getattr(error.orig, "sqlstate", None) or ""
    # PostgreSQL classes: 08 connection, 40 serialisation/deadlock, 53 resources, 55 lock, 57 shutdown.
    return state[:2] in {"08", "40", "53", "55", "57"}


def _sqlite(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        # What people typed belongs into no log, also when a statement fails.
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=_LOCK_WAIT,
        connect_args={"timeout": _LOCK_WAIT, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        # We say BEGIN ourselves (below); the driver's own implicit one would be a deferred one.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        is_writer = connection.get_execution_options().get("is_writer", False)
        # A deferred transaction that later writes can fail with "locked" at once; take the lock first.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


def _postgresql(url: str, pool_size: int) -> Engine:
    target = make_url(url)
    # Options of the address come last, and the last one counts.
    given = target.query.get("options", "")
    target = target.difference_update_query(["options"])
    if target.drivername in {"postgresql", "postgres"}:
        target = target.set(drivername="postgresql+psycopg")
    return create_engine(
        target,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=_LOCK_WAIT,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 2,
            # A replica that is frozen inside a transaction must not keep its rows for ever.
            "options": f"-c lock_timeout={int(_LOCK_WAIT * 1000)} -c timezone=UTC "
            f"-c idle_in_transaction_session_timeout=30000 {given if isinstance(given, str) else ' '.join(given)}",
        },
    )
