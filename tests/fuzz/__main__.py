"""python -m tests.fuzz --requests 100000 --seed 3: see README.md in this folder."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.fuzz import variants
from tests.fuzz.ground import Ground, Sent
from tests.fuzz.judge import Log, faults_of, faults_of_calls, faults_of_draft, listening
from tests.fuzz.requests import KINDS, Plan

#: Requests that hypothesis makes in a round, some of each kind; each has three variants. After each kind all is
#: delivered, and what went out is looked through.
ROUND = 500
#: In memory where there is such a folder: how long a disk takes is not what is looked at.
QUICK_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None


class Run:
    """Counts, findings, and the requests that led to them."""

    def __init__(self, findings: Path) -> None:
        self.kinds: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self.calls = 0
        self.drafts = 0
        self.findings: Counter[str] = Counter()
        self._folder = findings

    def note(self, plan: Plan, sentences: list[str]) -> None:
        """Keep what is wrong, each sort once with the request to repeat it."""
        for sentence in sentences:
            sort = f"{plan.kind}: {sentence[:90]}"
            self.findings[sort] += 1
            if self.findings[sort] == 1 and len(self.findings) <= 100:
                self._folder.mkdir(parents=True, exist_ok=True)
                path = self._folder / f"{len(self.findings):03}.json"
                path.write_text(plan.to_json(), encoding="utf-8")
                print(f"FOUND {plan.kind} ({path}): {sentence[:2500]}", flush=True)


def try_all(ground: Ground, run: Run, log: Log, plan: Plan, chance: Random) -> None:
    """Send a request and its variants, and judge each answer and the log."""
    sent = try_one(ground, run, log, plan)
    if sent is not None:
        try_one(ground, run, log, variants.repeated(sent.content, sent.content_type))
        try_one(ground, run, log, variants.damaged(sent.content, sent.content_type, chance))
    if plan.shape != "raw":
        try_one(ground, run, log, variants.twisted(plan, chance))
    elif sent is not None:
        try_one(ground, run, log, variants.damaged(sent.content, sent.content_type, chance))


def try_one(ground: Ground, run: Run, log: Log, plan: Plan) -> Sent | None:
    run.kinds[plan.kind] += 1
    try:
        sent = ground.send(plan)
    except Exception:  # noqa: BLE001 (whatever escapes is what is looked for)
        run.note(plan, [f"it raised: {traceback.format_exc()[-2000:]}"])
        return None
    run.statuses[sent.reply.status] += 1
    run.note(plan, faults_of(plan, sent))
    run.note(plan, [f"logged: {line[-1500:]}" for line in log.take()])
    return sent


def pause(ground: Ground, run: Run, log: Log, recent: list[Plan]) -> None:
    """Let everything be delivered, then judge every call to Slack since the last time."""
    last = recent[-1]
    try:
        ground.town.settled(120)
    except AssertionError as stuck:
        run.note(last, [f"the outbox did not empty: {stuck}"])
    calls = ground.town.standin.calls()
    ground.town.standin.faults.forget_calls()
    run.calls += len(calls)
    run.note(last, [f"while delivering: {line[-1500:]}" for line in log.take()])
    run.note(last, faults_of_calls(calls, run.errors))
    ground.look_around()


def one_town(run: Run, log: Log, rounds: int, chosen_seed: int) -> None:
    """A fresh house, and so many rounds of ROUND requests of all kinds."""
    with tempfile.TemporaryDirectory(dir=QUICK_FOLDER) as folder, Ground(Path(folder)) as ground:
        for number in range(rounds):
            for place, (_, share, plans) in enumerate(KINDS):
                one_kind(ground, run, log, plans, share * ROUND // 100, chosen_seed + number * 10 + place)
        for draft in ground.drafts():
            run.drafts += 1
            run.note(Plan("draft", "raw", draft), faults_of_draft(draft))


def one_kind(
    ground: Ground, run: Run, log: Log, plans: SearchStrategy[Plan], most: int, chosen_seed: int
) -> None:
    """So many requests of one kind, then a pause."""
    recent: list[Plan] = []
    chance = Random(chosen_seed)

    @seed(chosen_seed)
    @settings(
        max_examples=most,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(plans)
    def throw(plan: Plan) -> None:
        recent.append(plan)
        try_all(ground, run, log, plan, chance)

    throw()
    pause(ground, run, log, recent)


def replay(path: Path) -> None:
    """Send one kept request to a fresh house, and print what comes of it."""
    plan = Plan.from_json(path.read_text(encoding="utf-8"))
    run = Run(path.parent / "again")
    with (
        tempfile.TemporaryDirectory(dir=QUICK_FOLDER) as folder,
        listening() as log,
        Ground(Path(folder)) as ground,
    ):
        sent = ground.send(plan)
        print(plan, sent.reply, sep="\n")
        run.note(plan, faults_of(plan, sent))
        pause(ground, run, log, [plan])


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz")
    asked.add_argument("--requests", type=int, default=2000)
    asked.add_argument("--seed", type=int, default=3)
    asked.add_argument("--rounds", type=int, default=2, help="rounds of 2,000 requests before a fresh house")
    asked.add_argument(
        "--findings", type=Path, default=Path(".hypothesis/fuzz"), help="folder for what is found"
    )
    asked.add_argument("--replay", type=Path, help="send one kept request again")
    options = asked.parse_args()
    logging.getLogger().setLevel(logging.WARNING)
    if options.replay:
        replay(options.replay)
        return 0
    run, began, left, number = Run(options.findings), time.monotonic(), options.requests, 0
    with listening() as log:
        while left > 0:
            rounds = min(options.rounds, -(-left // (4 * ROUND)))
            one_town(run, log, rounds, options.seed * 1_000_000 + number * 1000)
            left, number = options.requests - sum(run.kinds.values()), number + 1
            done, took = sum(run.kinds.values()), time.monotonic() - began
            print(f"{done} requests, {done / took:.0f}/s, {sum(run.findings.values())} findings", flush=True)
    tell(run, time.monotonic() - began)
    return 1 if run.findings else 0


def tell(run: Run, took: float) -> None:
    """Print the figures."""
    done = sum(run.kinds.values())
    print(f"\n{done} requests in {took:.0f} s ({done / took:.0f}/s)")
    print(f"looked through: {run.calls} calls to Slack, {run.drafts} drafts")
    print("answers: " + ", ".join(f"{status}: {count}" for status, count in sorted(run.statuses.items())))
    print("kinds:   " + ", ".join(f"{kind}: {count}" for kind, count in run.kinds.most_common()))
    print("refused: " + ", ".join(f"{error}: {count}" for error, count in run.errors.most_common(25)))
    print(f"findings: {len(run.findings)} sorts, {sum(run.findings.values())} in all")
    for sort, count in run.findings.most_common():
        print(f"  {count:5} {sort}")


if __name__ == "__main__":
    sys.exit(main())
