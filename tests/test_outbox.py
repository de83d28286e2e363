"""The outbox: what is put in is taken out once, in its order, by whoever holds it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bot.store import gates, outbox
from bot.store.db import Database
from bot.store.metadata import metadata
from bot.store.outbox import Parcel, Work
from bot.store.outbox_hold import Hold, LeaseLost

#: Long past, so that on PostgreSQL, whose own clock counts, nothing is early.
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    metadata.create_all(database.engine)
    yield database
    database.close()


def put(db: Database, kind: str, key: str, now: datetime = NOON, **parcel: Any) -> int | None:
    coalesce = parcel.pop("coalesce", False)
    with db.writing() as session:
        put_in = Parcel(kind, key, **parcel)
        kept = outbox.coalesce(session, put_in) if coalesce else None
        return kept or outbox.put(session, put_in, now)


def claim(db: Database, owner: str = "one", limit: int = 10, lease_for: timedelta = LEASE) -> list[Work]:
    with db.writing() as session:
        return outbox.claim(session, owner, NOON, lease_for, limit)


def hold(db: Database, work: Work, act: Any) -> None:
    with db.writing() as session:
        act(Hold(session, work, NOON, LEASE))


def test_what_is_put_is_claimed_with_all_that_was_said(db: Database) -> None:
    work_id = put(
        db, "note", "C1", args={"ids": [1, 2]}, dedup_key="d", incident_id=7, asked_by="U1", asked_in="C9"
    )
    [work] = claim(db)
    assert (work.id, work.kind, work.key, work.args) == (work_id, "note", "C1", {"ids": [1, 2]})
    assert (work.incident_id, work.asked_by, work.asked_in, work.dedup_key) == (7, "U1", "C9", "d")
    assert (work.state, work.attempts, work.owner) == ("running", 1, "one")


def test_a_transaction_that_fails_puts_nothing(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.writing() as session:
        outbox.put(session, Parcel("note", "C1"), NOON)
        _ = 1 / 0
    assert claim(db) == []


def test_the_second_parcel_of_an_occasion_is_not_put(db: Database) -> None:
    assert put(db, "note", "C1", dedup_key="trigger-1") is not None
    assert put(db, "note", "C1", dedup_key="trigger-1") is None
    assert len(claim(db)) == 1


def test_an_occasion_that_was_delivered_is_not_put_again(db: Database) -> None:
    put(db, "note", "C1", dedup_key="trigger-1")
    [work] = claim(db)
    hold(db, work, Hold.finish)
    assert put(db, "note", "C1", dedup_key="trigger-1") is None


def test_two_doors_that_put_the_same_occasion_at_once_put_it_once(db: Database) -> None:
    ids: list[int | None] = []
    start = threading.Barrier(4)

    def knock() -> None:
        start.wait()
        ids.append(put(db, "note", "C1", dedup_key="same"))

    doors = [threading.Thread(target=knock) for _ in range(4)]
    for door in doors:
        door.start()
    for door in doors:
        door.join()
    assert sum(work_id is not None for work_id in ids) == 1


def test_one_item_of_a_key_at_a_time_and_all_keys_at_once(db: Database) -> None:
    first = put(db, "note", "C1")
    put(db, "note", "C1")
    other = put(db, "note", "C2")
    taken = claim(db)
    assert [work.id for work in taken] == [first, other]
    assert claim(db, "two") == []


def test_the_next_item_goes_when_the_first_is_done(db: Database) -> None:
    put(db, "note", "C1")
    second = put(db, "note", "C1")
    hold(db, claim(db)[0], Hold.finish)
    assert [work.id for work in claim(db)] == [second]


def test_an_item_that_waits_to_be_tried_again_holds_up_its_key(db: Database) -> None:
    put(db, "note", "C1")
    put(db, "note", "C1")
    hold(db, claim(db)[0], lambda held: held.fail(held.now + timedelta(hours=1), "no answer"))
    assert claim(db) == []


def test_an_item_set_aside_lets_the_next_one_go(db: Database) -> None:
    first = put(db, "note", "C1")
    second = put(db, "note", "C1")
    hold(db, claim(db)[0], lambda held: held.set_aside("missing_scope"))
    assert [work.id for work in claim(db)] == [second]
    with db.reading() as session:
        [aside] = outbox.list_set_aside(session)
    assert (aside.id, aside.last_error) == (first, "missing_scope")


def test_what_was_set_aside_can_be_sent_again_and_keeps_its_place(db: Database) -> None:
    first = put(db, "note", "C1")
    assert first is not None
    hold(db, claim(db)[0], lambda held: held.set_aside("missing_scope"))
    put(db, "note", "C1")
    with db.writing() as session:
        assert outbox.send_again(session, first, NOON)
        assert not outbox.send_again(session, first, NOON)
    [work] = claim(db)
    assert (work.id, work.last_error, work.first_failed_at) == (first, None, None)


def test_sent_again_it_waits_for_the_item_of_its_key_that_runs(db: Database) -> None:
    first = put(db, "note", "C1")
    assert first is not None
    second = put(db, "note", "C1")
    hold(db, claim(db)[0], lambda held: held.set_aside("missing_scope"))
    [running] = claim(db)
    assert running.id == second
    with db.writing() as session:
        outbox.send_again(session, first, NOON)
    assert claim(db, "two") == []
    hold(db, running, Hold.finish)
    assert [work.id for work in claim(db, "two")] == [first]


def test_a_parcel_for_later_holds_up_nothing_until_its_time(db: Database) -> None:
    put(db, "nudge", "C1", not_before=datetime.now(UTC) + timedelta(hours=1))
    second = put(db, "note", "C1")
    assert [work.id for work in claim(db)] == [second]


def test_a_parcel_whose_time_has_come_is_claimed(db: Database) -> None:
    due = put(db, "nudge", "C1", not_before=NOON - timedelta(seconds=1))
    assert [work.id for work in claim(db)] == [due]


def test_no_more_than_the_limit_is_claimed_and_the_oldest_first(db: Database) -> None:
    ids = [put(db, "note", f"C{n}", now=NOON + timedelta(milliseconds=n - 100)) for n in range(5)]
    assert [work.id for work in claim(db, limit=3)] == ids[:3]


def test_a_lease_that_ran_out_is_taken_over_and_the_first_holder_can_write_nothing(db: Database) -> None:
    put(db, "note", "C1")
    [before] = claim(db, "one", lease_for=timedelta(0))
    [after] = claim(db, "two")
    assert (after.id, after.owner, after.attempts) == (before.id, "two", 2)
    with pytest.raises(LeaseLost):
        hold(db, before, Hold.finish)
    hold(db, after, Hold.finish)
    with pytest.raises(LeaseLost):
        hold(db, after, Hold.finish)


def test_the_same_holder_cannot_write_with_an_earlier_claim(db: Database) -> None:
    put(db, "note", "C1")
    [before] = claim(db, lease_for=timedelta(0))
    claim(db)
    with pytest.raises(LeaseLost):
        hold(db, before, lambda held: held.begin_step("post"))


def test_a_lease_that_was_renewed_is_not_taken_over(db: Database) -> None:
    work_id = put(db, "note", "C1")
    assert work_id is not None
    claim(db, "one", lease_for=timedelta(0))
    with db.writing() as session:
        assert outbox.heartbeat(session, "one", [work_id], NOON, LEASE) == {work_id}
        assert outbox.heartbeat(session, "two", [work_id], NOON, LEASE) == set()
    assert claim(db, "two") == []


def test_work_that_this_process_still_has_a_thread_on_is_not_claimed_by_it_again(db: Database) -> None:
    put(db, "note", "C1")
    [work] = claim(db, lease_for=timedelta(0))
    with db.writing() as session:
        assert outbox.claim(session, "one", NOON, LEASE, 10, besides=[work.id]) == []


def test_what_a_dead_only_process_held_is_free_at_the_next_start(db: Database) -> None:
    put(db, "note", "C1")
    [before] = claim(db)
    with db.writing() as session:
        assert outbox.free_running(session, NOON) == 1
    assert [work.attempts for work in claim(db)] == [2]
    with pytest.raises(LeaseLost):
        hold(db, before, Hold.finish)


def test_steps_are_remembered_as_started_answered_or_finished(db: Database) -> None:
    put(db, "note", "C1")
    [work] = claim(db)

    def go(held: Hold) -> None:
        for name in ("started", "answered", "finished", "refused"):
            held.begin_step(name)
        held.keep_answer("answered", {"ts": "1"})
        assert held.finish_step("finished", {"ts": "2"})
        assert not held.finish_step("finished", {"ts": "3"})
        held.clear_step("refused")
        held.clear_step("finished")

    hold(db, work, go)
    with db.reading() as session:
        steps = outbox.steps_of(session, [work.id])[work.id]
    assert {name: (step.finished_at is None, step.result) for name, step in steps.items()} == {
        "started": (True, None),
        "answered": (True, {"ts": "1"}),
        "finished": (False, {"ts": "2"}),
    }


def test_a_row_of_failures_begins_once_and_ends_with_a_step_that_went_well(db: Database) -> None:
    put(db, "note", "C1")
    [work] = claim(db)
    hold(db, work, lambda held: held.fail(held.now, "reset"))
    [again] = claim(db)
    assert again.last_error == "reset"
    hold(db, again, lambda held: held.fail(held.now, "timeout"))
    [third] = claim(db)
    assert (third.first_failed_at, third.last_error) == (again.first_failed_at, "timeout")

    def go_well(held: Hold) -> None:
        held.begin_step("post")
        held.finish_step("post", {})
        held.put_back(held.now)

    hold(db, third, go_well)
    assert [(work.first_failed_at, work.last_error) for work in claim(db)] == [(None, None)]


def test_ten_changes_of_a_card_are_one_update_with_the_last_words(db: Database) -> None:
    ids = {put(db, "card", "C1", args={"n": n}, dedup_key=f"change-{n}", coalesce=True) for n in range(10)}
    assert len(ids) == 1
    [work] = claim(db)
    assert work.args == {"n": 9}


def test_a_change_during_the_update_is_a_second_update(db: Database) -> None:
    put(db, "card", "C1", args={"n": 1}, coalesce=True)
    [running] = claim(db)
    put(db, "card", "C1", args={"n": 2}, coalesce=True)
    hold(db, running, Hold.finish)
    assert [work.args for work in claim(db)] == [{"n": 2}]


def test_a_change_is_not_lost_in_an_update_that_has_told_a_part_already(db: Database) -> None:
    put(db, "card", "C1", args={"n": 1}, coalesce=True)
    [work] = claim(db)

    def tell_a_part(held: Hold) -> None:
        held.begin_step("card")
        held.finish_step("card", {})
        held.fail(held.now, "reset")

    hold(db, work, tell_a_part)
    put(db, "card", "C1", args={"n": 2}, coalesce=True)
    [again] = claim(db)
    hold(db, again, Hold.finish)
    assert [work.args for work in claim(db)] == [{"n": 2}]


def test_only_the_same_kind_and_key_take_new_words(db: Database) -> None:
    put(db, "card", "C1", coalesce=True)
    put(db, "card", "C2", coalesce=True)
    put(db, "topic", "C3", coalesce=True)
    put(db, "card", "C3", coalesce=True)
    with db.reading() as session:
        assert outbox.backlog(session, NOON).open == 4


def test_what_was_cancelled_is_not_delivered_and_what_runs_is_not_cancelled(db: Database) -> None:
    first = put(db, "nudge", "C1")
    assert first is not None
    put(db, "nudge", "C2", dedup_key="remind-7")
    with db.writing() as session:
        assert outbox.cancel(session, first, NOON)
        assert outbox.cancel_by_dedup_key(session, "remind-7", NOON)
        assert not outbox.cancel_by_dedup_key(session, "remind-8", NOON)
    assert claim(db) == []
    running = put(db, "nudge", "C3")
    assert running is not None
    claim(db)
    with db.writing() as session:
        assert not outbox.cancel(session, running, NOON)


def test_health_counts_what_waits_and_since_when(db: Database) -> None:
    with db.reading() as session:
        assert outbox.backlog(session, NOON) == outbox.Backlog(0, 0, 0, None)
    put(db, "note", "C1", not_before=NOON - timedelta(minutes=5))
    put(db, "note", "C2", not_before=NOON - timedelta(minutes=9))
    put(db, "note", "C3", not_before=NOON - timedelta(minutes=7))
    hold(db, claim(db, limit=1)[0], lambda held: held.set_aside("no"))
    claim(db, limit=1)
    with db.reading() as session:
        assert outbox.backlog(session, NOON) == outbox.Backlog(1, 1, 1, NOON - timedelta(minutes=5))


def test_the_sweep_forgets_what_is_done_and_nothing_else(db: Database) -> None:
    for n in range(4):
        put(db, "note", f"C{n}", dedup_key=f"d{n}")
    done, aside, running, _open = claim(db)

    def finish_with_step(held: Hold) -> None:
        held.begin_step("post")
        held.finish_step("post", {})
        held.finish()

    hold(db, done, finish_with_step)
    hold(db, aside, lambda held: held.set_aside("no"))
    with db.writing() as session:
        assert outbox.sweep(session, NOON - timedelta(days=1)) == 0
        assert outbox.sweep(session, datetime.now(UTC) + timedelta(days=1)) == 1
        assert [outbox.find(session, one.id) is None for one in (done, aside, running)] == [
            True,
            False,
            False,
        ]
    assert put(db, "note", "C0", dedup_key="d0") is not None


def test_ids_are_never_given_again_so_a_keys_order_holds(db: Database) -> None:
    first = put(db, "note", "C1")
    assert first is not None
    hold(db, claim(db)[0], Hold.finish)
    with db.writing() as session:
        outbox.sweep(session, datetime.now(UTC) + timedelta(days=1))
    second = put(db, "note", "C1")
    assert second is not None
    assert second > first


def test_a_gate_only_moves_later_and_opens_by_itself(db: Database) -> None:
    with db.writing() as session:
        gates.close(session, "chat.postMessage", NOON + timedelta(seconds=30))
        gates.close(session, "chat.postMessage", NOON + timedelta(seconds=10))
    with db.reading() as session:
        assert gates.closed(session, NOON) == {"chat.postMessage": NOON + timedelta(seconds=30)}
        assert gates.opens_at(session, "chat.postMessage", NOON) == NOON + timedelta(seconds=30)
        assert gates.opens_at(session, "pins.add", NOON) is None
        assert gates.opens_at(session, "chat.postMessage", NOON + timedelta(seconds=30)) is None
    with db.writing() as session:
        gates.sweep(session, NOON + timedelta(seconds=30))
        assert gates.closed(session, NOON) == {}


def test_replicas_that_claim_at_once_never_hold_the_same_key_twice(db: Database) -> None:
    for n in range(60):
        put(db, "note", f"C{n % 6}")
    seen: list[tuple[str, int]] = []
    held: set[str] = set()
    clashes: list[str] = []
    lock = threading.Lock()

    def work_off(owner: str) -> None:
        for _ in range(200):
            for work in claim(db, owner, limit=2):
                with lock:
                    clashes.extend([work.key] if work.key in held else [])
                    held.add(work.key)
                    seen.append((work.key, work.id))
                with lock:
                    held.discard(work.key)
                hold(db, work, Hold.finish)
            if len(seen) == 60:
                return

    replicas = [threading.Thread(target=work_off, args=(f"r{n}",)) for n in range(3)]
    for replica in replicas:
        replica.start()
    for replica in replicas:
        replica.join()
    assert clashes == []
    assert len(set(seen)) == len(seen) == 60
    for key in {key for key, _ in seen}:
        ids = [work_id for of, work_id in seen if of == key]
        assert ids == sorted(ids)


def test_a_claim_reads_only_what_is_live(tmp_path: Path) -> None:
    # SQLite uses an index with a condition only for a query that says the very same words.
    db = Database(f"sqlite:///{tmp_path / 'plan.db'}")
    metadata.create_all(db.engine)
    asked: list[tuple[str, Any]] = []
    event.listen(db.engine, "before_cursor_execute", lambda *seen: asked.append((seen[2], seen[3])))
    assert claim(db) == []
    statement, parameters = next(each for each in asked if each[0].startswith("SELECT"))
    with db.reading() as session:
        rows = session.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    plan = "; ".join(row.detail for row in rows)
    assert "mine USING INDEX ix_work_live_next_at" in plan
    assert "other USING INDEX ix_work_live_key" in plan
    db.close()
