"""/incident open <what is wrong> [sev1..sev4] [private] [drill]"""

from __future__ import annotations

import re

from bot.domain.incident import Severity
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.slack.modals import open_incident as form
from bot.usecases.incident import open_incident

COMMAND, WORD = "/incident", "open"
ALIASES = ("new", "declare", "start")
USAGE = "<what is wrong> [sev1..sev4] [private] [drill]"
SUMMARY = "open an incident: a channel, a timeline, and a postmortem draft at its end"
EXAMPLES = ("/incident open logins fail for half of the users sev2", "/incident open practice run drill")

_SEVERITY = re.compile(r"sev-?([1-4])", re.IGNORECASE)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    title, severity, flags = read(rest)
    if not title:
        services = door.desk.services()
        view = form.view(severity or door.severity, asked_in=ask.channel, flags=flags, services=services)
        return Answer(modal=view)
    door.person(ask.user)
    return said(
        open_incident(
            door.desk,
            title,
            by=ask.user,
            severity=severity,
            is_private="private" in flags,
            is_drill="drill" in flags,
            origin=ask.origin,
            asked_in=ask.channel,
        )
    )


def read(text: str) -> tuple[str, Severity | None, set[str]]:
    """Title, severity and flags. The flags stand at the end (the severity also at the start), prose between."""
    words = text.split()
    severity: Severity | None = None
    flags: set[str] = set()
    for end in (-1, 0):
        while words:
            word = words[end].strip(",.()[]").lower()
            rank = _SEVERITY.fullmatch(word)
            if rank is not None and severity is None:
                severity = Severity(f"SEV{rank[1]}")
            # At the start these are prose ("private keys leaked").
            elif word in {"private", "drill"} and end == -1:
                flags.add(word)
            else:
                break
            words.pop(end)
    return " ".join(words), severity, flags
