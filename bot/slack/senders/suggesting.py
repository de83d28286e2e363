"""Unasked, and once: what may help with an incident that has just opened; and the owner of its service."""

from __future__ import annotations

from bot.slack import cards
from bot.slack.post import Post
from bot.slack.runbook_answers import suggestion_message
from bot.store.errand import Errand
from bot.usecases import deliveries
from bot.usecases.owner import called
from bot.usecases.suggestion import unasked_suggestions


def suggest(post: Post, errand: Errand) -> None:
    """One message with what fits well; none when nothing does."""
    incident_id = int(errand.work.args["incident_id"])
    about = deliveries.card(post.desk, incident_id).incident
    if about.channel_id is None or about.is_archived or about.status.is_over:
        return
    found = unasked_suggestions(post.desk, incident_id)
    if found:
        text, blocks = suggestion_message(incident_id, found)
        post.message(errand, "suggest", about.channel_id, text, blocks)


def tell_owner(post: Post, errand: Errand) -> None:
    """The one message that mentions whoever owns the service: in the thread of the announcement."""
    card = deliveries.card(post.desk, int(errand.work.args["incident_id"]))
    groups = called(post.desk, str(errand.work.args["service"]))
    if card.announced_in is None or card.announced_ts is None or not groups:
        return
    text, blocks = cards.owner_called(card.incident, str(errand.work.args["service"]), groups)
    post.message(errand, "owner", card.announced_in, text, blocks, thread_ts=card.announced_ts)


SENDERS = {"SuggestionsDue": suggest, "OwnerDue": tell_owner}
