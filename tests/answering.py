"""Small HTTP servers on loopback: one that answers what it is told, one that does what a broken balancer might."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    method: str
    #: Path and query, unquoted.
    path: str
    headers: Mapping[str, str]
    body: str


Answer = tuple[int, str]


class Answering:
    """`with Answering(answer) as here:` a server at `here.address` that asks `answer` what to say."""

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self.asked: list[Asked] = []
        outer = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._said()

            def do_POST(self) -> None:
                self._said()

            def _said(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                came = Asked(self.command, unquote(self.path), dict(self.headers.items()), body)
                outer.asked.append(came)
                status, text = answer(came)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def paths(known: Mapping[str, str]) -> Callable[[Asked], Answer]:
    """What is known by the beginning of the path, the longest that fits; 404 for the rest."""

    def answer(came: Asked) -> Answer:
        fits = [path for path in known if came.path.startswith(path)]
        return (200, known[max(fits, key=len)]) if fits else (404, "no such page")

    return answer


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Hostile:
    """`with Hostile("slow") as here:` a port that does one of WAYS to whoever connects."""

    WAYS = ("down", "slow", "trickling", "huge", "garbage", "reset", "redirect", "empty", "half", "deep")

    def __init__(self, way: str) -> None:
        self._way = way
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        if self._way == "down":
            self._listener.close()
        else:
            threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                talk, _ = self._listener.accept()
                threading.Thread(target=self._treat, args=(talk,), daemon=True).start()

    def _treat(self, talk: socket.socket) -> None:
        with talk, suppress(OSError):
            talk.recv(65536)
            getattr(self, f"_{self._way}")(talk)

    def _slow(self, talk: socket.socket) -> None:
        self._is_over.wait(20)

    def _trickling(self, talk: socket.socket) -> None:
        talk.sendall(_HEAD + b"\r\n[")
        ends_at = time.monotonic() + 20
        while not self._is_over.wait(0.05) and time.monotonic() < ends_at:
            talk.sendall(b" ")

    def _huge(self, talk: socket.socket) -> None:
        talk.sendall(_HEAD + b"Content-Length: 52428800\r\n\r\n")
        for _ in range(50):
            talk.sendall(b"[" * 1024 * 1024)

    def _garbage(self, talk: socket.socket) -> None:
        talk.sendall(_HEAD + b"Content-Length: 256\r\n\r\n" + bytes(range(256)))

    def _reset(self, talk: socket.socket) -> None:
        talk.sendall(_HEAD + b"Content-Length: 1000\r\n\r\n[{")
        # Without lingering a close is a reset.
        talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _redirect(self, talk: socket.socket) -> None:
        talk.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n")

    def _empty(self, talk: socket.socket) -> None:
        talk.sendall(_HEAD + b"Content-Length: 0\r\n\r\n")

    def _half(self, talk: socket.socket) -> None:
        talk.sendall(_HEAD + b"Content-Length: 1000\r\n\r\n[{")

    def _deep(self, talk: socket.socket) -> None:
        talk.sendall(_HEAD + b"Content-Length: 200000\r\n\r\n" + b"[" * 200000)
