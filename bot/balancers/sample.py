"""A sample: what a balancer answered at one moment, as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.refusals import Refusal


class NoReading(Refusal):
    """The balancer cannot be read; the sentence says why and what to do."""


@dataclass(frozen=True)
class Sample:
    """One look: the command or path that was asked -> its answer."""

    #: Seconds, of any steady clock; only differences count.
    at: float
    texts: Mapping[str, str]
