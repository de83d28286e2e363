"""The database in trouble: what was typed is given back within Slack's three seconds, and nothing is half done."""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from slack_bolt import BoltRequest
from sqlalchemy import event, text

from bot.domain.pace import Pace
from bot.store.db import Database
from bot.store.errand import Errand
from tests import postgres, restarts
from tests.conftest import missing
from tests.houses import Town, until
from tests.pg_wire import Wire
from tests.postmen import QUICK, is_all_done, make_postman, put, wait_until
from tests.rooms import Room, fresh_words, hasty_town, opened

Trouble = Callable[[Town], AbstractContextManager[object]]


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Trouble is a line in the log, never a traceback."""
    caplog.set_level(logging.INFO)
    yield
    for phase in ("setup", "call"):
        traced = [one for one in caplog.get_records(phase) if one.exc_info]  # type: ignore[arg-type]
        assert traced == [], [(one.name, one.getMessage(), str(one.exc_info)) for one in traced]


def troubles(town: Town) -> list[str]:
    """What /readyz says is not well."""
    try:
        with urllib.request.urlopen(f"{town.house.web.url}/readyz", timeout=20) as answer:
            found: list[str] = json.load(answer)["troubles"]
    except urllib.error.HTTPError as unready:
        assert unready.code == 503
        found = json.load(unready)["troubles"]
    return found


def is_given_back(answer: str, line: str) -> bool:
    """True when the answer says that the line was not saved, and holds it to be copied."""
    return "*not* saved" in answer and f"```{line}```" in answer


# SQLite


@contextmanager
def locked(town: Town) -> Iterator[None]:
    """Another process holds the file for writing."""
    hold = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20); "
        "c.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()"
    )
    path = str(town.house.db.url.database)
    with subprocess.Popen(
        [sys.executable, "-c", hold, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == b"held\n"
        yield
        stranger.kill()


@contextmanager
def under(town: Town, ill: str, well: str) -> Iterator[None]:
    """Every connection gets these words when somebody takes it, and others afterwards."""
    word = ill

    def tell(connection: Any, _record: Any, _taken: Any) -> None:
        connection.execute(word).close()

    event.listen(town.house.db.engine, "checkout", tell)
    try:
        yield
    finally:
        word = well


def full(town: Town) -> AbstractContextManager[None]:
    """SQLite may take no further page: SQLITE_FULL, as on a full disk."""
    return under(town, "PRAGMA max_page_count=1", "PRAGMA max_page_count=1000000")


def read_only(town: Town) -> AbstractContextManager[None]:
    """SQLite takes no change: SQLITE_READONLY, as from a disk that was mounted anew."""
    return under(town, "PRAGMA query_only=ON", "PRAGMA query_only=OFF")


def refused_now(room: Room) -> tuple[list[str], str]:
    """Log until the database takes no more: what was shown as logged, and what was refused."""
    shown: list[str] = []
    for _ in range(40):
        # Long, so that the last free page is soon filled.
        words = f"{fresh_words('long')} {'x' * 2500}"
        answer = room.types(f"/log {words}")
        if not answer.startswith("Logged"):
            assert is_given_back(answer, f"/log {words}"), answer[:300]
            return shown, words
        shown.append(words)
    raise AssertionError("the trouble troubles nobody")


def goes_through(town: Town, trouble: Trouble, *, is_slow: bool = False) -> None:
    """A command, a form, a button and a reaction in trouble, and after it; where each waits for two seconds,
    a command and a form."""
    room = opened(town)
    card = room.card
    asked = town.ana.says(room.channel, fresh_words("marked"))
    room.types("/log")
    form = room.form()
    with trouble(town):
        shown, lost = refused_now(room)
        typed = f"{fresh_words('in a form')} {'x' * 2500}"
        answer = town.ana.submits(form, {"text": typed})
        assert not answer["closed"]
        assert "not saved" in str(answer["errors"])
        if not is_slow:
            town.ana.clicks(card, "incident_status", "Monitoring")
            told = [one["text"] for one in town.ana.messages(room.channel) if one.get("ephemeral")]
            # Unlike the command, a button has no words to give back.
            was_told = any("*not* saved" in one and "```" not in one for one in told)
            town.ana.reacts(asked, "pushpin", room.channel)
        assert troubles(town) == ["database"]
    until(lambda: troubles(town) == [], 20, "it did not recover")
    # The form is still open, with what was typed.
    assert town.ana.submits(form, {"text": typed})["closed"]
    again = fresh_words("again")
    assert room.types(f"/log {again}").startswith("Logged")
    if not is_slow:
        # A status is short: a full disk may have room for it.
        assert was_told == (room.about.status.value == "investigating")
        (sent,) = [one for one in town.standin.deliveries("event") if asked in json.dumps(one.payload)][-1:]
        assert all(one.is_ok for one in town.standin.redeliver(sent))
        until(lambda: bool(room.told("marked")), 20, "the reaction was lost")
    town.settled(30)
    there = [one.text for one in room.entries]
    assert all(there.count(one) == 1 for one in (*shown, typed, again)), there
    assert lost not in there
    # What was logged is told in the channel, without anybody's help.
    room.message(again)


@pytest.mark.parametrize(
    ("trouble", "transport"),
    [(locked, "socket"), (full, "http"), (full, "socket"), (read_only, "http"), (read_only, "socket")],
)
def test_what_sqlite_does_not_take_is_given_back(tmp_path: Path, transport: str, trouble: Trouble) -> None:
    with hasty_town(tmp_path, transport) as town:
        goes_through(town, trouble, is_slow=trouble is locked)


def test_on_a_full_disk_every_logged_line_is_there_and_every_other_was_refused(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("Only root may mount a small disk.")
    try:
        with hasty_town(disk) as town:
            room = opened(town)
            filler = disk / "filler"
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            shown, lost = refused_now(room)
            assert troubles(town) == ["database"]
            filler.unlink()
            until(lambda: troubles(town) == [], 20, "it did not recover")
            assert room.types(f"/log {lost}").startswith("Logged")
            town.settled(30)
            there = [one.text for one in room.entries]
            assert all(there.count(one) == 1 for one in (*shown, lost))
            path = str(town.house.db.url.database)
        with sqlite3.connect(path) as file_afterwards:
            assert file_afterwards.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        file_afterwards.close()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


# PostgreSQL


@pytest.fixture
def wire() -> Iterator[Wire]:
    try:
        url = postgres.new_database(postgres.shared_cluster())
    except postgres.NoPostgres as absent:
        missing(f"PostgreSQL is not installed: {absent}.")
    with Wire(url) as here:
        yield here


@contextmanager
def wired(wire: Wire, transport: str = "socket") -> Iterator[Town]:
    with Town(wire.url, transport=transport, pace=Pace(time.monotonic, {}, {})) as town:
        yield town


@contextmanager
def gone(town: Town, wire: Wire) -> Iterator[None]:
    wire.refuse()
    try:
        yield
    finally:
        wire.accept()


@contextmanager
def frozen(town: Town, wire: Wire) -> Iterator[None]:
    wire.is_frozen.set()
    try:
        yield
    finally:
        wire.is_frozen.clear()


@contextmanager
def standby(town: Town, wire: Wire) -> Iterator[None]:
    """The connections are cut, and lead to a server that only reads: a failover that went half way."""
    name = str(town.house.db.url.database)

    def turn(state: str) -> None:
        with postgres.connect(wire.url) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {state}".encode())
        wire.refuse()
        wire.accept()

    turn("on")
    yield
    turn("off")


@pytest.mark.parametrize(
    ("trouble", "transport"), [(gone, "http"), (gone, "socket"), (frozen, "http"), (standby, "socket")]
)
def test_what_postgresql_does_not_take_is_given_back(
    wire: Wire, transport: str, trouble: Callable[[Town, Wire], AbstractContextManager[None]]
) -> None:
    with wired(wire, transport) as town:
        goes_through(town, lambda here: trouble(here, wire), is_slow=trouble is frozen)


@pytest.mark.parametrize("is_after", [False, True])
def test_a_commit_that_broke_off_is_looked_up_and_logged_once(wire: Wire, is_after: bool) -> None:
    with wired(wire) as town:
        room = opened(town)
        words = fresh_words("cut")
        wire.cut_commit(words, is_after=is_after)
        assert room.types(f"/log {words}").startswith("Logged")
        assert wire.was_cut.is_set()
        assert room.only(words)
        room.message(words)


@pytest.mark.parametrize(("transport", "is_after"), [("http", False), ("socket", True)])
def test_what_nobody_can_know_is_said_so_and_the_same_request_again_logs_once(
    wire: Wire, transport: str, is_after: bool
) -> None:
    with wired(wire, transport) as town:
        room = opened(town)
        words = fresh_words("cut")
        wire.cut_commit(words, is_after=is_after, is_refused_then=True)
        answer = room.types(f"/log {words}")
        assert (
            "*may* have been saved" in answer and "`/log list`" in answer and f"```/log {words}```" in answer
        )
        wire.accept()
        until(lambda: troubles(town) == [], 20, "it did not recover")
        (sent,) = [one for one in town.standin.deliveries("command") if one.payload["text"] == words]
        (again,) = town.standin.redeliver(sent)
        assert again.json()["text"].startswith("Logged")
        assert room.only(words)


def trip(room: Room, url: str, times: int) -> None:
    """Let PostgreSQL refuse so many entries of an incident with a serialisation failure."""
    with postgres.connect(url) as connection:
        connection.execute("DROP SEQUENCE IF EXISTS trips CASCADE")
        connection.execute("CREATE SEQUENCE trips")
        connection.execute(
            "CREATE OR REPLACE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF nextval('trips') <= {times} THEN RAISE 'tripped' USING ERRCODE = '40001'; END IF; "
            "RETURN NEW; END $$".encode()
        )
        connection.execute(
            "CREATE OR REPLACE TRIGGER trip BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION trip()"
        )


def test_a_serialisation_failure_is_tried_again_and_one_that_stays_is_given_back(wire: Wire) -> None:
    with wired(wire) as town:
        room = opened(town)
        for times, is_logged in ((2, True), (50, False)):
            trip(room, wire.url, times)
            words = fresh_words("tripped")
            answer = room.types(f"/log {words}")
            assert answer.startswith("Logged") if is_logged else is_given_back(answer, f"/log {words}"), (
                answer
            )
            assert len(room.told(words)) == is_logged


def test_of_a_deadlock_lantern_takes_the_worse_and_logs_all_the_same(wire: Wire) -> None:
    name = wire.url.split("@/")[1].split("?")[0]
    with postgres.connect(wire.url) as look:
        look.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '100ms'".encode())
    with wired(wire) as town, postgres.connect(wire.url) as stranger, postgres.connect(wire.url) as look:
        room = opened(town)
        words = fresh_words("deadlock")
        answers: list[str] = []
        # The stranger never finds a deadlock itself: the other side has to give way.
        stranger.execute("SET deadlock_timeout = '60s'")
        with stranger.transaction():
            stranger.execute("LOCK TABLE entry IN SHARE ROW EXCLUSIVE MODE")
            typing = threading.Thread(target=lambda: answers.append(room.types(f"/log {words}")))
            typing.start()
            waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'entry'::regclass AND NOT granted"
            until(
                lambda: look.execute(waiting.encode()).fetchone() == (1,), 20, "nobody waits for the entries"
            )
            stranger.execute("UPDATE incident SET version = version + 1")
        typing.join(20)
        assert answers[0].startswith("Logged"), answers
        assert room.only(words)


def test_when_strangers_hold_all_connections_the_line_is_given_back() -> None:
    try:
        cluster = postgres.temporary_cluster(max_connections="30")
    except postgres.NoPostgres as absent:
        missing(f"PostgreSQL is not installed: {absent}.")
    strangers: list[psycopg.Connection[tuple[object, ...]]] = []

    @contextmanager
    def crowded(town: Town) -> Iterator[None]:
        crowding = threading.Event()

        def crowd() -> None:
            while not crowding.wait(0.02):
                with suppress(psycopg.OperationalError):
                    strangers.append(postgres.connect(cluster.url))

        thread = threading.Thread(target=crowd)
        thread.start()
        try:

            def is_full() -> bool:
                # What Lantern loses, the strangers take.
                strangers[0].execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'lantern%'"
                )
                return "connection" in town.house.db.trouble()

            until(lambda: bool(strangers), 20, "nobody came")
            until(is_full, 20, "Lantern held on")
            yield
        finally:
            crowding.set()
            thread.join()
            for one in strangers:
                one.close()

    try:
        url = postgres.new_database(cluster.url)
        with Town(url, transport="http", pace=Pace(time.monotonic, {}, {})) as town:
            goes_through(town, crowded)
    finally:
        cluster.stop()


@pytest.mark.parametrize(("transport", "times"), [("http", 2), ("socket", 1)])
def test_postgresql_restarted_under_load_loses_nothing_and_doubles_nothing(
    transport: str, times: int
) -> None:
    try:
        cluster = postgres.temporary_cluster()
    except postgres.NoPostgres as absent:
        missing(f"PostgreSQL is not installed: {absent}.")
    try:
        tally = restarts.attack(cluster, transport, times)
    finally:
        cluster.stop()
    assert tally.faults == {}, str(tally)
    assert len(tally.shown) >= 12 * (times + 1)


def test_ids_longer_than_their_columns_are_kept_apart_or_refused_in_a_sentence(wire: Wire) -> None:
    long = "X" * 400
    with wired(wire) as town:
        room = opened(town)

        def ask(body: dict[str, Any]) -> Any:
            """Straight to Bolt, as a socket hands it over."""
            return town.house.door.app.dispatch(BoltRequest(mode="socket_mode", body=body))

        def types(words: str, trigger: str, **other: str) -> str:
            spot = {"user_id": town.ana.id, "channel_id": room.channel, "trigger_id": trigger}
            answer = ask({"command": "/log", "text": words, "team_id": "T1", **spot, **other})
            assert answer.status == 200
            return str(json.loads(answer.body)["text"])

        # Two requests that differ in the last letter only, the second one twice.
        for trigger in ("a", "b", "b"):
            assert types(f"long {trigger}", long + trigger).startswith("Logged")
        assert [len(room.told(f"long {trigger}")) for trigger in ("a", "b")] == [1, 1]
        for other in ({"user_id": long}, {"channel_id": long}):
            assert "Something went wrong" not in types("nobody's", "c", **other)
        item = {"type": "message", "channel": room.channel, "ts": "1717410600.000100"}
        for number, told in enumerate(
            (
                {"type": "reaction_added", "user": town.ana.id, "reaction": "pushpin", "item": item},
                {"type": "reaction_added", "user": long, "reaction": "pushpin", "item": item},
                {
                    "type": "reaction_added",
                    "user": town.ana.id,
                    "reaction": "pushpin",
                    "item": {**item, "channel": long},
                },
                {
                    "type": "reaction_added",
                    "user": town.ana.id,
                    "reaction": "pushpin",
                    "item": {**item, "ts": long},
                },
                {"type": "member_joined_channel", "user": long, "channel": room.channel},
                {"type": "channel_rename", "channel": {"id": room.channel, "name": long}},
                {"type": "channel_id_changed", "old_channel_id": room.channel, "new_channel_id": long},
                {"type": "user_change", "user": {"id": town.ana.id, "name": long, "tz": long}},
            )
        ):
            frame = {"type": "event_callback", "team_id": "T1", "event_id": f"{long}{number}"}
            assert ask({**frame, "event": told}).status == 200, told
        view = {
            "id": long,
            "type": "modal",
            "callback_id": "entry",
            "private_metadata": json.dumps(
                {
                    "incident": str(room.about.id),
                    "channel": room.channel,
                    "ts": "1717410600.000100",
                    "author": long,
                }
            ),
            "state": {
                "values": {"text": {"text": {"type": "plain_text_input", "value": "of a long author"}}}
            },
        }
        answer = ask(
            {"type": "view_submission", "user": {"id": town.ana.id}, "team": {"id": "T1"}, "view": view}
        )
        assert answer.status == 200
        assert "not saved" in answer.body


def test_work_whose_reading_failed_is_not_kept_waiting_for_its_lease(wire: Wire) -> None:
    db = Database(wire.url)
    tries: list[int] = []
    told = threading.Event()

    def send(errand: Errand) -> None:
        tries.append(1)
        if len(tries) == 1:
            wire.refuse()
            try:
                with db.reading() as session:
                    session.execute(text("SELECT 1"))
            finally:
                wire.accept()
        errand.step("tell", lambda: {})
        told.set()

    patient = replace(QUICK, lease_for=timedelta(hours=1), heartbeat_for=timedelta(minutes=10))
    postman = make_postman(db, {"post": send}, rhythm=patient)
    try:
        put(db, "post", "C1")
        postman.start()
        assert told.wait(30)
        wait_until(lambda: is_all_done(db))
        assert len(tries) == 2
    finally:
        postman.stop()
        db.close()
