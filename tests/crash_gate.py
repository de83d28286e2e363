"""A gate before the stand-in: shut, nobody answers at Slack's address; open, everything goes through."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit


class Gate:
    """`Gate(lambda: standin.url)`. Its own address stays the same while it is shut."""

    def __init__(self, leads_to: Callable[[], str]) -> None:
        self._leads_to = leads_to
        self._address = ("127.0.0.1", 0)
        self._listener: socket.socket | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *problem: object) -> None:
        self.shut()

    @property
    def api_url(self) -> str:
        return f"http://{self._address[0]}:{self._address[1]}/api/"

    @property
    def is_open(self) -> bool:
        return self._listener is not None

    def open(self) -> None:
        listener = socket.create_server(self._address)
        self._address = listener.getsockname()
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="gate", daemon=True).start()

    def shut(self) -> None:
        """Refuse connections from now on; calls that are under way end well."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # Closing alone does not wake a thread that waits in accept().
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(caller,), name="gate-call", daemon=True).start()

    def _lead(self, caller: socket.socket) -> None:
        where = urlsplit(self._leads_to())
        assert where.hostname is not None and where.port is not None
        with caller, socket.create_connection((where.hostname, where.port), timeout=15) as slack:
            caller.settimeout(15)
            back = threading.Thread(target=_pass_on, args=(slack, caller), daemon=True)
            back.start()
            _pass_on(caller, slack)
            back.join()


def _pass_on(here: socket.socket, there: socket.socket) -> None:
    try:
        while part := here.recv(65536):
            there.sendall(part)
        there.shutdown(socket.SHUT_WR)
    except OSError:
        return
