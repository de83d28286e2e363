"""The verdict on a pool: is the balancer the cause, and why; one sentence that a tired person can act on.

The order of the checks is the order of triage: nobody comes in (TLS, limits in front), servers that are out, the
split, one bad or slow server, limits behind, what the balancer answers by itself, and at last "look at the
application". What comes earlier explains what comes later. Traffic is compared with what people intended, never with
the weights in force: in a misconfigured pool it follows those exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain import checks
from bot.domain.checks.given import seen
from bot.domain.figures import Figures, figures, hottest, in_rotation, split_limits
from bot.domain.findings import RUNBOOK_OF, Culprit, Finding, percent
from bot.domain.pool import ENOUGH, Pool

#: Sentences hold this many findings; the others are in the details.
_SAID = 2


@dataclass(frozen=True)
class Verdict:
    """What the readings say."""

    #: One line, no metric names, ends with a full stop; behind it the reading's note, if there is one.
    sentence: str
    #: The gravest first.
    findings: tuple[Finding, ...]
    figures: Figures
    #: Where to look; None when it could not be judged.
    culprit: Culprit | None
    #: Whether the split could be judged: enough requests, no reload between the samples, and counts of each server.
    is_judged: bool

    @property
    def is_bad(self) -> bool:
        """Whether something was found that explains an outage."""
        return any(finding.is_bad for finding in self.findings)

    @property
    def runbook_id(self) -> str:
        """The runbook that helps; "" when none does."""
        return next((RUNBOOK_OF[f.cause] for f in self.findings if f.cause in RUNBOOK_OF), "")


def judge(pool: Pool) -> Verdict:
    """The verdict. Never raises; what cannot be judged is said."""
    found = figures(pool)
    is_enough = not pool.is_restarted and seen(pool) >= ENOUGH
    is_judged = is_enough and not pool.split_untold
    findings = [finding for check in checks.STANDING for finding in check(pool)]
    if is_enough:
        for look in checks.COUNTED:
            findings += list(look(pool, found, tuple(findings)))
    findings.sort(key=lambda finding: not finding.is_bad)
    words = _sentence(pool, found, findings, is_judged)
    return Verdict(words, tuple(findings), found, _culprit(pool, findings, is_judged), is_judged)


def _culprit(pool: Pool, findings: Sequence[Finding], is_judged: bool) -> Culprit | None:
    bad = next((finding.culprit for finding in findings if finding.is_bad), None)
    if bad is not None or not is_judged:
        return bad
    is_uneven = hottest(pool) is not None and any(finding.is_about_split for finding in findings)
    return Culprit.BALANCER if is_uneven else Culprit.APPLICATION


def facts(pool: Pool, findings: Sequence[Finding]) -> str:
    """The gravest findings in words, without a full stop; of a split, the hottest server's share first."""
    said = "; ".join(finding.words for finding in findings[:_SAID])
    hot = hottest(pool)
    if hot is None or not findings or not findings[0].is_about_split:
        return said
    got, fair = percent(pool.share(hot)), percent(pool.fair_share(hot))
    return f"{hot.name} gets {got} of the requests, {fair} would be fair: {said}"


def _sentence(pool: Pool, found: Figures, findings: Sequence[Finding], is_judged: bool) -> str:
    bad = [finding for finding in findings if finding.is_bad]
    if not is_judged:
        said = "; ".join(finding.words for finding in findings[:_SAID])
        return _ended(pool, "; ".join(filter(None, (said, _why_not(pool, found)))))
    said = facts(pool, findings)
    hot = hottest(pool)
    well = f"{_all_well(pool, found)}: the balancer is not the cause"
    if not findings:
        return _ended(pool, f"{well}; look at the application")
    if not bad:
        is_uneven = any(finding.is_about_split for finding in findings) and hot is not None
        return _ended(pool, f"{said}; nobody suffers from it yet" if is_uneven else f"{said}; {well}")
    if all(finding.culprit is Culprit.APPLICATION for finding in bad):
        besides = "".join(f"; besides, {finding.words}" for finding in findings[len(bad) :][:1])
        words = "; ".join(finding.words for finding in bad[:_SAID])
        return _ended(pool, f"{well}; {words}: look at the application{besides}")
    return _ended(pool, said)


def _ended(pool: Pool, words: str) -> str:
    """As a sentence; a server's name keeps its own spelling."""
    if not words.startswith(tuple(server.name for server in pool.servers)):
        words = words[0].upper() + words[1:]
    compared = f" Compared were {pool.compared}." if pool.compared else ""
    return f"{words}.{compared} {pool.note}".rstrip()


def _all_well(pool: Pool, found: Figures) -> str:
    inside = pool.servers if pool.is_panicking else in_rotation(pool)
    where = f"{len(inside)} of {len(pool.servers)} servers"
    if found.skew < split_limits(pool, found)[0]:
        split = f"traffic is even over {where} (within {max(1, math.ceil(found.skew * 100))} %)"
    else:
        split = f"{where} take traffic"
    return split if pool.queue else f"{split} and nothing queues"


def _why_not(pool: Pool, found: Figures) -> str:
    if pool.is_restarted:
        return "the counters were reset by a reload while they were read; sample again"
    count = seen(pool)
    if pool.split_untold and count >= ENOUGH:
        up = f"{len(in_rotation(pool))} of {len(pool.servers)} servers take traffic"
        failed = (
            f"{percent(found.errors)} of the requests are answered with 5xx" if found.errors >= 0.02 else ""
        )
        return "; ".join(filter(None, (up, failed, f"the split cannot be judged: {pool.split_untold}")))
    return f"only {count} request{'s' if count != 1 else ''} in the window: too few to judge the split; sample again"
