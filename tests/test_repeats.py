"""What Slack sends again leaves nothing new: after the first has been answered, and in the same moment.

"replicas" is two houses on one PostgreSQL, and what Slack sends goes to the one and the other by turns.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.domain.pace import Pace
from bot.domain.timeline import Entry
from bot.standin.outward import Delivery
from tests import postgres
from tests.conftest import missing
from tests.crash_gate import Gate
from tests.houses import Town, until
from tests.rooms import Room, event, fresh_words, hasty_town, opened, send, send_at_once, twin


@pytest.fixture(scope="module", params=["socket", "http", "replicas"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    if request.param == "replicas":
        with _two_houses() as here:
            yield here
        return
    with hasty_town(tmp_path_factory.mktemp("repeats"), request.param) as here:
        yield here


@contextmanager
def _two_houses() -> Iterator[Town]:
    """Two replicas behind one address that leads to each of them by turns."""
    try:
        url = postgres.new_database(postgres.shared_cluster())
    except postgres.NoPostgres as absent:
        missing(f"PostgreSQL is not installed: {absent}.")
        raise AssertionError("unreachable") from absent
    with Town(url, transport="http", pace=Pace(time.monotonic, {}, {})) as here:
        other = here.new_house()
        other.start()
        turns = itertools.cycle((here.house.web.url, other.web.url))
        try:
            with Gate(lambda: next(turns)) as gate:
                here.app.request_url = gate.api_url.removesuffix("/api/") + "/slack/events"
                yield here
        finally:
            other.stop()


@pytest.fixture(scope="module")
def room(town: Town) -> Room:
    return with_ben(opened(town))


def with_ben(room: Room) -> Room:
    room.town.ben.joins(room.channel)
    until(lambda: bool(room.told(f"<@{room.town.ben.id}> joined")), 8, "ben's coming was not noted")
    return room


def command(line: str) -> Callable[[Room], Delivery]:
    def act(room: Room) -> Delivery:
        room.types(line)
        return room.town.standin.last_delivery("command")

    return act


def reaction(room: Room) -> Delivery:
    words = fresh_words("reacted to")
    room.town.ana.reacts(room.town.ben.says(room.channel, words), "pushpin", room.channel)
    room.only(words)
    return event(room.town, "reaction_added", room.town.ana)


def pin(room: Room) -> Delivery:
    words = fresh_words("pinned")
    room.town.ana.pins(room.town.ben.says(room.channel, words), room.channel)
    room.only(words)
    return event(room.town, "pin_added", room.town.ana)


def joining(room: Room) -> Delivery:
    room.town.eve.joins(room.channel)
    until(lambda: bool(room.told(f"<@{room.town.eve.id}> joined")), 8, "eve's coming was not noted")
    return event(room.town, "member_joined_channel", room.town.eve)


def form(room: Room) -> Delivery:
    room.types("/log")
    room.town.ana.submits(room.form(), {"text": fresh_words("by form")})
    return room.town.standin.last_delivery("interactive")


def update_form(room: Room) -> Delivery:
    room.town.ana.clicks(room.card, "Post update")
    room.town.ana.submits(room.form(), {"text": "we are on it"})
    return room.town.standin.last_delivery("interactive")


def status_menu(room: Room) -> Delivery:
    room.town.ana.clicks(room.card, "Identified")
    return room.town.standin.last_delivery("interactive")


def take_command(room: Room) -> Delivery:
    room.town.ben.clicks(room.card, "Take command")
    return room.town.standin.last_delivery("interactive")


def step_done(room: Room) -> Delivery:
    room.types("/runbook start lb-uneven-traffic")
    room.town.ana.clicks(room.message("step 1 of"), "Done")
    return room.town.standin.last_delivery("interactive")


def closing(room: Room) -> Delivery:
    room.types("/incident close")
    room.town.ana.submits(room.form(), {"Root cause": "the weights were wrong"})
    return room.town.standin.last_delivery("interactive")


def marks(room: Room) -> dict[str, Any]:
    """Everything that a second delivery could leave twice."""
    room.town.settled()
    facts = room.facts
    files = [file["name"] for message in room.messages() for file in message.get("files") or []]

    def shown(entry: Entry) -> tuple[object, ...]:
        return entry.number, entry.kind, entry.text, entry.edits, entry.undone_at, entry.happened_at

    return {
        "incident": room.about,
        "entries": [shown(entry) for entry in room.entries],
        "follow-ups": room.follow_ups,
        "lessons": facts.lessons,
        "updates": facts.updates,
        "roles": facts.roles,
        "responders": facts.responders,
        "runs": facts.runs,
        "revision": room.revision.number if room.revision else 0,
        "files": files,
        "messages": len(room.messages()),
    }


DEEDS: dict[str, Callable[[Room], Delivery]] = {
    "log": command("/log the pool is exhausted"),
    "log edit": command("/log edit 1 opened late"),
    "impact": command("/incident impact half of the logins fail"),
    "status": command("/incident status monitoring"),
    "severity": command("/incident severity sev1"),
    "title": command("/incident title every login fails"),
    "role": command("/incident role scribe me"),
    "follow-up": command("/incident follow-up review the weights @ben"),
    "lesson": command("/incident lesson lucky it was noon"),
    "update": command("/incident update a fix is coming"),
    "runbook": command("/runbook start lb-uneven-traffic"),
    "postmortem": command("/postmortem compile"),
    "cancel": command("/incident cancel false alarm"),
    "reaction": reaction,
    "pin": pin,
    "joining": joining,
    "entry form": form,
    "update form": update_form,
    "status menu": status_menu,
    "take command": take_command,
    "step done": step_done,
    "close": closing,
}


#: Every deed with two houses on PostgreSQL, and with one on SQLite by one way in or the other.
_CASES = [
    *(("replicas", deed) for deed in DEEDS),
    *(("http" if at % 2 else "socket", deed) for at, deed in enumerate(DEEDS)),
]


@pytest.mark.parametrize(("town", "deed"), _CASES, indirect=["town"])
def test_what_is_delivered_again_leaves_nothing_new(town: Town, deed: str) -> None:
    room = with_ben(opened(town)) if deed in {"reaction", "pin", "take command"} else opened(town)
    before = marks(room)
    delivery = DEEDS[deed](room)
    after = marks(room)
    assert after != before, "the deed left no mark at all"
    send(town, delivery)
    send_at_once(town, delivery)
    assert marks(room) == after


#: Deeds that leave one more mark each time a person really repeats them: name -> the mark it counts in.
REPEATABLE = {
    "log": "entries",
    "follow-up": "follow-ups",
    "lesson": "lessons",
    "update": "updates",
    "entry form": "entries",
    "update form": "updates",
}


@pytest.mark.parametrize("deed", list(REPEATABLE))
def test_a_request_that_arrives_four_times_at_once_is_done_once(room: Room, deed: str) -> None:
    delivery = twin(DEEDS[deed](room))
    before = marks(room)
    send_at_once(room.town, delivery)
    after = marks(room)
    assert len(after[REPEATABLE[deed]]) == len(before[REPEATABLE[deed]]) + 1


def test_an_opening_that_arrives_four_times_at_once_opens_one_incident(town: Town) -> None:
    first = opened(town)
    delivery = town.standin.last_delivery("command")
    send(town, delivery)
    channels = len(town.ana.state()["channels"])
    send_at_once(town, twin(delivery))
    town.settled()
    assert town.has(first.number + 1) and not town.has(first.number + 2)
    assert len(town.ana.state()["channels"]) == channels + 1


def test_an_opening_form_sent_again_opens_one_incident(town: Town) -> None:
    first = opened(town)
    town.ana.opens_shortcut("open_incident")
    town.ana.submits(town.ana.views()[-1], {"What is wrong?": "logins fail once more"})
    send(town, town.standin.last_delivery("interactive"))
    send_at_once(town, town.standin.last_delivery("interactive"))
    town.settled()
    assert town.has(first.number + 1) and not town.has(first.number + 2)
    # The person is told once, in the answer to the form.
    about = town.incident(first.number + 1)
    told = [
        one for one in town.standin.calls("chat.postMessage") if f"Opening *{about.slug}*" in str(one.args)
    ]
    assert len(told) == 1
