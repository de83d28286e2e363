"""What every test of the postman may ask for: databases, a small Slack, postmen that are stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from bot.delivery import Postman
from bot.store.db import Database
from bot.store.errand import Sender
from bot.store.metadata import metadata
from tests import postgres
from tests.delivery.calls import Start
from tests.postmen import (
    FileSlack,
    make_postman,
)


@pytest.fixture
def new_database(database_url: str) -> Iterator[Callable[[], Database]]:
    """Gives as many databases of the engine as are asked for, with all tables."""
    made: list[Database] = []

    def make() -> Database:
        url = database_url
        if made and url.startswith("sqlite"):
            url = url.replace(".db", f"-{len(made)}.db")
        elif made:
            url = postgres.new_database(postgres.shared_cluster())
        made.append(Database(url))
        metadata.create_all(made[-1].engine)
        return made[-1]

    yield make
    for database in made:
        database.close()


@pytest.fixture
def db(new_database: Callable[[], Database]) -> Database:
    return new_database()


@pytest.fixture
def slack(tmp_path: Path) -> FileSlack:
    return FileSlack(tmp_path / "slack.txt")


@pytest.fixture
def start(db: Database) -> Iterator[Start]:
    """Start a quick postman on the database; it is stopped in the end."""
    started: list[Postman] = []

    def start_one(
        senders: dict[str, Sender], ring: threading.Event | None = None, **settings: Any
    ) -> Postman:
        postman = make_postman(settings.pop("on", db), senders, ring, **settings)
        started.append(postman)
        postman.start()
        return postman

    yield start_one
    for postman in started:
        assert postman.stop()


@pytest.fixture
def children() -> Iterator[list[BaseProcess]]:
    """Processes that are killed in the end, asleep or not."""
    started: list[BaseProcess] = []
    yield started
    for child in started:
        child.kill()
        child.join(10)
