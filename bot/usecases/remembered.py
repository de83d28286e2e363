"""The last drafts that were compiled: a page that compares a postmortem with the facts would compile it every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from bot.domain.postmortem import Facts

#: Drafts kept; one of 10,000 entries has some 20 MB with its facts.
_MOST = 2


class Remembered:
    """Compiles as the function it is given does; the same facts give the text they gave before. Threads share it."""

    def __init__(self, compile_facts: Callable[[Facts], str]) -> None:
        self._compile = compile_facts
        self._lock = Lock()
        #: The newest last.
        self._kept: list[tuple[Facts, str]] = []

    def __call__(self, facts: Facts) -> str:
        # Where its file is in Slack is not said in a draft, and is written down right after each.
        facts = replace(facts, incident=replace(facts.incident, draft_permalink=None))
        with self._lock:
            kept = list(self._kept)
        # Facts of different incidents differ in their first field.
        markdown = next((text for before, text in kept if before == facts), None)
        if markdown is None:
            markdown = self._compile(facts)
        with self._lock:
            others = [one for one in self._kept if one[0].incident.id != facts.incident.id]
            self._kept = [*others, (facts, markdown)][-_MOST:]
        return markdown
