"""The demo: the story it plays is played to its end, and its balancer is read like a real one."""

from __future__ import annotations

import urllib.request

from bot.demo import running_demo
from bot.demo_balancer import EVEN, DemoBalancer
from bot.standin.person import Person
from bot.standin.player import Player
from tests.houses import until

#: Seconds between two looks: enough for 200 of its 180 requests a second.
_WINDOW = 1.3


def test_the_story_is_played_to_its_draft_and_the_balancer_tells_its_part() -> None:
    with running_demo(balancer_window=_WINDOW) as demo:
        player = demo.standin.player
        assert isinstance(player, Player)
        player.do("speed", 500)
        player.do("play")
        until(lambda: not player.state()["running"], 60, "the story does not end")
        assert player.state()["error"] is None
        assert player.state()["done"]
        named = {user.name: user.id for user in demo.standin.workspace.users.values()}
        ana = Person(demo.standin.url, named["ana"])
        (channel,) = [one["id"] for one in ana.state()["channels"] if "inc-" in one["name"]]
        told = [one["text"] for one in ana.messages(channel, 500)]
        assert any(
            " % of the requests, 25 % would be fair: its weights are 200/10/10/10" in text for text in told
        )
        assert any("Traffic is even over 4 of 4 servers" in text for text in told)
        assert any("Postmortem draft" in text for text in told)


def test_its_balancer_is_mended_and_broken_by_the_buttons_of_its_page() -> None:
    with DemoBalancer() as balancer:
        assert "200" in _asked(balancer.url)
        _asked(balancer.url, b"weights=even")
        assert all(
            f"<td>auth{at}</td><td>{weight}</td>" in balancer.page() for at, weight in enumerate(EVEN, 1)
        )
        _asked(balancer.url, b"weights=wrong")
        assert "<td>auth1</td><td>200</td><td>87%</td>" in balancer.page()


def _asked(url: str, form: bytes | None = None) -> str:
    with urllib.request.urlopen(url, form, timeout=5) as answer:
        return str(answer.read().decode())
