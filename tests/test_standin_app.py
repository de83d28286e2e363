"""A real Bolt app at the stand-in, over signed HTTP and over Socket Mode: what a person sees of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.standin.installed import InstalledApp
from bot.standin.person import Denied, Person
from bot.standin.server import Standin, wait_until
from tests.bolt_http import serving

ANA, BEN = "U0ANA00000", "U0BEN00000"
SCOPES = [
    "commands", "chat:write", "channels:manage", "channels:read", "channels:history", "channels:join", "users:read",
    "reactions:read", "pins:read", "pins:write", "groups:write", "groups:read", "groups:history", "app_mentions:read",
]  # fmt: skip
EVENTS = [
    "message.channels", "reaction_added", "pin_added", "member_joined_channel", "app_home_opened", "channel_archive",
    "user_change", "app_mention",
]  # fmt: skip
MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Tester"},
    "features": {
        "bot_user": {"display_name": "Tester"},
        "app_home": {"home_tab_enabled": True},
        "slash_commands": [{"command": "/do", "description": "does things", "usage_hint": "[what]"}],
        "shortcuts": [
            {"name": "Go", "type": "global", "callback_id": "go", "description": "x"},
            {"name": "Note it", "type": "message", "callback_id": "note", "description": "x"},
        ],
    },
    "oauth_config": {"scopes": {"bot": SCOPES}},
    "settings": {"interactivity": {"is_enabled": True}, "event_subscriptions": {"bot_events": EVENTS}},
}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


BUTTONS = [
    {"type": "section", "text": plain("Well?")},
    {
        "type": "actions",
        "block_id": "ask",
        "elements": [
            {"type": "button", "text": plain("Yes"), "action_id": "yes", "value": "17"},
            {
                "type": "static_select",
                "action_id": "pick",
                "options": [{"text": plain("Low"), "value": "low"}, {"text": plain("High"), "value": "high"}],
            },
        ],
    },
]
FORM: dict[str, Any] = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Form"),
    "submit": plain("Send"),
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why"),
            "element": {"type": "plain_text_input", "action_id": "v"},
        },
        {
            "type": "input",
            "block_id": "who",
            "label": plain("Who"),
            "optional": True,
            "element": {"type": "users_select", "action_id": "v"},
        },
        {
            "type": "input",
            "block_id": "team",
            "label": plain("Team"),
            "optional": True,
            "element": {"type": "external_select", "action_id": "team", "min_query_length": 0},
        },
    ],
}


@dataclass
class Bench:
    standin: Standin
    installed: InstalledApp
    client: WebClient
    ana: Person
    ben: Person
    seen: list[dict[str, Any]] = field(default_factory=list)
    #: how the app behaves next
    mood: dict[str, Any] = field(default_factory=dict)

    def kinds(self) -> list[str]:
        return [str(e.get("type")) for e in self.seen]


@pytest.fixture(params=["http", "socket"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Standin(retry_scale=0.001, patience=1.0) as standin:
        installed = standin.install(MANIFEST)
        client = WebClient(installed.bot_token, base_url=standin.api_url)
        found = Bench(standin, installed, client, Person(standin.url, ANA), Person(standin.url, BEN))
        app = App(client=client, signing_secret=installed.signing_secret, process_before_response=True)
        _listen(app, found)
        if request.param == "http":
            with serving(app) as url:
                installed.request_url = url
                yield found
        else:
            handler = SocketModeHandler(app, installed.app_token)
            handler.client.web_client.base_url = standin.api_url
            handler.connect()
            wait_until(standin.sockets.connections)
            yield found
            _hang_up(standin, handler)


def _hang_up(standin: Standin, handler: SocketModeHandler) -> None:
    # The SDK's reader sits in recv until the server hangs up, so the server does so first.
    handler.client.auto_reconnect_enabled = False
    standin.cut_sockets()
    # After a refresh the SDK's close() trips over a socket it has already dropped (slack_sdk 3.47).
    with contextlib.suppress(AttributeError):
        handler.client.close()


def _listen(app: App, bench: Bench) -> None:
    @app.command("/do")
    def command(ack: Any, command: dict[str, Any], client: WebClient, respond: Any) -> None:
        bench.seen.append({"type": "command", **command})
        text = command["text"]
        if text == "form":
            client.views_open(trigger_id=command["trigger_id"], view=FORM)
            ack()
        elif text == "slow":
            time.sleep(1.3)
            ack("too late")
        elif text == "all":
            ack(text="for all", response_type="in_channel")
        elif text == "respond":
            ack()
            respond("said later")
        elif text == "buttons":
            ack(text="Well?", blocks=BUTTONS)
        else:
            ack(f"You said {text}.")

    @app.action("yes")
    def yes(ack: Any, body: dict[str, Any], respond: Any) -> None:
        bench.seen.append(body)
        ack()
        respond(text="Noted.", replace_original=True)

    @app.action("pick")
    def pick(ack: Any, body: dict[str, Any]) -> None:
        bench.seen.append(body)
        ack()

    @app.options("team")
    def team(ack: Any, payload: dict[str, Any]) -> None:
        ack(options=[{"text": plain(f"{payload['value']} team"), "value": "t1"}])

    @app.view("form")
    def form(ack: Any, body: dict[str, Any]) -> None:
        bench.seen.append(body)
        ack(**bench.mood.get("submit", {}))

    @app.view_closed("form")
    def closed(ack: Any, body: dict[str, Any]) -> None:
        bench.seen.append(body)
        ack()

    @app.shortcut("go")
    def go(ack: Any, shortcut: dict[str, Any], client: WebClient) -> None:
        client.views_open(trigger_id=shortcut["trigger_id"], view=FORM)
        ack()

    @app.shortcut("note")
    def note(ack: Any, shortcut: dict[str, Any], respond: Any) -> None:
        ack()
        respond(f"Noted: {shortcut['message']['text']}")

    @app.use
    def gate(body: dict[str, Any], next: Any) -> None:
        # Global middleware runs before the ack: an error here makes Slack send again.
        if body.get("event") and bench.mood.get("fails", 0) > 0:
            bench.mood["fails"] -= 1
            raise ConnectionError("the database is away")
        next()

    @app.event({"type": "message"})
    @app.event("reaction_added")
    @app.event("pin_added")
    @app.event("member_joined_channel")
    @app.event("app_home_opened")
    @app.event("channel_archive")
    @app.event("user_change")
    @app.event("app_mention")
    def event(event: dict[str, Any], body: dict[str, Any]) -> None:
        bench.seen.append({**event, "event_id": body["event_id"]})


def test_a_command_is_answered_to_its_author_only(bench: Bench) -> None:
    answer = bench.ana.types("/do hello", "#general")
    assert answer["answer"]["text"] == "You said hello."
    assert bench.ana.messages("general")[-1]["ephemeral"] is True
    assert not [m for m in bench.ben.messages("general") if "You said" in m["text"]]
    assert bench.seen[0]["user_id"] == ANA and bench.seen[0]["channel_name"] == "general"


def test_an_answer_for_the_channel_is_seen_by_all(bench: Bench) -> None:
    bench.ana.types("/do all", "#general")
    assert bench.ben.waits_for_message("general", "for all")["bot_id"] == bench.installed.bot_id


def test_a_response_url_answers_later(bench: Bench) -> None:
    bench.ana.types("/do respond", "#general")
    assert bench.ana.waits_for_message("general", "said later")["ephemeral"] is True


def test_a_command_without_an_answer_in_time_fails(bench: Bench) -> None:
    with pytest.raises(Denied) as denied:
        bench.ana.types("/do slow", "#general")
    assert denied.value.error == "dispatch_failed"
    assert denied.value.answer["reason"] == "operation_timeout"


def test_an_unknown_command_is_refused(bench: Bench) -> None:
    with pytest.raises(Denied, match="/dont is not a command"):
        bench.ana.types("/dont", "#general")


def test_a_button_of_an_ephemeral_message_replaces_it(bench: Bench) -> None:
    bench.ana.types("/do buttons", "#general")
    asked = bench.ana.messages("general")[-1]
    bench.ana.clicks(asked, "Yes")
    assert bench.seen[-1]["actions"][0]["value"] == "17"
    assert bench.seen[-1]["container"]["is_ephemeral"] is True
    bench.ana.waits_for(lambda: bench.ana.messages("general")[-1]["text"] == "Noted.")
    with pytest.raises(LookupError, match="no `Yes`"):
        bench.ana.clicks(bench.ana.messages("general")[-1], "Yes")


def test_a_menu_sends_the_option_that_was_chosen(bench: Bench) -> None:
    bench.client.conversations_join(channel="C0GENERAL0")
    bench.client.chat_postMessage(channel="C0GENERAL0", text="Well?", blocks=BUTTONS)
    bench.ben.clicks(bench.ben.waits_for_message("general", "Well?"), "High")
    assert bench.seen[-1]["actions"][0]["selected_option"]["value"] == "high"
    assert bench.seen[-1]["user"]["id"] == BEN


def test_a_modal_is_filled_in_by_its_labels(bench: Bench) -> None:
    bench.ana.types("/do form", "#general")
    (view,) = bench.ana.views()
    assert bench.ben.views() == []
    assert bench.ana.submits(view)["errors"] == {"why": "Please complete this required field."}
    assert bench.ana.options(view, "team", "net")[0]["text"]["text"] == "net team"
    team = bench.ana.options(view, "team", "net")[0]
    assert bench.ana.submits(view, {"Why": "because", "Who": BEN, "Team": team})["closed"] is True
    values = bench.seen[-1]["view"]["state"]["values"]
    assert values["why"]["v"] == {"type": "plain_text_input", "value": "because"}
    assert values["who"]["v"] == {"type": "users_select", "selected_user": BEN}
    assert values["team"]["team"]["selected_option"]["value"] == "t1"
    assert bench.ana.views() == []


def test_a_modal_shows_the_errors_of_its_app(bench: Bench) -> None:
    bench.mood["submit"] = {"response_action": "errors", "errors": {"why": "Say more."}}
    bench.ana.types("/do form", "#general")
    answer = bench.ana.submits(bench.ana.views()[0], {"why": "x"})
    assert answer["errors"] == {"why": "Say more."} and answer["closed"] is False
    assert bench.ana.views()[0]["state"]["values"]["why"]["v"]["value"] == "x"


def test_a_submitted_modal_can_be_changed_or_covered(bench: Bench) -> None:
    bench.ana.types("/do form", "#general")
    done = {"type": "modal", "title": plain("Done"), "blocks": [{"type": "divider"}]}
    bench.mood["submit"] = {"response_action": "push", "view": {**FORM, "title": plain("Second")}}
    bench.ana.submits(bench.ana.views()[0], {"why": "x"})
    assert [v["title"]["text"] for v in bench.ana.views()] == ["Form", "Second"]
    bench.mood["submit"] = {"response_action": "update", "view": done}
    bench.ana.submits(bench.ana.views()[-1], {"why": "x"})
    assert [v["title"]["text"] for v in bench.ana.views()] == ["Form", "Done"]
    bench.ana.closes(bench.ana.views()[-1])
    bench.mood["submit"] = {"response_action": "clear"}
    bench.ana.submits(bench.ana.views()[0], {"why": "x"})
    assert bench.ana.views() == []


def test_closing_a_modal_is_told_to_an_app_that_asked(bench: Bench) -> None:
    bench.ana.types("/do form", "#general")
    bench.ana.closes(bench.ana.views()[0])
    assert bench.seen[-1]["type"] == "view_closed"


def test_shortcuts_open_a_modal_or_carry_the_message(bench: Bench) -> None:
    bench.ana.opens_shortcut("go")
    assert bench.ana.views()[0]["callback_id"] == "form"
    bench.ben.says("#general", "the login page is slow")
    said = bench.ana.waits_for_message("general", "login page")
    bench.ana.message_shortcut("note", said)
    assert bench.ana.waits_for_message("general", "Noted: the login page is slow")["ephemeral"]


def test_a_trigger_is_good_for_one_view(bench: Bench) -> None:
    bench.ana.types("/do hello", "#general")
    trigger = bench.seen[0]["trigger_id"]
    bench.client.views_open(trigger_id=trigger, view=FORM)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        bench.client.views_open(trigger_id=trigger, view=FORM)


def test_an_app_hears_only_the_channels_it_is_in(bench: Bench) -> None:
    bench.ana.says("#random", "before")
    bench.client.conversations_join(channel="C0RANDOM00")
    ts = bench.ana.says("#random", "after <b> @ben")
    bench.ana.says("#random", "in the thread", thread_ts=ts)
    bench.ana.reacts(ts, "eyes", "#random")
    bench.ana.pins(ts, "#random")
    wait_until(lambda: {"reaction_added", "pin_added"} <= set(bench.kinds()))
    wait_until(lambda: any(e.get("thread_ts") == ts for e in bench.seen if e.get("text") == "in the thread"))
    texts = [e["text"] for e in bench.seen if e["type"] == "message" and e.get("user") == ANA]
    assert "after &lt;b&gt; <@U0BEN00000>" in texts and "before" not in texts
    assert all(e["channel_type"] == "channel" for e in bench.seen if e["type"] == "message")


def test_a_private_channel_is_not_heard_without_its_subscription(bench: Bench) -> None:
    place = bench.client.conversations_create(name="secret", is_private=True)["channel"]["id"]
    bench.client.conversations_invite(channel=place, users=ANA)
    bench.ana.says(place, "quiet")
    bench.ana.says("#general", "marker")
    with pytest.raises(LookupError):
        bench.ben.channel("secret")
    bench.client.conversations_join(channel="C0GENERAL0")
    bench.ana.says("#general", "loud")
    wait_until(lambda: any(e.get("text") == "loud" for e in bench.seen))
    assert not any(e.get("text") == "quiet" for e in bench.seen)


def test_an_event_that_was_not_taken_is_sent_again(bench: Bench) -> None:
    bench.client.conversations_join(channel="C0GENERAL0")
    wait_until(lambda: "member_joined_channel" in bench.kinds())
    bench.seen.clear()
    bench.mood["fails"] = 2
    bench.ana.says("#general", "hear me")
    wait_until(lambda: any(e.get("text") == "hear me" for e in bench.seen), timeout=8)
    sent = [d for d in bench.standin.deliveries("event") if d.payload["event"].get("text") == "hear me"]
    assert len(sent) == 1
    wait_until(lambda: [a.is_ok for a in sent[0].answers] == [False, False, True])


def test_the_same_delivery_can_be_sent_again_whole(bench: Bench) -> None:
    bench.ana.types("/do hello", "#general")
    first = bench.standin.last_delivery("command")
    answers = bench.standin.redeliver(first, times=2)
    assert [a.json()["text"] for a in answers] == ["You said hello.", "You said hello."]
    assert {c["trigger_id"] for c in bench.seen} == {first.payload["trigger_id"]}
    assert len(bench.seen) == 3


def test_the_home_tab_is_published_when_opened(bench: Bench) -> None:
    bench.ana.opens_home()
    wait_until(lambda: "app_home_opened" in bench.kinds())
    home = {"type": "home", "blocks": [{"type": "section", "text": plain("At home")}]}
    first = bench.client.views_publish(user_id=ANA, view=home)["view"]
    bench.client.views_publish(user_id=ANA, view=home, hash=first["hash"])
    with pytest.raises(SlackApiError, match="hash_conflict"):
        bench.client.views_publish(user_id=ANA, view=home, hash=first["hash"])
    shown = bench.ana.home()
    assert shown is not None and shown["blocks"][0]["text"]["text"] == "At home"


def test_a_changed_person_and_an_archived_channel_are_told(bench: Bench) -> None:
    bench.ana.act("set_profile", tz="Asia/Tokyo")
    bench.ana.archives("#random")
    wait_until(lambda: {"user_change", "channel_archive"} <= set(bench.kinds()))
    changed = next(e for e in bench.seen if e["type"] == "user_change")
    assert changed["user"]["tz"] == "Asia/Tokyo" and changed["user"]["tz_offset"] == 9 * 3600


def test_a_mention_is_told_as_message_and_as_mention(bench: Bench) -> None:
    bench.client.conversations_join(channel="C0GENERAL0")
    bench.ana.says("#general", "@tester are you there?")
    wait_until(lambda: "app_mention" in bench.kinds() and "message" in bench.kinds())
    both = [e for e in bench.seen if "are you there" in str(e.get("text"))]
    assert len({e["ts"] for e in both}) == 1 and len({e["event_id"] for e in both}) == 2


def test_the_request_url_answers_the_challenge(bench: Bench) -> None:
    if bench.installed.request_url is None:
        assert bench.standin.sockets.connections(bench.installed.app_id) == 1
    else:
        assert bench.standin.verify_url(bench.installed) is True


def test_a_request_signed_with_another_secret_is_refused(bench: Bench) -> None:
    if bench.installed.request_url is None:
        return
    bench.installed.signing_secret = "another"
    with pytest.raises(Denied, match="dispatch_failed"):
        bench.ana.types("/do hello", "#general")


def test_sockets_come_back_after_a_refresh(bench: Bench) -> None:
    if bench.installed.request_url is not None:
        return
    bench.standin.refresh_sockets()
    wait_until(lambda: bench.standin.sockets.accepted == 2 and bench.standin.sockets.connections() == 1, 10)
    # The SDK reads from its new connection a moment after it has opened it.
    answer = bench.ana.waits_for(lambda: _tries(bench.ana, "/do hello"), timeout=10)
    assert answer["answer"]["text"] == "You said hello."


def _tries(person: Person, line: str) -> dict[str, Any] | None:
    try:
        return person.types(line, "#general")
    except Denied:
        return None
