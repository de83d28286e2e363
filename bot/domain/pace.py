"""Pace: how often a Slack method may be called, kept a little below Slack's own limits.

Slack counts by the minute and does not publish what bursts it takes (docs.slack.dev, rate limits), so a
burst and a minute's refill together stay at or under the tier. On SQLite this is the pace of the only process;
on PostgreSQL the replicas keep one pace together, by the same limits, in bot/store/gates.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

#: Seconds after which a place in the line is given up: whoever held it is dead or delivered it elsewhere.
_FORGET_AFTER = 300.0


@dataclass(frozen=True)
class Limit:
    """`burst` calls at once, then `per_minute` evenly."""

    per_minute: float
    burst: int

    @property
    def spacing(self) -> float:
        """Seconds between two calls once the burst is used up."""
        return 60.0 / self.per_minute

    @property
    def ahead(self) -> float:
        """Seconds by which a call may come before its even moment: what the burst amounts to."""
        return (self.burst - 1) * self.spacing


#: Ten incidents may be opened in one second; the burst and the minute's refill are Slack's 20.
TIER_2 = Limit(per_minute=10, burst=10)
TIER_3 = Limit(per_minute=38, burst=12)
TIER_4 = Limit(per_minute=80, burst=20)

#: Methods the postman calls. One that is not named here is not paced.
SLACK_LIMITS: Mapping[str, Limit] = {
    "chat.postMessage": Limit(per_minute=200, burst=30),
    "chat.getPermalink": Limit(per_minute=200, burst=30),
    "conversations.create": TIER_2,
    "conversations.archive": TIER_2,
    "conversations.unarchive": TIER_2,
    "conversations.rename": TIER_2,
    "conversations.setTopic": TIER_2,
    "conversations.setPurpose": TIER_2,
    "conversations.list": TIER_2,
    "pins.add": TIER_2,
    "pins.remove": TIER_2,
    "bookmarks.add": TIER_2,
    "bookmarks.edit": TIER_2,
    "bookmarks.remove": TIER_2,
    "conversations.canvases.create": TIER_2,
    "reactions.remove": TIER_2,
    "usergroups.users.list": TIER_2,
    "conversations.invite": TIER_3,
    "conversations.join": TIER_3,
    "conversations.history": TIER_3,
    "conversations.info": TIER_3,
    "conversations.open": TIER_3,
    "chat.update": TIER_3,
    "chat.delete": TIER_3,
    "bookmarks.list": TIER_3,
    "canvases.edit": TIER_3,
    "reactions.add": TIER_3,
    "reactions.get": TIER_3,
    "chat.postEphemeral": TIER_4,
    "users.info": TIER_4,
    "views.publish": TIER_4,
    "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4,
}

#: About one message a second in one channel, short bursts allowed.
SLACK_CHANNEL_LIMITS: Mapping[str, Limit] = {"chat.postMessage": Limit(per_minute=57, burst=3)}

#: All calls to the tracker together. GitHub takes 80 a minute that create something, and 500 an hour ("Rate limits
#: for the REST API"); the others publish no less.
TRACKER_LIMITS: Mapping[str, Limit] = {"tracker": Limit(per_minute=30, burst=10)}


class Pace:
    """Gives every call its moment. `ticks` gives seconds that only grow."""

    def __init__(
        self,
        ticks: Callable[[], float],
        limits: Mapping[str, Limit] = {**SLACK_LIMITS, **TRACKER_LIMITS},
        channel_limits: Mapping[str, Limit] = SLACK_CHANNEL_LIMITS,
    ) -> None:
        self._ticks = ticks
        self._limits = limits
        self._channel_limits = channel_limits
        self._lock = threading.Lock()
        #: The moment at which a line would be empty again if nobody else came.
        self._empty_at: dict[tuple[str, str], float] = {}
        self._places: dict[Hashable, float] = {}

    def wait_for(self, method: str, channel: str, holder: Hashable) -> float:
        """Seconds until `holder` may call; 0 means now, and uses the place up.

        Asked again it keeps its place in the line, so the many that wait do not all try at once.
        """
        with self._lock:
            now = self._ticks()
            place = self._places.pop((holder, method), None)
            if place is None:
                place = now
                for line, limit in self.lines(method, channel).items():
                    place = max(place, self._line_up(line, limit, now))
            if place <= now:
                return 0.0
            self._forget(now)
            self._places[(holder, method)] = place
            return place - now

    def lines(self, method: str, channel: str) -> dict[tuple[str, str], Limit]:
        """The lines in which a call waits: that of its channel, then that of its method ("" as channel)."""
        found = {}
        if channel and method in self._channel_limits:
            found[method, channel] = self._channel_limits[method]
        if method in self._limits:
            found[method, ""] = self._limits[method]
        return found

    def _line_up(self, line: tuple[str, str], limit: Limit, now: float) -> float:
        empty_at = max(self._empty_at.get(line, now), now)
        self._empty_at[line] = empty_at + limit.spacing
        return max(now, empty_at - limit.ahead)

    def _forget(self, now: float) -> None:
        self._places = {who: at for who, at in self._places.items() if at > now - _FORGET_AFTER}
        self._empty_at = {line: at for line, at in self._empty_at.items() if at > now}
