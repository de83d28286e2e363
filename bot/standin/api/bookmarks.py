"""bookmarks.*: the links at the top of a channel.  Adding twice gives two."""

from __future__ import annotations

import re

from bot.standin.api.method import CallContext, Family
from bot.standin.model import Channel, Json
from bot.standin.refused import Refused
from bot.standin.workspace import fresh_id

FAMILY = Family()

MOST_BOOKMARKS = 100


def _checked_link(link: str) -> str:
    if not re.match(r"https?://\S+$", link):
        raise Refused("invalid_link")
    return link


def _one(call: CallContext, channel: Channel) -> Json:
    for bookmark in channel.bookmarks:
        if bookmark["id"] == call.args.text("bookmark_id"):
            return bookmark
    raise Refused("not_found")


def _changed(call: CallContext) -> None:
    call.ws.on_change(["state"])


@FAMILY.method("bookmarks.add", tier=2, scopes=("bookmarks:write",), needs=["channel_id", "title", "type"])
def add(call: CallContext) -> Json:
    channel = call.own_channel("channel_id")
    if call.args.text("type") != "link":
        raise Refused("invalid_bookmark_type")
    link = _checked_link(call.args.text("link"))
    if len(channel.bookmarks) >= MOST_BOOKMARKS:
        raise Refused("too_many_bookmarks")
    bookmark: Json = {
        "id": fresh_id("Bk"),
        "channel_id": channel.id,
        "title": call.args.text("title"),
        "link": link,
        "emoji": call.args.text("emoji"),
        "icon_url": None,
        "type": "link",
        "entity_id": None,
        "date_created": int(call.ws.now()),
        "date_updated": 0,
        "rank": f"{len(channel.bookmarks):04d}",
        "last_updated_by_user_id": call.me,
        "last_updated_by_team_id": call.ws.team["id"],
        "shortcut_id": None,
        "app_id": call.app.app_id,
    }
    channel.bookmarks.append(bookmark)
    _changed(call)
    return {"bookmark": dict(bookmark)}


@FAMILY.method("bookmarks.edit", tier=2, scopes=("bookmarks:write",), needs=["channel_id", "bookmark_id"])
def edit(call: CallContext) -> Json:
    bookmark = _one(call, call.own_channel("channel_id"))
    if call.args.has("link"):
        bookmark["link"] = _checked_link(call.args.text("link"))
    for name in ("title", "emoji"):
        if call.args.has(name):
            bookmark[name] = call.args.text(name)
    bookmark |= {"date_updated": int(call.ws.now()), "last_updated_by_user_id": call.me}
    _changed(call)
    return {"bookmark": dict(bookmark)}


@FAMILY.method("bookmarks.remove", tier=2, scopes=("bookmarks:write",), needs=["channel_id", "bookmark_id"])
def remove(call: CallContext) -> Json:
    channel = call.own_channel("channel_id")
    channel.bookmarks.remove(_one(call, channel))
    _changed(call)
    return {}


@FAMILY.method("bookmarks.list", tier=3, scopes=("bookmarks:read",), needs=["channel_id"])
def listed(call: CallContext) -> Json:
    channel = call.channel("channel_id")
    call.must_be_in(channel)
    return {"bookmarks": [dict(b) for b in channel.bookmarks]}
