"""Socket Mode: single-use tickets, up to ten connections an app, envelopes and their acks."""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.standin.installed import InstalledApp
from bot.standin.model import Json
from bot.standin.outward import Answer, Delivery, envelope

MOST_CONNECTIONS = 10


@dataclass(eq=False)
class Connection:
    app_id: str
    socket: WebSocket
    #: envelope id -> who waits for its ack
    waiting: dict[str, concurrent.futures.Future[Json]] = field(default_factory=dict)
    #: It stays open and says nothing: no envelope, no ping, no answer to one.
    is_mute: bool = False


class Deaf(asyncio.Protocol):
    """In the place of a connection's protocol: passes over what arrives, until the other end hangs up."""

    def __init__(self, hearing: asyncio.BaseProtocol) -> None:
        self._hearing = hearing

    def connection_lost(self, trouble: Exception | None) -> None:
        self._hearing.connection_lost(trouble)

    def pause_writing(self) -> None:
        self._hearing.pause_writing()

    def resume_writing(self) -> None:
        self._hearing.resume_writing()


class Sockets:
    """Lives on the server's loop; `send` is called from other threads."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.base_url = ""
        self._tickets: dict[str, str] = {}
        self._open: list[Connection] = []
        self._turn = itertools.count()
        #: how many connections were accepted so far
        self.accepted = 0
        #: how many handshakes were refused because a test asked for it
        self.refused = 0
        self._refuse_next = 0
        #: passes over what a client sends from now on, by its address
        self.deafen: Callable[[tuple[str, int]], None] = lambda address: None

    def new_url(self, app: InstalledApp) -> str:
        """A WebSocket address that works once."""
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = app.app_id
        return f"{self.base_url.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={app.app_id}"

    def refuse(self, times: int) -> None:
        """Turn the next handshakes away; -1 turns all away until `refuse(0)`. Their tickets are used up."""
        self._refuse_next = times

    def mute(self, most: int | None = None) -> int:
        """Let the oldest open connections stay open and say nothing more; gives how many. On the loop's thread."""
        chosen = [one for one in self._open if not one.is_mute][:most]
        for connection in chosen:
            connection.is_mute = True
            if connection.socket.client is not None:
                self.deafen((connection.socket.client.host, connection.socket.client.port))
        return len(chosen)

    @property
    def muted(self) -> int:
        """Mute connections that are still open."""
        return sum(1 for one in self._open if one.is_mute)

    def connections(self, app_id: str | None = None) -> int:
        return sum(1 for c in self._open if app_id in (None, c.app_id))

    async def endpoint(self, socket: WebSocket) -> None:
        app_id = self._tickets.pop(socket.query_params.get("ticket", ""), None)
        if app_id is None:
            await socket.close(1008)
            return
        if self._refuse_next:
            self._refuse_next -= 1 if self._refuse_next > 0 else 0
            self.refused += 1
            await socket.close(1013)
            return
        await socket.accept()
        connection = Connection(app_id, socket)
        if self.connections(app_id) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return
        self._open.append(connection)
        self.accepted += 1
        try:
            await socket.send_json(self._hello(app_id))
            while True:
                self._acked(connection, await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            if connection in self._open:
                self._open.remove(connection)
            for waiting in connection.waiting.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionResetError())

    def _hello(self, app_id: str) -> Json:
        return {
            "type": "hello",
            "num_connections": self.connections(app_id),
            "debug_info": {"host": "stand-in", "build_number": 1, "approximate_connection_time": 3600},
            "connection_info": {"app_id": app_id},
        }

    def _acked(self, connection: Connection, text: str) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            return
        waiting = connection.waiting.pop(str(frame.get("envelope_id")), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(frame.get("payload") or {})

    def send(self, app: InstalledApp, delivery: Delivery, patience: float) -> Answer:
        """Send an envelope over one of the app's connections and wait for its ack."""
        started = time.perf_counter()
        future: concurrent.futures.Future[Json] = concurrent.futures.Future()
        if self.loop is None or self.loop.is_closed():
            return Answer(None, "", 0.0, "connection_failed")
        asyncio.run_coroutine_threadsafe(self._give(app, delivery, future), self.loop)
        failed, body = None, ""
        try:
            payload = future.result(patience)
            body = json.dumps(payload) if payload else ""
        except concurrent.futures.TimeoutError:
            failed = "http_timeout"
        except ConnectionError:
            failed = "connection_failed"
        return Answer(None if failed else 200, body, (time.perf_counter() - started) * 1000, failed)

    async def _give(
        self, app: InstalledApp, delivery: Delivery, future: concurrent.futures.Future[Json]
    ) -> None:
        mine = [c for c in self._open if c.app_id == app.app_id]
        if not mine:
            future.set_exception(ConnectionRefusedError())
            return
        connection = mine[next(self._turn) % len(mine)]
        connection.waiting[delivery.envelope_id] = future
        if connection.is_mute:
            return
        try:
            await connection.socket.send_json(envelope(delivery))
        except (RuntimeError, WebSocketDisconnect):
            if not future.done():
                future.set_exception(ConnectionResetError())

    async def refresh(self, reason: str, *, warn_for: float) -> None:
        """Tell every connection to come back on a new one, then close it; warn it some seconds before."""
        old = list(self._open)
        if warn_for > 0:
            await self.warn()
            await asyncio.sleep(warn_for)
        for connection in old:
            if connection in self._open:
                self._open.remove(connection)
                await self._part(connection, reason)
                await connection.socket.close()

    async def warn(self) -> None:
        """Tell every connection that it will be closed soon."""
        for connection in list(self._open):
            await self._part(connection, "warning")

    async def _part(self, connection: Connection, reason: str) -> None:
        frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}}
        await connection.socket.send_json(frame)

    async def close_all(self) -> None:
        for connection in list(self._open):
            self._open.remove(connection)
            try:
                await connection.socket.close()
            except (RuntimeError, WebSocketDisconnect):
                continue
