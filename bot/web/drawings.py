"""Drawn timelines, drawn once for each state of an incident: a page that stays open asks for them again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from threading import Lock

from markupsafe import Markup

from bot.domain.course import Course
from bot.domain.incident import Incident
from bot.drawn.timeline import NARROW, WIDE, as_svg

#: Pictures kept; a pair has some 30 kB.
_MOST = 64


class Drawings:
    """`drawings.of(about, pulse, now, course)`. Threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[int, str, str], tuple[Markup, Markup]] = OrderedDict()

    def of(
        self, about: Incident, pulse: str, now: datetime, course: Callable[[], Course]
    ) -> tuple[Markup, Markup]:
        """The timeline for a page and for a phone. `pulse` tells one state of the incident from another; what is
        drawn of it is asked for when it is not drawn yet.

        That of an open incident ends now, to the minute.
        """
        key = (about.id, pulse, "" if about.status.is_over else f"{now:%Y-%m-%d %H:%M}")
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            drawn = course()
            # Text from outside is escaped by whoever writes it as SVG (bot/drawn/svg.py).
            found = Markup(as_svg(drawn, WIDE)), Markup(as_svg(drawn, NARROW))  # noqa: S704
        with self._lock:
            self._kept[key] = found
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return found
