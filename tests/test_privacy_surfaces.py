"""The privacy matrix: every surface of Slack times who looks, for private incidents: nothing of them, nor their title.

Their addresses in the console are in tests/test_web_privacy.py, with whoever is signed out and Slack's unfurler; every
deed and command is in tests/test_privacy.py, and what a terminal lists in tests/test_incident_talk.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.standin import canvases
from bot.standin.person import Person
from bot.usecases import reminders
from tests.houses import Town, said, until
from tests.rooms import Room, hasty_town, opened
from tests.visiting import Visitor

SECRET = "payroll leaked"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("surfaces")
    with hasty_town(folder, console=True, settings={"canvas": True}) as here:
        here.app.manifest["oauth_config"]["scopes"]["bot"].append("canvases:write")
        yield here


@pytest.fixture(scope="module")
def private(town: Town) -> list[Room]:
    """Ana's private incidents, one open and one closed. Ben, who is in neither, has a follow-up of each."""
    rooms = [opened(town, f"/incident open {SECRET} to a share sev1 private") for _ in range(2)]
    for room in rooms:
        room.types(f"/log {SECRET} by mail")
        room.types(f"/incident cause {SECRET} since May")
        for who in (town.ana, town.ben):
            room.types(f"/incident follow-up say that {SECRET} <@{who.id}|x> by tomorrow")
    rooms[1].types("/incident close now")
    town.settled()
    return rooms


@pytest.fixture(scope="module")
def public(town: Town, private: list[Room]) -> Room:
    """A public incident that looks like the private ones and names the channel of one, as Slack writes it."""
    name = town.standin.workspace.channels[private[0].channel].name
    assert "payroll-leaked" in name
    link = f"<#{private[0].channel}|{name}>"
    room = opened(town, f"/incident open data on a share, see {link}")
    town.ben.joins(room.channel)
    until(lambda: bool(room.told(f"<@{town.ben.id}> joined")), 8, "ben's coming was not noted")
    room.types(f"/log finding: see {link}")
    room.types("/log finding: a share")
    room.types(f"/log edit {room.told('a share')[-1].number} a share, see {link}")
    room.types(f"/incident cause as in {link}")
    room.types(f"/incident follow-up read {link} <@{town.ben.id}|x> by tomorrow")
    room.types(f"/incident update see {link}")
    room.types(f"/incident lesson lucky nothing like {link}")
    room.types("/postmortem compile")
    town.settled()
    return room


def home(town: Town, who: Person, _public: Room) -> str:
    drawn = len(town.standin.calls("views.publish"))
    who.opens_home()
    until(lambda: len(town.standin.calls("views.publish")) > drawn, 8, "it was not drawn")
    town.settled()
    return json.dumps(who.home())


def typed(line: str) -> Callable[[Town, Person, Room], str]:
    return lambda _town, who, public: json.dumps(who.types(line, public.channel))


def channels(town: Town, who: Person, _public: Room) -> str:
    """All that stands in the channels they see, direct messages and files among it."""
    seen = who.state()["channels"]
    told: list[Any] = [[one["name"], one["topic"], one["purpose"], one["bookmarks"]] for one in seen]
    for one in seen:
        messages = who.messages(one["id"])
        told.append(messages)
        files = [file["id"] for message in messages for file in message["files"]]
        told += [town.standin.workspace.files[file].content.decode("utf-8", "replace") for file in files]
    return json.dumps(told)


def canvases_seen(town: Town, who: Person, _public: Room) -> str:
    rooms = [town.standin.workspace.channels[one["id"]] for one in who.state()["channels"]]
    found = [canvases.of(town.standin.workspace, room) for room in rooms]
    return " ".join(one.content.decode() for one in found if one is not None)


def reminder(town: Town, who: Person, public: Room) -> str:
    town.set_clock(town.clock() + timedelta(days=2))
    reminders.remind_due(town.house.desk)
    town.settled()
    direct = [one["id"] for one in who.state()["channels"] if one["is_im"]]
    assert direct, "nobody was reminded"
    return json.dumps([who.messages(one) for one in direct])


def digest(town: Town, who: Person, public: Room) -> str:
    now = town.clock()
    town.set_clock((now + timedelta(days=7 - now.weekday())).replace(hour=12))
    reminders.digest_due(town.house.desk)
    town.settled()
    told = [one for one in who.messages("#incidents") if "What is left" in one["text"]]
    assert told and "follow-up" in told[-1]["text"]
    return json.dumps(told)


def console(town: Town, who: Person, public: Room) -> str:
    """The pages and files of the public incident, as others read them."""
    visitor = Visitor(town)
    visitor.signs_in(who.id)
    path = f"/incidents/{public.number}"
    pages = [
        f"{path}{more}" for more in ("", "/postmortem", "/postmortem.json", "/postmortem.html", "/entries/2")
    ]
    found = [visitor.gets(one) for one in (*pages, "/incidents?q=share")]
    assert [one.status for one in found] == [200] * len(found)
    return " ".join(one.text for one in found)


#: Surface -> what a person finds on it, and whether a member of the private incidents finds them there.
SURFACES: dict[str, tuple[Callable[[Town, Person, Room], str], bool]] = {
    "App Home": (home, True),
    "list": (typed("/incident list all"), True),
    "search": (typed("/incident search payroll leaked"), True),
    "similar incidents": (typed("/runbook"), True),
    "channels, bookmarks and files": (channels, True),
    "canvas": (canvases_seen, True),
    "console of another incident": (console, False),
    "reminder": (reminder, True),
    "weekly digest": (digest, False),
}


@pytest.mark.parametrize("surface", SURFACES)
def test_a_surface_shows_private_incidents_to_their_people_alone(
    town: Town, private: list[Room], public: Room, surface: str
) -> None:
    look, is_seen = SURFACES[surface]
    for_member, for_other = (look(town, who, public) for who in (town.ana, town.ben))
    for words in (SECRET, SECRET.replace(" ", "-")):
        assert words not in for_other, surface
    if is_seen:
        assert SECRET in for_member, surface


@pytest.mark.parametrize("word", SECRET.split())
def test_nothing_is_found_by_a_word_of_a_private_title(
    town: Town, private: list[Room], public: Room, word: str
) -> None:
    assert public.about.slug not in said(town.ben.types(f"/incident search {word}", public.channel))
    assert private[0].about.slug in said(town.ana.types(f"/incident search {word}", private[0].channel))


@pytest.mark.parametrize("shortcut", ["open_from_message", "add_follow_up", "add_to_timeline"])
def test_a_form_that_begins_with_a_message_names_no_private_channel(
    town: Town, private: list[Room], public: Room, shortcut: str
) -> None:
    name = town.standin.workspace.channels[private[0].channel].name
    ts = town.ben.says(public.channel, f"like <#{private[0].channel}|{name}>")
    town.ben.message_shortcut(shortcut, ts, public.channel)
    form = town.ben.views()[-1]
    assert "like" in json.dumps(form) and "payroll" not in json.dumps(form)
    town.ben.closes(form)


def test_a_public_channel_is_not_named_after_a_private_one(
    town: Town, private: list[Room], public: Room
) -> None:
    name = town.standin.workspace.channels[public.channel].name
    assert "share" in name and "private-channel" in name and "payroll" not in name
    # For its own people it has its name.
    private[0].types(
        f"/log see <#{private[0].channel}|{town.standin.workspace.channels[private[0].channel].name}>"
    )
    private[0].types("/postmortem compile")
    assert "payroll-leaked" in town.draft(private[0].number)


def test_whoever_leaves_the_channel_has_it_no_more_on_their_home(town: Town) -> None:
    room = opened(town, "/incident open keys in a public bucket private", by=town.chloe)
    town.chloe.invites(room.channel, town.dev.id)
    until(lambda: bool(room.told(f"<@{town.dev.id}> joined")), 8, "dev's coming was not noted")
    town.dev.opens_home()
    town.dev.waits_for(lambda: "public bucket" in json.dumps(town.dev.home()), 8)
    town.dev.leaves(room.channel)
    town.dev.waits_for(lambda: "public bucket" not in json.dumps(town.dev.home()), 8)


def test_to_whom_the_tab_and_the_canvas_are_sent(town: Town, private: list[Room], public: Room) -> None:
    """All that Lantern ever said, by whom it was said to: a second look at the same."""
    workspace = town.standin.workspace
    rooms = {one.channel for one in private}
    for call in town.standin.calls():
        if SECRET not in json.dumps(call.args, default=str):
            continue
        if call.method == "views.publish":
            assert call.args["user_id"] == town.ana.id
        elif call.method == "canvases.edit":
            assert set(workspace.files[str(call.args["canvas_id"])].channels) <= rooms
        elif call.method != "views.open":
            place = str(call.args.get("channel") or call.args.get("channel_id") or private[0].channel)
            assert (
                place in rooms
                or set(workspace.channels[place].members) <= {town.ana.id, town.app.bot_user_id}
                or (call.method == "chat.postEphemeral" and call.args["user"] == town.ana.id)
            ), call
    assert said(town.ben.types(f"/incident info {private[0].number}")).count(SECRET) == 0
