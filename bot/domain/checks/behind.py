"""Limits behind the balancer, what it answers by itself, and what is the application's."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from bot.domain.checks.given import SLOW_ANSWER, Said
from bot.domain.figures import Figures, in_rotation
from bot.domain.findings import Cause, Culprit, Finding, milliseconds, of_all, percent
from bot.domain.pool import Pool


def queue(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """Requests that wait in the balancer: 10, or some in both samples. Healthy pools had none."""
    waiting = pool.queue
    if waiting < 10 and not (waiting >= 1 and pool.queue_before >= 1):
        return
    inside = in_rotation(pool)
    full = [s for s in inside if s.busy is not None and s.busy_limit and s.busy >= s.busy_limit]
    how = f"{waiting} requests wait in the balancer" if waiting != 1 else "1 request waits in the balancer"
    slow = [s.latency for s in full if s.latency is not None]
    if full and slow and statistics.median(slow) >= SLOW_ANSWER:
        words = (
            f"{how}: {of_all(len(full), len(inside))} as busy as allowed, and an answer takes "
            f"{milliseconds(statistics.median(slow))}"
        )
        yield Finding(
            Cause.APPLICATION, words, Culprit.APPLICATION, waiting >= 10, tuple(s.name for s in full)
        )
        return
    if full:
        most = sorted({server.busy_limit or 0 for server in full})
        limit = f"{most[0]}" if len(most) == 1 else f"{most[0]} to {most[-1]}"
        words = f"{how}: {of_all(len(full), len(inside))} at their limit of {limit} at a time"
    elif any(server.busy_limit for server in inside):
        words = f"{how}, though no server is at its limit"
    else:
        words = f"{how}: it may open no more connections to the servers"
    yield Finding(Cause.QUEUE, words, Culprit.BALANCER, waiting >= 10, tuple(s.name for s in full))


def overflow(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """Requests refused by a circuit breaker: 5 of them, and 2 %."""
    whole = max(pool.total + pool.overflowed, 1)
    if pool.overflowed >= 5 and pool.overflowed >= 0.02 * whole:
        words = f"{percent(pool.overflowed / whole)} of the requests are refused by the balancer's limit on open ones"
        yield Finding(Cause.OVERFLOW, words, Culprit.BALANCER, is_bad=True)


def unserved(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """Requests refused since every server was taken for failed: 5, and 2 % of what arrived; and after what it was."""
    part = pool.unserved / max(pool.arrived or 0, 1)
    if pool.unserved < 5 or part < 0.02 or _explains_refusals(said):
        return
    words = f"{percent(part)} of the requests are refused since the balancer takes every server for failed"
    unreached, unanswered, errors = (
        (
            sum(counts)
            for counts in zip(*((s.unreached, s.unanswered, s.errors) for s in pool.servers), strict=True)
        )
        if pool.servers
        else (0, 0, 0)
    )
    longest = max((s.latency_most or 0.0 for s in pool.servers if s.unanswered), default=0.0)
    if not unreached + unanswered + errors:
        words += " (too short a time-out does that, and servers that are down; its error log says which)"
        yield Finding(Cause.OWN_ERRORS, words, Culprit.BALANCER, is_bad=True)
    elif unreached > max(unanswered, errors):
        yield Finding(Cause.UNREACHABLE, f"{words}: they cannot be reached", Culprit.SERVERS, is_bad=True)
    elif errors > unanswered or longest >= 2 * SLOW_ANSWER:
        how = (
            "their answers are broken or errors"
            if errors > unanswered
            else f"they hang ({milliseconds(longest)})"
        )
        yield Finding(Cause.APPLICATION, f"{words}: {how}", Culprit.APPLICATION, is_bad=True)
    else:
        words += f", after answers that took longer than its time-out ({milliseconds(longest)}, which is too short)"
        yield Finding(Cause.TIMEOUT, words, Culprit.BALANCER, is_bad=True)


def own_errors(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """5xx that the balancer wrote itself: 2 % of what arrived; healthy pools had none."""
    if not pool.own_errors or pool.own_errors < 5 or found.own_errors < 0.02 or _explains_refusals(said):
        return
    if 2 * pool.unserved >= pool.own_errors:
        return
    waited = [s for s in pool.servers if s.unanswered >= 5 and s.unanswered >= 0.02 * max(1, s.requests)]
    part = percent(found.own_errors)
    if waited and 2 * len(waited) >= len([s for s in pool.servers if s.requests]):
        longest = max((s.latency_most or 0.0 for s in pool.servers), default=0.0)
        if longest >= 2 * SLOW_ANSWER:
            words = (
                f"{part} of the requests time out after waiting for every server alike, and answers take up to "
                f"{milliseconds(longest)}: the servers are slow or hang"
            )
            yield Finding(Cause.APPLICATION, words, Culprit.APPLICATION, is_bad=True)
            return
        unless = "" if pool.tells_time_outs else ", unless its log says that they hang up"
        hint = f"; no answer took longer than {milliseconds(longest)}" if longest else ""
        words = (
            f"{part} of the requests get a 5xx that the balancer wrote after waiting for every server alike: "
            f"its time-out is too short{unless}{hint}"
        )
        yield Finding(Cause.TIMEOUT, words, Culprit.BALANCER, is_bad=True)
        return
    if any(finding.is_bad for finding in said):
        return
    why = pool.own_errors_why or "its log says why"
    words = f"{part} of the requests get a 5xx that the balancer wrote itself: {why}"
    yield Finding(Cause.OWN_ERRORS, words, Culprit.BALANCER, is_bad=True)


def _explains_refusals(said: Said) -> bool:
    causes = {
        Cause.HEALTH_CHECK,
        Cause.SERVER_DOWN,
        Cause.UNREACHABLE,
        Cause.QUEUE,
        Cause.OVERFLOW,
        Cause.PARKED,
    }
    return any(finding.is_bad and finding.cause in causes for finding in said)


def application(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """Every server alike fails or is slow: not the balancer. Only when nothing else explains it."""
    if pool.split_untold or any(finding.is_bad for finding in said):
        return
    if found.errors >= 0.02 and sum(s.errors for s in pool.servers) >= 5:
        asked = [s for s in pool.servers if s.requests]
        failing = [s for s in asked if s.errors >= 0.3 * found.errors * s.requests]
        who = "every server alike answers" if 2 * len(failing) > len(asked) else "the servers answer"
        words = f"{who} {percent(found.errors)} of the requests with 5xx"
        yield Finding(Cause.APPLICATION, words, Culprit.APPLICATION, is_bad=True)
    timed = [s.latency for s in pool.servers if s.latency is not None and s.requests]
    if timed and statistics.median(timed) >= SLOW_ANSWER:
        words = f"every server alike takes {milliseconds(statistics.median(timed))} to answer"
        yield Finding(Cause.APPLICATION, words, Culprit.APPLICATION, is_bad=True)
