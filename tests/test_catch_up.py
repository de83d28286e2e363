"""What people marked while nobody listened is recorded afterwards, each message once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.pace import Pace
from bot.domain.timeline import Entry, Source
from bot.standin.outward import Delivery
from bot.standin.person import Denied
from tests.houses import Town, until
from tests.rooms import Room, fresh_words, hasty_town, opened, send, twin
from tests.test_watchdog import BRISK, PATIENCE, has_two, is_ready, readyz

PIN = "pushpin"


@pytest.fixture(scope="module")
def lasting_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("catch-up")
    with Town(f"sqlite:///{folder / 'lantern.db'}", pace=Pace(time.monotonic, {}, {}), vigil=BRISK) as town:
        yield town


@pytest.fixture
def town(lasting_town: Town) -> Town:
    until(has_two(lasting_town), PATIENCE, "there are not two connections")
    return lasting_town


def joined(town: Town) -> Room:
    """A new incident's room with everybody in it."""
    room = opened(town)
    for person in (town.ben, town.chloe, town.dev):
        person.joins(room.channel)
    return room


def deaf(town: Town) -> None:
    """Every connection is gone, and none comes back until `hearing()`."""
    town.standin.sockets.refuse(-1)
    town.standin.cut_sockets()
    until(lambda: readyz(town) == (503, ["socket mode"]), PATIENCE, "it is still ready")


def hearing(town: Town) -> None:
    town.standin.sockets.refuse(0)
    until(is_ready(town), PATIENCE, "it did not come back")


def lost(town: Town, kind: str, many: int) -> list[Delivery]:
    """The newest events of a type, once Slack has given all of them up."""

    def given_up() -> list[Delivery]:
        sent = [one for one in town.standin.deliveries("event") if one.payload["event"]["type"] == kind]
        return [one for one in sent[-many:] if len(one.answers) == 4]

    until(lambda: len(given_up()) == many, PATIENCE, f"Slack did not give up {many} {kind}")
    found = given_up()
    assert not any(answer.is_ok for one in found for answer in one.answers)
    return found


def entry(room: Room, words: str) -> Entry:
    """The one entry with these words, once the catch-up has brought it."""
    until(lambda: bool(room.told(words)), PATIENCE, f"“{words}” was not caught up with")
    room.town.settled(PATIENCE)
    (found,) = room.told(words)
    return found


def test_what_was_marked_while_both_connections_were_lost_is_recorded_once(town: Town) -> None:
    room = joined(town)
    before, during, pinned, reply, typed = (fresh_words() for _ in range(5))
    old = town.ben.says(room.channel, before)
    parent = town.dev.says(room.channel, "shall we talk here")
    deaf(town)
    town.ana.reacts(old, PIN, room.channel)
    town.chloe.reacts(old, PIN, room.channel)
    town.chloe.reacts(town.ben.says(room.channel, during), PIN, room.channel)
    town.dev.pins(town.ben.says(room.channel, pinned), room.channel)
    town.ana.reacts(town.ben.says(room.channel, reply, thread_ts=parent), PIN, room.channel)
    with pytest.raises(Denied, match="dispatch_failed"):
        town.ana.types(f"/log {typed}", room.channel)
    events = [*lost(town, "reaction_added", 4), *lost(town, "pin_added", 1)]
    hearing(town)

    ben = town.ben.id
    assert _whose(entry(room, before)) == (ben, town.ana.id, Source.REACTION)
    assert _whose(entry(room, during)) == (ben, town.chloe.id, Source.REACTION)
    assert _whose(entry(room, pinned)) == (ben, town.dev.id, Source.PIN)
    assert _whose(entry(room, reply)) == (ben, town.ana.id, Source.REACTION)
    # Nobody was told that this is logged, and it is not.
    assert room.told(typed) == []
    # Nothing was said of what was marked before by nobody, and the events that arrive now change nothing.
    entries = len(room.entries)
    until(has_two(town), PATIENCE, "there are not two connections")
    for one in events:
        send(town, one, times=1)
        send(town, twin(one), times=1)
    town.settled(PATIENCE)
    assert len(room.entries) == entries


def _whose(found: Entry) -> tuple[str, str, Source]:
    return found.author, found.recorded_by, found.source


def test_what_somebody_took_back_stays_away(town: Town) -> None:
    room, words = joined(town), fresh_words()
    message = town.ben.says(room.channel, words)
    town.ana.reacts(message, PIN, room.channel)
    number = entry(room, words).number
    assert "undone" in room.types(f"/log undo {number}")
    other = fresh_words()
    deaf(town)
    town.chloe.reacts(town.ben.says(room.channel, other), PIN, room.channel)
    lost(town, "reaction_added", 1)
    hearing(town)
    # The other one shows that this round has been there.
    entry(room, other)
    assert room.told(words) == []


def test_a_mark_that_is_told_late_brings_nothing_back(town: Town) -> None:
    room, words = joined(town), fresh_words()
    message = town.ben.says(room.channel, words)
    town.ana.reacts(message, PIN, room.channel)
    number = entry(room, words).number
    assert "undone" in room.types(f"/log undo {number}")
    (event,) = [
        one
        for one in town.standin.deliveries("event")
        if one.payload["event"].get("item", {}).get("ts") == message
        and one.payload["event"]["user"] == town.ana.id
    ]
    late = twin(event)
    late.payload["event"]["event_ts"] = f"{float(event.payload['event']['event_ts']) - 3600:.6f}"
    send(town, late, times=1)
    town.settled(PATIENCE)
    assert room.told(words) == []
    # Marked again now, it comes back.
    send(town, twin(event), times=1)
    entry(room, words)


@pytest.mark.parametrize("transport", ["socket", "http"])
def test_what_was_marked_while_the_bot_was_not_running_is_recorded_at_the_next_start(
    tmp_path: Path, transport: str
) -> None:
    with hasty_town(tmp_path, transport) as town:
        room, closed = joined(town), joined(town)
        marked, pinned, elsewhere = (fresh_words() for _ in range(3))
        assert "closed" in closed.types("/incident close now").lower()
        town.settled(PATIENCE)
        town.house.stop()
        town.chloe.reacts(town.ben.says(room.channel, marked), PIN, room.channel)
        town.chloe.reacts(town.ben.says(closed.channel, elsewhere), PIN, closed.channel)
        town.dev.pins(town.ben.says(room.channel, pinned), room.channel)
        lost(town, "reaction_added", 2)
        lost(town, "pin_added", 1)
        town.standin.faults.forget_calls()
        # Once Slack asks for patience; it is given.
        town.standin.fault("conversations.history", "ratelimited", times=1, retry_after=1)
        town.house = town.new_house()
        town.house.start()
        entry(room, marked)
        assert entry(room, pinned).source is Source.PIN
        # Only open incidents are read, and gently: a page of messages and the pins.
        calls = [one for one in town.standin.calls() if one.method in READS]
        assert {one.args["channel"] for one in calls} == {room.channel}
        assert len(calls) == 3, calls


READS = ("conversations.history", "conversations.replies", "pins.list")
