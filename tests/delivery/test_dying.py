"""The postman when processes die, sleep or stop: everything is told once, and the work goes on."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.domain import permit
from bot.store import outbox
from bot.store.db import Database, NotSaved
from bot.store.errand import Errand
from tests.delivery.calls import Start, find
from tests.postmen import (
    QUICK,
    FileSlack,
    guide_tour,
    is_all_done,
    now,
    poster,
    put,
    start_poster,
    start_tour,
    wait_until,
)


def test_killed_at_any_point_everything_is_told_exactly_once(
    new_database: Callable[[], Database], tmp_path: Path, start: Start
) -> None:
    # The tour is two calls, the first of which puts a further work of one call: three times before and after
    # a call, and seven commits, claims included.
    tours: list[tuple[Database, FileSlack, Any]] = []
    for points in range(1, 14):
        db = new_database()
        path = tmp_path / f"tour-{points}.txt"
        put(db, "tour", "C1")
        tours.append((db, FileSlack(path), start_tour(db.url.render_as_string(False), path, points)))
    for _, _, child in tours:
        child.join(30)
        assert child.exitcode == -signal.SIGKILL
    for db, slack, _ in tours:
        start(guide_tour(slack), on=db, threads=2)
    for db, _, _ in tours:
        wait_until(lambda db=db: is_all_done(db))
    for points, (_, slack, _) in enumerate(tours, 1):
        assert sorted(slack.marks()) == ["first", "first+", "second"], f"killed at point {points}"


def test_two_replicas_share_the_work_and_one_takes_over_when_the_other_is_killed(
    new_database: Callable[[], Database],
    tmp_path: Path,
    start: Start,
    children: list[BaseProcess],
) -> None:
    db = new_database()
    if db.dialect != "postgresql":
        pytest.skip("SQLite has one process")
    slack = FileSlack(tmp_path / "slack.txt")
    for n in range(96):
        put(db, "post", f"C{n % 12}", args={"n": f"{n:02}"})
    other = start_poster(db.url.render_as_string(False), tmp_path / "slack.txt", 0.01)
    children.append(other)
    wait_until(lambda: len(slack.posts()) > 5)
    start({"post": poster(slack, steps=3, before=functools.partial(time.sleep, 0.01))}, on=db)
    wait_until(lambda: sum(post["pid"] == os.getpid() for post in slack.posts()) > 5)
    other.kill()
    other.join(10)
    wait_until(lambda: is_all_done(db))
    assert sorted(slack.marks()) == sorted(f"{n:02}.{step}" for n in range(96) for step in range(3))
    assert len({post["pid"] for post in slack.posts()}) == 2
    for channel in range(12):
        marks = [mark for mark in slack.marks() if int(mark[:2]) % 12 == channel]
        assert marks == sorted(marks)


def stands_still(pid: int | None) -> bool:
    """Every thread is stopped: one hears the signal and stops the others, which takes a moment."""
    states = [(task / "stat").read_text() for task in Path(f"/proc/{pid}/task").glob("*")]
    return all(state.rpartition(")")[2].split()[0] == "T" for state in states)


def test_a_replica_that_slept_past_its_lease_does_nothing_late(
    new_database: Callable[[], Database],
    tmp_path: Path,
    start: Start,
    children: list[BaseProcess],
) -> None:
    db = new_database()
    if db.dialect != "postgresql":
        pytest.skip("SQLite has one process")
    slack = FileSlack(tmp_path / "slack.txt")
    # One that falls asleep inside a transaction holds its rows until the server ends its session.
    hasty = db.url.update_query_dict({"options": "-c idle_in_transaction_session_timeout=500"})
    sleeper = start_poster(hasty.render_as_string(False), tmp_path / "slack.txt", 0.02)
    children.append(sleeper)
    for n in range(30):
        put(db, "post", f"C{n}", args={"n": f"{n:02}"})
    wait_until(lambda: len(slack.marks()) > 10)
    assert sleeper.pid is not None
    os.kill(sleeper.pid, signal.SIGSTOP)
    wait_until(lambda: stands_still(sleeper.pid))
    asleep = len(slack.marks())
    start({"post": poster(slack, steps=3)}, on=db)
    wait_until(lambda: is_all_done(db))
    os.kill(sleeper.pid, signal.SIGCONT)
    put(db, "post", "C1", args={"n": "99"})
    wait_until(lambda: is_all_done(db))
    late = [post["mark"] for post in slack.posts()[asleep:] if post["pid"] == sleeper.pid]
    done_by_then = set(slack.marks()[:asleep])
    assert [mark for mark in late if not mark.startswith("99")] == []
    expected = {f"{n:02}.{step}" for n in range(30) for step in range(3)} | {
        f"99.{step}" for step in range(3)
    }
    assert set(slack.marks()) == expected
    assert done_by_then < expected


def test_an_errand_past_its_lease_calls_nothing(db: Database, start: Start) -> None:
    calls: list[str] = []
    taken_over = threading.Event()
    work_id = put(db, "post", "C1")
    assert work_id is not None

    def send(errand: Errand) -> None:
        errand.step("one", lambda: calls.append("one") or {})
        if not taken_over.is_set():
            with db.writing() as session:
                # What another replica does when this one was paused.
                session.execute(
                    outbox.work.update().values(owner="another", attempts=outbox.work.c.attempts + 1)
                )
            taken_over.set()
        errand.step("two", lambda: calls.append("two") or {})

    start({"post": send})
    assert taken_over.wait(10)
    wait_until(lambda: find(db, work_id).owner != "another")
    wait_until(lambda: is_all_done(db))
    # The first attempt stopped before "two"; the next one looked at "one", found no look, and repeated it.
    assert calls == ["one", "one", "two"]


def test_a_call_that_outlives_its_lease_may_not_be_sent_any_more(db: Database, start: Start) -> None:
    asked: list[bool] = []

    def send(errand: Errand) -> None:
        def call() -> dict[str, Any]:
            asked.append(permit.may_send())
            # Stood still on the way, or the database is away: nobody renews it.
            until = time.monotonic() + 0.5
            wait_until(lambda: time.monotonic() > until)
            asked.append(permit.may_send())
            return {}

        errand.step("call", call)

    rhythm = replace(
        QUICK,
        lease_for=timedelta(seconds=0.8),
        call_for=timedelta(seconds=0.4),
        heartbeat_for=timedelta(hours=1),
    )
    work_id = put(db, "post", "C1")
    start({"post": send}, rhythm=rhythm)
    wait_until(lambda: find(db, work_id).state == "done")
    assert asked[:2] == [True, False]
    assert permit.may_send()


def test_a_database_that_is_away_for_a_while_loses_and_doubles_nothing(
    db: Database, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    is_away = threading.Event()
    writing = db.writing

    def sometimes() -> Any:
        if is_away.is_set():
            raise NotSaved("the database is away")
        return writing()

    monkeypatch.setattr(db, "writing", sometimes)

    def send(errand: Errand) -> None:
        def call() -> dict[str, Any]:
            calls.append("call")
            is_away.set()
            return {}

        errand.step("call", call)

    work_id = put(db, "post", "C1")
    postman = start({"post": send})
    wait_until(lambda: calls)
    time.sleep(0.5)
    assert postman.is_alive()
    is_away.clear()
    wait_until(lambda: find(db, work_id).state == "done")
    assert calls == ["call"]


def test_a_stop_lets_the_running_step_end_and_the_next_start_goes_on_at_once(
    db: Database, start: Start
) -> None:
    calls: list[str] = []
    in_call = threading.Event()

    def send(errand: Errand) -> None:
        def slow() -> dict[str, Any]:
            in_call.set()
            time.sleep(0.2)
            calls.append("one")
            return {}

        errand.step("one", slow)
        errand.step("two", lambda: calls.append("two") or {})

    work_id = put(db, "post", "C1")
    postman = start({"post": send}, rhythm=replace(QUICK, lease_for=timedelta(minutes=5)))
    assert in_call.wait(10)
    assert postman.stop()
    assert calls == ["one"]
    assert find(db, work_id).state == "open"
    start({"post": send})
    wait_until(lambda: find(db, work_id).state == "done")
    assert calls == ["one", "two"]


def test_a_long_call_keeps_its_lease(db: Database, start: Start) -> None:
    calls: list[str] = []

    def send(errand: Errand) -> None:
        errand.step("long", lambda: calls.append("call") or time.sleep(1.0) or {})

    rhythm = replace(QUICK, lease_for=timedelta(seconds=0.6), heartbeat_for=timedelta(seconds=0.1))
    work_id = put(db, "post", "C1")
    start({"post": send}, rhythm=rhythm)
    if db.dialect == "postgresql":
        start({"post": send}, rhythm=rhythm)
    wait_until(lambda: find(db, work_id).state == "done")
    assert calls == ["call"]
    assert find(db, work_id).attempts == 1


def test_a_postman_with_nothing_to_do_costs_next_to_nothing(db: Database, start: Start) -> None:
    commits: list[int] = []
    for n in range(50):
        put(db, "nudge", f"C{n}", not_before=now() + timedelta(days=1))
    event.listen(db.engine, "commit", lambda _connection: commits.append(1))
    start({"post": lambda _errand: None}, rhythm=replace(QUICK, poll_for=timedelta(seconds=1)))
    began = time.process_time()
    until = time.monotonic() + 1.5
    wait_until(lambda: time.monotonic() > until)
    # This very wait wakes 200 times a second; a postman that spins would use all of it.
    assert time.process_time() - began < 0.5
    assert len(commits) < 8
