"""Requests that Slack would never send: each a signed body of some type with something wrong in it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

#: Stands in every rejected body, and must not be found in the log.
CANARY = "canary-7f3e"


def event(**event: Any) -> Json:
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event}


def click(action: str, value: Any, **more: Any) -> Json:
    return {
        "type": "block_actions",
        "user": {"id": "U0ANA00000"},
        "trigger_id": "1.2.3",
        "channel": {"id": "C0GENERAL0"},
        "actions": [{"action_id": action, "value": value, "type": "button"}],
        **more,
    }


def submission(callback: str, values: Any = None, memory: Any = "{}", **more: Any) -> Json:
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": callback,
        "private_metadata": memory,
        "state": {"values": {} if values is None else values},
        **more,
    }
    return {"type": "view_submission", "user": {"id": "U0ANA00000"}, "trigger_id": "1.2.3", "view": view}


def shortcut(callback: Any, kind: str = "shortcut", **more: Any) -> Json:
    return {
        "type": kind,
        "user": {"id": "U0ANA00000"},
        "trigger_id": "1.2.3",
        "callback_id": callback,
        **more,
    }


def deep(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = {"a": [found]}
    return found


NONSENSE: list[tuple[str, Json]] = [
    ("nothing", {}),
    ("type alone", {"type": "event_callback"}),
    ("type is a number", {"type": 1}),
    ("type is an object", {"type": {}}),
    ("unknown type", {"type": CANARY}),
    ("no challenge", {"type": "url_verification"}),
    ("challenge is an object", {"type": "url_verification", "challenge": {"a": 1}}),
    ("old kind of button", {"type": "interactive_message", "callback_id": "x", "actions": []}),
    ("workflow step", {"type": "workflow_step_edit", "callback_id": "x"}),
    ("event is null", {"type": "event_callback", "event_id": "Ev1", "event": None}),
    ("event is a text", {"type": "event_callback", "event_id": "Ev1", "event": "type"}),
    ("event without a type", event()),
    ("event without an id", {"type": "event_callback", "event": {"type": "pin_added"}}),
    ("event of an unknown type", event(type="asteroid_landed", user="U1")),
    ("event type is a list", event(type=["pin_added"])),
    ("reaction without an item", event(type="reaction_added", reaction="pushpin", user="U0ANA00000")),
    ("reaction with item null", event(type="reaction_added", reaction="pushpin", item=None)),
    ("reaction with item a text", event(type="reaction_added", reaction="pushpin", item="message")),
    ("pin of a file", event(type="pin_added", item={"type": "file"}, user="U0ANA00000")),
    ("user is a list", event(type="member_joined_channel", user=[1], channel="C1")),
    ("user is a number", event(type="member_joined_channel", user=5, channel="C1")),
    ("channel is a number", event(type="channel_archive", channel=5)),
    ("channel is an empty object", event(type="channel_rename", channel={})),
    ("ids are null", event(type="channel_id_changed", old_channel_id=None, new_channel_id=None)),
    ("profile is a text", event(type="user_change", user={"id": "U1", "profile": "x"})),
    ("profile without anything", event(type="user_change", user={})),
    ("half a character for an id", event(type="member_joined_channel", user="\ud800", channel="\ud800")),
    ("NUL for an id", event(type="member_joined_channel", user="\x00", channel="\x00")),
    ("authorizations is a text", {**event(type="pin_added"), "authorizations": "all"}),
    ("authorizations of texts", {**event(type="pin_added"), "authorizations": ["id"]}),
    (
        "authorizations in themselves",
        {**event(type="pin_added"), "authorizations": [{"authorizations": [{"authorizations": 7}]}]},
    ),
    ("enterprise is a number", {**event(type="pin_added"), "enterprise": 7}),
    ("team is a list", {**event(type="pin_added"), "team": ["id"]}),
    ("shared channel", {**event(type="pin_added"), "is_ext_shared_channel": True}),
    ("an event that is a command too", {**event(type="pin_added"), "command": "/log"}),
    ("an event in an interaction", {**click("entry_new", "1"), "event": None}),
    ("no actions", {"type": "block_actions", "user": {"id": "U1"}, "trigger_id": "1"}),
    ("actions are empty", {**click("x", "1"), "actions": []}),
    ("actions are texts", {**click("x", "1"), "actions": ["x"]}),
    ("actions is an object", {**click("x", "1"), "actions": {"0": 1}}),
    ("action without an id", {**click("x", "1"), "actions": [{}]}),
    ("action id is a number", click(7, "1")),  # type: ignore[arg-type]
    ("unknown action", click("self_destruct", "1")),
    ("user is null", {**click("entry_new", "1"), "user": None}),
    ("user is a text", {**click("entry_new", "1"), "user": "U1"}),
    ("user id is an object", {**click("entry_new", "1"), "user": {"id": {"id": 1}}}),
    ("channel is a text", {**click("entry_new", "1"), "channel": "C1"}),
    ("channel is null", {**click("entry_new", "x"), "channel": None}),
    ("message is a text", {**click("entry_new", "1"), "message": "hello"}),
    ("message without a time", {**click("entry_new", "x"), "message": {"text": 1, "files": 2}}),
    ("view is a list", {**click("entry_new", "x"), "view": []}),
    ("response_urls is null", {**click("entry_new", "x"), "response_urls": None}),
    ("response_urls of texts", {**click("entry_new", "x"), "response_urls": ["x"]}),
    *[
        (f"{action} of {value!r}"[:60], click(action, value))
        for action in ("incident_status", "incident_severity", "step_done", "step_note", "runbook_start")
        for value in (
            None,
            7,
            "",
            ":",
            "1:",
            "1:nonsense",
            "²:³",
            "1:²",
            "-1:-1",
            "9" * 30 + ":0",
            "999:0",
            {},
        )
    ],
    *[
        (f"{action} of a stranger", click(action, value))
        for action in (
            *("incident_command", "incident_close", "incident_reopen", "incident_archive", "entry_new"),
            *("update_new", "runbook_suggest", "postmortem_show", "postmortem_compile", "step_failed"),
        )
        for value in ("99999:99999", "٣:٣")
    ],
    ("view is null", {"type": "view_submission", "user": {"id": "U1"}, "view": None}),
    ("view without a form", submission("")),
    ("unknown form", submission("self_destruct")),
    ("form state is null", submission("entry", state=None)),
    ("form values is a list", submission("entry", state={"values": []})),
    ("form values of texts", submission("entry", {"text": "x"})),
    ("form values of empty objects", submission("entry", {"text": {}})),
    ("form values of nulls", submission("entry", {"text": {"typed": None}})),
    ("a value is an object", submission("entry", {"text": {"typed": {"value": {"a": 1}}}})),
    ("options are texts", submission("open_incident", {"flags": {"ticked": {"selected_options": ["x"]}}})),
    ("memory is no JSON", submission("entry", memory="{")),
    ("memory is a list", submission("entry", memory="[1]")),
    ("memory is an object", submission("entry", memory={"incident": "1"})),
    ("memory is deep", submission("entry", memory="[" * 100_000)),
    *[
        (
            f"{form} of {text!r}"[:60],
            submission(form, {"text": {"typed": {"value": "x"}}}, json.dumps(memory)),
        )
        for form in ("entry", "edit_entry", "update", "close", "step_note", "open_incident")
        for text, memory in (
            ("letters", {"incident": "x", "number": "x", "run": "x", "position": "x"}),
            ("huge", dict.fromkeys(("incident", "number", "run", "position"), "9" * 40)),
            ("negative", dict.fromkeys(("incident", "number", "run", "position"), "-1")),
            ("objects", {"incident": {"a": 1}, "number": [], "run": None, "position": 1.5}),
            ("a wrong ts", {"incident": "1", "ts": "soon", "images": "7"}),
            ("a far ts", {"incident": "1", "ts": "9" * 30, "images": "[[1]]"}),
        )
    ],
    (
        "unknown kind and severity",
        submission(
            "open_incident",
            {
                "title": {"typed": {"value": "\ud800\x00"}},
                "severity": {"chosen": {"selected_option": {"value": "SEV9"}}},
                "kind": {"chosen": {"selected_option": {"value": "gossip"}}},
            },
        ),
    ),
    ("unknown shortcut", shortcut("self_destruct")),
    ("shortcut is a number", shortcut(7)),
    ("message shortcut without a message", shortcut("open_from_message", "message_action")),
    ("message shortcut of null", shortcut("add_to_timeline", "message_action", message=None, channel=None)),
    ("message without anything", shortcut("open_from_message", "message_action", message={}, channel={})),
    (
        "message of wrong types",
        shortcut(
            "open_from_message",
            "message_action",
            channel={"id": 7},
            message={"ts": "1717410600.000100", "user": 7, "text": ["x"], "files": [7, {"id": 7}]},
        ),
    ),
    ("suggestion", {"type": "block_suggestion", "user": {"id": "U1"}, "action_id": "x", "value": "x"}),
    ("suggestion without an id", {"type": "block_suggestion", "user": {"id": "U1"}}),
    ("view closed", {**submission("entry"), "type": "view_closed"}),
    ("90 objects deep", {**click("entry_new", "x"), "state": deep(40)}),
    ("600 objects deep", {**click("entry_new", "x"), "state": deep(300)}),
]


PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False)
ANYTHING = st.recursive(
    PLAIN
    | st.sampled_from(["U0ANA00000", "C0GENERAL0", "1", "1:0", "message", "pushpin", "1717410600.0001"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
SEEDS = [
    event(
        type="reaction_added",
        user="U0ANA00000",
        reaction="pushpin",
        item={"type": "message", "channel": "C0GENERAL0", "ts": "1717410600.000100"},
    ),
    event(type="user_change", user={"id": "U0ANA00000", "profile": {"display_name": "ana"}, "tz": "UTC"}),
    click("incident_status", "1:monitoring", message={"ts": "1.2", "user": "U1", "text": "x"}),
    click("step_done", "1:0", view={"private_metadata": "{}"}),
    submission("entry", {"text": {"typed": {"value": "x"}}}, '{"incident":"99"}'),
    submission("close", {"began": {"typed": {"value": "10:30"}}}, '{"incident":"99"}'),
    shortcut(
        "unknown", "message_action", channel={"id": "C1"}, message={"ts": "1.2", "files": [{"id": "F1"}]}
    ),
]


def _places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [path, *[place for key, one in inner for place in _places(one, (*path, key))]]


@st.composite
def mutations(draw: st.DrawFn) -> Json:
    """A request as Slack sends it, with up to three of its parts replaced, dropped or added."""
    found: Json = json.loads(json.dumps(draw(st.sampled_from(SEEDS))))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(_places(found)[1:] or [()]))
        if not place:
            break
        around: Any = found
        for key in place[:-1]:
            around = around[key]
        deed = draw(st.sampled_from(["replace", "replace", "drop", "add"]))
        if deed == "drop":
            del around[place[-1]]
        elif deed == "add" and isinstance(around, dict):
            extra = ["team", "enterprise", "authorizations", "user", "view", "event", "command", "thread_ts"]
            around[draw(st.sampled_from([*extra, "response_urls", "is_ext_shared_channel"]))] = draw(ANYTHING)
        else:
            around[place[-1]] = draw(ANYTHING)
    return found
