"""What a runbook's check expects of a reading: `off_target_share: "< 0.10"`, and whether it is so."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.domain.findings import percent

_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": lambda is_, wanted: abs(is_ - wanted) < 0.005,
}
_CONDITION = re.compile(r"\s*(<=|>=|<|>|=)\s*(\d+(?:\.\d+)?)\s*(%?)\s*")


@dataclass(frozen=True)
class Told:
    """What came of the expectations."""

    is_met: bool
    #: "not as expected: off_target_share is 62 % (wanted < 0.10)".
    words: str


def told(figures: Mapping[str, float], expect: Mapping[str, str]) -> Told:
    """Compare a reading's figures with what is expected. A figure that was not read cannot be met."""
    missed = [words for name, wanted in expect.items() if (words := _missed(figures, name, wanted))]
    if missed:
        return Told(False, f"not as expected: {'; '.join(missed)}")
    shown = ", ".join(f"{name} {_shown(name, figures[name])}" for name in expect)
    return Told(True, f"as expected: {shown}" if shown else "read")


def _missed(figures: Mapping[str, float], name: str, wanted: str) -> str:
    condition = _CONDITION.fullmatch(wanted)
    if condition is None:
        return f"`{wanted}` for {name} is no condition"
    if name not in figures:
        return f"{name} cannot be read from this balancer"
    limit = float(condition[2]) / (100 if condition[3] else 1)
    if _HOLDS[condition[1]](figures[name], limit):
        return ""
    return f"{name} is {_shown(name, figures[name])} (wanted {wanted.strip()})"


def _shown(name: str, value: float) -> str:
    if name.endswith(("share", "share_most", "off_target")) or name in ("not_ready", "front_used"):
        return percent(value)
    return f"{value:g}"
