"""Empty databases for tests that are not about the schema: the migrations run once a process."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from bot.settings import shipped
from bot.store import schema
from bot.store.db import Database


@functools.cache
def _migrated() -> bytes:
    """A SQLite file with this version's tables and nothing in them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lantern.db"
        db = Database(f"sqlite:///{path}")
        schema.migrate(db, shipped("migrations"))
        db.close()
        return path.read_bytes()


def lay_out(url: str) -> None:
    """Put this version's tables into a SQLite file that is not there yet. The migrations themselves are what the tests
    of the schema and of the command line run."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and path.parent.is_dir() and not path.exists():
        path.write_bytes(_migrated())
