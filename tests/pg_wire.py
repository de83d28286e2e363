"""A wire between Lantern and PostgreSQL that tests can cut: in the middle of a commit, too."""

from __future__ import annotations

import select
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

#: What psycopg sends to commit.
_COMMIT = b"COMMIT\0"


class Wire:
    """`with Wire(url) as wire: Database(wire.url)`. Everything passes until it is told otherwise."""

    def __init__(self, url: str) -> None:
        self._start, _, folder = url.partition("?host=")
        self._there = f"{folder}/.s.PGSQL.5432"
        # A socket's path has about 100 characters; pytest's folders are longer.
        self._folder = tempfile.TemporaryDirectory(prefix="lantern-wire-")
        self._here = f"{self._folder.name}/.s.PGSQL.5432"
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        #: Set while whatever is sent is kept back.
        self.is_frozen = threading.Event()
        self._is_cutting = threading.Event()
        #: The words whose commit is cut, once.
        self._words = b""
        self._is_cut_after = False
        self._is_refused_then = False
        #: Set when it was cut.
        self.was_cut = threading.Event()

    @property
    def url(self) -> str:
        return f"{self._start}?host={self._folder.name}"

    def __enter__(self) -> Self:
        self.accept()
        return self

    def __exit__(self, *problem: object) -> None:
        self.refuse()
        self._folder.cleanup()

    def accept(self) -> None:
        """Let connections in."""
        self._is_cutting.clear()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self._here)
        listener.listen(64)
        # Not closed under a thread's feet: it looks up.
        listener.settimeout(0.05)
        self._listener = listener
        self._spawn(self._let_in, listener)

    def refuse(self) -> None:
        """Cut every connection and let none in, as when the server is gone."""
        self._is_cutting.set()
        Path(self._here).unlink(missing_ok=True)
        if threading.current_thread() not in self._threads:
            for thread in self._threads:
                thread.join(10)
            self._threads.clear()

    def cut_commit(self, words: str, *, is_after: bool, is_refused_then: bool = False) -> None:
        """Cut the connection that these words passed when it commits: before the server hears of it, or after
        it has committed and before it can say so. Then refuse everybody, perhaps."""
        with self._lock:
            self._words, self._is_cut_after, self._is_refused_then = words.encode(), is_after, is_refused_then
            self.was_cut.clear()

    def _spawn(self, run: object, *given: object) -> None:
        thread = threading.Thread(target=run, args=given, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _let_in(self, listener: socket.socket) -> None:
        with listener:
            while not self._is_cutting.is_set():
                with suppress(TimeoutError):
                    client, _ = listener.accept()
                    self._spawn(self._carry, client)

    def _carry(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server, suppress(OSError):
            server.connect(self._there)
            passed = False
            while not self._is_cutting.is_set():
                if self.is_frozen.is_set():
                    self._is_cutting.wait(0.02)
                    continue
                for side in select.select([client, server], [], [], 0.05)[0]:
                    sent = side.recv(1 << 16)
                    if not sent:
                        return
                    if side is client:
                        passed = passed or (self._words != b"" and self._words in sent)
                        if passed and _COMMIT in sent and self._cut(server, sent):
                            return
                    (server if side is client else client).sendall(sent)

    def _cut(self, server: socket.socket, commit: bytes) -> bool:
        with self._lock:
            if not self._words:
                return False
            self._words = b""
        if self._is_refused_then:
            self.refuse()
        if self._is_cut_after:
            server.sendall(commit)
            server.recv(1 << 16)
        self.was_cut.set()
        return True
