"""Calls to Slack's Web API, and what they end in, in our own words (bot.domain.outcomes).

Two clients: one writes for the postman, one reads for the doors with a time-out that fits into three
seconds. Neither retries by itself: the SDK's default handler sends a POST again after a lost answer,
and one chat.postMessage reached Slack twice (slack_sdk 3.47, measured). Only the outbox repeats.
"""

from __future__ import annotations

import json
import logging
import math
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain import permit
from bot.domain.outcomes import RateLimited, Refused, Undelivered, Unfamiliar, Unknown, Unreachable
from bot.slack.download import fetched
from bot.slack.remedies import TOKEN_ERRORS, Meaning, meaning, remedy

#: Seconds. Shorter than the postman's settling time (10 s): what a call did can then be seen at Slack.
_WRITE_TIMEOUT = 8
#: Seconds. A door that reads must still answer inside Slack's three.
_READ_TIMEOUT = 2

#: Seconds for which a door asks nothing that it can do without, after Slack left it waiting.
_SILENT_FOR = 10.0

#: Seconds to wait after a 429 that does not say, in a number or a date, how long.
_RETRY_AFTER = 5.0
#: Seconds. Slack speaks of seconds to a minute or two; more than this comes from something in between.
_LONGEST_RETRY_AFTER = 900.0

#: All that a call may end in besides an answer. The SDK decodes bodies and lets what it cannot read pass:
#: bytes of another charset (ValueError), a charset that does not exist (LookupError), a JSON number
#: where an object should be (AttributeError). Slack may have done its part in each case.
_UNREADABLE = (ValueError, LookupError, AttributeError, RecursionError)
_TROUBLES = (SlackClientError, OSError, HTTPException, *_UNREADABLE)


class _TooLate(OSError):
    """The connection was up, and what was to be sent may not be sent any more."""


@dataclass(frozen=True)
class _LastLook:
    """A request's body that asks, when everything before it is out of the way, whether it may still be sent."""

    body: bytes

    def __iter__(self) -> Iterator[bytes]:
        if not permit.may_send():
            raise _TooLate("the lease ran out on the way to Slack")
        yield self.body


class _Writer(WebClient):
    """The SDK's client, with a last look before the body goes out: without a body Slack does nothing."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        if isinstance(req.data, bytes):
            length = len(req.data)
            req.data = _LastLook(req.data)
            # Else it would be sent in chunks.
            req.add_unredirected_header("Content-length", str(length))
        return super()._perform_urllib_http_request_internal(url, req)


@dataclass(frozen=True)
class Identity:
    """Who the bot is in its workspace, as auth.test says."""

    team_id: str
    #: "https://acme.slack.com/"
    team_url: str
    bot_user_id: str
    bot_id: str
    #: OAuth scopes the token has, as the answer's header says; () when Slack does not say.
    scopes: tuple[str, ...] = ()


class Slack:
    """Slack's Web API for one bot token."""

    def __init__(self, token: str, api_url: str = "https://slack.com/api/") -> None:
        # What goes wrong is logged once, with its work, by the postman or the door: the SDK's own lines
        # say it a second time, and at DEBUG with everything that people wrote.
        silent = logging.Logger("slack_sdk", level=logging.CRITICAL)
        self._writer = _Writer(
            token=token, base_url=api_url, timeout=_WRITE_TIMEOUT, retry_handlers=[], logger=silent
        )
        self._reader = WebClient(
            token=token, base_url=api_url, timeout=_READ_TIMEOUT, retry_handlers=[], logger=silent
        )
        self._token, self._api_url = token, api_url
        self._identity: Identity | None = None
        self._silent_until = float("-inf")

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call a method and give its answer. Raises Refused, RateLimited, Unreachable or Unknown."""
        answer = _call(self._writer, method, arguments)
        self._silent_until = float("-inf")
        return answer

    def read(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The same within 2 s, for doors."""
        began = time.monotonic()
        try:
            return _call(self._reader, method, arguments)
        except Unknown:
            now = time.monotonic()
            if now - began > _READ_TIMEOUT / 2:
                self._silent_until = now + _SILENT_FOR
            raise

    def ask(self, method: str, **arguments: Any) -> dict[str, Any]:
        """read() for what a door can do without: Unreachable at once while Slack leaves doors waiting.

        Without it each command of a person whom Lantern has not met takes those 2 s, and a thread.
        """
        if time.monotonic() < self._silent_until:
            raise Unreachable(f"{method}: not asked, Slack did not answer just now")
        return self.read(method, **arguments)

    def pages(self, method: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """Everything a method lists under `key`, page by page. Raises what call() raises."""
        cursor = ""
        while True:
            answer = self.call(method, **arguments, **({"cursor": cursor} if cursor else {}))
            yield from answer.get(key) or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    @property
    def identity(self) -> Identity:
        """Who we are; asked once, then remembered. Raises what call() raises."""
        if self._identity is None:
            self._identity = self._ask_identity()
        return self._identity

    @property
    def known_identity(self) -> Identity | None:
        """The same without asking: None before Slack has answered once."""
        return self._identity

    def me(self) -> Identity:
        """Who we are, for the postman: a token that Slack refuses is waited for, as in every other call."""
        try:
            return self.identity
        except Refused as refused:
            if refused.word not in TOKEN_ERRORS:
                raise
            raise Unreachable(f"auth.test: {refused.sentence}") from refused

    def _ask_identity(self) -> Identity:
        try:
            response = self._reader.api_call("auth.test")
        except _TROUBLES as error:
            raise _outcome("auth.test", error) from error
        scopes = str(response.headers.get("x-oauth-scopes") or response.headers.get("X-OAuth-Scopes") or "")
        return Identity(
            team_id=str(response.get("team_id")),
            team_url=str(response.get("url") or ""),
            bot_user_id=str(response.get("user_id")),
            bot_id=str(response.get("bot_id") or ""),
            scopes=tuple(one.strip() for one in scopes.split(",") if one.strip()),
        )

    def permalink(self, channel_id: str, ts: str) -> str:
        """The address of a message. Asks who we are when that is not known yet; raises what call() raises."""
        return f"{self.me().team_url}archives/{channel_id}/p{ts.replace('.', '')}"

    def upload(self, url: str, content: bytes) -> dict[str, Any]:
        """Send bytes to the address that files.getUploadURLExternal gave. Raises Unreachable or Unknown."""
        if not url.startswith(("https://", "http://")):
            raise Refused("invalid_upload_url", "Slack gave an upload address that is not a web address.")
        headers = {"Content-Type": "application/octet-stream"}
        request = Request(url, data=content, method="POST", headers=headers)  # noqa: S310
        try:
            with urlopen(request, timeout=_WRITE_TIMEOUT) as response:  # noqa: S310
                return {"status": int(response.status)}
        except (OSError, HTTPException, ValueError) as error:
            raise _outcome("files.upload", error) from error

    def file(self, url: str, most: int) -> bytes:
        """The bytes of a file that files.info told the address of. Raises what download.fetched() raises."""
        return fetched(url, self._token, api_url=self._api_url, most=most)


def _call(client: WebClient, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        # Form fields, since a part of the methods takes no JSON body; what is nested goes as JSON text.
        response = client.api_call(method, data={name: _field(value) for name, value in arguments.items()})
    except _TROUBLES as error:
        raise _outcome(method, error) from error
    data = response.data
    if not isinstance(data, dict):
        raise Unknown(f"{method} answered something that is not JSON")
    return data


def _field(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _outcome(method: str, error: Exception) -> Undelivered:
    """What an exception of the SDK or of the network means for us."""
    if isinstance(error, SlackApiError):
        return _answered(method, error)
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(error, _UNREADABLE):
        return Unknown(f"{method} answered something that cannot be read ({type(error).__name__})")
    if isinstance(error, HTTPError):
        return Unknown(f"{method} answered {error.code}")
    said = f"{type(reason).__name__}: {reason}"[:300]
    if isinstance(reason, (ConnectionRefusedError, socket.gaierror, _TooLate)) or _is_before_tls(
        error, reason
    ):
        return Unreachable(f"{method}: {said}")
    return Unknown(f"{method}: {said}")


def _is_before_tls(error: Exception, reason: object) -> bool:
    # urllib wraps what fails before the answer is waited for. An end of file can also be that of a request
    # that was sent: then nobody knows.
    return (
        isinstance(error, URLError)
        and isinstance(reason, ssl.SSLError)
        and not isinstance(reason, ssl.SSLEOFError)
    )


def _answered(method: str, error: SlackApiError) -> Undelivered:
    response = error.response
    status = int(getattr(response, "status_code", 200) or 200)
    answer = getattr(response, "data", None)
    data = answer if isinstance(answer, dict) else {}
    said = str(data.get("error") or "")
    what = Meaning.SLOW_DOWN if status == 429 else meaning(said)
    if what is Meaning.SLOW_DOWN:
        headers = {str(name).lower(): str(value) for name, value in dict(response.headers or {}).items()}
        return RateLimited(method, retry_after(headers))
    # The SDK puts a sentence of its own there when the body was not JSON: a proxy's page, half an answer.
    if len(said.split()) > 1:
        return Unknown(f"{method} answered {status} and something that is not JSON")
    if status >= 500 or what is Meaning.UNWELL:
        return Unknown(f"{method} answered {status} {said}"[:300].strip())
    if what is Meaning.NOT_NOW and not (method == "auth.test" and said in TOKEN_ERRORS):
        return Unreachable(f"{method}: {said}. {remedy(said)}")
    if what is Meaning.UNFAMILIAR:
        return Unfamiliar(method, said[:100])
    detail = data.get("needed") or "; ".join(_errors_of(data))
    return Refused(f"{said}: {detail}"[:500] if detail else said, remedy(said))


def _errors_of(answer: dict[str, Any]) -> list[str]:
    """What Slack says beside its error word; its warnings are about something else."""
    said = (answer.get("response_metadata") or {}).get("messages") or []
    return [str(one) for one in said if not str(one).startswith("[WARN]")]


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that an answer asks to wait; its headers' names in lower case.

    Slack sends whole seconds. A proxy may send a date (RFC 9110), none, or nonsense.
    """
    said = headers.get("retry-after", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        seconds = _seconds_to(said, headers.get("date", ""))
    if not math.isfinite(seconds):
        seconds = _RETRY_AFTER
    # "0" means soon, not at once and for ever.
    return min(max(seconds, 1.0), _LONGEST_RETRY_AFTER)


def _seconds_to(moment: str, now: str) -> float:
    """From one HTTP date to another: both are the other side's clock."""
    try:
        return (parsedate_to_datetime(moment) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):
        return _RETRY_AFTER
