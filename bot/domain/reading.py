"""A reading: one look at a balancer during an incident, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.bars import ranked
from bot.domain.figures import named
from bot.domain.findings import percent
from bot.domain.pool import Pool


@dataclass(frozen=True)
class Reading:
    """One look, finished. Moments are aware UTC."""

    id: int
    incident_id: int
    service: str
    #: Kind and backend, as the catalogue names them.
    kind: str
    backend: str
    asked_by: str
    began_at: datetime
    taken_at: datetime
    #: The verdict, or why there is none.
    sentence: str
    #: Whether it explains an outage.
    is_bad: bool
    #: Whether the split could be judged.
    is_judged: bool
    runbook_id: str
    #: "87/4/4/4": percent of the requests a server, in the pool's order; "" when nothing was read.
    shares: str
    #: Figure -> value, as runbooks name them.
    figures: dict[str, float]


def shares(pool: Pool) -> str:
    """ "87/4/4/4" for up to eight servers, then "87/4/4/4/...": short enough to stand in a sentence."""
    parts = [f"{pool.share(server) * 100:.0f}" for server in ranked(pool)]
    return "/".join(parts) if len(parts) <= 8 else "/".join([*parts[:8], "..."])


def figures_of(pool: Pool) -> dict[str, float]:
    """What is worth comparing before and after a correction, and what runbooks may expect."""
    return {name: round(value, 4) for name, value in named(pool).items()}


def compared(before: Reading, after: Reading) -> str:
    """ "87/4/4/4 → 25/25/25/25; at the wrong server 62 % → 0 %; waiting 0 → 0; failed 12 % → 0 %"; "" for nothing."""
    if not (before.shares and after.shares):
        return ""

    def pair(name: str, is_part: bool = True) -> str:
        old, new = before.figures.get(name, 0.0), after.figures.get(name, 0.0)
        return f"{percent(old)} → {percent(new)}" if is_part else f"{old:.0f} → {new:.0f}"

    return (
        f"{before.shares} → {after.shares}; at the wrong server {pair('off_target_share')}; "
        f"waiting {pair('queue', False)}; failed {pair('error_share')}"
    )
