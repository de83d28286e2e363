"""python -m tests.crash --kills 1000 --seed 7 --database sqlite | postgresql [--replicas 2] [--freeze] [--story 12]"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests import postgres
from tests.crash.attack import attack
from tests.crash.score import table
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
    asked = parser.parse_args()
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


if __name__ == "__main__":
    sys.exit(main())
