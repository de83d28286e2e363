"""Stopping: what was heard is answered, then the house leaves."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from bot.standin.person import Person
from bot.standin.server import Standin
from tests.houses import Town, said, until
from tests.test_cli import of_app, running

ROOM = "inc-0001-logins-fail"
PATIENCE = 25.0


def test_a_command_that_runs_while_the_house_stops_is_still_answered(town: Town) -> None:
    with ThreadPoolExecutor(1) as pool:
        with town.house.db.writing():
            answer = pool.submit(town.ana.types, "/incident open logins fail sev2", "#general")
            # It asks who ana is, and then waits for its turn to write.
            until(lambda: bool(town.standin.calls("users.info")), 5, "the command did not arrive")
            stopping = threading.Thread(target=town.house.stop)
            stopping.start()
            stopping.join(0.2)
            assert stopping.is_alive(), "the house stopped without waiting for what it heard"
        assert "Opening" in said(answer.result(5))
        stopping.join(5)
    assert not stopping.is_alive()


def test_an_idle_house_hangs_up_at_once(town: Town) -> None:
    town.ana.types("/incident help", "#general")
    began = time.monotonic()
    town.house.stop()
    # The SDK's own close waited up to three seconds for its reader; two of ours are uvicorn's and the postman's.
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("transport", ["socket", "http"])
def test_a_command_that_is_being_answered_when_sigterm_comes_is_answered_and_kept(
    standin: Standin, sqlite_url: str, tmp_path: Path, transport: str
) -> None:
    standin.outward.patience = PATIENCE
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LANTERN_"))}
    env = {**kept, "LANTERN_DATABASE_URL": sqlite_url, "LANTERN_PORT": "0"}
    with (
        running(of_app(env, standin, transport=transport), tmp_path / "run", "serve") as bot,
        ThreadPoolExecutor(2) as pool,
    ):
        ready = bot.find(r"Health: (\S+)")
        if transport == "http":
            (app,) = standin.workspace.apps.values()
            app.request_url = ready.replace("readyz", "slack/events")
        ana = Person(standin.url, next(u.id for u in standin.workspace.users.values() if u.name == "ana"))
        assert "Opening" in said(ana.types("/incident open logins fail sev2", "#general"))
        until(lambda: standin.workspace.channel_named(ROOM) is not None, PATIENCE, "there is no channel")
        until(
            lambda: "incident channel" not in said(ana.types("/log list", ROOM)), PATIENCE, "it is not known"
        )
        sent = len(standin.deliveries("command"))
        with closing(
            sqlite3.connect(tmp_path / "lantern.db", timeout=PATIENCE, isolation_level=None)
        ) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = pool.submit(ana.types, "/log typed at the last moment", ROOM)
            until(lambda: len(standin.deliveries("command")) > sent, PATIENCE, "the command was not sent")
            time.sleep(0.2)  # that it waits for the database cannot be seen from outside
            status = pool.submit(bot.stops)
            bot.find(r"(Stopping)")
            other.execute("ROLLBACK")
        words = said(answer.result(PATIENCE))
        assert status.result(PATIENCE) == 0
        assert "Traceback" not in bot.said
        with closing(sqlite3.connect(tmp_path / "lantern.db")) as file:
            texts = [row[0] for row in file.execute("SELECT text FROM entry")]
    # On a busy machine the database's two seconds may be over; then the answer says that it was not kept.
    assert ("Logged" in words) != ("*not*" in words), words
    assert ("typed at the last moment" in texts) == ("Logged" in words)
