"""How Slack writes a user, a channel, a message or a file as JSON, in answers, events and payloads alike."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.standin.model import Channel, File, Json, Message, User
from bot.standin.workspace import Workspace

_ZONE_NAMES = {
    "EST": "Eastern Standard Time",
    "EDT": "Eastern Daylight Time",
    "CET": "Central European Time",
    "CEST": "Central European Summer Time",
    "IST": "India Standard Time",
    "GMT": "Greenwich Mean Time",
    "BST": "British Summer Time",
    "PST": "Pacific Standard Time",
    "PDT": "Pacific Daylight Time",
    "UTC": "Coordinated Universal Time",
}
_TOKEN = re.compile(r"<(@[UW][A-Z0-9]+|#C[A-Z0-9]+(?:\|[^>]*)?|!subteam\^[A-Z0-9]+|![a-z]+|https?://[^>]+)>")


def zone_label(tz: str, at: float) -> tuple[str, int]:
    """The zone's name in words and its offset in seconds at that moment."""
    there = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(tz))
    offset = there.utcoffset()
    short = there.tzname() or tz
    return _ZONE_NAMES.get(short, tz), int(offset.total_seconds()) if offset else 0


def user(ws: Workspace, u: User, *, with_email: bool) -> Json:
    label, offset = zone_label(u.tz, ws.now())
    picture = f"{ws.base_url}/static/avatar.svg"
    profile: Json = {
        "real_name": u.real_name,
        "real_name_normalized": u.real_name,
        "display_name": u.name if not u.is_bot else "",
        "display_name_normalized": u.name if not u.is_bot else "",
        "status_text": "",
        "status_emoji": "",
        "avatar_hash": u.color,
        "image_48": picture,
        "image_192": picture,
        "team": ws.team["id"],
    }
    if with_email and u.email:
        profile["email"] = u.email
    if u.is_bot:
        profile |= {"bot_id": u.bot_id, "api_app_id": u.app_id, "always_active": True}
    shown: Json = {
        "id": u.id,
        "team_id": ws.team["id"],
        "name": u.name,
        "deleted": u.deleted,
        "profile": profile,
        "is_bot": u.is_bot,
        "is_app_user": False,
        "updated": u.updated,
    }
    if u.deleted:
        return shown
    return shown | {
        "color": u.color,
        "real_name": u.real_name,
        "tz": u.tz,
        "tz_label": label,
        "tz_offset": offset,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": u.is_restricted,
        "is_ultra_restricted": False,
        "is_email_confirmed": True,
    }


def channel(ws: Workspace, c: Channel, seen_by: str) -> Json:
    if c.is_im:
        other = next((m for m in c.members if m != seen_by), seen_by)
        return {"id": c.id, "created": c.created, "is_im": True, "user": other, "is_archived": False,
                "is_org_shared": False, "is_open": True, "priority": 0}  # fmt: skip
    return {
        "id": c.id,
        "name": c.name,
        "name_normalized": c.name,
        "is_channel": not c.is_private,
        "is_group": c.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": c.is_private,
        "is_archived": c.is_archived,
        "is_general": c.is_general,
        "is_member": seen_by in c.members,
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "pending_shared": [],
        "unlinked": 0,
        "created": c.created,
        "creator": c.creator,
        "context_team_id": ws.team["id"],
        "topic": dict(c.topic),
        "purpose": dict(c.purpose),
        "previous_names": list(c.previous_names),
        "updated": c.created * 1000,
    }


def file(ws: Workspace, f: File) -> Json:
    address = f"{ws.base_url}/files/{f.id}/{f.name}"
    private = f"{ws.base_url}/files-pri/{ws.team['id']}-{f.id}"
    kind = f.name.rpartition(".")[2].lower() if "." in f.name else "binary"
    return {
        "id": f.id,
        "created": f.created,
        "timestamp": f.created,
        "name": f.name,
        "title": f.title or f.name,
        "mimetype": f.mimetype,
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": f.user,
        "size": len(f.content),
        "mode": "quip" if f.mimetype == "application/vnd.slack-docs" else "hosted",
        "is_external": False,
        "is_public": True,
        "url_private": f"{private}/{f.name}",
        "url_private_download": f"{private}/download/{f.name}",
        "permalink": address,
        "channels": list(f.channels),
        **({"alt_txt": f.alt_text} if f.alt_text else {}),
    }


def rich_text(text: str) -> list[Json]:
    """The one block Slack's own client makes of what a person types."""
    parts: list[Json] = []
    at = 0
    for found in _TOKEN.finditer(text):
        if found.start() > at:
            parts.append({"type": "text", "text": unescaped(text[at : found.start()])})
        token, at = found.group(1), found.end()
        if token.startswith("@"):
            parts.append({"type": "user", "user_id": token[1:]})
        elif token.startswith("#"):
            parts.append({"type": "channel", "channel_id": token[1:].partition("|")[0]})
        elif token.startswith("!subteam^"):
            parts.append({"type": "usergroup", "usergroup_id": token.partition("^")[2]})
        elif token.startswith("!"):
            parts.append({"type": "broadcast", "range": token[1:]})
        else:
            parts.append({"type": "link", "url": unescaped(token.partition("|")[0])})
    if at < len(text):
        parts.append({"type": "text", "text": unescaped(text[at:])})
    section = {"type": "rich_text_section", "elements": parts}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}]


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def bot_profile(ws: Workspace, app_id: str | None) -> Json | None:
    app = ws.apps.get(app_id or "")
    if app is None:
        return None
    return {"id": app.bot_id, "app_id": app.app_id, "name": app.display_name, "deleted": False, "updated": 0,
            "icons": {}, "team_id": ws.team["id"]}  # fmt: skip


def message(ws: Workspace, m: Message, *, whole_metadata: bool = False) -> Json:
    """A message as history, events and payloads show it; metadata in full only when asked for."""
    shown: Json = {"type": "message", "ts": m.ts, "text": m.text}
    if m.user:
        shown["user"] = m.user
    if m.subtype:
        shown["subtype"] = m.subtype
    if m.bot_id:
        shown |= {"bot_id": m.bot_id, "app_id": m.app_id, "bot_profile": bot_profile(ws, m.app_id)}
    if m.username:
        shown["username"] = m.username
    if m.icon_emoji:
        shown["icons"] = {"emoji": m.icon_emoji}
    shown["team"] = ws.team["id"]
    if m.client_msg_id:
        shown["client_msg_id"] = m.client_msg_id
    if m.blocks:
        shown["blocks"] = m.blocks
    elif m.user and not m.bot_id and not m.subtype and m.text:
        shown["blocks"] = rich_text(m.text)
    if m.attachments:
        shown["attachments"] = m.attachments
    if m.files:
        shown["files"] = [
            file(ws, ws.files[f]) if f in ws.files else {"id": f, "mode": "tombstone"} for f in m.files
        ]
        shown["upload"] = False
    if m.edited:
        shown["edited"] = dict(m.edited)
    if m.metadata:
        event_type = m.metadata.get("event_type")
        shown["metadata"] = dict(m.metadata) if whole_metadata else {"event_type": event_type}
    if m.reactions:
        shown["reactions"] = [
            {"name": name, "users": list(who), "count": len(who)} for name, who in m.reactions.items()
        ]
    place = ws.channels[m.channel]
    if any(p.ts == m.ts for p in place.pins):
        shown["pinned_to"] = [m.channel]
        shown["pinned_info"] = next(
            {"channel": m.channel, "pinned_by": p.user, "pinned_ts": p.created}
            for p in place.pins
            if p.ts == m.ts
        )
    return shown | m.more | _thread_fields(place, m)


def _thread_fields(place: Channel, m: Message) -> Json:
    if m.is_reply:
        parent = place.messages.get(m.thread_ts or "")
        return {"thread_ts": m.thread_ts, **({"parent_user_id": parent.user} if parent else {})}
    if m.thread_ts is None:
        return {}
    replies = place.replies(m.ts)
    who = list(dict.fromkeys(r.user or r.bot_id or "" for r in replies))
    return {
        "thread_ts": m.ts,
        "reply_count": len(replies),
        "reply_users_count": len(who),
        "reply_users": who,
        "latest_reply": replies[-1].ts if replies else m.ts,
        "is_locked": False,
        "subscribed": False,
    }
