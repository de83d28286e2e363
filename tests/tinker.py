"""A tiny Bolt app at a stand-in, for the tests of the page and of the story: a command, buttons, a form, a shortcut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt import App
from slack_sdk import WebClient

from bot.standin.server import Standin
from tests.bolt_http import serving

ANA, BEN = "U0ANA00000", "U0BEN00000"
MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Tinker"},
    "features": {
        "bot_user": {"display_name": "tinker"},
        "app_home": {"home_tab_enabled": True},
        "slash_commands": [
            {
                "command": "/tinker",
                "description": "Say something back",
                "usage_hint": "form | card | room | words",
            },
            {"command": "/silent", "description": "Never answers"},
        ],
        "shortcuts": [
            {"name": "Fill in the form", "type": "global", "callback_id": "open", "description": "A form"},
            {"name": "Keep this", "type": "message", "callback_id": "keep", "description": "Keeps a message"},
        ],
    },
    "oauth_config": {
        "scopes": {"bot": ["commands", "chat:write", "chat:write.public", "channels:manage", "users:read"]}
    },
    "settings": {
        "interactivity": {"is_enabled": True},
        "event_subscriptions": {"bot_events": ["app_home_opened"]},
    },
}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def field(name: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": name,
        "label": plain(name),
        "element": element | {"action_id": "v"},
    } | more


COLOURS = [{"text": plain(name), "value": name.lower()} for name in ("Red", "Green", "Blue")]
FORM: dict[str, Any] = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("The form"),
    "submit": plain("Save"),
    "blocks": [
        field(
            "Title", {"type": "plain_text_input", "placeholder": plain("What is it?")}, hint=plain("One line")
        ),
        field("Colour", {"type": "static_select", "options": COLOURS}),
        field("Owner", {"type": "users_select"}, optional=True),
        field(
            "Kinds", {"type": "checkboxes", "options": COLOURS, "initial_options": COLOURS[:1]}, optional=True
        ),
        field("Part", {"type": "external_select", "min_query_length": 1}, optional=True),
    ],
}
CARD: list[dict[str, Any]] = [
    {"type": "header", "text": plain("Logins fail")},
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Status*: _open_ &lt;img src=x onerror=alert(1)&gt;"}},
    {
        "type": "actions",
        "block_id": "ask",
        "elements": [
            {"type": "button", "action_id": "ack", "text": plain("Acknowledge"), "style": "primary", "value": "7"},
            {
                "type": "button",
                "action_id": "close",
                "text": plain("Close"),
                "style": "danger",
                "confirm": {
                    "title": plain("Sure?"),
                    "text": plain("It ends."),
                    "confirm": plain("End it"),
                    "deny": plain("Keep"),
                },
            },
        ],
    },
]  # fmt: skip


def _app(token: str, secret: str, api_url: str) -> App:
    app = App(
        client=WebClient(token=token, base_url=api_url),
        signing_secret=secret,
        token_verification_enabled=False,
        process_before_response=True,
    )

    @app.command("/tinker")
    def tinker(ack: Any, command: dict[str, Any], client: WebClient) -> None:
        text = command["text"]
        if text == "form":
            client.views_open(trigger_id=command["trigger_id"], view=FORM)
        elif text == "card":
            client.chat_postMessage(channel=command["channel_id"], text="Logins fail", blocks=CARD)
        elif text == "room":
            room = client.conversations_create(name="inc-1-logins")["channel"]["id"]
            client.conversations_invite(channel=room, users=command["user_id"])
            client.chat_postMessage(channel=room, text="This is the *room*.")
        ack("" if text in ("form", "card", "room") else f"You said *{text}*")

    @app.view("form")
    def form(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        values = {name: held["v"] for name, held in body["view"]["state"]["values"].items()}
        title, colour = values["Title"]["value"], values["Colour"]["selected_option"]["value"]
        if title == "no":
            ack(response_action="errors", errors={"Title": "Anything but no."})
            return
        ack()
        owner = values["Owner"]["selected_user"]
        client.chat_postMessage(
            channel="#general", text=f"{title} is {colour}" + (f" for <@{owner}>" if owner else "")
        )

    @app.action("ack")
    def acknowledged(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        ack()
        place, message = body["channel"]["id"], body["message"]["ts"]
        value = body["actions"][0]["value"]
        client.chat_postMessage(
            channel=place, thread_ts=message, text=f"acknowledged {value} by <@{body['user']['id']}>"
        )

    @app.action("close")
    def closed(ack: Any, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="Over.", blocks=[])

    @app.options("v")
    def parts(ack: Any, payload: dict[str, Any]) -> None:
        ack(options=[{"text": plain(f"{payload['value']}-{n}"), "value": str(n)} for n in (1, 2)])

    @app.shortcut("open")
    def opened(ack: Any, shortcut: dict[str, Any], client: WebClient) -> None:
        client.views_open(trigger_id=shortcut["trigger_id"], view=FORM)
        ack()

    @app.shortcut("keep")
    def kept(ack: Any, shortcut: dict[str, Any], client: WebClient) -> None:
        ack()
        client.chat_postMessage(
            channel=shortcut["channel"]["id"], text=f"Kept: {shortcut['message']['text']}"
        )

    @app.event("app_home_opened")
    def home(event: dict[str, Any], client: WebClient) -> None:
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": CARD[:2]})

    return app


@contextmanager
def tinkered(**settings: Any) -> Iterator[Standin]:
    """A stand-in with the app installed in it."""
    with Standin(limits=False, patience=1.0, **settings) as standin:
        installed = standin.install(MANIFEST, request_url="http://127.0.0.1:1/")
        with serving(_app(installed.bot_token, installed.signing_secret, standin.api_url)) as url:
            installed.request_url = url
            yield standin
