"""What the benchmarks stand on: both databases, percentiles, signed commands, clients with many connections."""

from __future__ import annotations

import atexit
import http.client
import itertools
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psycopg
from psycopg import sql
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import make_url

from tests import postgres

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Pulse:
    """Answers of one run: how many a second, and how long each took (seconds)."""

    per_second: float
    spans: list[float]
    #: Answers that were not what they should be.
    wrong: int

    def row(self) -> str:
        """ "812/s   p50 1.1 ms   p99 3.4 ms" """
        cuts = statistics.quantiles(self.spans, n=100, method="inclusive")
        line = f"{self.per_second:6.0f}/s   p50 {cuts[49] * 1000:6.1f} ms   p99 {cuts[98] * 1000:6.1f} ms"
        return line if not self.wrong else f"{line}   {self.wrong} WRONG ANSWERS"


def machine() -> str:
    """One line about this machine now, to be printed above figures."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the run"


def databases(**settings: str) -> Iterator[tuple[str, str]]:
    """(name, URL of an empty database): SQLite, and PostgreSQL where it is installed. Both sync every commit.

    `settings` are PostgreSQL's.
    """
    folder = Path(tempfile.mkdtemp(prefix="lantern-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yield "SQLite", f"sqlite:///{folder / 'lantern.db'}"
    try:
        postgres.find_programs()
    except postgres.NoPostgres as absent:
        print(f"PostgreSQL is left out: {absent}.")
        return
    home = Path(tempfile.mkdtemp(prefix="lantern-pg-"))
    cluster = postgres.Cluster(home, is_durable=True, **settings).url
    # Handlers run last first: the server stops before its folder goes.
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    yield "PostgreSQL", postgres.new_database(cluster)


def beside(url: str, word: str) -> str:
    """An empty database beside that one: its URL."""
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        return url.replace("lantern.db", f"{word}.db")
    dsn = target.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(word)))
    return target.set(database=word).render_as_string(hide_password=False)


def command_payload(app_id: str, channel: str, user: str, line: str) -> dict[str, str]:
    """The fields of a slash command as Slack sends them, each time with a new trigger id."""
    command, _, text = line.partition(" ")
    return {
        "token": "verification",
        "team_id": "T0BENCH000",
        "team_domain": "bench",
        "channel_id": channel,
        "channel_name": "incident",
        "user_id": user,
        "user_name": "ana",
        "command": command,
        "text": text,
        "api_app_id": app_id,
        "is_enterprise_install": "false",
        "response_url": "http://127.0.0.1:9/unused",
        "trigger_id": f"{os.getpid()}.{time.time_ns()}.{next(_numbers)}",
    }


def signed(secret: str, payload: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """Body and headers of the signed request."""
    body = urlencode(payload)
    stamp = str(int(time.time()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    assert signature is not None
    return body.encode(), {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature,
    }


def pound(deeds: list[Callable[[], bool]], run_for: float, warm_for: float = 0.5) -> Pulse:
    """Run every deed in a thread of its own, again and again, and time each; a deed says whether it went well."""
    barrier = threading.Barrier(len(deeds) + 1)
    spans: list[list[float]] = [[] for _ in deeds]
    wrong = [0] * len(deeds)

    def run(number: int) -> None:
        barrier.wait()
        began = time.perf_counter()
        while (now := time.perf_counter()) < began + warm_for + run_for:
            is_well = deeds[number]()
            took = time.perf_counter() - now
            if now > began + warm_for:
                spans[number].append(took)
            wrong[number] += not is_well

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    barrier.wait()
    for thread in threads:
        thread.join()
    together = [span for some in spans for span in some]
    return Pulse(len(together) / run_for, together, sum(wrong))


@dataclass(frozen=True)
class HttpTarget:
    """Where an HTTP client knocks, and with which command."""

    url: str
    secret: str
    channel: str
    user: str
    line: str
    #: A part of the right answer.
    answer: str


def pound_over_http(target: HttpTarget, connections: int, run_for: float) -> Pulse:
    """Signed commands over this many kept-alive connections."""
    parts = urlsplit(target.url)
    assert parts.hostname is not None

    def client() -> Callable[[], bool]:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)

        def once() -> bool:
            payload = command_payload("A0BENCH000", target.channel, target.user, target.line)
            body, headers = signed(target.secret, payload)
            connection.request("POST", "/slack/events", body, headers)
            answer = connection.getresponse()
            return target.answer in answer.read().decode() and answer.status == 200

        return once

    return pound([client() for _ in range(connections)], run_for)
