"""The database: one writing transaction at a time on SQLite, as many as you like on PostgreSQL.

`writing()` commits at its end or leaves nothing. What it could not commit is a `NotSaved`, so that
a door can tell the person that what they typed was not logged. `write()` does it again where that helps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from sqlalchemy import Connection as Session
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.store.engines import LOCK_WAIT, postgresql_engine, sqlite_engine
from bot.store.patience import Patience
from bot.store.together import Together
from bot.store.trouble import NotSaved, PerhapsSaved, trouble_of

__all__ = ["PATIENCE", "Database", "NotSaved", "PerhapsSaved", "Session", "when_committed"]

# A Session is SQLAlchemy's Connection, in a transaction: we have tables and no mapped classes, and the ORM's own
# session made every statement a third dearer.

T = TypeVar("T")

#: Seconds of Slack's three that the database may take, all in all, for one request.
PATIENCE = 2.4
#: Seconds a transaction of ours may take that nobody waits for.
_LONGEST = 30.0
#: Times that a deed is begun which others, or a connection that broke, were in the way of.
_TRIES = 4
#: Seconds between them.
_PAUSE = 0.05
#: Under this name a session's connection keeps what is to be done when it is committed.
_WHEN_COMMITTED = "when committed"


def when_committed(session: Session, act: Callable[[], object]) -> None:
    """Do this once what the session writes is committed, however often it was asked for; else not at all."""
    session.info.setdefault(_WHEN_COMMITTED, {})[act] = None


def _commit(session: Session) -> None:
    try:
        session.commit()
    except DBAPIError:
        # SQLite may leave the transaction open, and SQLAlchemy then gives the connection back like that.
        session.invalidate()
        raise


class Database:
    """An engine, and the ways to use it. Close it with `close()`."""

    def __init__(self, url: str, *, pool_size: int = 12) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        self._patience = Patience()
        make = sqlite_engine if self.dialect == "sqlite" else postgresql_engine
        self.engine = make(url, pool_size, self._patience)
        self._writing = self.engine.execution_options(is_writer=True)
        # SQLite lets one writer in; queueing here is fair and quick, its own busy wait sleeps.
        self._turn: threading.Lock | None = threading.Lock() if self.dialect == "sqlite" else None
        self._together = Together(self.writing, self._patience) if self.dialect == "sqlite" else None
        #: SQLite: what a writer was refused with, until a look in trouble() finds that it writes again.
        self._refused = ""

    @property
    def waiting(self) -> int:
        """How many wait to write; on PostgreSQL nobody waits in here."""
        return 0 if self._together is None else self._together.waiting

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """While somebody waits that long for what this thread does: what cannot be had by then is NotSaved."""
        return self._patience.within(seconds)

    def unhurried(self) -> AbstractContextManager[None]:
        """While this thread works on what it has read: a long incident is not refused because that takes a while."""
        return self._patience.unhurried()

    def write(self, act: Callable[[Session], T], *, is_once: bool) -> T:
        """Run `act` in one writing transaction and give its result. On SQLite others may share the transaction.

        It is run again, while there is time, when others were in its way or its connection broke: nothing was
        committed then. `is_once` says that a second run does nothing anew (it asks the inbox), so that it may
        also be run again after a commit that broke off, to learn what became of it.
        Raises NotSaved, PerhapsSaved when that cannot be learned, and what `act` raises.
        """
        is_unknown = False
        tries = 0
        with self.within(PATIENCE):
            while True:
                try:
                    if self._together is not None and not tries:
                        return self._together.write(act)
                    with self.writing() as session:
                        return act(session)
                except NotSaved as lost:
                    tries += 1
                    is_unknown = is_unknown or lost.is_unknown
                    is_tried_again = is_once if is_unknown else lost.is_passing and tries < _TRIES
                    if not is_tried_again or self._patience.left() < 2 * _PAUSE:
                        if is_unknown:
                            raise PerhapsSaved(lost.why) from lost
                        raise
                time.sleep(_PAUSE)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A Session in one transaction: committed at the end, rolled back on any exception.

        Raises NotSaved when the database is locked, full, read-only or unreachable; its `is_unknown` tells
        when that was in the commit itself.
        """
        with self.within(_LONGEST):
            if self._turn is not None and not self._turn.acquire(timeout=self._patience.left(LOCK_WAIT)):
                raise NotSaved("another writer held the database too long", plainly="too many write at once")
            try:
                with self._telling() as committing, self._writing.connect() as session:
                    session.begin()
                    # Of a transaction that was rolled back.
                    session.info.pop(_WHEN_COMMITTED, None)
                    yield session
                    committing.append(True)
                    _commit(session)
                    follows = session.info.pop(_WHEN_COMMITTED, {})
            except NotSaved as lost:
                self._refused = "" if self._turn is None else lost.why
                raise
            finally:
                if self._turn is not None:
                    self._turn.release()
        for act in follows:
            act()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A Session that writes nothing. On SQLite it sees one state; on PostgreSQL each statement sees its own."""
        with self.within(_LONGEST), self._telling(), self.engine.connect() as session:
            yield session

    @contextmanager
    def _telling(self) -> Iterator[list[bool]]:
        """Errors of the driver that are not our mistake become NotSaved. The list is filled when a commit begins."""
        committing: list[bool] = []
        try:
            yield committing
        except PoolTimeout as error:
            raise NotSaved(str(error)) from error
        except DBAPIError as error:
            trouble = trouble_of(error, is_committing=bool(committing))
            if trouble is None:
                raise
            raise trouble from error

    def is_answering(self) -> bool:
        """True when a trivial query comes back, and nothing was refused by a database that still refuses."""
        return not self.trouble()

    def trouble(self) -> str:
        """Why the database does not answer or takes nothing, in its own words; "" when all is well."""
        try:
            with self.within(PATIENCE), self._telling(), self.engine.connect() as session:
                session.execute(text("SELECT 1"))
                if self.dialect == "postgresql":
                    is_read_only = session.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
                    return "it can only be read" if is_read_only else ""
            if self._refused:
                # Has it room again? Nobody else may have tried since. A table takes a page.
                with self.within(PATIENCE), self.writing() as session:
                    session.exec_driver_sql("CREATE TABLE room_for_a_page (x INTEGER)")
                    session.exec_driver_sql("DROP TABLE room_for_a_page")
                self._refused = ""
        except NotSaved as lost:
            return lost.why
        return ""

    def close(self) -> None:
        self.engine.dispose()
