"""/incident lesson went-well | went-badly | lucky <text>"""

from __future__ import annotations

from bot.domain import markup
from bot.domain.followup import LessonKind
from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.slack.nearly import nearly
from bot.usecases.followup import add_lesson

COMMAND, WORD = "/incident", "lesson"
USAGE = "went-well | went-badly | lucky <what>"
SUMMARY = "keep a lesson for the postmortem"
EXAMPLES = ("/incident lesson went-well the alert came within minutes",)

_KINDS = {
    "went-well": LessonKind.WENT_WELL,
    "well": LessonKind.WENT_WELL,
    "good": LessonKind.WENT_WELL,
    "went-badly": LessonKind.WENT_BADLY,
    "badly": LessonKind.WENT_BADLY,
    "bad": LessonKind.WENT_BADLY,
    "lucky": LessonKind.LUCKY,
    "luck": LessonKind.LUCKY,
    "improvement": LessonKind.IMPROVEMENT,
}


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    text = rest.strip()
    for two in ("went well", "went badly"):
        if text.lower().startswith(two):
            text = two.replace(" ", "-") + text[len(two) :]
    word, _, tail = text.partition(" ")
    kind = _KINDS.get(word.lower().rstrip(":"))
    if kind is None:
        near = nearly(word.lower(), list(_KINDS))
        hint = f" Did you mean `{near}`?" if near else ""
        raise Refusal(
            f"Say first how it went: went-well, went-badly or lucky, not “{markup.escape(word[:40])}”.{hint} "
            "For example `/incident lesson went-well the alert came within minutes`."
        )
    return said(add_lesson(door.desk, about.id, kind, tail.lstrip(": "), by=ask.user, origin=ask.origin))
