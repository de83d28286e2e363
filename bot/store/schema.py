"""Bringing the database to this version's schema, and saying whether it is there.

Each migration says `works_with`: the oldest revision whose Lantern works with what it leaves. Replicas of the former
version then go on while the database is a step ahead (docs/decisions/0010-one-step-back.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.migration import MigrationInfo
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, select, text

from bot.settings import SettingsWrong
from bot.store import tables, work_tables
from bot.store.db import Database
from bot.store.metadata import metadata
from bot.store.once import insert_or_update

__all__ = [
    "Standing",
    "differences",
    "is_current",
    "migrate",
    "note_works_with",
    "standing",
    "tables",
    "why_not",
    "work_tables",
]

#: Two replicas that start at once must not both migrate ("lantern" in ASCII, cut to 63 bits).
_LOCK = 0x6C616E7465726E
#: Row of `counter` that holds what the last migration works with.
_WORKS_WITH = "schema_works_with"


def _config(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


@lru_cache(maxsize=4)
def _revisions(folder: Path) -> tuple[str, frozenset[str]]:
    """The newest revision of a folder of migrations, and all of them. The files are as they were at the first look."""
    script = ScriptDirectory.from_config(_config(folder))
    head = script.get_current_head()
    assert head is not None, "there is a first migration"
    return head, frozenset(one.revision for one in script.walk_revisions())


def migrate(db: Database, folder: Path) -> None:
    """Run all migrations of `folder` that have not run. Safe when several replicas start at once.

    Leaves a newer schema that works with this version alone. Raises SettingsWrong for one that does not.
    """
    with db.engine.connect() as connection:
        if db.dialect == "postgresql":
            connection.execute(text("SET lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
        try:
            here = _look(connection, folder)
            if here.is_too_new:
                raise SettingsWrong([here.sentence])
            if not here.is_newer and here.now != here.head:
                _must_search(connection)
                config = _config(folder)
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            connection.commit()
        finally:
            if db.dialect == "postgresql":
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                connection.commit()
                # The session's lock_timeout was changed; no one else should inherit it.
                connection.invalidate()


def _must_search(connection: Connection) -> None:
    """Raises SettingsWrong when this SQLite cannot index words. Those that Python and the distributions ship can."""
    if connection.dialect.name != "sqlite":
        return
    if not connection.execute(text("SELECT sqlite_compileoption_used('ENABLE_FTS5')")).scalar_one():
        raise SettingsWrong(
            [
                "LANTERN_DATABASE_URL: the SQLite of this Python was built without FTS5, the full-text search. "
                "Use the Python of python.org or of your distribution, or PostgreSQL: "
                "postgresql://user:password@host/database"
            ]
        )


@dataclass(frozen=True)
class Standing:
    """A database's schema, seen from this version."""

    head: str
    #: None: no migration has run.
    now: str | None
    is_newer: bool
    #: Revision of the oldest version that works with a newer schema; 0 when nothing says so.
    works_with: int

    @property
    def is_too_new(self) -> bool:
        return self.is_newer and not 0 < self.works_with <= int(self.head)

    @property
    def sentence(self) -> str:
        """Why this version cannot work with it; "" when it can."""
        if self.is_too_new:
            return (
                f"The database has schema {self.now} of a newer Lantern, and this one, of schema {self.head}, does "
                "not work with it. Start the newer Lantern, or restore the backup from before it."
            )
        if self.now == self.head or self.is_newer:
            return ""
        return "The database has an older schema. Run `lantern migrate` first."


def _look(connection: Connection, folder: Path) -> Standing:
    head, known = _revisions(folder)
    now = MigrationContext.configure(connection).get_current_revision()
    if now is None or now in known:
        return Standing(head, now, False, 0)
    counter = tables.counter
    found = connection.execute(
        select(counter.c.value).where(counter.c.name == _WORKS_WITH)
    ).scalar_one_or_none()
    return Standing(head, now, True, int(found or 0))


def standing(db: Database, folder: Path) -> Standing:
    """How the database's schema stands to the migrations of the folder."""
    with db.engine.connect() as connection:
        return _look(connection, folder)


def why_not(db: Database, folder: Path) -> str:
    """Why this version cannot work with the database, as a sentence; "" when it can.

    It can when every migration of the folder has run, and when newer ones have that work with it.
    """
    return standing(db, folder).sentence


def is_current(db: Database, folder: Path) -> bool:
    """True when this version can work with the database."""
    return not why_not(db, folder)


def note_works_with(ctx: MigrationContext, step: MigrationInfo, **_: object) -> None:
    """Write down, in a migration's own transaction, the oldest version that works with what it made."""
    script = step.up_revision
    if step.is_upgrade and isinstance(script, Script) and ctx.connection is not None:
        # One that does not say works with nothing older.
        oldest = int(getattr(script.module, "works_with", script.revision))
        insert_or_update(ctx.connection, tables.counter, "name", name=_WORKS_WITH, value=oldest)


def differences(connection: Connection) -> list[str]:
    """What the tables in the code have and the database lacks, or the other way round; [] when they agree."""
    opts = {"compare_type": True, "include_object": _is_of_the_code}
    return [str(one) for one in compare_metadata(MigrationContext.configure(connection, opts=opts), metadata)]


def _is_of_the_code(_: object, name: str | None, kind: str, is_reflected: bool, __: object) -> bool:
    """False for the index of words, which each engine has in its own way and no table of the code speaks of."""
    is_words = (name or "").split("_")[0] == "words" if kind == "table" else (name or "").endswith("_words")
    return not (is_reflected and is_words)
