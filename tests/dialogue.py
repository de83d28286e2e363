"""Dialogues: a plain text of what people do in the stand-in workspace and what they must see. `play(file, town)`.

    at 2024-06-03T10:32Z                       the whole town lives at this moment from now on
    ana #general: /incident open logins fail   a command, or a message when it begins with no slash
    ben @incident: hello                       the channel of the newest incident; @inc-0001 is that one's
    ben replies to "hello": good morning       in the thread of the newest message with these words
    ben joins @incident
    ana reacts :pushpin: to "hello"            also: ana pins "hello"
    ana uses add_to_timeline on "hello"        a shortcut, on a message or (without `on`) a global one
    ana clicks "Done" on "step 1"              a button of the newest message with these words
    ana chooses "Monitoring" on "Opened"       an option of one of its menus
    ana submits {"Impact": "half of them"}     the form on top, filled in by label or block id

    bot> Logged *#2*                           a part of the answer to the last deed; `...` is anything
    form> Close inc-0001                       a part of the form now on top
    channel> alarms on login                   stands in the channel of the last deed, now or in a moment
    #incidents> logins fail                    stands in that channel
    whisper> already on the timeline           only the last one to act sees it, there or in a direct message
    noted> hello                               the bot has marked the message with these words as an entry
    timeline> detection: alarms on login       an entry that stands, in any order
    draft> ## Timeline                         in the newest draft, behind what the last `draft>` found
    draft                                      look at the draft from its beginning again

An indented line goes on with the line above. `#` with a space behind it begins a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.standin import forms
from bot.standin.person import Denied, Person
from tests.houses import Town

Json = dict[str, Any]

_PATIENCE = 8.0


@dataclass(frozen=True)
class Line:
    number: int
    text: str


def lines_of(text: str) -> Iterator[Line]:
    """The lines that say something, with their numbers; indented ones joined to the one above."""
    open_line: Line | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        if not raw.strip() or raw.startswith("# ") or raw.strip() == "#":
            continue
        if raw[0].isspace():
            assert open_line is not None, f"line {number} goes on with nothing"
            open_line = Line(open_line.number, f"{open_line.text} {raw.strip()}")
            continue
        if open_line is not None:
            yield open_line
        open_line = Line(number, raw.rstrip())
    if open_line is not None:
        yield open_line


def pattern(expected: str) -> re.Pattern[str]:
    """Words to look for, where `...` is anything and any run of blanks is as good as another."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in expected.split("...")]
    return re.compile(r".*?".join(parts), re.DOTALL)


def words_of(message: Json) -> str:
    """Everything a message, form or answer shows, as one text."""
    found: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, str):
            found.append(node)
        elif isinstance(node, list):
            for one in node:
                walk(one)
        elif isinstance(node, dict):
            for key in ("title", "text", "label", "fields", "elements", "element", "accessory", "blocks"):
                walk(node.get(key))
            walk(node.get("initial_value"))

    walk({"text": message.get("text"), "title": message.get("title"), "blocks": message.get("blocks")})
    found += [file["name"] for file in message.get("files") or []]
    # A moment stands there in the zone of who reads; its fallback says it in UTC.
    return re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", "\n".join(found))


def offers(message: Json, label: str) -> bool:
    """True when a message has this button, or a menu with this option; every message offers nothing."""
    elements = [element for block in message["blocks"] for element in forms.elements_of(block)]
    labels = [
        one["text"]["text"]
        for element in elements
        for one in (element, *forms.options_of(element))
        if "text" in one
    ]
    return not label or label in labels


class Dialogue:
    """One dialogue in a town; the words of each line are a method below."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._number = 0
        self._who: Person = town.ana
        self._place = "#general"
        self._answer = ""
        self._read_to = 0
        self._deeds: list[tuple[re.Pattern[str], Callable[..., None]]] = [
            (re.compile(form, re.DOTALL), deed)
            for form, deed in (
                (r"at (\S+)", self._at),
                (r"draft", self._draft_again),
                (r"(\w+) ([#@][\w-]+): (.+)", self._speaks),
                (r'(\w+) replies to "(.+?)": (.+)', self._replies),
                (r"(\w+) joins (@[\w-]+)", self._joins),
                (r'(\w+) reacts :([\w+-]+): to "(.+)"', self._reacts),
                (r'(\w+) pins "(.+)"', self._pins),
                (r'(\w+) uses (\w+)(?: on "(.+)")?', self._uses),
                (r'(\w+) (?:clicks|chooses) "(.+?)" on "(.+)"', self._clicks),
                (r"(\w+) submits (\{.*\})", self._submits),
                (r"bot> (.+)", self._bot),
                (r"form> (.+)", self._form),
                (r"channel> (.+)", self._channel),
                (r"(#[\w-]+)> (.+)", self._elsewhere),
                (r"whisper> (.+)", self._whisper),
                (r"noted> (.+)", self._noted),
                (r"timeline> (.+)", self._timeline),
                (r"draft> (.+)", self._draft),
            )
        ]

    def run(self, line: str) -> None:
        """Do or check what one line says. Raises AssertionError."""
        for form, deed in self._deeds:
            found = form.fullmatch(line)
            if found is not None:
                deed(*found.groups())
                return
        raise AssertionError("this line is no deed and no expectation; tests/dialogue.py lists them")

    # Doing

    def _at(self, moment: str) -> None:
        self._town.settled()
        self._town.set_clock(datetime.fromisoformat(moment))

    def _speaks(self, who: str, place: str, text: str) -> None:
        self._who, self._place = self._person(who), self._channel_of(place)
        if text.startswith("/"):
            answer = self._who.types(text, self._place)
            self._answer = words_of(answer.get("answer") or {})
        else:
            self._who.says(self._place, text)

    def _replies(self, who: str, words: str, text: str) -> None:
        self._who = self._person(who)
        parent = self._message(words)
        self._who.says(self._place, text, thread_ts=parent["ts"])

    def _joins(self, who: str, place: str) -> None:
        someone = self._person(who)
        channel = self._channel_of(place)
        someone.joins(channel)
        number = self._number
        # The event comes by itself; what follows in the dialogue counts on its entry.
        someone.waits_for(
            lambda: any(one.text == f"<@{someone.id}> joined" for one in self._town.entries(number)),
            _PATIENCE,
        )

    def _reacts(self, who: str, name: str, words: str) -> None:
        self._who = self._person(who)
        self._who.reacts(self._message(words), name)

    def _pins(self, who: str, words: str) -> None:
        self._who = self._person(who)
        self._who.pins(self._message(words))

    def _uses(self, who: str, callback: str, words: str | None) -> None:
        self._who = self._person(who)
        if words is None:
            self._who.opens_shortcut(callback)
        else:
            self._who.message_shortcut(callback, self._message(words))

    def _clicks(self, who: str, label: str, words: str) -> None:
        self._who = self._person(who)
        self._who.clicks(self._seen(self._place, words, self._who, offering=label), label)

    def _submits(self, who: str, values: str) -> None:
        self._who = self._person(who)
        view = self._top_form()
        answer = self._who.submits(view, json.loads(values))
        self._answer = "\n".join((answer.get("errors") or {}).values())

    # Seeing

    def _bot(self, expected: str) -> None:
        assert pattern(expected).search(self._answer), f"the bot answered: {self._answer or 'nothing'}"

    def _form(self, expected: str) -> None:
        shown = words_of(self._top_form())
        assert pattern(expected).search(shown), f"the form shows: {shown}"

    def _channel(self, expected: str) -> None:
        self._message(expected)

    def _elsewhere(self, place: str, expected: str) -> None:
        self._seen(place, expected, self._town.ana)

    def _whisper(self, expected: str) -> None:
        self._seen(self._place, expected, self._who, is_ephemeral=True)

    def _noted(self, words: str) -> None:
        message = self._message(words)

        def is_marked() -> bool:
            there = self._who.replies(message["channel"], message.get("thread_ts") or message["ts"])
            marks = [one["reactions"] for one in there if one["ts"] == message["ts"]]
            return any(reaction["name"] == "memo" for reaction in (marks or [[]])[0])

        self._who.waits_for(is_marked, _PATIENCE)

    def _timeline(self, expected: str) -> None:
        told = [f"{one.kind.value}: {one.text}" for one in self._town.entries(self._number)]
        assert any(pattern(expected).search(one) for one in told), "the timeline is:\n" + "\n".join(told)

    def _draft_again(self) -> None:
        self._read_to = 0

    def _draft(self, expected: str) -> None:
        text = self._town.draft(self._number)
        found = pattern(expected).search(text, self._read_to)
        assert found is not None, f"the rest of the draft is:\n{text[self._read_to :]}"
        self._read_to = found.end()

    # Inside

    def _person(self, name: str) -> Person:
        someone = getattr(self._town, name, None)
        assert isinstance(someone, Person), f"{name} is nobody in this town"
        return someone

    def _channel_of(self, place: str) -> str:
        if place.startswith("#"):
            return place
        if place != "@incident":
            self._number = int(place.removeprefix("@inc-"))
        else:
            while self._town.has(self._number + 1):
                self._number += 1
        self._town.settled()
        channel = self._town.incident(self._number).channel_id
        assert channel is not None, "the incident has no channel"
        return channel

    def _message(self, words: str) -> Json:
        return self._seen(self._place, words, self._who)

    def _seen(
        self, place: str, words: str, who: Person, *, is_ephemeral: bool = False, offering: str = ""
    ) -> Json:
        wanted = pattern(words)
        seen: list[Json] = []

        def look() -> Json | None:
            seen[:] = [one for one in who.messages(place) if bool(one.get("ephemeral")) == is_ephemeral]
            if is_ephemeral:
                directs = [one["id"] for one in who.state()["channels"] if one.get("is_im")]
                seen.extend(message for direct in directs for message in who.messages(direct))
            for parent in [one for one in seen if one.get("reply_count")]:
                seen.extend(who.replies(place, parent["ts"])[1:])
            found = [one for one in seen if wanted.search(words_of(one)) and offers(one, offering)]
            return found[-1] if found else None

        try:
            return who.waits_for(look, _PATIENCE)
        except TimeoutError:
            shown = "\n".join(f"| {words_of(one)}" for one in seen)
            raise AssertionError(f"“{words}” is not there; there is:\n{shown or 'nothing'}") from None

    def _top_form(self) -> Json:
        views = self._who.views()
        assert views, f"no form is open; the bot answered: {self._answer or 'nothing'}"
        return views[-1]


def play(file: Path, town: Town) -> None:
    """Play a dialogue. A line that fails is named with its file, its number, and what came instead."""
    dialogue = Dialogue(town)
    for line in lines_of(file.read_text(encoding="utf-8")):
        try:
            dialogue.run(line.text)
        except (AssertionError, LookupError, TimeoutError, ValueError, Denied) as problem:
            place = f"{file.parent.name}/{file.name}:{line.number}"
            raise AssertionError(f"{place}: {line.text}\n{problem}") from problem
