"""Small promises that a review found broken once, each kept from then on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from bot.domain.incident import Incident, Severity, Status
from bot.domain.people import Person as Someone
from bot.domain.people import Role
from bot.domain.runbook import Command, Phase, Run, Runbook, Step
from bot.domain.timeline import Entry, Kind, Source
from bot.slack import cards
from bot.standin.person import Person
from bot.store.db import Database, NotSaved
from bot.usecases import deliveries
from tests.houses import Town, said, until
from tests.rooms import Room, fresh_words, hasty_town, opened

NOON = datetime(2024, 6, 3, 12, tzinfo=UTC)
CARD = deliveries.Card(
    incident=Incident(
        id=1,
        number=42,
        title="logins fail",
        severity=Severity.SEV2,
        status=Status.INVESTIGATING,
        is_private=False,
        is_drill=False,
        opened_at=NOON,
        opened_by="U1",
        channel_name="inc-0042-logins",
    ),
    roles={Role.COMMANDER: Someone("U1", "Ana $(reboot)")},
    version=1,
    announced_in=None,
    announced_ts=None,
    postmortem_bookmark=None,
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("review")
    with hasty_town(folder, settings={"default_severity": "SEV2"}) as here:
        yield here


@pytest.fixture(scope="module")
def room(town: Town) -> Room:
    return opened(town)


def whispered(room: Room, words: str, by: Person) -> bool:
    return any(words in one["text"] for one in by.messages(room.channel) if one.get("ephemeral"))


# Messages that become entries


def test_a_message_undone_and_added_again_by_the_form_says_what_the_form_says(room: Room, town: Town) -> None:
    words, better = fresh_words(), fresh_words("better")
    town.ben.joins(room.channel)
    ts = town.ben.says(room.channel, words)
    town.ana.reacts(ts, "pushpin", room.channel)
    number = room.only(words).number
    room.types(f"/log undo {number}")
    town.ana.message_shortcut("add_to_timeline", ts, room.channel)
    town.ana.submits(room.form(), {"text": better, "kind": "finding"})
    entry = room.only(better)
    assert (entry.number, entry.kind, entry.author) == (number, Kind.FINDING, town.ben.id)
    assert [one.text for one in room.history(number)] == [words, words]


def test_a_message_longer_than_an_entry_is_logged_cut_and_linked(room: Room, town: Town) -> None:
    words = fresh_words("long")
    ts = town.ana.says(room.channel, words + " and on" * 600)
    town.ana.reacts(ts, "pushpin", room.channel)
    entry = room.only(words)
    assert entry.text.endswith("…")
    assert len(entry.text) <= 3000
    assert entry.permalink


def test_who_pins_a_message_without_words_is_told_at_once(room: Room, town: Town) -> None:
    ts = town.ana.says(room.channel, "\u2800")
    town.ana.reacts(ts, "pushpin", room.channel)
    until(lambda: whispered(room, "There is no text to keep", town.ana), 8, "nobody was told")
    town.settled()


# Answers


def test_the_answer_to_a_form_opened_where_the_bot_is_not_comes_directly(town: Town) -> None:
    den = town.ben.creates("den", is_private=True)
    words = fresh_words("from the den")
    town.ben.types("/incident", den)
    town.ben.submits(town.ben.views()[-1], {"title": words})
    town.settled()
    assert any(words in str(call.args.get("text")) for call in town.standin.calls("chat.postMessage"))
    (failed,) = {
        call.error for call in town.standin.calls("chat.postEphemeral") if call.args["channel"] == den
    }
    assert failed in {"channel_not_found", "not_in_channel"}


def test_names_in_a_listed_entry_are_names(room: Room, town: Town) -> None:
    room.types(f"/log <@{town.chloe.id}> found it")
    town.settled()
    assert "@chloe found it" in room.types("/log list").lower()


# Opening


def test_the_form_begins_with_the_teams_own_severity_and_with_what_was_typed(town: Town) -> None:
    town.ana.types("/incident")
    assert town.incident(submitted(town, "as usual")).severity.value == "SEV2"
    town.ana.types("/incident open sev1 private")
    about = town.incident(submitted(town, "hush"))
    assert (about.severity.value, about.is_private) == ("SEV1", True)


def submitted(town: Town, title: str) -> int:
    town.ana.submits(town.ana.views()[-1], {"title": title})
    town.settled()
    return next(one for one in range(1, 60) if town.has(one) and town.incident(one).title == title)


def test_a_title_is_as_long_as_it_was_typed(town: Town) -> None:
    title = "R&D " * 32
    assert "Opening" in said(town.ana.types(f"/incident open {title}sev3"))


def test_a_person_named_in_a_title_is_not_pinged_by_the_announcement(town: Town) -> None:
    room = opened(town, f"/incident open <@{town.dev.id}|dev> is locked out")
    lobby = town.ana_sees("#incidents")
    told = [call.args for call in town.standin.calls("chat.postMessage") if call.args["channel"] == lobby]
    (announced,) = [one for one in told if "locked out" in str(one)]
    assert "@dev is locked out" in str(announced["blocks"])
    assert town.dev.id not in str(announced)
    assert room.about.title.endswith("is locked out")


# Limits of Slack's


def entry(number: int, text: str) -> Entry:
    return Entry(
        id=number,
        incident_id=1,
        number=number,
        kind=Kind.NOTE,
        text=text,
        happened_at=NOON,
        recorded_at=NOON,
        author="U1",
        recorded_by="U1",
        source=Source.COMMAND,
    )


def test_fifteen_long_entries_still_fit_into_one_message() -> None:
    _, blocks = cards.entry_lines([entry(one, "&lt;" * 700) for one in range(15)], {})
    assert len(blocks) == 15
    assert sum(len(block["text"]["text"]) for block in blocks) <= 11_000
    _, blocks = cards.entry_lines([entry(1, "word " * 400), entry(2, "short")], {})
    assert not blocks[0]["text"]["text"].endswith("…")


def test_many_long_entries_come_in_several_messages_and_none_is_lost(town: Town) -> None:
    room = opened(town)
    numbers = []
    for _ in range(5):
        words = fresh_words("much")
        numbers.append(words)
        room.types(f"/log {words} {'x' * 2500}")
    town.settled()
    shown = str([one["blocks"] for one in room.messages()])
    assert all(words in shown for words in numbers)
    for call in town.standin.calls("chat.postMessage"):
        assert len(str(call.args.get("blocks") or "")) < 13_000
    with town.house.db.reading() as session:
        assert not deliveries.entries.unposted(session, room.about.id, 20)


def test_a_step_says_how_many_of_its_commands_do_not_fit() -> None:
    step = Step("s", "Look", Phase.CONFIRM, "Look.", tuple(Command("sh", "", "x" * 2700) for _ in range(6)))
    page = Runbook("lb", "LB", "It is slow.", (step,), "abc")
    run = Run(1, 1, "lb", "LB", "abc", 1, NOON, "U1")
    _, blocks = cards.step_card(CARD, run, page, 0, None, "")
    assert "3 more commands of this step do not fit" in str(blocks)
    small = replace(step, commands=step.commands[:2])
    _, blocks = cards.step_card(CARD, run, replace(page, steps=(small,)), 0, None, "")
    assert "do not fit" not in str(blocks)


def test_a_step_speaks_of_its_incident_but_for_what_a_command_must_not_hold() -> None:
    command = Command("sh", "", "grep {{ incident }} {{ severity }} {{ channel }} {{ commander }} log")
    step = Step("s", "Look", Phase.CONFIRM, "Look.", (command,))
    page = Runbook("lb", "LB", "It is slow.", (step,), "abc")
    _, blocks = cards.step_card(CARD, Run(1, 1, "lb", "LB", "abc", 1, NOON, "U1"), page, 0, None, "")
    assert "grep inc-0042 SEV2 inc-0042-logins {{ commander }} log" in str(blocks)


def test_a_closing_without_the_form_leaves_the_unknown_unknown(town: Town) -> None:
    here = opened(town)
    assert "`/incident close now`" in here.types("/incident close it was the weights")
    assert "is closed" in here.types("/incident close now")
    town.settled()
    assert here.revision is not None and "unknown" in here.revision.markdown


def test_whoever_gets_a_role_is_invited(town: Town) -> None:
    here = opened(town)
    here.types("/incident role scribe @eve")
    town.settled()
    assert town.eve.channel(here.about.channel_name or "")["is_member"]


# Logs


def test_a_statement_that_fails_tells_the_log_nothing_of_what_was_typed(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    try:
        with pytest.raises(NotSaved) as failed, db.writing() as session:
            session.execute(text("INSERT INTO nowhere VALUES (:words)"), {"words": "payroll leaked"})
    finally:
        db.close()
    assert "nowhere" in str(failed.value.__cause__)
    assert "payroll leaked" not in str(failed.value.__cause__)
