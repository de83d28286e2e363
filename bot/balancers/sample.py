"""A sample: what a balancer answered at one moment, as it came."""

from __future__ import annotations

import re
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


_WHOLE = re.compile(r"-?[0-9]{1,18}")


def whole(text: str) -> int | None:
    """The whole number that a text is; None for anything else, and for more digits than any counter has."""
    return int(text) if _WHOLE.fullmatch(text) else None
