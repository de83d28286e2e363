"""The lines of a timeline, drawn once: a page of 500 entries is drawn anew for every visitor whenever one comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from jinja2 import Template
from markupsafe import Markup

from bot.domain import markup
from bot.domain.people import Person
from bot.domain.timeline import Entry
from bot.web.shown import Look

#: Lines kept; each some 600 bytes.
_MOST = 8192


def lines_of(template: Template) -> Callable[[Entry, int, Look], Markup]:
    """Draws an entry of the incident with this number. What a line shows is the whole of its key."""

    @lru_cache(_MOST)
    def drawn(
        entry: Entry,
        number: int,
        zone: tzinfo,
        year: int,
        people: tuple[Person, ...],
        channels: tuple[str, ...],
    ) -> Markup:
        known = {one.id: one for one in people}
        look = Look(
            datetime(year, 7, 1, tzinfo=UTC),
            zone,
            known,
            dict(zip(channels[::2], channels[1::2], strict=True)),
        )
        return Markup(template.render(entry=entry, number=number, look=look))  # noqa: S704 (escaped there)

    def line(entry: Entry, number: int, look: Look) -> Markup:
        named = {entry.author, entry.recorded_by, *markup.mentions(entry.text)}
        people = tuple(look.people[one] for one in sorted(named) if one in look.people)
        refs = sorted(set(markup.channel_refs(entry.text)))
        channels = tuple(word for one in refs if one in look.channels for word in (one, look.channels[one]))
        return drawn(entry, number, look.zone, look.now.astimezone(look.zone).year, people, channels)

    return line
