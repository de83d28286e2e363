"""A thousand people at once.  `python -m tests.bench.load [--seconds 60] [--rate 50] [--hour 180000]`

Slack is the stand-in with 150 ms a call, the bot `lantern serve` in a process of its own, over HTTP, and the client a
third one. A command is due at its own moment, whatever became of the one before, and its ack is timed from that
moment. Every entry that was answered "Logged" is looked for in the database afterwards, once.

--hour N: N commands as fast as they are answered, and the bot's memory meanwhile (not done by default; 180,000 is an
hour of 50 a second).
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from urllib.parse import urlsplit

from sqlalchemy import select

from bot.store.tables import entry
from tests.bench.apart import Apart
from tests.bench.ground import HttpTarget, beside, command_payload, databases, machine, signed
from tests.bench.watched import Watched, listener

LATENCY = 0.15
#: Incidents that are logged into, and connections of the client.
ROOMS, CONNECTIONS = 5, 32
#: Seconds Slack waits for an ack.
PATIENCE = 3.0


@dataclass
class Acks:
    """What was sent and answered. Spans in seconds from the moment a command was due."""

    spans: list[float] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    took: float = 0.0

    def add(self, other: Acks) -> None:
        self.spans += other.spans
        self.logged += other.logged
        self.refused += other.refused
        self.took += other.took

    @property
    def rate(self) -> float:
        """Commands a second."""
        return len(self.spans) / self.took

    @property
    def cut(self) -> float:
        """p99, in seconds."""
        return statistics.quantiles(self.spans, n=100, method="inclusive")[98]

    def row(self) -> str:
        late = sum(span > PATIENCE for span in self.spans)
        return (
            f"p50 {statistics.median(self.spans) * 1000:7.1f} ms   "
            f"p99 {self.cut * 1000:7.1f} ms   slowest {max(self.spans):6.3f} s   "
            f"late {late}   told it was not logged {len(self.refused)}"
        )


def asker(target: HttpTarget) -> Callable[[str, str], str]:
    """Sends one command over a connection of its own that is kept, and gives the answer."""
    parts = urlsplit(target.url)
    kept = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def ask(channel: str, line: str) -> str:
        body, headers = signed(target.secret, command_payload("A0BENCH000", channel, target.user, line))
        kept.request("POST", "/slack/events", body, headers)
        return kept.getresponse().read().decode()

    return ask


def send(target: HttpTarget, channels: list[str], marks: list[str], rate: float, connections: int) -> Acks:
    """Each mark as one /log; `rate` a second, or (0) as fast as the connections are answered."""
    acks = Acks()
    numbers = itertools.count()
    # Until then every connection has its thread.
    began = time.perf_counter() + 0.2

    def run() -> None:
        ask = asker(target)
        time.sleep(max(0.0, began - time.perf_counter()))
        while (number := next(numbers)) < len(marks):
            due = began + number / rate if rate else time.perf_counter()
            time.sleep(max(0.0, due - time.perf_counter()))
            mark = marks[number]
            said = ask(
                channels[number % len(channels)], f"/log 10:30 UTC finding: half of the traffic {mark}"
            )
            acks.spans.append(time.perf_counter() - due)
            (acks.logged if "Logged" in said else acks.refused).append(mark)

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acks.took = time.perf_counter() - began
    return acks


@dataclass(frozen=True)
class Ground:
    """A house under load: where to knock, the incidents' channels, and a client in a process of its own."""

    here: Apart
    target: HttpTarget
    channels: list[str]
    client: ProcessPoolExecutor

    def send(self, name: str, count: int, rate: float, connections: int = CONNECTIONS) -> Acks:
        marks = [f"{name}-{number}." for number in range(count)]
        return self.client.submit(send, self.target, self.channels, marks, rate, connections).result()

    def lost_and_doubled(self, name: str, acks: Acks) -> str:
        with self.here.db.reading() as session:
            texts = (
                session.execute(select(entry.c.text).where(entry.c.text.like(f"%{name}-%"))).scalars().all()
            )
        found = [text.rpartition(" ")[2] for text in texts]
        lost = len(set(acks.logged) - set(found))
        extra = len(set(found) - set(acks.logged))
        return f"logged {len(acks.logged)}, lost {lost}, doubled {len(found) - len(set(found))}, kept unsaid {extra}"


def grounded(here: Apart, client: ProcessPoolExecutor) -> Ground:
    for number in range(1, ROOMS + 1):
        here.person("ana").types(f"/incident open logins fail {number} sev2", "#general")
    channels = [here.channel_of(number) for number in range(1, ROOMS + 1)]
    here.settled()
    user = here.person("ana").id
    target = HttpTarget(here.url, here.app.signing_secret, channels[0], user, "", "Logged")
    ground = Ground(here, target, channels, client)
    ground.send("warm", 100, 0.0, 4)
    return ground


def steady(ground: Ground, seconds: float, rate: float) -> None:
    acks = ground.send("steady", int(seconds * rate), rate)
    print(f"  {rate:g}/s for {seconds:g} s: {acks.rate:.1f}/s   {acks.row()}")
    began = time.monotonic()
    ground.here.settled(600)
    print(
        f"    {ground.lost_and_doubled('steady', acks)}; Slack told all of it {time.monotonic() - began:.1f} s later"
    )


@contextmanager
def floor(url: str) -> Iterator[HttpTarget]:
    """The same command into a bare Bolt app that keeps the text with one INSERT, synced, in a database of its own."""
    apart = Apart(beside(url, "floor"), "http", serves=("tests.bench.served", "uvicorn", "insert"))
    with apart.running() as here:
        yield HttpTarget(here.url, here.app.signing_secret, "C0BENCH000", "U0ANA00000", "", "Logged")


@dataclass
class Side:
    """Lantern or the floor: the slices of one number of connections."""

    send: Callable[[str, int, int], Acks]
    server: Watched
    acks: list[Acks] = field(default_factory=list)
    #: Seconds of processor time a command, of each slice.
    costs: list[float] = field(default_factory=list)

    def slice(self, name: str, count: int, connections: int) -> Acks:
        before = self.server.seconds
        acks = self.send(name, count, connections)
        self.acks.append(acks)
        self.costs.append((self.server.seconds - before) / count)
        return acks

    def forget(self) -> None:
        self.acks.clear()
        self.costs.clear()

    @property
    def rate(self) -> float:
        """Commands a second; half of the slices had more."""
        return statistics.median(acks.rate for acks in self.acks)

    @property
    def cost(self) -> float:
        return statistics.median(self.costs)

    @property
    def together(self) -> Acks:
        whole = Acks()
        for acks in self.acks:
            whole.add(acks)
        return whole

    def row(self) -> str:
        return f"{self.rate:6.0f}/s  {self.cost * 1000:5.2f} ms processor   {self.together.row()}"


def compare(ground: Ground, bare: HttpTarget, seconds: float, rounds: int) -> None:
    """Commands a second of ever more people who log without a pause, Lantern and the floor by turns."""
    client = ground.client

    def send_bare(name: str, count: int, connections: int) -> Acks:
        marks = [f"{name}-{number}." for number in range(count)]
        return client.submit(send, bare, [bare.channel], marks, 0.0, connections).result()

    ours = Side(lambda name, count, many: ground.send(name, count, 0.0, many), listener(ground.here.url))
    floors = Side(send_bare, listener(bare.url))
    best = best_bare = 0.0
    for many in (4, 16, 64, 200):
        # The first two only tell how many make a slice.
        counts = [int(seconds * side.slice(f"probe{many}", many * 4, many).rate) for side in (ours, floors)]
        ours.forget()
        floors.forget()
        for number in range(rounds):
            for side, count in zip((ours, floors), counts, strict=True):
                side.slice(f"top{many}-{number}", max(many, count), many)
        acks = ours.together
        print(f"  {many:>3} without a pause  {ours.row()}")
        print(f"  {'floor':>19}  {floors.row()}")
        print(
            f"    {ours.rate / floors.rate:.0%} of the floor, {floors.cost / ours.cost:.0%} by processor time; "
            f"{ground.lost_and_doubled(f'top{many}', acks)}"
        )
        if acks.cut < 1.0 and not acks.refused:
            best = max(best, ours.rate)
        if floors.together.cut < 1.0:
            best_bare = max(best_bare, floors.rate)
    ratio = f"{best / best_bare:.0%} of the floor's ({best_bare:.0f}/s)"
    print(f"  highest rate held with p99 under 1 s: {best:.0f}/s, {ratio}")


def open_twenty(here: Apart) -> None:
    """Twenty openings at the same moment, by five people."""
    people = [here.person(name) for name in ("ana", "ben", "chloe", "dev", "eve")]
    for person in people:
        person.types("/incident open", "#general")
    before = len(here.standin.deliveries("command"))
    server = listener(here.url)
    used = server.seconds
    barrier = threading.Barrier(20)

    def run(number: int) -> None:
        barrier.wait()
        people[number % 5].types(f"/incident open at once {number} sev3", "#general")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acks = [one.answers[0].ms / 1000 for one in here.standin.deliveries("command")[before:]]
    cost = f"{(server.seconds - used) / 20 * 1000:.1f} ms processor each, the postman's beginning with it"
    print(f"  twenty openings at once: slowest ack {max(acks):.3f} s (goal 0.5 s)   {cost}")
    # Their channels follow at Slack's pace, twenty a minute; nothing of that is measured here.


def hour(ground: Ground, count: int) -> None:
    """Memory while an hour's worth of commands is taken."""
    parts = 12
    server = listener(ground.here.url)
    for part in range(parts + 1):
        print(f"  {count * part // parts:>8,} logged   {server.memory:7.1f} MB", flush=True)
        if part < parts:
            acks = ground.send(f"hour{part}", count // parts, 0.0, 8)
            assert not acks.refused, acks.refused[:3]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=60.0, help="length of the steady run")
    asked.add_argument("--rate", type=float, default=50.0, help="commands a second of the steady run")
    asked.add_argument("--slice", type=float, default=2.0, help="seconds of one slice without a pause")
    asked.add_argument("--rounds", type=int, default=5, help="slices of Lantern and of the floor, by turns")
    asked.add_argument("--hour", type=int, default=0, help="commands of the memory run")
    asked.add_argument("--database", choices=("SQLite", "PostgreSQL"), help="only this one")
    given = asked.parse_args()
    with ProcessPoolExecutor(1, get_context("spawn")) as client:
        for name, url in databases():
            if given.database not in (None, name):
                continue
            print(f"{name}  ({machine()})")
            if given.hour:
                with Apart(url, "http", latency=LATENCY).running() as here:
                    hour(grounded(here, client), given.hour)
                continue
            with Apart(beside(url, "openings"), "http", latency=LATENCY).running() as here:
                open_twenty(here)
            with Apart(url, "http", latency=LATENCY).running() as here:
                ground = grounded(here, client)
                if given.seconds:
                    steady(ground, given.seconds, given.rate)
                with floor(url) as bare:
                    compare(ground, bare, given.slice, given.rounds)


if __name__ == "__main__":
    main()
