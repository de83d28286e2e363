"""views.*: modals and the Home tab."""

from __future__ import annotations

import copy

from bot.standin.api.method import CallContext, Family
from bot.standin.model import Json
from bot.standin.refused import Refused

FAMILY = Family()


def _trigger(call: CallContext) -> str:
    trigger = call.args.text("trigger_id") or call.args.text("interactivity_pointer")
    if not trigger:
        raise Refused("invalid_arguments", "[ERROR] missing required field: trigger_id")
    return trigger


@FAMILY.method("views.open", tier=4, needs=["view"])
def open_view(call: CallContext) -> Json:
    return {"view": copy.deepcopy(call.views.open(call.app, _trigger(call), call.args.json("view")))}


@FAMILY.method("views.push", tier=4, needs=["view"])
def push_view(call: CallContext) -> Json:
    return {"view": copy.deepcopy(call.views.push(call.app, _trigger(call), call.args.json("view")))}


@FAMILY.method("views.update", tier=4, needs=["view"])
def update_view(call: CallContext) -> Json:
    view_id, external_id = call.args.text("view_id"), call.args.text("external_id")
    if not view_id and not external_id:
        raise Refused("invalid_arguments", "[ERROR] missing required field: view_id")
    view = call.args.json("view")
    seen = call.args.text("hash")
    changed = call.views.update(call.app, view, view_id=view_id, external_id=external_id, seen_hash=seen)
    return {"view": copy.deepcopy(changed)}


@FAMILY.method("views.publish", tier=4, needs=["user_id", "view"])
def publish_view(call: CallContext) -> Json:
    view, user = call.args.json("view"), call.args.text("user_id")
    made = call.views.publish(call.app, user, view, seen_hash=call.args.text("hash"))
    return {"view": copy.deepcopy(made)}
