"""Key times and spans: known ones are exact, unknown ones stay unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.domain.incident import Incident, Severity, Status
from bot.domain.metrics import KeyTimes, Measure, key_times, measure
from bot.domain.people import Role, RoleHeld
from bot.domain.timeline import Entry, Kind, Source

DECLARED = datetime(2024, 6, 3, 10, 35, tzinfo=UTC)


def incident(**changes: object) -> Incident:
    made = Incident(1, 1, "Logins fail", Severity.SEV1, Status.CLOSED, False, False, DECLARED, "U1")
    return replace(made, **changes)


def entry(number: int, kind: Kind, happened_at: datetime, **changes: object) -> Entry:
    made = Entry(number, 1, number, kind, "words", happened_at, happened_at, "U1", "U1", Source.COMMAND)
    return replace(made, **changes)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 6, day, hour, minute, tzinfo=UTC)


def named(measures: tuple[Measure, ...], name: str) -> Measure:
    return next(it for it in measures if it.name == name)


def spans(times: KeyTimes, *updates: datetime, entries: Sequence[Entry] = ()) -> dict[str, timedelta | None]:
    return {it.name: it.value for it in measure(times, updates, [one.happened_at for one in entries])}


def test_a_story_over_midnight_keeps_its_days():
    entries = [
        entry(1, Kind.DETECTION, at(3, 10, 30)),
        entry(2, Kind.DETECTION, at(3, 10, 20), recorded_at=at(3, 12)),
        entry(3, Kind.MITIGATION, at(4, 9, 0)),
        entry(4, Kind.MITIGATION, at(3, 23, 50)),
        entry(5, Kind.RESOLUTION, at(5, 11, 0)),
    ]
    times = key_times(incident(impact_started_at=at(3, 10)), entries)
    assert times.detected.at == at(3, 10, 20)
    assert times.detected.source == "entry #2"
    assert spans(times, at(3, 11), at(5, 10), entries=entries) == {
        "Time to detect": timedelta(minutes=20),
        "Time to acknowledge": timedelta(hours=1, minutes=40),
        "Time to mitigate": timedelta(hours=13, minutes=50),
        "Time to resolve": timedelta(days=2, hours=1),
        "Response": timedelta(days=2, minutes=25),
        "First update": timedelta(minutes=25),
        "Longest silence": timedelta(days=1, hours=23),
        # From the mitigation at 09:00 on the 4th to the update at 10:00 on the 5th.
        "Longest gap": timedelta(days=1, hours=1),
    }


def test_nothing_known_is_unknown_and_never_zero():
    values = spans(key_times(incident(), []))
    assert set(values.values()) == {None}
    assert len(values) == 8


def test_the_first_impact_entry_is_not_taken_for_the_start_of_impact():
    times = key_times(incident(), [entry(1, Kind.IMPACT, at(3, 10))])
    assert times.impact_started.at is None
    assert times.impact_started.source == ""


def test_a_stated_end_of_impact_wins_over_the_last_resolution_entry():
    entries = [entry(1, Kind.RESOLUTION, at(3, 11)), entry(2, Kind.RESOLUTION, at(3, 12))]
    assert key_times(incident(), entries).resolved.at == at(3, 12)
    stated = key_times(incident(impact_ended_at=at(3, 13)), entries).resolved
    assert (stated.at, stated.source) == (at(3, 13), "the incident's record")


def test_the_closing_forms_own_resolution_entry_says_nothing_about_when_it_ended():
    closed = at(5, 9)
    by_the_form = entry(2, Kind.RESOLUTION, closed - timedelta(milliseconds=4), source=Source.MODAL)
    assert key_times(incident(closed_at=closed), [by_the_form]).resolved.at is None
    before = entry(1, Kind.RESOLUTION, at(5, 8, 50))
    assert key_times(incident(closed_at=closed), [before, by_the_form]).resolved.at == at(5, 8, 50)


def test_acknowledged_is_when_a_person_first_wrote_something_down_or_took_a_role():
    backdated = entry(1, Kind.FINDING, at(3, 9), recorded_at=at(3, 10, 50))
    by_alert = entry(2, Kind.DETECTION, at(3, 10, 36), source=Source.ALERT)
    by_bot = entry(3, Kind.NOTE, at(3, 10, 37), recorded_by="UBOT")
    opening = entry(4, Kind.NOTE, DECLARED + timedelta(milliseconds=3), source=Source.AUTOMATIC)
    entries = [backdated, by_alert, by_bot, opening]
    times = key_times(incident(), entries, bots={"UBOT"})
    assert times.acknowledged.at == at(3, 10, 50)
    assert times.acknowledged.source == "entry #1, when it was written down"

    opener = RoleHeld(1, 1, Role.COMMANDER, "U1", DECLARED)
    scribe = RoleHeld(2, 1, Role.SCRIBE, "U2", at(3, 10, 40))
    taken = key_times(incident(), entries, [opener, scribe], {"UBOT"}).acknowledged
    assert (taken.at, taken.source) == (at(3, 10, 40), "scribe taken")


def test_what_is_written_down_after_closing_acknowledges_nothing():
    late = entry(1, Kind.ACTION, at(3, 10, 40), recorded_at=at(5, 9))
    assert key_times(incident(closed_at=at(4, 9)), [late]).acknowledged.at is None


def test_a_changed_status_acknowledges():
    changed = entry(1, Kind.NOTE, at(3, 10, 41), source=Source.AUTOMATIC)
    assert key_times(incident(), [changed]).acknowledged.at == at(3, 10, 41)


def test_ends_the_wrong_way_round_give_no_number():
    times = key_times(
        incident(impact_started_at=at(3, 11), impact_ended_at=at(3, 10)),
        [entry(1, Kind.DETECTION, at(3, 10, 30))],
    )
    measures = measure(times, [], [])
    wrong = {it.name for it in measures if it.is_impossible}
    assert wrong == {"Time to detect", "Time to resolve", "Response", "Longest silence", "Longest gap"}
    assert all(named(measures, name).value is None for name in wrong)


def test_a_moment_at_the_same_instant_is_a_span_of_nothing_and_possible():
    times = key_times(incident(impact_started_at=at(3, 10, 30)), [entry(1, Kind.DETECTION, at(3, 10, 30))])
    detect = named(measure(times, [], []), "Time to detect")
    assert (detect.value, detect.is_impossible) == (timedelta(0), False)


def test_silence_counts_from_declaring_and_up_to_the_end():
    times = key_times(incident(impact_ended_at=at(3, 14, 35)), [])
    assert spans(times)["Longest silence"] == timedelta(hours=4)
    assert spans(times, at(3, 11), at(3, 13), at(3, 20))["Longest silence"] == timedelta(hours=2)
    assert spans(times, at(3, 10, 40), at(3, 10, 50))["Longest silence"] == timedelta(hours=3, minutes=45)


def test_silence_goes_up_to_closing_when_nobody_said_when_it_was_resolved():
    times = key_times(incident(closed_at=at(3, 12, 35)), [])
    assert spans(times)["Longest silence"] == timedelta(hours=2)


def test_a_gap_ends_with_an_entry_or_an_update_whichever_comes_first():
    times = key_times(incident(impact_ended_at=at(3, 14, 35)), [])
    noted = [entry(1, Kind.NOTE, at(3, 12, 35)), entry(2, Kind.NOTE, at(3, 9)), entry(3, Kind.NOTE, at(4, 9))]
    assert spans(times)["Longest gap"] == timedelta(hours=4)
    assert spans(times, entries=noted)["Longest gap"] == timedelta(hours=2)
    assert spans(times, at(3, 13, 35), entries=noted)["Longest gap"] == timedelta(hours=2)
    assert spans(times, at(3, 11, 35), at(3, 13, 35), entries=noted)["Longest gap"] == timedelta(hours=1)


def test_every_definition_is_printed_with_its_measure():
    times = key_times(incident(), [])
    assert all(time.definition for time in times.in_order())
    definitions = {it.name: it.definition for it in measure(times, [], [])}
    silence, gap = definitions.pop("Longest silence"), definitions.pop("Longest gap")
    assert silence == "the longest stretch from declared, through each update, to resolved (else closed)"
    assert gap == "the longest stretch from declared to resolved (else closed) without an entry or an update"
    assert definitions == {
        "Time to detect": "detected - impact started",
        "Time to acknowledge": "acknowledged - detected",
        "Time to mitigate": "mitigated - impact started",
        "Time to resolve": "resolved - impact started",
        "Response": "resolved - declared",
        "First update": "first update - declared",
    }
