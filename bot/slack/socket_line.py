"""One Socket Mode connection: hears envelopes, carries their answers, and knows when it last heard anything.

Not the SDK's client (slack_sdk 3.47): it goes on with a used ticket after a refused handshake, spins when the
socket ends without a word, recurses once a kilobyte, cannot send more than 64 kB, and says is_connected() of a
socket that is dead. docs/decisions/0007-never-deaf.md.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from bot.domain.outcomes import Unreachable

log = logging.getLogger(__name__)

Json = dict[str, Any]
#: Seconds Slack says a connection lasts when it does not say it (approximate_connection_time).
_LASTS = 3600.0
#: Bytes. Slack's largest payloads hold a view of 250 kB.
_LARGEST = 4 * 1024 * 1024
#: Seconds the other end has to close its half.
_CLOSE_FOR = 1.0
#: Milliseconds. What was sent and is not acknowledged by then will not be; a send would wait for ever.
_SEND_WITHIN = 15_000


class Line:
    """A connection made with a ticket of its own. `open()` it, `close()` it; it is not opened twice.

    `hear` gets each envelope and gives the Future of its answer, or None when it does not take it.
    """

    def __init__(
        self, name: str, url: str, hear: Callable[[Line, Json], Future[None] | None], open_for: float
    ) -> None:
        self.name = name
        self._url = url
        self._hear = hear
        self._open_for = open_for
        self._socket: ClientConnection | None = None
        self._pong: threading.Event | None = None
        self._lock = threading.Lock()
        self._running = 0
        #: Set whenever something below has changed.
        self.news = threading.Event()
        #: Slack has said hello.
        self.is_up = False
        #: Nothing is heard any more; `why` says why.
        self.is_over = False
        self.why = ""
        #: Slack's reason for the disconnect it announced; "" before.
        self.goodbye = ""
        #: Seconds it lasts, as Slack's hello says.
        self.lasts_for = _LASTS
        # Monotonic ticks.
        self.born_at = self.heard_at = self.said_at = self._pinged_at = time.monotonic()
        self._thread = threading.Thread(target=self._listen, name=f"socket-{name}", daemon=True)

    @property
    def is_busy(self) -> bool:
        """True while something it heard is not answered yet."""
        return self._running > 0

    def open(self) -> None:
        """Connect and wait for Slack's hello. Raises Unreachable."""
        self._thread.start()
        until = time.monotonic() + self._open_for
        while not (self.is_up or self.is_over or self.goodbye):
            left = until - time.monotonic()
            if left <= 0:
                self.why = "no hello from Slack in time"
                break
            self.news.wait(left)
            self.news.clear()
        if not self.is_up or self.is_over:
            self.close()
            raise Unreachable(f"Socket Mode: {self.goodbye or self.why}")
        self._give_up_unsent()

    def silent_for(self, ping_every: float) -> float:
        """Seconds since anything was heard, an answered ping too; sends the next ping when it is due."""
        now = time.monotonic()
        if self._pong is not None and self._pong.is_set():
            self._pong = None
            self.heard_at = now
        if self._socket is not None and now - self._pinged_at >= ping_every:
            self._pinged_at = now
            with suppress(ConnectionClosed, OSError):
                self._pong = self._socket.ping()
        return now - self.heard_at

    def answer(self, envelope_id: str, payload: Json | None) -> bool:
        """Acknowledge an envelope. False when the connection could not carry it."""
        frame: Json = {"envelope_id": envelope_id}
        if payload:
            frame["payload"] = payload
        if self._socket is None:
            return False
        try:
            self._socket.send(json.dumps(frame))
        except (ConnectionClosed, OSError):
            return False
        return True

    def close(self) -> None:
        """Hang up, and wait until the reader has left."""
        if self._socket is not None:
            with suppress(ConnectionClosed, OSError):
                self._socket.close()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_FOR + 1.0)

    def _listen(self) -> None:
        try:
            with connect(
                self._url,
                open_timeout=self._open_for,
                close_timeout=_CLOSE_FOR,
                # The watchdog pings: it also wants to know when it was answered last.
                ping_interval=None,
                compression=None,
                max_size=_LARGEST,
                max_queue=None,
            ) as connected:
                self._socket = connected
                for text in connected:
                    self._said(text)
            self.why = self.why or "it was closed"
        # ImportError: a SOCKS proxy in the environment, which needs a package of its own.
        except (OSError, WebSocketException, ImportError) as trouble:
            self.why = self.why or str(trouble) or type(trouble).__name__
        finally:
            self.is_over = True
            self.news.set()

    def _said(self, text: str | bytes) -> None:
        self.heard_at = self.said_at = time.monotonic()
        try:
            frame = json.loads(text)
        except ValueError:
            log.warning("Socket Mode: a frame that is not JSON was passed over")
            return
        kind = frame.get("type") if isinstance(frame, dict) else None
        if kind == "hello":
            told = frame.get("debug_info")
            lasts = told.get("approximate_connection_time") if isinstance(told, dict) else None
            self.lasts_for = float(lasts) if isinstance(lasts, int | float) and lasts > 0 else _LASTS
            self.is_up = True
            self.news.set()
        elif kind == "disconnect":
            self.goodbye = str(frame.get("reason") or "disconnect")
            self.news.set()
        elif kind and isinstance(frame.get("payload"), dict) and frame.get("envelope_id"):
            self._take(frame)

    def _take(self, envelope: Json) -> None:
        with self._lock:
            self._running += 1
        answered = self._hear(self, envelope)
        if answered is None:
            self._ended(None)
        else:
            answered.add_done_callback(self._ended)

    def _ended(self, _answered: Future[None] | None) -> None:
        with self._lock:
            self._running -= 1

    def _give_up_unsent(self) -> None:
        """Let no send wait for ever for an end that is gone."""
        if self._socket is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            with suppress(OSError):
                self._socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SEND_WITHIN)
