"""Making an incident's channel, and what belongs to it: people, card, topic, purpose, pin, bookmarks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from bot.domain import markup
from bot.domain.outcomes import Refused
from bot.domain.when import say_moment
from bot.slack import cards
from bot.slack.names import channel_name
from bot.slack.post import Answer, Post, done_when
from bot.store.db import Session
from bot.store.errand import Errand
from bot.usecases import deliveries

#: How many other names are tried when one is taken; archived channels keep theirs.
_NAMES_TRIED = 5


def open_channel(post: Post, errand: Errand) -> None:
    """conversations.create under the incident's name, or the next one that is free."""
    incident_id = int(errand.work.args["incident_id"])
    about = deliveries.incident(post.desk, incident_id)
    if about.channel_id is not None:
        return

    def name(attempt: int) -> str:
        return channel_name(
            post.channel_template,
            number=about.number,
            title=about.title,
            is_drill=about.is_drill,
            attempt=attempt,
        )

    def create() -> Answer:
        for attempt in range(_NAMES_TRIED):
            try:
                made = post.slack.call(
                    "conversations.create", name=name(attempt), is_private=about.is_private
                )
            except Refused as refused:
                if refused.word != "name_taken" or attempt == _NAMES_TRIED - 1:
                    raise
                continue
            return {"id": made["channel"]["id"], "name": made["channel"]["name"]}
        raise AssertionError("unreachable: the last attempt gives or raises")

    def find() -> Answer | None:
        # Slack made the channel but we died before its id was written down: it is ours if we
        # made it under one of these names since this work began. An older one is another's.
        names = {name(attempt) for attempt in range(_NAMES_TRIED)}
        since = errand.work.created_at.timestamp() - 60
        for channel in _own_channels(post):
            if channel["name"] in names and float(channel.get("created") or 0) >= since:
                return {"id": channel["id"], "name": channel["name"]}
        return None

    errand.step(
        "create",
        create,
        look=find,
        then=lambda session, made: deliveries.channel_made(
            post.desk, session, incident_id, made["id"], made["name"]
        ),
        method="conversations.create",
    )


def _own_channels(post: Post) -> list[dict[str, Any]]:
    """Open channels that the bot itself made."""
    me = post.slack.me().bot_user_id
    listed = post.slack.pages(
        "users.conversations",
        "channels",
        types="public_channel,private_channel",
        exclude_archived=True,
        limit=200,
    )
    return [one for one in listed if one.get("creator") == me]


def post_header(post: Post, errand: Errand) -> None:
    """The header card: the first message of the channel."""
    incident_id = int(errand.work.args["incident_id"])
    card = deliveries.card(post.desk, incident_id)
    if card.incident.channel_id is None or card.incident.header_ts is not None:
        return
    post.message(
        errand,
        "header",
        card.incident.channel_id,
        cards.card_text(card),
        cards.header_card(card),
        then=lambda session, sent: deliveries.header_posted(
            post.desk, session, incident_id, sent["ts"], card.version
        ),
    )


def invite(post: Post, errand: Errand) -> None:
    """Invite people, a hundred a call at most (Slack's limit)."""
    about = deliveries.incident(post.desk, int(errand.work.args["incident_id"]))
    wanted = [str(one) for one in errand.work.args["people"]]
    for start in range(0, len(wanted), 100):
        users = ",".join(wanted[start : start + 100])
        errand.step(
            f"invite{start}",
            lambda users=users: done_when(  # type: ignore[misc]
                lambda: post.slack.call("conversations.invite", channel=about.channel_id, users=users),
                "already_in_channel",
                "cant_invite_self",
            ),
            method="conversations.invite",
        )


def set_topic(post: Post, errand: Errand) -> None:
    """The topic: severity, status, commander. Slack writes a line for each change, so an equal one is left."""
    card = deliveries.card(post.desk, int(errand.work.args["incident_id"]))
    about = card.incident
    if about.channel_id is None or about.is_archived:
        return
    topic = cards.topic(card)

    def is_set() -> Answer | None:
        channel = post.slack.call("conversations.info", channel=about.channel_id)["channel"]
        return {} if ((channel.get("topic") or {}).get("value")) == topic else None

    errand.step(
        "topic",
        lambda: done_when(
            lambda: post.slack.call("conversations.setTopic", channel=about.channel_id, topic=topic)
        ),
        look=is_set,
        method="conversations.setTopic",
    )


def set_purpose(post: Post, errand: Errand) -> None:
    """The purpose: what it is about and since when."""
    about = deliveries.incident(post.desk, int(errand.work.args["incident_id"]))
    who = deliveries.name_of(post.desk, about.opened_by)
    title = markup.to_plain(about.title, {}, {})
    since = say_moment(about.opened_at.replace(second=0, microsecond=0), UTC)
    purpose = f"{about.slug}: {title}. Opened by {who} at {since}."[:250]

    def is_set() -> Answer | None:
        channel = post.slack.call("conversations.info", channel=about.channel_id)["channel"]
        return {} if ((channel.get("purpose") or {}).get("value")) == purpose else None

    errand.step(
        "purpose",
        lambda: done_when(
            lambda: post.slack.call("conversations.setPurpose", channel=about.channel_id, purpose=purpose)
        ),
        look=is_set,
        method="conversations.setPurpose",
    )


def pin_header(post: Post, errand: Errand) -> None:
    """Pin the header card."""
    about = deliveries.incident(post.desk, int(errand.work.args["incident_id"]))
    if about.channel_id is None or about.header_ts is None:
        return
    errand.step(
        "pin",
        lambda: done_when(
            lambda: post.slack.call("pins.add", channel=about.channel_id, timestamp=about.header_ts),
            "already_pinned",
        ),
        method="pins.add",
    )


_RUNBOOK_TITLE = "Runbooks"
_POSTMORTEM_TITLE = "Postmortem"


def set_bookmarks(post: Post, errand: Errand) -> None:
    """Two bookmarks: the runbooks, and the postmortem (the card until the draft's file is there)."""
    incident_id = int(errand.work.args["incident_id"])
    card = deliveries.card(post.desk, incident_id)
    about = card.incident
    if about.channel_id is None or about.header_ts is None or about.is_archived:
        return
    channel = about.channel_id
    here = post.slack.permalink(channel, about.header_ts)
    link = about.draft_permalink or here
    kept = card.postmortem_bookmark
    if kept is None:
        is_again = about.draft_permalink is not None
        runbooks = post.runbooks_url or here
        _add_bookmark(
            post, errand, "runbooks", channel, _RUNBOOK_TITLE, runbooks, ":book:", is_again=is_again
        )
        made = _add_bookmark(
            post,
            errand,
            "postmortem",
            channel,
            _POSTMORTEM_TITLE,
            link,
            ":memo:",
            is_again=is_again,
            then=lambda session, one: deliveries.bookmark_made(session, incident_id, one["id"]),
        )
        if made["link"] == link:
            return
        kept = str(made["id"])
    if about.draft_permalink:
        errand.step(
            "point",
            lambda: done_when(
                lambda: post.slack.call("bookmarks.edit", channel_id=channel, bookmark_id=kept, link=link),
                "not_found",
            ),
            method="bookmarks.edit",
        )


def _add_bookmark(
    post: Post,
    errand: Errand,
    step: str,
    channel: str,
    title: str,
    link: str,
    emoji: str,
    *,
    is_again: bool,
    then: Callable[[Session, Answer], None] | None = None,
) -> Answer:
    """Add a bookmark once: bookmarks.add makes twins, so a lost answer is looked up in the list.

    `is_again`: an earlier piece of work may have added it and come no further.
    """

    def find() -> Answer | None:
        for one in post.slack.call("bookmarks.list", channel_id=channel).get("bookmarks") or []:
            if one.get("title") == title:
                return {"id": one["id"], "link": one.get("link")}
        return None

    def add() -> Answer:
        before = find() if is_again else None
        if before is not None:
            return before
        made = post.slack.call(
            "bookmarks.add", channel_id=channel, title=title, type="link", link=link, emoji=emoji
        )
        return {"id": made["bookmark"]["id"], "link": link}

    return errand.step(step, add, look=find, then=then, method="bookmarks.add")


SENDERS = {
    "IncidentOpened": open_channel,
    "HeaderDue": post_header,
    "PeopleInvited": invite,
    "TopicChanged": set_topic,
    "PurposeDue": set_purpose,
    "HeaderPosted": pin_header,
    "BookmarksDue": set_bookmarks,
}
