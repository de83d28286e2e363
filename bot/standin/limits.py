"""Slack's rate limits: a sliding minute per method and app, and about one post a second per channel."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

#: calls a minute of each tier (docs: "1+", "20+", "50+", "100+"); 0 is "special", hundreds a minute
TIERS = {0: 600, 1: 1, 2: 20, 3: 50, 4: 100}
#: chat.postMessage: one a second a channel with a short burst, several hundred a minute in all
POSTS_A_MINUTE = 300
POST_BURST = 10


class Limits:
    """Counts calls.  `per_minute` overrides a method's tier; `window` shrinks the minute (seconds)."""

    def __init__(
        self,
        *,
        is_on: bool = True,
        per_minute: Mapping[str, int] | None = None,
        window: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_on = is_on
        self.per_minute = dict(per_minute or {})
        self.window = window
        self._clock = clock
        self._seen: dict[tuple[str, str], deque[float]] = {}
        self._posts: dict[tuple[str, str], tuple[float, float]] = {}

    def wait_for(self, app_id: str, method: str, tier: int, channel: str) -> int:
        """Count one call: 0 when it may go through, else the whole seconds to wait (Retry-After)."""
        if not self.is_on:
            return 0
        now = self._clock()
        if method == "chat.postMessage" and (wait := self._post_wait(app_id, channel, now)):
            return wait
        most = self.per_minute.get(method, POSTS_A_MINUTE if method == "chat.postMessage" else TIERS[tier])
        calls = self._seen.setdefault((app_id, method), deque())
        while calls and calls[0] <= now - self.window:
            calls.popleft()
        if len(calls) >= most:
            return max(1, -int(-(calls[0] + self.window - now) // 1))
        calls.append(now)
        return 0

    def _post_wait(self, app_id: str, channel: str, now: float) -> int:
        rate = 60.0 / self.window
        left, at = self._posts.get((app_id, channel), (float(POST_BURST), now))
        left = min(float(POST_BURST), left + (now - at) * rate)
        if left < 1.0:
            self._posts[app_id, channel] = (left, now)
            return 1
        self._posts[app_id, channel] = (left - 1.0, now)
        return 0
