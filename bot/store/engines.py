"""The engines: SQLite, and PostgreSQL. Neither keeps anybody waiting beyond their patience."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

from bot.store.patience import Patience

#: Seconds a writer waits for another one before the person is told that nothing was saved.
#: Slack gives three for the whole answer.
LOCK_WAIT = 2.0
#: Seconds to wait for a connection of the pool. It holds one for every thread that asks (web/app.py), so it
#: is empty only when the database hangs.
_POOL_WAIT = 1.0
#: Seconds for the question whether a connection from the pool still lives.
_PING = 0.5
#: Seconds. Connecting takes up to two (libpq knows no less); with less than this left it is not begun.
_CONNECTS_IN = 0.5


def _from_json(text: str) -> Any:
    """Most entries have no image, and to read an empty list takes as long as the rest of the row."""
    return [] if text == "[]" else json.loads(text)


def sqlite_engine(url: str, pool_size: int, patience: Patience) -> Engine:
    engine = create_engine(
        url,
        # What people typed belongs into no log, also when a statement fails.
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=_POOL_WAIT,
        json_deserializer=_from_json,
        connect_args={"timeout": LOCK_WAIT, "check_same_thread": False},
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
        if not connection.get_execution_options().get("is_writer", False):
            connection.exec_driver_sql("BEGIN")
            return
        milliseconds = int(1000 * patience.left(LOCK_WAIT))
        connection.exec_driver_sql(f"PRAGMA busy_timeout={milliseconds}")
        # A deferred transaction that later writes can fail with "locked" at once; take the lock first.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def postgresql_engine(url: str, pool_size: int, patience: Patience) -> Engine:
    target = make_url(url)
    # Options of the address come last, and the last one counts.
    given = target.query.get("options", "")
    target = target.difference_update_query(["options"])
    if target.drivername in {"postgresql", "postgres"}:
        target = target.set(drivername="postgresql+psycopg")
    engine = create_engine(
        target,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=_POOL_WAIT,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 2,
            # A host that is gone says nothing: what it does not acknowledge is given up.
            "tcp_user_timeout": 5000,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            # A replica that is frozen inside a transaction lets go of its rows before its lease is over.
            "options": f"-c lock_timeout={int(LOCK_WAIT * 1000)} -c timezone=UTC "
            f"-c idle_in_transaction_session_timeout=20000 {given if isinstance(given, str) else ' '.join(given)}",
        },
    )
    failure = engine.dialect.loaded_dbapi.OperationalError

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, _args: Any, _options: Any) -> None:
        if patience.left() < _CONNECTS_IN:
            raise failure("no time was left to connect")

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        _wait_with(patience, connection, failure)

    return engine


def _wait_with(patience: Patience, connection: Any, failure: type[Exception]) -> None:
    """Let a connection of psycopg's wait for its server as long as the person does, and no longer."""
    wait = connection.wait

    def wait_in_time(gen: Any, *args: Any, **options: Any) -> Any:
        if not patience.is_limited:
            return wait(gen, *args, **options)
        # Only the pool's own question is asked outside a transaction.
        seconds = max(0.01, patience.left(_PING) if connection.autocommit else patience.left())
        try:
            return wait(gen, *args, **{**options, "timeout": seconds})
        except failure:
            if connection.info.transaction_status.name == "ACTIVE":
                # Nobody knows what the server is still doing with it.
                connection.close()
            raise

    connection.wait = wait_in_time
