"""The postmortem in the channel's canvas: what a canvas holds, and that people's own canvas is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from markdown_it import MarkdownIt

from bot.domain.postmortem import compile_draft
from bot.exporters.markdown import render
from bot.markdown_canvas import MOST_CELLS, canvas_of
from bot.settings import SettingsWrong, read_settings
from bot.standin import canvases
from bot.store import incident as incidents
from bot.usecases import deliveries
from tests import desks
from tests.houses import Town, until
from tests.pictures import with_texts
from tests.rooms import Room, hasty_town, opened
from tests.story import login_outage
from tests.test_postmortem import HOSTILE, check_golden

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def words(markdown: str) -> list[str]:
    """What a reader finds in it, whatever its order."""
    text = re.sub(r"<[^>]+>", " ", READER.render(markdown))
    return sorted(unescape(text).split())


def is_drawable(text: str) -> None:
    """Raises what Slack would refuse."""
    canvases.checked({"type": "markdown", "markdown": text}, "canvas_editing_failed")


def test_the_seed_incident_as_a_canvas() -> None:
    draft = render(compile_draft(login_outage("Europe/Berlin")))
    made = canvas_of(draft)
    is_drawable(made)
    check_golden("seed.canvas.md", made)
    assert words(made) == words(draft)


@pytest.mark.parametrize(
    "text", [*HOSTILE, "![](@U0ANA00000) ![](#C1) <!channel>", "a_b __init__ 2 * 3 * 4 ~5~ &amp;"]
)
def test_hostile_texts_are_words_that_mention_nobody(text: str) -> None:
    for document in (
        render(compile_draft(with_texts(login_outage(), text))),
        # As a person may write it into a section.
        f"# {text}\n\n{text}\n\n> {text}\n\n- {text}\n  - {text}\n",
    ):
        made = canvas_of(document)
        is_drawable(made)
        assert not re.search(r"(?<!\\)!\[", re.sub(r"(?s)```.*?```|`[^`]*`", "", made))
        # Written again, it is the same: nothing in it has become markup.
        assert canvas_of(made) == made


def test_a_link_behind_an_exclamation_mark_is_no_picture() -> None:
    assert canvas_of(r"look\![pic](https://example.com/a.png)") == "look\\![pic](https://example.com/a.png)\n"


def test_what_a_canvas_cannot_nest_stands_behind_what_it_stood_in() -> None:
    made = canvas_of(
        "> says\n> - one\n> - two\n\n- first\n\n  more\n  ```\n  kubectl get\n  ```\n  - inner\n\n    | a |\n"
        "    | - |\n    | 1 |\n- second\n\n3. third\n\n##### deep\n\n[x](javascript:alert) [y](https://a.example/(1)) "
        "![p](https://b.example/p.png)"
    )
    assert made == (
        "> says\n>\n> • one\n>\n> • two\n\n- first more\n    - inner\n\n```\nkubectl get\n```\n\n| a |\n"
        "| --- |\n| 1 |\n\n- second\n\n3. third\n\n### deep\n\n\\[x\\](javascript:alert) [y](https://a.example/%281%29) [p](https://b.example/p.png)\n"
    )


def test_a_table_of_many_cells_becomes_several() -> None:
    rows = "".join(f"| {n} | b | c |\n" for n in range(250))
    made = canvas_of(f"| n | x | y |\n| - | - | - |\n{rows}")
    is_drawable(made)
    assert made.count("| n | x | y |") == 3
    assert [int(n) for n in re.findall(r"^\| (\d+) ", made, re.M)] == list(range(250))
    wide = " | ".join("x" * (MOST_CELLS + 1))
    is_drawable(canvas_of(f"| {wide} |\n| {' | '.join('-' * (MOST_CELLS + 1))} |\n"))


def test_what_is_too_long_is_cut_between_blocks_and_says_where_the_rest_is() -> None:
    document = "".join(f"- entry {n} ä\n" for n in range(1000))
    made = canvas_of(document, head="*Head.*", rest="*More.*", longest=500)
    assert (
        len(made.encode()) <= 500
        and made.endswith("\n\n*More.*\n")
        and made.startswith("*Head.*\n\n- entry 0 ä\n- ")
    )
    assert all(re.fullmatch(r"- entry \d+ ä", line) for line in made.splitlines()[2:-2])


def test_the_setting_is_on_or_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().canvas is False
    monkeypatch.setenv("LANTERN_CANVAS", "on")
    assert read_settings().canvas is True
    monkeypatch.setenv("LANTERN_CANVAS", "perhaps")
    with pytest.raises(SettingsWrong, match="LANTERN_CANVAS cannot be used: give on or off"):
        read_settings()


# In Slack


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("canvas"), console=True, settings={"canvas": True}) as here:
        here.app.manifest["oauth_config"]["scopes"]["bot"].append("canvases:write")
        yield here


@pytest.fixture(autouse=True)
def no_faults_stay(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "town" in request.fixturenames:
        request.getfixturevalue("town").standin.clear_faults()


def canvas(room: Room) -> str:
    """What the channel's canvas says; "" when there is none."""
    room.town.settled(20)
    found = canvases.of(room.town.standin.workspace, room.town.standin.workspace.channels[room.channel])
    return found.content.decode() if found is not None else ""


def told(town: Town, person: Any) -> list[str]:
    """What Lantern told a person alone about canvases."""
    town.settled()
    rooms = [one["id"] for one in person.state()["channels"] if one.get("is_im")]
    return [one["text"] for room in rooms for one in person.messages(room) if "canvas" in one["text"]]


def test_the_draft_stands_in_the_channels_canvas_and_is_written_anew(town: Town) -> None:
    room = opened(town, "/incident open logins fail for a_b sev2 private")
    room.types("/log detection: alarms on login")
    room.types("/incident close now")
    first = canvas(room)
    assert first.startswith("*Revision 1, written by Lantern.") and "alarms on login" in first
    assert f"({town.house.console_url}/incidents/{room.number}/postmortem)" in first
    room.types("/incident cause the weights were wrong")
    room.types("/postmortem compile")
    second = canvas(room)
    assert second.startswith("*Revision 2, written") and second.count("# Postmortem") == 1
    assert "the weights were wrong" in second and "Revision 1" not in second
    room.types("/postmortem publish because it is a test")
    assert canvas(room) == second
    # It is the channel's own, and the file is there all the same.
    assert len(town.standin.calls("conversations.canvases.create")) == 1
    assert any(one["name"].endswith("-r2.md") for message in room.messages() for one in message["files"])
    assert told(town, town.ana) == []


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("conversations.canvases.create", "drop_after"),
        ("conversations.canvases.create", "http"),
        ("canvases.edit", "drop_after"),
    ],
)
def test_an_answer_that_is_lost_makes_no_second_canvas(town: Town, method: str, kind: Any) -> None:
    room = opened(town)
    town.standin.fault(method, kind)
    room.types("/incident close now")
    assert canvas(room).startswith("*Revision 1, written")
    assert told(town, town.ana) == []


def test_a_canvas_that_people_made_stays_as_it_is_and_that_is_said_once(town: Town) -> None:
    room = opened(town, by=town.ben)
    town.ben.act("write_canvas", channel=room.channel, text="our own notes")
    room.types("/incident close now", by=town.ben)
    room.types("/postmortem compile", by=town.ben)
    assert canvas(room) == "our own notes"
    (sentence,) = told(town, town.ben)
    assert "channel_canvas_already_exists. People have made the channel's canvas" in sentence
    assert "The file in the channel says the same." in sentence
    # Made between our call and our look, it is theirs too.
    room = opened(town, by=town.ben)
    town.standin.fault("conversations.canvases.create", "drop_before")
    room.types("/incident cause the weights", by=town.ben)
    room.types("/postmortem compile", by=town.ben)
    until(
        lambda: any(call.fault for call in town.standin.calls("conversations.canvases.create")),
        8,
        "not tried",
    )
    town.ben.act("write_canvas", channel=room.channel, text="quicker")
    assert canvas(room) == "quicker"
    assert town.house._figures()["set_aside"] == 0


def test_a_canvas_that_was_deleted_is_made_anew(town: Town) -> None:
    room = opened(town)
    room.types("/postmortem compile")
    assert canvas(room)
    town.ana.act("delete_canvas", channel=room.channel)
    room.types("/log one more thing")
    room.types("/postmortem compile")
    assert "one more thing" in canvas(room)


def test_where_canvases_are_refused_whoever_asked_reads_each_reason_once(town: Town) -> None:
    room = opened(town)
    town.chloe.joins(room.channel)
    refusals = {
        "missing_scope": "Take the comment mark off the line `canvas` of app.yaml",
        "team_tier_cannot_create_channel_canvases": "LANTERN_CANVAS=off",
    }
    for error in (*refusals, "missing_scope"):
        town.standin.clear_faults()
        town.standin.fault("conversations.canvases.create", "error", error=error)
        room.types("/postmortem compile", by=town.chloe)
        town.settled()
    sentences = told(town, town.chloe)
    assert len(sentences) == len(refusals)
    for sentence, (error, says) in zip(sentences, refusals.items(), strict=True):
        assert error in sentence and says in sentence and room.about.slug in sentence
    assert canvas(room) == "" and town.house._figures()["set_aside"] == 0
    room.types("/postmortem compile", by=town.chloe)
    assert canvas(room).startswith("*Revision")


def test_what_does_not_fit_is_cut_with_a_link_to_the_whole(town: Town) -> None:
    room = opened(town)
    for error in ("canvas_too_large", "canvas_editing_failed"):
        town.standin.fault("canvases.edit", "error", error=error)
    room.types("/postmortem compile")
    made = canvas(room)
    assert "# Postmortem" in made and len(made) < 700
    assert made.endswith(
        f"[the whole postmortem]({town.house.console_url}/incidents/{room.number}/postmortem).*\n"
    )


def test_an_incident_that_was_closed_before_it_had_a_channel_has_its_canvas_too(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "CHANNEL_AGAIN_AFTER", timedelta(seconds=0.5))
    town.standin.fault("conversations.create", "error", error="restricted_action", times=2)
    incident_id = desks.closed(town.house.desk, "closed while Slack was away", by=town.ana.id)
    until(lambda: _channel_of(town, incident_id) != "", 15, "no channel")
    town.settled()
    room = Room(town, town.incidents(), _channel_of(town, incident_id))
    assert "closed while Slack was away" in canvas(room)


def _channel_of(town: Town, incident_id: int) -> str:
    with town.house.db.reading() as session:
        return incidents.get(session, incident_id).channel_id or ""
