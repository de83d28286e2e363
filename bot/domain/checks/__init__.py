"""The checks: a pool -> what is wrong with it, in the order of triage.

Each threshold stands where it is used, with what it was measured against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.domain.checks import behind, fronts, neighbours, out, split
from bot.domain.checks.given import Said
from bot.domain.figures import Figures
from bot.domain.findings import Finding
from bot.domain.pool import Pool

#: What the states alone say: no traffic is needed for it.
STANDING: tuple[Callable[[Pool], Iterable[Finding]], ...] = (
    fronts.limits,
    out.checked_down,
    out.parked,
)
#: What the counters of the window say; each is given what was found before it.
COUNTED: tuple[Callable[[Pool, Figures, Said], Iterable[Finding]], ...] = (
    fronts.handshakes,
    fronts.refusals,
    fronts.unmatched,
    split.split,
    neighbours.unreachable,
    neighbours.bad_servers,
    neighbours.slow_servers,
    behind.queue,
    behind.overflow,
    behind.unserved,
    behind.own_errors,
    behind.application,
)
