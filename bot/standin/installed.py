"""An app as the workspace knows it: its manifest read, its tokens, the address it is reached at."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from bot.standin.model import Json


def stable_id(prefix: str, name: str) -> str:
    """An id that is the same in every run for the same name."""
    return prefix + "0" + hashlib.sha256(name.encode()).hexdigest()[:9].upper()


@dataclass
class InstalledApp:
    manifest: Json
    app_id: str
    bot_id: str
    bot_user_id: str
    #: where signed requests go; None means Socket Mode
    request_url: str | None = None
    bot_token: str = field(default_factory=lambda: "xoxb-" + secrets.token_hex(16))
    app_token: str = field(default_factory=lambda: "xapp-1-" + secrets.token_hex(16))
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    verification_token: str = field(default_factory=lambda: secrets.token_hex(12))
    client_id: str = field(default_factory=lambda: f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**13)}")
    client_secret: str = field(default_factory=lambda: secrets.token_hex(16))

    def _part(self, *path: str) -> Any:
        found: Any = self.manifest
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    @property
    def name(self) -> str:
        return str(self._part("display_information", "name") or "app")

    @property
    def display_name(self) -> str:
        return str(self._part("features", "bot_user", "display_name") or self.name)

    @property
    def scopes(self) -> list[str]:
        return list(self._part("oauth_config", "scopes", "bot") or ())

    @property
    def user_scopes(self) -> list[str]:
        return list(self._part("oauth_config", "scopes", "user") or ())

    @property
    def redirect_urls(self) -> list[str]:
        return list(self._part("oauth_config", "redirect_urls") or ())

    @property
    def bot_events(self) -> list[str]:
        return list(self._part("settings", "event_subscriptions", "bot_events") or ())

    @property
    def commands(self) -> list[Json]:
        return list(self._part("features", "slash_commands") or ())

    @property
    def shortcuts(self) -> list[Json]:
        return list(self._part("features", "shortcuts") or ())

    @property
    def is_interactive(self) -> bool:
        return bool(self._part("settings", "interactivity", "is_enabled"))

    @property
    def has_home(self) -> bool:
        return bool(self._part("features", "app_home", "home_tab_enabled"))

    def command(self, name: str) -> Json | None:
        return next((c for c in self.commands if c.get("command") == name), None)

    def shortcut(self, callback_id: str) -> Json | None:
        return next((s for s in self.shortcuts if s.get("callback_id") == callback_id), None)
