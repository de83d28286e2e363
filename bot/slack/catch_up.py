"""Reads the channels of open incidents after a gap: what was pinned or got a pushpin while nobody listened.

A gap is a start, or Socket Mode connections that were lost. It reads gently: one call every 1.6 s, so that no
method comes near its tier (conversations.history and .replies 50 a minute, pins.list 20), the newest 20 open
incidents, at most 6 calls each: 400 messages, the 3 threads with the newest replies, and the pins.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

from bot.domain.outcomes import RateLimited, Refused, Undelivered, Unreachable
from bot.domain.timeline import Source
from bot.slack.client import Slack
from bot.slack.events import PIN_REACTIONS
from bot.store.db import NotSaved
from bot.usecases.catch_up import Mark, record_missed, rooms_to_read
from bot.usecases.desk import Desk

log = logging.getLogger(__name__)

Message = dict[str, Any]

#: Most open incidents that are read, newest first.
MOST_ROOMS = 20
#: Most pages of a channel, and messages of a page.
_PAGES, _PAGE = 2, 200
#: Threads of a channel, those with the newest replies first.
_THREADS = 3
#: Seconds until a round that Slack or the database broke off is begun again.
_AGAIN_AFTER = 30.0


class CatchUp:
    """`ring()` it when something may have been missed. One round at a time; rings meanwhile make one more."""

    def __init__(self, desk: Desk, slack: Slack, *, between_calls: float = 1.6) -> None:
        self._desk = desk
        self._slack = slack
        self._between_calls = between_calls
        self._ring = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read_when_rung, name="catch-up", daemon=True)

    def start(self) -> None:
        """Begin with what was missed while this house was not there."""
        self._ring.set()
        self._thread.start()

    def ring(self) -> None:
        """Something may have been missed."""
        self._ring.set()

    def stop(self) -> None:
        """Leave before the next call; one that runs is not waited for long, what it answers is not used."""
        self._stopping.set()
        self._ring.set()
        if self._thread.is_alive():
            self._thread.join(2)

    def read(self) -> int:
        """One round; gives how many marks were recorded. Raises Undelivered and NotSaved when it is broken off."""
        found = 0
        for room in rooms_to_read(self._desk, MOST_ROOMS):
            try:
                marks = list(self._marks(room.channel_id))
            except Refused as refused:
                log.warning("cannot look what was missed in %s: %s", room.channel_id, refused.sentence)
                continue
            if self._stopping.is_set():
                break
            found += record_missed(self._desk, marks)
        return found

    def _read_when_rung(self) -> None:
        while self._ring.wait() and not self._stopping.is_set():
            self._ring.clear()
            try:
                found = self.read()
            except (Undelivered, NotSaved) as trouble:
                if self._stopping.is_set():
                    return
                log.warning("could not look what was missed, will try again: %s", trouble)
                self._stopping.wait(_AGAIN_AFTER)
                self._ring.set()
            else:
                if found:
                    log.info("recorded %d marks that were missed", found)

    def _marks(self, channel: str) -> Iterator[Mark]:
        me = self._slack.me()
        ours = {one for one in (me.bot_user_id, me.bot_id) if one}
        threads: list[Message] = []
        for message in self._history(channel):
            yield from _reactions(channel, message, ours)
            if message.get("reply_count"):
                threads.append(message)
        threads.sort(key=lambda one: str(one.get("latest_reply") or ""), reverse=True)
        for parent in threads[:_THREADS]:
            answer = self._call("conversations.replies", channel=channel, ts=str(parent["ts"]), limit=_PAGE)
            for reply in answer.get("messages") or []:
                yield from _reactions(channel, reply, ours)
        for item in self._call("pins.list", channel=channel).get("items") or []:
            pinned, by = item.get("message") or {}, str(item.get("created_by") or "")
            if pinned.get("ts") and by and by not in ours:
                yield Mark(channel, str(pinned["ts"]), by, Source.PIN)

    def _history(self, channel: str) -> Iterator[Message]:
        cursor = ""
        for _ in range(_PAGES):
            more = {"cursor": cursor} if cursor else {}
            answer = self._call("conversations.history", channel=channel, limit=_PAGE, **more)
            yield from answer.get("messages") or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call after the pause between calls; one 429 is waited for. Raises what Slack.call() raises."""
        if self._stopping.wait(self._between_calls):
            raise Unreachable("not asked: this house is stopping")
        try:
            return self._slack.call(method, **arguments)
        except RateLimited as limited:
            self._stopping.wait(limited.retry_after)
            return self._slack.call(method, **arguments)


def _reactions(channel: str, message: Message, ours: set[str]) -> Iterator[Mark]:
    """The pushpin at a message, of the person who set it first; none at a message of our own."""
    if not message.get("ts") or {message.get("user"), message.get("bot_id")} & ours:
        return
    for reaction in message.get("reactions") or []:
        people = [str(user) for user in reaction.get("users") or [] if user not in ours]
        if reaction.get("name") in PIN_REACTIONS and people:
            yield Mark(channel, str(message["ts"]), people[0], Source.REACTION)
            return
