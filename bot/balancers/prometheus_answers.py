"""Answers of Prometheus' HTTP API: figures as they are now, and what counters grew by between two scrapes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.balancers.sample import NoReading

Labels = Mapping[str, str]
Wanted = Callable[[Labels], bool]


@dataclass(frozen=True)
class Series:
    """One series: its labels, and its values by the time of their scrape (seconds, Unix)."""

    labels: Labels
    points: Sequence[tuple[float, float]]

    @property
    def name(self) -> str:
        """The figure's name."""
        return self.labels.get("__name__", "")

    @property
    def source(self) -> tuple[str, str]:
        """Which process it comes from."""
        return self.labels.get("job", ""), self.labels.get("instance", "")


def series_of(text: str) -> list[Series]:
    """The series of an answer. Raises NoReading for what is no answer of Prometheus."""
    try:
        found = json.loads(text)
        rows = found["data"]["result"] if found["status"] == "success" else None
        return [_series(row) for row in rows] if rows is not None else _refused(str(found.get("error", "")))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise NoReading(
            "What answered is not Prometheus' API. Write the address that its own pages have, e.g. "
            "http://prometheus:9090."
        ) from None


def _refused(error: str) -> list[Series]:
    raise NoReading(f"Prometheus does not answer the question: {error[:200] or 'it does not say why'}.")


def _series(row: Mapping[str, object]) -> Series:
    labels, one, many = row["metric"], row.get("value"), row.get("values")
    if not isinstance(labels, dict):
        raise TypeError("a series without labels")
    points = many if isinstance(many, list) else [one]
    read = [(float(at), float(value)) for at, value in points]  # type: ignore[misc]
    kept = [point for point in read if math.isfinite(point[1])]
    return Series({str(key): str(value) for key, value in labels.items()}, kept)


class Growth:
    """What the counters of one answer grew by since a moment, and the gauges of another."""

    def __init__(self, counters: Sequence[Series], gauges: Sequence[Series], since: float | None) -> None:
        self._counters = [one for one in counters if one.points]
        self._gauges = [one for one in gauges if one.points]
        times = sorted({at for one in self._counters for at, _ in one.points})
        self.ends_at = times[-1] if times else 0.0
        self.begins_at = times[0] if times and since is None else min(since or 0.0, self.ends_at)
        first: dict[tuple[str, str], float] = {}
        for one in self._counters:
            first[one.source] = min(first.get(one.source, math.inf), one.points[0][0])
        self._first = first
        #: Whether a counter began anew meanwhile.
        self.is_restarted = False
        self._grown = [(one, self._growth(one)) for one in self._counters]

    @property
    def seconds(self) -> float:
        """From the first scrape that counts to the last."""
        return max(0.0, self.ends_at - self.begins_at)

    def _growth(self, one: Series) -> float:
        before = [value for at, value in one.points if at <= self.begins_at]
        later = [value for at, value in one.points if at > self.begins_at]
        if before:
            last = before[-1]
        elif self._first[one.source] <= self.begins_at:
            # Its process was scraped then, and did not know it yet: a counter appears with its first count.
            last = 0.0
        elif later:
            last = later[0]
        grown = 0.0
        for value in later:
            if value < last:
                self.is_restarted, last = True, 0.0
            grown, last = grown + value - last, value
        return grown

    def has(self, name: str) -> bool:
        """Whether there is such a counter or gauge."""
        return any(one.name == name for one in (*self._counters, *self._gauges))

    def of(self, name: str, wanted: Wanted = lambda labels: True) -> int:
        """A counter's growth, in all processes together."""
        return round(sum(grown for one, grown in self._grown if one.name == name and wanted(one.labels)))

    def now(self, name: str, wanted: Wanted = lambda labels: True) -> list[float]:
        """A gauge's values, one a process."""
        return [one.points[-1][1] for one in self._gauges if one.name == name and wanted(one.labels)]

    def states(self, name: str, wanted: Wanted) -> dict[str, float]:
        """Of a gauge that is 1 for one of its states: state -> in how many processes."""
        found: dict[str, float] = {}
        for one in self._gauges:
            if one.name == name and wanted(one.labels) and "state" in one.labels:
                found[one.labels["state"]] = found.get(one.labels["state"], 0.0) + one.points[-1][1]
        return found

    def labels(self, name: str, label: str) -> list[str]:
        """The values of a label of one figure, in their order."""
        return sorted(
            {
                one.labels[label]
                for one in (*self._counters, *self._gauges)
                if one.name == name and label in one.labels
            }
        )
