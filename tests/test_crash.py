"""kill -9 in every deed: nothing is lost and nothing is said twice. A short share of tests/crash/, with the proof that
it would find what goes wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.crash.attack import Course, attack, never_met
from tests.crash.fate import Fate, Plan, Point
from tests.crash.replicas import replicas
from tests.crash.score import Census, Death, Score, Told, missing_and_extra, table
from tests.crash.teller import DEEDS, Teller
from tests.crash_house import HASTY, Life

#: Lives that end, at least: a story ends seven or more.
_KILLS = {"sqlite": 14, "postgresql": 7}


def test_killed_in_every_deed_it_loses_nothing_and_says_nothing_twice(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = database_url.partition("+")[0].partition(":")[0]
    said: list[str] = []
    score = attack(
        database_url,
        kills=_KILLS[engine],
        seed=5,
        lives=[Life()] if engine == "sqlite" else [Life(HASTY)] * 2,
        said=said.append,
    )
    with capsys.disabled():
        print(f" {engine}: {score} ", end="")
    assert score.is_whole, "\n".join(said)
    assert score.killed >= _KILLS[engine]


@pytest.mark.parametrize(
    ("sabotage", "plan", "lost", "doubled"),
    [
        ("repeats without looking", Plan("bookmarks.add", Point.EFFECT), "", "bookmark: Runbooks"),
        ("forgets what it was at", Plan("pins.add", Point.BEFORE), "pin", ""),
    ],
    ids=["doubled", "lost"],
)
def test_a_lantern_that_lost_or_doubled_would_be_found(
    tmp_path: Path, sabotage: str, plan: Plan, lost: str, doubled: str
) -> None:
    score = Score()
    with replicas(f"sqlite:///{tmp_path / 'lantern.db'}", [Life(sabotage=sabotage)]) as here:
        wanted = Teller(here).told(["open"])
        teller = Teller(here, {"open": plan})
        score.judge(teller.told(["open"]), wanted)
    assert teller.spared == []
    assert any(one.startswith(lost) for one in score.lost) is bool(lost)
    assert any(one.startswith(doubled) for one in score.doubled) is bool(doubled)


def test_what_is_missing_twice_or_in_disorder_counts() -> None:
    wanted = Told(["a", "b", "b", "card"], ["a", "b", "b"])
    assert missing_and_extra(["a", "b", "b", "card"], wanted.facts) == ([], [])
    score = Score()
    assert score.judge(Told(["b", "card", "b", "a"], ["a", "b", "b"]), wanted) == ""
    assert score.is_whole
    assert score.judge(Told(["a", "b", "card"], ["a", "b"]), wanted) == "lost ['b']"
    assert "doubled ['card']" in score.judge(Told(["a", "b", "b", "card", "card"], ["a", "b", "b"]), wanted)
    # One thing lost does not even out another that is doubled.
    assert score.judge(Told(["a", "a", "b", "card"], []), wanted) == "lost ['b']; doubled ['a']"
    assert score.judge(Told(wanted.facts, ["b", "a", "b"]), wanted).startswith("out of order")
    assert score.broke_off(TimeoutError("no form")).startswith("the rest of the story")
    assert (score.stories, len(score.lost), len(score.doubled), score.disordered) == (6, 3, 2, 1)
    assert not score.is_whole


def test_an_incident_too_many_counts_though_its_story_is_whole() -> None:
    grown = Census(incidents=3, channels=9) - Census(incidents=1, channels=8)
    assert grown.facts() == ["one of incidents", "one of incidents", "one of channels"]


def test_the_table_shows_where_it_died_and_where_it_never_did() -> None:
    calls = {deed: ["chat.postMessage"] for deed in DEEDS} | {"log": ["request: command", "chat.postMessage"]}
    course = Course(calls, random.Random(1))
    deaths = [
        Death("log", "chat.postMessage", Point.BEFORE),
        Death("log", "chat.postMessage", Point.BEFORE),
        Death("log", "request: command", Point.DURING),
    ]
    rows = {line.rsplit("  ", 1)[0].split("  ")[0]: line.split()[-5:] for line in table(deaths)[1:]}
    assert rows == {
        "log: chat.postMessage": ["2", "-", "-", "-", "-"],
        "log: request: command": ["-", "1", "-", "-", "-"],
    }
    never = [line for line in never_met(course, deaths) if line.startswith("log")]
    assert never == [
        "log: after its answer chat.postMessage",
        "log: after its effect chat.postMessage",
        "log: after the commit chat.postMessage",
        "log: after its answer request: command",
        "log: after its effect request: command",
        "log: before it request: command",
    ]
    # Each way to die has its turn before one has its second.
    turns = [course.next()["log"] for _ in course.ways["log"]]
    assert sorted(map(str, turns)) == sorted(map(str, course.ways["log"]))


def test_one_plan_is_one_death_at_the_call_it_names() -> None:
    fate = Fate()
    fate.plan(Plan("pins.add", Point.EFFECT, nth=2))
    asked = ["pins.add", "chat.update", "pins.add", "pins.add"]
    assert [fate.meets(method) for method in asked] == [None, None, Point.EFFECT, None]
    assert fate.calls() == asked
    fate.plan(Plan("", Point.BEFORE))
    assert [fate.meets(method) for method in ("request: event", "auth.test")] == [None, Point.BEFORE]
