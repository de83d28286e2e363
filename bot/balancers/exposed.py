"""Figures in Prometheus' text format, as balancers expose them under /metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Exposed:
    """Figure -> its values, each with its labels."""

    values: Mapping[str, Sequence[tuple[Labels, float]]] = field(default_factory=dict)

    def sum(self, name: str, wanted: Callable[[Labels], bool] = lambda labels: True) -> float:
        """The sum of a figure's values with such labels; 0 when there is none."""
        return sum(value for labels, value in self.values.get(name, ()) if wanted(labels))

    def of(self, name: str) -> Sequence[tuple[Labels, float]]:
        """A figure's values; none when it is not exposed."""
        return self.values.get(name, ())


def only(text: str, names: Sequence[str]) -> str:
    """The lines of those figures alone: a sample keeps what is used, and other lines cannot disturb the reading."""
    return "\n".join(line for line in text.splitlines() if line.startswith(tuple(names)))


def exposed(text: str, names: Sequence[str]) -> Exposed:
    """The values of those figures; a line that is none is passed over."""
    found: dict[str, list[tuple[Labels, float]]] = {}
    for line in only(text, names).splitlines():
        try:
            for family in text_string_to_metric_families(f"{line}\n"):
                for one in family.samples:
                    if one.name in names and math.isfinite(one.value):
                        found.setdefault(one.name, []).append((one.labels, one.value))
        except (ValueError, KeyError, IndexError):
            continue
    return Exposed(found)
