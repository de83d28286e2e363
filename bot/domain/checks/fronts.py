"""Nobody comes in: limits in front of the pool, and handshakes that fail."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.checks.given import Said
from bot.domain.figures import Figures
from bot.domain.findings import Cause, Culprit, Finding, percent
from bot.domain.pool import Pool


def limits(pool: Pool) -> Iterable[Finding]:
    """A limit in front that is reached; healthy fronts were at 0.005 of theirs."""
    is_full = False
    for front in pool.fronts:
        # The process's own limit comes first, and is also that of its frontends.
        if (
            not is_full
            and front.busy is not None
            and front.busy_limit
            and front.busy >= 0.9 * front.busy_limit
        ):
            is_full = True
            yield Finding(
                Cause.FRONT_FULL,
                f"{front.name} is full ({front.busy} of {front.busy_limit} connections); further clients wait outside",
                Culprit.BALANCER,
                is_bad=True,
            )
        if front.rate is not None and front.rate_limit and front.rate >= 0.9 * front.rate_limit:
            yield Finding(
                Cause.RATE_LIMIT,
                f"{front.name} takes {front.rate:.0f} sessions a second, which is its limit of {front.rate_limit:.0f}; "
                "further clients wait outside",
                Culprit.BALANCER,
                is_bad=True,
            )


def handshakes(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """Connections that never become requests. Healthy: one request or more a connection; expired certificate: none."""
    for front in pool.fronts:
        failed = front.failed_handshakes
        is_failing = failed is not None and failed >= 20 and failed >= 0.5 * front.connections
        is_silent = front.is_http and front.connections >= 100 and front.requests < 0.1 * front.connections
        # Browsers and port checks open connections that they do not use: that alone is no proof.
        if is_failing or (is_silent and failed is None):
            yield Finding(
                Cause.HANDSHAKE,
                f"{front.connections} connections but {front.requests} requests: clients give up in the TLS handshake "
                "(has the certificate expired?)",
                Culprit.BALANCER,
                is_bad=True,
            )


def refusals(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """What a limit in front turned away: 5, and 2 % of what came."""
    for front in pool.fronts:
        if front.dropped >= 5 and front.dropped >= 0.02 * front.connections:
            yield Finding(
                Cause.FRONT_FULL,
                f"{front.name} closed {front.dropped} connections at once for want of room",
                Culprit.BALANCER,
                is_bad=True,
            )
        whole = front.limited + max(front.requests, pool.arrived or 0)
        if front.limited >= 5 and front.limited >= 0.02 * whole:
            yield Finding(
                Cause.RATE_LIMIT,
                f"{front.name} turns away {percent(front.limited / whole)} of the requests because of its limit on "
                "their rate",
                Culprit.BALANCER,
                is_bad=True,
            )


def unmatched(pool: Pool, found: Figures, said: Said) -> Iterable[Finding]:
    """Requests that fit nothing in the configuration: 5, and a tenth; from half on it is the outage.

    Scanners of the internet ask for names and paths that nobody has, and are no fault.
    """
    whole = pool.unmatched + max(pool.arrived or 0, pool.total)
    if pool.unmatched >= 5 and pool.unmatched >= 0.1 * whole:
        words = (
            f"{percent(pool.unmatched / whole)} of the requests fit nothing in the balancer's configuration, which "
            f"answers them {pool.unmatched_with} itself: compare the host names and paths that clients ask for"
        )
        yield Finding(Cause.UNMATCHED, words, Culprit.BALANCER, is_bad=pool.unmatched >= 0.5 * whole)
