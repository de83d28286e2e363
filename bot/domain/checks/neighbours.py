"""One server that is unreachable, bad or slow beside its neighbours."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from bot.domain.checks.given import Said
from bot.domain.figures import Figures, in_rotation, is_hot, is_slow
from bot.domain.findings import Cause, Culprit, Finding, listed, milliseconds, percent
from bot.domain.pool import Policy, Pool, Server


def unreachable(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """Servers that connections fail to: 5 of them, and 2 % of its tries."""
    those = [s for s in pool.servers if s.unreached >= 5 and s.unreached >= 0.02 * s.requests]
    if not those:
        return
    names = listed([server.name for server in those])
    tries, failed = sum(s.requests for s in those), sum(s.unreached for s in those)
    words = f"{names} cannot be reached ({failed} of {max(tries, failed)} tries failed)"
    if all(server.has_check is False for server in those):
        words += "; no health check watches " + ("it" if len(those) == 1 else "them")
    # Where there is no server that answers, it is not the balancer that calls a wrong one.
    is_whole = len(those) >= max(len(in_rotation(pool)), sum(1 for server in pool.servers if server.requests))
    culprit = Culprit.SERVERS if is_whole else Culprit.BALANCER
    yield Finding(
        Cause.UNREACHABLE,
        words,
        culprit,
        is_bad=failed >= 0.02 * max(pool.total, 1),
        servers=tuple(server.name for server in those),
    )


def bad_servers(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """Servers that fail far more than their neighbours: 5 % of theirs and five times the others, beyond chance."""
    inside = [server for server in pool.servers if server.requests]
    rates = sorted(inside, key=lambda server: server.errors / server.requests)
    calm = rates[: (len(rates) + 1) // 2]
    if len(inside) < 2:
        return
    usual = sum(s.errors for s in calm) / max(1, sum(s.requests for s in calm))
    skewed = any(finding.is_about_split for finding in said)
    those = []
    for server in inside:
        rate = server.errors / server.requests
        spread = math.sqrt(server.requests * usual * (1 - usual) + 1)
        is_beyond_chance = server.errors - server.requests * usual >= 4 * spread
        # A server that gets far too much fails because of that; one that fails fast gets too much because of it.
        is_overloaded = skewed and is_hot(pool, server) and rate < 0.5
        # A slow one has a finding of its own, which says both.
        is_other = is_overloaded or is_slow(pool, server)
        if server.errors >= 5 and rate >= max(0.05, 5 * usual) and is_beyond_chance and not is_other:
            those.append(server)
    if those:
        yield _bad(pool, those, usual)


def _bad(pool: Pool, those: Sequence[Server], usual: float) -> Finding:
    rate = sum(s.errors for s in those) / sum(s.requests for s in those)
    names = listed([server.name for server in those])
    verb, whose = ("answers", "its") if len(those) == 1 else ("answer", "their")
    words = f"{names} {verb} {percent(rate)} of {whose} requests with 5xx (others {percent(usual)})"
    attracts = pool.policy is Policy.LEAST_BUSY and any(is_hot(pool, server) for server in those)
    if attracts:
        words += f" and so fast that {pool.algorithm or 'least busy'} prefers it"
    return Finding(
        Cause.BAD_SERVER,
        f"{words}: wrong address, or broken",
        Culprit.SERVERS,
        is_bad=True,
        servers=tuple(server.name for server in those),
        is_about_split=attracts,
    )


def slow_servers(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """A server three times as slow as the others, and not because it gets too much."""
    those = [s for s in pool.servers if is_slow(pool, s) and not (is_hot(pool, s) and _has_split(said))]
    if not those:
        return
    others = [s.latency for s in pool.servers if s not in those and s.latency is not None and s.requests]
    usual = statistics.median(others) if others else 0.0
    names = listed([server.name for server in those])
    slowest = milliseconds(max(server.latency or 0.0 for server in those))
    verb, whose = ("answers", "its") if len(those) == 1 else ("answer", "their")
    words = f"{names} {verb} in {slowest}, the others in {milliseconds(usual)}"
    failed = sum(s.errors for s in those) / max(1, sum(s.requests for s in those))
    if failed >= max(0.05, 2 * found.errors):
        words += f", and {percent(failed)} of {whose} requests fail"
    if pool.policy is Policy.LEAST_BUSY:
        words += f"; {pool.algorithm or 'least busy'} gives it less, as it should"
    yield Finding(
        Cause.SLOW_SERVER,
        words,
        Culprit.SERVERS,
        is_bad=pool.policy is not Policy.LEAST_BUSY or found.errors >= 0.02,
        servers=tuple(server.name for server in those),
    )


def _has_split(said: Said) -> bool:
    return any(finding.is_about_split for finding in said)
