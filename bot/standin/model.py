"""What a workspace is made of.  Plain records that change in place, under the workspace's lock only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class User:
    id: str
    name: str
    real_name: str
    tz: str
    email: str
    color: str
    is_bot: bool = False
    deleted: bool = False
    is_restricted: bool = False
    bot_id: str | None = None
    app_id: str | None = None
    updated: int = 0


@dataclass
class Message:
    ts: str
    channel: str
    text: str
    user: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    username: str | None = None
    icon_emoji: str | None = None
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    subtype: str | None = None
    thread_ts: str | None = None
    is_broadcast: bool = False
    metadata: Json | None = None
    edited: Json | None = None
    #: emoji name -> ids of those who reacted, in order
    reactions: dict[str, list[str]] = field(default_factory=dict)
    client_msg_id: str | None = None
    #: the only user who sees it
    ephemeral_to: str | None = None
    #: fields of a subtype: topic, purpose, old_name, inviter ...
    more: Json = field(default_factory=dict)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class Pin:
    ts: str
    user: str
    created: int


@dataclass
class Channel:
    id: str
    name: str
    creator: str
    created: int
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    is_general: bool = False
    topic: Json = field(default_factory=lambda: {"value": "", "creator": "", "last_set": 0})
    purpose: Json = field(default_factory=lambda: {"value": "", "creator": "", "last_set": 0})
    members: list[str] = field(default_factory=list)
    #: in the order of their ts
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: list[Message] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    bookmarks: list[Json] = field(default_factory=list)
    #: file id of its canvas; "" while it has none
    canvas: str = ""
    previous_names: list[str] = field(default_factory=list)
    last_read: dict[str, str] = field(default_factory=dict)
    last_ts: str = "0000000000.000000"

    @property
    def kind(self) -> str:
        """Slack's `channel_type`: channel, group or im."""
        return "im" if self.is_im else "group" if self.is_private else "channel"

    @property
    def scope_family(self) -> str:
        """The first word of the scopes that govern it: channels, groups or im."""
        return "im" if self.is_im else "groups" if self.is_private else "channels"

    def replies(self, ts: str) -> list[Message]:
        """The thread under `ts`, oldest first, without its parent."""
        return [m for m in self.messages.values() if m.thread_ts == ts and m.ts != ts]


@dataclass
class File:
    id: str
    name: str
    title: str
    mimetype: str
    user: str
    created: int
    content: bytes = b""
    length: int = 0
    is_complete: bool = False
    channels: list[str] = field(default_factory=list)
    alt_text: str = ""


@dataclass
class UserGroup:
    id: str
    handle: str
    name: str
    users: list[str]
