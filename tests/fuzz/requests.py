"""Strategies of requests to the events address: right ones, wrong ones, and right ones with something broken.

A plan names what only a running house knows ("$trigger", "$channel:3", "$incident:1", ...); Ground puts it in.
So a plan can be kept as JSON and tried again on another house.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.pieces import (
    BUTTON,
    CHANNEL,
    FRESH,
    MESSAGE,
    MOMENT,
    ODD,
    PRESSED,
    PRESSED_ELEMENT,
    TRIGGER,
    TS,
    USER,
    VIEW,
    Json,
)
from tests.fuzz.texts import COMMAND_LINE, SHORT, TEXT
from tests.nonsense import NONSENSE, PLAIN


@dataclass(frozen=True)
class Plan:
    """One request. `body` is a text for what is sent as it is, else an object; bytes stand as Latin-1."""

    kind: str
    #: command, payload, json or raw: how the body is written.
    shape: str
    body: Any
    #: right, wrong, other secret, old, early, none, half, words, version
    seal: str = "right"
    content_type: str = ""
    #: door (a call), http (a socket), or late (a call that waited too long for its turn).
    way: str = "door"
    #: Fields of the form that is open, by their place: the body is then a submission of that form.
    typed: tuple[str, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        kept = json.loads(text)
        return cls(**{**kept, "typed": tuple(kept["typed"])})


_FALSE_FRIENDS = st.sampled_from(
    [*[{}] * 20, {"payload": "{}"}, {"event": "x"}, {"type": "event_callback"}, {"ssl_check": "1"}]
)
_COMMAND = st.fixed_dictionaries(
    {
        "user_id": USER,
        "channel_id": CHANNEL,
        "trigger_id": TRIGGER,
        "team_id": st.just("T1"),
        "response_url": st.just("http://127.0.0.1:9/x"),
    }
)


def _commands() -> st.SearchStrategy[Plan]:
    def asked(fields: Json, line: tuple[str, str], more: Json) -> Plan:
        return Plan("command", "command", {"command": line[0], "text": line[1], **fields, **more})

    return st.builds(asked, _COMMAND, COMMAND_LINE, _FALSE_FRIENDS)


def _clicks() -> st.SearchStrategy[Plan]:
    def pressed(user: str, trigger: str, channel: str, action: Json, more: Json) -> Plan:
        body: Json = {"type": "block_actions", "user": {"id": user}, "trigger_id": trigger}
        body |= {"channel": {"id": channel}, "actions": [action]}
        return Plan("click", "payload", body | more)

    button = st.fixed_dictionaries(
        {"action_id": BUTTON, "block_id": st.just("b"), "type": st.just("button"), "value": PRESSED}
    )
    menu = st.builds(lambda one, chosen: {**one, **chosen}, button, PRESSED_ELEMENT)
    action = st.one_of(button, button, button, button, menu)
    more = st.fixed_dictionaries({}, optional={"message": MESSAGE, "view": VIEW})
    return st.builds(pressed, USER, TRIGGER, CHANNEL, action, more)


def _submissions() -> st.SearchStrategy[Plan]:
    def given(kind: str, user: str, trigger: str, view: Json) -> Plan:
        body = {"type": kind, "user": {"id": user}, "trigger_id": trigger, "view": view}
        return Plan("submission", "payload", body)

    kind = st.sampled_from([*["view_submission"] * 9, "view_closed"])
    return st.builds(given, kind, USER, TRIGGER, VIEW)


def _filled() -> st.SearchStrategy[Plan]:
    """Submissions of a form that is really open, as Slack's client would send them."""
    typed = st.lists(st.one_of(TEXT, TEXT, MOMENT), min_size=1, max_size=6).map(tuple)
    return typed.map(lambda one: Plan("filled form", "payload", {"trigger_id": "$trigger"}, typed=one))


def _shortcuts() -> st.SearchStrategy[Plan]:
    def chosen(callback: str, user: str, trigger: str, channel: str, message: Json) -> Plan:
        body: Json = {"user": {"id": user}, "trigger_id": trigger, "callback_id": callback}
        if callback == "open_incident":
            return Plan("shortcut", "payload", {**body, "type": "shortcut"})
        body |= {"type": "message_action", "channel": {"id": channel}, "message": message}
        return Plan("shortcut", "payload", body)

    callback = st.sampled_from(
        ["open_incident", "open_from_message", "add_to_timeline", "add_to_timeline", "x"]
    )
    return st.builds(chosen, callback, USER, TRIGGER, CHANNEL, MESSAGE)


_EVENT = st.sampled_from(
    [
        *("reaction_added", "pin_added", "member_joined_channel", "member_left_channel", "channel_archive"),
        *(
            "channel_unarchive",
            "channel_rename",
            "channel_id_changed",
            "user_change",
            "message",
            "app_mention",
        ),
    ]
)
_REACTION = st.sampled_from(["pushpin", "round_pushpin", "x"])
_ZONE = st.sampled_from(["Europe/Berlin", "UTC", "", "../etc", "Mars/Base", "\x00", "x" * 300])


@st.composite
def _events(draw: st.DrawFn) -> Plan:
    kind = draw(_EVENT)
    item = {"type": "message", "channel": draw(CHANNEL), "ts": draw(TS)}
    event: Json = {"type": kind, "user": draw(USER), "item": item, "event_ts": "1.2"}
    event |= {"reaction": draw(_REACTION), "channel": draw(CHANNEL)}
    if kind == "channel_rename":
        event["channel"] = {"id": draw(CHANNEL), "name": draw(SHORT)}
    elif kind == "user_change":
        profile = {"display_name": draw(SHORT), "real_name": draw(SHORT)}
        event["user"] = {"id": draw(USER), "profile": profile, "tz": draw(_ZONE), "deleted": draw(_YES_NO)}
    elif kind == "channel_id_changed":
        event |= {"old_channel_id": draw(CHANNEL), "new_channel_id": draw(_NEW_ID)}
    elif kind == "message":
        event |= {"text": draw(TEXT), "ts": draw(TS)}
    body = {"type": "event_callback", "team_id": "T1", "event_id": draw(FRESH), "event": event}
    return Plan("event", "json", body)


_YES_NO = st.booleans()
_NEW_ID = st.sampled_from(["C0NEW", "", "x" * 40])


def places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every part of a payload; the first is the payload itself."""
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [path, *[place for key, one in inner for place in places(one, (*path, key))]]


_RIGHT = st.one_of(_clicks(), _submissions(), _shortcuts(), _events(), _commands())
_HOW_MANY = st.integers(1, 3)
_WHERE = st.floats(0, 1, exclude_max=True)
_DEED = st.sampled_from(["replace", "replace", "drop", "add"])
_ADDED = st.sampled_from(
    [
        *("team", "enterprise", "authorizations", "user", "view", "event", "command", "type", "channel"),
        *("response_urls", "is_ext_shared_channel", "actions"),
    ]
)
_SHAPE = st.sampled_from(["", "", "", "", "json", "payload"])


@st.composite
def _broken(draw: st.DrawFn) -> Plan:
    """A right request with up to three of its parts replaced, dropped, doubled or added."""
    plan = draw(_RIGHT)
    found: Any = json.loads(json.dumps(plan.body))
    for _ in range(draw(_HOW_MANY)):
        spots = places(found)[1:]
        if not spots:
            break
        place = spots[int(draw(_WHERE) * len(spots))]
        around: Any = found
        for key in place[:-1]:
            around = around[key]
        deed = draw(_DEED)
        if deed == "drop":
            del around[place[-1]]
        elif deed == "add" and isinstance(around, dict):
            around[draw(_ADDED)] = draw(ODD)
        else:
            around[place[-1]] = draw(ODD)
    shape = plan.shape if plan.shape == "command" else draw(_SHAPE) or plan.shape
    return Plan(f"broken {plan.kind}", shape, found)


_TYPES = [
    *(
        "application/json",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "text/plain",
    ),
    *("multipart/form-data; boundary=x", "", "APPLICATION/JSON", "application/x-www-form-urlencoded;;;"),
    "\xff/\x80",
]
_BYTES = st.one_of(
    st.binary(max_size=300).map(lambda found: found.decode("latin-1")),
    st.recursive(PLAIN, lambda one: st.lists(one) | st.dictionaries(st.text(), one)).map(json.dumps),
    SHORT.map(lambda text: f"payload={text}".encode("utf-8", "replace").decode("latin-1")),
    st.builds(
        lambda piece, size: piece * size,
        st.sampled_from(["[", '{"a":', "a=1&", "%", "9"]),
        st.integers(1, 50_000),
    ),
    st.sampled_from(NONSENSE).map(lambda one: json.dumps(one[1])),
)
_RAW = st.builds(
    lambda body, kind: Plan("raw bytes", "raw", body, content_type=kind), _BYTES, st.sampled_from(_TYPES)
)

_SEALS = ["wrong", "other secret", "old", "early", "none", "half", "words", "version"]


def _posted(plan: Plan, seal: str, content_type: str, way: str) -> Plan:
    return replace(plan, seal=seal, content_type=plan.content_type or content_type, way=way)


def _sealed(plans: st.SearchStrategy[Plan]) -> st.SearchStrategy[Plan]:
    """Nine in ten are signed as Slack signs."""
    return st.builds(
        _posted,
        plans,
        st.sampled_from([*["right"] * 72, *_SEALS]),
        st.sampled_from([*[""] * 60, *_TYPES]),
        st.sampled_from([*["door"] * 96, "http", "http", "late", "late"]),
    )


#: Every kind of request that may come to the address, and how many of it in a hundred.
KINDS: list[tuple[str, int, st.SearchStrategy[Plan]]] = [
    ("commands", 30, _sealed(_commands())),
    ("clicks", 13, _sealed(_clicks())),
    ("submissions", 11, _sealed(_submissions())),
    ("filled forms", 13, _sealed(_filled())),
    ("shortcuts", 8, _sealed(_shortcuts())),
    ("events", 8, _sealed(_events())),
    ("broken requests", 12, _sealed(_broken())),
    ("raw bytes", 5, _sealed(_RAW)),
]
