"""Events: type -> the deed it asks for. What is no incident's is dropped first thing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.domain.people import Person
from bot.domain.timeline import Source
from bot.slack.ask import Ask, moment_of
from bot.slack.door import Door
from bot.usecases import people
from bot.usecases.home import ask_home
from bot.usecases.marking import mark_message

#: Reactions that put a message on the timeline. 📌 is :pushpin: in Slack's names.
PIN_REACTIONS = frozenset({"pushpin", "round_pushpin"})


def _is_message(ask: Ask) -> bool:
    return ask.event.get("item_type") == "message" and bool(ask.event.get("item_ts")) and bool(ask.user)


def _made_at(ask: Ask) -> datetime | None:
    """When the person did it, by Slack's clock: an event may arrive hours after."""
    try:
        return moment_of(ask.event.get("made_ts", ""))
    except (ValueError, OverflowError, OSError):
        return None


def _reaction(door: Door, ask: Ask) -> None:
    if ask.event.get("reaction") in PIN_REACTIONS and _is_message(ask):
        mark_message(
            door.desk,
            ask.channel,
            ask.event.get("item_ts", ""),
            by=ask.user,
            source=Source.REACTION,
            origin=ask.origin,
            marked_at=_made_at(ask),
        )


def _pin(door: Door, ask: Ask) -> None:
    if _is_message(ask):
        mark_message(
            door.desk,
            ask.channel,
            ask.event.get("item_ts", ""),
            by=ask.user,
            source=Source.PIN,
            origin=ask.origin,
            marked_at=_made_at(ask),
        )


def _joined(door: Door, ask: Ask) -> None:
    identity = door.slack.known_identity
    if ask.user and (identity is None or ask.user != identity.bot_user_id):
        people.person_joined(door.desk, ask.channel, ask.user, origin=ask.origin)


def _left(door: Door, ask: Ask) -> None:
    if ask.user:
        people.person_left(door.desk, ask.channel, ask.user, origin=ask.origin)


def _archived(door: Door, ask: Ask) -> None:
    people.channel_archived(door.desk, ask.channel, is_archived=True, origin=ask.origin)


def _unarchived(door: Door, ask: Ask) -> None:
    people.channel_archived(door.desk, ask.channel, is_archived=False, origin=ask.origin)


def _renamed(door: Door, ask: Ask) -> None:
    if ask.event.get("channel_name"):
        people.channel_renamed(door.desk, ask.channel, ask.event["channel_name"], origin=ask.origin)


def _id_changed(door: Door, ask: Ask) -> None:
    old, new = ask.event.get("old_channel", ""), ask.event.get("new_channel", "")
    if old and new:
        people.channel_id_changed(door.desk, old, new, origin=ask.origin)


def _user_changed(door: Door, ask: Ask) -> None:
    # Only people we have met: user_change comes for everybody in the workspace.
    if people.person_known(door.desk, ask.user) is not None and ask.event.get("profile_name"):
        people.meet(
            door.desk,
            Person(
                id=ask.user,
                name=ask.event["profile_name"],
                tz=ask.event.get("profile_tz", ""),
                is_bot=bool(ask.event.get("profile_bot")),
                is_deleted=bool(ask.event.get("profile_deleted")),
                seen_at=door.desk.now_for_outbox(),
            ),
        )


def _home_opened(door: Door, ask: Ask) -> None:
    # The same event says that somebody opened the Messages tab.
    if ask.event.get("tab") == "home" and ask.user:
        door.person(ask.user)
        ask_home(door.desk, ask.user)


EVENTS: dict[str, Callable[[Door, Ask], None]] = {
    "reaction_added": _reaction,
    "pin_added": _pin,
    "member_joined_channel": _joined,
    "member_left_channel": _left,
    "channel_archive": _archived,
    "channel_unarchive": _unarchived,
    "group_archive": _archived,
    "group_unarchive": _unarchived,
    "channel_rename": _renamed,
    "group_rename": _renamed,
    "channel_id_changed": _id_changed,
    "user_change": _user_changed,
    "app_home_opened": _home_opened,
}
