"""Every way in leaves the same mark, and what is sent again leaves none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.timeline import Source
from tests.houses import Town, until
from tests.rooms import Room, fresh_words, hasty_town, opened


@pytest.fixture(scope="module", params=["socket", "http"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("doors"), request.param) as here:
        yield here


@pytest.fixture(scope="module")
def room(town: Town) -> Room:
    """An incident in which Ana and Ben talk; tests that only log share it."""
    made = opened(town)
    town.ben.joins(made.channel)
    until(lambda: bool(made.told(f"<@{town.ben.id}> joined")), 8, "ben's coming was not noted")
    return made


def moment(ts: str) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)


# Doors


def by_command(room: Room, words: str) -> None:
    room.types(f"/log {words}")


def by_incident_log(room: Room, words: str) -> None:
    room.types(f"/incident log {words}")


def by_form(room: Room, words: str) -> None:
    room.types("/log")
    assert room.town.ana.submits(room.form(), {"text": words})["closed"]


def by_header_button(room: Room, words: str) -> None:
    room.town.ana.clicks(room.card, "Add to timeline")
    assert room.town.ana.submits(room.form(), {"text": words})["closed"]


OWN_WORDS = [by_command, by_incident_log, by_form, by_header_button]


def by_shortcut(room: Room, ts: str) -> None:
    room.town.ana.message_shortcut("add_to_timeline", ts, room.channel)
    assert room.town.ana.submits(room.form())["closed"]


def by_reaction(room: Room, ts: str) -> None:
    room.town.ana.reacts(ts, "pushpin", room.channel)


def by_pin(room: Room, ts: str) -> None:
    room.town.ana.pins(ts, room.channel)


OF_A_MESSAGE = [by_shortcut, by_reaction, by_pin]


@pytest.mark.parametrize("door", OWN_WORDS)
def test_what_ana_writes_is_one_entry_of_hers_at_that_moment(
    room: Room, door: Callable[[Room, str], None]
) -> None:
    words = fresh_words("restarted the login service")
    before = room.town.clock()
    door(room, words)
    entry = room.only(words)
    assert (entry.text, entry.author, entry.recorded_by) == (words, room.town.ana.id, room.town.ana.id)
    assert before <= entry.happened_at == entry.recorded_at <= room.town.clock()
    assert len(room.messages(words)) == 1


@pytest.mark.parametrize("door", OF_A_MESSAGE)
def test_a_message_of_bens_marked_by_ana_is_an_entry_of_his_at_its_own_time(
    room: Room, door: Callable[[Room, str], None]
) -> None:
    words = fresh_words("saw errors & <b>warnings</b>")
    ts = room.town.ben.says(room.channel, words)
    door(room, ts)
    until(lambda: bool(room.told(words[-4:])), 8, "the message became no entry")
    room.town.settled()
    (entry,) = room.told(words[-4:])
    assert entry.text == words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert (entry.author, entry.recorded_by) == (room.town.ben.id, room.town.ana.id)
    assert entry.happened_at == moment(ts)


def test_the_sources_tell_the_doors_apart(room: Room) -> None:
    sources: dict[str, Source] = {}
    for door in OWN_WORDS:
        words = fresh_words("a source")
        door(room, words)
        sources[door.__name__] = room.only(words).source
    for marking in OF_A_MESSAGE:
        words = fresh_words("a source")
        marking(room, room.town.ben.says(room.channel, words))
        sources[marking.__name__] = room.only(words).source
    assert sources == {
        "by_command": Source.COMMAND,
        "by_incident_log": Source.COMMAND,
        "by_form": Source.MODAL,
        "by_header_button": Source.MODAL,
        "by_shortcut": Source.SHORTCUT,
        "by_reaction": Source.REACTION,
        "by_pin": Source.PIN,
    }


# Messages


def test_a_reaction_on_a_reply_takes_the_replys_author_and_time(room: Room) -> None:
    parent = room.town.ana.says(room.channel, fresh_words("what about the balancer?"))
    words = fresh_words("its weights look odd")
    reply = room.town.ben.says(room.channel, words, thread_ts=parent)
    room.town.ana.reacts(reply, "pushpin", room.channel)
    entry = room.only(words)
    assert (entry.author, entry.happened_at, entry.text) == (room.town.ben.id, moment(reply), words)


def test_a_message_marked_in_three_ways_is_one_entry(room: Room) -> None:
    words = fresh_words("one server gets everything")
    ts = room.town.ben.says(room.channel, words)
    by_reaction(room, ts)
    first = room.only(words)
    by_pin(room, ts)
    room.town.ben.reacts(ts, "round_pushpin", room.channel)
    room.town.ana.message_shortcut("add_to_timeline", ts, room.channel)
    # What is there already is corrected, not logged again.
    assert room.form()["title"]["text"] == f"Edit #{first.number}"
    room.town.ana.submits(room.form(), {"Kind": "finding"})
    until(lambda: room.only(words).kind.value == "finding", 8, "the form changed nothing")
    assert room.only(words).number == first.number


def test_an_undone_message_comes_back_when_it_is_marked_again(room: Room) -> None:
    words = fresh_words("the pool is exhausted")
    ts = room.town.ben.says(room.channel, words)
    by_reaction(room, ts)
    first = room.only(words)
    room.types(f"/log undo {first.number}")
    assert not room.told(words)
    room.town.ana.unreacts(ts, "pushpin", room.channel)
    by_reaction(room, ts)
    again = room.only(words)
    assert (again.number, again.author, again.happened_at) == (first.number, room.town.ben.id, moment(ts))


def test_the_bots_own_messages_are_not_logged(room: Room) -> None:
    count = len(room.entries)
    by_reaction(room, room.card["ts"])
    room.town.ana.says(room.channel, "a message that nobody marks")
    words = fresh_words("a message behind it")
    by_reaction(room, room.town.ana.says(room.channel, words))
    room.only(words)
    assert len(room.entries) == count + 1


def test_other_reactions_and_other_channels_are_left_alone(room: Room) -> None:
    words = fresh_words("lunch?")
    room.town.ana.reacts(room.town.ben.says(room.channel, words), "eyes", room.channel)
    outside = fresh_words("lunch elsewhere?")
    room.town.ana.reacts(room.town.ben.says("#general", outside), "pushpin", "#general")
    behind = fresh_words("behind it")
    by_reaction(room, room.town.ana.says(room.channel, behind))
    room.only(behind)
    assert not room.told(words) and not room.told(outside)


def test_a_marked_message_bears_the_bots_mark(room: Room) -> None:
    words = fresh_words("marked")
    ts = room.town.ben.says(room.channel, words)
    by_reaction(room, ts)
    room.only(words)
    (message,) = [one for one in room.messages(words) if one["ts"] == ts]
    assert "memo" in [reaction["name"] for reaction in message["reactions"]]


def test_a_message_marked_by_three_people_at_once_is_one_entry(room: Room) -> None:
    words = fresh_words("marked by all")
    ts = room.town.ben.says(room.channel, words)
    people = (room.town.ana, room.town.ben, room.town.dev)
    marking = [threading.Thread(target=one.reacts, args=(ts, "pushpin", room.channel)) for one in people]
    for thread in marking:
        thread.start()
    for thread in marking:
        thread.join(10)
    until(lambda: len(reactions_heard(room, ts)) == 3, 8, "an event of the three was not delivered")
    assert room.only(words).author == room.town.ben.id


def reactions_heard(room: Room, ts: str) -> list[dict[str, Any]]:
    """Pushpins on the message that the bot has answered."""
    sent = [one for one in room.town.standin.deliveries("event") if one.answers]
    events = [one.payload["event"] for one in sent if one.payload["event"]["type"] == "reaction_added"]
    return [one for one in events if one["item"]["ts"] == ts and one["reaction"] == "pushpin"]
