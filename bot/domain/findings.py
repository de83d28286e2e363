"""What may be found wrong in a pool: the causes, what a finding says, and which runbook helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """One kind of fault."""

    HANDSHAKE = "handshake"
    FRONT_FULL = "front full"
    RATE_LIMIT = "rate limit"
    HEALTH_CHECK = "health check"
    SERVER_DOWN = "server down"
    PARKED = "parked"
    BACKUP = "backup"
    ABSENT = "not in the pool"
    STRANGER = "nobody intended it"
    WEIGHTS = "weights"
    PINNED = "pinned"
    HASH = "hash"
    FIRST = "first"
    UNEVEN = "uneven"
    ZONES = "zones"
    UNREACHABLE = "unreachable"
    BAD_SERVER = "bad server"
    SLOW_SERVER = "slow server"
    QUEUE = "queue"
    OVERFLOW = "overflow"
    TIMEOUT = "timeout"
    OWN_ERRORS = "balancer's own errors"
    UNMATCHED = "fits no site or router"
    APPLICATION = "application"


class Culprit(StrEnum):
    """Where to look."""

    BALANCER = "balancer"
    SERVERS = "servers"
    APPLICATION = "application"


#: Which runbook helps, and the words that its fitting step's title holds.
RUNBOOK_OF = {
    Cause.HANDSHAKE: "lb-tls-expired",
    Cause.FRONT_FULL: "lb-frontend-full",
    Cause.RATE_LIMIT: "lb-frontend-full",
    Cause.HEALTH_CHECK: "lb-health-check-wrong",
    Cause.SERVER_DOWN: "lb-health-check-wrong",
    Cause.PARKED: "lb-servers-parked",
    Cause.BACKUP: "lb-servers-parked",
    Cause.ABSENT: "lb-servers-parked",
    Cause.STRANGER: "lb-bad-backend",
    Cause.WEIGHTS: "lb-uneven-traffic",
    Cause.PINNED: "lb-pinned-clients",
    Cause.HASH: "lb-pinned-clients",
    Cause.FIRST: "lb-uneven-traffic",
    Cause.UNEVEN: "lb-uneven-traffic",
    Cause.ZONES: "lb-zone-imbalance",
    Cause.UNREACHABLE: "lb-bad-backend",
    Cause.BAD_SERVER: "lb-bad-backend",
    Cause.SLOW_SERVER: "lb-slow-backend",
    Cause.QUEUE: "lb-queue-server-limit",
    Cause.OVERFLOW: "lb-queue-server-limit",
    Cause.TIMEOUT: "lb-timeouts",
    Cause.OWN_ERRORS: "lb-timeouts",
}


@dataclass(frozen=True)
class Finding:
    """One thing found."""

    cause: Cause
    #: What is so, without a full stop and without metric names: "3 of 4 servers are in DRAIN (auth2, auth3, auth4)".
    words: str
    culprit: Culprit
    #: Whether it explains an outage; otherwise it is only worth knowing.
    is_bad: bool
    servers: tuple[str, ...] = ()
    #: Whether the sentence should begin with the hottest server's share.
    is_about_split: bool = False


def percent(part: float) -> str:
    """ "87 %"; what is small but not nothing is "under 1 %"."""
    if 0 < part < 0.005:
        return "under 1 %"
    return f"{part * 100:.0f} %"


def listed(names: Sequence[str], most: int = 4) -> str:
    """ "auth2, auth3 and 3 more"."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def of_all(count: int, whole: int) -> str:
    """ "3 of 4 servers are", "1 of 4 servers is", "the only server is"."""
    if whole == 1:
        return "the only server is"
    return f"{count} of {whole} servers {'is' if count == 1 else 'are'}"


def milliseconds(latency: float) -> str:
    """ "397 ms", "2.3 s"."""
    return f"{latency / 1000:.1f} s" if latency >= 1000 else f"{latency:.0f} ms"
