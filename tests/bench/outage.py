"""Ten minutes of Slack in trouble while people work: how long until everything is delivered, and is it all there.

    python -m tests.bench.outage                        # ten real minutes, about twelve in all
    python -m tests.bench.outage --scale 10             # every span of Lantern and of the limits a tenth
    python -m tests.bench.outage --engine postgresql    # beside SQLite
    python -m tests.bench.outage --entries 500 --minutes 4

2.5 minutes each of 429 with Retry-After, 503, calls that are taken and never answered, and refused connections. The
stand-in's rate limits are on, Lantern's pace and rhythm are as in earnest. Ends with 1 when anything is missing,
doubled, out of order, or was answered later than Slack's three seconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import fields, replace
from pathlib import Path

from bot.domain.pace import SLACK_CHANNEL_LIMITS, SLACK_LIMITS, Limit, Pace
from bot.slack import client
from bot.store.errand import Rhythm
from tests import postgres
from tests.crash_gate import Gate
from tests.houses import Town
from tests.outage import CLOSES, OPENS, Outage


def quicker(scale: float) -> Rhythm:
    """Lantern's own rhythm, so many times as quick; how long it tries stays."""
    spans = {each.name: getattr(Rhythm(), each.name) / scale for each in fields(Rhythm)}
    return replace(Rhythm(**spans), give_up_after=Rhythm().give_up_after)


def paced(scale: float) -> Pace:
    """Lantern's own pace, so many times as quick."""
    method, channel = (
        {name: Limit(one.per_minute * scale, one.burst) for name, one in limits.items()}
        for limits in (SLACK_LIMITS, SLACK_CHANNEL_LIMITS)
    )
    return Pace(time.monotonic, method, channel)


def run(url: str, seconds: float, entries: int, scale: float) -> bool:
    """Print what came of it; False when it was not as it must be."""
    client._WRITE_TIMEOUT = 8 / scale  # type: ignore[assignment]
    gate = Gate(lambda: town.standin.url)
    with gate:
        town = Town(
            url,
            transport="http",
            limits=True,
            rhythm=quicker(scale),
            pace=paced(scale),
            settings={"slack_api_url": gate.api_url, "announce_channel": "#incidents"},
        )
        town.standin.limits.window = 60 / scale
        with town:
            town.ana.invites("#incidents", town.app.bot_user_id)
            outage = Outage(town, gate, retry_after=max(1, round(30 / scale)))
            outage.prepare()
            before = len(town.standin.calls())
            outage.suffer(seconds, entries)
            during = town.standin.calls()[before:]
            took = outage.drain(900)
            after = town.standin.calls()[before + len(during) :]
            problems = outage.problems()
    acks = sorted(outage.acks)
    print(f"{entries} entries, {OPENS} opens, {CLOSES} closes in {seconds:g} s of trouble")
    print(f"answers: p50 {acks[len(acks) // 2][0]:.0f} ms, slowest {acks[-1][0]:.0f} ms ({acks[-1][1]})")
    print(f"not taken by the database, as the person was told, and typed again: {len(outage.again)}")
    print(f"calls that Slack did not take: {len(during)}; waiting when it was well again: {outage.waiting}")
    limited = [one.method for one in after if one.error == "ratelimited"]
    print(f"drained in {took:.1f} s with {len(after)} calls, {len(limited)} answered 429 {sorted(limited)}")
    print("\n".join(problems) or "all delivered, once, in order")
    return not problems and acks[-1][0] < 3000


def main() -> int:
    """Run it as the arguments say."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=10.0)
    asked.add_argument("--entries", type=int, default=200)
    asked.add_argument("--scale", type=float, default=1.0)
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    found = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'lantern.db'}"
        if found.engine == "postgresql":
            url = postgres.new_database(postgres.start_cluster(Path(folder), is_durable=True))
        return 0 if run(url, found.minutes * 60 / found.scale, found.entries, found.scale) else 1


if __name__ == "__main__":
    raise SystemExit(main())
