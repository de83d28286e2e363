"""Troubles made on purpose, per Web API method, and the record of every call."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal[
    "ratelimited", "http", "error", "drop_before", "drop_after", "hang", "latency", "raw", "halfway"
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass
class Fault:
    """`times` calls of `method` ("*" is any) go wrong; -1 is until cleared.

    drop_before and hang: nothing happens.  drop_after: the effect happens, the answer is lost.
    raw: answered with exactly `status`, `headers` and `body`.  halfway: the connection is cut in the middle of `body`.
    Of these only `is_done` lets the effect happen all the same, as it does of http and error.
    `seconds` is waited first (latency: before the effect; drop_after: after it).
    """

    id: int
    method: str
    kind: Kind
    times: int = 1
    retry_after: int = 1
    status: int = 503
    error: str = "internal_error"
    #: error: Slack's response_metadata.messages
    messages: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: str = '{"ok": true}'
    is_done: bool = False
    seconds: float = 0.0
    #: only calls with these arguments, e.g. {"channel": "C1"}
    where: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One call of a Web API method: wall time of its start, its length in ms, what came of it."""

    method: str
    at: float
    args: dict[str, Any]
    app_id: str | None = None
    ms: float = 0.0
    answer_ok: bool | None = None
    error: str | None = None
    fault: str | None = None


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Fault] = []
        self._ids = itertools.count(1)
        self._calls: list[Call] = []

    def add(self, method: str, kind: Kind, **settings: Any) -> int:
        """Arm a fault; gives its id.  Raises ValueError for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"There is no fault `{kind}`. The kinds are {', '.join(KINDS)}.")
        with self._lock:
            fault = Fault(next(self._ids), method, kind, **settings)
            self._open.append(fault)
        return fault.id

    def clear(self) -> None:
        with self._lock:
            self._open.clear()

    def take(self, method: str, args: dict[str, Any]) -> Fault | None:
        """The fault this call meets, counted down."""
        with self._lock:
            for fault in self._open:
                if fault.method not in ("*", method) or fault.times == 0:
                    continue
                if any(str(args.get(name)) != value for name, value in fault.where.items()):
                    continue
                if fault.times > 0:
                    fault.times -= 1
                if fault.times == 0:
                    self._open.remove(fault)
                return fault
        return None

    def record(self, call: Call) -> Call:
        with self._lock:
            self._calls.append(call)
        return call

    def calls(self, method: str | None = None) -> list[Call]:
        """Every call so far, in order of arrival; of one method when named."""
        with self._lock:
            return [c for c in self._calls if method in (None, c.method)]

    def forget_calls(self) -> None:
        with self._lock:
            self._calls.clear()
