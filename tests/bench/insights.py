"""How long the figures of many incidents take, and the pictures of them.

python -m tests.bench.insights [--incidents 1000] [--entries 200]
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from bot.domain.course import course_of
from bot.domain.timeline import Kind
from bot.drawn import timeline
from bot.drawn.charts import charts
from bot.settings import shipped
from bot.store import schema
from bot.store.db import Database
from bot.store.tables import entry, follow_up, incident, stakeholder_update
from bot.usecases.desk import Desk, Options
from bot.usecases.insights import figures
from tests.bench.ground import databases, machine
from tests.story import entry as told_entry
from tests.story import login_outage

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KINDS = [kind.value for kind in Kind]
#: Most entries are notes, actions and findings.
WEIGHTS = [{Kind.NOTE: 30, Kind.ACTION: 15, Kind.FINDING: 15, Kind.COMMS: 10}.get(kind, 3) for kind in Kind]
#: As long as what people log.
WORDS = "one of four login servers gets most of the requests, its weight is not the one in the file " * 4


def incidents(count: int, chance: random.Random) -> list[dict[str, Any]]:
    rows = []
    for number in range(1, count + 1):
        opened = NOW - timedelta(days=730 * (1 - number / count), seconds=chance.randrange(80000))
        lasted = timedelta(minutes=chance.randrange(20, 1500))
        rows.append(
            {
                "id": number,
                "number": number,
                "title": f"words {number}",
                "severity": f"SEV{chance.randrange(1, 5)}",
                "status": "closed",
                "is_private": number % 20 == 0,
                "is_drill": number % 25 == 0,
                "opened_at": opened,
                "opened_by": "UANA",
                "impact": WORDS,
                "impact_started_at": opened - timedelta(minutes=9),
                "impact_ended_at": opened + lasted,
                "closed_at": opened + lasted * 1.1,
                "service": ("login", "payments", "search", None)[number % 4],
            }
        )
    return rows


def entries(about: dict[str, Any], count: int, chance: random.Random) -> list[dict[str, Any]]:
    span = about["closed_at"] - about["opened_at"]
    rows = []
    kinds = chance.choices(KINDS, WEIGHTS, k=count)
    for number, kind in enumerate(kinds, start=1):
        at = about["opened_at"] + span * chance.random()
        rows.append(
            {
                "incident_id": about["id"],
                "number": number,
                "kind": kind,
                "text": WORDS,
                "happened_at": at,
                "recorded_at": at + timedelta(seconds=40),
                "author": "UANA",
                "recorded_by": "UANA",
                "source": "command",
                "permalink": "",
                "images": [],
            }
        )
    return rows


def filled(db: Database, many: int, each: int) -> None:
    chance = random.Random(7)
    told = incidents(many, chance)
    with db.writing() as session:
        session.execute(insert(incident), told)
    for at in range(0, many, 50):
        with db.writing() as session:
            rows = [row for about in told[at : at + 50] for row in entries(about, each, chance)]
            session.execute(insert(entry), rows)
    sent = {"text": WORDS, "sent_by": "UANA"}
    owed = {"text": WORDS, "state": "open", "created_at": NOW, "created_by": "UANA", "number": 1}
    with db.writing() as session:
        session.execute(
            insert(stakeholder_update),
            [
                {"incident_id": it["id"], "sent_at": it["opened_at"] + timedelta(minutes=12), **sent}
                for it in told
            ],
        )
        session.execute(
            insert(follow_up),
            [{"incident_id": it["id"], "due_on": it["closed_at"].date(), **owed} for it in told],
        )


def timed(what: str, deed: Callable[[], object], times: int = 5) -> None:
    """The least of several times: what else the machine does only adds to it."""
    spans, busy = [], []
    for _ in range(times):
        began, spent = time.perf_counter(), time.process_time()
        deed()
        spans.append(time.perf_counter() - began)
        busy.append(time.process_time() - spent)
    print(f"  {what:42} {min(spans) * 1000:7.0f} ms   of the processor {min(busy) * 1000:7.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--incidents", type=int, default=1000)
    parser.add_argument("--entries", type=int, default=200)
    asked = parser.parse_args()
    print(machine())
    for name, url in databases():
        db = Database(url)
        schema.migrate(db, shipped("migrations"))
        filled(db, asked.incidents, asked.entries)
        desk = Desk(db, lambda: NOW, lambda: None, dict, str, Options(team_zone="Europe/Berlin"))
        print(f"{name}: {asked.incidents} incidents with {asked.entries} entries each")
        year = (NOW - timedelta(days=365)).date()
        timed("figures, all", lambda desk=desk: figures(desk, by="UEVE"))
        timed("figures, of a year", lambda desk=desk, year=year: figures(desk, by="UEVE", since=year))
        timed("figures, of a service", lambda desk=desk: figures(desk, by="UEVE", service="login"))
        found = figures(desk, by="UEVE")
        timed("twelve charts of 25 months", lambda found=found: charts(found, found.by_month, "month"))
        db.close()
    story = login_outage("Europe/Berlin")
    kinds = list(Kind)
    span = timedelta(hours=15)
    begun = story.incident.opened_at
    many = tuple(
        told_entry(n, kinds[n % len(kinds)], begun + span * n / 10_000, "words") for n in range(10_000)
    )
    for what, facts in (("16 entries", story), ("10,000 entries", replace(story, entries=many))):
        course = course_of(facts)
        timed(f"drawn timeline, {what}: SVG", lambda course=course: timeline.as_svg(course))
        timed(f"drawn timeline, {what}: PNG", lambda course=course: timeline.as_png(course))
    print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
