"""Stub servers that answer everything at once and count, and clients from many addresses."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

#: Requests of a trial, and the addresses they come from.
REQUESTS = 400
CLIENTS = 200
#: Linux gives away ports from 32768 on, others from 49152 on.
_PORTS = range(15000, 32000)
_ANSWER = f"HTTP/1.1 200 {HTTPStatus.OK.phrase}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".encode()


class Stub:
    """One server on loopback: reads a request's head, answers 200, hangs up, counts."""

    def __init__(self) -> None:
        self.served = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="stub", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def _serve(self) -> None:
        while True:
            try:
                talk, _ = self._listener.accept()
            except OSError:
                return
            with talk, suppress(OSError):
                talk.settimeout(2)
                head = b""
                while b"\r\n\r\n" not in head and (more := talk.recv(65536)):
                    head += more
                if head:
                    talk.sendall(_ANSWER)
                    with self._lock:
                        self.served += 1

    def stop(self) -> None:
        """Listen no more, and let the thread end."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@contextmanager
def stubs(count: int) -> Iterator[list[Stub]]:
    """So many stub servers, stopped at the end."""
    made = [Stub() for _ in range(count)]
    try:
        yield made
    finally:
        for stub in made:
            stub.stop()


def knock(port: int, path: str, requests: int = REQUESTS) -> dict[int, int]:
    """Send requests from many loopback addresses; gives status -> how many (0: no answer)."""
    heard: dict[int, int] = {}
    with ThreadPoolExecutor(8) as pool:
        for status in pool.map(lambda number: _one(port, path, number), range(requests)):
            heard[status] = heard.get(status, 0) + 1
    return heard


def _one(port: int, path: str, number: int) -> int:
    at = number % CLIENTS
    # The whole of 127/8 is loopback on Linux; elsewhere only 127.0.0.1 can be a client's address.
    for local in ((f"127.0.{10 + at // 20}.{1 + at}", 0), None):
        try:
            with socket.create_connection(("127.0.0.1", port), 2, source_address=local) as talk:
                talk.sendall(
                    f"GET {path} HTTP/1.1\r\nHost: lantern.test\r\nConnection: close\r\n\r\n".encode()
                )
                answer = talk.recv(4096)
                while answer and b"\r\n" not in answer and (more := talk.recv(4096)):
                    answer += more
            words = answer.split(b" ", 2)
            return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        except OSError:
            continue
    return 0


def free_port() -> int:
    """A port of loopback that was free a moment ago, below those that systems give to whoever asks for any."""
    while True:
        with suppress(OSError), socket.create_server(("127.0.0.1", secrets.choice(_PORTS))) as taken:
            return int(taken.getsockname()[1])


def comes_up(is_dead: Callable[[], bool], *doors: int | Path, patience: float = 20.0) -> bool:
    """Whether every door (a port, a socket's path) opens before the patience (seconds) ends or it dies."""
    ends_at = time.monotonic() + patience
    while time.monotonic() < ends_at and not is_dead():
        if all(map(_opens, doors)):
            return True
        time.sleep(0.02)
    return False


def _opens(door: int | Path) -> bool:
    family = socket.AF_INET if isinstance(door, int) else socket.AF_UNIX
    with socket.socket(family, socket.SOCK_STREAM) as talk:
        talk.settimeout(1)
        return talk.connect_ex(("127.0.0.1", door) if isinstance(door, int) else str(door)) == 0
