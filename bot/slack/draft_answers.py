"""The postmortem draft, as an answer to one person."""

from __future__ import annotations

from bot.domain import markup
from bot.domain.incident import Incident
from bot.domain.postmortem import compile_draft
from bot.domain.review import ReviewState
from bot.exporters.markdown import summary
from bot.slack import cards
from bot.slack.blocks import context
from bot.slack.door import Answer
from bot.usecases.desk import Desk
from bot.usecases.sections import Compared, questions_told


def draft_shown(desk: Desk, about: Incident, found: Compared) -> Answer:
    """The draft's summary and link, how far it is, and whether facts have changed since it was compiled."""
    revision, review = found.revision, found.review
    text, blocks = cards.draft_summary(
        about,
        revision.number,
        summary(compile_draft(found.facts)),
        about.draft_permalink or "",
        desk.page_of(about.number, "/postmortem"),
    )
    notes = [f"It is {'a draft' if review.state is ReviewState.DRAFT else review.state.value}."]
    if found.is_changed_since_published:
        notes.append(f"Facts changed since revision {review.published_revision} was published.")
    elif review.published_revision not in (None, revision.number):
        notes.append(f"Published is revision {review.published_revision}.")
    if found.is_behind:
        notes.append(
            f"Facts have changed since revision {revision.number}: `/postmortem compile` makes the next."
        )
    notes.append(questions_told(revision.sections).strip())
    note = " ".join(filter(None, notes))
    return Answer(f"{text}\n{markup.escape(note)}", [*blocks, context(note)])
