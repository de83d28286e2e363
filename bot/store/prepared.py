"""Statements that every logged line runs, compiled once and given to SQLite's driver as they are.

What SQLAlchemy does for each execution costs five times what SQLite then does itself (tests/bench/README.md), and
holds the interpreter lock meanwhile. On PostgreSQL the way to the server outweighs it: there everything is as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection as Session
from sqlalchemy import Dialect, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

Returning = Select[Any] | UpdateBase
_Processor = Callable[[Any], Any]


def _as_is(value: Any) -> Any:
    return value


class Prepared:
    """A statement with the same values by name each time, that gives one row or none."""

    def __init__(self, statement: Returning) -> None:
        self._statement = statement
        self._on_sqlite: _OnSqlite | None = None

    def row(self, session: Session, values: Mapping[str, Any]) -> Sequence[Any] | None:
        """Run it and give its row; None when there is none. `values` names every column of an INSERT."""
        if session.dialect.name != "sqlite":
            return session.execute(self._statement, dict(values)).one_or_none()
        if self._on_sqlite is None:
            self._on_sqlite = _OnSqlite(self._statement, session.dialect, list(values))
        return self._on_sqlite.row(session, values)


class _OnSqlite:
    def __init__(self, statement: Returning, dialect: Dialect, names: list[str]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=names)
        assert isinstance(compiled, SQLCompiler)
        assert not compiled.insert_prefetch, "SQLAlchemy's defaults are not filled in here: give every value"
        self._sql = str(compiled)

        def writer(of: TypeEngine[Any]) -> _Processor:
            return of.dialect_impl(dialect).bind_processor(dialect) or _as_is

        def reader(of: TypeEngine[Any]) -> _Processor:
            return of.dialect_impl(dialect).result_processor(dialect, None) or _as_is

        #: Of each place in the statement: its name, and how its value is written.
        self._places = [(name, writer(compiled.binds[name].type)) for name in compiled.positiontup or ()]
        #: What the statement says itself.
        self._fixed = {name: value for name, value in compiled.params.items() if name not in names}
        self._readers = [reader(column.type) for column in statement.exported_columns]

    def row(self, session: Session, values: Mapping[str, Any]) -> Sequence[Any] | None:
        if not session.in_transaction():
            session.begin()
        given = {**self._fixed, **values}
        written = [write(given[name]) for name, write in self._places]
        driver = session.connection.driver_connection
        assert driver is not None
        try:
            rows = driver.execute(self._sql, written).fetchall()
        except driver.Error as error:
            raise DBAPIError.instance(self._sql, None, error, driver.Error, hide_parameters=True) from error
        if not rows:
            return None
        return [read(value) for read, value in zip(self._readers, rows[0], strict=True)]
