"""Taking a postmortem from draft to review to published, and back."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.incident import Status
from bot.domain.notices import PostmortemAnnounced, PostmortemPublished
from bot.domain.refusals import Refusal
from bot.domain.review import ReviewState, why_not
from bot.store import followup as follow_ups
from bot.store import postmortem as postmortems
from bot.store.db import Session
from bot.usecases.canvas import in_canvas
from bot.usecases.desk import Desk, Done
from bot.usecases.sections import compiled, facts_digest
from bot.usecases.sight import seen
from bot.usecases.timeline import checked


def publish(
    desk: Desk,
    incident_id: int,
    *,
    reason: str = "",
    looked_at: int | None = None,
    by: str,
    origin: str | None = None,
) -> Done:
    """Publish the newest revision. `reason` is why follow-ups without an owner or a date may stay so.

    `looked_at`: the revision that whoever publishes has read; a newer one is then refused.
    """
    why = (
        checked(reason, example="/postmortem publish because the team decides on Monday")
        if reason.strip()
        else ""
    )

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        newest = postmortems.latest(session, incident_id)
        if newest is None:
            raise Refusal(f"{about.slug} has no postmortem yet. `/postmortem compile` makes its draft.")
        now = postmortems.review(session, incident_id)
        if now.state is ReviewState.PUBLISHED and now.published_revision == newest.number:
            return Done(f"Revision {newest.number} is published already.", incident_id, is_new=False)
        if looked_at is not None and looked_at != newest.number:
            raise Refusal(
                f"Revision {newest.number} came meanwhile, and you looked at {looked_at}. Look at what changed, then "
                "publish."
            )
        missing = why_not(about, newest.sections, follow_ups.of(session, incident_id), why)
        if missing:
            raise Refusal(missing)
        at = desk.clock()
        kept = replace(
            now,
            state=ReviewState.PUBLISHED,
            changed_at=at,
            changed_by=by,
            published_revision=newest.number,
            published_at=at,
            facts_digest=facts_digest(compiled(desk, session, incident_id)),
            reason=why or None,
        )
        postmortems.save_review(session, kept)
        published = [
            PostmortemPublished(incident_id, newest.number),
            *in_canvas(desk, incident_id, newest.number),
        ]
        desk.tell(session, *published, asked_by=by)
        if not about.is_private and not about.is_drill and desk.options.announce_channel:
            desk.tell(session, PostmortemAnnounced(incident_id, newest.number), asked_by=by)
        return Done(f"The postmortem of {about.slug} is published: revision {newest.number}.", incident_id)

    return desk.once(origin, act)


def set_review(
    desk: Desk, incident_id: int, state: ReviewState, *, by: str, origin: str | None = None
) -> Done:
    """Put it into review, or back to a draft; a published one is then no longer published."""
    assert state is not ReviewState.PUBLISHED

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        if about.status in (Status.CANCELLED, Status.MERGED) or not postmortems.latest(session, incident_id):
            raise Refusal(f"{about.slug} has no postmortem yet. `/postmortem compile` makes its draft.")
        now = postmortems.review(session, incident_id)
        if now.state is state:
            return Done(
                f"The postmortem of {about.slug} is {_said(state)} already.", incident_id, is_new=False
            )
        postmortems.save_review(session, replace(now, state=state, changed_at=desk.clock(), changed_by=by))
        return Done(f"The postmortem of {about.slug} is {_said(state)}.", incident_id)

    return desk.once(origin, act)


def _said(state: ReviewState) -> str:
    return "a draft" if state is ReviewState.DRAFT else state.value
