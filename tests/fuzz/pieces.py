"""Strategies of the parts of Slack's payloads. "$trigger", "$channel:3" and their like are put in by Ground."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from bot.slack.buttons import BUTTONS
from tests.fuzz.texts import SHORT, TEXT
from tests.nonsense import ANYTHING, PLAIN, deep

Json = dict[str, Any]
Some = st.SearchStrategy[Any]

_USERS = ["U0ANA00000", "U0BEN00000", "U0CHLOE000", "$user:3", "$user:4", "$bot", "U0NOBODY00", "USLACKBOT"]
USER = st.sampled_from([*_USERS[:2] * 4, *_USERS])
_PLACES = ["C0GENERAL0", "$over", "$private", "C0NOWHERE0", "D0X"]
CHANNEL = st.sampled_from(
    [*["$channel:0"] * 9, *["$channel:1", "$channel:2", "$channel:3"] * 3, *_PLACES, *_PLACES]
)
TRIGGER = st.sampled_from([*["$trigger"] * 9, "1.2.3"])
FRESH = st.sampled_from([*["$fresh"] * 9, "Ev1"])
NUMBER = st.sampled_from(
    [
        *("$incident:0", "$incident:1", "$incident:2", "$overid", "1", "2", "3", "0", "99999", "-1", "x", ""),
        *("\u00b2", "9" * 9, "9" * 40),
    ]
)
_WORD = st.sampled_from(
    ["monitoring", "closed", "identified", "SEV1", "SEV9", "lb-uneven-traffic", "0", "1", "7", "99", "", "x"]
)
TS = st.sampled_from(
    ["$ts:0", "$ts:1", "$ts:2", "1717410600.000100", "0", "-1", "9" * 30, "nan", "inf", "1e400", "soon"]
)
BUTTON = st.sampled_from([*BUTTONS, "draft_open", "self_destruct"])
_PARTS = st.builds("{}:{}".format, NUMBER, _WORD)
PRESSED = st.one_of(_PARTS, _PARTS, _PARTS, NUMBER, SHORT)
FORM = st.sampled_from(
    ["entry", "edit_entry", "update", "close", "step_note", "open_incident", "self_destruct"]
)
_FIELDS = [
    "text",
    "kind",
    "time",
    "title",
    "severity",
    "flags",
    "first",
    "impact",
    "cause",
    "fix",
    "began",
    "ended",
]
_KIND = st.sampled_from(
    ["note", "impact", "dead end", "runbook", "gossip", "SEV1", "SEV9", "private", "drill"]
)
MOMENT = st.sampled_from(
    ["", "now", "10:30", "15m ago", "yesterday 22:10 UTC", "25:00", "2024-06-03 10:00 UTC"]
)
_ADDRESS = st.sampled_from(["https://a.example/f", "javascript:alert(1)", "x>y|<!here>", ""]) | SHORT
# Made anew each time: what is put into a request may be changed there.
ODD = st.one_of(
    ANYTHING, ANYTHING, TEXT, st.builds(deep, st.just(40)), st.builds(dict), st.builds(list), PLAIN
)

_FILE = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["F1", "F0000000000", ""]) | ANYTHING,
        "name": SHORT | PLAIN,
        "title": SHORT,
        "permalink": _ADDRESS,
        "mimetype": st.sampled_from(["image/png", "text/plain"]) | SHORT,
    },
)
MESSAGE = st.fixed_dictionaries(
    {"ts": TS},
    optional={
        "user": USER | SHORT,
        "bot_id": st.just("B1"),
        "text": TEXT,
        "files": st.lists(_FILE, max_size=8) | ANYTHING,
        "permalink": _ADDRESS,
        "thread_ts": TS,
        "blocks": ANYTHING,
    },
)


def _value(text: Some) -> Some:
    """The state of an input element, of every type that Block Kit has."""
    option = st.fixed_dictionaries({"value": text, "text": st.just({"type": "plain_text", "text": "x"})})

    def one(kind: str, field: str, found: Some) -> Some:
        return st.fixed_dictionaries({"type": st.just(kind), field: found})

    typed = one("plain_text_input", "value", text)
    return st.one_of(
        typed,
        typed,
        typed,
        one("plain_text_input", "value", PLAIN),
        one("static_select", "selected_option", option | st.none() | ANYTHING),
        one("checkboxes", "selected_options", st.lists(option, max_size=3)),
        one("users_select", "selected_user", USER | PLAIN),
        one("datetimepicker", "selected_date_time", st.integers() | PLAIN),
        one("datepicker", "selected_date", SHORT),
        st.dictionaries(st.sampled_from(["type", "value", "selected_option", "selected_options"]), ANYTHING),
    )


PRESSED_ELEMENT = _value(SHORT)
_ELEMENT = st.dictionaries(
    st.sampled_from(["typed", "chosen", "ticked", "x", ""]), _value(TEXT), min_size=1, max_size=2
)
_PICKED = st.fixed_dictionaries({"chosen": _value(_KIND)})
_WHEN = st.fixed_dictionaries({"typed": _value(MOMENT | SHORT)})
_STATE = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(_FIELDS, _ELEMENT)
    | {"kind": _PICKED, "severity": _PICKED, "time": _WHEN, "began": _WHEN},
)
_VALUES = st.one_of(_STATE, _STATE, _STATE, st.dictionaries(SHORT, _ELEMENT, max_size=2), ANYTHING)
_KEPT = st.fixed_dictionaries(
    {},
    optional={
        "incident": NUMBER | PLAIN,
        "number": NUMBER,
        "run": NUMBER,
        "position": NUMBER,
        "channel": CHANNEL | SHORT,
        "ts": TS | SHORT,
        "author": USER | SHORT,
        "link": _ADDRESS,
        "images": st.lists(st.lists(SHORT, min_size=4, max_size=4), max_size=6).map(json.dumps) | SHORT,
        "shown": MOMENT,
    },
).map(json.dumps)
_MEMORY = st.one_of(_KEPT, _KEPT, _KEPT, _KEPT, SHORT, ANYTHING, st.just("[" * 100_000))
VIEW = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["$view", "V1", "V2"]),
        "type": st.just("modal"),
        "callback_id": FORM,
        "private_metadata": _MEMORY,
        "state": st.fixed_dictionaries({"values": _VALUES}),
        "hash": st.just("1.2"),
    }
)
