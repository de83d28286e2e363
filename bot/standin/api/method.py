"""What a Web API method is: its name, tier, scopes and needed arguments beside the function that does it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.standin.installed import InstalledApp
from bot.standin.model import Channel, Json
from bot.standin.refused import Refused
from bot.standin.views import Views
from bot.standin.workspace import Workspace

SPECIAL = 0


class Arguments:
    """The arguments of a call, sent as a form or as JSON, read as the types they should be."""

    def __init__(self, raw: Json) -> None:
        self.raw = raw

    def has(self, name: str) -> bool:
        return self.raw.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        value = self.raw.get(name)
        return default if value is None else str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.raw.get(name)
        if value in (None, ""):
            return default
        return value is True or str(value).lower() in ("1", "true")

    def whole(self, name: str, default: int, *, most: int) -> int:
        value = self.raw.get(name)
        if value in (None, ""):
            return default
        try:
            number = int(str(value))
        except ValueError:
            raise Refused("invalid_arguments", f"[ERROR] must be an integer [json-pointer:/{name}]") from None
        if number > most:
            raise Refused("invalid_limit") if name == "limit" else Refused("invalid_arguments")
        return number or default

    def names(self, name: str) -> list[str]:
        """A comma-separated list, or a JSON one."""
        value = self.raw.get(name)
        if isinstance(value, list):
            return [str(v) for v in value]
        return [part.strip() for part in str(value or "").split(",") if part.strip()]

    def json(self, name: str, otherwise: str = "invalid_arguments") -> Any:
        """A structured argument, or None when left out; text that is no JSON is refused with `otherwise`."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise Refused(otherwise) from None


@dataclass(frozen=True)
class CallContext:
    """One call: who asks for what, and the state it is done to."""

    ws: Workspace
    views: Views
    app: InstalledApp
    args: Arguments
    has_app_token: bool = False
    #: filled by apps.connections.open
    new_socket_url: Callable[[InstalledApp], str] = field(default=lambda app: "")

    @property
    def me(self) -> str:
        return self.app.bot_user_id

    def require(self, *any_of: str) -> None:
        """Refuse unless the app was granted one of these scopes."""
        if not set(any_of) & set(self.app.scopes):
            raise Refused("missing_scope", needed=",".join(any_of), provided=",".join(self.app.scopes))

    def channel(self, name: str = "channel") -> Channel:
        """The channel named by an argument, as the bot sees it."""
        return self.ws.seen(self.args.text(name), self.me)

    def own_channel(self, name: str = "channel") -> Channel:
        """A channel the bot is in and may write to."""
        channel = self.channel(name)
        if channel.is_archived:
            raise Refused("is_archived")
        self.must_be_in(channel)
        return channel

    def must_be_in(self, channel: Channel) -> None:
        if self.me not in channel.members:
            raise Refused("not_in_channel")


@dataclass(frozen=True)
class Method:
    name: str
    tier: int
    #: any one of them is enough; none means no scope is asked for
    scopes: tuple[str, ...]
    needs: tuple[str, ...]
    run: Callable[[CallContext], Json]


@dataclass
class Family:
    """The methods written in one file."""

    methods: dict[str, Method] = field(default_factory=dict)

    def method(
        self, name: str, *, tier: int, scopes: Sequence[str] = (), needs: Sequence[str] = ()
    ) -> Callable[[Callable[[CallContext], Json]], Callable[[CallContext], Json]]:
        """Register the function below under Slack's name of the method."""

        def registered(run: Callable[[CallContext], Json]) -> Callable[[CallContext], Json]:
            self.methods[name] = Method(name, tier, tuple(scopes), tuple(needs), run)
            return run

        return registered


def page(items: list[Json], args: Arguments, *, default: int, most: int) -> tuple[list[Json], Json]:
    """One page of a cursor-paged list, and the `response_metadata` that leads to the next."""
    limit = args.whole("limit", default, most=most)
    cursor = args.text("cursor")
    if cursor and not cursor.startswith("at:"):
        raise Refused("invalid_cursor")
    start = int(cursor[3:]) if cursor else 0
    following = f"at:{start + limit}" if start + limit < len(items) else ""
    return items[start : start + limit], {"next_cursor": following}
