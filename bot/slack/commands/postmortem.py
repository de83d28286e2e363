"""/postmortem [compile]"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.slack.draft_answers import draft_shown
from bot.usecases.postmortem import compile_postmortem
from bot.usecases.sections import document

COMMAND, WORD = "/postmortem", ""
USAGE = "[compile]"
SUMMARY = "show the postmortem draft; compile: make it anew from what is known now"
EXAMPLES = ("/postmortem", "/postmortem compile")


def fits(rest: str) -> bool:
    return rest.strip().lower() in {"", "show", "compile", "recompile", "draft"}


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    is_asked = rest.strip().lower() in {"compile", "recompile"}
    found = None if is_asked else document(door.desk, about.id, by=ask.user)
    if found is None:
        return said(compile_postmortem(door.desk, about.id, by=ask.user, origin=ask.origin))
    return draft_shown(door.desk, about, found)
