"""A person at the stand-in's page, for tests: says, clicks, fills in, reads, over the page's endpoints."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from bot.standin import forms

Json = dict[str, Any]
Found = TypeVar("Found")


class Denied(Exception):
    """The workspace refused a deed; `.answer` is the whole answer, `.error` its word."""

    def __init__(self, answer: Json) -> None:
        super().__init__(f"{answer.get('error')}: {answer.get('hint', '')}")
        self.answer = answer
        self.error = str(answer.get("error"))


class Person:
    """`Person(standin.url, "U0ANA00000")`.  Deeds raise Denied; a channel is a name (#general) or an id."""

    def __init__(self, url: str, user_id: str) -> None:
        self.url = url.rstrip("/")
        self.id = user_id

    # Doing

    def act(self, do: str, **asked: Any) -> Json:
        """Any deed of POST /ui/act."""
        answer: Json = self._ask("/ui/act", {"as": self.id, "do": do, **asked})
        if not answer.get("ok"):
            raise Denied(answer)
        return answer

    def says(self, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Post a message; gives its ts."""
        return str(
            self.act("message", channel=self.channel_id(channel), text=text, thread_ts=thread_ts)["ts"]
        )

    def types(self, line: str, channel: str = "#general") -> Json:
        """Run a slash command typed whole (`/incident open ...`); gives {ack_ms, answer}."""
        command, _, text = line.partition(" ")
        return self.act("command", channel=self.channel_id(channel), command=command, text=text)

    def reacts(self, message: Json | str, name: str, channel: str | None = None) -> None:
        self.act("react", **self._spot(message, channel), name=name)

    def unreacts(self, message: Json | str, name: str, channel: str | None = None) -> None:
        self.act("unreact", **self._spot(message, channel), name=name)

    def pins(self, message: Json | str, channel: str | None = None) -> None:
        self.act("pin", **self._spot(message, channel))

    def unpins(self, message: Json | str, channel: str | None = None) -> None:
        self.act("unpin", **self._spot(message, channel))

    def edits(self, message: Json | str, text: str, channel: str | None = None) -> None:
        self.act("edit", **self._spot(message, channel), text=text)

    def deletes(self, message: Json | str, channel: str | None = None) -> None:
        self.act("delete", **self._spot(message, channel))

    def uploads(self, channel: str, filename: str, content: bytes, text: str = "") -> Json:
        encoded = base64.b64encode(content).decode()
        return self.act(
            "upload", channel=self.channel_id(channel), filename=filename, content_base64=encoded, text=text
        )

    def creates(self, name: str, *, is_private: bool = False) -> str:
        """Make a channel; gives its id."""
        return str(self.act("create_channel", name=name, is_private=is_private)["channel"])

    def joins(self, channel: str) -> None:
        self.act("join", channel=self.channel_id(channel))

    def leaves(self, channel: str) -> None:
        self.act("leave", channel=self.channel_id(channel))

    def invites(self, channel: str, user: str) -> None:
        self.act("invite", channel=self.channel_id(channel), user=user)

    def archives(self, channel: str) -> None:
        self.act("archive", channel=self.channel_id(channel))

    def opens_home(self) -> None:
        self.act("open_home")

    def opens_shortcut(self, callback_id: str) -> Json:
        return self.act("shortcut", callback_id=callback_id)

    def message_shortcut(self, callback_id: str, message: Json | str, channel: str | None = None) -> Json:
        return self.act("message_shortcut", callback_id=callback_id, **self._spot(message, channel))

    def clicks(self, on: Json, label: str, choice: Any = None) -> Json:
        """Press a button, or choose in a menu, of a message or view: named by label, action_id or value."""
        for block in on["blocks"]:
            for element in forms.elements_of(block):
                if label in _labels(element):
                    return self._clicks(on, block, element, choice or _option_called(element, label))
        offered = [name for b in on["blocks"] for e in forms.elements_of(b) for name in _labels(e)[:1]]
        raise LookupError(f"There is no `{label}` to click on. There are: {', '.join(offered) or 'none'}.")

    def _clicks(self, on: Json, block: Json, element: Json, choice: Any) -> Json:
        asked: Json = {"block_id": block["block_id"], "action_id": element["action_id"]}
        if element["type"] == "overflow":
            asked["selected_option"] = forms.chosen({**element, "type": "static_select"}, choice)[
                "selected_option"
            ]
        elif element["type"] != "button":
            asked |= {k: v for k, v in forms.chosen(element, choice).items() if k != "type"}
        if "root_view_id" in on:
            return self.act("click", view_id=on["id"], **asked)
        return self.act("click", channel=on["channel"], ts=on["ts"], **asked)

    def submits(self, view: Json, values: Json | None = None) -> Json:
        """Fill in fields (by label, block_id or action_id) and submit; gives {ack_ms, closed, errors?}."""
        state = json.loads(json.dumps(view["state"]["values"]))
        for name, wanted in (values or {}).items():
            block, element = _field(view, name)
            state.setdefault(block["block_id"], {})[element["action_id"]] = forms.chosen(element, wanted)
        return self.act("submit", view_id=view["id"], values=state)

    def closes(self, view: Json) -> None:
        self.act("close_view", view_id=view["id"])

    def options(self, on: Json, action_id: str, typed: str = "") -> list[Json]:
        """What an external select offers for some typed text."""
        spot: Json = (
            {"view_id": on["id"]} if "root_view_id" in on else {"channel": on["channel"], "ts": on["ts"]}
        )
        found = self.act("options", **spot, action_id=action_id, value=typed)
        return list(found["options"])

    # Seeing

    def state(self) -> Json:
        return self._read("/ui/state", {})

    def views(self) -> list[Json]:
        """The open modals, bottom first."""
        return list(self.state()["views"])

    def home(self) -> Json | None:
        found: Json | None = self.state()["home"]
        return found

    def channel(self, name: str) -> Json:
        """A channel by name (with or without #) or id.  Raises LookupError when it is not to be seen."""
        for channel in self.state()["channels"]:
            if name.removeprefix("#") in (channel["name"], channel["id"]):
                return dict(channel)
        raise LookupError(f"{self.id} sees no channel {name}.")

    def channel_id(self, name: str) -> str:
        if name[:1] in "CDG" and name.isupper():
            return name
        return str(self.channel(name)["id"])

    def messages(self, channel: str, limit: int = 200) -> list[Json]:
        """What stands in the channel, oldest first, each with its `channel` id added."""
        place = self.channel_id(channel)
        found = self._read("/ui/messages", {"channel": place, "limit": limit})["messages"]
        return [m | {"channel": place} for m in found]

    def replies(self, channel: str, ts: str) -> list[Json]:
        place = self.channel_id(channel)
        found = self._read("/ui/replies", {"channel": place, "ts": ts})["messages"]
        return [m | {"channel": place} for m in found]

    def waits_for(self, look: Callable[[], Found | None], timeout: float = 15.0) -> Found:
        """Poll until `look` gives something true; gives that.  A LookupError counts as not yet."""
        end = time.monotonic() + timeout
        problem: Exception | None = None
        while time.monotonic() < end:
            try:
                found = look()
            except LookupError as not_yet:
                problem = not_yet
            else:
                if found:
                    return found
            time.sleep(0.02)
        raise TimeoutError(f"{self.id} waited {timeout:g} s in vain.") from problem

    def waits_for_message(self, channel: str, text: str, timeout: float = 15.0) -> Json:
        """The newest message that holds the text, in its text or its blocks, once it is there."""

        def look() -> Json | None:
            found = [m for m in self.messages(channel) if text in m["text"] or text in _words(m["blocks"])]
            return found[-1] if found else None

        return self.waits_for(look, timeout)

    # Inside

    def _spot(self, message: Json | str, channel: str | None) -> Json:
        if isinstance(message, dict):
            return {"channel": message["channel"], "ts": message["ts"]}
        if channel is None:
            raise LookupError("A message named by its ts needs its channel too.")
        return {"channel": self.channel_id(channel), "ts": message}

    def _read(self, path: str, asked: Json) -> Json:
        with urllib.request.urlopen(f"{self.url}{path}?{urlencode({'as': self.id, **asked})}") as answer:  # noqa: S310
            found: Json = json.load(answer)
        return found

    def _ask(self, path: str, body: Json) -> Json:
        request = urllib.request.Request(  # noqa: S310
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            found: Json = json.load(answer)
        return found


def _labels(element: Json) -> list[str]:
    shown = element.get("text", {}).get("text")
    options = [name for o in forms.options_of(element) for name in (o["text"]["text"], o.get("value", ""))]
    return [name for name in (shown, element.get("action_id"), element.get("value"), *options) if name]


def _option_called(element: Json, label: str) -> str | None:
    is_option = any(label in (o["text"]["text"], o.get("value")) for o in forms.options_of(element))
    return label if is_option else None


def _field(view: Json, name: str) -> tuple[Json, Json]:
    for block in view["blocks"]:
        for element in forms.elements_of(block):
            label = block.get("label", {}).get("text")
            if name in (label, block.get("block_id"), element["action_id"]):
                return block, element
    labels = [b["label"]["text"] for b in view["blocks"] if "label" in b]
    raise LookupError(f"The view has no field `{name}`. It has: {', '.join(labels) or 'none'}.")


def _words(blocks: list[Json]) -> str:
    return json.dumps(blocks, ensure_ascii=False)
