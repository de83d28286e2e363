"""users.*, usergroups.*, bots.info, team.info, emoji.list: the people and the place."""

from __future__ import annotations

from bot.standin import shapes
from bot.standin.api.method import CallContext, Family, page
from bot.standin.model import Json, UserGroup
from bot.standin.refused import Refused

FAMILY = Family()


def _shown(call: CallContext, user_id: str) -> Json:
    with_email = "users:read.email" in call.app.scopes
    return shapes.user(call.ws, call.ws.user(user_id), with_email=with_email)


@FAMILY.method("users.info", tier=4, scopes=("users:read",), needs=["user"])
def look(call: CallContext) -> Json:
    return {"user": _shown(call, call.args.text("user"))}


@FAMILY.method("users.list", tier=2, scopes=("users:read",))
def every(call: CallContext) -> Json:
    found, more = page([_shown(call, u) for u in call.ws.users], call.args, default=1000, most=1000)
    return {"members": found, "cache_ts": int(call.ws.now()), "response_metadata": more}


@FAMILY.method("users.lookupByEmail", tier=3, scopes=("users:read.email",), needs=["email"])
def by_email(call: CallContext) -> Json:
    wanted = call.args.text("email").lower()
    for user in call.ws.users.values():
        if user.email and user.email.lower() == wanted and not user.deleted:
            return {"user": _shown(call, user.id)}
    raise Refused("users_not_found")


@FAMILY.method("users.profile.get", tier=4, scopes=("users.profile:read",))
def profile(call: CallContext) -> Json:
    return {"profile": _shown(call, call.args.text("user") or call.me)["profile"]}


def _group(call: CallContext, group: UserGroup, *, with_users: bool) -> Json:
    return {
        "id": group.id,
        "team_id": call.ws.team["id"],
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_delete": 0,
        "user_count": len(group.users),
        **({"users": list(group.users)} if with_users else {}),
    }


@FAMILY.method("usergroups.list", tier=2, scopes=("usergroups:read",))
def groups(call: CallContext) -> Json:
    with_users = call.args.flag("include_users")
    return {"usergroups": [_group(call, g, with_users=with_users) for g in call.ws.groups.values()]}


@FAMILY.method("usergroups.users.list", tier=2, scopes=("usergroups:read",), needs=["usergroup"])
def group_users(call: CallContext) -> Json:
    group = call.ws.groups.get(call.args.text("usergroup"))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": list(group.users)}


@FAMILY.method("bots.info", tier=3, scopes=("users:read",))
def bot(call: CallContext) -> Json:
    wanted = call.args.text("bot") or call.app.bot_id
    for app in call.ws.apps.values():
        if app.bot_id == wanted:
            return {
                "bot": {
                    "id": app.bot_id,
                    "deleted": False,
                    "name": app.display_name,
                    "updated": 0,
                    "app_id": app.app_id,
                    "user_id": app.bot_user_id,
                    "icons": {},
                }
            }
    raise Refused("bot_not_found")


@FAMILY.method("team.info", tier=3, scopes=("team:read",))
def team(call: CallContext) -> Json:
    return {
        "team": call.ws.team | {"email_domain": "", "icon": {"image_default": True}, "url": call.ws.base_url}
    }


@FAMILY.method("emoji.list", tier=2, scopes=("emoji:read",))
def emoji(call: CallContext) -> Json:
    return {"emoji": {}, "cache_ts": str(int(call.ws.now()))}
