"""The ground that requests are thrown at: a running Lantern on SQLite with a stand-in Slack behind it."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from bot.domain.incident import Incident
from bot.domain.pace import Pace
from bot.slack.app import Reply
from bot.standin import forms
from bot.standin.outward import signature
from bot.store import incident as incidents
from bot.store import postmortem
from tests.fuzz.requests import Json, Plan
from tests.houses import Town

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
_NAMED = re.compile(r"\$(trigger|fresh|view|bot|private|overid|over|(?:channel|incident|ts|user):[0-9])")
#: What opens each of the forms.
_OPENERS = [
    ("/log", ""),
    ("/incident update", ""),
    ("/incident close", ""),
    ("/incident", ""),
    ("/log edit 2", ""),
]
_ANA = "U0ANA00000"


@dataclass(frozen=True)
class Sent:
    """What was sent, and the answer. `view` is the form that was open; `opened`: forms opened by this request."""

    reply: Reply
    body: Json
    view: Json | None
    opened: int
    content: bytes
    content_type: str


class Ground:
    """`with Ground(folder) as ground: ground.send(plan)`."""

    def __init__(self, folder: Path) -> None:
        self.town = Town(
            f"sqlite:///{folder / 'lantern.db'}", transport="http", pace=Pace(time.monotonic, {}, {})
        )
        self._count = itertools.count(1)
        self._stack = ExitStack()
        self._known: list[Incident] = []

    def __enter__(self) -> Self:
        self._stack.enter_context(self.town)
        self._told: dict[str, str] = {"bot": self.town.app.bot_user_id}
        self._people = [user.id for user in self.town.standin.workspace.users.values()]
        self._furnish()
        self.look_around()
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    def _furnish(self) -> None:
        ana = self.town.ana
        for title in (
            "logins fail sev2",
            "images are slow sev3",
            "--private payroll sev2",
            "a false alarm sev4",
        ):
            ana.types(f"/incident open {title}", "#general")
        self.town.settled(60)
        first, second, private, over = (self.town.incident(number) for number in (1, 2, 3, 4))
        for about in (first, second):
            place = str(about.channel_id)
            for line in (
                "/log impact: half of the users",
                "/log the pool is small",
                "/runbook start lb-uneven-traffic",
            ):
                ana.types(line, place)
            for text in ("it is the <https://a.example|balancer>", "<@U0BEN00000> looks", "weights are back"):
                ana.says(place, text)
        ana.types("/incident cancel false alarm", str(over.channel_id))
        self.town.settled(60)
        self._told |= {
            "private": str(private.channel_id),
            "over": str(over.channel_id),
            "overid": str(over.id),
        }

    def look_around(self) -> list[str]:
        """Learn which incidents are open now, and give their channels; open another when there are none."""
        with self.town.house.db.reading() as session:
            found = incidents.find_visible(session, to=_ANA, is_over=False, limit=10)
        there = self.town.standin.workspace.channels
        self._known = [one for one in found if one.channel_id in there and not one.is_archived]
        if not self._known:
            self.town.opened("/incident open another one sev3")
            self.look_around()
        return [str(one.channel_id) for one in self._known]

    def drafts(self) -> list[str]:
        """The postmortem drafts of the open incidents, compiled now."""
        found = []
        for about in self._known:
            self.town.ana.types("/postmortem compile", str(about.channel_id))
            with self.town.house.db.reading() as session:
                revision = postmortem.latest(session, about.id)
            if revision is not None:
                found.append(revision.markdown)
        return found

    # What only a running house knows

    def _meant(self, match: re.Match[str]) -> str:
        name, _, place = match[1].partition(":")
        if name == "trigger":
            return self._trigger(_ANA)
        if name in {"fresh", "view"}:
            return f"{name[0].upper()}fuzz{next(self._count)}"
        if name == "user":
            return self._people[int(place) % len(self._people)]
        if not place:
            return self._told[name]
        about = self._known[int(place) % len(self._known)]
        if name == "channel":
            return str(about.channel_id)
        if name == "incident":
            return str(about.id)
        said = list(self.town.standin.workspace.channels[str(self._known[0].channel_id)].messages)
        return said[int(place) % len(said)] if said else "1717410600.000100"

    def _filled_in(self, found: Any) -> Any:
        if isinstance(found, dict):
            return {key: self._filled_in(one) for key, one in found.items()}
        if isinstance(found, list):
            return [self._filled_in(one) for one in found]
        return _NAMED.sub(self._meant, found) if isinstance(found, str) and "$" in found else found

    def _trigger(self, user: str) -> str:
        standin = self.town.standin
        with standin.workspace.lock:
            return standin.views.new_trigger(self.town.app, user)

    # Sending

    def send(self, plan: Plan) -> Sent:
        """Send it by its way, and give what came back."""
        view = None
        body = self._filled_in(plan.body)
        if plan.typed:
            view = self._opened(len(plan.typed), plan.typed)
            if view is not None:
                body = {**body, "user": {"id": _ANA}, "type": "view_submission", "view": view}
        content, kind = _written(plan, body)
        headers = {"content-type": plan.content_type or kind}
        headers |= _sealed(plan.seal, self.town.app.signing_secret, content)
        before = len(self.town.standin.calls("views.open"))
        if plan.way == "http":
            reply = self._over_http(headers, content)
        else:
            reply = self.town.house.door.http(headers, content, 1.5 if plan.way == "late" else 0.0)
        opens = self.town.standin.calls("views.open")[before:]
        return Sent(
            reply,
            _read(headers["content-type"], body if plan.shape != "raw" else content),
            view,
            sum(bool(one.answer_ok) for one in opens),
            content,
            headers["content-type"],
        )

    def _opened(self, which: int, typed: tuple[str, ...]) -> Json | None:
        """A form opened by a real command, with these texts in its fields; None when it did not open."""
        line = _OPENERS[(which + len(typed[0])) % len(_OPENERS)][0]
        command, _, text = line.partition(" ")
        fields = {"command": command, "text": text, "user_id": _ANA, "trigger_id": self._trigger(_ANA)}
        fields["channel_id"] = str(self._known[len(typed[-1]) % len(self._known)].channel_id)
        content = urlencode(fields).encode()
        headers = {"content-type": FORM} | _sealed("right", self.town.app.signing_secret, content)
        self.town.house.door.http(headers, content)
        standin = self.town.standin
        with standin.workspace.lock:
            stack = [json.loads(json.dumps(one)) for one in standin.views.stack(_ANA)]
            standin.views.close_all(_ANA)
        return _filled(stack[-1], typed) if stack else None

    def _over_http(self, headers: dict[str, str], content: bytes) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.town.house.web.url).netloc, timeout=30)
        try:
            connection.request("POST", "/slack/events", content, headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read().decode(), dict(answer.getheaders()))
        finally:
            connection.close()


def _filled(view: Json, typed: tuple[str, ...]) -> Json:
    """The form with these texts in its fields in turn, cut where Slack's client cuts them."""
    at = itertools.count()
    for block in view["blocks"]:
        if block.get("type") != "input":
            continue
        element, text = block["element"], typed[next(at) % len(typed)]
        state = view["state"]["values"].setdefault(block["block_id"], {})
        options = forms.options_of(element)
        if element["type"] == "plain_text_input":
            text = text[: int(element.get("max_length") or 3000)]
            state[element["action_id"]] = forms.chosen(element, text or None)
        elif options:
            state[element["action_id"]] = forms.chosen(element, options[len(text) % len(options)])
    return view


def _read(kind: str, body: Any) -> Json:
    """What was sent as an object, when it is one."""
    if isinstance(body, bytes):
        try:
            form = {} if "json" in kind.lower() else parse_qs(body.decode())
            body = json.loads(form["payload"][0] if "payload" in form else body)
        except (ValueError, RecursionError):
            return {}
    return body if isinstance(body, dict) else {}


def _written(plan: Plan, body: Any) -> tuple[bytes, str]:
    if plan.shape == "raw":
        return str(body).encode("latin-1", "replace"), JSON
    if plan.shape == "json":
        return json.dumps(body).encode(), JSON
    if plan.shape == "payload":
        return urlencode({"payload": json.dumps(body)}).encode(), FORM
    fields = {str(key): one if isinstance(one, str) else json.dumps(one) for key, one in body.items()}
    return urlencode(fields, errors="surrogatepass").encode(), FORM


def _sealed(seal: str, secret: str, content: bytes) -> dict[str, str]:
    now = int(time.time())
    at = now + {"old": -400, "early": 400}.get(seal, 0)
    right = signature("another secret" if seal == "other secret" else secret, content, at)
    found = {name.lower(): value for name, value in right.items()}
    stamp, mark = "x-slack-request-timestamp", "x-slack-signature"
    match seal:
        case "wrong":
            found[mark] = "v0=" + "0" * 64
        case "none":
            return {}
        case "half":
            del found[mark]
        case "words":
            found[stamp] = "\xb2soon" if now % 2 else "9" * 400
        case "version":
            found[mark] = "v1" + found[mark][2:]
    return found
