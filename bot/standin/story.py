"""A story: a list of deeds by the people of the workspace, written in YAML, read and checked here.

It knows nothing of any bot: what it can do is what people can do at the page, and `elsewhere`, which whoever plays
the story gives a meaning. bot/standin/player.py plays it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import yaml

#: what a step can do, each with an example for the sentence that refuses a wrong one
DEEDS = {
    "say": 'say: "logins fail"',
    "command": "command: /incident open Logins fail",
    "join": "join: true",
    "react": "react: eyes",
    "pin": "pin: true",
    "click": "click: Acknowledge",
    "submit": "submit: {Title: Logins fail}",
    "shortcut": "shortcut: Open an incident",
    "message_shortcut": "message_shortcut: Add to timeline",
    "upload": "upload: {filename: graph.txt, content: ...}",
    "elsewhere": "elsewhere: mend the balancer",
}
#: deeds done to a message, which `to` names by a text it holds
_ON_A_MESSAGE = ("react", "pin", "message_shortcut")
_OTHERS = ("caption", "as", "in", "at", "to", "thread_to", "wait", "then_expect", "timeout")
#: seconds a caption stands before its deed, unless the step says otherwise
WAIT = 2.0
#: seconds the text of `then_expect` may take
TIMEOUT = 20.0


class BadStory(ValueError):
    """The story cannot be read. The message is a sentence that names the step."""


@dataclass(frozen=True)
class Step:
    caption: str
    #: one of DEEDS, or None for a step that only tells, sets the clock or waits
    deed: str | None
    what: Any = None
    #: name of the person, without @
    who: str | None = None
    #: "#general", or "@incident" for the newest channel made since the story began
    where: str | None = None
    at: datetime | None = None
    to: str | None = None
    thread_to: str | None = None
    #: seconds at speed 1
    wait: float = WAIT
    then_expect: tuple[str, ...] = ()
    #: seconds
    timeout: float = TIMEOUT


@dataclass(frozen=True)
class Story:
    title: str
    intro: str
    steps: tuple[Step, ...] = field(default=())

    @classmethod
    def from_yaml(cls, text: str) -> Story:
        """Read and check a story. Raises BadStory."""
        try:
            read = yaml.safe_load(text)
        except yaml.YAMLError as problem:
            mark = getattr(problem, "problem_mark", None)
            line = f" on line {mark.line + 1}" if mark else ""
            raise BadStory(f"The story is not YAML{line}: {getattr(problem, 'problem', problem)}.") from None
        if not isinstance(read, dict):
            raise BadStory("A story is a mapping with `title`, `intro` and `steps`.")
        unknown = sorted(set(map(str, read)) - {"title", "intro", "steps"})
        if unknown:
            raise BadStory(f"A story has `title`, `intro` and `steps`, not `{unknown[0]}`.")
        steps = read.get("steps")
        if not isinstance(steps, list) or not steps:
            raise BadStory("A story needs `steps`: a list with at least one step.")
        if not isinstance(read.get("title"), str):
            raise BadStory("A story needs a `title`: a line of text.")
        made: list[Step] = []
        for number, step in enumerate(steps, 1):
            made.append(_step(number, step, made[-1].where if made else None))
        return cls(read["title"], str(read.get("intro") or "").strip(), tuple(made))


def _step(number: int, raw: object, before: str | None) -> Step:
    if not isinstance(raw, Mapping):
        raise BadStory(f"Step {number} is not a mapping such as `{{caption: ..., as: ana, say: ...}}`.")
    caption = str(raw.get("caption") or "").strip()
    name = f"Step {number}" + (f' ("{caption}")' if caption else "")
    for word in raw:
        if word not in DEEDS and word not in _OTHERS:
            raise BadStory(f"{name} has `{word}`, which no step has. Deeds are {', '.join(DEEDS)}.")
    deeds = [word for word in DEEDS if word in raw]
    if len(deeds) > 1:
        raise BadStory(f"{name} does {' and '.join(deeds)}: write one step for each.")
    deed = deeds[0] if deeds else None
    where = _text(name, raw, "in") or before
    what = _what(name, deed, raw) if deed else None
    _check_place(name, deed, raw, where)
    if deed is None and not (caption or raw.get("at") or raw.get("then_expect")):
        raise BadStory(f"{name} does nothing. Give it a deed, such as `{DEEDS['say']}`, or a caption.")
    return Step(
        caption=caption,
        deed=deed,
        what=what,
        who=(_text(name, raw, "as") or "").removeprefix("@") or None,
        where=where,
        at=_moment(name, raw.get("at")),
        to=_text(name, raw, "to"),
        thread_to=_text(name, raw, "thread_to"),
        wait=_seconds(name, raw, "wait", WAIT),
        then_expect=_texts(name, raw.get("then_expect")),
        timeout=_seconds(name, raw, "timeout", TIMEOUT),
    )


def _check_place(name: str, deed: str | None, raw: Mapping[str, Any], where: str | None) -> None:
    if deed and not raw.get("as"):
        raise BadStory(f"{name} does not say who does it. Add `as: ana`.")
    if where is not None and where[:1] not in "#@":
        raise BadStory(
            f"{name} is in `{where}`. Write `in: '#general'`, or `in: '@incident'` for the newest one."
        )
    if deed and deed not in ("submit", "shortcut") and where is None:
        raise BadStory(f"{name} does not say where. Add `in: '#general'`.")
    if raw.get("then_expect") and where is None:
        raise BadStory(f"{name} expects a text but does not say where. Add `in: '#general'`.")
    if deed in _ON_A_MESSAGE and not raw.get("to"):
        raise BadStory(f"{name} does not say to which message. Add `to:` with a text the message holds.")
    if raw.get("thread_to") and deed not in ("say", "upload"):
        raise BadStory(f"{name} has `thread_to`, which only say and upload can use.")


def _what(name: str, deed: str, raw: Mapping[str, Any]) -> Any:
    """The object of the deed, in the shape the player takes."""
    what = raw[deed]
    if deed in ("pin", "join"):
        if what is True:
            return True
    elif deed == "submit":
        if what is None or isinstance(what, Mapping):
            return {str(label): value for label, value in (what or {}).items()}
    elif deed == "upload":
        if isinstance(what, Mapping) and what.get("filename") and isinstance(what.get("content"), str):
            return dict(what)
    elif isinstance(what, str) and what.strip() and (deed != "command" or what.startswith("/")):
        return what.strip(":") if deed == "react" else what
    raise BadStory(f"{name} cannot {deed.replace('_', ' ')} `{what}`. Write it like `{DEEDS[deed]}`.")


def _text(name: str, raw: Mapping[str, Any], word: str) -> str | None:
    value = raw.get(word)
    if value is not None and not isinstance(value, str):
        raise BadStory(f"{name}: `{word}` is text, not `{value}`. Put it in quotes.")
    return value


def _texts(name: str, value: object) -> tuple[str, ...]:
    several = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(each, str) and each for each in several):
        raise BadStory(f"{name}: `then_expect` is a text, or a list of texts.")
    return tuple(several)


def _seconds(name: str, raw: Mapping[str, Any], word: str, otherwise: float) -> float:
    value = raw.get(word, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 600:
        raise BadStory(f"{name}: `{word}` is a number of seconds from 0 to 600, not `{value}`.")
    return float(value)


def _moment(name: str, value: object) -> datetime | None:
    if value is None:
        return None
    read = value
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value)
        except ValueError:
            read = None
    if not isinstance(read, datetime):
        raise BadStory(f"{name}: `at` is a time such as `2024-06-03T10:30:00Z`, not `{value}`.")
    # YAML's own timestamps and times without a zone are read as UTC.
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
