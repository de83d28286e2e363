"""How often one address may fail to sign in: each try is a call to Slack."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

#: Failed tries of one address within a minute.
MOST = 20
_SECONDS = 60.0
#: Addresses remembered; the oldest is forgotten first.
_ADDRESSES = 10_000


class Attempts:
    """Counts in this process only: a brake, not a lock. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def wait_for(self, address: str) -> int:
        """Seconds until the address may try again; 0 for now."""
        now = time.monotonic()
        with self._lock:
            recent = [at for at in self._failed.get(address, ()) if now - at < _SECONDS]
        return int(recent[0] + _SECONDS - now) + 1 if len(recent) >= MOST else 0

    def failed(self, address: str) -> None:
        now = time.monotonic()
        with self._lock:
            recent = [at for at in self._failed.pop(address, []) if now - at < _SECONDS]
            self._failed[address] = [*recent, now][-MOST:]
            if len(self._failed) > _ADDRESSES:
                self._failed.popitem(last=False)
