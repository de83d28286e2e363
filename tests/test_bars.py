"""The picture of a pool: in letters, in words, and as an image."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from bot.domain.bars import bars, described
from bot.domain.pool import Standing
from bot.domain.verdict import judge
from bot.picture import draw
from tests.pools import having, pool


def test_bars_are_as_long_as_the_shares_and_ticks_stand_where_fair_is() -> None:
    shown = bars(pool((1316, 66, 65, 65))).splitlines()
    assert shown[1].startswith("auth1  ███")
    assert shown[1].count("█") > 20
    assert shown[2].count("█") == 1
    # One tick a line, all below each other.
    assert len({line.index("|") for line in shown[1:]}) == 1
    assert shown[1].endswith("87%  25%   0%  UP w100")
    assert max(map(len, shown)) <= 64


def test_a_large_pool_shows_the_worst_first_and_says_how_many_are_left() -> None:
    shown = bars(pool([*(100 for _ in range(39)), 2000])).splitlines()
    assert shown[1].startswith("auth40")
    assert shown[-1] == "... and 24 more"


def test_the_picture_in_words_names_the_hot_server_and_what_fair_would_be() -> None:
    assert described(pool((1316, 66, 65, 65))) == (
        "Traffic share by server: auth1 87 % (hot), auth2 4 %, auth3 4 %, auth4 4 %; fair would be 25 % each."
    )


def test_a_pool_without_requests_can_be_shown() -> None:
    quiet = having(pool((0, 0, 0, 0)), "auth1", standing=Standing.DOWN, check="L7STS/404")
    assert "DOWN L7STS/404" in bars(quiet)
    assert draw(quiet, judge(quiet))


def colours(png: bytes) -> set[tuple[int, ...]]:
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return {colour for _, colour in image.getcolors(1 << 24) or [] if isinstance(colour, tuple)}


def test_the_image_shows_a_hot_server_in_another_colour() -> None:
    even, broken = pool(), pool((1316, 66, 65, 65))
    hot = (0xC4, 0x31, 0x4B)
    assert hot not in colours(draw(even, judge(even), "haproxy be_auth"))
    assert hot in colours(draw(broken, judge(broken), "haproxy be_auth"))


def test_the_image_grows_with_the_pool_and_stays_small() -> None:
    few, many = pool((100, 100)), pool([100] * 60)
    small, large = draw(few, judge(few)), draw(many, judge(many))
    assert Image.open(io.BytesIO(small)).height < Image.open(io.BytesIO(large)).height < 1600
    assert len(large) < 500_000


def test_names_that_are_long_or_strange_do_not_break_it() -> None:
    odd = pool((100, 100))
    named = replace(odd, servers=tuple(replace(s, name=f"{'x' * 60}ß漢{s.name}") for s in odd.servers))
    assert draw(named, judge(named))
    assert max(map(len, bars(named).splitlines())) <= 64
