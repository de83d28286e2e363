"""files.*: the three-step upload, and looking at what was shared."""

from __future__ import annotations

import mimetypes

from bot.standin import messages, shapes
from bot.standin.api.method import CallContext, Family
from bot.standin.model import Channel, File, Json, Message
from bot.standin.refused import Refused
from bot.standin.workspace import fresh_id

FAMILY = Family()


@FAMILY.method("files.getUploadURLExternal", tier=4, scopes=("files:write",), needs=["filename", "length"])
def get_upload_url(call: CallContext) -> Json:
    name, length = call.args.text("filename"), call.args.whole("length", 0, most=10**9)
    if length <= 0:
        raise Refused("invalid_arguments", "[ERROR] must be greater than 0 [json-pointer:/length]")
    kind = mimetypes.guess_type(name)[0] or ("text/plain" if call.args.has("snippet_type") else "")
    kept = File(
        fresh_id("F"),
        name,
        name,
        kind or "application/octet-stream",
        call.me,
        int(call.ws.now()),
        length=length,
    )
    kept.alt_text = call.args.text("alt_txt")
    call.ws.files[kept.id] = kept
    return {"upload_url": f"{call.ws.base_url}/upload/{kept.id}", "file_id": kept.id}


@FAMILY.method("files.completeUploadExternal", tier=4, scopes=("files:write",), needs=["files"])
def complete_upload(call: CallContext) -> Json:
    asked = call.args.json("files")
    if not isinstance(asked, list) or not asked:
        raise Refused("invalid_arguments", "[ERROR] must be a non-empty array [json-pointer:/files]")
    kept = [_uploaded(call, item) for item in asked]
    wanted = call.args.names("channels") or call.args.names("channel_id")
    channels = [call.ws.seen(channel_id, call.me) for channel_id in wanted]
    for channel in channels:
        call.must_be_in(channel)
        if channel.is_archived:
            raise Refused("is_archived")
    for item, found in zip(asked, kept, strict=True):
        found.title = str(item.get("title") or found.name)
        found.is_complete = True
    for channel in channels:
        _share(call, channel, kept)
    return {"files": [shapes.file(call.ws, found) for found in kept]}


def _uploaded(call: CallContext, item: Json) -> File:
    found = call.ws.files.get(str(item.get("id")))
    if found is None or found.user != call.me:
        raise Refused("file_not_found")
    if not found.content:
        raise Refused("file_update_failed")
    return found


def _share(call: CallContext, channel: Channel, files: list[File]) -> None:
    for found in files:
        found.channels.append(channel.id)
    message = Message(
        call.ws.next_ts(channel),
        channel.id,
        call.args.text("initial_comment"),
        user=call.me,
        bot_id=call.app.bot_id,
        app_id=call.app.app_id,
        files=[found.id for found in files],
        subtype="file_share",
        thread_ts=call.args.text("thread_ts") or None,
    )
    messages.post(call.ws, channel, message)


def _visible(call: CallContext, file_id: str) -> File:
    found = call.ws.files.get(file_id)
    is_seen = found is not None and (
        found.user == call.me or any(call.me in call.ws.channels[c].members for c in found.channels)
    )
    if found is None or not found.is_complete or not is_seen:
        raise Refused("file_not_found")
    return found


@FAMILY.method("files.info", tier=4, scopes=("files:read",), needs=["file"])
def look(call: CallContext) -> Json:
    return {"file": shapes.file(call.ws, _visible(call, call.args.text("file"))), "comments": []}


@FAMILY.method("files.list", tier=3, scopes=("files:read",))
def listed(call: CallContext) -> Json:
    place, author = call.args.text("channel"), call.args.text("user")
    found = []
    for kept in call.ws.files.values():
        in_place = not place or place in kept.channels
        if kept.is_complete and in_place and author in ("", kept.user):
            found.append(shapes.file(call.ws, kept))
    paging = {"count": len(found), "total": len(found), "page": 1, "pages": 1}
    return {"files": found[::-1], "paging": paging}


@FAMILY.method("files.delete", tier=3, scopes=("files:write",), needs=["file"])
def delete(call: CallContext) -> Json:
    found = _visible(call, call.args.text("file"))
    if found.user != call.me:
        raise Refused("cant_delete_file")
    del call.ws.files[found.id]
    return {}
