"""The pulse of this process: tells that all of it stood still a moment ago, paused (SIGSTOP) or starved.

What lies in a socket then is older than it looks: an envelope of Socket Mode does not say when it was sent, and
Slack may long have told the person that it failed.
"""

from __future__ import annotations

import threading
import time

#: Seconds between beats.
_EVERY = 0.25
#: Seconds after the standstill in which what is heard may be from before its end.
_FRESH = 0.5


class Pulse:
    """Beats from `start()` to `stop()`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._beat_at = time.monotonic()
        self._woke_at = float("-inf")
        self._stood_for = 0.0
        self._thread = threading.Thread(target=self._beat_until_stopped, name="pulse", daemon=True)

    def start(self) -> None:
        self._beat_at = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def stood_still_for(self) -> float:
        """Seconds of the standstill that ended just now; a fraction of a second when there was none."""
        now = time.monotonic()
        # Whoever asks may have woken up before the beat.
        since_beat = now - self._beat_at
        return max(since_beat, self._stood_for) if now - self._woke_at < _FRESH else since_beat

    def _beat_until_stopped(self) -> None:
        while not self._stopping.wait(_EVERY):
            now = time.monotonic()
            if now - self._beat_at > 2 * _EVERY:
                self._stood_for, self._woke_at = now - self._beat_at, now
            self._beat_at = now
