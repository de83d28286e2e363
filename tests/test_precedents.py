"""Past incidents that looked like this one: who is told of which, why, and when unasked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import people
from bot.usecases.desk import Desk
from bot.usecases.incident import cancel_incident
from bot.usecases.postmortem import Closing, close_incident
from bot.usecases.suggestion import suggestions, unasked_suggestions
from tests.desks import ANA, BEN, closed, desk_on, opened
from tests.dialogue import offers, words_of
from tests.houses import Town
from tests.rooms import Room, hasty_town
from tests.rooms import opened as room_of

CATALOGUE = "services:\n  login: {owner: '@team-identity', words: [logins]}\n  basket: {}\n"


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    book = tmp_path / "catalogue.yaml"
    book.write_text(CATALOGUE)
    with desk_on(database_url, catalogue=book) as here:
        yield here


def told(desk: Desk, incident_id: int, by: str = BEN) -> list[tuple[int, str, str]]:
    found = suggestions(desk, incident_id, by=by).precedents
    return [(one.incident.number, one.was, one.reason) for one in found]


def unasked(desk: Desk, incident_id: int) -> list[int]:
    return [one.incident.number for one in unasked_suggestions(desk, incident_id).precedents]


def test_a_closed_incident_that_looked_alike_is_named_with_what_it_was_and_why(desk: Desk) -> None:
    closed(desk, "Logins fail for half of the users", cause="weights of <@U1|eve>: *200/10*, not 1:1")
    closed(desk, "mail is late", cause="a queue")
    now = opened(desk, "login failures in Asia")
    assert told(desk, now) == [
        (1, "weights of @eve: 200/10, not 1:1", "because of “login”, “failures”; it was about login too")
    ]
    assert unasked(desk, now) == [1]


def test_a_cause_that_nobody_wrote_down_is_not_worth_saying_unasked(desk: Desk) -> None:
    closed(desk, "the basket loses items", fix="a restart")
    closed(desk, "the basket loses items")
    now = opened(desk, "the basket loses items again")
    assert [(number, was) for number, was, _ in told(desk, now)] == [(2, ""), (1, "a restart")]
    assert unasked(desk, now) == [1]


def test_what_stands_in_entries_counts_as_well_and_one_shared_word_does_not(desk: Desk) -> None:
    closed(desk, "site unwell", "LoginFailureRateHigh rang", cause="haproxy weights")
    now = opened(desk, "something is odd")
    assert told(desk, now) == []
    later = opened(desk, "odd things", "LoginFailureRateHigh rang", "weights of haproxy look odd")
    assert [number for number, _, _ in told(desk, later)] == [1]
    assert told(desk, opened(desk, "haproxy is loud")) == []


def test_drills_and_what_was_cancelled_or_is_still_open_are_no_precedents(desk: Desk) -> None:
    title = "uploads of pictures hang"
    closed(desk, title, cause="practice", is_drill=True)
    cancel_incident(desk, opened(desk, title), by=ANA)
    opened(desk, title)
    now = opened(desk, title)
    assert told(desk, now) == []
    close_incident(desk, now, Closing(cause="a full disk"), by=ANA)
    assert told(desk, now) == [], "an incident is no precedent of itself"


def test_three_at_most_the_likest_first_and_the_newest_among_equals(desk: Desk) -> None:
    for number in range(4):
        closed(desk, "uploads of pictures hang", cause=f"cause {number + 1}")
    closed(desk, "pictures hang", cause="a nail")
    now = opened(desk, "uploads of pictures hang")
    assert [number for number, _, _ in told(desk, now)] == [4, 3, 2]
    found = unasked_suggestions(desk, now)
    assert len(found.runbooks) + len(found.precedents) == 3


def test_a_private_incident_is_a_precedent_for_its_people_alone_and_never_unasked(desk: Desk) -> None:
    secret = closed(desk, "payroll leaked to a share", cause="a link", is_private=True)
    for is_private in (False, True):
        now = opened(desk, "payroll leaked to a share", is_private=is_private)
        assert [number for number, _, _ in told(desk, now, by=ANA)] == [1]
        assert unasked(desk, now) == []
        with desk.db.writing() as session:
            people.join(session, now, BEN, desk.clock())
        assert told(desk, now) == []
    with desk.db.writing() as session:
        people.join(session, secret, BEN, desk.clock())
    assert [number for number, _, _ in told(desk, now)] == [1]
    with desk.db.writing() as session:
        people.leave(session, secret, ANA, desk.clock())
    assert told(desk, now, by=ANA) == []


# In Slack


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("precedents")) as here:
        yield here


def ended(town: Town, line: str, cause: str) -> Room:
    room = room_of(town, line)
    room.types(f"/incident cause {cause}")
    room.types("/incident close now")
    return room


def test_what_fits_well_is_said_once_below_the_card_and_its_buttons_work(town: Town) -> None:
    past = ended(town, "/incident open uneven traffic on checkout", "weights *200* < 10")
    room = room_of(town, "/incident open checkout has uneven traffic sev2")
    (found,) = room.messages("This may help")
    assert found["text"].splitlines() == [
        ":bulb: *This may help:*",
        "lb-uneven-traffic: Load balancer sends traffic unevenly (because of “uneven”, “uneven traffic” in the title)",
        f"<#{past.channel}> *inc-{past.number:04d}* looked like this; it was: weights 200 &lt; 10",
        "because of “checkout”, “uneven”, “traffic”",
    ]
    ours = [one["ts"] for one in room.messages() if one.get("bot_id") and not one.get("subtype")]
    assert ours.index(found["ts"]) == 2, "it stands below the card and the opening"
    room.types("/incident title uneven traffic on checkout everywhere")
    room.types("/incident cancel nothing")
    room.types("/incident reopen")
    assert len(room.messages("This may help")) == 1
    assert offers(found, "Start")
    town.ana.clicks(found, "Start")
    assert room.message("step 1 of")


def test_nothing_is_said_where_nothing_fits(town: Town) -> None:
    room = room_of(town, "/incident open penguins on the roof")
    assert room.messages("This may help") == []
    assert "no past incident looked like it" in room.types("/runbook")


def test_a_private_incident_is_in_nobodys_channel_and_only_its_people_are_told_of_it(town: Town) -> None:
    ended(town, "/incident open payroll leaked to a share private", "a link to payroll")
    room = room_of(town, "/incident open payroll leaked to a share")
    town.ben.joins(room.channel)
    assert room.messages("This may help") == []
    assert "it was: a link to payroll" in room.types("/runbook")
    assert "no past incident looked like it" in room.types("/runbook", by=town.ben)
    town.ana.clicks(room.card, "Runbook")
    town.ben.clicks(room.card, "Runbook")
    town.settled()
    seen = {
        who: [words_of(one) for one in getattr(town, who).messages(room.channel) if one.get("ephemeral")]
        for who in ("ana", "ben")
    }
    assert any("a link to payroll" in text for text in seen["ana"]), seen
    assert any("no past incident looked like it" in text for text in seen["ben"]), seen
    assert "a link to payroll" not in json.dumps(town.ben.state())
    assert "a link" not in "".join(
        town.ben.types(f"/incident search {word}")["answer"]["text"] for word in ("payroll", "link")
    )
