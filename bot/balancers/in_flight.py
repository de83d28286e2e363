"""How long requests take, told from how many are waited for: what no balancer's averages say while nobody answers."""

from __future__ import annotations

#: In flight from here on; the number of fewer is mostly chance.
ENOUGH = 10


def stay(before: int, after: int, requests: int, window: float) -> float | None:
    """Milliseconds that a request stays, from those in flight at both ends of a window of seconds (Little's law)."""
    if not requests or window <= 0 or not before + after:
        return None
    return 1000 * (before + after) / 2 * window / requests
