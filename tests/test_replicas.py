"""Replicas of the whole bot: one is killed, one stands still past its lease, their clocks disagree."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo import manifest
from bot.standin.person import Denied, Person
from bot.standin.server import Standin
from tests import postgres
from tests.conftest import missing
from tests.crash.fate import Plan, Point
from tests.crash.replicas import replicas
from tests.crash.score import Score
from tests.crash.takeover import take_over
from tests.crash.teller import Teller
from tests.crash_house import HASTY, Life, Mortal
from tests.houses import said


@pytest.fixture
def shared_url() -> str:
    """A database for replicas."""
    try:
        return postgres.hasty(postgres.new_database(postgres.shared_cluster()))
    except postgres.NoPostgres as absent:
        missing(f"PostgreSQL is not installed: {absent}.")
        raise AssertionError("unreachable") from absent


def test_what_a_killed_replica_was_at_is_told_by_the_other(
    shared_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    took, score = take_over(shared_url, HASTY)
    with capsys.disabled():
        lease = HASTY.lease_for.total_seconds()
        print(f" lease {lease:g} s: all told {took:.1f} s after the kill, {score} ", end="")
    assert score.is_whole, score.lost + score.doubled


def test_a_replica_that_stood_still_past_its_lease_says_nothing_twice(shared_url: str) -> None:
    deeds = ("open", "log", "update")
    with replicas(shared_url, [Life(HASTY)] * 2, is_freezing=True) as here:
        wanted = Teller(here).told(deeds)
        teller = Teller(
            here,
            {
                # In the middle of an errand; with Slack's answer in its socket; with a command in its hands.
                "open": Plan("chat.postMessage", Point.COMMIT),
                "log": Plan("chat.postMessage", Point.ANSWER),
                "update": Plan("request: command", Point.DURING),
            },
        )
        score = Score("paused")
        score.judge(teller.told(deeds), wanted)
    assert score.is_whole, score.lost + score.doubled
    assert {death.deed for death in teller.deaths} >= {*deeds}


def test_replicas_whose_clocks_are_half_a_minute_apart_agree_about_what_came_first(shared_url: str) -> None:
    deeds = ("open", "log", "update")
    plans = {
        "open": Plan("conversations.create", Point.EFFECT),
        "update": Plan("chat.postMessage", Point.EFFECT),
    }
    other_url = postgres.new_database(postgres.shared_cluster())
    with replicas(other_url, [Life()]) as here:
        wanted = Teller(here).told(deeds)
    score = Score()
    with replicas(shared_url, [Life(HASTY, ahead=15), Life(HASTY, ahead=-15)]) as here:
        # Each deed is asked of one of the two by chance, and delivered by whichever is quicker.
        found = Teller(here, plans, "any").told(deeds)
    score.judge(found, wanted)
    assert score.is_whole, score.lost + score.doubled
    # The timeline is in order too, whichever of the two heard of what.
    first, second = ([one for one in told.facts if one.startswith("entry")] for told in (found, wanted))
    assert first == second


@pytest.mark.parametrize("transport", ["http", "socket"])
def test_a_command_that_lay_there_while_lantern_stood_still_is_not_done_late(
    tmp_path: Path, transport: str
) -> None:
    with Standin(patience=2.4, limits=False) as standin:
        app = standin.install(manifest())
        settings = {
            "slack_bot_token": app.bot_token,
            "slack_api_url": standin.api_url,
            "database_url": f"sqlite:///{tmp_path / 'lantern.db'}",
        }
        if transport == "socket":
            house = Mortal({**settings, "slack_app_token": app.app_token})
        else:
            house = Mortal({**settings, "slack_signing_secret": app.signing_secret})
            app.request_url = f"{house.url}/slack/events"
        ana = Person(
            standin.url, next(one.id for one in standin.workspace.users.values() if one.name == "ana")
        )
        try:
            house.start()
            ana.types("/incident open logins fail", "#general")
            channel = ana.waits_for(lambda: ana.channel("inc-0001-logins-fail"))["id"]
            ana.waits_for_message(channel, "Incident opened")
            house.freeze()
            with pytest.raises(Denied, match="dispatch_failed"):
                ana.types("/log detection: alarms on login", channel)
            house.thaw()
            # Slack said that it failed, so ana types it again. Over a socket what comes at once is turned away
            # too: nobody can tell there which is the old one.
            line = "/log detection: alarms on login"
            assert "#2" in ana.waits_for(lambda: _kept(said(ana.types(line, channel))))
            ana.waits_for_message(channel, "alarms on login")
            # Neither came the first one after it.
            assert "#3" in said(ana.types("/log finding: one server", channel))
        finally:
            house.kill()


def _kept(answer: str) -> str | None:
    return None if "*not* kept" in answer else answer
