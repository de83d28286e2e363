"""What can be done to channels, by a person or by an app: make, name, join, leave, archive ..."""

from __future__ import annotations

import re
from typing import Any

from bot.standin import messages, shapes
from bot.standin.model import Channel, Json
from bot.standin.refused import Refused
from bot.standin.workspace import Workspace, fresh_id

#: characters of a topic or a purpose, of a channel name (conversations.setTopic, conversations.create)
LONGEST_TOPIC = 250
LONGEST_NAME = 80


def checked_name(ws: Workspace, name: str) -> str:
    """The name, if a channel may be called so and none is."""
    if not name.strip():
        raise Refused("invalid_name_required")
    if len(name) > LONGEST_NAME:
        raise Refused("invalid_name_maxlength")
    if not re.search(r"\w", name):
        raise Refused("invalid_name_punctuation")
    if name != name.lower() or not re.fullmatch(r"[\w-]+", name):
        raise Refused("invalid_name_specials")
    if ws.channel_named(name) is not None:
        raise Refused("name_taken")
    return name


def create(ws: Workspace, name: str, creator: str, *, is_private: bool) -> Channel:
    """A new channel with its creator as the only member."""
    channel = Channel(
        fresh_id("C"), checked_name(ws, name), creator, int(ws.now()), is_private, members=[creator]
    )
    ws.channels[channel.id] = channel
    if not is_private:
        ws.on_event(
            {
                "type": "channel_created",
                "channel": {
                    "id": channel.id,
                    "name": name,
                    "name_normalized": name,
                    "created": channel.created,
                    "creator": creator,
                    "is_channel": True,
                    "context_team_id": ws.team["id"],
                },
                "event_ts": ws.event_ts(),
            },
            None,
        )
    ws.on_change(["state"])
    return channel


def enter(ws: Workspace, channel: Channel, user: str, *, inviter: str | None = None) -> None:
    """Make the user a member, with the line and the event of it."""
    channel.members.append(user)
    more = {"inviter": inviter} if inviter else {}
    subtype = "group_join" if channel.is_private else "channel_join"
    messages.system_message(ws, channel, user, subtype, f"<@{user}> has joined the channel", **more)
    _member_event(ws, channel, user, "member_joined_channel", ws.bots_in(channel), **more)


def depart(ws: Workspace, channel: Channel, user: str) -> None:
    """Take the user out of the members."""
    if channel.is_general:
        raise Refused("cant_leave_general")
    who_saw = ws.bots_in(channel)
    subtype = "group_leave" if channel.is_private else "channel_leave"
    messages.system_message(ws, channel, user, subtype, f"<@{user}> has left the channel")
    channel.members.remove(user)
    _member_event(ws, channel, user, "member_left_channel", who_saw)


def _member_event(
    ws: Workspace, channel: Channel, user: str, kind: str, apps: list[str], **more: Any
) -> None:
    event: Json = {
        "type": kind,
        "user": user,
        "channel": channel.id,
        "channel_type": "G" if channel.is_private else "C",
        "team": ws.team["id"],
        "event_ts": ws.event_ts(),
    }
    ws.on_event(event | more, apps)


def set_line(ws: Workspace, channel: Channel, field: str, value: str, user: str) -> None:
    """Set the `topic` or the `purpose`; the same text again says nothing."""
    if len(value) > LONGEST_TOPIC:
        raise Refused("too_long")
    line: Json = getattr(channel, field)
    if line["value"] == value:
        return
    setattr(channel, field, {"value": value, "creator": user, "last_set": int(ws.now())})
    subtype = f"{'group' if channel.is_private else 'channel'}_{field}"
    said = f"set the channel {'description' if field == 'purpose' else field}: {value}"
    messages.system_message(ws, channel, user, subtype, said, **{field: value})


def rename(ws: Workspace, channel: Channel, name: str, user: str) -> None:
    checked_name(ws, name)
    old, channel.name = channel.name, name
    channel.previous_names.append(old)
    subtype = "group_name" if channel.is_private else "channel_name"
    said = f'has renamed the channel from "{old}" to "{name}"'
    messages.system_message(ws, channel, user, subtype, said, old_name=old, name=name)
    shown = {"id": channel.id, "name": name, "name_normalized": name, "created": channel.created}
    _channel_event(ws, channel, "rename", channel_value=shown)


def archive(ws: Workspace, channel: Channel, user: str) -> None:
    """Close the channel.  Bots are put out of it, as Slack does."""
    if channel.is_archived:
        raise Refused("already_archived")
    if channel.is_general:
        raise Refused("cant_archive_general")
    subtype = "group_archive" if channel.is_private else "channel_archive"
    messages.system_message(ws, channel, user, subtype, "archived the channel")
    channel.is_archived = True
    _channel_event(ws, channel, "archive", user=user)
    bots = {a.bot_user_id for a in ws.apps.values()}
    channel.members = [m for m in channel.members if m not in bots]
    ws.on_change(["state"])


def unarchive(ws: Workspace, channel: Channel, user: str) -> None:
    if not channel.is_archived:
        raise Refused("not_archived")
    channel.is_archived = False
    subtype = "group_unarchive" if channel.is_private else "channel_unarchive"
    messages.system_message(ws, channel, user, subtype, "un-archived the channel")
    _channel_event(ws, channel, "unarchive", user=user)
    ws.on_change(["state"])


def _channel_event(
    ws: Workspace, channel: Channel, what: str, channel_value: Json | None = None, **more: Any
) -> None:
    kind = f"{'group' if channel.is_private else 'channel'}_{what}"
    event: Json = {"type": kind, "channel": channel_value or channel.id, "event_ts": ws.event_ts()}
    ws.on_event(event | more, ws.bots_in(channel) if channel.is_private else None)
    ws.on_change(["state"])


def set_profile(ws: Workspace, user_id: str, changes: Json) -> None:
    """Change a person: tz, real_name, deleted, is_restricted (a guest)."""
    person = ws.user(user_id)
    for name in ("tz", "real_name", "deleted", "is_restricted"):
        if changes.get(name) is not None:
            setattr(person, name, changes[name])
    person.updated = int(ws.now())
    shown = shapes.user(ws, person, with_email=False)
    ws.on_event(
        {"type": "user_change", "user": shown, "cache_ts": person.updated, "event_ts": ws.event_ts()}, None
    )
    ws.on_change(["state"])
