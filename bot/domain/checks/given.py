"""What every check is given, and what several measure against."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.findings import Finding
from bot.domain.pool import Pool

#: What was found before, the earlier in the order of triage.
Said = Sequence[Finding]

#: Milliseconds. From here on the servers themselves are slow, whatever the balancer does.
SLOW_ANSWER = 1000.0


def seen(pool: Pool) -> int:
    """Requests to the pool in the window, or connections in front of it where there is not even a request."""
    silent = [front.connections for front in pool.fronts if front.requests < 0.1 * front.connections]
    return max([pool.total, (pool.arrived or 0) + pool.unmatched, *silent])
