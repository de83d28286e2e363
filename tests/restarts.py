"""PostgreSQL restarted under load: every "Logged" that was shown is there once, all else was given back.

    python -m tests.restarts --times 10
    python -m tests.restarts --times 3 --away 20      gone for 20 seconds each time, as in a failover

Half of the restarts are crashes (immediate), half take leave of every client (fast). People type `/log` all the
while, over Socket Mode and over HTTP.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.domain.pace import Pace
from bot.standin.person import Denied
from tests import postgres
from tests.houses import QUICK, Town, said, until
from tests.rooms import Room, opened

#: What a lost connection was in the middle of is taken up again after a lease: seconds here, half a minute at home.
_RHYTHM = replace(
    QUICK,
    lease_for=timedelta(seconds=2.5),
    heartbeat_for=timedelta(seconds=0.5),
    call_for=timedelta(seconds=1),
)
#: People who type at the same time, and seconds between two lines of each.
_TYPISTS = 4
_PAUSE = 0.03
#: Lines that must be logged between two restarts.
_BETWEEN = 12


@dataclass
class Tally:
    """What people were told about each line, and what became of it."""

    shown: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    #: "It may have been saved."
    perhaps: list[str] = field(default_factory=list)
    #: Neither: no answer in three seconds, or another one.
    unanswered: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    #: Refused, and there all the same.
    belied: list[str] = field(default_factory=list)
    #: Logged, and not told in the channel exactly once.
    mistold: list[str] = field(default_factory=list)
    #: Longest wait for an answer, in milliseconds.
    longest: float = 0.0

    @property
    def faults(self) -> dict[str, list[str]]:
        """What must not be, by name; {} when all is well."""
        found = {name: getattr(self, name) for name in ("unanswered", "lost", "doubled", "belied", "mistold")}
        return {name: lines for name, lines in found.items() if lines}

    def __str__(self) -> str:
        counts = {name: len(lines) for name, lines in vars(self).items() if isinstance(lines, list)}
        return (
            ", ".join(f"{name} {many}" for name, many in counts.items())
            + f", longest answer {self.longest:.0f} ms"
        )


def types_on(room: Room, name: str, tally: Tally, stopping: threading.Event) -> None:
    """Type line after line, and note what each was answered."""
    number = 0
    while not stopping.wait(_PAUSE):
        number += 1
        words = f"line {name}-{number:04d}."
        try:
            answer = room.town.ana.types(f"/log {words}", room.channel)
        except Denied as denied:
            tally.unanswered.append(f"{words} {denied}")
            continue
        tally.longest = max(tally.longest, float(answer["ack_ms"]))
        text = said(answer)
        given_back = f"```/log {words}```" in text
        if text.startswith("Logged"):
            tally.shown.append(words)
        elif given_back and "*not* saved" in text:
            tally.refused.append(words)
        elif given_back and "*may* have been saved" in text:
            tally.perhaps.append(words)
        else:
            tally.unanswered.append(f"{words} {text}")


def more_is_logged(tally: Tally) -> None:
    """Wait until some more lines were logged."""
    enough = len(tally.shown) + _BETWEEN
    until(lambda: len(tally.shown) >= enough, 60, "nothing is logged any more")


def attack(cluster: postgres.Cluster, transport: str, times: int, away_for: float = 0.0) -> Tally:
    """Let people type while the cluster is restarted so many times; then look what is there."""
    tally = Tally()
    url = postgres.new_database(cluster.url)
    with Town(url, transport=transport, rhythm=_RHYTHM, pace=Pace(time.monotonic, {}, {})) as town:
        room = opened(town)
        stopping = threading.Event()
        typists = [
            threading.Thread(target=types_on, args=(room, f"{transport}{n}", tally, stopping))
            for n in range(_TYPISTS)
        ]
        for typist in typists:
            typist.start()
        try:
            for time_of in range(times):
                more_is_logged(tally)
                cluster.stop(is_immediate=time_of % 2 == 0)
                time.sleep(away_for)
                cluster.start()
            more_is_logged(tally)
        finally:
            stopping.set()
            for typist in typists:
                typist.join()
        town.settled(90)
        there = Counter(entry.text for entry in room.entries)
        told = "\n".join(
            str(one["blocks"])
            for one in town.ana.messages(room.channel, limit=100_000)
            if not one.get("ephemeral")
        )
    tally.lost = [one for one in tally.shown if not there[one]]
    tally.doubled = [one for one, many in there.items() if many > 1]
    tally.belied = [one for one in tally.refused if there[one]]
    tally.mistold = [one for one in there if one.startswith("line ") and told.count(one) != 1]
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=10, help="restarts for each transport (default 10)")
    parser.add_argument("--away", type=float, default=0.0, help="seconds it stays away each time (default 0)")
    parsed = parser.parse_args()
    cluster = postgres.temporary_cluster()
    is_well = True
    for transport in ("socket", "http"):
        begun = time.monotonic()
        tally = attack(cluster, transport, parsed.times, parsed.away)
        print(
            f"{transport}: {parsed.times} restarts in {time.monotonic() - begun:.0f} s: {tally}", flush=True
        )
        for name, lines in tally.faults.items():
            print(f"  {name}: {lines[:5]}")
            is_well = False
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
