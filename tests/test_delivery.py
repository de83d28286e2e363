"""The postman: everything is told to Slack once, in order, whoever dies and whatever Slack answers."""

from __future__ import annotations

import functools
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.delivery import Postman
from bot.domain.outcomes import RateLimited, Refused, Unknown, Unreachable
from bot.domain.pace import Limit, Pace
from bot.store import gates, outbox
from bot.store.db import Database, NotSaved
from bot.store.errand import Errand, Sender
from bot.store.metadata import metadata
from tests import postgres
from tests.postmen import (
    QUICK,
    FileSlack,
    guide_tour,
    is_all_done,
    make_postman,
    now,
    poster,
    put,
    start_poster,
    start_tour,
    wait_until,
)

Start = Callable[..., Postman]


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


def once(answer: Callable[[], dict[str, Any]]) -> Sender:
    """A sender of one step that cannot be looked up."""

    def send(errand: Errand) -> None:
        errand.step("call", answer)

    return send


def raising_first(errors: list[Exception], calls: list[float]) -> Callable[[], dict[str, Any]]:
    """A call that ends in these errors, one a time, and then goes well."""

    def call() -> dict[str, Any]:
        calls.append(time.monotonic())
        if errors:
            raise errors.pop(0)
        return {}

    return call


def find(db: Database, work_id: int | None) -> outbox.Work:
    assert work_id is not None
    with db.reading() as session:
        work = outbox.find(session, work_id)
    assert work is not None
    return work


def test_posts_of_one_channel_keep_their_order_and_channels_do_not_wait(db: Database, start: Start) -> None:
    told: list[tuple[str, int]] = []
    at_once: list[int] = []
    busy: list[str] = []
    lock = threading.Lock()

    def send(errand: Errand) -> None:
        with lock:
            assert errand.work.key not in busy
            busy.append(errand.work.key)
            at_once.append(len(busy))
        time.sleep(0.01)
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
    start({"post": send})
    wait_until(lambda: is_all_done(db))
    assert slack.marks() == ["m1"]
    assert looks[0] - called[0] >= QUICK.settle_for.total_seconds() * 0.5


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


def test_a_failing_item_backs_off_further_and_further(db: Database, start: Start) -> None:
    calls: list[float] = []
    work_id = put(db, "post", "C1")
    rhythm = replace(QUICK, back_off_from=timedelta(seconds=0.02), back_off_to=timedelta(seconds=0.4))
    start({"post": once(raising_first([Unreachable("no")] * 7, calls))}, rhythm=rhythm)
    wait_until(lambda: find(db, work_id).state == "done")
    gaps = [later - earlier for earlier, later in itertools.pairwise(calls)]
    # A busy machine makes a gap longer, never shorter: the last ones have grown to the longest wait.
    assert min(gaps[-2:]) > 0.19


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
    start({"pin": send}, pace=Pace(time.monotonic, {"pins.add": Limit(per_minute=200, burst=3)}, {}))
    wait_until(lambda: is_all_done(db))
    assert len(calls) == 7
    assert calls[2] - calls[0] < 0.28
    for n, at in enumerate(calls):
        assert at - calls[0] > (n - 2) * 0.3 - 0.05
    # Nobody lost his place to another: the line is not longer than it must be.
    assert calls[6] - calls[0] < 2.4


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
