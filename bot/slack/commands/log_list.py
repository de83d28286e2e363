"""/log list [kind]"""

from __future__ import annotations

from bot.domain.timeline import Kind
from bot.slack import cards
from bot.slack.ask import Ask
from bot.slack.blocks import cut
from bot.slack.door import Answer, Door
from bot.usecases import deliveries
from bot.usecases.timeline import list_entries

COMMAND, WORD = "/log", "list"
USAGE = "[kind]"
SUMMARY = "show the timeline with the entries' numbers"
EXAMPLES = ("/log list", "/log list dead end")

#: Entries that fit into one answer of 4,000 characters, newest kept.
_SHOWN = 40


def _kind(rest: str) -> Kind | None:
    word = " ".join(rest.lower().replace("-", " ").split()).rstrip("s")
    return next(
        (kind for kind in Kind if kind.value.rstrip("s") == word or kind.value.replace(" ", "") == word), None
    )


def fits(rest: str) -> bool:
    """With other words it is prose: "list of affected customers is in the ticket"."""
    return not rest.strip() or _kind(rest) is not None


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    kind = _kind(rest) if rest.strip() else None
    found = list_entries(door.desk, about.id, by=ask.user, kind=kind)
    if not found:
        which = f" of kind {kind.value}" if kind is not None else ""
        return Answer(
            f"There are no entries{which} yet. For example `/log 10:30 detection: alarms on login`."
        )
    names = deliveries.names(door.desk, found)
    shown = found[-_SHOWN:]
    lines = [cut(cards.entry_line(entry, names), 300) for entry in shown]
    while sum(map(len, lines)) + len(lines) > 3800:
        lines.pop(0)
    left = len(found) - len(lines)
    first = [f"_{left} earlier entries are not shown; the postmortem has all: `/postmortem`_"] if left else []
    return Answer("\n".join([*first, *lines]))
