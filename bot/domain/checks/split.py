"""The split among the servers in rotation, and why it is not the intended one."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from bot.domain.checks.given import Said
from bot.domain.figures import Figures, hottest, in_rotation, is_harmed, is_hot, is_slow, split_limits
from bot.domain.findings import Cause, Culprit, Finding, listed, percent
from bot.domain.pool import Policy, Pool, Server


def split(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """Why requests are at the wrong server, among those in rotation."""
    yield from _strangers(pool)
    if pool.split_untold:
        yield from _weights_alone(pool, found)
        return
    low, high = split_limits(pool, found)
    # That few clients make lumps is no fault, until a lump is more than its server can bear.
    is_hurt = found.skew >= min(low, 0.25) and _is_heat_that_hurts(pool)
    if found.skew < low and not is_hurt:
        return
    is_bad = is_harmed(pool, found) and (found.skew >= high or is_hurt)
    inside = [server for server in in_rotation(pool) if not pool.is_stranger(server)]
    names = tuple(server.name for server in inside if is_hot(pool, server))

    def because(cause: Cause, words: str) -> Finding:
        return Finding(cause, words, Culprit.BALANCER, is_bad, names, is_about_split=True)

    # 0.05 of drift is one server of ten at half its weight.
    if found.drift is not None and found.drift >= 0.05 and pool.policy is not Policy.FIRST:
        yield because(Cause.WEIGHTS, _weights(pool, inside))
    elif (pool.bypass or 0.0) >= 0.10 and pool.queue < 10:
        words = f"{percent(pool.bypass or 0.0)} of the requests skip the balancing: a cookie or stick table pins them"
        yield because(Cause.PINNED, words)
    elif pool.policy is Policy.HASH:
        how = (
            "puts most requests on one server" if hottest(pool) else "gives some servers far more than others"
        )
        words = f"balance {pool.algorithm or 'by hash'} {how}: too few distinct keys"
        yield because(Cause.HASH, words)
    elif pool.is_pinned:
        words = f"{pool.algorithm or 'stickiness'} keeps clients at the server that they had first"
        yield because(Cause.PINNED, words)
    elif pool.policy is Policy.FIRST:
        yield because(Cause.FIRST, "the balancer is told to use the first server that is well")
    elif _is_as_meant(pool, inside):
        return
    elif pool.is_zonal:
        words = "each zone keeps its own requests (cross-zone balancing is off), however few servers it has"
        yield because(Cause.ZONES, words)
    elif silent := _silent(inside):
        words = f"{listed(silent)} should be used and is not: can the balancer reach it, or does its check know better?"
        yield because(Cause.UNEVEN, words)
    elif found.drift is None and pool.is_pinned is False:
        words = "each client and path reaches several servers, so no hash or stickiness does it: look at the weights"
        yield because(Cause.WEIGHTS, words)
    elif found.drift is None:
        yield because(
            Cause.UNEVEN, "its weights are not known here; look at them, and for a hash or stickiness"
        )
    else:
        yield because(
            Cause.UNEVEN,
            "weights and states do not explain it; look for a hash, stickiness or long connections",
        )


def _is_heat_that_hurts(pool: Pool) -> bool:
    """Whether those that get too much fail, or are slow, and the others are not."""
    hot = [server for server in pool.servers if is_hot(pool, server)]
    rest = [server for server in pool.servers if server not in hot]
    mine, theirs = (
        sum(s.errors for s in some) / max(1, sum(s.requests for s in some)) for some in (hot, rest)
    )
    return bool(hot and rest) and (mine >= max(0.02, 5 * theirs) or all(is_slow(pool, s) for s in hot))


def _silent(inside: Sequence[Server]) -> list[str]:
    """The few servers that get nothing at all among those that do."""
    names = [server.name for server in inside if not server.requests]
    return names if 2 * len(names) < len(inside) else []


def _weights_alone(pool: Pool, found: Figures) -> Iterable[Finding]:
    """What the weights say where nobody knows the split: a balancer follows them faithfully."""
    if found.drift is None or found.drift < 0.10 or pool.policy is Policy.FIRST:
        return
    weights = _weights(pool, in_rotation(pool))
    words = f"{weights}, which sends {percent(found.drift)} of the requests to the wrong server"
    is_bad = found.drift >= 0.25 and is_harmed(pool, found)
    yield Finding(Cause.WEIGHTS, words, Culprit.BALANCER, is_bad)


def _strangers(pool: Pool) -> Iterable[Finding]:
    strange = [s for s in pool.servers if pool.is_stranger(s) and pool.share(s) >= 0.02 and s.requests >= 5]
    if strange:
        part = sum(pool.share(server) for server in strange)
        yield Finding(
            Cause.STRANGER,
            f"{percent(part)} of the requests go to {listed([s.name for s in strange])}, which nobody intended",
            Culprit.BALANCER,
            is_bad=part >= 0.10,
            servers=tuple(server.name for server in strange),
        )


def _weights(pool: Pool, inside: Sequence[Server]) -> str:
    now = [server.weight or 0.0 for server in inside]
    by_file = [server.file_weight for server in inside]
    words = f"its weights are {_row(now)}" if hottest(pool) else f"the weights are {_row(now)}"
    if None in by_file:
        return words
    if by_file == now:
        return f"{words}, as in the file"
    return f"{words}, set at run time; the file says {_row([weight or 0.0 for weight in by_file])}"


def _row(weights: Sequence[float]) -> str:
    if len(weights) <= 6:
        return "/".join(f"{weight:g}" for weight in weights)
    first = "/".join(f"{weight:g}" for weight in weights[:5])
    return f"{first}/... ({min(weights):g} to {max(weights):g})"


def _is_as_meant(pool: Pool, inside: Sequence[Server]) -> bool:
    """Whether servers that warm up, or with least connections the slower ones, are those that get less."""
    if any(server.is_warming for server in inside):
        return True
    if pool.policy is not Policy.LEAST_BUSY:
        return False
    timed = [server for server in inside if server.latency is not None]
    more = [s.latency or 0.0 for s in timed if pool.share(s) > pool.fair_share(s)]
    less = [s.latency or 0.0 for s in timed if pool.share(s) < pool.fair_share(s)]
    return bool(more and less) and statistics.median(less) > 1.2 * statistics.median(more)
