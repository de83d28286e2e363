"""The picture of a pool as a PNG: a bar a server, a tick where its fair share is, the verdict as the title."""

from __future__ import annotations

import io
import textwrap

from PIL import Image, ImageDraw, ImageFont

from bot.domain.bars import ranked, scale_of, state
from bot.domain.figures import is_hot
from bot.domain.findings import percent
from bot.domain.pool import Pool, Server
from bot.domain.verdict import Verdict

#: Pixels. Drawn at twice the size at which Slack shows it on a desktop, so that a phone's screen is sharp.
WIDTH = 1280
_MARGIN, _ROW, _BAR = 48, 64, 34
_NAME, _BARS = 200, 520
#: On white; told apart by people who do not see red and green as different, and by their labels besides.
_INK, _FAINT, _PAPER = "#1d1c1d", "#616061", "#ffffff"
_HOT, _USUAL, _OUT = "#c4314b", "#2f6fb0", "#9a9a9a"
_SERVERS_SHOWN = 16


def draw(pool: Pool, verdict: Verdict, below: str = "") -> bytes:
    """A PNG of the pool; `below` is its last line (balancer, window, requests)."""
    title, label, small = _font(32), _font(26), _font(22)
    lines = textwrap.wrap(verdict.sentence, 74)[:4]
    servers = ranked(pool)[:_SERVERS_SHOWN]
    left_out = len(pool.servers) - len(servers)
    top = _MARGIN + 44 * len(lines) + 56
    height = top + _ROW * len(servers) + 64 + (36 if left_out else 0) + _MARGIN // 2
    image = Image.new("RGB", (WIDTH, height), _PAPER)
    pen = ImageDraw.Draw(image)
    for at, line in enumerate(lines):
        pen.text((_MARGIN, _MARGIN + 44 * at), line, _INK, title)
    scale = scale_of(pool)
    heads = top - 40
    pen.text((_MARGIN + _NAME, heads), "share of the requests   | fair share", _FAINT, small)
    pen.text((_MARGIN + _NAME + _BARS + 104, heads), "5xx", _FAINT, small)
    pen.text((_MARGIN + _NAME + _BARS + 184, heads), "state", _FAINT, small)
    for at, server in enumerate(servers):
        _row(pen, pool, server, top + _ROW * at, scale, label)
    end = top + _ROW * len(servers) + 8
    if left_out:
        pen.text((_MARGIN, end), f"... and {left_out} more servers", _FAINT, small)
        end += 36
    pen.text((_MARGIN, end + 12), below, _FAINT, small)
    kept = io.BytesIO()
    image.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _row(
    pen: ImageDraw.ImageDraw,
    pool: Pool,
    server: Server,
    y: int,
    scale: float,
    label: ImageFont.FreeTypeFont,
) -> None:
    share, fair = pool.share(server), pool.fair_share(server)
    left = _MARGIN + _NAME
    colour = _HOT if is_hot(pool, server) else _USUAL if server.is_in_rotation else _OUT
    name = server.name if len(server.name) <= 14 else f"{server.name[:13]}…"
    pen.text((_MARGIN, y + 6), name, _INK, label)
    pen.rectangle((left, y + 4, left + max(2, round(_BARS * share / scale)), y + 4 + _BAR), fill=colour)
    tick = left + round(_BARS * fair / scale)
    pen.rectangle((tick - 2, y - 4, tick + 2, y + 12 + _BAR), fill=_INK)
    pen.text((left + _BARS + 16, y + 6), percent(share) if share else "0 %", _INK, label)
    failed = server.errors / server.requests if server.requests else 0.0
    pen.text((left + _BARS + 104, y + 6), percent(failed), _HOT if failed >= 0.02 else _FAINT, label)
    pen.text((left + _BARS + 184, y + 6), state(server), _INK if server.is_in_rotation else _HOT, label)


def _font(size: int) -> ImageFont.FreeTypeFont:
    # The scalable face that comes with Pillow: nothing is taken from the machine.
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
