"""Servers that are out: parked, marked backup, called down by their check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bot.domain.findings import Cause, Culprit, Finding, listed, of_all, percent
from bot.domain.pool import Pool, Server, Standing


def parked(pool: Pool) -> Iterable[Finding]:
    """Servers that somebody took out, marked backup, or weighted 0, though they are meant to get requests."""
    missing = [s for s in pool.servers if not s.is_in_rotation and pool.fair_share(s) > 0]
    part = sum(pool.fair_share(server) for server in missing)
    for standing, cause in (
        (Standing.DRAIN, Cause.PARKED),
        (Standing.MAINT, Cause.PARKED),
        (Standing.UP, Cause.PARKED),
        (Standing.BACKUP, Cause.BACKUP),
        (Standing.EJECTED, Cause.BAD_SERVER),
        (Standing.ABSENT, Cause.ABSENT),
    ):
        those = [server for server in missing if server.standing is standing]
        if not those:
            continue
        names = listed([server.name for server in those])
        how = of_all(len(those), len(pool.servers))
        whose = "its" if len(those) == 1 else "their"
        nothing = "gets nothing" if len(those) == 1 else "get nothing"
        words = {
            Standing.BACKUP: f"{how} marked backup and {nothing} ({names})",
            Standing.UP: f"{how} at weight 0 and {nothing} ({names})",
            Standing.EJECTED: f"{how} put out by the balancer because of {whose} answers ({names})",
            Standing.ABSENT: f"{names} should get {percent(sum(pool.fair_share(s) for s in those))} of the requests "
            f"and get{'s' if len(those) == 1 else ''} none: down, parked, or not in the configuration",
        }.get(standing, f"{how} in {standing} ({names}{_set_how(those)})")
        # One of four out costs a quarter of the capacity; half of them out is an outage.
        is_bad = part >= 0.5
        culprit = Culprit.BALANCER
        if standing is Standing.EJECTED:
            # Where those that are left fail as well, it is what they all run that fails.
            left = [server for server in pool.servers if server.is_in_rotation and server.requests]
            is_bad &= sum(s.errors for s in left) < 0.05 * sum(s.requests for s in left) or not left
            culprit = Culprit.SERVERS
        yield Finding(cause, words, culprit, is_bad, tuple(s.name for s in those), is_about_split=True)


def _set_how(servers: Sequence[Server]) -> str:
    set_how = {server.is_set_at_run_time for server in servers}
    if set_how == {True}:
        return "; set at run time"
    if set_how == {False}:
        return "; by the file"
    return ""


def checked_down(pool: Pool) -> Iterable[Finding]:
    """Servers that their health check calls down, and what that check got."""
    down = [
        server for server in pool.servers if server.standing is Standing.DOWN and pool.fair_share(server) > 0
    ]
    if not down:
        return
    # A balancer that panics sends them requests all the same; whether they fail is told by the counters.
    is_bad = sum(pool.fair_share(server) for server in down) >= 0.5 and not pool.is_panicking
    got = Counter(server.check for server in down).most_common(1)[0][0]
    how = f"{of_all(len(down), len(pool.servers))} DOWN by health check ({listed([s.name for s in down])})"
    cause, culprit, why = _why_down(got)
    if not got and pool.check_asks:
        why = f"the check asks {pool.check_asks}, and nobody says what it gets; ask by hand"
    # Half of a pool down at once for the same 4xx is the check, not the servers.
    yield Finding(
        cause, f"{how}: {why}", culprit, is_bad, tuple(server.name for server in down), is_about_split=True
    )
    if pool.is_panicking:
        yield Finding(
            Cause.HEALTH_CHECK,
            "so few are well that the balancer ignores health and sends to all of them",
            Culprit.BALANCER,
            is_bad=False,
        )


def _why_down(got: str) -> tuple[Cause, Culprit, str]:
    layer, _, code = got.partition("/")
    if layer == "L7STS" and code[:1] in ("3", "4"):
        words = f"the check is answered {code}, so its path is probably wrong"
        return Cause.HEALTH_CHECK, Culprit.BALANCER, words
    if layer == "L7STS" and not code:
        words = "the check gets an answer that it does not want, so its path is wrong or they call themselves unwell"
        return Cause.HEALTH_CHECK, Culprit.BALANCER, words
    if layer == "L7STS":
        return Cause.SERVER_DOWN, Culprit.APPLICATION, f"the servers themselves answer the check with {code}"
    if layer in ("L4CON", "SOCKERR"):
        return (
            Cause.SERVER_DOWN,
            Culprit.SERVERS,
            "nothing listens there (stopped, or a wrong address or port)",
        )
    if layer in ("L4TOUT", "L6TOUT", "L7TOUT"):
        return Cause.SERVER_DOWN, Culprit.SERVERS, "the check gets no answer in time"
    if layer == "L6RSP":
        return Cause.HEALTH_CHECK, Culprit.BALANCER, "the check fails in the TLS handshake with the server"
    if layer == "L7RSP":
        return Cause.HEALTH_CHECK, Culprit.BALANCER, "what answers the check does not speak HTTP"
    return Cause.HEALTH_CHECK, Culprit.BALANCER, "the check does not say why"
