"""chat.*: posting, changing and removing messages."""

from __future__ import annotations

import json

from bot.standin import blockkit, messages, shapes
from bot.standin.api.method import SPECIAL, CallContext, Family
from bot.standin.model import Channel, Json, Message
from bot.standin.refused import Refused

FAMILY = Family()

#: characters of a text: more is split on posting and refused on updating; over LONGEST it is cut
COMFORTABLE = 4000
#: the longest text that still goes out as one message (measured on Slack, undocumented)
UNSPLIT = 4040
LONGEST = 40_000
LONGEST_MARKDOWN = 12_000
_MOST_ATTACHMENTS = 100
#: bytes of metadata.event_payload; Slack publishes no figure
_LARGEST_METADATA = 16_000


def _content(call: CallContext) -> Json:
    """text, blocks, attachments and metadata of the call, checked."""
    args = call.args
    text, markdown = args.text("text"), args.text("markdown_text")
    blocks = args.json("blocks", "invalid_blocks_format") or []
    attachments = args.json("attachments", "invalid_attachments") or []
    if markdown and (text or blocks):
        raise Refused("markdown_text_conflict")
    if len(markdown) > LONGEST_MARKDOWN:
        raise Refused("msg_too_long")
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    if not isinstance(attachments, list):
        raise Refused("invalid_attachments")
    if len(attachments) > _MOST_ATTACHMENTS:
        raise Refused("too_many_attachments")
    if blocks:
        blockkit.check_message(blocks)
    for attachment in attachments:
        if attachment.get("blocks"):
            blockkit.check_message(attachment["blocks"])
    if not (text.strip() or markdown.strip() or blocks or attachments):
        raise Refused("no_text")
    if markdown:
        blocks = [{"type": "markdown", "text": markdown}]
    return {
        "text": text or markdown,
        "blocks": blockkit.with_ids(blocks),
        "attachments": [{"id": i, **a} for i, a in enumerate(attachments, 1)],
        "metadata": _metadata(call),
    }


def _metadata(call: CallContext) -> Json | None:
    metadata = call.args.json("metadata", "invalid_metadata_format")
    if metadata in (None, {}):
        return None
    if not isinstance(metadata, dict):
        raise Refused("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_schema")
    if len(json.dumps(metadata)) > _LARGEST_METADATA:
        raise Refused("metadata_too_large")
    return {"event_type": metadata["event_type"], "event_payload": metadata["event_payload"]}


def _place(call: CallContext) -> Channel:
    """The channel of a post: by id, by #name, or a user's direct conversation."""
    wanted = call.args.text("channel")
    if wanted in call.ws.users:
        return call.ws.direct_channel(call.me, wanted)
    named = call.ws.channel_named(wanted.removeprefix("#"))
    return call.ws.seen(named.id if named is not None else wanted, call.me)


@FAMILY.method("chat.postMessage", tier=SPECIAL, scopes=("chat:write",), needs=["channel"])
def post_message(call: CallContext) -> Json:
    channel = _place(call)
    if channel.is_archived:
        raise Refused("is_archived")
    if call.me not in channel.members and "chat:write.public" not in call.app.scopes:
        raise Refused("not_in_channel")
    content = _content(call)
    if call.args.has("username") or call.args.has("icon_emoji"):
        call.require("chat:write.customize")
    thread_ts = call.args.text("thread_ts") or None
    message: Message | None = None
    for part in _split(content["text"], has_blocks=bool(content["blocks"])):
        message = Message(
            call.ws.next_ts(channel),
            channel.id,
            part,
            user=call.me,
            bot_id=call.app.bot_id,
            app_id=call.app.app_id,
            username=call.args.text("username") or None,
            icon_emoji=call.args.text("icon_emoji") or None,
            blocks=content["blocks"],
            attachments=content["attachments"],
            metadata=content["metadata"],
            thread_ts=thread_ts,
            is_broadcast=bool(thread_ts) and call.args.flag("reply_broadcast"),
        )
        if message.is_broadcast:
            message.subtype = "thread_broadcast"
        messages.post(call.ws, channel, message)
    assert message is not None
    shown = shapes.message(call.ws, message, whole_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def _split(text: str, *, has_blocks: bool) -> list[str]:
    """Slack cuts a long text into several messages; the answer names only the last."""
    text = text[:LONGEST]
    if has_blocks or len(text) <= UNSPLIT:
        return [text]
    return [text[i : i + COMFORTABLE] for i in range(0, len(text), COMFORTABLE)]


def _own(call: CallContext, problem: str) -> tuple[Channel, Message]:
    channel = call.channel()
    message = call.ws.message(channel, call.args.text("ts"))
    if message.app_id != call.app.app_id:
        raise Refused(problem)
    if channel.is_archived:
        raise Refused("is_archived")
    return channel, message


@FAMILY.method("chat.update", tier=3, scopes=("chat:write",), needs=["channel", "ts"])
def update(call: CallContext) -> Json:
    channel, message = _own(call, "cant_update_message")
    content = _content(call)
    if len(content["text"]) > COMFORTABLE:
        raise Refused("msg_too_long")
    changes: Json = {"blocks": content["blocks"]}
    # Blocks left out vanish when a text is given; metadata left out stays, {} takes it away.
    if call.args.raw.get("text") is not None or call.args.has("markdown_text"):
        changes["text"] = content["text"]
    if call.args.raw.get("attachments") is not None:
        changes["attachments"] = content["attachments"]
    if call.args.raw.get("metadata") is not None:
        changes["metadata"] = content["metadata"]
    messages.edit(call.ws, channel, message, changes, call.me)
    shown = shapes.message(call.ws, message)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


@FAMILY.method("chat.delete", tier=3, scopes=("chat:write",), needs=["channel", "ts"])
def delete(call: CallContext) -> Json:
    channel, message = _own(call, "cant_delete_message")
    messages.delete(call.ws, channel, message)
    return {"channel": channel.id, "ts": message.ts}


@FAMILY.method("chat.postEphemeral", tier=4, scopes=("chat:write",), needs=["channel", "user"])
def post_ephemeral(call: CallContext) -> Json:
    channel = call.own_channel()
    user = call.args.text("user")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    content = _content(call)
    content.pop("metadata")
    message = Message(
        call.ws.next_ts(channel),
        channel.id,
        user=call.me,
        bot_id=call.app.bot_id,
        app_id=call.app.app_id,
        ephemeral_to=user,
        thread_ts=call.args.text("thread_ts") or None,
        **content,
    )
    messages.whisper(call.ws, channel, message)
    return {"message_ts": message.ts}


@FAMILY.method("chat.getPermalink", tier=SPECIAL, needs=["channel", "message_ts"])
def get_permalink(call: CallContext) -> Json:
    channel = call.channel()
    message = call.ws.message(channel, call.args.text("message_ts"))
    return {"channel": channel.id, "permalink": call.ws.permalink(message)}
