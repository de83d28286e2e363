"""CloudWatch's figures of a load balancer: what is asked, and the newest whole minutes of the answer.

CloudWatch has a figure a minute, some minutes late. Names and dimensions are those of the guide "CloudWatch metrics for
your Application (Network) Load Balancer".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

#: Minutes that are asked for, and of those that have figures, how many count.
_ASKED, _COUNTED = 12, 3
_OF_BALANCER = (
    "RequestCount",
    "HTTPCode_ELB_5XX_Count",
    "HTTPCode_ELB_502_Count",
    "HTTPCode_ELB_503_Count",
    "HTTPCode_ELB_504_Count",
    "RejectedConnectionCount",
    "ClientTLSNegotiationErrorCount",
    "NewConnectionCount",
)
_OF_GROUP = ("RequestCount", "HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount")
_FLOWS = "NewFlowCount"


@dataclass(frozen=True)
class Figures:
    """The newest minutes."""

    #: Unix seconds.
    begins_at: float = 0.0
    ends_at: float = 0.0
    #: "name|target group|zone" -> its sum, or for times and hosts its mean or greatest.
    values: Mapping[str, float] = field(default_factory=dict)

    def of(self, name: str, group: str = "", zone: str = "") -> float | None:
        """A figure; None when CloudWatch has none, which for counts means nothing happened."""
        return self.values.get(f"{name}|{group}|{zone}")

    def count(self, name: str, group: str = "", zone: str = "") -> int:
        """A count, 0 when there was nothing to count."""
        return round(self.of(name, group, zone) or 0.0)

    @property
    def when(self) -> str:
        """ "14:02 to 14:05 UTC"."""
        begins, ends = (datetime.fromtimestamp(at, UTC) for at in (self.begins_at, self.ends_at))
        return f"{begins:%H:%M} to {ends:%H:%M} UTC"

    def as_text(self) -> str:
        """As a sample keeps it."""
        return json.dumps({"begins_at": self.begins_at, "ends_at": self.ends_at, "values": dict(self.values)})

    @classmethod
    def of_text(cls, text: str) -> Self:
        """What a sample keeps; nothing when it keeps none."""
        try:
            found = json.loads(text)
            values = {str(key): float(value) for key, value in found["values"].items()}
            return cls(float(found["begins_at"]), float(found["ends_at"]), values)
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()


def queries(
    balancer: str, groups: Sequence[str], zones: Sequence[str], *, is_network: bool
) -> list[dict[str, Any]]:
    """What is asked of CloudWatch; the label of each says what it is."""
    namespace = "AWS/NetworkELB" if is_network else "AWS/ApplicationELB"
    found = []
    for at, (name, statistic, group, zone) in enumerate(_wanted(groups, zones, is_network=is_network)):
        dimensions = [("TargetGroup", group), ("AvailabilityZone", zone), ("LoadBalancer", balancer)]
        metric = {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions if value],
        }
        label = f"{name if statistic != 'Maximum' else f'{name} most'}|{group}|{zone}"
        stat = {"Metric": metric, "Period": 60, "Stat": statistic}
        found.append({"Id": f"m{at}", "Label": label, "MetricStat": stat})
    return found


def _wanted(
    groups: Sequence[str], zones: Sequence[str], *, is_network: bool
) -> Iterator[tuple[str, str, str, str]]:
    for name in (_FLOWS,) if is_network else _OF_BALANCER:
        yield name, "Sum", "", ""
    if is_network:
        yield from ((_FLOWS, "Sum", "", zone) for zone in zones)
    for group in groups:
        for zone in ("", *zones):
            yield "HealthyHostCount", "Average", group, zone
            yield "UnHealthyHostCount", "Maximum", group, zone
            if not is_network:
                yield from ((name, "Sum", group, zone) for name in _OF_GROUP)
                yield "TargetResponseTime", "Average", group, zone
                yield "TargetResponseTime", "Maximum", group, zone


def span(now: float) -> tuple[datetime, datetime]:
    """From when to when is asked, on whole minutes."""
    ends = datetime.fromtimestamp(now - now % 60, UTC)
    return ends - timedelta(minutes=_ASKED), ends


def newest(results: Sequence[Mapping[str, Any]]) -> Figures:
    """The newest minutes of the answer; the very last one, which may lack a zone still, only when it is alone."""
    read = {str(one.get("Label", "")): _points(one) for one in results}
    main = next((read[name] for name in ("RequestCount||", f"{_FLOWS}||") if read.get(name)), {})
    minutes = sorted(main or {at for points in read.values() for at in points})
    minutes = (minutes[:-1] or minutes)[-_COUNTED:]
    values = {}
    for label, points in read.items():
        kept = [points[at] for at in minutes if at in points]
        if kept:
            values[label] = _together(label.partition("|")[0], kept)
    return Figures(minutes[0], minutes[-1] + 60.0, values) if minutes else Figures()


def _points(result: Mapping[str, Any]) -> dict[float, float]:
    times, values = result.get("Timestamps") or [], result.get("Values") or []
    return {
        at.timestamp(): float(value)
        for at, value in zip(times, values, strict=False)
        if isinstance(at, datetime)
    }


def _together(name: str, values: Sequence[float]) -> float:
    if name.endswith(" most"):
        return max(values)
    return sum(values) / len(values) if name in ("TargetResponseTime", "HealthyHostCount") else sum(values)
