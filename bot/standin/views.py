"""Modals and Home tabs: the stack of each person, trigger ids that live three seconds, hashes."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.standin import blockkit, forms
from bot.standin.installed import InstalledApp
from bot.standin.model import Json
from bot.standin.refused import Refused
from bot.standin.workspace import Workspace, fresh_id

#: seconds a trigger id may be used
TRIGGER_LIFE = 3.0
#: views of one modal stack
DEEPEST_STACK = 3
_LARGEST_VIEW = 250_000


@dataclass
class Trigger:
    app_id: str
    user: str
    born: float
    #: the interaction came from inside a modal, so a view may be pushed on it
    is_in_modal: bool
    is_used: bool = False


class Views:
    def __init__(self, ws: Workspace, clock: Callable[[], float] = time.monotonic) -> None:
        self._ws = ws
        self._clock = clock
        self._triggers: dict[str, Trigger] = {}
        self._stacks: dict[str, list[Json]] = {}
        self._homes: dict[tuple[str, str], Json] = {}
        self._count = itertools.count(1)

    # Trigger ids

    def new_trigger(self, app: InstalledApp, user: str, *, is_in_modal: bool = False) -> str:
        trigger_id = (
            f"{secrets.randbelow(10**13):013d}.{secrets.randbelow(10**12):012d}.{secrets.token_hex(16)}"
        )
        self._triggers[trigger_id] = Trigger(app.app_id, user, self._clock(), is_in_modal)
        return trigger_id

    def take_trigger(self, app: InstalledApp, trigger_id: str) -> Trigger:
        """The trigger, used up by this; refused when too old, used before, or another app's."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None or trigger.app_id != app.app_id:
            raise Refused("invalid_trigger_id")
        if trigger.is_used:
            raise Refused("exchanged_trigger_id")
        if self._clock() - trigger.born > TRIGGER_LIFE:
            raise Refused("expired_trigger_id")
        trigger.is_used = True
        return trigger

    # What an app does to them

    def open(self, app: InstalledApp, trigger_id: str, view: Json) -> Json:
        made = self._made(app, view, "modal")
        trigger = self.take_trigger(app, trigger_id)
        made["root_view_id"] = made["id"]
        self._stacks[trigger.user] = [made]
        self._changed()
        return made

    def push(self, app: InstalledApp, trigger_id: str, view: Json) -> Json:
        made = self._made(app, view, "modal")
        trigger = self.take_trigger(app, trigger_id)
        if not trigger.is_in_modal:
            raise Refused("invalid_trigger_id", "push needs a trigger from inside a modal")
        return self.put_on_top(trigger.user, made)

    def put_on_top(self, user: str, made: Json) -> Json:
        stack = self._stacks.setdefault(user, [])
        if len(stack) >= DEEPEST_STACK:
            raise Refused("push_limit_reached")
        made["root_view_id"] = stack[0]["id"] if stack else made["id"]
        made["previous_view_id"] = stack[-1]["id"] if stack else None
        stack.append(made)
        self._changed()
        return made

    def update(
        self, app: InstalledApp, view: Json, *, view_id: str, external_id: str, seen_hash: str
    ) -> Json:
        """New content for an open view or a Home tab; what is filled in stays where block and action stay."""
        old = self._find(app, view_id, external_id)
        if seen_hash and seen_hash != old["hash"]:
            raise Refused("hash_conflict")
        made = self._made(app, view, str(old["type"]), instead_of=old["id"])
        return self.replace(old, made)

    def replace(self, old: Json, made: Json) -> Json:
        kept = {name: old[name] for name in ("id", "root_view_id", "previous_view_id")}
        state = forms.initial_state(made["blocks"])
        for block_id, actions in old["state"]["values"].items():
            for action_id, value in actions.items():
                if state.get(block_id, {}).get(action_id, {}).get("type") == value.get("type"):
                    state[block_id][action_id] = value
        old.clear()
        old.update(made | kept | {"state": {"values": state}})
        self._changed()
        return old

    def publish(self, app: InstalledApp, user: str, view: Json, *, seen_hash: str) -> Json:
        self._ws.user(user)
        if not app.has_home:
            raise Refused("not_enabled", "the Home tab is not enabled in the manifest (features.app_home)")
        old = self._homes.get((user, app.app_id))
        if old is not None and seen_hash and seen_hash != old["hash"]:
            raise Refused("hash_conflict")
        made = self._made(app, view, "home", instead_of=old["id"] if old else "")
        made["root_view_id"] = made["id"]
        if old is not None:
            return self.replace(old, made)
        self._homes[user, app.app_id] = made
        self._changed()
        return made

    def made(self, app: InstalledApp, view: Json) -> Json:
        """A modal checked and completed, on no stack yet (for the answer to a submission)."""
        return self._made(app, view, "modal")

    def _made(self, app: InstalledApp, view: Json, expected: str, instead_of: str = "") -> Json:
        if not isinstance(view, dict):
            raise Refused("invalid_arguments", "[ERROR] view must be an object [json-pointer:/view]")
        if len(json.dumps(view)) > _LARGEST_VIEW:
            raise Refused("view_too_large")
        blockkit.check_view(view, expected)
        external_id = str(view.get("external_id") or "")
        if external_id and any(
            v["external_id"] == external_id and v["id"] != instead_of
            for v in self._every()
            if v["app_id"] == app.app_id
        ):
            raise Refused("duplicate_external_id")
        blocks = blockkit.with_ids(view["blocks"])
        made: Json = {
            "id": fresh_id("V"),
            "team_id": self._ws.team["id"],
            "type": expected,
            "blocks": blocks,
            "private_metadata": str(view.get("private_metadata") or ""),
            "callback_id": str(view.get("callback_id") or ""),
            "external_id": external_id,
            "state": {"values": forms.initial_state(blocks)},
            "hash": f"{int(self._ws.now())}.{next(self._count):08d}",
            "title": view.get("title", {"type": "plain_text", "text": "View Title", "emoji": True}),
            "submit": view.get("submit"),
            "close": view.get("close"),
            "clear_on_close": bool(view.get("clear_on_close")),
            "notify_on_close": bool(view.get("notify_on_close")),
            "submit_disabled": bool(view.get("submit_disabled")),
            "previous_view_id": None,
            "root_view_id": "",
            "app_id": app.app_id,
            "app_installed_team_id": self._ws.team["id"],
            "bot_id": app.bot_id,
        }
        return made

    def _every(self) -> list[Json]:
        return [v for stack in self._stacks.values() for v in stack] + list(self._homes.values())

    def _find(self, app: InstalledApp, view_id: str, external_id: str) -> Json:
        for view in self._every():
            if view["app_id"] == app.app_id and (
                (view_id and view["id"] == view_id) or (external_id and view["external_id"] == external_id)
            ):
                return view
        raise Refused("not_found")

    # What a person sees and does

    def stack(self, user: str) -> list[Json]:
        return self._stacks.get(user, [])

    def home(self, user: str) -> Json | None:
        return next((v for (who, _), v in self._homes.items() if who == user), None)

    def seen_by(self, user: str, view_id: str) -> Json:
        """An open view of this person, or the Home tab."""
        for view in [*self.stack(user), *(h for (who, _), h in self._homes.items() if who == user)]:
            if view["id"] == view_id:
                return view
        raise Refused("view_not_found")

    def fill(self, view: Json, values: Json) -> None:
        """What the person has typed or chosen so far."""
        for block_id, actions in values.items():
            for action_id, value in actions.items():
                view["state"]["values"].setdefault(block_id, {})[action_id] = value

    def close_top(self, user: str) -> Json | None:
        stack = self.stack(user)
        closed = stack.pop() if stack else None
        self._changed()
        return closed

    def close_all(self, user: str) -> list[Json]:
        closed, self._stacks[user] = self.stack(user), []
        self._changed()
        return closed

    def _changed(self) -> None:
        self._ws.on_change(["views"])
