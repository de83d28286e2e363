"""The reading of one JSON object against Slack's rules: what must be there, how long it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.standin.model import Json


@dataclass(frozen=True)
class Problem:
    pointer: str
    reason: str

    def __str__(self) -> str:
        return f"[ERROR] {self.reason} [json-pointer:{self.pointer}]"


@dataclass
class Check:
    """Walks a payload and notes every problem with the JSON pointer to it."""

    problems: list[Problem] = field(default_factory=list)

    def note(self, at: str, reason: str) -> None:
        self.problems.append(Problem(at, reason))

    def is_object(self, value: Any, at: str) -> bool:
        if isinstance(value, dict):
            return True
        self.note(at, "must be an object")
        return False

    def needs(self, thing: Json, at: str, *names: str) -> None:
        for name in names:
            if thing.get(name) in (None, "", []):
                self.note(at, f"missing required field: {name}")

    def only(self, thing: Json, at: str, known: Sequence[str]) -> None:
        for name in thing:
            if name not in known:
                self.note(f"{at}/{name}", f"no more than the known fields allowed: {name}")

    def length(self, value: Any, at: str, most: int, least: int = 0) -> None:
        """A string of `least` to `most` characters; left out is fine."""
        if value is None:
            return
        if not isinstance(value, str):
            self.note(at, "must be a string")
        elif len(value) > most:
            self.note(at, f"must be less than {most + 1} characters")
        elif len(value) < least:
            self.note(at, f"must be more than {least - 1} characters")

    def items(self, value: Any, at: str, most: int, least: int = 1) -> list[Any]:
        """The items of a list of `least` to `most`; [] when it is no list."""
        if not isinstance(value, list):
            self.note(at, "must be an array")
            return []
        if len(value) > most:
            self.note(at, f"no more than {most} items allowed")
        elif len(value) < least:
            self.note(at, f"must have at least {least} items")
        return value

    def one_of(self, value: Any, at: str, allowed: Sequence[str]) -> None:
        if value is not None and value not in allowed:
            self.note(at, f"must be one of {', '.join(allowed)}")

    def text(self, value: Any, at: str, most: int, *, is_plain: bool = False, least: int = 1) -> None:
        """A text object: plain_text, or mrkdwn where that is allowed."""
        if not self.is_object(value, at):
            return
        kind = value.get("type")
        allowed = ("plain_text",) if is_plain else ("plain_text", "mrkdwn")
        if kind not in allowed:
            self.note(f"{at}/type", f"unsupported type: {kind}; must be one of {', '.join(allowed)}")
        known = ("type", "text", "emoji") if kind == "plain_text" else ("type", "text", "verbatim")
        self.only(value, at, known)
        if value.get("text") is None:
            self.note(at, "missing required field: text")
        self.length(value.get("text"), f"{at}/text", most, least)
