"""How long does a search take, and what does the index cost?  `python -m tests.bench.search [--incidents 1000]`

Incidents of 200 entries each, in words as people use them (few are everywhere, most are rare). The goal of a page that
searches is 200 ms over 1,000 incidents.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import re
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import insert, text

from bot.settings import Settings, shipped
from bot.store import schema
from bot.store.db import Database
from bot.store.tables import entry, incident
from bot.usecases.desk import Desk
from bot.usecases.search import search_incidents
from bot.usecases.suggestion import suggestions
from bot.wiring import build_desk
from tests.bench.ground import databases, machine
from tests.houses import Town
from tests.visiting import Visitor

ENTRIES = 200
#: What is typed, from the rarest to words that are everywhere, and what no index of words holds.
QUESTIONS = (
    "certificate expired",
    "login failures",
    "10.0.3.7",
    "be_auth timeout",
    "load balancer traffic weights server slow database",
    "server",
    "登录失败",
    "登录失败 数据库 服务器 负载 超时 证书 队列 重启",
)
_OFTEN_USED = """
server traffic request error user login slow fail deploy database query load balancer weight cache queue
timeout latency check backend restart rollback health certificate expired pool connection node disk memory
"""
_SYLLABLES = re.findall("..", "badefigokulameniporasetivowazexacojy")
OPENED = datetime(2024, 1, 1, tzinfo=UTC)


class Writer:
    """Texts whose words are distributed as those of people are (Zipf), always the same ones."""

    def __init__(self) -> None:
        self._chance = random.Random(31)
        rare = {
            "".join(self._chance.choices(_SYLLABLES, k=self._chance.randint(2, 4))) for _ in range(20_000)
        }
        self._words = [*_OFTEN_USED.split(), *sorted(rare)]
        self._weights = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(self._words))))

    def text(self, shortest: int, longest: int) -> str:
        words = self._chance.choices(
            self._words, cum_weights=self._weights, k=self._chance.randint(shortest, longest)
        )
        if self._chance.random() < 0.1:
            words.append(f"10.0.{self._chance.randint(0, 9)}.{self._chance.randint(1, 40)}:8080")
        if self._chance.random() < 0.05:
            words.append("be_auth")
        return " ".join(words)


def fill(db: Database, incidents: int) -> None:
    """Closed public incidents with their entries."""
    writer = Writer()
    for start in range(1, incidents + 1, 25):
        with db.writing() as session:
            for number in range(start, min(start + 25, incidents + 1)):
                at = OPENED + timedelta(hours=8 * number)
                session.execute(insert(incident).values(_incident(writer, number, at)))
                lines = [_entry(writer, number, line, at) for line in range(1, ENTRIES + 1)]
                session.execute(insert(entry), lines)
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def _incident(writer: Writer, number: int, at: datetime) -> dict[str, object]:
    return {
        "id": number,
        "number": number,
        "title": writer.text(4, 9),
        "severity": "SEV2",
        "status": "closed",
        "is_private": False,
        "is_drill": False,
        "opened_at": at,
        "opened_by": "U0ANA00000",
        "cause": writer.text(8, 20),
        "fix": writer.text(5, 12),
        "closed_at": at,
        "last_entry": ENTRIES,
    }


def _entry(writer: Writer, incident_id: int, number: int, at: datetime) -> dict[str, object]:
    return {
        "incident_id": incident_id,
        "number": number,
        "kind": "note",
        "text": writer.text(6, 24),
        "happened_at": at,
        "recorded_at": at,
        "author": "U0ANA00000",
        "recorded_by": "U0ANA00000",
        "source": "command",
        "images": [],
    }


class Stopwatch:
    """Times a deed, and how much of a processor it takes, here and in PostgreSQL: fairer on a busy machine."""

    def __init__(self, db: Database) -> None:
        self._server = ""
        if db.dialect == "postgresql":
            with db.reading() as session:
                pid = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            self._server = f"/proc/{pid}/stat"

    def _processor(self) -> float:
        """Seconds so far."""
        if not self._server:
            return time.thread_time()
        # The one connection of the pool. Fields 14 and 15, counted behind the name in brackets: user and system ticks.
        ticks = Path(self._server).read_text().rpartition(")")[2].split()[11:13]
        return time.thread_time() + sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def spans(self, deed: Callable[[], object], times: int) -> str:
        deed()
        took = []
        before = self._processor()
        for _ in range(times):
            began = time.perf_counter()
            deed()
            took.append(1000 * (time.perf_counter() - began))
        busy = 1000 * (self._processor() - before) / times
        return (
            f"processor {busy:6.1f} ms   p50 {statistics.median(took):6.1f} ms   slowest {max(took):6.1f} ms"
        )


def log_lines(db: Database, watch: Stopwatch, incident_id: int, times: int) -> str:
    """One line logged and committed, the index kept in step."""
    writer = Writer()
    numbers = itertools.count(ENTRIES + 1)

    def log() -> None:
        with db.writing() as session:
            session.execute(insert(entry).values(_entry(writer, incident_id, next(numbers), OPENED)))

    return watch.spans(log, times)


def without_index(db: Database) -> None:
    with db.writing() as session:
        if db.dialect == "postgresql":
            session.execute(text("DROP INDEX ix_entry_words"))
        else:
            session.execute(text("DROP TRIGGER entry_words_added"))


def build(db: Database) -> float:
    """Seconds that the migration takes to index what is there."""
    config = schema._config(shipped("migrations"))
    words = next(
        one for one in ScriptDirectory.from_config(config).walk_revisions() if one.path.endswith("_words.py")
    )
    with db.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, str(words.down_revision))
        connection.commit()
    began = time.perf_counter()
    schema.migrate(db, shipped("migrations"))
    return time.perf_counter() - began


def size(db: Database) -> str:
    with db.reading() as session:
        if db.dialect == "postgresql":
            index = session.execute(text("SELECT pg_relation_size('ix_entry_words')")).scalar_one()
            table = session.execute(text("SELECT pg_relation_size('entry')")).scalar_one()
        else:
            index = session.execute(text("SELECT sum(length(block)) FROM words_data")).scalar_one()
            table = Path(str(db.url.database)).stat().st_size - index
    return f"index {index / 1e6:.0f} MB beside {table / 1e6:.0f} MB"


def ask(desk: Desk, watch: Stopwatch, typed: str) -> str:
    total = search_incidents(desk, typed, by="U0BEN00000").total
    return f"{watch.spans(lambda: search_incidents(desk, typed, by='U0BEN00000'), 20)}   {total:5} found"


def through_doors(url: str) -> None:
    """The same questions as people ask them: on the console's page over HTTP, and by `/incident search` in Slack."""
    with Town(url, console=True) as town:
        visitor = Visitor(town)
        visitor.signs_in(town.ana.id)
        for typed in QUESTIONS:
            page = f"/incidents?{urlencode({'q': typed})}"
            told = [_median(lambda page=page: visitor.gets(page))]
            told.append(_median(lambda typed=typed: town.ana.types(f"/incident search {typed}")))
            print(f"  {typed[:52]:<52} page {told[0]:6.1f} ms   /incident search {told[1]:6.1f} ms")


def _median(deed: Callable[[], object], times: int = 9) -> float:
    """Wall milliseconds."""
    deed()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        deed()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def run(db: Database, desk: Desk, incidents: int) -> None:
    fill(db, incidents)
    print(f"  migration of what is there {build(db):.1f} s, {size(db)}")
    watch = Stopwatch(db)
    for typed in QUESTIONS:
        print(f"  {typed[:52]:<52} {ask(desk, watch, typed)}")
    through_doors(desk.db.url.render_as_string(hide_password=False))
    similar = watch.spans(lambda: suggestions(desk, incidents // 2, by="U0BEN00000"), 10)
    print(f"  {'/runbook in an incident of 200 entries':<52} {similar}")
    print(f"  {'one line logged':<52} {log_lines(db, watch, 1, 200)}")
    without_index(db)
    print(f"  {'one line logged, without the index':<52} {log_lines(db, watch, 2, 200)}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--incidents", type=int, default=1000)
    incidents = asked.parse_args().incidents
    # PostgreSQL's own default; the tests' clusters have less.
    for name, url in databases(shared_buffers="128MB"):
        print(f"{name}, {incidents:,} incidents, {incidents * ENTRIES:,} entries  ({machine()})")
        db = Database(url)
        schema.migrate(db, shipped("migrations"))
        run(db, build_desk(Settings(database_url=url), db, ring=lambda: None), incidents)
        db.close()


if __name__ == "__main__":
    main()
