"""Asking a tracker over HTTP, and what that ends in, in the postman's words (bot/domain/outcomes.py).

A request has eight seconds in all, an answer eight megabytes. No redirect is followed: the token goes to the address
that was set and to no other, and only over TLS. The token stands in no sentence, no log line and no repr.
"""

from __future__ import annotations

import http.client
import json
import math
import re
import socket
import ssl
import threading
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

from bot.domain import permit
from bot.domain.outcomes import RateLimited, Refused, Undelivered, Unknown, Unreachable
from bot.domain.tracker import NoTracker

#: Seconds from the first byte to the last. Shorter than the postman's settling time (10 s).
PATIENCE = 8.0
#: Seconds of these for the connection.
_CONNECTS_IN = 4.0
#: Bytes. Fifty issues of GitHub's longest (65,536 characters) are below it.
LARGEST = 8 * 1024 * 1024
#: What the gate and the pace of all calls to trackers are called (bot/domain/pace.py).
METHOD = "tracker"
#: Seconds to wait after a 429 that does not say how long, and the longest that is believed.
_RETRY_AFTER = 30.0
_LONGEST_RETRY_AFTER = 3600.0
#: GitHub's secondary limits say so in words alone, and want a minute ("Rate limits for the REST API").
_LIMIT, _UNSAID = re.compile(r"rate limit|abuse detection", re.IGNORECASE), 60.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Absent(Refused):
    """404, 410, or moved elsewhere: what was asked for is not there, or is not shown to this token."""


@dataclass(frozen=True)
class Place:
    """A project of a tracker and how to get there, as it is set."""

    #: github, gitlab, jira: the file of bot/trackers/.
    kind: str
    #: "acme/web", "group/project", "OPS".
    project: str
    #: Base address; "" for the public service.
    url: str = ""
    token: str = field(default="", repr=False)
    #: Whose token it is, where that is sent along (Jira Cloud).
    user: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.project}"


def address_of(url: str) -> str:
    """The address without a slash at its end. Raises NoTracker for one that a token must not be sent to."""
    parts = _parts(url)
    is_plain = parts is not None and parts.scheme == "http" and parts.hostname in _LOOPBACK
    if parts is None or not (parts.scheme == "https" or is_plain):
        raise NoTracker(
            "LANTERN_TRACKER_URL must be an https address, since the token is sent to it. "
            "For example LANTERN_TRACKER_URL=https://gitlab.example.com"
        )
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise NoTracker(
            "LANTERN_TRACKER_URL is an address without a password or a question mark. "
            "For example LANTERN_TRACKER_URL=https://acme.atlassian.net"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _parts(url: str) -> SplitResult | None:
    """The parts of an address; None for what is none: without a host that can be asked for, or a port that can."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        is_one = bool(host) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    is_plain = (
        f"{parts.path}{parts.query}".isascii() and parts.geturl().isprintable() and " " not in parts.geturl()
    )
    return parts if is_one and is_plain else None


def number_of(key: str) -> int:
    """12 of "acme/web#12" and of "OPS-12"; 0 when there is none."""
    digits = key.rpartition("#")[2].rpartition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else 0


def is_before(stamp: object, moment: datetime) -> bool:
    """Whether a tracker's stamp (ISO 8601, with its zone) lies before a moment; False for one that cannot be read."""
    try:
        return datetime.fromisoformat(str(stamp)) < moment
    except (ValueError, TypeError):
        return False


class Wire:
    """One tracker's API: `Wire("GitHub", "https://api.github.com", {...}, secret=token)`."""

    def __init__(
        self,
        name: str,
        base: str,
        headers: Mapping[str, str],
        *,
        secret: str,
        remedies: Mapping[int, str],
    ) -> None:
        self._name, self._base, self._secret = name, urlsplit(base), secret
        self._headers = {
            "Accept": "application/json",
            "User-Agent": "lantern",
            "Connection": "close",
            **headers,
        }
        self._remedies = remedies

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON at a path. Raises Absent, Refused, RateLimited, Unreachable or Unknown."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def thing(self, path: str, **query: str | int) -> dict[str, Any]:
        """The same where it is one JSON object; Unknown when it is something else."""
        found = self.get(path, **query)
        if not isinstance(found, dict):
            raise Unknown(f"{self._name} answered something else than was asked for")
        return found

    def things(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """The same where it is a list of JSON objects."""
        found = self.get(path, **query)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise Unknown(f"{self._name} listed something that are no issues")
        return found

    def post(self, path: str, payload: Mapping[str, Any]) -> Any:
        """What posting this JSON answers. Raises the same; after Unknown it may have had its effect."""
        return self._ask("POST", path, json.dumps(payload).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        status, headers, content = self._exchanged(method, f"{self._base.path}{path}", body)
        answer = _json(content)
        if status in (200, 201) and answer is not None:
            return answer
        raise self._trouble(status, headers, answer)

    def _exchanged(
        self, method: str, target: str, body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = self._connection()
        cut = _Cut(connection)
        try:
            try:
                connection.connect()
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(f"{self._name} {_why(error)}") from None
            cut.talk = connection.sock
            if cut.is_over or not permit.may_send():
                raise Unreachable(f"{self._name} was not asked: connecting took too long")
            sent = {**self._headers, **({"Content-Type": "application/json"} if body is not None else {})}
            try:
                connection.sock.settimeout(PATIENCE)
                connection.request(method, target, body, sent)
                answer = connection.getresponse()
                content = answer.read(LARGEST + 1)
                if cut.is_over:
                    raise TimeoutError
            except (OSError, http.client.HTTPException, ValueError) as error:
                is_late = cut.is_over or isinstance(error, TimeoutError)
                why = f"did not answer within {PATIENCE:g} seconds" if is_late else _why(error)
                raise Unknown(f"{self._name} {why}") from None
            if len(content) > LARGEST:
                raise Unknown(f"{self._name} answered more than {LARGEST // 1024**2} MB")
            if answer.length:
                raise Unknown(f"{self._name} hung up in the middle of its answer")
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content
        finally:
            cut.call_off()
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._base.hostname or "", self._base.port
        if self._base.scheme == "http":
            return http.client.HTTPConnection(host, port or 80, timeout=_CONNECTS_IN)
        context = ssl.create_default_context()
        proxy = _proxy(host)
        if proxy is None:
            return http.client.HTTPSConnection(host, port or 443, timeout=_CONNECTS_IN, context=context)
        through = http.client.HTTPSConnection(
            proxy.hostname or "", proxy.port or 80, timeout=_CONNECTS_IN, context=context
        )
        through.set_tunnel(host, port or 443, _proxy_headers(proxy.username, proxy.password))
        return through

    def _trouble(self, status: int, headers: Mapping[str, str], answer: Any) -> Undelivered:
        said = self._said(answer)
        told = f"{self._name} answered {status}{f': {said}' if said else ''}"
        if _is_rate_limit(status, headers):
            return RateLimited(METHOD, retry_after(headers))
        if status == 403 and _LIMIT.search(said):
            return RateLimited(METHOD, _UNSAID)
        if 300 <= status < 400:
            return Absent(told, self._remedies.get(404, ""))
        if status in (404, 410):
            return Absent(told, self._remedies.get(status, ""))
        if 400 <= status < 500 and status not in (408, 425):
            return Refused(told, self._remedies.get(status, ""))
        if status in (200, 201, 204) and "html" in headers.get("content-type", ""):
            return Refused(
                f"{self._name} answered with a web page",
                "What LANTERN_TRACKER_URL names is not its API, or a sign-in page stands before it.",
            )
        return Unknown(told if status >= 400 else f"{self._name} answered something that is not JSON")

    def _said(self, answer: Any) -> str:
        """What the tracker says about it, on one line and without the token."""
        said = " ".join("; ".join(_sentences(answer)).split())
        return (said.replace(self._secret, "***") if self._secret else said)[:300].rstrip(".")


class _Cut:
    """Cuts a connection when the time is up: a socket's own time-out begins anew with every byte."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.is_over = False
        self._connection = connection
        #: Once it is up. http.client lets go of it while an answer is read.
        self.talk: socket.socket | None = None
        self._timer = threading.Timer(PATIENCE, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def _cut(self) -> None:
        self.is_over = True
        talk = self.talk or self._connection.sock
        if talk is not None:
            with suppress(OSError):
                talk.shutdown(socket.SHUT_RDWR)

    def call_off(self) -> None:
        self._timer.cancel()


def _proxy(host: str) -> SplitResult | None:
    """The proxy that HTTPS_PROXY names for this host, NO_PROXY apart. Raises Refused for one that is no address."""
    named = "" if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get("https", "")
    if not named:
        return None
    found = _parts(named if "://" in named else f"http://{named}")
    if found is None:
        raise Refused(
            "HTTPS_PROXY is no address, so no tracker can be asked",
            "Correct it and start Lantern again, for example HTTPS_PROXY=http://proxy.example.com:3128, or name the "
            "tracker's host in NO_PROXY.",
        )
    return found


def _proxy_headers(user: str | None, password: str | None) -> dict[str, str]:
    if not user:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(pair).decode()}"}


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _why(error: Exception) -> str:
    """What went wrong on the way, without anything that was sent."""
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "does not answer (nothing listens at its address)"
    if isinstance(error, socket.gaierror):
        return "has an address whose name nobody knows: look at LANTERN_TRACKER_URL"
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"shows a certificate that is not trusted ({error.verify_message})"
        return f"{why}: SSL_CERT_FILE names the file of your own authority"
    if isinstance(error, ConnectionResetError | BrokenPipeError | http.client.HTTPException):
        return f"hung up ({type(error).__name__})"
    return f"cannot be reached ({type(error).__name__})"


def _is_rate_limit(status: int, headers: Mapping[str, str]) -> bool:
    # GitHub says 403 as well: "Rate limits for the REST API", exceeding the rate limit.
    is_spent = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    return status == 429 or (status == 403 and is_spent)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds to wait, from Retry-After (seconds or a date) or x-ratelimit-reset (seconds since 1970).

    The other side's own Date is the clock.
    """
    wanted = headers.get("retry-after", "").strip()
    seconds = _number(wanted)
    if wanted and seconds is None:
        seconds = _between(headers.get("date", ""), _moment(wanted))
    if seconds is None:
        reset = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
        seconds = _between(headers.get("date", ""), _number(reset))
    return min(max(_RETRY_AFTER if seconds is None else seconds, 1.0), _LONGEST_RETRY_AFTER)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _between(now: str, then: float | None) -> float | None:
    began = _moment(now)
    return None if began is None or then is None else then - began


def _sentences(answer: Any) -> list[str]:
    """What stands in an error's body: {"message": ...} of GitHub and GitLab, {"errorMessages": [...], "errors": {...}}
    of Jira, whatever their shapes are this time."""
    if isinstance(answer, str):
        return [answer]
    if isinstance(answer, list):
        return [text for one in answer[:5] for text in _sentences(one)]
    if not isinstance(answer, dict):
        return []
    if isinstance(answer.get("field"), str):
        # One of GitHub's "errors": {"resource": "Issue", "field": "title", "code": "missing_field"}.
        return [f"{answer['field']}: {answer.get('message') or answer.get('code') or 'wrong'}"]
    known = ("message", "error_description", "error", "errorMessages", "errors")
    if any(name in answer for name in known):
        return [text for name in known for text in _sentences(answer.get(name))]
    # {"title": ["is too long"]} of GitLab, {"summary": "is required"} of Jira.
    return [f"{name}: {', '.join(_sentences(value))}" for name, value in list(answer.items())[:5]]
