"""What a person does in the workspace: the deeds behind POST /ui/act, in process for a story."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from collections.abc import Callable

from bot.standin import canvases, messages, rooms
from bot.standin.interactions import Interactions
from bot.standin.model import Channel, File, Json, Message, User
from bot.standin.refused import Refused
from bot.standin.views import Views
from bot.standin.workspace import Workspace, fresh_id

_KEPT_TOKEN = re.compile(r"<(?:@[UW][A-Z0-9]+|#C[A-Z0-9]+(?:\|[^<>]*)?|![^<>]+|(?:https?|mailto):[^<>]+)>")
_ADDRESS = re.compile(r"https?://[^\s<>]+[^\s<>.,;:!?)\]'\"]")


def typed(ws: Workspace, text: str) -> str:
    """A person's text as Slack keeps it: & < > escaped; addresses, @names, #channels made into tokens."""
    kept: list[str] = []

    def keep(token: str) -> str:
        kept.append(token)
        return f"\0{len(kept) - 1}\0"

    def person(found: re.Match[str]) -> str:
        user = next((u for u in ws.users.values() if u.name == found.group(1)), None)
        if found.group(1) in ("here", "channel", "everyone"):
            return keep(f"<!{found.group(1)}>")
        group = next((g for g in ws.groups.values() if g.handle == found.group(1)), None)
        if user is None and group is not None:
            return keep(f"<!subteam^{group.id}>")
        return keep(f"<@{user.id}>") if user else found.group(0)

    def place(found: re.Match[str]) -> str:
        channel = ws.channel_named(found.group(1))
        return keep(f"<#{channel.id}|{channel.name}>") if channel else found.group(0)

    text = _KEPT_TOKEN.sub(lambda m: keep(m.group(0)), text.replace("\0", ""))
    text = _ADDRESS.sub(lambda m: keep("<" + m.group(0).replace("&", "&amp;") + ">"), text)
    text = re.sub(r"(?<![\w.])@([\w.-]*\w)", person, text)
    text = re.sub(r"(?<!\w)#([\w-]+)", place, text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"\0(\d+)\0", lambda m: kept[int(m.group(1))], text)


class Acts:
    """`act({"as": "U1", "do": "message", ...})` does one thing as a person, answered as the page is."""

    def __init__(self, ws: Workspace, views: Views, interactions: Interactions) -> None:
        self._ws = ws
        self._views = views
        self._interactions = interactions
        self._deeds: dict[str, Callable[[User, Json], Json]] = {
            name: getattr(self, f"_{name}") for name in _DEEDS
        }

    def act(self, asked: Json) -> Json:
        deed = self._deeds.get(str(asked.get("do")))
        if deed is None:
            return {"ok": False, "error": "unknown_deed", "hint": f"`do` is one of {', '.join(_DEEDS)}."}
        try:
            user = self._ws.user(str(asked.get("as")))
            if user.deleted and asked.get("do") != "set_profile":
                raise Refused("account_inactive", hint=f"{user.real_name} has been deactivated.")
            return {"ok": True} | deed(user, asked)
        except Refused as refused:
            return {"hint": _sentence(refused.code)} | refused.answer()
        except KeyError as missing:
            return {"ok": False, "error": "invalid_arguments", "hint": f"{missing} is missing."}
        except LookupError as wrong:
            return {"ok": False, "error": "invalid_arguments", "hint": str(wrong)}

    # Messages

    def _member(self, user: User, asked: Json) -> Channel:
        channel = self._ws.seen(str(asked["channel"]), user.id)
        if channel.is_archived:
            raise Refused("is_archived")
        if user.id not in channel.members:
            raise Refused("not_in_channel")
        return channel

    def _spot(self, user: User, asked: Json) -> tuple[Channel, Message]:
        """A message the person sees, ephemeral ones included."""
        channel = self._ws.seen(str(asked["channel"]), user.id)
        for hidden in channel.ephemerals:
            if hidden.ts == asked["ts"] and hidden.ephemeral_to == user.id:
                return channel, hidden
        return channel, self._ws.message(channel, str(asked["ts"]))

    def _message(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            channel = self._member(user, asked)
            text = typed(self._ws, str(asked.get("text") or ""))
            files = [f for f in asked.get("file_ids") or () if f in self._ws.files]
            if not text.strip() and not files:
                raise Refused("no_text")
            said = Message(self._ws.next_ts(channel), channel.id, text, user=user.id, files=files)
            said.thread_ts = str(asked["thread_ts"]) if asked.get("thread_ts") else None
            if files:
                said.subtype = "file_share"
            if said.thread_ts and asked.get("broadcast"):
                said.is_broadcast, said.subtype = True, "thread_broadcast"
            messages.post(self._ws, channel, said)
        return {"ts": said.ts}

    def _edit(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            channel, message = self._spot(user, asked)
            if message.user != user.id or message.bot_id:
                raise Refused("cant_update_message")
            text = typed(self._ws, str(asked["text"]))
            messages.edit(self._ws, channel, message, {"text": text}, user.id)
        return {"ts": message.ts}

    def _delete(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            channel, message = self._spot(user, asked)
            if message.ephemeral_to:
                channel.ephemerals.remove(message)
                self._ws.on_change([f"messages:{channel.id}"])
                return {}
            if message.user != user.id:
                raise Refused("cant_delete_message")
            messages.delete(self._ws, channel, message)
        return {}

    def _react(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            channel, message = self._spot(user, asked)
            messages.react(self._ws, channel, message, str(asked["name"]).strip(":"), user.id)
        return {}

    def _unreact(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            channel, message = self._spot(user, asked)
            messages.unreact(self._ws, channel, message, str(asked["name"]).strip(":"), user.id)
        return {}

    def _pin(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            messages.pin(self._ws, *self._spot(user, asked), user.id)
        return {}

    def _unpin(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            messages.unpin(self._ws, *self._spot(user, asked), user.id)
        return {}

    def _upload(self, user: User, asked: Json) -> Json:
        name = str(asked["filename"])
        try:
            content = base64.b64decode(asked["content_base64"], validate=True)
        except binascii.Error:
            raise Refused("invalid_arguments", hint="content_base64 is not base64.") from None
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        with self._ws.lock:
            channel = self._member(user, asked)
            kept = File(
                fresh_id("F"), name, name, kind, user.id, int(self._ws.now()), content, len(content), True
            )
            kept.channels.append(channel.id)
            self._ws.files[kept.id] = kept
        return {"file_id": kept.id} | self._message(user, asked | {"file_ids": [kept.id]})

    # Apps

    def _command(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            channel = self._ws.seen(str(asked["channel"]), user.id)
            if channel.is_archived:
                raise Refused("is_archived")
        name, _, text = str(asked["command"]).strip().partition(" ")
        text = str(asked["text"]).strip() if asked.get("text") is not None else text.strip()
        return self._interactions.command(user, channel, name, text)

    def _click(self, user: User, asked: Json) -> Json:
        if asked.get("view_id"):
            view = self._views.seen_by(user.id, str(asked["view_id"]))
            self._views.fill(view, asked.get("values") or {})
            return self._interactions.click(user, None, None, view, asked)
        channel, message = self._spot(user, asked)
        return self._interactions.click(user, channel, message, None, asked)

    def _options(self, user: User, asked: Json) -> Json:
        if asked.get("view_id"):
            view = self._views.seen_by(user.id, str(asked["view_id"]))
            return self._interactions.options(user, view, None, None, asked)
        channel, message = self._spot(user, asked)
        return self._interactions.options(user, None, channel, message, asked)

    def _submit(self, user: User, asked: Json) -> Json:
        view = self._views.seen_by(user.id, str(asked["view_id"]))
        return self._interactions.submit(user, view, asked.get("values") or {})

    def _close_view(self, user: User, asked: Json) -> Json:
        view = self._views.seen_by(user.id, str(asked["view_id"]))
        return self._interactions.close(user, view, is_cleared=bool(asked.get("is_cleared")))

    def _shortcut(self, user: User, asked: Json) -> Json:
        return self._interactions.shortcut(user, str(asked["callback_id"]))

    def _message_shortcut(self, user: User, asked: Json) -> Json:
        channel, message = self._spot(user, asked)
        return self._interactions.shortcut(user, str(asked["callback_id"]), channel, message)

    def _open_home(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            for app in self._ws.apps.values():
                if app.has_home:
                    home = self._views.home(user.id)
                    event: Json = {
                        "type": "app_home_opened",
                        "user": user.id,
                        "channel": self._ws.direct_channel(app.bot_user_id, user.id).id,
                        "tab": "home",
                        "event_ts": self._ws.event_ts(),
                    }
                    self._ws.on_event(event | ({"view": home} if home else {}), [app.app_id])
        return {}

    # Channels and people

    def _create_channel(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            is_private = bool(asked.get("is_private"))
            channel = rooms.create(
                self._ws, str(asked["name"]).removeprefix("#"), user.id, is_private=is_private
            )
        return {"channel": channel.id}

    def _join(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            channel = self._ws.seen(str(asked["channel"]), user.id)
            if channel.is_archived:
                raise Refused("is_archived")
            if user.id not in channel.members:
                rooms.enter(self._ws, channel, user.id)
        return {}

    def _leave(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            rooms.depart(self._ws, self._member(user, asked), user.id)
        return {}

    def _invite(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            channel = self._member(user, asked)
            guest = self._ws.user(str(asked["user"]))
            if guest.id in channel.members:
                raise Refused("already_in_channel")
            rooms.enter(self._ws, channel, guest.id, inviter=user.id)
        return {}

    def _archive(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            rooms.archive(self._ws, self._member(user, asked), user.id)
        return {}

    def _unarchive(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            rooms.unarchive(self._ws, self._ws.seen(str(asked["channel"]), user.id), user.id)
        return {}

    def _topic(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            rooms.set_line(self._ws, self._member(user, asked), "topic", str(asked["topic"]), user.id)
        return {}

    def _write_canvas(self, user: User, asked: Json) -> Json:
        """Write the channel's canvas anew, and make it where there is none."""
        with self._ws.lock:
            channel = self._member(user, asked)
            found = canvases.of(self._ws, channel) or canvases.create(self._ws, channel, "", "", user.id)
            canvases.write(self._ws, found, str(asked["text"]))
        return {"canvas": found.id}

    def _delete_canvas(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            canvases.delete(self._ws, self._member(user, asked))
        return {}

    def _rename(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            rooms.rename(self._ws, self._member(user, asked), str(asked["name"]), user.id)
        return {}

    def _set_profile(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            rooms.set_profile(self._ws, str(asked.get("user") or user.id), asked)
        return {}

    def _read(self, user: User, asked: Json) -> Json:
        with self._ws.lock:
            channel = self._ws.seen(str(asked["channel"]), user.id)
            channel.last_read[user.id] = channel.last_ts
        return {}


_DEEDS = (
    "message", "edit", "delete", "react", "unreact", "pin", "unpin", "upload", "command", "click", "options",
    "submit", "close_view", "shortcut", "message_shortcut", "open_home", "create_channel", "join", "leave",
    "invite", "archive", "unarchive", "topic", "rename", "set_profile", "read",
    "write_canvas", "delete_canvas",
)  # fmt: skip


def _sentence(code: str) -> str:
    known = {
        "is_archived": "This channel is archived.",
        "not_in_channel": "You are not in this channel. Join it first.",
        "channel_not_found": "There is no such channel, or you may not see it.",
        "name_taken": "That name is taken, perhaps by an archived channel.",
        "message_not_found": "That message is gone.",
        "view_not_found": "That dialog is no longer open.",
        "cant_update_message": "Only the author can change a message.",
        "cant_delete_message": "Only the author can delete a message.",
    }
    return known.get(code, f"Slack would answer: {code}.")
