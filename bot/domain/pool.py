"""A pool: one backend of a load balancer as it was over a window, whichever balancer it is.

Every balancer's file in bot/balancers/ ends in this picture; everything after it (verdict, bars) knows nothing else.
None always means "this balancer does not tell", never zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

#: Fewer requests than this in the window say nothing about the split.
ENOUGH = 200
#: Of so many requests that a server should have got, chance takes all away once in 22,000 looks.
_SURELY = 10


class Standing(StrEnum):
    """Where a server stands in its pool."""

    UP = "UP"
    #: Up, but only used when no other server is left.
    BACKUP = "BACKUP"
    DRAIN = "DRAIN"
    MAINT = "MAINT"
    DOWN = "DOWN"
    #: Put out by the balancer because of its answers (outlier detection, max_fails).
    EJECTED = "EJECTED"
    #: Meant to be in the pool, and nothing of it is seen there.
    ABSENT = "not seen"


class Policy(StrEnum):
    """How a balancer chooses, as far as it matters to what is expected of the split."""

    #: Round robin, random: the split follows the weights.
    EVEN = "even"
    #: Least connections or requests: slower servers get less, as meant.
    LEAST_BUSY = "least busy"
    #: A key of the request chooses: address, URI, header, cookie.
    HASH = "hash"
    #: The first that is well gets everything.
    FIRST = "first"


@dataclass(frozen=True)
class Server:
    """One server of the pool, over the window."""

    name: str
    #: Tries: requests that the balancer gave it, also those it could not deliver.
    requests: int
    standing: Standing = Standing.UP
    address: str = ""
    #: Weight in force; None when the balancer has none or does not tell.
    weight: float | None = None
    #: Weight by the file, where it is known apart from the one in force.
    file_weight: float | None = None
    #: Whether its standing was set at run time (True) or by the file (False).
    is_set_at_run_time: bool | None = None
    #: Whether it warms up after a start, and gets less on purpose.
    is_warming: bool = False
    #: Answers with status 5xx that came from the server itself.
    errors: int = 0
    #: Answers of the server; None when only tries are counted.
    answers: int | None = None
    #: Connections that failed, and requests sent elsewhere for that reason.
    unreached: int = 0
    #: Requests whose answer did not come or was broken, by the balancer's account.
    unanswered: int = 0
    #: Requests in its own queue, now.
    queue: int = 0
    #: Connections or requests it works on now, and how many it may.
    busy: int | None = None
    busy_limit: int | None = None
    #: Milliseconds to answer: a recent average, and the same at the beginning of the window.
    latency: float | None = None
    latency_before: float | None = None
    #: Milliseconds that it takes for certain, where few answers, and long ones among them, leave room for chance.
    latency_least: float | None = None
    #: Milliseconds: the longest answer the balancer remembers.
    latency_most: float | None = None
    #: What its health check last got, "L7STS/404"; "" without a check or when it is well.
    check: str = ""
    has_check: bool | None = None

    @property
    def is_in_rotation(self) -> bool:
        """Whether it is meant to get requests now, by its standing and weight."""
        return self.standing is Standing.UP and (self.weight is None or self.weight > 0)


@dataclass(frozen=True)
class Front:
    """What stands before the pool: a listener, or the balancer's process."""

    name: str
    connections: int = 0
    requests: int = 0
    #: Whether one connection without a request means a handshake that failed.
    is_http: bool = True
    failed_handshakes: int | None = None
    #: Connections now, and at most.
    busy: int | None = None
    busy_limit: int | None = None
    #: Sessions a second now, and at most.
    rate: float | None = None
    rate_limit: float | None = None
    #: Connections that it took and closed at once for want of room.
    dropped: int = 0
    #: Requests that it turned away because of a limit on their rate.
    limited: int = 0


@dataclass(frozen=True)
class Pool:
    """One backend over a window."""

    #: Kind of balancer: "haproxy".
    kind: str
    #: What the balancer calls it: "be_auth".
    backend: str
    servers: tuple[Server, ...]
    #: Seconds between the two samples.
    window: float
    fronts: tuple[Front, ...] = ()
    policy: Policy = Policy.EVEN
    #: The balancer's own word for its way of choosing: "roundrobin".
    algorithm: str = ""
    #: Requests that came to the backend; None when only the servers are counted.
    arrived: int | None = None
    #: 5xx answers that the balancer wrote itself.
    own_errors: int | None = None
    #: Why the balancer wrote them, if it tells: "no live upstreams".
    own_errors_why: str = ""
    #: Requests that wait in the balancer for any server, now and at the beginning.
    queue: int = 0
    queue_before: int = 0
    #: Requests refused because a limit before the servers was reached (circuit breaker).
    overflowed: int = 0
    #: Requests refused because the balancer took every server for failed.
    unserved: int = 0
    #: Requests placed without the balancing algorithm (a cookie, a stick table), 0 to 1.
    bypass: float | None = None
    #: Whether requests that look alike keep to one server; None when that is not known.
    is_pinned: bool | None = None
    #: How many equally busy clients, or other keys, the requests are like; None when that is not known.
    keys: float | None = None
    #: Whether the balancer ignores health because too few servers are well.
    is_panicking: bool = False
    #: Whether what is unanswered ran into a time-out for certain; else the servers may have hung up as well.
    tells_time_outs: bool = True
    #: Whether counters restarted in the window: a reload. Then nothing is to be judged by them.
    is_restarted: bool = False
    #: What servers should get, by name; empty means equal shares.
    intended: Mapping[str, float] = field(default_factory=dict)
    #: Why nobody knows which server got what; "" when it is known. States, weights and totals are judged all the same.
    split_untold: str = ""
    #: Whether what stands for servers are zones of which each keeps its own requests.
    is_zonal: bool = False
    #: 5xx answers of the servers together, where they are only counted so.
    errors: int | None = None
    #: What the health check asks, if the balancer tells: "GET /healthz".
    check_asks: str = ""
    #: Requests that fit nothing in the configuration, and what they are answered with: "404".
    unmatched: int = 0
    unmatched_with: str = ""
    #: What stands for servers where single ones are not counted, and what fair is then.
    compared: str = ""
    #: What is to be known of the reading itself, in whole sentences: "The log was rotated meanwhile: ..."
    note: str = ""

    @cached_property
    def total(self) -> int:
        """Requests given to servers."""
        return sum(server.requests for server in self.servers)

    def share(self, server: Server) -> float:
        """The part of the requests that it got, 0 to 1; 0 when there were none."""
        return server.requests / self.total if self.total else 0.0

    def fair_share(self, server: Server) -> float:
        """The part of the requests that people meant it to get, 0 to 1.

        Without a stated intent every server counts the same, but for spares: servers marked backup that are
        fewer than half of the pool, and the one spare of a pair, are taken as meant.
        """
        whole = self._wanted_in_all
        return self._wanted(server) / whole if whole else 0.0

    def is_stranger(self, server: Server) -> bool:
        """Whether people said which servers they mean, and it is none of those."""
        return bool(self.intended) and server.name not in self.intended

    def _wanted(self, server: Server) -> float:
        if self.intended:
            return max(0.0, self.intended.get(server.name, 0.0))
        return 0.0 if server.standing is Standing.BACKUP and self.has_meant_spares else 1.0

    @cached_property
    def _wanted_in_all(self) -> float:
        return sum(self._wanted(server) for server in self.servers)

    @cached_property
    def has_meant_spares(self) -> bool:
        """Whether the backup servers look like spares and not like servers somebody forgot."""
        spares = sum(1 for one in self.servers if one.standing is Standing.BACKUP)
        return 0 < spares < len(self.servers) / 2 or (spares == 1 and len(self.servers) == 2)


def with_absent(
    servers: Sequence[Server], intended: Mapping[str, float], *, seen: int | None = None
) -> tuple[Server, ...]:
    """The servers, and for each name that people meant to get requests and that no reading shows, one ABSENT.

    `seen` is the number of requests, for a reading that shows only who got some, such as a log. Then chance must be
    ruled out: whoever should have got fewer than ten may well have got none.
    """
    known, whole = {server.name for server in servers}, sum(intended.values())
    missing = []
    for name, part in intended.items():
        if part > 0 and name not in known:
            is_absent = seen is None or seen * part >= _SURELY * whole
            missing.append(Server(name, 0, standing=Standing.ABSENT if is_absent else Standing.UP))
    return (*servers, *missing)


def distance(shares: Sequence[float], fair: Sequence[float]) -> float:
    """Half the sum of the differences: the part of the requests that is at the wrong server, 0 to 1."""
    return sum(abs(one - other) for one, other in zip(shares, fair, strict=True)) / 2


def noise(servers: int, requests: int) -> float:
    """The distance from fair that chance alone exceeds once in a hundred looks, 0 to 1.

    Fitted to simulated pools of 2 to 32 servers: the mean of a multinomial's distance, and 0.8/sqrt(N) above it.
    For hashing and cookies `requests` is the number of distinct clients, which nobody knows (see verdict).
    """
    if requests <= 0 or servers < 2:
        return 1.0 if servers >= 2 else 0.0
    return min(1.0, math.sqrt((servers - 1) / (2 * math.pi * requests)) + 0.8 / math.sqrt(requests))
