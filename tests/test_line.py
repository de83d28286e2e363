"""What follows /log: time and kind in front in either order, and everything that is only text."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.line import Line, clean, read_line
from bot.domain.refusals import Refusal
from bot.domain.timeline import Kind

NEW_YORK = ZoneInfo("America/New_York")
#: 11:00 in New York.
NOW = datetime(2024, 6, 3, 15, 0, tzinfo=UTC)
HALF_PAST_TEN = datetime(2024, 6, 3, 14, 30, tzinfo=UTC)
QUARTER_TO = datetime(2024, 6, 3, 14, 45, tzinfo=UTC)


def read(text: str) -> Line:
    return read_line(text, now=NOW, zone=NEW_YORK)


@pytest.mark.parametrize(
    ("typed", "kind", "at", "text"),
    [
        ("10:30 AM detection: alarms on login", Kind.DETECTION, HALF_PAST_TEN, "alarms on login"),
        ("detection 10:30: alarms", Kind.DETECTION, HALF_PAST_TEN, "alarms"),
        ("detection: 10:30 alarms", Kind.DETECTION, HALF_PAST_TEN, "alarms"),
        ("Detection 10:30 - alarms", Kind.DETECTION, HALF_PAST_TEN, "alarms"),
        ("10:30 - detection: alarms", Kind.DETECTION, HALF_PAST_TEN, "alarms"),
        ("10:30: detection - alarms", Kind.DETECTION, HALF_PAST_TEN, "alarms"),
        ("10:30 UTC-4 [detection] alarms", Kind.DETECTION, HALF_PAST_TEN, "alarms"),
        ("[detection] 10:30 alarms", Kind.DETECTION, HALF_PAST_TEN, "alarms"),
        ("10:30 *detection:* alarms", Kind.DETECTION, HALF_PAST_TEN, "alarms"),
        ("15m ago dead end: database looks fine", Kind.DEAD_END, QUARTER_TO, "database looks fine"),
        ("dead end 15m ago - database looks fine", Kind.DEAD_END, QUARTER_TO, "database looks fine"),
        ("deadend: no", Kind.DEAD_END, None, "no"),
        ("dead-end: no", Kind.DEAD_END, None, "no"),
        ("DEAD END: no", Kind.DEAD_END, None, "no"),
        ("[finding] the pool is small", Kind.FINDING, None, "the pool is small"),
        ("(finding) the pool is small", Kind.FINDING, None, "the pool is small"),
        ("finding: 2 of 4 backends", Kind.FINDING, None, "2 of 4 backends"),
        ("finding: 2: the pool is small", Kind.FINDING, None, "2: the pool is small"),
        ("now detection: alarms", Kind.DETECTION, NOW, "alarms"),
        ("noon comms: told", Kind.COMMS, datetime(2024, 6, 2, 16, 0, tzinfo=UTC), "told"),
        ("10:30 alarms", None, HALF_PAST_TEN, "alarms"),
        ("action:restarted", Kind.ACTION, None, "restarted"),
        ("decision: http://x/y: yes", Kind.DECISION, None, "http://x/y: yes"),
    ],
)
def test_time_and_kind_are_taken_off_the_front(
    typed: str, kind: Kind | None, at: datetime | None, text: str
) -> None:
    assert read(typed) == Line(kind, at, text)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_can_be_typed(kind: Kind) -> None:
    assert read(f"{kind.value}: it happened") == Line(kind, None, "it happened")
    assert read(f"10:30 {kind.value}: it happened") == Line(kind, HALF_PAST_TEN, "it happened")
    assert read(f"{kind.value} 10:30 it happened") == Line(kind, HALF_PAST_TEN, "it happened")


@pytest.mark.parametrize(
    "prose",
    [
        "action needed from db team",
        "impact is growing",
        "impact 10% of users",
        "note to self: look at the pool",
        "finding 2: the pool is small",
        "actionable: nothing",
        "auth1: 87 % of traffic",
        "error: connection refused",
        "http://status.example.com is red",
        "node: down",
        "nodes: 3 of 4 up",
        "code: 500",
        "active: 5 backends",
        "deletion: of old rows",
        "migration: running",
        "division: by zero",
        "import: failed",
        "comes: and goes",
        "TODO: nothing",
        "[WARN] disk is full",
        ":fire: login is down",
        "<@U1>: please look",
        "decision-making takes long",
        "runbooks are out of date",
    ],
)
def test_prose_is_text_with_and_without_a_time(prose: str) -> None:
    assert read(prose) == Line(None, None, prose)
    assert read(f"10:30 {prose}") == Line(None, HALF_PAST_TEN, prose)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("10:30 detction: alarms", "detection"),
        ("detction: alarms", "detection"),
        ("10:30 [detektion] alarms", "detection"),
        ("10:30 mitigaton: rolled back", "mitigation"),
        ("10:30 acton: restarted", "action"),
        ("10:30 actions: restarted", "action"),
        ("10:30 ntoe: x", "note"),
        ("10:30 notes: x", "note"),
        ("10:30 coms: told", "comms"),
        ("10:30 dead edn: x", "dead end"),
        ("10:30 hypothesys: cache", "hypothesis"),
    ],
)
def test_a_misspelt_kind_is_asked_about(typed: str, meant: str) -> None:
    with pytest.raises(Refusal, match=f"Did you mean `{meant}`"):
        read(typed)


@pytest.mark.parametrize(
    "typed", ["", "   ", "10:30", "10:30 AM:", "detection:", "10:30 detection:", "\u202e\x07"]
)
def test_an_empty_line_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Refusal, match="`/log 10:30 detection: alarms on login`"):
        read(typed)


def test_a_line_too_long_is_refused_with_its_length() -> None:
    assert len(read("x" * 3000).text) == 3000
    with pytest.raises(Refusal, match="3,001 characters"):
        read("10:30 note: " + "x" * 3001)


def test_an_unclear_time_is_refused_rather_than_logged_as_text() -> None:
    with pytest.raises(Refusal, match="one day in some countries"):
        read("3/4/2024 10:30 alarms")
    with pytest.raises(Refusal, match="Indian"):
        read("10:30 IST detection: alarms")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\x00b\x1bc\x7f", "abc"),
        ("a\tb\r\nc\rd\u2028e", "a\tb\nc\nd\ne"),
        ("pay\u202egnp.exe\u202c", "paygnp.exe"),
        ("\u2066x\u2069", "x"),
        ("e\u0301", "é"),
        ("\ud800x", "x"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("  x  ", "x"),
    ],
)
def test_text_is_kept_without_what_cannot_be_seen(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@given(st.text(alphabet=st.characters()))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean(text)
    assert clean(once) == once == unicodedata.normalize("NFC", once)
    once.encode()


WORDS = st.sampled_from(
    [
        "10:30",
        "detection",
        "dead",
        "end",
        ":",
        "-",
        "[",
        "]",
        "ago",
        "15m",
        "note",
        "detcton",
        "now",
        "3/4",
        "3/4 backends down",
        "10 detection: alarms",
        "é",
        "\n",
        "*",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=8).map(" ".join)))
def test_no_line_breaks_the_reading_and_no_text_is_lost(text: str) -> None:
    try:
        line = read(text)
    except Refusal as refused:
        assert "`" in refused.sentence
        return
    assert line.text
    assert clean(text).endswith(line.text)
    if line.kind is None and line.happened_at is None:
        assert line.text == clean(text)


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("10:30 Berlin finding: uneven", "Europe/Berlin"),
        ("10:30 berlin time uneven", "Europe/Berlin"),
        ("10:30 am New York dead end: the cache", "America/New_York"),
        ("yesterday 10:30 Kolkata finding: uneven", "Asia/Kolkata"),
    ],
)
def test_a_city_behind_a_time_is_asked_back_and_never_a_time_in_ones_own_zone(typed: str, zone: str) -> None:
    with pytest.raises(Refusal, match=f"Did you mean `{zone}`"):
        read_line(typed, now=NOW, zone=UTC)


@pytest.mark.parametrize(
    "typed", ["10:30 Berlin office is dark", "10:30 London", "10:30 New York lost power: all of it"]
)
def test_a_place_where_something_happened_is_text(typed: str) -> None:
    assert read_line(typed, now=NOW, zone=UTC).text == typed.partition(" ")[2]
