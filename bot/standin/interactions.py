"""What a person does to an app: a command, a click, a submitted modal, a shortcut, a search for options."""

from __future__ import annotations

import re
from typing import Any

from bot.standin import blockkit, forms, shapes
from bot.standin.hooks import Hooks
from bot.standin.installed import InstalledApp
from bot.standin.model import Channel, Json, Message, User
from bot.standin.outward import Answer, DeliveryKind, Outward
from bot.standin.refused import Refused
from bot.standin.views import Views
from bot.standin.workspace import Workspace


class Interactions:
    """Each deed builds its payload under the lock, waits for the app outside it, does what was answered."""

    def __init__(self, ws: Workspace, views: Views, hooks: Hooks, outward: Outward) -> None:
        self._ws = ws
        self._views = views
        self._hooks = hooks
        self._outward = outward

    def _send(self, app: InstalledApp, kind: DeliveryKind, payload: Json) -> Answer:
        _, answer = self._outward.send(app, kind, payload)
        if not answer.is_ok:
            raise Refused(
                "dispatch_failed",
                reason="operation_timeout" if answer.failed == "http_timeout" else answer.failed,
                status=answer.status,
                ack_ms=answer.ms,
                hint=f"{app.name} {_FAILURES.get(answer.failed or '', 'did not answer')}.",
            )
        return answer

    def command(self, user: User, channel: Channel, name: str, text: str) -> Json:
        """Run a slash command; gives {ack_ms, answer}."""
        with self._ws.lock:
            app, command = self._app_with_command(name)
            if command.get("should_escape"):
                text = self._mentions(text)
            payload = {
                "token": app.verification_token,
                "team_id": self._ws.team["id"],
                "team_domain": self._ws.team["domain"],
                "channel_id": channel.id,
                "channel_name": _shown_name(channel),
                "user_id": user.id,
                "user_name": user.name,
                "command": name,
                "text": text,
                "api_app_id": app.app_id,
                "is_enterprise_install": "false",
                "response_url": self._hooks.new_url(app, user.id, channel.id),
                "trigger_id": self._views.new_trigger(app, user.id),
            }
        answer = self._send(app, "command", payload)
        said = answer.json()
        with self._ws.lock:
            if said:
                self._hooks.say(app, channel, user.id, said)
        return {"ack_ms": answer.ms, "answer": said or None}

    def _app_with_command(self, name: str) -> tuple[InstalledApp, Json]:
        for app in reversed(list(self._ws.apps.values())):
            command = app.command(name)
            if command is not None and "commands" in app.scopes:
                return app, command
        raise Refused("unknown_command", hint=f"{name} is not a command of any app in this workspace.")

    def _mentions(self, text: str) -> str:
        """@name and #channel as Slack escapes them when the manifest says should_escape."""
        people = {u.name: u for u in self._ws.users.values()}

        def person(found: re.Match[str]) -> str:
            user = people.get(found.group(1))
            return f"<@{user.id}|{user.name}>" if user else found.group(0)

        def place(found: re.Match[str]) -> str:
            channel = self._ws.channel_named(found.group(1))
            return f"<#{channel.id}|{channel.name}>" if channel else found.group(0)

        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        escaped = re.sub(r"&lt;([@#!][^&|]+(?:\|[^&]*)?)&gt;", r"<\1>", escaped)
        return re.sub(r"(?<![\w<])#([\w-]+)", place, re.sub(r"(?<![\w<])@([\w.-]*\w)", person, escaped))

    # Clicks

    def click(
        self, user: User, channel: Channel | None, message: Message | None, view: Json | None, act: Json
    ) -> Json:
        """Press a button or choose in a menu, of a message or of a view; gives {ack_ms}."""
        with self._ws.lock:
            app = self._app_of(message, view)
            blocks = view["blocks"] if view is not None else message.blocks if message is not None else []
            block, element = find_element(blocks, str(act.get("block_id", "")), str(act["action_id"]))
            action = _action(block, element, act, self._ws.event_ts())
            if view is not None and element["type"] != "button":
                held = {k: v for k, v in action.items() if k.startswith("selected") or k == "value"}
                filled = {element["action_id"]: {"type": element["type"], **held}}
                self._views.fill(view, {block["block_id"]: filled})
            payload = self._click_payload(app, user, channel, message, view) | {"actions": [action]}
        answer = self._send(app, "interactive", payload)
        return {"ack_ms": answer.ms}

    def _click_payload(
        self,
        app: InstalledApp,
        user: User,
        channel: Channel | None,
        message: Message | None,
        view: Json | None,
    ) -> Json:
        in_modal = view is not None and view["type"] == "modal"
        payload = self._frame(app, user, "block_actions") | {
            "trigger_id": self._views.new_trigger(app, user.id, is_in_modal=in_modal),
        }
        if view is not None:
            container: Json = {"type": "view", "view_id": view["id"]}
            return payload | {"container": container, "view": view, "state": view["state"]}
        assert channel is not None and message is not None
        is_hidden = message.ephemeral_to is not None
        container = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": is_hidden,
            **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
        }
        payload |= {
            "container": container,
            "channel": {"id": channel.id, "name": _shown_name(channel)},
            "state": {"values": forms.initial_state(message.blocks)},
            "response_url": self._hooks.new_url(app, user.id, channel.id, message.ts),
        }
        return payload if is_hidden else payload | {"message": shapes.message(self._ws, message)}

    def _app_of(self, message: Message | None, view: Json | None) -> InstalledApp:
        app_id = view["app_id"] if view is not None else message.app_id if message is not None else None
        app = self._ws.apps.get(app_id or "")
        if app is None:
            raise Refused("not_interactive", hint="No app made this message, so nothing answers a click.")
        if not app.is_interactive:
            raise Refused("not_interactive", hint=f"{app.name}'s manifest does not enable interactivity.")
        return app

    def _frame(self, app: InstalledApp, user: User, kind: str) -> Json:
        team = self._ws.team
        return {
            "type": kind,
            "token": app.verification_token,
            "api_app_id": app.app_id,
            "team": {"id": team["id"], "domain": team["domain"]},
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": team["id"]},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def options(
        self, user: User, view: Json | None, channel: Channel | None, message: Message | None, act: Json
    ) -> Json:
        """Ask the app for the options of an external select; gives {options}."""
        with self._ws.lock:
            app = self._app_of(message, view)
            payload = self._frame(app, user, "block_suggestion") | {
                "action_id": act["action_id"],
                "block_id": act.get("block_id", ""),
                "value": act.get("value", ""),
            }
            if view is not None:
                payload |= {"container": {"type": "view", "view_id": view["id"]}, "view": view}
            elif message is not None and channel is not None:
                payload |= {
                    "container": {"type": "message", "message_ts": message.ts, "channel_id": channel.id},
                    "channel": {"id": channel.id, "name": _shown_name(channel)},
                    "message": shapes.message(self._ws, message),
                }
        answer = self._send(app, "options", payload)
        found = answer.json()
        grouped = [o for group in found.get("option_groups") or [] for o in group.get("options", [])]
        return {"ack_ms": answer.ms, "options": (found.get("options") or []) + grouped}

    # Modals

    def submit(self, user: User, view: Json, values: Json) -> Json:
        """Submit the open modal; gives {ack_ms, closed, errors?}."""
        with self._ws.lock:
            app = self._app_of(None, view)
            self._views.fill(view, values)
            wrong = forms.problems(view["blocks"], view["state"]["values"])
            if wrong:
                return {"ack_ms": 0.0, "closed": False, "errors": wrong}
            payload = self._frame(app, user, "view_submission") | {
                "trigger_id": self._views.new_trigger(app, user.id, is_in_modal=True),
                "view": view,
                "response_urls": [],
            }
        answer = self._send(app, "interactive", payload)
        with self._ws.lock:
            return {"ack_ms": answer.ms} | self._answered_submit(app, user, view, answer.json())

    def _answered_submit(self, app: InstalledApp, user: User, view: Json, said: Json) -> Json:
        action = said.get("response_action")
        if action == "errors":
            known = {b["block_id"] for b in view["blocks"] if b["type"] == "input"}
            errors = {str(k): str(v) for k, v in (said.get("errors") or {}).items()}
            unknown = sorted(set(errors) - known)
            if unknown or not errors:
                raise Refused(
                    "invalid_errors", hint=f"No input block is called {', '.join(unknown) or 'anything'}."
                )
            return {"closed": False, "errors": errors}
        if action in ("update", "push"):
            made = self._views.made(app, said.get("view") or {})
            if action == "push":
                self._views.put_on_top(user.id, made)
            else:
                self._views.replace(view, made)
            return {"closed": False}
        if action == "clear":
            self._views.close_all(user.id)
            return {"closed": True}
        if action is not None:
            raise Refused("invalid_response_action", hint=f"`{action}` is not a response_action.")
        if view in self._views.stack(user.id):
            self._views.stack(user.id).remove(view)
            self._ws.on_change(["views"])
        return {"closed": True}

    def close(self, user: User, view: Json, *, is_cleared: bool = False) -> Json:
        """Close the modal; its app hears of it when it asked to (notify_on_close)."""
        with self._ws.lock:
            app = self._app_of(None, view)
            closed = self._views.close_all(user.id) if is_cleared else [self._views.close_top(user.id)]
            told = [v for v in closed if v is not None and v["notify_on_close"]]
            payloads = [
                self._frame(app, user, "view_closed") | {"view": v, "is_cleared": is_cleared} for v in told
            ]
        for payload in payloads:
            self._outward.send(app, "interactive", payload)
        return {}

    # Shortcuts

    def shortcut(
        self, user: User, callback_id: str, channel: Channel | None = None, message: Message | None = None
    ) -> Json:
        """Run a global shortcut, or a message shortcut when a message is given; gives {ack_ms}."""
        kind = "global" if message is None else "message"
        with self._ws.lock:
            app = next(
                (a for a in self._ws.apps.values() if (a.shortcut(callback_id) or {}).get("type") == kind),
                None,
            )
            if app is None:
                raise Refused("unknown_shortcut", hint=f"No app has a {kind} shortcut `{callback_id}`.")
            payload = self._frame(app, user, "shortcut" if message is None else "message_action") | {
                "callback_id": callback_id,
                "action_ts": self._ws.event_ts(),
                "trigger_id": self._views.new_trigger(app, user.id),
            }
            if message is not None and channel is not None:
                payload |= {
                    "channel": {"id": channel.id, "name": _shown_name(channel)},
                    "message_ts": message.ts,
                    "message": shapes.message(self._ws, message),
                    "response_url": self._hooks.new_url(app, user.id, channel.id),
                }
        return {"ack_ms": self._send(app, "interactive", payload).ms}


_FAILURES = {
    "http_timeout": "did not respond within 3 seconds",
    "http_error": "answered with an error",
    "connection_failed": "could not be reached",
}


def _shown_name(channel: Channel) -> str:
    return "directmessage" if channel.is_im else "privategroup" if channel.is_private else channel.name


def find_element(blocks: list[Json], block_id: str, action_id: str) -> tuple[Json, Json]:
    """The block and the element of a click; the block may be left out when the action is unique."""
    for block in blocks:
        for element in forms.elements_of(block):
            if element.get("action_id") == action_id and block_id in ("", block.get("block_id")):
                return block, element
    raise Refused("action_not_found", hint=f"There is nothing called `{action_id}` to click on.")


def _action(block: Json, element: Json, act: Json, at: str) -> Json:
    """One entry of a payload's `actions`."""
    action: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": at,
    }
    if element["type"] == "button":
        kept: Json = {k: element[k] for k in ("value", "style", "url") if k in element}
        return action | kept | {"text": blockkit.filled_text(element["text"])}
    chosen: dict[str, Any] = {
        k: v for k, v in act.items() if k.startswith("selected_") or k in ("value", "rich_text_value")
    }
    return action | chosen
