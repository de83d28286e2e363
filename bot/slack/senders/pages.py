"""Runbook cards and steps, and the postmortem draft."""

from __future__ import annotations

from bot.domain import markup
from bot.domain.course import course_of, described
from bot.domain.outcomes import Refused
from bot.domain.postmortem import Facts, compile_draft
from bot.drawn.timeline import as_png
from bot.exporters.markdown import summary
from bot.slack import cards
from bot.slack.blocks import section
from bot.slack.post import Post
from bot.store.errand import Errand
from bot.usecases import deliveries


def _incident(errand: Errand) -> int:
    return int(errand.work.args["incident_id"])


def start_run(post: Post, errand: Errand) -> None:
    """The runbook's card."""
    about = deliveries.incident(post.desk, _incident(errand))
    if about.channel_id is None:
        return
    run, runbook = deliveries.run_with_pages(post.desk, int(errand.work.args["run_id"]))
    text, blocks = cards.runbook_card(run, runbook, deliveries.name_of(post.desk, run.started_by))
    post.message(errand, "card", about.channel_id, text, blocks)


def show_step(post: Post, errand: Errand) -> None:
    """A step with its commands and its buttons."""
    args = errand.work.args
    card = deliveries.card(post.desk, _incident(errand))
    about = card.incident
    if about.channel_id is None:
        return
    run_id, position = int(args["run_id"]), int(args["position"])
    run, runbook = deliveries.run_with_pages(post.desk, run_id)
    text, blocks = cards.step_card(card, run, runbook, position, None, "")
    post.message(
        errand,
        "step",
        about.channel_id,
        text,
        blocks,
        then=lambda session, sent: deliveries.step_posted(session, run_id, position, sent["ts"]),
    )


def close_step(post: Post, errand: Errand) -> None:
    """The outcome takes the place of the buttons."""
    args = errand.work.args
    card = deliveries.card(post.desk, _incident(errand))
    about = card.incident
    run_id, position = int(args["run_id"]), int(args["position"])
    ts = deliveries.step_message(post.desk, run_id, position)
    if about.channel_id is None or about.is_archived or ts is None:
        return
    run, runbook = deliveries.run_with_pages(post.desk, run_id)
    marked = next((one for one in run.outcomes if one.position == position), None)
    who = deliveries.name_of(post.desk, marked.by) if marked is not None else ""
    text, blocks = cards.step_card(card, run, runbook, position, marked, who)
    post.change(errand, "mark", about.channel_id, ts, text, blocks)


def post_draft(post: Post, errand: Errand) -> None:
    """The draft as a file, a readable summary with its link, and the timeline as a picture."""
    incident_id = _incident(errand)
    about = deliveries.incident(post.desk, incident_id)
    if about.channel_id is None or about.is_archived:
        return
    channel = about.channel_id
    revision = deliveries.revision_of(post.desk, incident_id, int(errand.work.args["revision"]))
    content = revision.markdown.encode()
    name = f"{about.slug}-postmortem-r{revision.number}.md"

    title = f"Postmortem draft {about.slug}, revision {revision.number}"
    shared = post.file(
        errand,
        "",
        channel,
        name,
        content,
        title=title,
        comment=markup.escape(title),
        then=lambda session, answer: deliveries.draft_posted(
            post.desk, session, incident_id, answer["permalink"]
        ),
    )
    facts = deliveries.facts_known(post.desk, incident_id)
    said = summary(compile_draft(facts))
    text, blocks = cards.draft_summary(
        about, revision.number, said, shared["permalink"], post.desk.page_of(about.number, "/postmortem")
    )
    post.message(errand, "summary", channel, text, blocks)
    _show_timeline(post, errand, facts, revision.number)


def _show_timeline(post: Post, errand: Errand, facts: Facts, number: int) -> None:
    """The drawn timeline, right behind the draft. It comes last: no trouble with a picture keeps the draft back."""
    about = facts.incident
    assert about.channel_id is not None
    course = course_of(facts, post.desk.clock())
    try:
        post.file(
            errand,
            "timeline",
            about.channel_id,
            f"{about.slug}-timeline-r{number}.png",
            as_png(course),
            title=f"Timeline {about.slug}, revision {number}",
            alt=described(course),
        )
    except Refused as refused:
        # The same is in the draft, in words; a picture is not worth an alarm.
        if refused.word not in {"missing_scope", "storage_limit_reached", "file_uploads_disabled"}:
            raise


def publish(post: Post, errand: Errand) -> None:
    """The published text as a file, with a line that says so."""
    incident_id = _incident(errand)
    about = deliveries.card(post.desk, incident_id).incident
    if about.channel_id is None or about.is_archived:
        return
    revision = deliveries.revision_of(post.desk, incident_id, int(errand.work.args["revision"]))
    post.file(
        errand,
        "",
        about.channel_id,
        f"{about.slug}-postmortem.md",
        revision.markdown.encode(),
        title=f"Postmortem {about.slug}, revision {revision.number}",
        comment=cards.published(about, revision.number, ""),
        then=lambda session, answer: deliveries.draft_posted(
            post.desk, session, incident_id, answer["permalink"]
        ),
    )


def announce_publication(post: Post, errand: Errand) -> None:
    """A line under the announcement."""
    card = deliveries.card(post.desk, _incident(errand))
    if card.announced_in is None or card.announced_ts is None:
        return
    about = card.incident
    text = cards.published(about, int(errand.work.args["revision"]), about.draft_permalink or "")
    post.message(errand, "published", card.announced_in, text, [section(text)], thread_ts=card.announced_ts)


SENDERS = {
    "RunStarted": start_run,
    "StepReached": show_step,
    "StepMarked": close_step,
    "DraftCompiled": post_draft,
    "PostmortemPublished": publish,
    "PostmortemAnnounced": announce_publication,
}
