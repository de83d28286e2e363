"""The page's WebSocket: says what changed, a few times a second at most; the page re-reads what it shows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.standin.workspace import Workspace

#: seconds changes are gathered before they are told
PAUSE = 0.05


@dataclass(eq=False)
class Watcher:
    socket: WebSocket
    user: str
    news: asyncio.Event = field(default_factory=asyncio.Event)
    what: dict[str, None] = field(default_factory=dict)


class Live:
    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._watchers: list[Watcher] = []
        self.loop: asyncio.AbstractEventLoop | None = None

    def changed(self, what: list[str]) -> None:
        """Note a change; called from any thread."""
        if self._watchers and self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._note, what)

    def _note(self, what: list[str]) -> None:
        for watcher in self._watchers:
            mine = [w for w in what if self._may_know(watcher.user, w)]
            if mine:
                watcher.what |= dict.fromkeys(mine)
                watcher.news.set()

    def _may_know(self, user: str, what: str) -> bool:
        channel = self._ws.channels.get(what.partition(":")[2])
        return channel is None or channel.kind == "channel" or user in channel.members

    async def endpoint(self, socket: WebSocket) -> None:
        await socket.accept()
        watcher = Watcher(socket, socket.query_params.get("as", ""))
        self._watchers.append(watcher)
        teller = asyncio.create_task(self._tell(watcher))
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            pass
        finally:
            self._watchers.remove(watcher)
            teller.cancel()

    async def _tell(self, watcher: Watcher) -> None:
        while True:
            await watcher.news.wait()
            await asyncio.sleep(PAUSE)
            watcher.news.clear()
            what, watcher.what = list(watcher.what), {}
            try:
                await watcher.socket.send_json({"type": "changed", "what": what})
            except (RuntimeError, WebSocketDisconnect):
                return

    async def close_all(self) -> None:
        for watcher in list(self._watchers):
            try:
                await watcher.socket.close()
            except (RuntimeError, WebSocketDisconnect):
                continue
