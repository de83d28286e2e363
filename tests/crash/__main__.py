"""python -m tests.crash --kills 1000 --seed 7 --database sqlite | postgresql [--replicas 2]"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests import postgres
from tests.crash.attack import attack
from tests.crash.score import table


def main() -> int:
    """Run the attack and print what came of it; status 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--replicas", type=int, default=0, help="default: 1 on SQLite, 2 on PostgreSQL")
    asked = parser.parse_args()
    count = asked.replicas or (2 if asked.database == "postgresql" else 1)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lantern-crash-") as folder:
        if asked.database == "sqlite":
            url = f"sqlite:///{Path(folder) / 'lantern.db'}"
        else:
            url = postgres.new_database(postgres.shared_cluster())
        score = attack(
            url, kills=asked.kills, count=count, seed=asked.seed, said=lambda line: print(line, flush=True)
        )
    print("\n".join(table(score.deaths)))
    each = (time.monotonic() - began) / max(1, score.killed)
    print(f"{asked.database}, {count} replica(s), seed {asked.seed}: {score}, {each:.2f} s a kill")
    return 0 if score.is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
