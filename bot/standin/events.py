"""The Events API: who subscribed to what, the envelope around an event, and Slack's three retries."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.standin.installed import InstalledApp
from bot.standin.model import Json
from bot.standin.outward import Outward
from bot.standin.workspace import Workspace, fresh_id

#: seconds before each retry: at once, a minute, five minutes
RETRIES = (0.0, 60.0, 300.0)
_MESSAGE_SCOPES = {"channel": "channels", "group": "groups", "im": "im"}
_SCOPES = {
    "app_mention": "app_mentions:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "pin_added": "pins:read",
    "pin_removed": "pins:read",
    "user_change": "users:read",
    "team_join": "users:read",
    "channel_created": "channels:read",
    "channel_rename": "channels:read",
    "channel_archive": "channels:read",
    "channel_unarchive": "channels:read",
    "group_rename": "groups:read",
    "group_archive": "groups:read",
    "group_unarchive": "groups:read",
}


def is_subscribed(app: InstalledApp, event: Json) -> bool:
    """Whether the manifest names this event and holds the scope it needs."""
    name, scope = str(event["type"]), _SCOPES.get(str(event["type"]))
    if name == "message":
        kind = str(event.get("channel_type", "channel"))
        name, scope = f"message.{kind if kind == 'im' else kind + 's'}", f"{_MESSAGE_SCOPES[kind]}:history"
    return name in app.bot_events and (scope is None or scope in app.scopes)


class Events:
    """Hands events to `later(seconds, deed)` for delivery; `retry_scale` shortens the retries' waits."""

    def __init__(
        self,
        ws: Workspace,
        outward: Outward,
        later: Callable[[float, Callable[[], None]], None],
        retry_scale: float,
    ) -> None:
        self._ws = ws
        self._outward = outward
        self._later = later
        self.retry_scale = retry_scale

    def emit(self, event: Json, apps: Iterable[str] | None) -> None:
        """Send one event to each app that subscribed to it, of those it may go to."""
        for app_id in list(self._ws.apps if apps is None else apps):
            app = self._ws.apps[app_id]
            if is_subscribed(app, event):
                body = self._wrapped(app, event)
                self._later(0.0, lambda app=app, body=body: self._deliver(app, body))  # type: ignore[misc]

    def _wrapped(self, app: InstalledApp, event: Json) -> Json:
        team = self._ws.team["id"]
        place = event.get("channel") if isinstance(event.get("channel"), str) else event.get("channel_id", "")
        return {
            "token": app.verification_token,
            "team_id": team,
            "context_team_id": team,
            "api_app_id": app.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": fresh_id("Ev"),
            "event_time": int(self._ws.now()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": team,
                    "user_id": app.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": f"4-{event['type']}-{team}-{place}",
        }

    def _deliver(self, app: InstalledApp, body: Json) -> None:
        delivery, answer = self._outward.send(app, "event", body)

        def again(number: int, reason: str) -> None:
            answer = self._outward.send_again(app, delivery, retry_num=number, retry_reason=reason)
            follow_up(number, answer.failed, answer.headers)

        def follow_up(number: int, failed: str | None, headers: dict[str, str]) -> None:
            if failed is None or number >= len(RETRIES) or headers.get("x-slack-no-retry") == "1":
                return
            reason = "timeout" if app.request_url is None and failed == "http_timeout" else failed
            wait = RETRIES[number] * self.retry_scale
            self._later(wait, lambda: again(number + 1, reason))

        follow_up(0, answer.failed, answer.headers)
