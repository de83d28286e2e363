"""A copy of the database while it is in use: SQLite's own online backup."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

#: Pages copied at a time (4 kB each); between two portions writers get their turn.
_PAGES = 256


class BackupFailed(Exception):
    """No copy was made; the text says why."""


@dataclass(frozen=True)
class Kept:
    """What a copy holds."""

    incidents: int
    entries: int
    size: int


def copy_sqlite(url: URL, to: Path) -> Kept:
    """Copy a SQLite database that may be in use, check the copy, and give it its name at last.

    Raises BackupFailed: the file exists, the disk is full, the copy is not whole.
    """
    if to.exists():
        raise BackupFailed(f"{to} exists. Give another name, so that no older backup is lost.")
    if not to.parent.is_dir():
        raise BackupFailed(f"There is no folder {to.parent}. Make it first.")
    assert url.database
    if not Path(url.database).exists():
        raise BackupFailed(f"There is no database {url.database} yet. `lantern serve` makes it.")
    beside = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        with (
            closing(sqlite3.connect(f"file:{url.database}?mode=ro", uri=True, timeout=10)) as source,
            closing(sqlite3.connect(beside)) as copy,
        ):
            source.backup(copy, pages=_PAGES, sleep=0.005)
            # A copy stands alone: no -wal file beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
            kept = _checked(copy, beside)
        _sync(beside)
        # Not over a file that came meanwhile.
        os.link(beside, to)
        _sync(to.parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(
            f"The backup failed ({error}). Nothing was kept; the database is as it was."
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink()
    return kept


def _checked(copy: sqlite3.Connection, path: Path) -> Kept:
    said = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if said != "ok":
        raise BackupFailed(f"The copy is not whole ({said}). Look at the disk, then try again.")
    incidents = copy.execute("SELECT count(*) FROM incident").fetchone()[0]
    entries = copy.execute("SELECT count(*) FROM entry").fetchone()[0]
    return Kept(int(incidents), int(entries), path.stat().st_size)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
