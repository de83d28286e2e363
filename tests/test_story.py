"""A story in YAML: what is wrong in it is said by step, and its player does what people do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.standin.person import Person
from bot.standin.player import Player, player_for
from bot.standin.server import Standin, wait_until
from bot.standin.story import BadStory, Story
from tests.tinker import ANA, BEN, tinkered

WHOLE = """
title: One evening
intro: Logins fail, and people talk about it.
steps:
  - {caption: ana asks, as: ana, in: "#general", at: 2024-06-03T10:30:00Z, say: "who else sees *failing* logins?"}
  - {caption: ben looks, as: ben, react: eyes, to: failing logins, wait: 0}
  - {caption: ben answers, as: ben, say: me too, thread_to: failing logins}
  - {caption: ben pins, as: ben, pin: true, to: failing logins}
  - {caption: ana opens a room, as: ana, command: /tinker room, then_expect: []}
  - {caption: in the room, as: ana, in: "@incident", say: "hello, room", then_expect: [This is the room, "hello, room"]}
  - {caption: a card, as: ana, in: "#general", command: /tinker card, then_expect: "Status: _open_"}
  - {caption: ben takes it, as: ben, click: Acknowledge, to: Logins fail, then_expect: acknowledged 7}
  - {caption: ana asks for the form, as: ana, shortcut: Fill in the form, then_expect: The form}
  - caption: ana fills it in
    as: ana
    submit: {Title: Lamp, Colour: Blue, Owner: "@ben"}
    then_expect: Lamp is blue for
  - {caption: ben keeps it, as: ben, message_shortcut: Keep this, to: Lamp is blue, then_expect: "Kept: Lamp"}
  - caption: ben shares a graph
    as: ben
    upload: {filename: graph.txt, content: "__/", text: look}
    then_expect: graph.txt
  - {caption: The end.}
"""


@pytest.fixture
def standin() -> Iterator[Standin]:
    with tinkered() as standin:
        yield standin


@pytest.fixture
def players() -> Iterator[list[Player]]:
    made: list[Player] = []
    yield made
    for player in made:
        player.stop()


def play(player: Player, timeout: float = 30.0) -> dict[str, object]:
    player.do("play")
    try:
        wait_until(lambda: not player.state()["running"], timeout)
    except TimeoutError:
        pytest.fail(f"The story hangs: {player.state()}")
    return player.state()


def step(text: str) -> str:
    return f"title: T\nsteps:\n  - {{caption: first, as: ana, in: '#general', say: hello}}\n  - {text}\n"


def test_a_whole_story_is_played_by_its_people(standin: Standin, players: list[Player]) -> None:
    moments: list[datetime | None] = []
    player = player_for(standin, Story.from_yaml(WHOLE), on_clock=moments.append, speed=500)
    players.append(player)

    end = play(player)

    assert (end["error"], end["done"], end["at"], end["total"]) == (None, True, 13, 13)
    # At its end both clocks go back to the real time.
    assert moments == [datetime(2024, 6, 3, 10, 30, tzinfo=UTC), None]
    ben = Person(standin.url, BEN)
    asked = ben.waits_for_message("#general", "failing* logins")
    assert asked["user"] == ANA
    assert asked["pinned"] and asked["reactions"][0] == {"name": "eyes", "users": [BEN], "count": 1}
    assert [m["text"] for m in ben.replies("#general", asked["ts"])][1:] == ["me too"]
    assert datetime.fromtimestamp(float(asked["ts"]), UTC).strftime("%d %H:%M") == "03 10:30"
    assert ben.waits_for_message("#general", f"Lamp is blue for <@{BEN}>")
    ana = Person(standin.url, ANA)
    assert [m["text"] for m in ana.messages("#inc-1-logins") if m["user"] == ANA][-1] == "hello, room"


def test_the_page_is_told_who_acts_where_and_what_is_going_on(
    standin: Standin, players: list[Player]
) -> None:
    text = step("{caption: ben says so, as: ben, in: '#random', say: hi, wait: 600}")
    standin.act({"as": BEN, "do": "join", "channel": "C0RANDOM00"})
    player = player_for(standin, Story.from_yaml(text))
    players.append(player)
    player.do("speed", 1000)
    player.do("step")
    wait_until(lambda: not player.state()["running"])
    player.do("speed", 1)

    player.do("play")
    told = wait_until(lambda: player.state() if player.state()["at"] == 2 else None)

    assert (told["as"], told["channel"], told["caption"]) == (BEN, "C0RANDOM00", "ben says so")
    assert (told["running"], told["done"]) == (True, False)


def test_a_paused_story_goes_on_where_it_was_and_does_nothing_twice(
    standin: Standin, players: list[Player]
) -> None:
    story = "{caption: ana waits, as: ana, say: over, then_expect: [over, answer]}"
    player = player_for(standin, Story.from_yaml(step(story)), speed=500)
    players.append(player)
    ben = Person(standin.url, BEN)
    player.do("play")
    ben.waits_for_message("#general", "over")
    player.do("pause")

    player.do("play")
    ben.says("#general", "answer")
    wait_until(lambda: player.state()["done"])

    assert [m["text"] for m in ben.messages("#general") if m["text"] == "over"] == ["over"]


def test_a_step_that_fails_stops_the_story_with_a_sentence(standin: Standin, players: list[Player]) -> None:
    said = {
        "{caption: too late, as: ana, say: hm, then_expect: never said, timeout: 0.2}":
            '"too late" did not bring "never said" within 0.2 s.',
        "{caption: no answer, as: ana, command: /silent}": '"no answer" failed: ',
        "{caption: who, as: zoe, say: hm}": '"who" needs zoe, who is not here',
        "{caption: gone, as: ana, react: eyes, to: not there, timeout: 0.1}":
            '"gone" found no message with "not there" in #general.',
        "{caption: no form, as: ana, submit: {Title: x}, timeout: 0.1}": '"no form" found no open dialog',
        "{caption: no room, as: ana, in: '@incident', say: x, timeout: 0.1}": '"no room" found no channel @incident.',
        "{caption: nope, as: ana, shortcut: Dance}": '"nope" found no shortcut "Dance": there is Fill in the form',
    }  # fmt: skip
    for text, sentence in said.items():
        player = player_for(standin, Story.from_yaml(step(text)), speed=500)
        players.append(player)
        end = play(player)
        assert str(end["error"]).startswith(sentence), text
        assert not end["done"]


def test_a_refused_form_is_a_failing_step_and_can_be_tried_again(
    standin: Standin, players: list[Player]
) -> None:
    text = step("{caption: fills in, as: ana, submit: {Title: 'no', Colour: Red}}")
    player = player_for(standin, Story.from_yaml(text), speed=500)
    players.append(player)
    Person(standin.url, ANA).types("/tinker form")

    assert play(player)["error"] == '"fills in" was refused: Anything but no.'
    assert play(player)["error"] == '"fills in" was refused: Anything but no.'


def test_a_restarted_story_begins_again(standin: Standin, players: list[Player]) -> None:
    player = player_for(standin, Story.from_yaml(step("{caption: last, as: ben, say: bye}")), speed=500)
    players.append(player)
    play(player)

    assert player.do("restart")["at"] == 0
    assert play(player)["done"]

    texts = [m["text"] for m in Person(standin.url, ANA).messages("#general")]
    assert texts.count("hello") == texts.count("bye") == 2


def test_stopping_the_player_ends_its_thread(standin: Standin) -> None:
    player = player_for(standin, Story.from_yaml(step("{caption: long, wait: 600}")))
    player.do("play")

    player.stop()

    assert "story" not in [t.name for t in threading.enumerate() if t is player._thread]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- a", "A story is a mapping with `title`, `intro` and `steps`."),
        ("title: T\nsteps: []", "A story needs `steps`: a list with at least one step."),
        ("steps: [{caption: x}]", "A story needs a `title`: a line of text."),
        ("title: T\nscenes: []", "A story has `title`, `intro` and `steps`, not `scenes`."),
        ("title: [", "The story is not YAML on line 1: "),
        (step("hello"), "Step 2 is not a mapping"),
        (step("{caption: c, as: ana, shout: hey}"), 'Step 2 ("c") has `shout`, which no step has.'),
        (step("{as: ana, say: a, pin: true, to: x}"), "Step 2 does say and pin: write one step for each."),
        (step("{say: hey}"), "Step 2 does not say who does it. Add `as: ana`."),
        (step("{as: ana, pin: true}"), "Step 2 does not say to which message."),
        (step("{as: ana, in: general, say: x}"), "Step 2 is in `general`. Write `in: '#general'`"),
        (step("{as: ana, command: incident open}"), "Step 2 cannot command `incident open`. Write it like `command: /"),
        (step("{as: ana, submit: yes}"), "Step 2 cannot submit `True`."),
        (step("{as: ana, upload: {filename: x}}"), "Step 2 cannot upload"),
        (step("{caption: c, at: noon}"), 'Step 2 ("c"): `at` is a time such as `2024-06-03T10:30:00Z`, not `noon`.'),
        (step("{caption: c, wait: soon}"), 'Step 2 ("c"): `wait` is a number of seconds from 0 to 600, not `soon`.'),
        (step("{caption: c, then_expect: 7}"), 'Step 2 ("c"): `then_expect` is a text, or a list of texts.'),
        (step("{as: 7, say: x}"), "Step 2: `as` is text, not `7`. Put it in quotes."),
        (step("{wait: 3}"), "Step 2 does nothing."),
        (step("{as: ana, react: eyes, to: x, thread_to: y}"), "Step 2 has `thread_to`, which only say and"),
        ("title: T\nsteps: [{as: ana, say: x}]", "Step 1 does not say where. Add `in: '#general'`."),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_story_is_said_by_step(text: str, sentence: str) -> None:
    with pytest.raises(BadStory) as refused:
        Story.from_yaml(text)
    assert str(refused.value).startswith(sentence)
