"""The long run of kill -9; README.md beside this says what is counted."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bot.store.errand import Rhythm
from tests import postgres
from tests.crash.attack import attack
from tests.crash.score import table
from tests.crash.takeover import take_over
from tests.crash_house import Life


def main() -> int:
    """Run the attack and print what came of it; status 1 when anything was lost, doubled or out of order."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--replicas", type=int, default=0, help="default: 1 on SQLite, 2 on PostgreSQL")
    parser.add_argument("--freeze", action="store_true", help="SIGSTOP, and SIGCONT when another has done it")
    parser.add_argument("--story", type=int, help="only the story of this number")
    parser.add_argument(
        "--takeover",
        type=int,
        metavar="TIMES",
        help="only: how long until another does what a dead one was at",
    )
    asked = parser.parse_args()
    if asked.takeover:
        return _take_over(asked.takeover)
    many = asked.replicas or (2 if asked.database == "postgresql" else 1)
    if many > 1 and asked.database == "sqlite":
        parser.error("SQLite has one process: --database postgresql")
    if many < 2 and asked.freeze:
        parser.error("somebody must take over from who is frozen: --database postgresql")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lantern-crash-") as folder:
        if asked.database == "sqlite":
            url = f"sqlite:///{Path(folder) / 'lantern.db'}"
        else:
            url = postgres.new_database(postgres.shared_cluster())
        score = attack(
            postgres.hasty(url) if asked.freeze else url,
            kills=asked.kills,
            seed=asked.seed,
            lives=[Life()] * many,
            is_freezing=asked.freeze,
            only=asked.story,
            said=lambda line: print(line, flush=True),
        )
    print("\n".join(table(score.deaths)))
    print("\n".join(f"never {line}" for line in score.never))
    each = (time.monotonic() - began) / max(1, score.killed)
    print(f"{asked.database}, {many} replica(s), seed {asked.seed}: {score}, {each:.2f} s each")
    return 0 if score.is_whole else 1


def _take_over(times: int) -> int:
    """With the lease of real life. Status 1 when it took over half a minute, or anything was lost or doubled."""
    is_well = True
    for _ in range(times):
        took, score = take_over(postgres.new_database(postgres.shared_cluster()), Rhythm())
        is_well = is_well and score.is_whole and took <= 30
        print(
            f"all told {took:.1f} s after the kill, lost {len(score.lost)}, doubled {len(score.doubled)}",
            flush=True,
        )
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
