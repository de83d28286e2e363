"""/log edit 12 <the corrected line>"""

from __future__ import annotations

import re

from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.slack.modals.edit_entry import view
from bot.usecases.timeline import edit_entry, list_entries

COMMAND, WORD = "/log", "edit"
USAGE = "<number> [time] [kind:] <text>"
SUMMARY = "correct an entry; the former words are kept"
EXAMPLES = (
    "/log edit 12 10:30",
    "/log edit 12 finding: auth1 has weight 200",
    "/log edit 12 10:35 finding: auth1 has weight 200",
)

_NUMBERED = re.compile(r"#?([-+]?\d+)(?:\s+|$)(.*)", re.DOTALL)
#: Digits of the largest number that an entry could have.
_LONGEST = 9


def fits(rest: str) -> bool:
    """With words but no number it is prose: "edit of the config went wrong"."""
    return not rest.strip() or _NUMBERED.match(rest) is not None


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    found = _NUMBERED.match(rest)
    if found is None:
        raise Refusal(f"Say which entry: `{EXAMPLES[1]}`. `/log list` shows them with their numbers.")
    if not found[1].isdigit() or len(found[1]) > _LONGEST:
        raise Refusal("There is no entry of that number here. `/log list` shows them with their numbers.")
    number = int(found[1])
    if not found[2].strip():
        entry = next(
            (one for one in list_entries(door.desk, about.id, by=ask.user) if one.number == number), None
        )
        if entry is None:
            raise Refusal(f"There is no entry #{number} here. `/log list` shows them with their numbers.")
        return Answer(modal=view(about, entry, door.zone(ask.user)))
    moment, left = door.take_moment(ask, found[2])
    if moment is not None and not left.strip():
        return said(
            edit_entry(door.desk, about.id, number, happened_at=moment, by=ask.user, origin=ask.origin)
        )
    line = door.read_line(ask, found[2])
    return said(
        edit_entry(
            door.desk,
            about.id,
            number,
            text=line.text,
            kind=line.kind,
            happened_at=line.happened_at,
            by=ask.user,
            origin=ask.origin,
        )
    )
