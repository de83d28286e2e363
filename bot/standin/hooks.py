"""response_url: five uses in half an hour, to say something back to where an interaction came from."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.standin import blockkit, messages
from bot.standin.faults import Call, Faults
from bot.standin.installed import InstalledApp
from bot.standin.model import Channel, Json, Message
from bot.standin.refused import Refused
from bot.standin.workspace import Workspace

USES = 5
LIFE = 1800.0


@dataclass
class Hook:
    app_id: str
    user: str
    channel: str
    born: float
    #: the message the interaction came from: it may be replaced or deleted
    ts: str | None = None
    uses_left: int = USES


class Hooks:
    def __init__(self, ws: Workspace, faults: Faults, clock: Callable[[], float] = time.monotonic) -> None:
        self._ws = ws
        self._faults = faults
        self._clock = clock
        self._open: dict[str, Hook] = {}

    def new_url(self, app: InstalledApp, user: str, channel: str, ts: str | None = None) -> str:
        key = secrets.token_hex(12)
        self._open[key] = Hook(app.app_id, user, channel, self._clock(), ts)
        return f"{self._ws.base_url}/hooks/{self._ws.team['id']}/{key}"

    async def endpoint(self, request: Request) -> Response:
        try:
            said = json.loads(await request.body())
        except ValueError:
            return Response("invalid_payload", status_code=400)
        call = self._faults.record(Call("response_url", time.time(), said))
        try:
            with self._ws.lock:
                self._use(request.path_params["key"], said)
        except Refused as refused:
            call.answer_ok, call.error = False, refused.code
            status = 404 if refused.code in ("used_url", "expired_url") else 400
            return JSONResponse(refused.answer(), status_code=status)
        call.answer_ok = True
        return Response("ok")

    def _use(self, key: str, said: Json) -> None:
        hook = self._open.get(key)
        if hook is None or self._clock() - hook.born > LIFE:
            raise Refused("expired_url")
        if hook.uses_left <= 0:
            raise Refused("used_url")
        hook.uses_left -= 1
        self.say(self._ws.apps[hook.app_id], self._ws.channels[hook.channel], hook.user, said, hook.ts)

    def say(self, app: InstalledApp, channel: Channel, user: str, said: Json, ts: str | None = None) -> None:
        """Do what a response_url body or the answer to a command asks for."""
        blocks = said.get("blocks") or []
        if blocks:
            blockkit.check_message(blocks)
        old = self._message(channel, user, ts)
        if said.get("delete_original") and old is not None:
            self._remove(channel, old)
            return
        text = str(said.get("text") or "")
        if not text and not blocks and not said.get("attachments"):
            raise Refused("no_text")
        content: Json = {
            "text": text,
            "blocks": blockkit.with_ids(blocks),
            "attachments": list(said.get("attachments") or []),
        }
        if said.get("replace_original") and old is not None:
            self._change(channel, old, content, app)
            return
        thread_ts = said.get("thread_ts")
        message = Message(
            self._ws.next_ts(channel),
            channel.id,
            user=app.bot_user_id,
            bot_id=app.bot_id,
            app_id=app.app_id,
            thread_ts=str(thread_ts) if thread_ts else None,
            **content,
        )
        if said.get("response_type") == "in_channel":
            messages.post(self._ws, channel, message)
        else:
            message.ephemeral_to = user
            messages.whisper(self._ws, channel, message)

    def _message(self, channel: Channel, user: str, ts: str | None) -> Message | None:
        hidden = (m for m in channel.ephemerals if m.ts == ts and m.ephemeral_to == user)
        return channel.messages.get(ts or "") or next(hidden, None)

    def _remove(self, channel: Channel, old: Message) -> None:
        if old.ephemeral_to is None:
            messages.delete(self._ws, channel, old)
            return
        channel.ephemerals.remove(old)
        self._ws.on_change([f"messages:{channel.id}"])

    def _change(self, channel: Channel, old: Message, content: Json, app: InstalledApp) -> None:
        if old.ephemeral_to is None:
            messages.edit(self._ws, channel, old, content, app.bot_user_id)
            return
        for name, value in content.items():
            setattr(old, name, value)
        self._ws.on_change([f"messages:{channel.id}"])
