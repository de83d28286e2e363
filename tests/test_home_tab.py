"""The Home tab: what is open, what is one's own to do, drawn when it is opened and after a button on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from bot.domain.followup import FollowUpState
from bot.slack import home_tab
from bot.standin.person import Person
from bot.usecases.home import CLOSED_SHOWN, FOLLOW_UPS_SHOWN, OPEN_SHOWN, Home, Owed
from tests.houses import Town, until
from tests.rooms import event, hasty_town, opened, send, send_at_once


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("home"), console=True) as here:
        yield here


def drawn(town: Town, who: Person, words: str = "Open incidents") -> dict[str, Any]:
    """The person's tab once it shows these words."""
    return who.waits_for(lambda: home if words in words_of(home := who.home()) else None, 8)


def words_of(home: dict[str, Any] | None) -> str:
    return json.dumps(home["blocks"], ensure_ascii=False) if home else ""


def buttons(home: dict[str, Any]) -> list[str]:
    found = [one for block in home["blocks"] if block["type"] == "actions" for one in block["elements"]]
    return [one["text"]["text"] for one in found]


def test_it_shows_what_is_open_what_was_closed_and_ones_own_follow_ups(town: Town) -> None:
    one = opened(town, "/incident open logins fail for a < b & c sev1")
    past = opened(town, "/incident open the printer is on fire")
    past.types("/incident close now")
    one.types(f"/incident follow-up review the weights <@{town.ben.id}|ben> by 2030-06-14")
    one.types("/incident follow-up nobody has this one")
    town.settled()
    town.ben.opens_home()
    home = drawn(town, town.ben)
    text = words_of(home)
    assert f"<#{one.channel}>" in text and "logins fail for a &lt; b &amp; c" in text
    assert "Closed lately" in text and "the printer is on fire" in text and "|postmortem>" in text
    assert "review the weights" in text and "(2030-06-14)" in text and "nobody has this" not in text
    assert buttons(home) == ["Open an incident", "Open the console", "Done", "Remind me in a week"]
    assert f"{town.house.console_url}/incidents" in text
    town.chloe.opens_home()
    other = drawn(town, town.chloe)
    assert "You have none to do." in words_of(other) and "weights" not in words_of(other)


def test_a_button_on_it_acts_and_draws_it_anew(town: Town) -> None:
    room = opened(town, "/incident open slow search")
    for words in ("warm the cache", "add an index"):
        room.types(f"/incident follow-up {words} <@{town.dev.id}|dev>")
    town.dev.opens_home()
    home = drawn(town, town.dev, "warm the cache")
    town.dev.clicks(home, f"{room.about.id}:1")
    town.dev.waits_for(lambda: "warm the cache" not in words_of(town.dev.home()), 8)
    assert room.follow_ups[0].state is FollowUpState.DONE
    assert "add an index" in words_of(town.dev.home())
    snooze = [one for block in home["blocks"] if block["type"] == "actions" for one in block["elements"]][-1]
    assert snooze["action_id"] == "follow_up_snooze"
    town.dev.act("click", view_id=home["id"], block_id="", action_id="follow_up_snooze")
    drawn(town, town.dev, "no reminder before")
    # Drawn before, pressed when somebody else has done it: a sentence, and the tab as it is now.
    stale = town.dev.home()
    assert stale is not None
    room.types("/incident follow-up done 2")
    town.dev.clicks(stale, "Done")
    town.dev.waits_for(lambda: "You have none to do." in words_of(town.dev.home()), 8)


def test_an_incident_opened_from_it_is_on_it(town: Town) -> None:
    town.eve.opens_home()
    town.eve.clicks(drawn(town, town.eve), "Open an incident")
    form = town.eve.waits_for(town.eve.views)[-1]
    wrong = town.eve.submits(form, {"What is wrong?": " "})
    assert wrong["errors"]
    town.eve.submits(form, {"What is wrong?": "mail is late"})
    drawn(town, town.eve, "mail is late")


def test_what_slack_sends_again_draws_the_same(town: Town) -> None:
    town.ana.opens_home()
    home = drawn(town, town.ana)
    sent = event(town, "app_home_opened", town.ana)
    send(town, sent)
    send_at_once(town, sent)
    town.settled()
    again = town.ana.home()
    assert again is not None and again["id"] == home["id"]
    # The Messages tab is no reason to draw anything.
    drawings = len(town.standin.calls("views.publish"))
    sent.payload["event"]["tab"] = "messages"
    send(town, sent, 1)
    town.settled()
    assert len(town.standin.calls("views.publish")) == drawings


def test_what_slack_refuses_or_loses_is_drawn_later_and_troubles_nobody(town: Town) -> None:
    before = len(town.chloe.state()["channels"])
    town.standin.fault("views.publish", "error", error="not_enabled")
    town.chloe.opens_home()
    until(lambda: any(call.fault for call in town.standin.calls("views.publish")), 8, "it was not tried")
    town.settled()
    town.standin.fault("views.publish", "drop_after")
    opened(town, "/incident open after the refusal")
    town.chloe.opens_home()
    drawn(town, town.chloe, "after the refusal")
    town.settled()
    assert town.house.troubles() == [] and town.house._figures()["set_aside"] == 0
    assert not [one for one in town.chloe.state()["channels"] if one["is_im"]]
    assert len(town.chloe.state()["channels"]) >= before


def test_however_much_there_is_it_fits_into_a_view(town: Town) -> None:
    room = opened(town, f"/incident open {'<&>' * 40}")
    about = room.about
    room.types(f"/incident follow-up {'&' * 990}")
    (one,) = room.follow_ups
    many = Home(
        open=[about] * (OPEN_SHOWN + 1),
        closed=[about] * CLOSED_SHOWN,
        owed=[Owed(one, about)] * FOLLOW_UPS_SHOWN,
        owed_in_all=99,
        today=date(2024, 6, 3),
        now=town.clock() + timedelta(0),
        console="https://lantern.example.com/incidents",
    )
    view = home_tab.view(many)
    assert len(view["blocks"]) <= 100
    answer = town.house.slack.call("views.publish", user_id=town.ana.id, view=view)
    assert "There are more" in words_of(answer["view"]) and "And 84 more" in words_of(answer["view"])
