"""Asking a balancer: a stats socket or an HTTP address, for reading only.

A question has three seconds in all, however its answer trickles, and four megabytes. Redirects are not followed: an
address of the catalogue is asked and no other.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, unquote, urlsplit

from bot.balancers.sample import NoReading

#: Seconds a question may take, from connecting to the last byte.
PATIENCE = 3.0
#: Bytes. HAProxy's `show stat` of 5,000 servers has 2 MB.
LARGEST = 4 * 1024 * 1024
#: `${NAME}` in an address is taken from the environment, so that no password stands in the catalogue.
_NAMED = re.compile(r"\$\{([A-Z0-9_]+)\}")


def ask_socket(address: str, command: str) -> str:
    """The answer of a stats socket at unix:/path or tcp:host:port to one command. Raises NoReading."""
    filled = _filled(address)
    kind, _, place = filled.partition(":")
    with _patience(address) as watch:
        if kind == "unix":
            talk = watch.of(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            talk.settimeout(PATIENCE)
            talk.connect(place)
        else:
            host, _, port = place.rpartition(":")
            talk = watch.of(socket.create_connection((host.strip("[]"), int(port)), PATIENCE))
        talk.sendall(command.encode() + b"\n")
        # Half-closed, since a master socket waits for more commands.
        talk.shutdown(socket.SHUT_WR)
        return _read(lambda: talk.recv(65536), address)


def ask_http(address: str, path: str = "") -> str:
    """The body that GET gives at an http(s) address, `path` put behind it. Raises NoReading for all but 200."""
    parts = urlsplit(_filled(address))
    with _patience(address) as watch:
        connection = _connection(parts)
        watch.on_end(connection.close)
        connection.connect()
        watch.of(connection.sock)
        target = "/" + f"{parts.path.rstrip('/')}{path}".lstrip("/") if path else parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        connection.request("GET", target, headers=_headers(parts))
        answer = connection.getresponse()
        if answer.status != 200:
            raise NoReading(
                f"{shown(address)} answered {answer.status} instead of 200. Correct its address in the catalogue, "
                "or let this machine read it."
            )
        return _read(lambda: answer.read1(65536), address)


def _filled(address: str) -> str:
    def value(found: re.Match[str]) -> str:
        kept = os.environ.get(found[1])
        if kept is None:
            raise NoReading(f"{shown(address)} needs {found[1]} in Lantern's environment, and it is not set.")
        return kept

    return _NAMED.sub(value, address)


def shown(address: str) -> str:
    """The address without what is secret in it."""
    return re.sub(r"//[^/@]*@", "//", address)


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            host, parts.port or 443, timeout=PATIENCE, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(host, parts.port or 80, timeout=PATIENCE)


def _headers(parts: SplitResult) -> dict[str, str]:
    headers = {"Accept": "*/*", "User-Agent": "lantern"}
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return headers


class _Watch:
    """Cuts the connection when the time is up: a socket's own time-out begins anew with every byte."""

    def __init__(self) -> None:
        self._talk: socket.socket | None = None
        self._ends: list[Callable[[], None]] = []
        self.is_over = False

    def of(self, talk: socket.socket) -> socket.socket:
        self._talk = talk
        return talk

    def on_end(self, end: Callable[[], None]) -> None:
        self._ends.append(end)

    def cut(self) -> None:
        self.is_over = True
        if self._talk is not None:
            with suppress(OSError):
                self._talk.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for end in self._ends:
            end()
        if self._talk is not None:
            self._talk.close()


@contextmanager
def _patience(address: str) -> Iterator[_Watch]:
    watch = _Watch()
    timer = threading.Timer(PATIENCE, watch.cut)
    timer.daemon = True
    timer.start()
    try:
        yield watch
        if watch.is_over:
            raise TimeoutError
    except NoReading:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        if watch.is_over or isinstance(error, TimeoutError):
            why = f"did not answer within {PATIENCE:g} seconds"
        elif isinstance(error, ConnectionRefusedError | FileNotFoundError):
            why = "does not answer (nothing listens there)"
        elif isinstance(error, PermissionError):
            why = "may not be opened by the user that Lantern runs as"
        else:
            why = f"cannot be read ({type(error).__name__})"
        raise NoReading(
            f"The balancer at {shown(address)} {why}. Look whether it runs, and whether this machine may reach it."
        ) from None
    finally:
        timer.cancel()
        watch.close()


def _read(more: Callable[[], bytes], address: str) -> str:
    kept = bytearray()
    ends_at = time.monotonic() + PATIENCE
    while chunk := more():
        kept += chunk
        if len(kept) > LARGEST:
            raise NoReading(
                f"The balancer at {shown(address)} sent more than {LARGEST // 1024**2} MB; that is no answer to what "
                "was asked. Correct its address in the catalogue."
            )
        if time.monotonic() > ends_at:
            raise TimeoutError
    return kept.decode("utf-8", errors="replace")
