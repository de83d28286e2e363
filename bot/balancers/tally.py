"""Counting an access log: what a balancer that keeps no counters would have counted itself.

A tally only grows, so that two of them are subtracted like any counters. It holds no address, path or name of a client,
and is all that is kept of a log.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, TypeVar

#: Part of a server's slowest answers that its time is told without: one stuck request is no slow server.
_APART = 0.05
#: Deviations of chance that are taken off a server's time before it is called slow.
_SURE = 3.0


@dataclass
class Served:
    """What one server did."""

    #: Requests that it was given, also those that did not reach it.
    tries: int = 0
    answers: int = 0
    #: 5xx of its own, and those of them that were no answer: it hung up.
    errors: int = 0
    broken: int = 0
    #: Connections that failed.
    unreached: int = 0
    #: Given up by the balancer before it had answered.
    unanswered: int = 0
    #: Milliseconds, to two digits, that answers took or were waited for -> how often.
    times: Counter[str] = field(default_factory=Counter)
    #: The same of its 5xx: a server that refuses at once is not a quick one.
    error_times: Counter[str] = field(default_factory=Counter)

    def took(self, seconds: float | None, *, is_error: bool = False) -> None:
        """Count a time, if it is known."""
        if seconds is not None:
            times = self.error_times if is_error else self.times
            times[f"{float(f'{seconds * 1000:.2g}'):.0f}"] += 1

    @property
    def latency(self) -> float | None:
        """Milliseconds: the mean without the slowest twentieth; None when nothing was timed."""
        timed = sorted(
            (float(time), many) for time, many in (self.times or self.error_times).items() if many > 0
        )
        left = sum(many for _, many in timed)
        left -= int(left * _APART)
        total, counted = 0.0, 0
        for time, many in timed:
            part = min(many, left - counted)
            total, counted = total + time * part, counted + part
        return total / counted if counted else None

    def spread(self) -> tuple[int, float]:
        """How many answers were timed, and how far apart they are: the variance of their logarithms."""
        timed = [(math.log(max(0.5, float(time))), many) for time, many in self.times.items() if many > 0]
        count = sum(many for _, many in timed)
        mean = sum(time * many for time, many in timed) / max(1, count)
        return count, sum((time - mean) ** 2 * many for time, many in timed) / max(1, count - 1)

    def least(self, apart: float) -> float | None:
        """Milliseconds that it takes for certain, when answers are that far apart (`Tally.apart`).

        Of eight answers with a long tail two slow ones double the mean.
        """
        count, _ = self.spread()
        return self.latency and self.latency * math.exp(-_SURE * apart / math.sqrt(max(1, count)))

    @property
    def slowest(self) -> float | None:
        """Milliseconds: the longest time."""
        return max((float(time) for time, many in self.times.items() if many > 0), default=None)


@dataclass
class Tally:
    """What a log told of one pool, since the first look."""

    #: Lines read, and those that could be understood.
    lines: int = 0
    understood: int = 0
    #: Requests to the pool, and those that no server could be asked for.
    requests: int = 0
    unserved: int = 0
    #: Requests that failed because servers were not reached or did not answer.
    failed: int = 0
    #: Status of answers that the balancer gave without asking anybody -> how often.
    own: Counter[str] = field(default_factory=Counter)
    #: Address -> what that server did.
    servers: dict[str, Served] = field(default_factory=dict)
    #: Of "client" and "path": requests like an earlier one, and those of them that went to the same server as that.
    again: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    #: Of the same: pairs of requests, and those of them that are alike.
    pairs: Counter[str] = field(default_factory=Counter)
    alike: Counter[str] = field(default_factory=Counter)

    def server(self, address: str) -> Served:
        """The server at an address, new or known."""
        return self.servers.setdefault(address, Served())

    def compare(self, asked: Iterable[tuple[str, str, str]]) -> None:
        """Whether requests that look alike go to the same server. `asked`: client, path and server, in order."""
        met: dict[tuple[str, str], str] = {}
        seen: Counter[tuple[str, str]] = Counter()
        for client, path, address in asked:
            for kind, value in (("client", client), ("path", path)):
                if not value:
                    continue
                seen[kind, value] += 1
                former = met.get((kind, value))
                met[kind, value] = address
                if former is not None:
                    self.again[kind] += 1
                    self.same[kind] += former == address
        for kind in ("client", "path"):
            counts = [many for (of, _), many in seen.items() if of == kind]
            self.pairs[kind] += sum(counts) * (sum(counts) - 1)
            self.alike[kind] += sum(many * (many - 1) for many in counts)

    @property
    def apart(self) -> float:
        """How far apart one server's answers are: the deviation of their logarithms, over all servers."""
        spreads = [one.spread() for one in self.servers.values()]
        count = sum(max(0, many - 1) for many, _ in spreads)
        return (
            math.sqrt(sum(variance * max(0, many - 1) for many, variance in spreads) / count)
            if count
            else 0.0
        )

    def as_text(self) -> str:
        """As a sample keeps it."""
        return json.dumps(
            {**vars(self), "servers": {address: vars(one) for address, one in self.servers.items()}}
        )

    @classmethod
    def of(cls, text: str) -> Self:
        """The tally that a sample keeps; an empty one when it keeps none."""
        try:
            found: Any = json.loads(text)
            tally = cls(servers={name: _served(one) for name, one in found.pop("servers").items()})
            for one in fields(cls):
                if one.name in found:
                    value = found[one.name]
                    setattr(tally, one.name, Counter(value) if isinstance(value, dict) else int(value))
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()
        return tally

    def since(self, before: Tally) -> Tally:
        """What came after another tally of the same log."""
        servers = {
            address: _less(one, before.servers.get(address, Served()))
            for address, one in self.servers.items()
        }
        return replace(_less(self, before), servers=servers)

    @property
    def keys(self) -> float | None:
        """How many equally busy clients the requests are like; None when clients are not logged."""
        return self.pairs["client"] / max(1, self.alike["client"]) if self.pairs["client"] else None

    def is_pinned(self) -> bool | None:
        """Whether requests that look alike, by client or path, keep to one server. None: there are too few to tell.

        Told by comparison with chance: in a pool where one server gets 87 %, two requests meet at the same one in 76 %
        of all cases, pinned or not.
        """
        tries = [one.tries for one in self.servers.values()]
        chance = sum((one / max(1, sum(tries))) ** 2 for one in tries)
        parts = [self.same[key] / many for key, many in self.again.items() if many >= 50]
        if not parts or chance > 0.9:
            return None
        # A server that fails now and then sends a few elsewhere.
        if max(parts) >= 0.95:
            return True
        return False if max(parts) <= chance + 0.15 else None


def _served(found: Mapping[str, Any]) -> Served:
    counts: dict[str, Any] = {
        n: Counter(one) if isinstance(one, dict) else int(one) for n, one in found.items()
    }
    return Served(**counts)


_Counted = TypeVar("_Counted", Served, Tally)


def _less(mine: _Counted, its: _Counted) -> _Counted:
    """What one counted beyond the other, field by field."""
    changes: dict[str, Any] = {}
    for name, value in vars(mine).items():
        if isinstance(value, Counter):
            changes[name] = value - getattr(its, name)
        elif isinstance(value, int):
            changes[name] = max(0, value - getattr(its, name))
    return replace(mine, **changes)
