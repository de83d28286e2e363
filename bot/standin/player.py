"""Plays a story in a thread of its own, through the same deeds as POST /ui/act."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.standin import forms
from bot.standin.model import Json
from bot.standin.refused import Refused
from bot.standin.said import button, field, ids, plain, words
from bot.standin.server import Standin
from bot.standin.story import Step, Story
from bot.standin.ui import Sight

Act = Callable[[Json], Json]
#: channel id -> ts -> what the message says
Prints = dict[str, dict[str, str]]

#: seconds between two looks for what a step waits for
LOOK_EVERY = 0.05
_OF_IDS = ("users_select", "channels_select", "conversations_select")


class Stuck(Exception):
    """A step cannot be done. The message is the rest of a sentence."""


class _Left(Exception):
    """The player was paused or stopped while it waited."""


class Player:
    """`act` and `sees` are the stand-in's own. `set_clock` sets its clock (seconds since 1970), `on_clock` hears
    the same moment for the bot's clock, `on_change` that `state()` has changed, `on_elsewhere` what is done outside.

    `do("play" | "pause" | "step" | "restart" | "speed")` may be called from any thread. A step that fails stops the
    story with a sentence; play tries that step again. A restart does not undo what was done. At the end and at a
    restart both clocks are told None: the real time.
    """

    def __init__(
        self,
        story: Story,
        act: Act,
        sees: Sight,
        *,
        first_person: str,
        set_clock: Callable[[float | None], None] = lambda _: None,
        on_clock: Callable[[datetime | None], None] = lambda _: None,
        on_change: Callable[[], None] = lambda: None,
        on_elsewhere: Callable[[str], None] = lambda _: None,
        speed: float = 1.0,
    ) -> None:
        self._story = story
        self._act = act
        self._sees = sees
        self._set_clock, self._on_clock, self._on_change = set_clock, on_clock, on_change
        self._on_elsewhere = on_elsewhere
        self._first_person = first_person
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_running = self._is_single = self._is_over = False
        self._speed = speed
        self._next = 0
        self._shown = 0
        self._round = 0
        self._error: str | None = None
        self._caption = ""
        self._who: str | None = None
        self._channel: str | None = None
        self._thread_ts: str | None = None
        self._old_channels: set[str] | None = None
        self._acted: tuple[int, int, Prints, Prints] | None = None

    def state(self) -> Json:
        """What the page shows of the story."""
        with self._changed:
            return {
                "title": self._story.title,
                "intro": self._story.intro,
                "running": self._is_running,
                "at": self._shown,
                "total": len(self._story.steps),
                "caption": self._caption,
                "speed": self._speed,
                "done": self._next >= len(self._story.steps),
                "as": self._who,
                "channel": self._channel,
                "thread_ts": self._thread_ts,
                "error": self._error,
            }

    def do(self, what: str, speed: float | None = None) -> Json:
        """Play, pause, step (one step, then pause), restart or speed; gives the state after it."""
        with self._changed:
            if what in ("play", "step") and not self._is_over and self._next < len(self._story.steps):
                self._is_running, self._is_single, self._error = True, what == "step", None
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="story", daemon=True)
                    self._thread.start()
            elif what == "pause":
                self._is_running = False
            elif what == "restart":
                self._is_running, self._next, self._shown, self._error = False, 0, 0, None
                self._caption, self._old_channels, self._round = "", None, self._round + 1
                self._back_to_now()
            elif what == "speed" and speed is not None and 0 < float(speed) <= 1000:
                self._speed = float(speed)
            self._changed.notify_all()
        self._on_change()
        return self.state()

    def stop(self) -> None:
        """End the thread; a deed under way is finished first."""
        with self._changed:
            self._is_over, self._is_running = True, False
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(10)

    # The thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_running or self._is_over)
                if self._is_over:
                    return
                number, turn = self._next, self._round
            step = self._story.steps[number]
            failed: str | None = "stopped unexpectedly; the log has the reason"
            is_left = False
            try:
                self._play(step, number, turn)
                failed = None
            except _Left:
                failed, is_left = None, True
            except Stuck as stuck:
                failed = str(stuck)
            except (Refused, LookupError, ValueError) as problem:
                failed = f"could not be done: {problem}"
            finally:
                self._after(number, turn, failed, is_done=not (failed or is_left))

    def _after(self, number: int, turn: int, failed: str | None, *, is_done: bool) -> None:
        with self._changed:
            if turn == self._round:
                if failed:
                    name = f'"{self._caption}"' if self._caption else "This step"
                    self._error, self._is_running = f"{name} {failed}", False
                if is_done:
                    self._next = number + 1
                    if self._is_single or self._next >= len(self._story.steps):
                        self._is_running = False
                    if self._next >= len(self._story.steps):
                        self._back_to_now()
        self._on_change()

    def _back_to_now(self) -> None:
        """The story is over, or begins again: both clocks tell the real time."""
        self._set_clock(None)
        self._on_clock(None)

    def _play(self, step: Step, number: int, turn: int) -> None:
        with self._changed:
            self._shown, self._caption = number + 1, step.caption
        if self._old_channels is None:
            self._old_channels = {c["id"] for c in self._sees.state(self._first_person)["channels"]}
        me = self._person(step.who) if step.who else None
        eyes = me or self._who or self._person(None)
        channel = self._place(step, eyes, is_needed=False)
        with self._changed:
            self._who, self._channel, self._thread_ts = eyes, channel or self._channel, None
        self._on_change()
        self._sleep(step.wait, turn)
        if step.at is not None:
            self._set_clock(step.at.timestamp())
            self._on_clock(step.at)
        if self._acted is None or self._acted[:2] != (turn, number):
            # What a step expects may be a late answer to the deed before its own: that deed's beginning counts.
            last = self._acted[2] if self._acted and self._acted[0] == turn else None
            before = self._prints(eyes) if step.deed else last or {}
            since = {} if not step.deed else before if last is None else last
            if step.deed and me:
                getattr(self, f"_{step.deed}")(step, me, turn)
            # Paused from here on, the step goes on with waiting: the deed is not done twice.
            self._acted = (turn, number, before, since)
        before = self._acted[3]
        for text in step.then_expect:
            self._wait_for(lambda text=text: self._is_said(step, eyes, text, before), step, turn,  # type: ignore[misc]
                           f'did not bring "{text}" within {step.timeout:g} s')  # fmt: skip

    def _sleep(self, seconds: float, turn: int) -> None:
        """Wait in the story's time; leave when paused, restarted or stopped."""
        left = seconds
        with self._changed:
            while self._check(turn) and left > 0:
                began = time.monotonic()
                speed = self._speed
                self._changed.wait(left / speed)
                left -= (time.monotonic() - began) * speed

    def _check(self, turn: int) -> bool:
        if not self._is_running or self._is_over or turn != self._round:
            raise _Left
        return True

    def _wait_for(self, look: Callable[[], Any], step: Step, turn: int, otherwise: str) -> Any:
        """Poll in real time: an app does not answer faster because the story does."""
        end = time.monotonic() + step.timeout
        while not (found := look()):
            if time.monotonic() > end:
                raise Stuck(f"{otherwise}.")
            with self._changed:
                self._changed.wait(LOOK_EVERY)
                self._check(turn)
        return found

    def _person(self, name: str | None) -> str:
        people = [u for u in self._sees.state(self._first_person)["users"] if not u["is_bot"]]
        for user in people:
            if name in (user["name"], user["id"], None):
                return str(user["id"])
        raise Stuck(f"needs {name}, who is not here: there are {', '.join(u['name'] for u in people)}.")

    def _place(self, step: Step, me: str, *, is_needed: bool = True) -> str | None:
        seen = self._sees.state(me)["channels"]
        if step.where == "@incident":
            fresh = [c for c in seen if c["id"] not in (self._old_channels or set()) and not c.get("is_im")]
            found = sorted(fresh, key=lambda c: (c["created"], c["id"]))[-1:]
        else:
            found = [c for c in seen if step.where in (f"#{c['name']}", c["id"])]
        if not found and is_needed:
            raise Stuck(f"is in {step.where}, and there is no such channel to be seen.")
        return str(found[0]["id"]) if found else None

    def _all(self, me: str, channel: str) -> list[Json]:
        """What is said in a channel, threads too, oldest first."""
        said: list[Json] = []
        for message in self._sees.messages(me, channel)["messages"]:
            said.append(message)
            if message.get("reply_count"):
                said += self._sees.replies(me, channel, message["ts"])["messages"][1:]
        return said

    def _prints(self, me: str) -> Prints:
        channels = [c["id"] for c in self._sees.state(me)["channels"]]
        return {channel: {m["ts"]: words(m) for m in self._all(me, channel)} for channel in channels}

    def _is_said(self, step: Step, me: str, text: str, before: Prints) -> bool:
        """Whether the text stands in a message that is new or changed since then, or in the open modal."""
        wanted = plain(text)
        channel = self._place(step, me, is_needed=False)
        if channel:
            old = before.get(channel, {})
            said = [(m["ts"], words(m)) for m in self._all(me, channel)]
            if any(wanted in now and old.get(ts) != now for ts, now in said):
                return True
        return any(wanted in words(view) for view in self._sees.state(me)["views"])

    def _message(self, step: Step, text: str, me: str, turn: int) -> Json:
        wanted = plain(text)

        def look() -> Json | None:
            channel = self._place(step, me, is_needed=False)
            found = [m for m in self._all(me, channel) if wanted in words(m)] if channel else []
            return found[-1] | {"channel": channel} if found else None

        found: Json = self._wait_for(look, step, turn, f'found no message with "{text}" in {step.where}')
        return found

    def _ask(self, me: str, do: str, **asked: Any) -> Json:
        answer = self._act({"as": me, "do": do, **asked})
        if answer.get("errors"):
            raise Stuck(f"was refused: {'; '.join(str(e) for e in answer['errors'].values())}")
        if not answer.get("ok"):
            raise Stuck(f"failed: {answer.get('hint') or answer.get('error')}")
        return answer

    def _spot(self, step: Step, me: str, turn: int) -> Json:
        message = self._message(step, step.to or "", me, turn)
        return {"channel": message["channel"], "ts": message["ts"]}

    def _room(self, step: Step, me: str, turn: int) -> str:
        found: str = self._wait_for(
            lambda: self._place(step, me, is_needed=False), step, turn, f"found no channel {step.where}"
        )
        with self._changed:
            self._channel = found
        return found

    def _thread_of(self, step: Step, me: str, turn: int) -> Json:
        if step.thread_to is None:
            return {}
        root = self._message(step, step.thread_to, me, turn)
        with self._changed:
            self._thread_ts = root.get("thread_ts") or root["ts"]
        self._on_change()
        return {"thread_ts": self._thread_ts}

    def _say(self, step: Step, me: str, turn: int) -> None:
        thread = self._thread_of(step, me, turn)
        self._ask(me, "message", channel=self._room(step, me, turn), text=step.what, **thread)

    def _command(self, step: Step, me: str, turn: int) -> None:
        command, _, text = step.what.partition(" ")
        self._ask(me, "command", channel=self._room(step, me, turn), command=command, text=text)

    def _join(self, step: Step, me: str, turn: int) -> None:
        self._ask(me, "join", channel=self._room(step, me, turn))

    def _react(self, step: Step, me: str, turn: int) -> None:
        self._ask(me, "react", name=step.what, **self._spot(step, me, turn))

    def _elsewhere(self, step: Step, me: str, turn: int) -> None:
        self._on_elsewhere(step.what)

    def _pin(self, step: Step, me: str, turn: int) -> None:
        self._ask(me, "pin", **self._spot(step, me, turn))

    def _upload(self, step: Step, me: str, turn: int) -> None:
        thread = self._thread_of(step, me, turn)
        content = base64.b64encode(step.what["content"].encode()).decode()
        self._ask(me, "upload", channel=self._room(step, me, turn), filename=step.what["filename"],
                  content_base64=content, text=step.what.get("text", ""), **thread)  # fmt: skip

    def _shortcut(self, step: Step, me: str, turn: int) -> None:
        self._ask(me, "shortcut", callback_id=self._callback(me, "global", step.what))

    def _message_shortcut(self, step: Step, me: str, turn: int) -> None:
        callback = self._callback(me, "message", step.what)
        self._ask(me, "message_shortcut", callback_id=callback, **self._spot(step, me, turn))

    def _callback(self, me: str, kind: str, name: str) -> str:
        offered = [s for s in self._sees.state(me)["shortcuts"] if s["type"] == kind]
        for shortcut in offered:
            if name in (shortcut["name"], shortcut["callback_id"]):
                return str(shortcut["callback_id"])
        raise Stuck(
            f'found no shortcut "{name}": there is {", ".join(s["name"] for s in offered) or "none"}.'
        )

    def _click(self, step: Step, me: str, turn: int) -> None:
        """A button or a choice: of the message `to`, else of the open modal, else of the newest message with it."""

        def look() -> Json | None:
            if step.to is not None:
                message = self._message(step, step.to, me, turn)
                return button(message, step.what, channel=message["channel"], ts=message["ts"])
            for view in reversed(self._sees.state(me)["views"]):
                return button(view, step.what, view_id=view["id"])
            channel = self._place(step, me, is_needed=False)
            for message in reversed(self._all(me, channel) if channel else []):
                if found := button(message, step.what, channel=channel, ts=message["ts"]):
                    return found
            return None

        self._ask(
            me, "click", **self._wait_for(look, step, turn, f'found nothing called "{step.what}" to click on')
        )

    def _submit(self, step: Step, me: str, turn: int) -> None:
        view = self._wait_for(
            lambda: self._sees.state(me)["views"], step, turn, "found no open dialog to fill in"
        )[-1]
        values = {b: dict(actions) for b, actions in view["state"]["values"].items()}
        for label, wanted in step.what.items():
            block, element = field(view, label)
            is_someone = element["type"].endswith(_OF_IDS)
            kept = ids(self._sees.state(me), wanted) if is_someone else wanted
            values.setdefault(block["block_id"], {})[element["action_id"]] = forms.chosen(element, kept)
        self._ask(me, "submit", view_id=view["id"], values=values)


def player_for(
    standin: Standin,
    story: Story,
    *,
    on_clock: Callable[[datetime | None], None] = lambda _: None,
    on_elsewhere: Callable[[str], None] = lambda _: None,
    speed: float = 1.0,
) -> Player:
    """The player of a story for a stand-in: `Standin(story=lambda standin: player_for(standin, story))`."""
    return Player(
        story,
        standin.act,
        Sight(standin.workspace, standin.views),
        first_person=next(iter(standin.workspace.users)),
        set_clock=standin.set_clock,
        on_clock=on_clock,
        on_change=lambda: standin.live.changed(["state"]),
        on_elsewhere=on_elsewhere,
        speed=speed,
    )
