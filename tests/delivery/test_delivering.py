"""The postman: everything is told to Slack once, in order, and what may have been told is looked up."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bot.domain.outcomes import Unknown, Unreachable
from bot.store import outbox
from bot.store.db import Database
from bot.store.errand import Errand
from tests.delivery.calls import Start, find, raising_first
from tests.postmen import (
    QUICK,
    FileSlack,
    is_all_done,
    now,
    put,
    wait_until,
)


def test_posts_of_one_channel_keep_their_order_and_channels_do_not_wait(db: Database, start: Start) -> None:
    told: list[tuple[str, int]] = []
    at_once: list[int] = []
    busy: list[str] = []
    lock = threading.Lock()
    together = threading.Barrier(3)

    def send(errand: Errand) -> None:
        with lock:
            assert errand.work.key not in busy
            busy.append(errand.work.key)
            at_once.append(len(busy))
        if errand.args["n"] == 0:
            # The first post of each channel comes back only once all three are on their way.
            together.wait(20)
        with lock:
            busy.remove(errand.work.key)
            told.append((errand.work.key, errand.args["n"]))

    for n in range(8):
        for channel in ("C1", "C2", "C3"):
            put(db, "post", channel, args={"n": n})
    start({"post": send})
    wait_until(lambda: is_all_done(db))
    assert max(at_once) == 3
    for channel in ("C1", "C2", "C3"):
        assert [n for of, n in told if of == channel] == list(range(8))


def test_a_ring_after_a_put_is_answered_at_once(db: Database, start: Start) -> None:
    told = threading.Event()
    ring = threading.Event()
    slow = replace(QUICK, poll_for=timedelta(minutes=1))

    def send(_errand: Errand) -> None:
        told.set()

    start({"post": send}, ring, rhythm=slow)
    put(db, "post", "C1")
    ring.set()
    assert told.wait(10)


def test_a_put_by_another_replica_is_heard_on_postgresql(db: Database, start: Start) -> None:
    if db.dialect != "postgresql":
        pytest.skip("SQLite has one process")
    told: list[int] = []

    def send(errand: Errand) -> None:
        told.append(errand.work.id)

    start({"post": send}, rhythm=replace(QUICK, poll_for=timedelta(minutes=1)))

    def is_told() -> bool:
        # Until the postman has begun to listen a put is not heard; later ones are.
        if not told:
            put(db, "post", "C1")
        return bool(told)

    wait_until(is_told)


def test_steps_share_commits_one_between_two_calls(db: Database, start: Start, slack: FileSlack) -> None:
    commits: list[int] = []
    calls: list[int] = []

    def send(errand: Errand) -> None:
        for step in range(5):
            errand.step(f"s{step}", lambda: calls.append(len(commits)) or {})

    put(db, "post", "C1")

    def count(_connection: object) -> None:
        # Not the claims, the leases and the bell.
        if threading.current_thread().name.startswith("postman-round"):
            commits.append(1)

    event.listen(db.engine, "commit", count)
    start({"post": send})
    wait_until(lambda: is_all_done(db))
    assert [later - earlier for earlier, later in itertools.pairwise(calls)] == [1, 1, 1, 1]


def test_what_follows_from_a_step_is_written_with_its_result(db: Database, start: Start) -> None:
    told: list[str] = []

    def send(errand: Errand) -> None:
        def follow(session: Any, result: dict[str, Any]) -> None:
            outbox.put(session, outbox.Parcel("told", "C2", result), now())

        errand.step("create", lambda: {"channel": "C7"}, then=follow)

    def tell(errand: Errand) -> None:
        told.append(errand.args["channel"])

    put(db, "open", "C1")
    start({"open": send, "told": tell})
    wait_until(lambda: told == ["C7"])


def test_when_what_follows_fails_slack_is_not_told_again(db: Database, start: Start) -> None:
    calls: list[int] = []
    tries: list[dict[str, Any]] = []

    def follow(session: Any, result: dict[str, Any]) -> None:
        tries.append(result)
        outbox.put(session, outbox.Parcel("never", "C2"), now())
        if len(tries) < 3:
            raise ValueError("a mistake of ours")

    def send(errand: Errand) -> None:
        errand.step("create", lambda: calls.append(1) or {"n": len(calls)}, then=follow)

    put(db, "open", "C1")
    start({"open": send, "never": lambda _errand: None})
    wait_until(lambda: is_all_done(db))
    assert len(calls) == 1
    assert tries == [{"n": 1}] * 3


def test_a_lost_answer_is_looked_up_and_not_repeated(db: Database, start: Start, slack: FileSlack) -> None:
    def lose_the_answer() -> dict[str, Any]:
        slack.post("m1")
        raise Unknown("the connection was reset")

    looks: list[float] = []
    called: list[float] = []

    def send(errand: Errand) -> None:
        def look() -> dict[str, Any] | None:
            looks.append(time.monotonic())
            return slack.find("m1")

        def call() -> dict[str, Any]:
            called.append(time.monotonic())
            return lose_the_answer()

        result = errand.step("post", call, look=look)
        assert result == {"ts": "m1"}

    put(db, "post", "C1")
    began = time.monotonic()
    start({"post": send})
    wait_until(lambda: is_all_done(db))
    assert slack.marks() == ["m1"]
    assert began < called[0] < looks[0]
    assert looks[0] - began >= QUICK.settle_for.total_seconds()


def test_a_call_that_was_dropped_on_its_way_is_repeated_once(
    db: Database, start: Start, slack: FileSlack
) -> None:
    drops: list[Exception] = [Unknown("timeout"), Unreachable("connection refused")]

    def send(errand: Errand) -> None:
        def call() -> dict[str, Any]:
            if drops:
                raise drops.pop(0)
            return slack.post("m1")

        errand.step("post", call, look=lambda: slack.find("m1"))

    put(db, "post", "C1")
    start({"post": send})
    wait_until(lambda: is_all_done(db))
    assert slack.marks() == ["m1"]
    assert drops == []


def test_what_surely_was_not_sent_is_repeated_without_a_look(db: Database, start: Start) -> None:
    calls: list[float] = []
    call = raising_first([Unreachable("no route"), Unreachable("no route")], calls)

    def send(errand: Errand) -> None:
        errand.step("post", call, look=lambda: pytest.fail("nothing to look for"))

    work_id = put(db, "post", "C1")
    start({"post": send}, rhythm=replace(QUICK, settle_for=timedelta(minutes=5)))
    wait_until(lambda: find(db, work_id).state == "done")
    assert len(calls) == 3
