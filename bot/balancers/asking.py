"""Asking a balancer: a stats socket or an HTTP address, for reading only.

A look has three seconds in all, however many questions it asks and however their answers trickle, and four megabytes
a question. Redirects are not followed: an address of the catalogue is asked and no other.
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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from bot.balancers.sample import NoReading

#: Seconds a look may take, from connecting to the last byte.
PATIENCE = 3.0
#: Bytes. HAProxy's `show stat` of 5,000 servers has 2 MB.
LARGEST = 4 * 1024 * 1024
#: `${NAME}` in an address is taken from the environment, so that no password stands in the catalogue.
_NAMED = re.compile(r"\$\{([A-Z0-9_]+)\}")


def soon() -> float:
    """When a look that begins now has to be over, by `time.monotonic()`."""
    return time.monotonic() + PATIENCE


def ask_socket(address: str, command: str, ends_at: float | None = None) -> str:
    """The answer of a stats socket at unix:/path or tcp:host:port to one command. Raises NoReading."""
    filled = _filled(address)
    kind, _, place = filled.partition(":")
    with _patience(address, ends_at) as watch:
        if kind == "unix":
            talk = watch.of(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            talk.settimeout(watch.left())
            talk.connect(place)
        else:
            host, _, port = place.rpartition(":")
            talk = watch.of(_connected(host.strip("[]"), int(port), watch))
        talk.sendall(command.encode() + b"\n")
        # Half-closed, since a master socket waits for more commands.
        talk.shutdown(socket.SHUT_WR)
        return _read(lambda: talk.recv(65536), address)


def ask_http(address: str, path: str = "", ends_at: float | None = None) -> str:
    """The body that GET gives at an http(s) address, `path` put behind it. Raises NoReading for all but 200."""
    parts = urlsplit(_filled(address))
    if parts.scheme not in ("http", "https"):
        raise NoReading(
            f"{shown(address)} is no web address. Write one in the catalogue, e.g. http://10.0.0.5:8080."
        )
    target = "/" + f"{parts.path.rstrip('/')}{path}".lstrip("/") if path else parts.path or "/"
    if parts.query:
        target += f"{'&' if '?' in target else '?'}{parts.query}"
    status, _, body = _exchanged(address, parts, ("GET", target, _headers(parts), b""), ends_at)
    if status != 200:
        raise NoReading(
            f"{shown(address)} answered {status} instead of 200. Correct its address in the catalogue, "
            "or let this machine read it."
        )
    return body


def ask_signed(
    method: str, url: str, headers: Mapping[str, str], body: bytes, ends_at: float | None = None
) -> tuple[int, Mapping[str, str], str]:
    """Status, headers and body of a request that somebody else made and signed. Raises NoReading for no answer.

    AWS is asked by POST, also for reading; that nothing else is asked is the business of whoever signs.
    """
    parts = urlsplit(url)
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    return _exchanged(url, parts, (method, target, {**headers, "Connection": "close"}, body), ends_at)


def _exchanged(
    address: str,
    parts: SplitResult,
    request: tuple[str, str, Mapping[str, str], bytes],
    ends_at: float | None,
) -> tuple[int, Mapping[str, str], str]:
    method, target, headers, sent = request
    with _patience(address, ends_at) as watch:
        connection = _connection(parts, watch)
        watch.on_end(connection.close)
        connection.request(method, target, body=sent or None, headers=dict(headers))
        answer = connection.getresponse()
        body = _read(lambda: answer.read(65536), address)
        if answer.length and not watch.is_over:
            raise NoReading(f"{shown(address)} hung up in the middle of its answer. Sample again.")
        return answer.status, dict(answer.getheaders()), body


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


class _Watch:
    """Cuts the connection when the time is up: a socket's own time-out begins anew with every byte."""

    def __init__(self, ends_at: float) -> None:
        self._ends_at = ends_at
        self._talk: socket.socket | None = None
        self._ends: list[Callable[[], None]] = []
        self.is_over = False

    def left(self) -> float:
        """Seconds that are left; raises TimeoutError when there are none."""
        seconds = self._ends_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

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


def _connection(parts: SplitResult, watch: _Watch) -> http.client.HTTPConnection:
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    talk = watch.of(_connected(host, port, watch))
    if not is_tls:
        connection = http.client.HTTPConnection(host, port)
        connection.sock = talk
        return connection
    context = ssl.create_default_context()
    secured = context.wrap_socket(talk, server_hostname=host, do_handshake_on_connect=False)
    watch.of(secured)
    secured.do_handshake()
    connection = http.client.HTTPSConnection(host, port, context=context)
    connection.sock = secured
    return connection


def _connected(host: str, port: int, watch: _Watch) -> socket.socket:
    trouble: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, place in _resolved(host, port, watch):
        talk = socket.socket(family, kind, protocol)
        try:
            talk.settimeout(watch.left())
            talk.connect(place)
        except OSError as error:
            talk.close()
            trouble = error
        else:
            return talk
    raise trouble


def _resolved(host: str, port: int, watch: _Watch) -> list[tuple[Any, ...]]:
    """The addresses of a host. A resolver that is silent cannot be told to stop: it is left alone with its question."""
    found: list[tuple[Any, ...]] = []
    troubles: list[OSError] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            troubles.append(error)

    asking = threading.Thread(target=ask, name="resolver", daemon=True)
    asking.start()
    asking.join(watch.left())
    if asking.is_alive():
        raise TimeoutError
    if troubles:
        raise troubles[0]
    return found


def _headers(parts: SplitResult) -> dict[str, str]:
    headers = {"Accept": "*/*", "User-Agent": "lantern", "Connection": "close"}
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return headers


@contextmanager
def _patience(address: str, ends_at: float | None) -> Iterator[_Watch]:
    ends_at = soon() if ends_at is None else ends_at
    watch = _Watch(ends_at)
    timer = threading.Timer(max(0.0, ends_at - time.monotonic()), watch.cut)
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
        elif isinstance(error, socket.gaierror):
            why = "has a name that nobody knows"
        elif isinstance(error, ssl.SSLCertVerificationError):
            why = f"shows a certificate that is not trusted ({error.verify_message})"
        elif isinstance(error, ConnectionResetError | BrokenPipeError | http.client.IncompleteRead):
            why = "hung up in the middle of its answer"
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
    while chunk := more():
        kept += chunk
        if len(kept) > LARGEST:
            raise NoReading(
                f"The balancer at {shown(address)} sent more than {LARGEST // 1024**2} MB; that is no answer to what "
                "was asked. Correct its address in the catalogue."
            )
    return kept.decode("utf-8", errors="replace")
