"""The time that all replicas agree about, though the clocks of their machines do not: the timeline is in its order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select

from bot.store.db import Database

log = logging.getLogger(__name__)

#: A difference, and a change of it, that somebody should know of.
_WORTH_A_WORD = timedelta(seconds=2)


class AgreedClock:
    """PostgreSQL's time, by this machine's clock since `agree()` last asked. On SQLite the machine's: there is one."""

    def __init__(self, db: Database, machine: Callable[[], datetime]) -> None:
        self._db = db
        self._machine = machine
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Aware UTC now."""
        return self._machine() + self._ahead

    def agree(self) -> None:
        """Ask the database what time it is. Raises NotSaved when it does not say."""
        if self._db.dialect != "postgresql":
            return
        with self._db.reading() as session:
            asked_at = self._machine()
            told: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
            answered_at = self._machine()
        ahead = told - (asked_at + (answered_at - asked_at) / 2)
        if abs(ahead - self._ahead) > _WORTH_A_WORD:
            log.warning(
                "this machine's clock and the database's are %.1f s apart; the database's counts",
                abs(ahead).total_seconds(),
            )
        self._ahead = ahead
