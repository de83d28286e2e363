"""The bell: on PostgreSQL a put in one replica wakes the postmen of all of them at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import text

from bot.store.db import Database
from bot.store.outbox import BELL


def listen(
    db: Database, ring: Callable[[], object], stopping: threading.Event, look_up: float = 0.25
) -> None:
    """Call `ring` on every put of any replica, until stopped; looks up every `look_up` seconds.

    Holds one connection of its own. Raises what the driver raises when the connection is lost.
    """
    with db.engine.connect() as connection:
        connection.execute(text(f"LISTEN {BELL}"))
        connection.commit()
        driver = connection.connection.driver_connection
        assert driver is not None
        # Not the pool's any more: a listening connection must not be lent to anybody else.
        connection.detach()
        driver.autocommit = True
        try:
            while not stopping.is_set():
                for _ in driver.notifies(timeout=look_up, stop_after=1):
                    ring()
        finally:
            # Not rolled back, as the end of the block would: on a connection that was lost that fails.
            driver.close()
            connection.invalidate()
