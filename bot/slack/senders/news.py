"""Keeping the channel and the announcement up to date: card, entries, updates, a word to one person, archiving."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.outcomes import Refused
from bot.domain.people import Person
from bot.domain.refusals import Refusal
from bot.domain.timeline import Source
from bot.slack import cards
from bot.slack.ask import profile_name, read_message
from bot.slack.blocks import cut
from bot.slack.post import Answer, Post, done_when
from bot.store.db import NotSaved
from bot.store.errand import Errand
from bot.usecases import deliveries
from bot.usecases.timeline import LONGEST, log_message
from bot.usecases.whisper import whisper as whisper_to

#: The bot's own mark on a message that became an entry.
MARK = "memo"
#: Slack's refusals of a word to one person in a channel that the bot or the person is not in.
_NOT_THERE = frozenset({"user_not_in_channel", "not_in_channel", "channel_not_found"})


def _incident(errand: Errand) -> int:
    return int(errand.work.args["incident_id"])


def change_card(post: Post, errand: Errand) -> None:
    """Draw the header card anew."""
    card = deliveries.card(post.desk, _incident(errand))
    about = card.incident
    if about.channel_id is None or about.header_ts is None or about.is_archived:
        return
    post.change(
        errand, "card", about.channel_id, about.header_ts, cards.card_text(card), cards.header_card(card)
    )


def announce(post: Post, errand: Errand) -> None:
    """Post the announcement, or bring it up to date."""
    incident_id = _incident(errand)
    card = deliveries.card(post.desk, incident_id)
    if card.incident.is_private or card.incident.is_drill or card.incident.channel_id is None:
        return
    text, blocks = cards.announcement(card)
    if card.announced_in and card.announced_ts:
        post.change(errand, "change", card.announced_in, card.announced_ts, text, blocks)
        return
    post.message(
        errand,
        "announce",
        post.desk.options.announce_channel,
        text,
        blocks,
        then=lambda session, sent: deliveries.announcement_posted(
            post.desk, session, incident_id, sent["channel"], sent["ts"]
        ),
    )


def show_entries(post: Post, errand: Errand) -> None:
    """One message for all entries that the channel has not been shown."""
    incident_id = _incident(errand)
    unshown = deliveries.unshown_entries(post.desk, incident_id)
    about, waiting = unshown.incident, unshown.entries
    if about.channel_id is None or about.is_archived or not waiting:
        return
    text, blocks = cards.entry_lines(waiting, unshown.names)
    post.message(
        errand,
        "entries",
        about.channel_id,
        text,
        blocks,
        # More may have been logged since a first try: what that message shows is what counts.
        shows=",".join(str(entry.id) for entry in waiting),
        then=lambda session, sent: deliveries.entries_posted(
            post.desk, session, incident_id, [int(one) for one in sent["shows"].split(",")], sent["ts"]
        ),
    )


def change_entry(post: Post, errand: Errand) -> None:
    """Bring the message that shows an entry up to date."""
    about = deliveries.incident(post.desk, _incident(errand))
    ts, shown = deliveries.shown_with(post.desk, int(errand.work.args["entry_id"]))
    if about.channel_id is None or about.is_archived or ts is None:
        return
    text, blocks = cards.entry_lines(shown, deliveries.names(post.desk, shown))
    post.change(errand, "entry", about.channel_id, ts, text, blocks)


def log_marked_message(post: Post, errand: Errand) -> None:
    """Read a message that a person marked, and put it on the timeline: its author, its time."""
    args = errand.work.args
    channel, ts, by = str(args["channel_id"]), str(args["ts"]), str(args["by"])

    def read() -> Answer:
        try:
            message = post.slack.call("reactions.get", channel=channel, timestamp=ts, full=True).get(
                "message"
            )
        except Refused as refused:
            if refused.word in {"message_not_found", "bad_timestamp"}:
                return {"message": None}
            raise
        return {"message": message}

    message = errand.step("read", read, method="reactions.get")["message"]
    seen = read_message(channel, message) if isinstance(message, dict) else None
    me = post.slack.me()
    if seen is None or seen.author in {me.bot_user_id, me.bot_id}:
        return
    origin = f"work:{errand.work.id}"
    # A message may be longer than an entry; its link leads to the whole.
    seen = replace(seen, text=cut(seen.text, LONGEST))
    try:
        log_message(
            post.desk, _incident(errand), seen, by=by, source=Source(str(args["source"])), origin=origin
        )
    except NotSaved:
        raise
    except Refusal as refusal:
        # It will be refused again however often it is tried: the person is told instead.
        whisper_to(post.desk, refusal.sentence, channel_id=channel, to=by, origin=origin)


def mark_logged(post: Post, errand: Errand) -> None:
    """The bot's mark under a message that became an entry."""
    args = errand.work.args
    errand.step(
        "mark",
        lambda: done_when(
            lambda: post.slack.call(
                "reactions.add", channel=args["channel_id"], timestamp=args["ts"], name=MARK
            ),
            "already_reacted",
            "message_not_found",
            "too_many_reactions",
        ),
        method="reactions.add",
    )


def post_update(post: Post, errand: Errand) -> None:
    """An update for stakeholders, in the channel."""
    about = deliveries.incident(post.desk, _incident(errand))
    if about.channel_id is None:
        return
    update = deliveries.update_of(post.desk, int(errand.work.args["update_id"]))
    text, blocks = cards.update(about, update, deliveries.name_of(post.desk, update.sent_by))
    post.message(errand, "update", about.channel_id, text, blocks)


def announce_update(post: Post, errand: Errand) -> None:
    """The same under the announcement, for those who are not in the channel."""
    card = deliveries.card(post.desk, _incident(errand))
    if card.announced_in is None or card.announced_ts is None:
        return
    update = deliveries.update_of(post.desk, int(errand.work.args["update_id"]))
    text, blocks = cards.update(card.incident, update, deliveries.name_of(post.desk, update.sent_by))
    post.message(errand, "update", card.announced_in, text, blocks, thread_ts=card.announced_ts)


def archive(post: Post, errand: Errand) -> None:
    """Archive the channel. It ejects the bot, so nothing can follow."""
    incident_id = _incident(errand)
    about = deliveries.incident(post.desk, incident_id)
    errand.step(
        "archive",
        lambda: done_when(
            lambda: post.slack.call("conversations.archive", channel=about.channel_id), "already_archived"
        ),
        then=lambda session, _: deliveries.archived(session, incident_id),
        method="conversations.archive",
    )


def meet_person(post: Post, errand: Errand) -> None:
    """Ask Slack who somebody is."""
    person_id = str(errand.work.args["person_id"])

    def ask() -> Answer:
        try:
            user = post.slack.call("users.info", user=person_id)["user"]
        except Refused as refused:
            if refused.word not in {"user_not_found", "user_not_visible"}:
                raise
            return {}
        return {
            "name": profile_name(user) or person_id,
            "tz": str(user.get("tz") or ""),
            "is_bot": bool(user.get("is_bot")),
            "is_deleted": bool(user.get("deleted")),
        }

    errand.step(
        "ask",
        ask,
        then=lambda session, found: (
            deliveries.person_met(session, Person(id=person_id, seen_at=post.desk.now_for_outbox(), **found))
            if found
            else None
        ),
        method="users.info",
    )


def meet_channel(post: Post, errand: Errand) -> None:
    """Ask Slack what a channel is called."""
    channel_id = str(errand.work.args["channel_id"])

    def ask() -> Answer:
        try:
            channel = post.slack.call("conversations.info", channel=channel_id)["channel"]
        except Refused as refused:
            if refused.word != "channel_not_found":
                raise
            return {}
        return {"name": str(channel.get("name") or "")}

    errand.step(
        "ask",
        ask,
        then=lambda session, found: (
            deliveries.channel_met(session, channel_id, found["name"], post.desk.clock())
            if found.get("name")
            else None
        ),
        method="conversations.info",
    )


def tell_person(post: Post, errand: Errand) -> None:
    """A word to one person, where it finds them: a direct message from the bot."""
    args = errand.work.args
    opened = errand.step(
        "open",
        lambda: {"id": post.slack.call("conversations.open", users=args["person_id"])["channel"]["id"]},
        method="conversations.open",
    )
    post.message(errand, "tell", str(opened["id"]), str(args["text"]))


def whisper(post: Post, errand: Errand) -> None:
    """An answer that one person sees. Slack keeps it nowhere, so a repeat is a second look at most.

    Where the bot or the person is not in the channel it was asked in, it goes to the person directly.
    """
    args = errand.work.args
    arguments = {"channel": args["channel_id"], "user": args["person_id"], "text": args["text"]}
    if args.get("blocks"):
        arguments["blocks"] = args["blocks"]

    def call() -> Answer:
        try:
            post.slack.call("chat.postEphemeral", **arguments)
        except Refused as refused:
            if refused.word not in _NOT_THERE:
                raise
            return {"is_elsewhere": True}
        return {}

    if errand.step("whisper", call, method="chat.postEphemeral").get("is_elsewhere"):
        tell_person(post, errand)


SENDERS = {
    "Whispered": whisper,
    "CardChanged": change_card,
    "AnnouncementDue": announce,
    "EntriesLogged": show_entries,
    "EntryChanged": change_entry,
    "MessageMarked": log_marked_message,
    "MessageLogged": mark_logged,
    "UpdatePosted": post_update,
    "UpdateAnnounced": announce_update,
    "ArchiveAsked": archive,
    "PersonNamed": meet_person,
    "ChannelNamed": meet_channel,
    "PersonTold": tell_person,
}
