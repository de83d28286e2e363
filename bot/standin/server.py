"""The stand-in Slack: a workspace of our own over real HTTP and real WebSockets, for tests and for the demo.

It knows nothing of any bot.  `Standin().start()` serves from a thread with its own event loop; whatever waits
for an app's answer runs in a pool of threads beside it.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

import uvicorn
from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.standin.acts import Acts
from bot.standin.api import table
from bot.standin.authorize import Authorize
from bot.standin.events import Events
from bot.standin.faults import Call, Faults, Kind
from bot.standin.hooks import Hooks
from bot.standin.installed import InstalledApp
from bot.standin.interactions import Interactions
from bot.standin.limits import Limits
from bot.standin.live import Live
from bot.standin.model import Json
from bot.standin.outward import Answer, Delivery, Outward
from bot.standin.routes import Link, Player, Rooms, application
from bot.standin.sockets import Deaf, Sockets
from bot.standin.ui import Sight
from bot.standin.views import Views
from bot.standin.webapi import WebApi
from bot.standin.workspace import Workspace

#: makes the player of a story for this stand-in (its `act` and `set_clock`); see bot/standin/story.py
MakePlayer = Callable[["Standin"], Player]


class Standin:
    """`latency`: seconds added to every Web API call.  `limits`: on, off, or calls a minute by method.

    `retry_scale` shortens the waits between event retries (1.0 is Slack's 0, 60, 300 s), `limit_window` the
    minute of the rate limits, `patience` the three seconds an app has to answer.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        latency: float = 0.0,
        story: MakePlayer | None = None,
        *,
        limits: bool | Mapping[str, int] = True,
        limit_window: float = 60.0,
        retry_scale: float = 1.0,
        patience: float = 3.0,
    ) -> None:
        self._host, self._port = host, port
        self.workspace = Workspace()
        self.faults = Faults()
        self.sockets = Sockets()
        self.limits = Limits(
            is_on=limits is not False,
            per_minute=limits if isinstance(limits, Mapping) else None,
            window=limit_window,
        )
        ws = self.workspace
        self._pool = ThreadPoolExecutor(64, thread_name_prefix="standin-act")
        self._senders = ThreadPoolExecutor(16, thread_name_prefix="standin-event")
        self.views = Views(ws)
        self.hooks = Hooks(ws, self.faults)
        self.outward = Outward(self.sockets.send, patience)
        self.events = Events(ws, self.outward, self._later, retry_scale)
        self.acts = Acts(ws, self.views, Interactions(ws, self.views, self.hooks, self.outward))
        self.live = Live(ws)
        self._webapi = WebApi(
            ws,
            self.views,
            table.methods(),
            self.faults,
            self.limits,
            latency=latency,
            cut=self._cut,
            new_socket_url=self.sockets.new_url,
        )
        ws.on_event, ws.on_change = self.events.emit, self.live.changed
        # Weak: a connection that became a WebSocket is never told to this protocol as lost.
        self._transports: WeakValueDictionary[tuple[str, int], asyncio.BaseTransport] = WeakValueDictionary()
        self.sockets.deafen = self._deafen
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self.player: Player | None = story(self) if story is not None else None
        self.url = ""
        #: Addresses that the page's sidebar leads to.
        self.links: list[Link] = []

    # Life

    def start(self) -> Standin:
        """Listen and serve.  Raises OSError when the port is taken."""
        listener = socket.create_server((self._host, self._port))
        # asyncio does this only on sockets that name their protocol; without it kept-alive answers wait 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port = listener.getsockname()[1]
        self.url = f"http://{self._host}:{port}"
        self.workspace.base_url = self.sockets.base_url = self.url
        rooms = Rooms(
            self.workspace, self._webapi, self.sockets, self.hooks, self.live,
            Sight(self.workspace, self.views), self.acts, self.faults, self._pool, lambda: self.player,
            self.live.changed, Authorize(self.workspace), self.links,
        )  # fmt: skip
        config = uvicorn.Config(
            application(rooms),
            http=self._cuttable(),
            ws="websockets-sansio",
            ws_ping_interval=10.0,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._serve, args=(listener, ready), name="standin", daemon=True
        )
        self._thread.start()
        ready.wait(10)
        return self

    def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        server = self._server
        assert server is not None

        async def run() -> None:
            self._loop = self.sockets.loop = self.live.loop = asyncio.get_running_loop()
            self._loop.call_soon(ready.set)
            await server.serve(sockets=[listener])

        try:
            asyncio.run(run())
        finally:
            listener.close()

    def stop(self) -> None:
        """Close every connection, forget what was still to be sent, and join the thread."""
        if self._thread is None or self._server is None or self._loop is None:
            return
        self._is_stopping = True
        for closing in (self.sockets.close_all(), self.live.close_all()):
            asyncio.run_coroutine_threadsafe(closing, self._loop).result(5)
        self._loop.call_soon_threadsafe(self._abort_all)
        self._server.should_exit = True
        self._thread.join(10)
        for pool in (self._pool, self._senders):
            pool.shutdown(wait=True, cancel_futures=True)
        self._thread = None

    def __enter__(self) -> Standin:
        return self.start()

    def __exit__(self, *problem: object) -> None:
        self.stop()

    @property
    def api_url(self) -> str:
        """What WebClient takes as base_url."""
        return f"{self.url}/api/"

    # The workspace, in process

    def install(self, manifest: Json, request_url: str | None = None) -> InstalledApp:
        """Install an app: over signed HTTP when it has a `request_url`, else over Socket Mode."""
        return self.workspace.install(manifest, request_url)

    def add_person(self, name: str, real_name: str, tz: str) -> str:
        """A new member; gives the user id."""
        return self.workspace.add_person(name, real_name, tz)

    def act(self, asked: Json) -> Json:
        """The same as POST /ui/act, in process."""
        return self.acts.act(asked)

    def set_clock(self, at: float | None) -> None:
        """Let message and event times go on from this moment (seconds since 1970); None is the real time."""
        self.workspace.set_clock(at)

    # For tests

    def fault(self, method: str, kind: Kind, **settings: Any) -> int:
        """Make the next `times` calls of a method go wrong; see faults.Fault for the settings."""
        return self.faults.add(method, kind, **settings)

    def clear_faults(self) -> None:
        self.faults.clear()

    def calls(self, method: str | None = None) -> list[Call]:
        """Web API calls in order of arrival."""
        return self.faults.calls(method)

    def last_delivery(self, kind: str | None = None) -> Delivery:
        """The newest thing sent to an app: kind is command, interactive, options or event."""
        return self.outward.last(kind)

    def deliveries(self, kind: str | None = None) -> list[Delivery]:
        return [d for d in list(self.outward.deliveries) if kind in (None, d.kind)]

    def redeliver(self, delivery: Delivery, new_envelope: bool = False, times: int = 1) -> list[Answer]:
        """Send the very same signed body or envelope again; `new_envelope` signs or wraps it anew."""
        app = self.workspace.apps[delivery.app_id]
        return [self.outward.send_again(app, delivery, new_envelope=new_envelope) for _ in range(times)]

    def verify_url(self, app: InstalledApp) -> bool:
        """Do what Slack does when a request URL is entered: ask for a challenge back."""
        challenge = {"token": app.verification_token, "challenge": "c" * 20, "type": "url_verification"}
        _, answer = self.outward.send(app, "verification", challenge)
        return answer.is_ok and "c" * 20 in answer.body

    def refresh_sockets(self, reason: str = "refresh_requested", warn_for: float = 0.0) -> None:
        """Ask every Socket Mode connection to reconnect, as Slack does hourly."""
        assert self._loop is not None
        refreshing = self.sockets.refresh(reason, warn_for=warn_for)
        asyncio.run_coroutine_threadsafe(refreshing, self._loop).result(10 + warn_for)

    def warn_sockets(self) -> None:
        """Tell every Socket Mode connection that it will be closed soon, and leave it open."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self.sockets.warn(), self._loop).result(10)

    def cut_sockets(self) -> None:
        """Break every Socket Mode connection without a word."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self.sockets.close_all(), self._loop).result(10)

    def mute_sockets(self, most: int | None = None) -> int:
        """Let the oldest Socket Mode connections (or all) stay open and say nothing more; gives how many."""
        assert self._loop is not None

        async def mute() -> int:
            return self.sockets.mute(most)

        return asyncio.run_coroutine_threadsafe(mute(), self._loop).result(10)

    # Inside

    def _later(self, seconds: float, deed: Callable[[], None]) -> None:
        """Run a deed in a sender thread, after some seconds."""
        if self._is_stopping:
            return
        if seconds <= 0:
            self._submit(deed)
        elif self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: self._loop_later(seconds, deed))

    def _loop_later(self, seconds: float, deed: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, self._submit, deed)

    def _submit(self, deed: Callable[[], None]) -> None:
        if not self._is_stopping:
            self._senders.submit(deed)

    def _cuttable(self) -> type[H11Protocol]:
        """uvicorn's HTTP protocol, which remembers its connections so that one can be dropped mid-call."""
        transports = self._transports

        class Cuttable(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                transports[transport.get_extra_info("peername")[:2]] = transport
                super().connection_made(transport)

        return Cuttable

    def _cut(self, request: Request) -> None:
        assert request.client is not None
        transport = self._transports.get((request.client.host, request.client.port))
        if isinstance(transport, asyncio.Transport):
            transport.abort()

    def _deafen(self, address: tuple[str, int]) -> None:
        transport = self._transports.get(address)
        if isinstance(transport, asyncio.Transport):
            transport.set_protocol(Deaf(transport.get_protocol()))

    def _abort_all(self) -> None:
        for transport in list(self._transports.values()):
            if isinstance(transport, asyncio.Transport):
                transport.abort()


def wait_until(is_true: Callable[[], Any], timeout: float = 5.0, pause: float = 0.01) -> Any:
    """Poll until something is true; gives it.  Raises TimeoutError."""
    end = time.monotonic() + timeout
    while not (found := is_true()):
        if time.monotonic() > end:
            raise TimeoutError(f"Not true within {timeout:g} s.")
        time.sleep(pause)
    return found
