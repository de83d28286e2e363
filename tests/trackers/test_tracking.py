"""Follow-ups as issues of the tracker: whatever happens on the way there is one, and what becomes of it comes back."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.domain.catalogue import Service
from bot.domain.followup import FollowUpState
from bot.domain.notices import Whispered
from bot.domain.refusals import Refusal
from bot.store import followup, gates, outbox
from bot.store import incident as incidents
from bot.usecases import tracking
from bot.usecases.followup import link_follow_up, set_follow_up_state
from tests.desks import ANA, BEN
from tests.postmen import QUICK, now, wait_until
from tests.tracker_bench import Bench, bench_on, start_deliverer
from tests.tracker_stands import STANDS, TOKEN, AnyStand, GitHub, GitLab, Jira


def test_a_follow_up_becomes_an_issue_and_whoever_asked_is_told(bench: Bench, github: GitHub) -> None:
    bench.notes(f"ask <@{BEN}> to review the weights", owner=BEN, due_on=date(2099, 1, 31))
    assert "on its way to GitHub (github:acme/web)" in bench.sends(1)
    assert bench.sends(1) == "Follow-up 1 is on its way to GitHub."
    bench.delivers()
    (kept,) = github.issues
    assert kept.title == "ask @\u200bben to review the weights"
    assert "Follow-up 1 of inc-0001 “logins fail for payroll” (SEV3), noted" in kept.body
    assert "Owner: ben." in kept.body and "Due: 2099-01-31." in kept.body
    one = bench.one(1)
    assert (one.tracker_key, one.link) == ("acme/web#1", "https://github.example.com/acme/web/issues/1")
    told = f"Follow-up *1* of inc-0001 is now <{one.link}|acme/web#1>."
    assert bench.told == [told]
    assert bench.sends(1) == f"Follow-up 1 is <{one.link}|acme/web#1> already."
    assert len(github.posts()) == 1


def test_a_lost_answer_is_looked_up_and_not_repeated(stand: AnyStand, sqlite_url: str) -> None:
    if isinstance(stand, Jira):
        # Its search shows nothing new as long as this lasts.
        stand.indexed = 0
    with bench_on(sqlite_url, stand.settings()) as bench:
        for what in ("after", "before", 502, "after"):
            stand.trouble("POST", what)
        for number in range(1, 6):
            bench.notes(f"the work number {number}")
            bench.sends(number)
        bench.delivers()
        assert sorted(one.title for one in stand.issues) == [f"the work number {n}" for n in range(1, 6)]
        assert stand.troubles == []
        keys = [one.tracker_key for one in bench.all()]
        assert len(set(keys)) == 5 and all(keys)
        assert len(bench.told) == 5


def test_killed_between_the_effect_and_the_commit_there_is_one_issue(tmp_path: Path) -> None:
    with ExitStack() as open_until_the_end:
        benches: list[tuple[AnyStand, Bench]] = []
        children = []
        for at, kind in enumerate(STANDS):
            stand = open_until_the_end.enter_context(kind())
            url = f"sqlite:///{tmp_path / f'{at}.db'}"
            bench = open_until_the_end.enter_context(bench_on(url, stand.settings()))
            bench.notes()
            bench.sends(1)
            benches.append((stand, bench))
            child = start_deliverer(url, stand.settings())
            children.append(child)
            stand.on_effect = child.kill
        for child in children:
            child.join(30)
            assert child.exitcode == -9
        for stand, bench in benches:
            stand.on_effect = lambda: None
            assert bench.one(1).tracker_key is None
            bench.postman()
        for stand, bench in benches:
            bench.delivers()
            assert len(stand.issues) == len(stand.posts()) == 1
            assert bench.one(1).tracker_key is not None


def test_asked_twice_at_once_it_becomes_one_issue(database_url: str, github: GitHub) -> None:
    with bench_on(database_url, github.settings()) as bench:
        bench.notes()
        gate = threading.Barrier(4)

        def ask() -> None:
            gate.wait(10)
            bench.sends(1)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        # Two replicas on PostgreSQL.
        bench.postman()
        if bench.desk.db.dialect == "postgresql":
            bench.postman()
        bench.delivers()
        assert len(github.issues) == len(github.posts()) == 1
        github.close(1)
        assert bench.reads(1).state is FollowUpState.DONE


def test_a_refusal_is_told_with_its_remedy_and_sent_again_it_is_one_issue(
    bench: Bench, github: GitHub
) -> None:
    bench.notes()
    for times in (1, 2):
        github.trouble("POST", 403, body={"message": f"Resource not accessible {TOKEN}"})
        bench.sends(1)
        bench.delivers()
        wait_until(lambda times=times: len(bench.told) == times)
    assert (
        "The issue of a follow-up for inc-0001 did not reach the tracker: GitHub answered 403"
        in bench.told[0]
    )
    assert "Give the token the permission Issues: read and write" in bench.told[0]
    assert "`/incident follow-up send 1`" in bench.told[0] and TOKEN not in str(bench.told)
    bench.sends(1)
    bench.delivers()
    assert len(github.issues) == 1 and bench.one(1).tracker_key == "acme/web#1"


def test_what_was_given_up_and_had_been_created_is_found_by_the_next_asking(
    bench: Bench, github: GitHub
) -> None:
    bench.notes()
    github.trouble("POST", "after")
    github.trouble("GET", 503, times=-1)
    bench.postman(replace(QUICK, give_up_after=timedelta(seconds=0.3)))
    bench.sends(1)
    bench.delivers()
    assert bench.one(1).tracker_key is None and len(github.issues) == 1
    github.troubles.clear()
    bench.sends(1)
    bench.delivers()
    assert bench.one(1).tracker_key == "acme/web#1"
    assert len(github.posts()) == 1


def test_a_limit_closes_the_gate_for_all_calls_and_nothing_is_lost(bench: Bench, github: GitHub) -> None:
    github.trouble("POST", 403, retry_after="1")
    for number in (1, 2):
        bench.notes()
        bench.sends(number)
    bench.postman()
    wait_until(lambda: not github.troubles)

    def is_shut() -> bool:
        with bench.desk.db.reading() as session:
            return "tracker" in gates.closed(session, now())

    wait_until(is_shut)
    bench.delivers()
    assert sorted(one.tracker_key or "" for one in bench.all()) == ["acme/web#1", "acme/web#2"]
    assert len(github.posts()) == 3


def test_a_tracker_that_hangs_holds_up_no_channel(bench: Bench, github: GitHub) -> None:
    github.trouble("POST", "hang", times=-1)
    for number in range(1, 8):
        bench.notes()
        bench.sends(number)
    bench.postman()
    wait_until(lambda: len(github.posts()) == 3)
    with bench.desk.db.writing() as session:
        bench.desk.tell(session, *(Whispered(n, f"C{n}", ANA, f"word {n}") for n in range(1, 30)))
    wait_until(lambda: len(bench.told) == 29)
    assert len(github.posts()) == 3, "it took more of the postman's threads than three"
    github.__exit__()


# What may leave


def test_of_a_private_incident_nothing_leaves_unless_somebody_says_so(
    github: GitHub, sqlite_url: str
) -> None:
    with bench_on(sqlite_url, github.settings(), is_private=True) as bench:
        bench.notes("rotate the keys")
        with pytest.raises(Refusal) as refused:
            bench.sends(1)
        assert "inc-0001 is private" in refused.value.sentence
        assert "`/incident follow-up send 1 anyway`" in refused.value.sentence
        bench.delivers()
        assert github.asked == []
        bench.sends(1, is_anyway=True)
        bench.delivers()
        (kept,) = github.issues
        assert kept.title == "rotate the keys" and "payroll" not in str(github.asked)
        assert "Follow-up 1 of inc-0001 (SEV3)" in kept.body


def test_an_incident_that_became_private_on_the_way_is_not_told(bench: Bench, github: GitHub) -> None:
    bench.notes()
    bench.sends(1)
    with bench.desk.db.writing() as session:
        incidents.save(session, bench.incident_id, is_private=True)
    bench.delivers()
    assert github.asked == []


def test_the_issue_leads_back_to_the_console(github: GitHub, sqlite_url: str) -> None:
    with bench_on(sqlite_url, github.settings(), console=lambda: "https://lantern.example.com") as bench:
        bench.notes()
        bench.sends(1)
        bench.delivers()
    assert "(https://lantern.example.com/incidents/1/follow-ups/1)" in github.issues[0].body


# What is refused, and what is kept


def test_without_a_tracker_the_setting_is_named(sqlite_url: str) -> None:
    with bench_on(sqlite_url, {}) as bench:
        bench.notes()
        with pytest.raises(Refusal, match="`LANTERN_TRACKER=github:acme/web`"):
            bench.sends(1)


def test_a_tracker_that_cannot_be_used_says_why(sqlite_url: str) -> None:
    with bench_on(sqlite_url, {"tracker": "github:acme/web"}) as bench:
        bench.notes()
        with pytest.raises(Refusal, match="LANTERN_TRACKER_TOKEN is not set"):
            bench.sends(1)


def test_what_is_done_is_not_sent_and_a_link_by_hand_stays(bench: Bench, github: GitHub) -> None:
    bench.notes()
    set_follow_up_state(bench.desk, bench.incident_id, 1, FollowUpState.DONE, by=ANA)
    with pytest.raises(Refusal, match="nothing of it is left to send"):
        bench.sends(1)
    set_follow_up_state(bench.desk, bench.incident_id, 1, FollowUpState.OPEN, by=ANA)
    link_follow_up(bench.desk, bench.incident_id, 1, "https://wiki.example.com/plan", by=ANA)
    bench.sends(1)
    bench.delivers()
    one = bench.one(1)
    assert (one.link, one.tracker_key) == ("https://wiki.example.com/plan", "acme/web#1")
    assert "Its link stays <https://wiki.example.com/plan>" in bench.told[0]


def test_a_service_may_have_a_project_of_its_own(github: GitHub, sqlite_url: str) -> None:
    services = {
        "payroll": Service("payroll", tracker="github:acme/web"),
        "login": Service("login", tracker="jira:OPS"),
    }
    settings = {**github.settings(), "tracker": "github:acme/other"}
    with bench_on(sqlite_url, settings, services=lambda: services) as bench:
        bench.notes()
        bench.sends(1)
        bench.delivers()
        assert bench.one(1).tracker == "github:acme/web" and len(github.issues) == 1
        github.close(1)
        assert bench.reads(1).state is FollowUpState.DONE
        with bench.desk.db.writing() as session:
            incidents.save(session, bench.incident_id, service="login")
        bench.notes()
        with pytest.raises(Refusal, match="`jira:OPS`, which is no project of GitHub"):
            bench.sends(2)


# What comes back


def filed(bench: Bench) -> int:
    number = bench.notes()
    bench.sends(number)
    bench.delivers()
    return number


def test_closed_there_it_is_done_here_and_opened_there_it_is_open(stand: AnyStand, sqlite_url: str) -> None:
    with bench_on(sqlite_url, stand.settings()) as bench:
        filed(bench)
        assert not tracking.issues_due(bench.desk), "it was asked before the hour was over"
        assert bench.reads(1).state is FollowUpState.OPEN
        stand.close(1)
        one = bench.reads(1)
        assert (one.state, one.settled_by, one.tracker_state) == (FollowUpState.DONE, stand.kind, "done")
        assert one.settled_at is not None
        with bench.desk.db.reading() as session:
            assert followup.worth_reminding(session, date(2199, 1, 1)) == []
        stand.reopen(1)
        one = bench.reads(1)
        assert (one.state, one.settled_by, one.settled_at) == (FollowUpState.OPEN, None, None)
        stand.close(1, is_dropped=True)
        is_told_why = not isinstance(stand, GitLab)
        assert bench.reads(1).state is (FollowUpState.DROPPED if is_told_why else FollowUpState.DONE)
        assert len(stand.posts()) == 1


def test_what_a_person_decided_stays(bench: Bench, github: GitHub) -> None:
    filed(bench)
    done = set_follow_up_state(bench.desk, bench.incident_id, 1, FollowUpState.DONE, by=ANA)
    assert done.text == "Follow-up *1* is done. Its issue acme/web#1 stays as it is."
    assert bench.one(1).settled_by == ANA
    with bench.desk.db.writing() as session:
        followup.save(session, bench.one(1).id, tracker_state_at=now() - timedelta(hours=2))
    assert not tracking.issues_due(bench.desk), "what a person settled is asked for"
    # The tracker closes it, a person opens it again here: the closed issue does not close it once more.
    set_follow_up_state(bench.desk, bench.incident_id, 1, FollowUpState.OPEN, by=ANA)
    github.close(1)
    assert bench.reads(1).state is FollowUpState.DONE
    set_follow_up_state(bench.desk, bench.incident_id, 1, FollowUpState.OPEN, by=ANA)
    assert bench.reads(1).state is FollowUpState.OPEN


def test_an_issue_that_is_gone_changes_nothing_and_is_asked_for_gently(bench: Bench, github: GitHub) -> None:
    filed(bench)
    github.close(1)
    bench.reads(1)
    set_follow_up_state(bench.desk, bench.incident_id, 1, FollowUpState.OPEN, by=ANA)
    hidden = github.issues.pop()
    assert bench.reads(1).state is FollowUpState.OPEN
    assert not tracking.issues_due(bench.desk)
    # Shown again and closed as before: a person has opened it here since.
    github.issues.append(hidden)
    assert bench.reads(1).state is FollowUpState.OPEN


def test_a_token_that_is_refused_when_reading_alarms_nobody_and_is_not_hurried(
    bench: Bench, github: GitHub
) -> None:
    filed(bench)
    filed(bench)
    said = len(bench.told)
    github.trouble("GET", 401, times=-1)
    for number in (1, 2):
        one = bench.reads(number)
        assert one.state is FollowUpState.OPEN
        assert not tracking.issues_due(bench.desk)
    assert len(bench.told) == said
    with bench.desk.db.reading() as session:
        assert outbox.list_set_aside(session) == []


def test_a_tracker_that_is_down_when_reading_is_read_later_once(bench: Bench, github: GitHub) -> None:
    filed(bench)
    github.close(1)
    github.trouble("GET", 503, times=2)
    assert bench.reads(1).state is FollowUpState.DONE
    assert tracking.issues_due(bench.desk) is False


def test_two_readings_are_not_put_beside_each_other(github: GitHub, sqlite_url: str) -> None:
    with bench_on(sqlite_url, github.settings()) as bench:
        filed(bench)
        for postman in bench.started:
            postman.stop()
        bench.started.clear()
        with bench.desk.db.writing() as session:
            followup.save(session, bench.one(1).id, tracker_state_at=now() - timedelta(hours=2))
        assert [tracking.issues_due(bench.desk) for _ in range(3)] == [True, False, False]
