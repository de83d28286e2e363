"""What commands, modals and buttons have in hand, and what they give back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, TypeVar

from bot.domain import markup, zoned
from bot.domain.incident import Incident, Severity
from bot.domain.line import Line
from bot.domain.outcomes import Refused, Undelivered
from bot.domain.people import Person
from bot.domain.refusals import NoSuchIncident, Refusal
from bot.slack.ask import Ask, profile_name
from bot.slack.client import Slack
from bot.usecases import people, sight
from bot.usecases.desk import Desk, Done

#: How long a person's name and zone are believed without asking Slack again.
_BELIEVED_FOR = timedelta(hours=12)

Found = TypeVar("Found")

_MENTION = re.compile(r"<@([UW][A-Z0-9]{1,30})(?:\|[^>]*)?>")


@dataclass(frozen=True)
class Answer:
    """What a door says back: a sentence, or a view to open."""

    text: str = ""
    blocks: list[dict[str, Any]] | None = None
    #: A modal to open with the trigger id.
    modal: dict[str, Any] | None = None
    #: True when the channel shows what was done: a button or form then says nothing more.
    is_quiet: bool = False


def said(done: Done) -> Answer:
    """A deed's sentence as an answer."""
    return Answer(done.text, is_quiet=done.is_new)


@dataclass(frozen=True)
class Door:
    """What a command, modal or button may reach."""

    desk: Desk
    slack: Slack

    def incident(self, ask: Ask) -> Incident:
        """The incident of the channel it was asked in. Raises NotAnIncidentChannel or NoSuchIncident."""
        return self._asked_in(ask, sight.incident_of_channel)

    def incident_id(self, ask: Ask) -> int:
        """Likewise its id, which costs nothing when it was asked for before."""
        return self._asked_in(ask, sight.id_of_channel)

    def _asked_in(self, ask: Ask, find: Callable[..., Found]) -> Found:
        try:
            return find(self.desk, ask.channel, by=ask.user)
        except NoSuchIncident:
            # Who is in a private channel is known from events, and one may have been lost: Slack decides.
            if not self._is_in(ask.channel, ask.user):
                raise
            people.person_joined(self.desk, ask.channel, ask.user, origin=f"{ask.origin}:joined")
            return find(self.desk, ask.channel, by=ask.user)

    def _is_in(self, channel_id: str, user_id: str) -> bool:
        """True when Slack says that the person is in the channel (the first 1,000 people of it)."""
        try:
            found = self.slack.read("conversations.members", channel=channel_id, limit=1000)
        except Undelivered:
            return False
        return user_id in (found.get("members") or [])

    @property
    def severity(self) -> Severity:
        """The severity of an incident for which nobody says one."""
        return Severity(self.desk.options.default_severity)

    def person(self, user_id: str) -> Person | None:
        """Who this is, asking Slack when we do not know or it was long ago; None when nobody can say now."""
        known = people.person_known(self.desk, user_id)
        now = self.desk.now_for_outbox()
        if known is not None and known.seen_at is not None and now - known.seen_at < _BELIEVED_FOR:
            return known
        try:
            user = self.slack.ask("users.info", user=user_id)["user"]
        except Undelivered:
            # An old zone is likelier right than none; a new person without one is asked to name it.
            return known
        found = Person(
            id=user_id,
            name=profile_name(user) or user_id,
            tz=str(user.get("tz") or ""),
            is_bot=bool(user.get("is_bot")),
            is_deleted=bool(user.get("deleted")),
            seen_at=now,
        )
        return people.meet(self.desk, found)

    def member(self, user_id: str, example: str) -> None:
        """Make sure that Slack knows whom somebody named, as far as it answers. Raises Refusal."""
        if self.person(user_id) is not None:
            return
        try:
            self.slack.ask("users.info", user=user_id)
        except Refused as refused:
            if refused.error.split(":")[0] in {"user_not_found", "user_not_visible"}:
                raise Refusal(
                    f"Nobody in this workspace is called {markup.escape(user_id[:40])}. "
                    f"Choose the name from Slack's list while you type @. For example `{example}`."
                ) from refused
        except Undelivered:
            # Slack does not answer: what was typed is likelier right than wrong.
            return

    def zone(self, user_id: str) -> tzinfo | None:
        """The person's time zone; None when nobody can say."""
        return zoned.zone_of(self.person(user_id))

    def read_line(self, ask: Ask, text: str) -> Line:
        """Time, kind and words of a log line, in the asking person's zone. Raises Refusal."""
        return zoned.read_line(text, now=self.desk.clock(), zone=self.zone(ask.user))

    def take_moment(self, ask: Ask, text: str) -> tuple[datetime | None, str]:
        """A leading moment and the rest. Raises Refusal."""
        return zoned.take_moment(text, now=self.desk.clock(), zone=self.zone(ask.user))

    def read_moment(self, ask: Ask, text: str) -> datetime:
        """The whole text as a moment. Raises Refusal."""
        return zoned.read_moment(text, now=self.desk.clock(), zone=self.zone(ask.user))


def mentioned(text: str) -> tuple[str | None, str]:
    """The first person mentioned in the text, and the text without that mention."""
    found = _MENTION.search(text)
    if found is None:
        return None, text
    return found[1], " ".join((text[: found.start()] + text[found.end() :]).split())
