"""Reminders of follow-ups, and the weekly list of what is left."""

from __future__ import annotations

from bot.slack import follow_up_cards
from bot.slack.post import Post
from bot.store.errand import Errand
from bot.usecases import reminders


def remind(post: Post, errand: Errand) -> None:
    """A direct message to the owner, with buttons."""
    args = errand.work.args
    due = reminders.reminder(post.desk, int(args["follow_up_id"]), str(args["person_id"]))
    if due is None:
        return
    opened = errand.step(
        "open",
        lambda: {"id": post.slack.call("conversations.open", users=due.to.id)["channel"]["id"]},
        method="conversations.open",
    )
    text, blocks = follow_up_cards.reminder(due)
    post.message(errand, "remind", str(opened["id"]), text, blocks)


def tell_digest(post: Post, errand: Errand) -> None:
    """One message in the announcement channel; none in a week in which nothing is left."""
    digest = reminders.digest(post.desk)
    if not digest.by_team or not post.desk.options.announce_channel:
        return
    text, blocks = follow_up_cards.digest(digest)
    post.message(errand, "digest", post.desk.options.announce_channel, text, blocks)


SENDERS = {"FollowUpDue": remind, "FollowUpsDigested": tell_digest}
