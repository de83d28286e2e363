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
_SECONDS = re.compile(r"(\d{1,2})\s*(?:s|seconds?)?")


@dataclass(frozen=True)
class Told:
    """What came of the expectations."""

    is_met: bool
    #: False when none of the figures could be read, so that nothing can be said.
    is_known: bool
    #: "not as expected: off_target_share is 62 % (wanted < 0.10)".
    words: str


def is_condition(written: str) -> bool:
    """Whether a condition can be compared: "< 0.10", "= 0", "<= 5 %"."""
    return _CONDITION.fullmatch(written) is not None


def seconds(written: str) -> float | None:
    """The seconds of "20s", from 1 to 60; None for anything else."""
    found = _SECONDS.fullmatch(written.strip())
    return float(found[1]) if found and 1 <= int(found[1]) <= 60 else None


def told(figures: Mapping[str, float], expect: Mapping[str, str]) -> Told:
    """Compare a reading's figures with what is expected.

    Not every balancer tells every figure: what it does not tell is said, and judges nothing.
    """
    unread = [name for name in expect if name not in figures]
    read = {name: wanted for name, wanted in expect.items() if name in figures}
    silent = f"{', '.join(unread)} cannot be read from this balancer" if unread else ""
    if not read:
        return Told(is_met=not unread, is_known=not unread, words=silent or "read")
    missed = [words for name, wanted in read.items() if (words := _missed(figures, name, wanted))]
    if missed:
        said = f"not as expected: {'; '.join(missed)}"
    else:
        said = f"as expected: {', '.join(f'{name} {_shown(name, figures[name])}' for name in read)}"
    return Told(is_met=not missed, is_known=True, words=f"{said}; {silent}" if silent else said)


def _missed(figures: Mapping[str, float], name: str, wanted: str) -> str:
    condition = _CONDITION.fullmatch(wanted)
    if condition is None:
        return f"`{wanted}` for {name} is no condition"
    limit = float(condition[2]) / (100 if condition[3] else 1)
    if _HOLDS[condition[1]](figures[name], limit):
        return ""
    return f"{name} is {_shown(name, figures[name])} (wanted {wanted.strip()})"


def _shown(name: str, value: float) -> str:
    if name.endswith(("share", "share_most", "off_target")) or name in ("not_ready", "front_used"):
        return percent(value)
    return f"{value:g}"
