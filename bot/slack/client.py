"""Calls to Slack's Web API, and what they end in, in our own words (bot.domain.outcomes).

Two clients: one writes for the postman, one reads for the doors with a time-out that fits into three
seconds. Neither retries by itself: the SDK's default handler sends a POST again after a lost answer,
and one chat.postMessage reached Slack twice (slack_sdk 3.47, measured). Only the outbox repeats.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.domain.outcomes import RateLimited, Refused, Unknown, Unreachable
from bot.slack.remedies import TOKEN_ERRORS, remedy

#: Seconds. Shorter than the postman's settling time (10 s): what a call did can then be seen at Slack.
_WRITE_TIMEOUT = 8
#: Seconds. A door that reads must still answer inside Slack's three.
_READ_TIMEOUT = 2


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
        self._writer = WebClient(token=token, base_url=api_url, timeout=_WRITE_TIMEOUT, retry_handlers=[])
        self._reader = WebClient(token=token, base_url=api_url, timeout=_READ_TIMEOUT, retry_handlers=[])
        self._identity: Identity | None = None

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call a method and give its answer. Raises Refused, RateLimited, Unreachable or Unknown."""
        return _call(self._writer, method, arguments)

    def read(self, method: str, **arguments: Any) -> dict[str, Any]:
        """The same within 2 s, for doors."""
        return _call(self._reader, method, arguments)

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

    def _ask_identity(self) -> Identity:
        try:
            response = self._reader.api_call("auth.test")
        except (SlackApiError, OSError, HTTPException) as error:
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
        return f"{self.identity.team_url}archives/{channel_id}/p{ts.replace('.', '')}"

    def upload(self, url: str, content: bytes) -> dict[str, Any]:
        """Send bytes to the address that files.getUploadURLExternal gave. Raises Unreachable or Unknown."""
        if not url.startswith(("https://", "http://")):
            raise Refused("invalid_upload_url", "Slack gave an upload address that is not a web address.")
        headers = {"Content-Type": "application/octet-stream"}
        request = Request(url, data=content, method="POST", headers=headers)  # noqa: S310
        try:
            with urlopen(request, timeout=_WRITE_TIMEOUT) as response:  # noqa: S310
                return {"status": int(response.status)}
        except (OSError, HTTPException) as error:
            raise _outcome("files.upload", error) from error


def _call(client: WebClient, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        # Form fields, since a part of the methods takes no JSON body; what is nested goes as JSON text.
        response = client.api_call(method, data={name: _field(value) for name, value in arguments.items()})
    except (SlackApiError, OSError, HTTPException) as error:
        raise _outcome(method, error) from error
    data = response.data
    if not isinstance(data, dict):
        raise Unknown(f"{method} answered something that is not JSON")
    return data


def _field(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _outcome(method: str, error: Exception) -> Exception:
    """What an exception of the SDK or of the network means for us."""
    if isinstance(error, SlackApiError):
        return _answered(method, error)
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, (ConnectionRefusedError, ssl.SSLError)) or _is_name_failure(reason):
        return Unreachable(f"{method}: {reason}")
    return Unknown(f"{method}: {type(reason).__name__}: {reason}")


def _is_name_failure(reason: object) -> bool:
    return type(reason).__name__ == "gaierror"


def _answered(method: str, error: SlackApiError) -> Exception:
    response = error.response
    status = int(getattr(response, "status_code", 200) or 200)
    data = response.data if isinstance(getattr(response, "data", None), dict) else {}
    said = str(data.get("error") or "")
    if status == 429 or said in {"ratelimited", "rate_limited"}:
        headers = {str(key).lower(): value for key, value in dict(response.headers or {}).items()}
        return RateLimited(method, float(headers.get("retry-after") or 1))
    # These say that Slack is not well, not that our request is wrong.
    if status >= 500 or said in {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "",
    }:
        return Unknown(f"{method} answered {status} {said}".strip())
    if said in TOKEN_ERRORS and method != "auth.test":
        return Unreachable(f"{method}: {said}. {remedy(said)}")
    detail = data.get("needed") or "; ".join((data.get("response_metadata") or {}).get("messages") or [])
    return Refused(f"{said}: {detail}" if detail else said, remedy(said))
