"""Clock times around midnight and clock changes, and moments said and read back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.refusals import Refusal
from bot.domain.when import read_moment, say_duration, say_moment, take_moment

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
NOW = datetime(2024, 6, 3, 15, 0, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_latest_such_clock_time_is_meant() -> None:
    just_after_midnight = datetime(2024, 6, 3, 22, 10, tzinfo=UTC)
    assert read_moment("23:50", now=just_after_midnight, zone=BERLIN) == utc("2024-06-03 21:50")
    assert read_moment("00:05", now=just_after_midnight, zone=BERLIN) == utc("2024-06-03 22:05")


def test_a_clock_two_minutes_fast_is_still_today_even_over_midnight() -> None:
    before_midnight = datetime(2024, 6, 3, 21, 59, tzinfo=UTC)
    assert read_moment("00:00", now=before_midnight, zone=BERLIN) == utc("2024-06-03 22:00")


def test_a_said_zone_brings_its_own_today() -> None:
    evening_in_new_york = datetime(2024, 6, 4, 0, 30, tzinfo=UTC)
    assert read_moment("00:10 UTC", now=evening_in_new_york, zone=NEW_YORK) == utc("2024-06-04 00:10")


def test_yesterday_in_a_zone_with_another_date_is_refused() -> None:
    evening_in_new_york = datetime(2024, 6, 4, 0, 30, tzinfo=UTC)
    with pytest.raises(Refusal, match="`2024-06-02 22:10 UTC` or `2024-06-03 22:10 UTC`"):
        read_moment("yesterday 22:10 UTC", now=evening_in_new_york, zone=NEW_YORK)


def test_an_hour_that_came_twice_is_asked_about_with_offsets() -> None:
    now = datetime(2024, 11, 3, 15, 0, tzinfo=UTC)
    with pytest.raises(Refusal, match="`01:30 -04:00` for the first, or `01:30 -05:00`"):
        read_moment("01:30", now=now, zone=NEW_YORK)
    assert read_moment("01:30 -04:00", now=now, zone=NEW_YORK) == utc("2024-11-03 05:30")
    assert read_moment("01:30 -05:00", now=now, zone=NEW_YORK) == utc("2024-11-03 06:30")
    assert read_moment("01:30 EDT", now=now, zone=NEW_YORK) == utc("2024-11-03 05:30")
    assert read_moment("01:30 EST", now=now, zone=NEW_YORK) == utc("2024-11-03 06:30")


def test_between_the_two_hours_only_the_first_has_been() -> None:
    now = datetime(2024, 11, 3, 5, 40, tzinfo=UTC)
    assert read_moment("01:30", now=now, zone=NEW_YORK) == utc("2024-11-03 05:30")


def test_a_dated_hour_that_came_twice_is_asked_about_with_its_date() -> None:
    with pytest.raises(Refusal, match=re.escape("`2023-10-29 02:30 +02:00`")):
        read_moment("29 Oct 2023 02:30", now=NOW, zone=BERLIN)


@pytest.mark.parametrize(
    ("zone", "now", "typed", "ways"),
    [
        (BERLIN, "2024-03-31 10:00", "02:30", ("01:30", "03:30")),
        (NEW_YORK, "2024-03-10 15:00", "02:30", ("01:30", "03:30")),
        (LORD_HOWE, "2024-10-06 00:00", "02:15", ("01:45", "02:45")),
        (BERLIN, "2024-06-03 10:00", "31 March 2024 02:30", ("2024-03-31 01:30", "2024-03-31 03:30")),
    ],
)
def test_a_time_the_clocks_skipped_is_refused(
    zone: ZoneInfo, now: str, typed: str, ways: tuple[str, str]
) -> None:
    with pytest.raises(Refusal, match=re.escape(f"`{ways[0]}` or `{ways[1]}`")) as refused:
        read_moment(typed, now=utc(now), zone=zone)
    assert "put forward" in refused.value.sentence


def test_half_an_hour_can_come_twice() -> None:
    with pytest.raises(Refusal, match=re.escape("`01:45 +11:00` for the first, or `01:45 +10:30`")):
        read_moment("01:45", now=utc("2024-04-07 03:00"), zone=LORD_HOWE)


def test_a_span_back_counts_real_time_over_a_clock_change() -> None:
    now = utc("2024-03-31 01:30")
    assert read_moment("2 hours ago", now=now, zone=BERLIN) == utc("2024-03-30 23:30")


@given(
    st.sampled_from([BERLIN, NEW_YORK, KOLKATA, LORD_HOWE, UTC]),
    st.datetimes(datetime(2019, 7, 1), datetime(2024, 6, 3, 14), timezones=st.just(UTC)),
)
def test_a_said_moment_reads_back_as_itself(zone: ZoneInfo, moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert read_moment(say_moment(moment, zone), now=NOW, zone=KOLKATA) == moment


@given(
    st.sampled_from([BERLIN, NEW_YORK, KOLKATA, LORD_HOWE]),
    st.datetimes(datetime(2023, 1, 1), datetime(2025, 1, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(), timedelta(hours=22)),
)
def test_a_local_clock_time_is_read_as_itself_or_asked_about(
    zone: ZoneInfo, now: datetime, ago: timedelta
) -> None:
    moment = (now - ago).replace(second=0, microsecond=0)
    local = moment.astimezone(zone)
    try:
        assert read_moment(f"{local:%H:%M}", now=now, zone=zone) == moment
    except Refusal as refused:
        assert "came twice" in refused.sentence
        assert local.utcoffset() != (local + timedelta(days=1)).utcoffset() or local.fold


TIMELIKE = re.findall(
    r"\S+",
    """10:30 10 30 am pm AM Z UTC EST IST +02:00 -04:00 - : , / . ago in 15m 2 hours an half now noon at @ ~ on
    yesterday today monday last June 3 3rd 2024 2024-06-03 T 3/4 midnight h 1h30 <!date^1^x|y> [ ] ( ) alarms
    Europe/Berlin Europe/X detection: 0 99 99999 é""",
)
PIECES = st.lists(st.sampled_from([*TIMELIKE, "\n", "\u202f"]), max_size=8)


@given(st.one_of(st.text(), PIECES.map("".join), PIECES.map(" ".join)), st.sampled_from([BERLIN, NEW_YORK]))
def test_no_text_breaks_the_reading_and_none_of_it_is_lost(text: str, zone: ZoneInfo) -> None:
    try:
        moment, rest = take_moment(text, now=NOW, zone=zone)
    except Refusal as refused:
        assert len(refused.sentence) > 20
        return
    assert text.strip().endswith(rest.strip())
    if moment is None:
        assert rest == text
    else:
        assert moment.utcoffset() == timedelta()
        assert NOW - timedelta(days=5 * 366) <= moment <= NOW + timedelta(minutes=2)
        assert len(rest) < len(text)


def test_text_after_a_whole_moment_is_refused_not_dropped() -> None:
    with pytest.raises(Refusal, match="“alarms”"):
        read_moment("10:30 alarms", now=NOW, zone=BERLIN)
    with pytest.raises(Refusal, match="“soon” is not a time"):
        read_moment("soon", now=NOW, zone=BERLIN)
    with pytest.raises(Refusal, match="no time in that"):
        read_moment("  ", now=NOW, zone=BERLIN)


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        (UTC, "3 Jun 2024 15:00 UTC"),
        (BERLIN, "3 Jun 2024 17:00 CEST"),
        (KOLKATA, "3 Jun 2024 20:30 +05:30"),
        (ZoneInfo("Europe/London"), "3 Jun 2024 16:00 +01:00"),
    ],
)
def test_a_moment_is_said_with_a_zone_nobody_can_mistake(zone: ZoneInfo, said: str) -> None:
    assert say_moment(NOW, zone) == said


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(hours=15), "15 hours"),
        (timedelta(days=1, hours=2, minutes=5), "1 day 2 hours 5 minutes"),
        (timedelta(seconds=40), "40 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(), "0 seconds"),
        (timedelta(minutes=1, seconds=30), "1 minute"),
        (timedelta(days=400), "400 days"),
        (timedelta(days=2, minutes=1), "2 days 1 minute"),
        (timedelta(minutes=-5), "minus 5 minutes"),
    ],
)
def test_a_length_of_time_is_said_in_words(length: timedelta, said: str) -> None:
    assert say_duration(length) == said
