"""Slack limits, fails, is silent and is away while people work: nothing is lost, doubled or out of order."""

from __future__ import annotations

import time

import pytest

from bot.domain.pace import Pace
from tests.crash_gate import Gate
from tests.houses import QUICK, Town
from tests.outage import OPENS, Outage

#: Entries logged meanwhile. `python -m tests.bench.outage` takes ten minutes for the same.
ENTRIES = 200


def test_two_hundred_entries_five_opens_and_three_closes_outlive_slacks_bad_minutes(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A call that is never answered would hold its thread for eight seconds of this test, and a door for two of
    # the three that a busy machine may need for itself.
    monkeypatch.setattr("bot.slack.client._WRITE_TIMEOUT", 0.5)
    monkeypatch.setattr("bot.slack.client._READ_TIMEOUT", 1.0)
    gate = Gate(lambda: town.standin.url)
    with gate:
        town = Town(
            sqlite_url,
            transport="http",
            rhythm=QUICK,
            pace=Pace(time.monotonic, {}, {}),
            settings={"slack_api_url": gate.api_url, "announce_channel": "#incidents"},
        )
        with town:
            town.ana.invites("#incidents", town.app.bot_user_id)
            outage = Outage(town, gate)
            outage.prepare()
            outage.suffer(seconds=4, entries=ENTRIES)
            assert outage.waiting > OPENS
            town.standin.faults.forget_calls()
            took = outage.drain(120)
            # Two people were not met before: whatever they logged, Slack is asked who they are, not once a line.
            assert len(town.standin.calls("users.info")) <= 6
            assert outage.problems() == []
            assert sum(map(len, outage.logged.values())) == ENTRIES
            slowest, line = max(outage.acks)
            print(
                f"{outage.waiting} waiting, drained in {took:.1f} s; slowest answer {slowest:.0f} ms: {line}"
            )
            # What Slack gives a command; later it shows the person a time-out.
            assert slowest < 3000, line
