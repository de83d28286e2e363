"""The postmortem draft, as an answer to one person."""

from __future__ import annotations

from bot.domain import markup
from bot.domain.incident import Incident
from bot.domain.postmortem import Revision, compile_draft
from bot.exporters.markdown import summary
from bot.slack import cards
from bot.slack.blocks import context
from bot.slack.door import Answer
from bot.usecases.desk import Desk
from bot.usecases.postmortem import facts_of


def draft_shown(desk: Desk, about: Incident, revision: Revision, *, by: str) -> Answer:
    """The draft's summary and link, and whether facts have changed since it was compiled."""
    facts = facts_of(desk, about.id, by=by)
    text, blocks = cards.draft_summary(
        about, revision.number, summary(compile_draft(facts)), about.draft_permalink or ""
    )
    if desk.compile(facts) != revision.markdown:
        note = f"Facts have changed since revision {revision.number}: `/postmortem compile` makes the next."
        return Answer(f"{text}\n{markup.escape(note)}", [*blocks, context(note)])
    return Answer(text, blocks)
