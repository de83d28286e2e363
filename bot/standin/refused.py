"""The one exception of the stand-in: what Slack would answer instead of doing it."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """Slack says no: `code` is Slack's error word, `extra` goes into the answer beside it."""

    def __init__(self, code: str, *messages: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra: dict[str, Any] = dict(extra)
        if messages:
            self.extra["response_metadata"] = {"messages": list(messages)}

    def answer(self) -> dict[str, Any]:
        """The body of the Web API's answer."""
        return {"ok": False, "error": self.code, **self.extra}
