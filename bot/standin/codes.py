"""The codes of Sign in with Slack: each is exchanged once, by its own app, within ten minutes."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from bot.standin.refused import Refused

LASTS_FOR = 600.0


@dataclass(frozen=True)
class Granted:
    """What somebody agreed to on the page of the workspace."""

    app_id: str
    user_id: str
    team_id: str
    nonce: str
    redirect_uri: str
    at: float


class Codes:
    def __init__(self) -> None:
        self._granted: dict[str, Granted] = {}
        self._used: set[str] = set()

    def new(self, *, app_id: str, user_id: str, team_id: str, nonce: str, redirect_uri: str) -> str:
        code = secrets.token_urlsafe(24)
        self._granted[code] = Granted(app_id, user_id, team_id, nonce, redirect_uri, time.monotonic())
        return code

    def take(self, code: str, *, app_id: str, redirect_uri: str) -> Granted:
        if code in self._used:
            raise Refused("code_already_used")
        found = self._granted.pop(code, None)
        if found is None or found.app_id != app_id:
            raise Refused("invalid_code")
        self._used.add(code)
        if time.monotonic() - found.at > LASTS_FOR:
            raise Refused("code_expired")
        if found.redirect_uri != redirect_uri:
            raise Refused("bad_redirect_uri")
        return found
