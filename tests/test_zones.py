"""One story, typed by people in three time zones in their own local times, is one UTC timeline."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.timeline import Kind, Source
from bot.standin.person import Person
from tests.houses import Town
from tests.rooms import Room, hasty_town, opened

#: How people write a moment at a time: (moment, now), both in their own zone.
Form = Callable[[datetime, datetime], str]

ZONES = {
    "ana": "America/New_York",
    "ben": "Europe/Berlin",
    "chloe": "Asia/Kolkata",
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("zones")) as here:
        yield here


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """Something that happened, and when it was typed; both UTC."""

    happened: str
    typed: str
    kind: str
    text: str


OUTAGE = (
    Told("2024-06-03 10:30", "2024-06-03 10:33", "detection", "alarms on login"),
    Told("2024-06-03 11:10", "2024-06-03 11:15", "action", "read the logs of the backend servers"),
    Told("2024-06-03 14:20", "2024-06-03 14:25", "dead end", "database performance"),
    Told("2024-06-03 18:45", "2024-06-03 18:46", "dead end", "application code"),
    # Kolkata is in 4 June by now, Berlin soon, New York for hours not.
    Told("2024-06-03 19:05", "2024-06-03 19:10", "escalation", "called the network team"),
    Told("2024-06-03 22:50", "2024-06-03 23:55", "finding", "uneven traffic"),
    Told("2024-06-03 23:59", "2024-06-04 00:01", "mitigation", "weights set by hand"),
    Told("2024-06-04 00:55", "2024-06-04 03:59", "resolution", "misconfiguration corrected"),
    Told("2024-06-04 04:05", "2024-06-04 04:10", "note", "all quiet"),
)

#: Each crosses a change of the clocks of one of the three; no moment lies in a doubled or missing hour.
CHANGES = {
    "Berlin goes back": (
        Told("2024-10-26 21:30", "2024-10-26 22:10", "detection", "alarms before midnight"),
        Told("2024-10-26 22:30", "2024-10-27 02:30", "finding", "before the hour came twice"),
        Told("2024-10-27 02:10", "2024-10-27 02:31", "mitigation", "after the hour came twice"),
        Told("2024-10-27 10:00", "2024-10-27 10:05", "resolution", "the morning after"),
    ),
    "New York goes back": (
        Told("2024-11-03 03:30", "2024-11-03 03:40", "detection", "still on Saturday in New York"),
        Told("2024-11-03 04:30", "2024-11-03 07:30", "finding", "after midnight in New York"),
        Told("2024-11-03 07:15", "2024-11-03 07:31", "mitigation", "after the hour came twice"),
        Told("2024-11-03 15:00", "2024-11-03 15:05", "resolution", "the morning after"),
    ),
    "New York goes forward": (
        Told("2025-03-09 06:30", "2025-03-09 06:40", "detection", "half an hour before the gap"),
        Told("2025-03-09 07:10", "2025-03-09 07:20", "mitigation", "ten minutes after the gap"),
        Told("2025-03-09 14:00", "2025-03-09 14:05", "resolution", "the morning after"),
    ),
    "Berlin goes forward": (
        Told("2025-03-30 00:30", "2025-03-30 00:40", "detection", "half an hour before the gap"),
        Told("2025-03-30 01:10", "2025-03-30 01:20", "mitigation", "ten minutes after the gap"),
        Told("2025-03-30 12:00", "2025-03-30 12:05", "resolution", "the day after"),
    ),
}


def clock_only(moment: datetime, now: datetime) -> str:
    """12:30, or yesterday 22:10: the way people say it on the day itself."""
    days = (now.date() - moment.date()).days
    assert days in (0, 1), "this story is told within a day"
    return f"{'yesterday ' if days else ''}{moment:%H:%M}"


def american(moment: datetime, now: datetime) -> str:
    days = (now.date() - moment.date()).days
    return f"{'yesterday ' if days else ''}{moment:%I:%M %p}".replace(" 0", " ").lstrip("0")


def dated(moment: datetime, now: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def tell(town: Town, story: tuple[Told, ...], who: str, form: Form) -> Room:
    """Open an incident and type the story as this person, in their zone's local times."""
    person: Person = getattr(town, who)
    zone = ZoneInfo(ZONES[who])
    town.set_clock(utc(story[0].typed))
    room = opened(town, "/incident open logins fail sev2", by=person)
    for told in story:
        town.set_clock(utc(told.typed))
        moment, now = (utc(text).astimezone(zone) for text in (told.happened, told.typed))
        answer = room.types(f"/log {form(moment, now)} {told.kind}: {told.text}", by=person)
        assert "Logged" in answer, f"{who}: {form(moment, now)} at {now}: {answer}"
    return room


def timeline(room: Room) -> list[tuple[datetime, Kind, str]]:
    return [
        (one.happened_at, one.kind, one.text) for one in room.entries if one.source is not Source.AUTOMATIC
    ]


def drawn(room: Room, person: Person) -> str:
    """The timeline of the draft, without names and without what Lantern noted by itself."""
    room.types("/postmortem compile", by=person)
    text = room.town.draft(room.number).split("\n## Timeline\n")[1].split("\n### Detection\n")[0]
    lines = [
        line for line in text.splitlines() if line and " note, " not in line[:60] and "(written" not in line
    ]
    return "\n".join(re.sub(r", (ana|ben|chloe|dev|eve), #\d+:", ":", line) for line in lines)


@pytest.mark.parametrize("form", [clock_only, american, dated])
def test_the_outage_typed_in_three_zones_is_one_timeline(town: Town, form: Form) -> None:
    wanted = [(utc(told.happened), Kind(told.kind), told.text) for told in OUTAGE]
    texts = set()
    for who in ("ana", "ben", "chloe"):
        room = tell(town, OUTAGE, who, form)
        assert timeline(room) == wanted, who
        texts.add(drawn(room, getattr(town, who)))
    (text,) = texts
    assert "### Monday, June 3, 2024" in text and "### Tuesday, June 4, 2024" in text
    assert "- **10:30** detection: alarms on login" in text


@pytest.mark.parametrize("form", [clock_only])
@pytest.mark.parametrize("change", list(CHANGES))
def test_a_night_in_which_clocks_change_is_one_timeline(town: Town, change: str, form: Form) -> None:
    story = CHANGES[change]
    wanted = [(utc(told.happened), Kind(told.kind), told.text) for told in story]
    texts = set()
    for who in ("ana", "ben", "chloe"):
        room = tell(town, story, who, form)
        assert timeline(room) == wanted, who
        texts.add(drawn(room, getattr(town, who)))
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("who", "now", "typed", "choices"),
    [
        ("ben", "2024-10-27 10:00", "2:30", ("+02:00", "+01:00")),
        ("ana", "2024-11-03 12:00", "1:30 AM", ("-04:00", "-05:00")),
        ("ben", "2025-03-30 10:00", "2:30", ("01:30",)),
        ("ana", "2025-03-09 12:00", "2:30 AM", ("01:30",)),
    ],
)
def test_an_hour_that_came_twice_or_never_is_asked_about(
    town: Town, who: str, now: str, typed: str, choices: tuple[str, ...]
) -> None:
    town.set_clock(utc(now))
    person = getattr(town, who)
    room = opened(town, by=person)
    answer = room.types(f"/log {typed} detection: alarms", by=person)
    assert not timeline(room)
    assert all(choice in answer for choice in choices), answer
    # Somebody whose clocks were not changed may say the same clock time.
    assert "Logged" in room.types(f"/log {typed} detection: alarms", by=town.dev)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("10:30 UTC", "2024-06-03 10:30"),
        ("12:30 Europe/Berlin", "2024-06-03 10:30"),
        ("2024-06-03T10:30Z", "2024-06-03 10:30"),
        ("2024-06-03T16:00+05:30", "2024-06-03 10:30"),
        ("6:30 EDT", "2024-06-03 10:30"),
    ],
)
def test_a_named_zone_means_the_same_to_everybody(town: Town, typed: str, meant: str) -> None:
    town.set_clock(utc("2024-06-03 11:30"))
    room = opened(town)
    for person in (town.ana, town.ben, town.chloe):
        assert "Logged" in room.types(f"/log {typed} finding: seen", by=person), typed
    assert {at for at, _, _ in timeline(room)} == {utc(meant)}


def test_a_span_of_time_needs_no_zone(town: Town) -> None:
    now = utc("2024-06-03 19:00")
    town.set_clock(now)
    room = opened(town)
    for person in (town.ana, town.ben, town.chloe):
        room.types("/log 45m ago finding: seen", by=person)
    moments = [at for at, _, _ in timeline(room)]
    wanted = now - timedelta(minutes=45)
    assert len(moments) == 3 and all(timedelta(0) <= at - wanted < timedelta(seconds=30) for at in moments)


def test_a_person_who_moves_types_in_the_new_zone(town: Town) -> None:
    town.set_clock(utc("2024-06-03 11:30"))
    finn = Person(town.standin.url, town.standin.add_person("finn", "Finn Hall", "Europe/London"))
    room = opened(town, by=finn)
    assert "11:10 UTC" in room.types("/log 12:10 note: from London", by=finn)
    finn.act("set_profile", tz="America/Chicago")
    # The news of the move comes by itself, a moment later.
    finn.waits_for(lambda: "11:05 UTC" in room.types("/log 6:05 note: from Chicago", by=finn))
    assert utc("2024-06-03 11:05") in [at for at, _, _ in timeline(room)]


def test_the_close_form_shows_and_takes_the_persons_own_times(town: Town) -> None:
    """Impact from 10:00 to 01:00 UTC, said by three people in three zones, is fifteen hours each time."""
    for person, began, ended in (
        (town.ana, "2024-06-03 06:00", "yesterday 21:00"),
        (town.ben, "2024-06-03 12:00", "03:00"),
        (town.chloe, "2024-06-03 15:30", "2024-06-04 6:30"),
    ):
        town.set_clock(utc("2024-06-03 10:32"))
        room = opened(town, by=person)
        room.types("/incident impact began 10:00 UTC", by=person)
        town.set_clock(utc("2024-06-04 09:00"))
        room.types("/incident close", by=person)
        form = room.form(by=person)
        assert form["state"]["values"]["began"]["typed"]["value"] == began
        assert person.submits(form, {"ended": ended})["closed"]
        about = room.about
        assert about.impact_started_at == utc("2024-06-03 10:00")
        assert about.impact_ended_at == utc("2024-06-04 01:00")
        assert "June 3, 2024 10:00 - June 4, 2024 01:00 (UTC): 15 hours" in town.draft(room.number)
