"""Figures of many incidents: each one as it was computed by hand, and only of what a person may see."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.followup import FollowUpState
from bot.domain.incident import Incident, Severity
from bot.domain.insights import Group, Why, median, nearest_rank
from bot.domain.load import load_of
from bot.domain.metrics import key_times, measure
from bot.domain.refusals import Refusal
from bot.domain.timeline import Kind, Source
from bot.store import incident, timeline
from bot.store.db import Session
from bot.usecases.desk import Desk
from bot.usecases.followup import add_follow_up, set_follow_up_state
from bot.usecases.insights import figures, services_seen
from bot.usecases.postmortem import facts_of
from tests.figured import BOOK, NAMES, NOW, figured, length

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with figured(database_url) as here:
        yield here


def read(line: str) -> tuple[int, timedelta | None, timedelta | None, tuple[tuple[Why, int], ...]]:
    """ "0:10:00 0:20:00 | 0:15:00 | 0:20:00 | 1 not known": how many values, median, p90, and those without."""
    values, middle, high, without = (part.strip() for part in line.split("|"))
    missing = [part.split(" ", 1) for part in without.split(", ") if part]
    return (
        len(values.split()),
        length(middle) if middle else None,
        length(high) if high else None,
        tuple((Why(why), int(count)) for count, why in missing),
    )


def check(group: Group) -> None:
    told = BOOK["groups"][group.key or group.label]
    assert group.incidents == int(told["incidents"]), group.label
    for short, name in NAMES.items():
        spread = group.spread(name)
        found = (spread.n, spread.median, spread.p90, spread.missing)
        assert found == read(told.get(short, "| | |")), f"{group.label}: {name}"
        assert spread.n + spread.without == group.incidents


def cells(rows: tuple[tuple[object, ...], ...]) -> dict[str, object]:
    return {
        f"{day} {hour}": cell
        for day, row in zip(DAYS, rows, strict=True)
        for hour, cell in enumerate(row)
        if cell
    }


def test_every_figure_is_the_one_computed_by_hand(desk: Desk) -> None:
    found = figures(desk, by="UANA")
    told = {one.case.number: one for one in found.took}
    by_hand = {int(one["number"]): one["figures"] for one in BOOK["incidents"] if "figures" in one}
    assert sorted(told) == sorted(by_hand)
    for number, line in by_hand.items():
        for short, name in NAMES.items():
            value = line[short]
            expected = length(value) if value[0].isdigit() else Why(value)
            assert told[number].spans[name] == expected, f"incident {number}: {name}"
    assert (found.incidents, found.still_open) == (17, 2)
    assert (found.left_out.drills, found.left_out.cancelled, found.left_out.merged) == (1, 1, 1)
    groups = [found.overall, *found.by_month, *found.by_severity, *found.by_service]
    for group in groups:
        check(group)
    assert [group.key or group.label for group in groups] == list(BOOK["groups"]), "a group is left out"
    # Load, and follow-ups.
    assert cells(found.load.opened) == {key: int(count) for key, count in BOOK["opened"].items()}
    assert found.load.hours_responding == length(BOOK["responding"])
    for day, hours in BOOK["days"].items():
        on = date.fromisoformat(day)
        there = figures(desk, by="UANA", since=on, until=on)
        assert cells(there.load.responding) == {key: length(value) for key, value in hours.items()}, day
    owed = found.follow_ups
    assert {key: getattr(owed, key) for key in BOOK["follow_ups"]} == {
        key: int(count) for key, count in BOOK["follow_ups"].items()
    }
    assert [f"{one.incident_number}/{one.number}" for one in owed.list_of_overdue] == BOOK["overdue"]
    _only_what_may_be_seen(desk)
    _chosen(desk)
    _same_as_in_the_postmortem(desk)


def _same_as_in_the_postmortem(desk: Desk) -> None:
    """A figure and the draft that tells it are one number, to the microsecond: also of a timeline drawn by lot."""
    chance = random.Random(11)
    with desk.db.writing() as session:
        for number in (1, 2, 11, 15, 20):
            about = incident.get(session, number)
            for _ in range(12):
                _logged_by_lot(session, about, chance)
    for one in figures(desk, by="UANA").took:
        facts = facts_of(desk, one.case.number, by="UANA")
        bots = {person.id for person in facts.people.values() if person.is_bot}
        times = key_times(facts.incident, facts.entries, facts.roles, bots)
        told = measure(times, [it.sent_at for it in facts.updates], [it.happened_at for it in facts.entries])
        for it in told:
            value = one.spans[it.name]
            if isinstance(value, timedelta):
                assert it.value == value, f"incident {one.case.number}: {it.name}"
            elif value is not Why.STILL_OPEN:
                assert it.value is None


def _logged_by_lot(session: Session, about: Incident, chance: random.Random) -> None:
    """An entry near the opening or the closing, with a fraction of a second."""
    near = chance.choice([about.opened_at, about.closed_at or about.opened_at])
    at = near + timedelta(
        seconds=chance.choice([-5, 0, 5, 6, 60]), microseconds=chance.choice([0, 1, -1, 500000])
    )
    timeline.add(
        session,
        incident_id=about.id,
        number=incident.take_number(session, about.id, "entry"),
        kind=chance.choice([Kind.DETECTION, Kind.MITIGATION, Kind.RESOLUTION, Kind.NOTE]),
        text="words",
        happened_at=at,
        recorded_at=at + timedelta(microseconds=chance.choice([0, 1, 999999])),
        author="UANA",
        recorded_by=chance.choice(["UANA", "UBOT"]),
        source=chance.choice([Source.COMMAND, Source.ALERT]),
    )


def _only_what_may_be_seen(desk: Desk) -> None:
    hers, his = figures(desk, by="UANA"), figures(desk, by="UEVE")
    assert {one.case.number for one in hers.took} - {one.case.number for one in his.took} == {16}
    assert (his.incidents, his.follow_ups.overdue, len(his.follow_ups.list_of_overdue)) == (16, 1, 1)
    assert his.load.hours_responding == hers.load.hours_responding - timedelta(hours=3)
    assert figures(desk, by="").incidents == 16
    assert services_seen(desk, by="UEVE") == ["login", "payments", "search"]


def _chosen(desk: Desk) -> None:
    """Days are the team's: incident 4 is opened on 31 March by UTC, and on 1 April in Berlin."""
    march = figures(desk, by="UANA", since=date(2024, 3, 1), until=date(2024, 3, 31))
    assert sorted(one.case.number for one in march.took) == [1, 2, 3, 19]
    check(march.by_month[0])
    # What is overdue stays so, whatever period is looked at.
    assert march.follow_ups.overdue == 2
    one = figures(desk, by="UANA", severity=Severity.SEV2, service="payments")
    assert sorted(each.case.number for each in one.took) == [3, 4, 10, 12]
    assert one.left_out.cancelled == 1
    nameless = figures(desk, by="UANA", service="")
    assert [each.case.number for each in nameless.took] == [2]
    none = figures(desk, by="UANA", since=date(2025, 1, 1))
    assert (none.incidents, none.by_month, none.overall.spreads) == (0, (), ())
    everything = figures(desk, by="UANA", since=date.min, until=date.max)
    assert everything.incidents == 17
    with pytest.raises(Refusal, match=r"The period ends .* before it begins"):
        figures(desk, by="UANA", since=date(2024, 6, 2), until=date(2024, 6, 1))


def test_a_follow_up_is_done_when_it_is_marked_and_no_more_when_it_is_opened_again(sqlite_url: str) -> None:
    with figured(sqlite_url) as desk:
        before = figures(desk, by="UANA").follow_ups
        add_follow_up(desk, 20, "look at the weights", by="UANA", due_on=NOW.date())
        set_follow_up_state(desk, 20, 1, FollowUpState.DONE, by="UANA")
        done = figures(desk, by="UANA").follow_ups
        assert (done.done, done.done_in_time) == (before.done + 1, before.done_in_time + 1)
        set_follow_up_state(desk, 20, 1, FollowUpState.OPEN, by="UANA")
        again = figures(desk, by="UANA").follow_ups
        assert (again.done_in_time, again.open) == (before.done_in_time, before.open + 1)


def test_eight_days_with_a_clock_change_lack_the_hour_that_was_not() -> None:
    begun = datetime(2024, 3, 28, 12, tzinfo=UTC)
    cell = cells(load_of([(begun, begun + timedelta(hours=191))], ZoneInfo("Europe/Berlin")).responding)
    # From Thursday 13:00 to Friday 13:00 of the week after; on Sunday there is no hour from 2 to 3.
    twice = {f"Thu {hour}" for hour in range(13, 24)} | {f"Fri {hour}" for hour in range(13)}
    expected = {
        f"{day} {hour}": timedelta(hours=2 if f"{day} {hour}" in twice else 1)
        for day in DAYS
        for hour in range(24)
        if (day, hour) != ("Sun", 2)
    }
    assert cell == expected


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(2019, 1, 1), datetime(2026, 1, 1)),
            st.timedeltas(timedelta(-2), timedelta(90)),
        ),
        max_size=4,
    ),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"]),
)
@settings(max_examples=40, deadline=None)
def test_no_time_is_lost_or_doubled_between_the_hours(
    drawn: list[tuple[datetime, timedelta]], name: str
) -> None:
    spans = [(at.replace(tzinfo=UTC), at.replace(tzinfo=UTC) + span) for at, span in drawn]
    load = load_of(spans, ZoneInfo(name))
    assert load.hours_responding == sum(
        (max(end - begun, timedelta(0)) for begun, end in spans), timedelta(0)
    )
    assert sum(chain(*load.opened)) == len(spans)


@given(st.lists(st.timedeltas(timedelta(0), timedelta(9)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_nine_of_ten_are_no_longer_than_p90_and_half_no_longer_than_the_median(
    values: list[timedelta],
) -> None:
    values.sort()
    high, middle = nearest_rank(values, 90), median(values)
    assert 10 * sum(it <= high for it in values) >= 9 * len(values)
    # One place lower would be too few.
    assert 10 * sum(it < high for it in values) < 9 * len(values)
    assert 2 * sum(it <= middle for it in values) >= len(values)
    assert 2 * sum(it >= middle for it in values) >= len(values)


def test_an_undone_entry_leaves_the_figures_at_once(sqlite_url: str) -> None:
    with figured(sqlite_url) as desk:
        with desk.db.writing() as session:
            (found,) = timeline.live(session, 5, Kind.MITIGATION)
            timeline.save(session, found.id, undone_at=NOW, undone_by="UANA")
        took = {one.case.number: one.spans for one in figures(desk, by="UANA").took}
        assert took[5]["Time to mitigate"] is Why.UNKNOWN
