"""What a person sees: GET /ui/state, /ui/messages and /ui/replies (docs: the protocol of the page)."""

from __future__ import annotations

from typing import Any

from bot.standin import canvases, shapes
from bot.standin.model import Channel, Json, Message
from bot.standin.views import Views
from bot.standin.workspace import Workspace


class Sight:
    """Reads the workspace with one person's eyes."""

    def __init__(self, ws: Workspace, views: Views) -> None:
        self._ws = ws
        self._views = views

    def state(self, me: str) -> Json:
        with self._ws.lock:
            self._ws.user(me)
            apps = list(self._ws.apps.values())
            channels = [
                c for c in self._ws.channels.values() if me in c.members or not (c.is_private or c.is_im)
            ]
            return {
                "team": self._ws.team,
                "me": me,
                "now": self._ws.now(),
                "users": [self._person(u) for u in self._ws.users],
                "channels": [self._channel(c, me) for c in channels if not c.is_im or c.messages],
                "commands": [
                    {
                        "command": c["command"],
                        "description": c.get("description", ""),
                        "usage_hint": c.get("usage_hint", ""),
                        "app": a.name,
                    }
                    for a in apps
                    for c in a.commands
                ],
                "shortcuts": [s | {"app": a.name} for a in apps for s in a.shortcuts],
                "views": list(self._views.stack(me)),
                "home": self._views.home(me),
            }

    def _person(self, user_id: str) -> Json:
        user = self._ws.users[user_id]
        label, offset = shapes.zone_label(user.tz, self._ws.now())
        return {
            "id": user.id,
            "name": user.name,
            "real_name": user.real_name,
            "tz": user.tz,
            "tz_label": label,
            "tz_offset": offset,
            "color": user.color,
            "is_bot": user.is_bot,
            "deleted": user.deleted,
        }

    def _channel(self, channel: Channel, me: str) -> Json:
        read = channel.last_read.get(me, "")
        newest = next(reversed(channel.messages.values()), None)
        other = next((m for m in channel.members if m != me), me)
        canvas = canvases.of(self._ws, channel)
        return {
            "id": channel.id,
            "name": self._ws.users[other].name if channel.is_im else channel.name,
            "is_private": channel.is_private,
            "is_im": channel.is_im,
            "is_archived": channel.is_archived,
            "is_member": me in channel.members,
            "topic": channel.topic["value"],
            "purpose": channel.purpose["value"],
            "creator": channel.creator,
            "members": list(channel.members),
            "bookmarks": [
                {"id": b["id"], "title": b["title"], "link": b["link"], "emoji": b["emoji"]}
                for b in channel.bookmarks
            ],
            "canvas": self._file(canvas.id) if canvas is not None else None,
            "pins": [p.ts for p in channel.pins],
            "created": channel.created,
            "last_ts": newest.ts if newest else channel.last_ts,
            "unread": sum(1 for m in channel.messages.values() if m.ts > read and m.user != me),
        }

    def messages(self, me: str, channel_id: str, limit: int = 200) -> Json:
        with self._ws.lock:
            channel = self._ws.seen(channel_id, me)
            shown = [m for m in channel.messages.values() if not m.is_reply or m.is_broadcast]
            shown += [m for m in channel.ephemerals if m.ephemeral_to == me and not m.is_reply]
            shown.sort(key=_when)
            newest = shown[-limit:] if limit > 0 else shown
            return {"messages": [self._message(channel, m) for m in newest]}

    def replies(self, me: str, channel_id: str, ts: str) -> Json:
        with self._ws.lock:
            channel = self._ws.seen(channel_id, me)
            shown = [self._ws.message(channel, ts), *channel.replies(ts)]
            shown += [m for m in channel.ephemerals if m.ephemeral_to == me and m.thread_ts == ts]
            shown.sort(key=_when)
            return {"messages": [self._message(channel, m) for m in shown]}

    def _message(self, channel: Channel, m: Message) -> Json:
        whole = shapes.message(self._ws, m, whole_metadata=True)
        author = self._ws.users.get(m.user or "")
        shown: dict[str, Any] = {
            "ts": m.ts,
            "user": m.user,
            "bot_id": m.bot_id,
            "username": m.username or (author.real_name if author else ""),
            "text": m.text,
            "blocks": m.blocks,
            "attachments": m.attachments,
            "files": [self._file(f) for f in m.files if f in self._ws.files],
            "reactions": whole.get("reactions", []),
        }
        for name in ("thread_ts", "reply_count", "reply_users", "subtype", "metadata"):
            if name in whole:
                shown[name] = whole[name]
        shown |= {"edited": True} if m.edited else {}
        shown |= {"ephemeral": True} if m.ephemeral_to else {}
        shown |= {"pinned": True} if any(p.ts == m.ts for p in channel.pins) else {}
        return shown

    def _file(self, file_id: str) -> Json:
        found = self._ws.files[file_id]
        whole = shapes.file(self._ws, found)
        return {
            "id": found.id,
            "name": found.name,
            "title": whole["title"],
            "mimetype": found.mimetype,
            "size": len(found.content),
            "permalink": whole["permalink"],
            "url": f"/files/{found.id}/{found.name}",
        }


def _when(message: Message) -> float:
    return float(message.ts)
