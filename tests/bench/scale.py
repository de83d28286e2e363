"""One incident that grows: what its draft, its pages, its files and its messages take, and how that grows.

python -m tests.bench.scale [--entries 1250 2500 5000 10000] [--times 3] [--engine SQLite] [--pdf]

The entries are told as people tell them: kinds, mentions, links, code, images, long reports, late notes, corrections,
some taken back. Deeds go through the use cases, pages through the console's own server over HTTP, the draft's file
through the postman into the stand-in. The last column is the exponent of the growth from the smallest to the largest:
1.00 is linear, 2.00 is the square.
"""

from __future__ import annotations

import argparse
import functools
import http.client
import math
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import insert, text, update

from bot.domain.course import course_of
from bot.domain.merge import merged
from bot.domain.sections import recompiled
from bot.drawn import timeline as drawn
from bot.settings import shipped
from bot.store import postmortem as postmortems
from bot.store import schema
from bot.store.db import Database
from bot.store.tables import entry, entry_revision, incident
from bot.usecases.desk import Desk
from bot.usecases.postmortem import Closing, close_incident, compile_postmortem, facts_of
from bot.usecases.sections import edit_section
from tests.bench.ground import databases, machine
from tests.bench.grown import edits_of, entries_of
from tests.houses import Town
from tests.visiting import Visitor


class Stopwatch:
    """Wall and processor milliseconds of a deed, here and in PostgreSQL's backends."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def _pids(self) -> list[int]:
        if self._db.dialect != "postgresql":
            return []
        with self._db.reading() as session:
            asked = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            return list(session.execute(asked).scalars())

    @staticmethod
    def _spent(pids: list[int]) -> float:
        ticks = 0
        for pid in pids:
            stat = Path(f"/proc/{pid}/stat")
            if stat.exists():
                ticks += sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13]))
        return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")

    def took(self, deed: Callable[[], object]) -> tuple[float, float]:
        """(wall, processor) in ms."""
        pids = self._pids()
        spent, began = self._spent(pids), time.perf_counter()
        deed()
        wall = time.perf_counter() - began
        return 1000 * wall, 1000 * (self._spent(pids) - spent)


@dataclass
class Row:
    """What one deed took at each size, in ms, and what it gave."""

    wall: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    #: "12 kB", "refused"; "" when it gives nothing.
    gave: list[str] = field(default_factory=list)
    #: ms to the first byte of an answer, at the largest size.
    first: float = 0.0


class Table:
    """Rows by deed, a column a size."""

    def __init__(self, sizes: list[int]) -> None:
        self._sizes = sizes
        self._rows: dict[str, Row] = {}

    def add(self, what: str, spans: list[tuple[float, float]], gave: str = "", first: float = 0.0) -> None:
        row = self._rows.setdefault(what, Row())
        row.wall.append(statistics.median(wall for wall, _ in spans))
        row.busy.append(statistics.median(busy for _, busy in spans))
        row.gave.append(gave)
        row.first = first

    def show(self) -> None:
        print(
            f"  {'ms: wall (processor)':38}" + "".join(f"{size:>16,}" for size in self._sizes) + "   growth"
        )
        for what, row in self._rows.items():
            cells = "".join(
                f"{f'{wall:.0f} ({busy:.0f})':>16}" for wall, busy in zip(row.wall, row.busy, strict=True)
            )
            first = f", first byte {row.first:.0f} ms" if row.first else ""
            told = f"   {' > '.join(row.gave)}{first}" if any(row.gave) else ""
            print(f"  {what:38}{cells}   {self._power(row.busy):5.2f}{told}")

    def _power(self, values: list[float]) -> float:
        """The slope of a line through the logarithms, by least squares."""
        points = [
            (math.log(size), math.log(max(value, 0.1)))
            for size, value in zip(self._sizes, values, strict=True)
        ]
        if len(points) < 2:
            return math.nan
        return statistics.linear_regression(*zip(*points, strict=True)).slope


@dataclass(frozen=True)
class Grown:
    """An incident with many entries, in a town."""

    town: Town
    number: int
    incident_id: int
    #: The channel's id.
    channel: str
    many: int

    @property
    def desk(self) -> Desk:
        return self.town.house.desk


def grown(town: Town, many: int) -> Grown:
    """Open an incident in its channel, and let many entries be on its timeline."""
    channel = town.opened("/incident open one of four login servers gets most of the requests sev2")
    number = max(one for one in range(1, 60) if town.has(one))
    about = town.incident(number)
    people = [one.id for one in (town.ana, town.ben, town.chloe, town.dev)]
    first = len(town.entries(number)) + 1
    now = datetime.now(UTC)
    rows = entries_of(about.id, first, many, now - timedelta(hours=15), now - timedelta(minutes=1), people)
    with town.house.db.writing() as session:
        for start in range(0, many, 500):
            some = rows[start : start + 500]
            kept = session.execute(insert(entry).returning(entry.c.id, entry.c.number), some).all()
            former = edits_of(some, {number: id for id, number in kept})
            if former:
                session.execute(insert(entry_revision), former)
        session.execute(
            update(incident)
            .where(incident.c.id == about.id)
            .values(last_entry=first + many, impact_started_at=now - timedelta(hours=15), version=99)
        )
    with town.house.db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
    return Grown(town, number, about.id, channel, many)


def measured_deeds(of: Grown, watch: Stopwatch, table: Table, times: int) -> None:
    """Compiling: closing, again with nothing new, with people's edits, and where both changed."""
    desk, by = of.desk, of.town.ana.id
    closing = Closing(impact="logins failed", cause="a wrong weight", fix="the weight of the file")
    table.add(
        "close and compile the draft",
        [watch.took(lambda: close_incident(desk, of.incident_id, closing, by=by))],
    )
    table.add("the draft's messages in Slack", [watch.took(lambda: of.town.settled(120))])
    spans = []
    for _ in range(times):
        spans.append(watch.took(lambda: _compiled(of)))
        of.town.settled(120)
    table.add("compile again, nothing new", spans)
    table.add(
        "compile again, one entry corrected",
        [_again(of, watch, turn) for turn in range(times)],
        f"{len(of.town.draft(of.number).encode()) / 1000:,.0f} kB",
    )
    facts = facts_of(desk, of.incident_id, by=by)
    edited = "# Ours\n\nWhat people make of it.\n"
    edit_section(
        desk, of.incident_id, "root-cause-and-resolution", edited, made_from=_section(of).text, by=by
    )
    table.add(
        "compile again, people's edits, entry", [_again(of, watch, turn + times) for turn in range(times)]
    )
    _merges(of, facts, watch, table, times)
    course = course_of(facts)
    table.add("drawn timeline, SVG", [watch.took(lambda: drawn.as_svg(course)) for _ in range(times)])
    table.add("drawn timeline, PNG", [watch.took(lambda: drawn.as_png(course)) for _ in range(times)])
    of.town.settled(120)
    table.add(
        "/postmortem in Slack",
        [watch.took(lambda: of.town.ana.types("/postmortem", of.channel)) for _ in range(times)],
    )


def _section(of: Grown) -> Any:
    with of.town.house.db.reading() as session:
        newest = postmortems.latest(session, of.incident_id)
    assert newest is not None
    return next(one for one in newest.sections if one.key == "root-cause-and-resolution")


def _compiled(of: Grown) -> None:
    compile_postmortem(of.desk, of.incident_id, by=of.town.ana.id)


def _again(of: Grown, watch: Stopwatch, turn: int) -> tuple[float, float]:
    # The messages of the time before are not what is measured here.
    of.town.settled(120)
    with of.town.house.db.writing() as session:
        session.execute(
            update(entry)
            .where(entry.c.incident_id == of.incident_id, entry.c.number == of.many // 2 + turn)
            .values(text=f"corrected for the {turn}. time")
        )
    return watch.took(lambda: _compiled(of))


def _merges(of: Grown, facts: Any, watch: Stopwatch, table: Table, times: int) -> None:
    """A timeline that people have changed at every tenth line, and the facts at every eleventh."""
    markdown = of.desk.compile(facts)
    lines = markdown.splitlines(keepends=True)
    mine = "".join(
        f"{line.rstrip()} (seen)\n" if at % 10 == 0 and line.startswith("- ") else line
        for at, line in enumerate(lines)
    )
    theirs = "".join(
        f"{line.rstrip()} (late)\n" if at % 11 == 5 and line.startswith("- ") else line
        for at, line in enumerate(lines)
    )
    table.add(
        "merge of 20 % changed lines", [watch.took(lambda: merged(markdown, mine, theirs)) for _ in range(1)]
    )
    with of.town.house.db.reading() as session:
        newest = postmortems.latest(session, of.incident_id)
    assert newest is not None
    human = tuple(
        replace(one, human=f"{one.text}\n\nOurs.", seen=one.compiled) if one.compiled else one
        for one in newest.sections
    )
    facts_now = markdown.replace("10.0.", "10.1.")
    table.add(
        "every section by people, facts changed",
        [watch.took(lambda: recompiled(human, facts_now)) for _ in range(times)],
    )


def measured_pages(of: Grown, visitor: Visitor, watch: Stopwatch, table: Table, times: int) -> None:
    """The pages of an open incident."""
    here = f"/incidents/{of.number}"
    _measured(visitor, watch, table, 1, {"page, the first time": here})
    pages = {
        "page": here,
        "page, all entries": f"{here}?show=all",
        "live: something changed": f"{here}/live?pulse=none",
        "live: nothing changed": f"{here}/live?pulse={pulse_in(visitor, here)}",
        "one entry's page": f"{here}/entries/{of.many // 2}",
    }
    _measured(visitor, watch, table, times, pages)


def measured_papers(
    of: Grown, visitor: Visitor, watch: Stopwatch, table: Table, times: int, *, is_printed: bool
) -> None:
    """The pages of its postmortem, and the files."""
    here = f"/incidents/{of.number}/postmortem"
    pages = {
        "postmortem": here,
        "section to edit: timeline": f"{here}/sections/timeline",
        "changes of a revision": f"{here}/changes",
        "export html": f"{here}.html",
        "export json": f"{here}.json",
        "export markdown": f"{here}.md",
    }
    _measured(visitor, watch, table, times, pages)
    if is_printed:
        _measured(visitor, watch, table, 1, {"export pdf": f"{here}.pdf"})


def _measured(visitor: Visitor, watch: Stopwatch, table: Table, times: int, pages: dict[str, str]) -> None:
    """As a browser asks for them: compressed, over a connection of its own."""
    for what, path in pages.items():
        answers: list[tuple[int, float, int]] = []
        ask = functools.partial(asked, visitor, path, answers)
        spans = [watch.took(ask) for _ in range(times)]
        status, first, size = answers[-1]
        gave = f"{size / 1000:,.0f} kB" if status in (200, 204) else f"refused ({status})"
        table.add(what, spans, gave, first)


def pulse_in(visitor: Visitor, here: str) -> str:
    page = visitor.gets(here).text
    return page.partition('data-pulse="')[2].partition('"')[0]


def asked(visitor: Visitor, path: str, answers: list[tuple[int, float, int]]) -> None:
    """Ask for a page; (status, ms to the first byte, bytes as they came) is put behind the answers before."""
    connection = http.client.HTTPConnection(urlsplit(visitor.url).netloc, timeout=300)
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    began = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie, "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    first = 1000 * (time.perf_counter() - began)
    size = len(answer.read())
    connection.close()
    answers.append((answer.status, first, size))


def run(url: str, sizes: list[int], times: int, *, is_printed: bool) -> None:
    with Town(url, console=True) as town:
        visitor = Visitor(town)
        visitor.signs_in(town.ana.id)
        watch = Stopwatch(town.house.db)
        table = Table(sizes)
        for many in sizes:
            of = grown(town, many)
            measured_pages(of, visitor, watch, table, times)
            measured_deeds(of, watch, table, times)
            measured_papers(of, visitor, watch, table, times, is_printed=is_printed)
        table.show()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, nargs="+", default=[1250, 2500, 5000, 10_000])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--engine", choices=("SQLite", "PostgreSQL"))
    parser.add_argument("--pdf", action="store_true", help="also lay out PDFs, which takes minutes")
    wanted = parser.parse_args()
    for name, url in databases(shared_buffers="128MB"):
        if wanted.engine in (None, name):
            db = Database(url)
            schema.migrate(db, shipped("migrations"))
            db.close()
            print(f"{name}  ({machine()})")
            run(url, wanted.entries, wanted.times, is_printed=wanted.pdf)


if __name__ == "__main__":
    main()
