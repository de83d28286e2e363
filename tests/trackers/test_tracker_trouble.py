"""Trackers in trouble: strange answers, addresses that are none, limits in words, deeds that come in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot import check
from bot.domain import inert
from bot.domain.catalogue import Service
from bot.domain.followup import FollowUpState
from bot.domain.outcomes import RateLimited
from bot.domain.pace import Limit, Pace
from bot.domain.tracker import Body, Issue, NoTracker, Standing
from bot.settings import Settings, SettingsWrong, read_settings
from bot.store import followup
from bot.store import incident as incidents
from bot.tracker_kinds import tracker_at
from bot.usecases import tracking
from bot.usecases.followup import set_follow_up_state
from tests.desks import ANA
from tests.postmen import QUICK, now, wait_until
from tests.tracker_bench import Bench, bench_on
from tests.tracker_stands import TOKEN, AnyStand, GitHub


def filed(bench: Bench) -> None:
    bench.sends(bench.notes())
    bench.delivers()


def test_an_issue_that_is_answered_strangely_does_not_hold_up_the_others(
    stand: AnyStand, sqlite_url: str
) -> None:
    with bench_on(sqlite_url, stand.settings()) as bench:
        for _ in range(4):
            bench.sends(bench.notes())
        bench.delivers()
        long_ago = now() - timedelta(hours=9)
        with bench.desk.db.writing() as session:
            for at, one in enumerate(bench.all()):
                followup.save(session, one.id, tracker_state_at=long_ago + timedelta(minutes=at))
        for number in range(1, 5):
            stand.close(number)
        stand.trouble("GET", 500)
        for strange in ({"fields": {"status": "Done"}, "state": ["closed"]}, ["closed"]):
            stand.trouble("GET", 200, body=strange)
        assert tracking.issues_due(bench.desk)
        bench.delivers()
        assert [one.state.value for one in bench.all()] == ["open", "open", "open", "done"]
        assert not tracking.issues_due(bench.desk), "the strange ones stay first"


def test_more_strange_ones_than_may_be_asked_for_at_once_do_not_hold_up_the_others(
    bench: Bench, github: GitHub
) -> None:
    for _ in range(3):
        filed(bench)
    for postman in bench.started:
        postman.stop()
    github.issues[0].state = github.issues[1].state = "odd"
    github.close(3)
    with bench.desk.db.writing() as session:
        for one in bench.all():
            followup.save(session, one.id, tracker_state_at=now() - timedelta(hours=2))
    assert tracking.issues_due(bench.desk)
    bench.postman(pace=Pace(time.monotonic, {"tracker": Limit(per_minute=200, burst=1)}, {}))
    bench.delivers()
    assert [one.state.value for one in bench.all()] == ["open", "open", "done"]


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "https://[abc",
        "https://a..b",
        f"https://{'a' * 70}.example",
        "https://example.com:port",
        "https://example.com:0",
        "https://exa mple.com",
        "https://example.com/a b",
        "https://example.com/\u00e4",
        "https://",
    ],
)
def test_an_address_that_is_none_is_a_sentence(url: str) -> None:
    with pytest.raises(NoTracker, match=r"LANTERN_TRACKER_URL=https://gitlab\.example\.com"):
        tracker_at("gitlab:acme/web", url=url, token=TOKEN)


@pytest.mark.parametrize("url", ["https://[abc", "https://a..b", "https://example.com:port", "https://"])
def test_the_setting_says_so_when_lantern_starts(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LANTERN_TRACKER_URL", url)
    with pytest.raises(
        SettingsWrong, match=r"LANTERN_TRACKER_URL.* for example https://gitlab\.example\.com"
    ):
        read_settings()


@pytest.mark.parametrize("proxy", ["http://proxy:port", "http://[pr", "a..b:3128", "http://"])
def test_a_proxy_that_is_no_address_is_a_sentence(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    for name in ("no_proxy", "NO_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    settings = Settings.model_validate({"tracker": "github:acme/web", "tracker_token": TOKEN})
    (found,) = check._tracker(settings)
    assert found.sentence.startswith("Tracker: HTTPS_PROXY is no address, so no tracker can be asked. ")
    assert "HTTPS_PROXY=http://proxy.example.com:3128" in found.sentence


# Limits, titles


@pytest.mark.parametrize(
    ("words", "headers"),
    [
        ("You have exceeded a secondary rate limit. Please wait.", {"x_ratelimit_remaining": "4000"}),
        ("You have triggered an abuse detection mechanism.", {}),
    ],
)
def test_a_limit_that_is_said_in_words_alone_is_waited_for(
    github: GitHub, words: str, headers: dict[str, str]
) -> None:
    github.trouble("POST", 403, body={"message": words}, **headers, x_ratelimit_reset="9999999999")
    here = tracker_at("github:acme/web", url=github.url, token=TOKEN)
    with pytest.raises(RateLimited) as limited:
        here.create("review", Body("review"), "lantern-0123")
    assert (limited.value.method, limited.value.retry_after) == ("tracker", 60.0)


@pytest.mark.parametrize(
    "typed", ["#1 " * 100, "@ana" * 60, "GH-1 " * 60, "a" * 199 + "@ana", "a" * 198 + "#1 more"]
)
def test_a_title_stays_short_with_its_signs_defused(typed: str) -> None:
    title = inert.line(typed)
    assert len(title) <= 200 and title.endswith("\u2026")
    assert not inert._SIGNS.search(title) and not title[:-1].endswith(("@", "#", "\u200b"))


# Deeds in between


def drop(bench: Bench) -> None:
    set_follow_up_state(bench.desk, bench.incident_id, 1, FollowUpState.DROPPED, by=ANA)


def make_private(bench: Bench) -> None:
    with bench.desk.db.writing() as session:
        incidents.save(session, bench.incident_id, is_private=True)


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        (drop, "it is dropped meanwhile. `/incident follow-up reopen 1` opens it again"),
        (
            make_private,
            "inc-0001 has become private, and whoever reads GitHub (github:acme/web) would read it",
        ),
    ],
)
def test_what_may_not_be_sent_any_more_stays_and_whoever_asked_is_told_why(
    bench: Bench, github: GitHub, deed: Callable[[Bench], None], why: str
) -> None:
    bench.notes()
    bench.sends(1)
    deed(bench)
    bench.delivers()
    assert github.asked == []
    (told,) = bench.told
    assert told.startswith("Follow-up *1* of inc-0001 was not sent to GitHub: ") and why in told
    assert "`/incident follow-up send 1" in told


def test_what_was_created_before_it_was_dropped_is_still_found(bench: Bench, github: GitHub) -> None:
    bench.notes()
    github.trouble("POST", "after")
    github.on_effect = lambda: drop(bench)
    bench.sends(1)
    bench.delivers()
    one = bench.one(1)
    assert (one.state, one.tracker_key) == (FollowUpState.DROPPED, "acme/web#1")
    assert len(github.posts()) == 1 and "is now" in bench.told[0]


def test_what_was_asked_for_in_another_project_is_looked_for_there_first(
    github: GitHub, sqlite_url: str
) -> None:
    services = {"payroll": Service("payroll", tracker="github:acme/web")}
    with bench_on(sqlite_url, github.settings(), services=lambda: services) as bench:
        bench.notes()
        github.trouble("POST", "after")
        github.trouble("GET", 503, times=-1)
        bench.postman(replace(QUICK, give_up_after=timedelta(seconds=0.3)))
        bench.sends(1)
        bench.delivers()
        assert bench.one(1).tracker_key is None and len(github.issues) == 1
        github.troubles.clear()
        services["payroll"] = Service("payroll", tracker="github:acme/moved")
        assert "(github:acme/moved)" in bench.sends(1)
        bench.delivers()
        one = bench.one(1)
        assert (one.tracker, one.tracker_key) == ("github:acme/web", "acme/web#1")
        assert len(github.posts()) == 1


def in_between(bench: Bench, deed: dict[str, object], write: Callable[[int], None]) -> None:
    """A person's deed is being written, with its incident locked, while the tracker's answer is."""
    one = bench.one(1)
    answer = threading.Thread(target=write, args=(one.id,))
    with bench.desk.db.writing() as session:
        incidents.lock(session, bench.incident_id)
        followup.save(session, one.id, **deed)
        answer.start()
        if bench.desk.db.dialect == "postgresql":
            blocked = text(
                "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            wait_until(lambda: session.execute(blocked).scalar_one() > 0)
    answer.join(20)
    assert not answer.is_alive()


def test_a_deed_that_comes_in_between_stays(database_url: str, github: GitHub) -> None:
    with bench_on(database_url, github.settings()) as bench:
        bench.notes()
        desk = bench.desk

        def made(follow_up_id: int) -> None:
            with desk.db.writing() as session:
                tracking.issue_made(
                    desk, session, follow_up_id, Issue("acme/web#1", "https://github.example.com/1"), ANA
                )

        def closed(follow_up_id: int) -> None:
            with desk.db.writing() as session:
                tracking.issue_read(desk, session, follow_up_id, Standing.DONE)

        in_between(bench, {"link": "https://wiki.example.com/plan"}, made)
        one = bench.one(1)
        assert (one.link, one.tracker_key) == ("https://wiki.example.com/plan", "acme/web#1")
        in_between(bench, {"state": "dropped", "settled_by": ANA, "settled_at": now()}, closed)
        one = bench.one(1)
        assert (one.state, one.settled_by, one.tracker_state) == (FollowUpState.DROPPED, ANA, "done")
