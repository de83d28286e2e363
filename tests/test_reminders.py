"""Follow-ups that get done: their owners hear of them in time, once for each occasion, until they are done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from bot.domain.followup import FollowUp, FollowUpState
from bot.domain.reminder import how_late, occasion
from bot.ticker import Deed, Ticker
from bot.usecases import reminders
from tests.houses import Town, until
from tests.rooms import Room, opened

DUE = date(2024, 6, 14)


def item(**changes: Any) -> FollowUp:
    made = FollowUp(
        1, 1, 1, "review the weights", "U1", DUE, FollowUpState.OPEN, datetime(2024, 6, 1, tzinfo=UTC), "U2"
    )
    return FollowUp(**{**vars(made), **changes})


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}+02:00")


@pytest.mark.parametrize(
    ("now", "changes", "expected"),
    [
        ("06-10T12:00", {}, None),
        ("06-11T08:59", {}, None),
        ("06-11T09:00", {}, date(2024, 6, 11)),
        ("06-13T09:00", {"reminded_on": date(2024, 6, 11)}, None),
        ("06-14T08:00", {"reminded_on": date(2024, 6, 11)}, None),
        ("06-14T09:00", {"reminded_on": date(2024, 6, 11)}, DUE),
        ("06-20T23:00", {"reminded_on": DUE}, None),
        ("06-21T09:00", {"reminded_on": DUE}, date(2024, 6, 21)),
        # Nobody was there for weeks: the newest occasion alone counts.
        ("07-20T10:00", {"reminded_on": DUE}, date(2024, 7, 19)),
        ("06-21T09:00", {"reminded_on": DUE, "snoozed_until": date(2024, 6, 24)}, None),
        ("06-24T09:00", {"reminded_on": DUE, "snoozed_until": date(2024, 6, 24)}, date(2024, 6, 24)),
        ("06-25T09:00", {"reminded_on": date(2024, 6, 24), "snoozed_until": date(2024, 6, 24)}, None),
        (
            "06-28T09:00",
            {"reminded_on": date(2024, 6, 24), "snoozed_until": date(2024, 6, 24)},
            date(2024, 6, 28),
        ),
        ("06-05T09:00", {"snoozed_until": date(2024, 6, 5)}, None),
        ("06-21T09:00", {"state": FollowUpState.DONE}, None),
        ("06-21T09:00", {"due_on": None}, None),
    ],
)
def test_an_owner_is_reminded_before_on_and_every_week_after_the_day(
    now: str, changes: dict[str, Any], expected: date | None
) -> None:
    assert occasion(item(**changes), at(now)) == expected


def test_how_late_it_is_is_said_as_people_say_it() -> None:
    days = (DUE - timedelta(3), DUE - timedelta(1), DUE, DUE + timedelta(1), DUE + timedelta(8))
    told = [how_late(DUE, day) for day in days]
    assert told == ["due in 3 days", "due in 1 day", "due today", "1 day overdue", "8 days overdue"]


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path) -> Iterator[Town]:
    book = tmp_path / "catalogue.yaml"
    book.write_text("services:\n  login:\n    owner: '@team-identity'\n")
    with Town(sqlite_url, settings={"catalogue": book}) as here:
        here.set_clock(datetime(2024, 6, 3, 12, tzinfo=UTC))
        yield here


def direct(town: Town, person: Any) -> list[dict[str, Any]]:
    """What the bot told a person directly."""
    town.settled()
    rooms = [one["id"] for one in person.state()["channels"] if one.get("is_im")]
    return [message for room in rooms for message in person.messages(room) if message.get("bot_id")]


def a_room(town: Town, line: str = "/incident open login fails sev2") -> Room:
    room = opened(town, line)
    answer = room.types(f"/incident follow-up review the weights <@{town.ben.id}|ben> by 14 June")
    assert "Follow-up *1* noted" in answer
    return room


def test_the_owner_is_told_once_an_occasion_whoever_ticks_and_whenever(town: Town) -> None:
    a_room(town)
    assert reminders.remind_due(town.house.desk) == 0
    town.set_clock(datetime(2024, 6, 11, 9, tzinfo=UTC))
    ticks = [Thread(target=reminders.remind_due, args=(town.house.desk,)) for _ in range(4)]
    for one in ticks:
        one.start()
    for one in ticks:
        one.join(10)
    (told,) = direct(town, town.ben)
    assert "A follow-up of yours is due in 3 days." in told["text"]
    assert "*inc-0001*, follow-up 1: review the weights" in told["text"]
    # Down over two occasions: one word about the newest.
    town.set_clock(datetime(2024, 6, 22, 9, tzinfo=UTC))
    assert reminders.remind_due(town.house.desk) == 1
    assert "8 days overdue" in direct(town, town.ben)[-1]["text"]


def test_the_buttons_end_it_or_put_it_off(town: Town) -> None:
    room = a_room(town)
    town.set_clock(datetime(2024, 6, 14, 9, tzinfo=UTC))
    reminders.remind_due(town.house.desk)
    (told,) = direct(town, town.ben)
    town.ben.clicks(told, "Remind me in a week")
    until(lambda: room.follow_ups[0].snoozed_until == date(2024, 6, 21), 8, "it was not put off")
    town.set_clock(datetime(2024, 6, 20, 9, tzinfo=UTC))
    assert reminders.remind_due(town.house.desk) == 0
    town.set_clock(datetime(2024, 6, 21, 9, tzinfo=UTC))
    assert reminders.remind_due(town.house.desk) == 1
    town.ben.clicks(direct(town, town.ben)[-1], "Done")
    until(lambda: room.follow_ups[0].state is FollowUpState.DONE, 8, "it is not done")
    town.set_clock(datetime(2024, 9, 1, 9, tzinfo=UTC))
    assert reminders.remind_due(town.house.desk) == 0


def test_what_is_done_before_the_word_goes_out_is_not_told(town: Town) -> None:
    room = a_room(town)
    town.set_clock(datetime(2024, 6, 14, 9, tzinfo=UTC))
    town.standin.fault("conversations.open", "http", times=-1, status=503)
    reminders.remind_due(town.house.desk)
    until(lambda: bool(town.standin.calls("conversations.open")), 8, "nobody tried to tell it")
    room.types("/incident follow-up done 1")
    assert direct(town, town.ben) == []


def test_a_private_incident_is_not_told_to_an_owner_outside_of_it(town: Town) -> None:
    a_room(town, "/incident open payroll leaked sev2 private")
    town.set_clock(datetime(2024, 6, 14, 9, tzinfo=UTC))
    reminders.remind_due(town.house.desk)
    (told,) = direct(town, town.ben)
    assert "private incident is yours and due today" in told["text"]
    assert "payroll" not in str(told) and "weights" not in str(told)


def test_words_put_it_off_link_it_and_give_it_a_day(town: Town) -> None:
    room = a_room(town)
    assert "before 2024-06-21" in room.types("/incident follow-up snooze 1 until 21 June")
    assert "before 2024-06-10" in room.types("/incident follow-up snooze 1")
    assert "is no day" in room.types("/incident follow-up snooze 1 until the cows come home")
    assert "is linked to" in room.types(
        "/incident follow-up link 1 https://tracker.example.com/OPS-12?a=b&c=d"
    )
    assert room.follow_ups[0].link == "https://tracker.example.com/OPS-12?a=b&c=d"
    assert "A link is a web address" in room.types("/incident follow-up link 1 javascript:alert(1)")
    assert "There is no follow-up 9" in room.types("/incident follow-up snooze 9")
    # Somebody has it and said no day: it gets the usual one. What nobody has gets none.
    answer = room.types(f"/incident follow-up watch the split <@{town.ana.id}|ana>")
    assert "due 2024-06-18" in answer and "15 days are usual for a SEV2" in answer
    assert "no owner yet, no due date" in room.types("/incident follow-up restart everything by hand")
    assert "due 2024-06-18" in room.types(f"/incident follow-up 3 <@{town.ben.id}|ben>")


def test_a_message_becomes_a_follow_up_with_owner_day_and_link(town: Town) -> None:
    room = opened(town)
    town.ben.joins(room.channel)
    message = town.ben.says(room.channel, "we should *test* the weights before each deployment")
    town.ana.message_shortcut("add_follow_up", message, room.channel)
    form = room.form()
    town.ana.submits(form, {"owner": town.ben.id, "due": "2024-06-20"})
    town.settled()
    (made,) = room.follow_ups
    assert (made.owner, made.due_on) == (town.ben.id, date(2024, 6, 20))
    assert "test" in made.text and "weights before each deployment" in made.text
    assert made.link is not None and made.link.startswith("http")


def test_the_closing_form_takes_what_is_left_a_line_each(town: Town) -> None:
    room = opened(town)
    town.ben.joins(room.channel)
    until(lambda: bool(room.told(f"<@{town.ben.id}> joined")), 8, "ben was not met")
    room.types("/incident close")
    wrong = town.ana.submits(room.form(), {"work": "review the weights by 2024-05-01"})
    assert "has passed" in str(wrong["errors"])
    lines = "review the weights @ben by 14 June\n\n- ask *@nobody* about <the> & split\n"
    town.ana.submits(room.form(), {"work": lines})
    town.settled()
    first, second = room.follow_ups
    assert (first.text, first.owner, first.due_on) == ("review the weights", town.ben.id, DUE)
    assert (second.owner, second.due_on) == (None, None)
    assert "@nobody" in second.text and "&lt;the&gt; &amp; split" in second.text
    assert room.revision is not None and "review the weights" in room.revision.markdown


def test_on_monday_everybody_hears_what_is_left(town: Town) -> None:
    a_room(town)
    a_room(town, "/incident open payroll leaked sev2 private")
    a_room(town, "/incident open fire alarm sev3 drill")
    other = a_room(town, "/incident open mails are late sev3")
    other.types("/incident follow-up ask the provider")
    other.types(f"/incident follow-up much later <@{town.ana.id}|ana> by 30 December")
    town.set_clock(datetime(2024, 6, 16, 12, tzinfo=UTC))
    assert not reminders.digest_due(town.house.desk)
    town.set_clock(datetime(2024, 6, 17, 9, tzinfo=UTC))
    assert reminders.digest_due(town.house.desk)
    assert not reminders.digest_due(town.house.desk)
    town.settled()
    (told,) = [one for one in town.ana.messages("#incidents") if "What is left" in one["text"]]
    words = str(told["blocks"])
    assert "3 follow-ups" in told["text"]
    assert "team-identity" in words and "Of no service" in words
    assert "inc-0001" in words and "3 days overdue" in words and "nobody has it, no date" in words
    assert "payroll" not in words and "fire alarm" not in words and "much later" not in words


def test_when_nothing_is_left_monday_is_silent(town: Town) -> None:
    town.set_clock(datetime(2024, 6, 17, 9, tzinfo=UTC))
    assert reminders.digest_due(town.house.desk)
    town.settled()
    assert not [one for one in town.ana.messages("#incidents") if "What is left" in one["text"]]


def test_two_replicas_remind_once(database_url: str) -> None:
    with Town(database_url) as town:
        town.set_clock(datetime(2024, 6, 3, 12, tzinfo=UTC))
        a_room(town)
        town.set_clock(datetime(2024, 6, 14, 12, tzinfo=UTC))
        together = Barrier(2)
        counts: list[int] = []

        def tick() -> None:
            together.wait(10)
            counts.append(reminders.remind_due(town.house.desk))

        ticks = [Thread(target=tick) for _ in range(2)]
        for one in ticks:
            one.start()
        for one in ticks:
            one.join(20)
        assert sorted(counts) == [0, 1]
        assert len(direct(town, town.ben)) == 1


def test_the_ticker_goes_on_after_a_deed_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def fail() -> None:
        done.append("failed")
        raise ValueError("no")

    ticker = Ticker([Deed("one", 0.01, fail), Deed("two", 0.01, lambda: done.append("two"))])
    ticker.start()
    until(lambda: done.count("failed") > 2 and done.count("two") > 2, 5, "it does not go on")
    ticker.stop()
    assert "one: not done, will try again" in caplog.text
