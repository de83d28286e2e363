"""The postman when Slack refuses, limits or is away: backed off, set aside, said to the person."""

from __future__ import annotations

import functools
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.domain.outcomes import RateLimited, Refused, Unknown, Unreachable
from bot.domain.pace import Limit, Pace
from bot.store import gates, outbox
from bot.store.db import Database
from bot.store.errand import Errand, Sender
from bot.store.work_tables import work
from tests.delivery.calls import Start, find, once, raising_first
from tests.postmen import (
    QUICK,
    is_all_done,
    now,
    put,
    wait_until,
)


def test_a_failing_item_backs_off_further_and_further(db: Database, start: Start) -> None:
    calls: list[float] = []
    work_id = put(db, "post", "C1")
    rhythm = replace(QUICK, back_off_from=timedelta(seconds=0.02), back_off_to=timedelta(seconds=0.4))
    start({"post": once(raising_first([Unreachable("no")] * 7, calls))}, rhythm=rhythm)
    wait_until(lambda: find(db, work_id).state == "done")
    gaps = [later - earlier for earlier, later in itertools.pairwise(calls)]
    # A busy machine makes a gap longer, never shorter: the last ones have grown to the longest wait.
    assert min(gaps[-2:]) > 0.19


def test_once_slack_answers_again_nothing_waits_for_its_next_try(db: Database, start: Start) -> None:
    down = threading.Event()
    down.set()
    tried: list[str] = []

    def send(errand: Errand) -> None:
        def call() -> dict[str, Any]:
            tried.append(errand.work.key)
            if down.is_set():
                raise Unreachable("no connection")
            return {}

        errand.step("call", call)

    def broken(errand: Errand) -> None:
        raise ValueError("a mistake of ours")

    keys = [f"C{n}" for n in range(5)]
    for key in keys:
        put(db, "post", key)
    mistake = put(db, "broken", "C9")
    # Their next try is ten minutes away.
    rhythm = replace(QUICK, back_off_from=timedelta(minutes=10), back_off_to=timedelta(minutes=10))
    start({"post": send, "broken": broken}, rhythm=rhythm)
    wait_until(lambda: sorted(tried) == keys and find(db, mistake).last_error)
    wait_until(lambda: all(find(db, n).state == "open" for n in range(1, 6)))
    down.clear()
    with db.writing() as session:
        session.execute(update(work).where(work.c.key == "C2").values(next_at=now()))
    wait_until(lambda: sorted(tried) == sorted(2 * keys))
    wait_until(lambda: all(find(db, n).state == "done" for n in range(1, 6)))
    # What did not fail for Slack's sake keeps its time.
    assert find(db, mistake).state == "open"


def test_after_its_time_it_is_set_aside_the_person_is_told_and_the_next_goes(
    db: Database, start: Start
) -> None:
    def never(errand: Errand) -> None:
        raise Unknown("Slack answered 503")

    told: list[tuple[str | None, str]] = []
    work_id = put(db, "broken", "C1", asked_by="U1")
    after = put(db, "fine", "C1")
    start(
        {"broken": never, "fine": lambda _errand: None},
        rhythm=replace(QUICK, give_up_after=timedelta(seconds=0.3)),
        on_set_aside=lambda _session, work, sentence: told.append((work.asked_by, sentence)),
    )
    wait_until(lambda: find(db, after).state == "done")
    aside = find(db, work_id)
    assert aside.state == "set_aside"
    assert aside.attempts > 2
    [(asked_by, sentence)] = told
    assert asked_by == "U1"
    assert "Slack answered 503" in sentence


def test_a_refusal_sets_aside_at_once_and_tells_the_person_in_the_same_commit(
    db: Database, start: Start
) -> None:
    def refuse() -> dict[str, Any]:
        raise Refused("missing_scope: pins:write", "Reinstall the app from app.yaml.")

    told: list[dict[str, Any]] = []

    def tell(session: Any, work: outbox.Work, sentence: str) -> None:
        parcel = outbox.Parcel("dm", f"dm:{work.asked_by}", {"to": work.asked_by, "text": sentence})
        outbox.put(session, parcel, now())

    def dm(errand: Errand) -> None:
        told.append(errand.args)

    work_id = put(db, "pin", "C1", asked_by="U1")
    start({"pin": once(refuse), "dm": dm}, on_set_aside=tell)
    wait_until(lambda: told)
    assert told == [
        {"to": "U1", "text": "missing_scope: pins:write. Reinstall the app from app.yaml."},
    ]
    assert (find(db, work_id).state, find(db, work_id).attempts) == ("set_aside", 1)


def test_it_is_set_aside_also_when_telling_the_person_fails(db: Database, start: Start) -> None:
    def refuse() -> dict[str, Any]:
        raise Refused("channel_not_found")

    def tell(session: Any, _work: outbox.Work, _sentence: str) -> None:
        outbox.put(session, outbox.Parcel("half", "C9"), now())
        raise ValueError("a mistake of ours")

    work_id = put(db, "pin", "C1")
    start({"pin": once(refuse)}, on_set_aside=tell)
    wait_until(lambda: find(db, work_id).state == "set_aside")
    with db.reading() as session:
        assert outbox.backlog(session, now()).open == 0


def test_sent_again_it_goes_on_after_the_steps_that_are_done(db: Database, start: Start) -> None:
    calls: list[str] = []
    refusals = [Refused("missing_scope")]

    def send(errand: Errand) -> None:
        errand.step("post", lambda: calls.append("post") or {})
        errand.step("pin", raising_first(refusals, []))

    ring = threading.Event()
    work_id = put(db, "card", "C1")
    assert work_id is not None
    start({"card": send}, ring)
    wait_until(lambda: find(db, work_id).state == "set_aside")
    with db.writing() as session:
        outbox.send_again(session, work_id, now())
    ring.set()
    wait_until(lambda: find(db, work_id).state == "done")
    assert calls == ["post"]


def test_a_sender_may_find_a_way_round_a_refusal(db: Database, start: Start) -> None:
    def send(errand: Errand) -> None:
        try:
            errand.step("public", raising_first([Refused("not_in_channel")], []))
        except Refused:
            errand.step("join", dict)
            errand.step("public-again", dict)

    work_id = put(db, "post", "C1")
    start({"post": send})
    wait_until(lambda: find(db, work_id).state == "done")
    with db.reading() as session:
        assert work_id is not None
        assert set(outbox.steps_of(session, [work_id])[work_id]) == {"join", "public-again"}


def test_a_mistake_in_a_sender_is_logged_with_its_work_and_tried_again(
    db: Database, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    mistakes: list[Exception] = [KeyError("channel")]
    work_id = put(db, "post", "C1")

    def send(_errand: Errand) -> None:
        if mistakes:
            raise mistakes.pop()

    start({"post": send})
    wait_until(lambda: find(db, work_id).state == "done")
    assert f"work {work_id} (post) failed" in caplog.text
    assert "KeyError" in caplog.text


def test_work_of_a_newer_release_is_kept_for_it(db: Database, start: Start) -> None:
    work_id = put(db, "invented-later", "C1")
    postman = start({})
    wait_until(lambda: find(db, work_id).attempts > 1)
    assert postman.stop()
    assert find(db, work_id).state == "open"
    start({"invented-later": lambda _errand: None})
    wait_until(lambda: find(db, work_id).state == "done")


def test_after_429_no_replica_calls_the_method_until_its_gate_opens(
    new_database: Callable[[], Database], start: Start
) -> None:
    db = new_database()
    calls: list[tuple[float, str]] = []
    limited = [RateLimited("chat.postMessage", 0.6)]
    lock = threading.Lock()

    def send(method: str, errand: Errand) -> None:
        def call() -> dict[str, Any]:
            with lock:
                calls.append((time.monotonic(), method))
                if method == "chat.postMessage" and limited:
                    raise limited.pop()
            return {}

        errand.step("call", call, method=method)

    senders: dict[str, Sender] = {
        "post": functools.partial(send, "chat.postMessage"),
        "pin": functools.partial(send, "pins.add"),
    }
    put(db, "post", "C0")
    start(senders, on=db)
    wait_until(lambda: calls)
    if db.dialect == "postgresql":
        start(senders, on=db)
    for n in range(6):
        put(db, "post", f"C{n}")
    put(db, "pin", "C9")
    wait_until(lambda: is_all_done(db))
    first, *rest = [at for at, method in calls if method == "chat.postMessage"]
    assert len(rest) == 7
    assert min(rest) - first >= 0.55
    assert [at - first < 0.5 for at, method in calls if method == "pins.add"] == [True]


def test_waiting_for_a_gate_is_not_failing(db: Database, start: Start) -> None:
    calls: list[float] = []
    work_id = put(db, "post", "C1")
    limits: list[Exception] = [RateLimited("chat.postMessage", 0.1) for _ in range(5)]
    start(
        {"post": once(raising_first(limits, calls))},
        rhythm=replace(QUICK, give_up_after=timedelta(seconds=0.2)),
    )
    wait_until(lambda: find(db, work_id).state == "done")
    assert find(db, work_id).first_failed_at is None
    assert len(calls) == 6
    with db.reading() as session:
        assert set(gates.closed(session, now() - timedelta(minutes=1))) == {"chat.postMessage"}


def test_the_pace_is_kept_and_a_place_in_the_line_with_it(db: Database, start: Start) -> None:
    calls: list[float] = []

    def send(errand: Errand) -> None:
        errand.step("call", lambda: calls.append(time.monotonic()) or {}, method="pins.add")

    for n in range(7):
        put(db, "pin", f"C{n}")
    # Three at once, then one every 0.3 s: longer than a thread sleeps for it.
    began = time.monotonic()
    start({"pin": send}, pace=Pace(time.monotonic, {"pins.add": Limit(per_minute=200, burst=3)}, {}))
    wait_until(lambda: is_all_done(db))
    assert len(calls) == 7
    # The burst goes at once, what follows in its time.
    assert calls[2] - calls[0] < calls[6] - calls[2]
    for n, at in enumerate(calls):
        assert at - began >= (n - 2) * 0.3
    # Nobody lost his place to another: the line is not longer than it must be.
    assert calls[6] - calls[0] < 6
