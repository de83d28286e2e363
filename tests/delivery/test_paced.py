"""Replicas on one PostgreSQL keep one pace together: what one has sent, the other does not send on top."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.domain.pace import Limit, Pace
from bot.store import gates
from bot.store.db import Database
from bot.store.errand import Errand
from bot.store.work_tables import work, work_step
from tests.delivery.calls import Start
from tests.postmen import is_all_done, put, wait_until


def test_two_replicas_keep_one_pace_in_a_channel_and_over_all_of_them(
    new_database: Callable[[], Database], start: Start
) -> None:
    db = new_database()
    if db.dialect != "postgresql":
        pytest.skip("SQLite has one process")

    def post(errand: Errand) -> None:
        for step in ("one", "two"):
            errand.step(step, dict, method="chat.postMessage", channel=errand.work.key)

    limits = {"chat.postMessage": Limit(per_minute=1200, burst=4)}
    channel_limits = {"chat.postMessage": Limit(per_minute=240, burst=2)}
    for _ in range(2):
        start({"post": post}, on=db, pace=Pace(time.monotonic, limits, channel_limits))
    for n in range(30):
        put(db, "post", f"C{n % 5}")
    wait_until(lambda: is_all_done(db))
    with db.reading() as session:
        rows = session.execute(
            select(work_step.c.started_at, work.c.key).join(work, work.c.id == work_step.c.work_id)
        ).all()
    assert len(rows) == 60
    for at_once, spacing, calls in [
        (4, 0.05, rows),
        *((2, 0.25, [row for row in rows if row.key == f"C{n}"]) for n in range(5)),
    ]:
        moments = sorted(row.started_at for row in calls)
        for first, later in zip(moments, moments[at_once:], strict=False):
            assert later - first >= timedelta(seconds=spacing)
        for n, at in enumerate(moments):
            assert at - moments[0] >= timedelta(seconds=(n - at_once + 1) * spacing)


def test_a_line_that_was_quiet_may_burst_again_and_a_429_holds_it_all_the_same(db: Database) -> None:
    if db.dialect != "postgresql":
        pytest.skip("SQLite has one process")
    line = {("pins.add", ""): Limit(per_minute=60, burst=3)}
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC)

    def ask(seconds: float) -> float:
        """Seconds to wait, asked so long after noon."""
        at = noon + timedelta(seconds=seconds)
        with db.writing() as session:
            opens_at = gates.take_turn(session, "pins.add", line, at)
        return 0.0 if opens_at is None else (opens_at - at).total_seconds()

    assert [ask(0) for _ in range(5)] == [0, 0, 0, 1, 1]
    assert [ask(1), ask(1.5), ask(2)] == [0, 0.5, 0]
    assert [ask(60) for _ in range(4)] == [0, 0, 0, 1]
    with db.writing() as session:
        gates.close(session, "pins.add", noon + timedelta(seconds=130))
        assert gates.closed(session, noon) == {"pins.add": noon + timedelta(seconds=130)}
    assert [ask(120), ask(130)] == [10, 0]
