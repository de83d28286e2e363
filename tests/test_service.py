"""The service of an incident: chosen in the form, named in the title, said later; and its owner is told once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.domain.catalogue import Service
from bot.domain.incident import Severity
from bot.domain.refusals import Refusal
from bot.slack.modals import open_incident as form
from bot.usecases.incident import open_incident
from tests.dialogue import words_of
from tests.houses import Town
from tests.rooms import Room, hasty_town, opened

GROUP = "<!subteam^S012ABCDEF>"
CATALOGUE = """
services:
  login: {owner: "@team-identity", groups: [S012ABCDEF, S0NETWORK], words: [sign-in]}
  basket: {owner: U0BEN00000}
  mail: {owner: "Mail squad"}
  search: {}
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("services")
    book = folder / "catalogue.yaml"
    book.write_text(CATALOGUE)
    with hasty_town(folder, settings={"catalogue": book}) as here:
        yield here


def replies(room: Room) -> list[str]:
    """What stands under the announcement."""
    room.town.settled()
    name = f"<#{room.channel}>"
    (one,) = [one for one in room.town.ana.messages("#incidents") if name in one["text"]]
    return [reply["text"] for reply in room.town.ana.replies("#incidents", one["ts"])[1:]]


def mentions(town: Town, room: Room) -> int:
    """How often Slack was asked to say something with a mention of the group, about this incident."""
    calls = [one.args for one in town.standin.calls() if one.method in {"chat.postMessage", "chat.update"}]
    return sum("subteam" in str(one) and room.channel in str(one) for one in calls)


def test_whose_service_it_is_stands_on_the_card_and_they_are_mentioned_once(town: Town) -> None:
    room = opened(town, "/incident open sign-in fails sev1")
    assert room.about.service == "login"
    assert "login (owner @team-identity)" in words_of(room.card)
    assert replies(room) == [
        f"{GROUP} <!subteam^S0NETWORK>: *login* is yours and has an incident (SEV1): <#{room.channel}>"
    ]
    room.types("/incident severity sev2")
    room.types("/incident title sign-in fails everywhere")
    assert "already *login*" in room.types("/incident service login")
    room.types("/incident service search")
    room.types("/incident service login")
    assert len(replies(room)) == 1 and mentions(town, room) == 1
    (announced,) = [one for one in town.ana.messages("#incidents") if room.channel in one["text"]]
    assert "service: login (owner @team-identity)" in words_of(announced)
    assert "subteam" not in str(announced) and "subteam" not in str(room.card)


def test_an_owner_who_is_a_person_is_mentioned_and_an_owner_in_words_is_named(town: Town) -> None:
    room = opened(town, "/incident open something is slow")
    assert replies(room) == []
    room.types("/incident service basket")
    assert replies(room) == [
        f"<@U0BEN00000>: *basket* is yours and has an incident (SEV3): <#{room.channel}>"
    ]
    assert "U0BEN00000" not in words_of(room.card)
    room.types("/incident service mail")
    assert len(replies(room)) == 1
    assert "mail (owner Mail squad)" in words_of(room.card)


@pytest.mark.parametrize("flag", ["private", "drill"])
def test_nobody_is_called_to_a_drill_or_to_a_private_incident(town: Town, flag: str) -> None:
    room = opened(town, f"/incident open login is being rehearsed {flag}")
    assert room.about.service == "login"
    room.types("/incident service basket")
    room.types("/incident service login")
    town.settled()
    assert mentions(town, room) == 0
    assert "subteam" not in str(town.ana.messages(room.channel))


# The form


def opened_by_form(town: Town, values: dict[str, Any]) -> int:
    town.ana.types("/incident", "#general")
    answer = town.ana.submits(town.ana.views()[-1], values)
    assert answer["closed"], answer
    town.settled()
    return max(one for one in range(1, 60) if town.has(one))


def test_the_form_offers_the_services_and_what_is_chosen_is_it(town: Town) -> None:
    number = opened_by_form(town, {"title": "the login of the shop fails", "service": "basket"})
    assert town.incident(number).service == "basket"
    number = opened_by_form(town, {"title": "the login of the shop fails"})
    assert town.incident(number).service == "login"
    assert town.incident(opened_by_form(town, {"title": "penguins"})).service is None


def test_a_message_that_names_a_service_proposes_it(town: Town) -> None:
    ts = town.ana.says("#general", "the basket is empty")
    town.ana.message_shortcut("open_from_message", ts, "#general")
    view = town.ana.views()[-1]
    assert chosen(view) == "basket"
    town.ana.closes(view)


def chosen(view: dict[str, Any]) -> str:
    (block,) = [one for one in view["blocks"] if one.get("block_id") == "service"]
    return str(block["element"]["initial_option"]["value"])


def test_a_catalogue_of_more_than_a_hundred_is_typed_into(town: Town) -> None:
    many = {f"s{number:03}": Service(f"s{number:03}") for number in range(101)}
    view = form.view(Severity.SEV2, services=many)
    (block,) = [one for one in view["blocks"] if one.get("block_id") == "service"]
    assert block["element"]["type"] == "plain_text_input"
    some = dict(list(many.items())[:100])
    (block,) = [
        one for one in form.view(Severity.SEV2, services=some)["blocks"] if one["block_id"] == "service"
    ]
    assert len(block["element"]["options"]) == 100
    assert not [one for one in form.view(Severity.SEV2)["blocks"] if one["block_id"] == "service"]


def test_a_service_that_the_catalogue_does_not_have_is_told_at_its_field(town: Town) -> None:
    before = town.incidents()
    with pytest.raises(Refusal, match=r"has no service “bsaket”.*`basket`, `login`") as told:
        open_incident(town.house.desk, "the shop is shut", by=town.ana.id, service_name="bsaket")
    assert told.value.field == "service"
    assert town.incidents() == before
    open_incident(town.house.desk, "the shop is shut", by=town.ana.id, service_name=" `Basket` ")
    assert town.incident(before + 1).service == "basket"
