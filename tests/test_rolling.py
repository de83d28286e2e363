"""A rolling deploy: a Lantern goes on, and starts, while the database is one migration ahead of it."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import inspect

from bot.check import look
from bot.domain.pace import Pace
from bot.settings import Settings, SettingsWrong, shipped
from bot.store import schema
from bot.store.db import Database
from bot.wiring import House
from tests.houses import Town, until
from tests.rooms import Room, fresh_words, opened

_NEXT = '''"""The next schema"""

import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "{head}"
branch_labels = None
depends_on = None
works_with = "{works_with}"


def upgrade() -> None:
    op.add_column("incident", sa.Column("mood", sa.Text(), nullable=True))
    op.add_column("entry", sa.Column("mood", sa.Text(), nullable=True))
    op.add_column("work", sa.Column("mood", sa.Text(), nullable=True))
    op.create_table("mood", sa.Column("id", sa.Integer(), primary_key=True))
'''


def revisions(folder: Path) -> list[Script]:
    """Its migrations, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    return list(ScriptDirectory.from_config(config).walk_revisions())[::-1]


def next_release(folder: Path, works_with: str | None = None) -> Path:
    """The migrations of a release to come: ours, and one that adds columns and a table."""
    migrations = folder / "migrations"
    shutil.copytree(shipped("migrations"), migrations, ignore=shutil.ignore_patterns("__pycache__"))
    head = revisions(migrations)[-1].revision
    text = _NEXT.format(head=head, works_with=works_with or head)
    (migrations / "versions" / "9001_next.py").write_text(text, encoding="utf-8")
    return migrations


def migrate(url: str, folder: Path) -> None:
    db = Database(url)
    try:
        schema.migrate(db, folder)
    finally:
        db.close()


def settings_of(url: str) -> Settings:
    return Settings(database_url=url, port=0)


class Typist:
    """Types a line into a room every few hundredths of a second, and keeps what was answered."""

    def __init__(self, room: Room) -> None:
        self.answers: dict[str, str] = {}
        self._room = room
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._type)
        self._thread.start()

    def _type(self) -> None:
        while not self._stopping.wait(0.03):
            words = fresh_words("rolling")
            self.answers[words] = self._room.types(f"/log {words}")

    def has_gone_on(self) -> None:
        """Wait until some more lines were answered."""
        enough = len(self.answers) + 8
        until(lambda: len(self.answers) >= enough, 30, "nothing is logged any more")

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(30)


def test_old_and_new_replicas_work_side_by_side_while_the_schema_moves_on(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one process")
    coming = next_release(tmp_path)
    with Town(database_url, transport="http", pace=Pace(time.monotonic, {}, {})) as town:
        room = opened(town)
        typist = Typist(room)
        try:
            typist.has_gone_on()
            migrate(database_url, coming)
            typist.has_gone_on()
            old_again = town.new_house()
            old_again.start()
            try:
                town.app.request_url = f"{old_again.web.url}/slack/events"
                typist.has_gone_on()
                monkeypatch.setattr(
                    "bot.wiring.shipped", lambda name: coming if name == "migrations" else shipped(name)
                )
                new = town.new_house()
                try:
                    new.start()
                    town.app.request_url = f"{new.web.url}/slack/events"
                    typist.has_gone_on()
                    town.app.request_url = f"{town.house.web.url}/slack/events"
                    typist.has_gone_on()
                finally:
                    new.stop()
            finally:
                old_again.stop()
        finally:
            typist.stop()
        assert all(answer.startswith("Logged") for answer in typist.answers.values()), typist.answers
        town.settled(60)
        there = [entry.text for entry in room.entries]
        assert sorted(one for one in there if "rolling" in one) == sorted(typist.answers)
        told = str([one["blocks"] for one in room.messages()])
        assert all(told.count(words) == 1 for words in typist.answers)


def test_a_file_that_a_newer_lantern_has_opened_still_opens_in_the_former_one(
    sqlite_url: str, tmp_path: Path
) -> None:
    with Town(sqlite_url) as town:
        opened(town)
    migrate(sqlite_url, next_release(tmp_path))
    assert any(
        one.mark == "ok" and "schema 9001 is newer" in one.sentence for one in look(settings_of(sqlite_url))
    )
    with Town(sqlite_url) as town:
        opened(town, "/incident open once more sev3")
        assert town.has(2)


def test_a_schema_that_leaves_the_former_version_behind_says_so(database_url: str, tmp_path: Path) -> None:
    migrate(database_url, next_release(tmp_path, works_with="9001"))
    settings = settings_of(database_url)
    db = Database(database_url)
    try:
        assert "schema 9001 of a newer Lantern" in schema.why_not(db, shipped("migrations"))
        assert not schema.is_current(db, shipped("migrations"))
        assert any(one.mark == "wrong" and "the newer Lantern" in one.sentence for one in look(settings))
        with pytest.raises(SettingsWrong, match="Start the newer Lantern"):
            schema.migrate(db, shipped("migrations"))
    finally:
        db.close()
    house = House(settings)
    try:
        with pytest.raises(SettingsWrong, match="Start the newer Lantern"):
            house.start()
    finally:
        house.stop()


def test_every_migration_leaves_the_version_before_it_able_to_work(tmp_path: Path) -> None:
    all_of_them = revisions(shipped("migrations"))
    for former, one in itertools.pairwise(all_of_them):
        assert int(one.module.works_with) <= int(former.revision), (
            f"{one.path}: say works_with, and see docs/house.md: first add, and take away a release later"
        )
    db = Database(f"sqlite:///{tmp_path / 'steps.db'}")
    try:
        before: dict[tuple[str, str], bool] = {}
        for one in all_of_them:
            folder = tmp_path / one.revision
            shutil.copytree(shipped("migrations"), folder, ignore=shutil.ignore_patterns("__pycache__"))
            for later in all_of_them[all_of_them.index(one) + 1 :]:
                (folder / "versions" / Path(later.path).name).unlink()
            schema.migrate(db, folder)
            look = inspect(db.engine)
            tables = set(look.get_table_names())
            now = {
                (table, column["name"]): column["nullable"] or column["default"] is not None
                for table in tables
                for column in look.get_columns(table)
            }
            gone = set(before) - set(now)
            assert gone == set(), f"{one.path} takes {gone} away from the version before it"
            old_tables = {table for table, _ in before}
            asked = {spot for spot, is_free in now.items() if not is_free and spot not in before}
            asked = {spot for spot in asked if spot[0] in old_tables}
            assert asked == set(), f"{one.path} asks for {asked}, which the version before it does not fill"
            before = now
    finally:
        db.close()
