"""/postmortem [compile]"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.slack.draft_answers import draft_shown
from bot.usecases.postmortem import compile_postmortem, latest_revision

COMMAND, WORD = "/postmortem", ""
USAGE = "[compile]"
SUMMARY = "show the postmortem draft; compile: make it anew from what is known now"
EXAMPLES = ("/postmortem", "/postmortem compile")


def fits(rest: str) -> bool:
    return rest.strip().lower() in {"", "show", "compile", "recompile", "draft"}


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    found = latest_revision(door.desk, about.id, by=ask.user)
    if found is None or rest.strip().lower() in {"compile", "recompile"}:
        return said(compile_postmortem(door.desk, about.id, by=ask.user, origin=ask.origin))
    return draft_shown(door.desk, about, found, by=ask.user)
