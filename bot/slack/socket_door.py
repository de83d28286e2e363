"""Socket Mode: two connections to Slack, each with its watchdog, and what comes over them answered.

Slack sends a payload over any one of the connections; what it sends twice is one by its origin, as over HTTP.
An answer goes back over the connection that asked. When that is gone, the answer is told afterwards.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk.errors import SlackApiError

from bot.domain.outcomes import Refused, Undelivered, Unreachable
from bot.slack import crowd
from bot.slack.client import Slack
from bot.slack.pulse import Pulse
from bot.slack.remedies import TOKEN_ERRORS
from bot.slack.socket_line import Line
from bot.slack.watchdog import Vigil, Watchdog

log = logging.getLogger(__name__)

#: What apps.connections.open says of a token that will never do.
_TOKEN_ERRORS = TOKEN_ERRORS | {"not_allowed_token_type", "missing_scope"}
#: Requests at once; as many as over HTTP (bot/web/app.py).
THREADS = 16

#: Told of a request whose answer Slack could not be given any more.
Late = Callable[[dict[str, Any], BoltResponse], None]
#: While a request is answered that has waited so many seconds.
InTime = Callable[[float], AbstractContextManager[float | None]]


def _nobody(*_: object) -> None:
    """For a door alone, without a house."""


class SocketDoor:
    """`open()` it, ask `is_hearing`, `close()` it."""

    def __init__(
        self,
        app: App,
        app_token: str,
        api_url: str,
        *,
        vigil: Vigil | None = None,
        on_regained: Callable[[], None] = _nobody,
        on_late: Late = _nobody,
        in_time: InTime = nullcontext,
        connections: int = 2,
    ) -> None:
        self._app = app
        self._slack = Slack(app_token, api_url)
        self._vigil = vigil or Vigil()
        self._on_late = on_late
        self._in_time = in_time
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="socket")
        self._lock = threading.Lock()
        self._is_closing = False
        self._pulse = Pulse()
        self._numbers = count(1)
        turn = threading.Lock()
        self._watchdogs = [
            Watchdog(
                str(one + 1),
                self._dial,
                turn,
                self._vigil,
                on_regained=on_regained,
                is_staggered=one > 0,
            )
            for one in range(connections)
        ]

    @property
    def is_hearing(self) -> bool:
        """True while Slack can be heard on one connection at least."""
        return any(watchdog.is_hearing for watchdog in self._watchdogs)

    def open(self) -> None:
        """Connect, and stay connected. Raises Refused when Slack will not have the token.

        Whatever else is in the way is in the log, and tried again by itself.
        """
        self._pulse.start()
        first: Line | None = None
        try:
            first = self._dial()
        except Refused:
            raise
        except Undelivered as trouble:
            log.warning("Slack does not answer yet (%s); Socket Mode is tried again by itself", trouble)
        self._watchdogs[0].start(first, is_late=first is None)
        for watchdog in self._watchdogs[1:]:
            watchdog.start()

    def close(self) -> None:
        """Hear no more, let what was heard be answered, then hang up."""
        with self._lock:
            self._is_closing = True
        for watchdog in self._watchdogs:
            watchdog.stop()
        self._pool.shutdown(wait=True)
        self._pulse.stop()
        for watchdog in self._watchdogs:
            watchdog.hang_up()

    def _dial(self) -> Line:
        """A new connection with a new ticket. Raises Refused, or what else Slack.call() raises."""
        line = Line(str(next(self._numbers)), self._ticket(), self._hear, self._vigil.open_for)
        line.open()
        return line

    def _ticket(self) -> str:
        """A WebSocket address that works once."""
        try:
            return str(self._slack.call("apps.connections.open").get("url"))
        except (Refused, Unreachable) as trouble:
            cause = trouble.__cause__
            said = str(cause.response.get("error") or "") if isinstance(cause, SlackApiError) else ""
            if said not in _TOKEN_ERRORS:
                raise
            raise Refused(
                said, "Make an app-level token with connections:write: SLACK_APP_TOKEN=xapp-..."
            ) from trouble

    def _hear(self, line: Line, envelope: dict[str, Any]) -> Future[None] | None:
        """Take an envelope; None when the door is closing. Slack then sends an event again, and says of a
        command that it did not work."""
        with self._lock:
            if self._is_closing:
                return None
            answered = self._pool.submit(self._answer, line, envelope, time.monotonic())
        answered.add_done_callback(_log_fault)
        return answered

    def _answer(self, line: Line, envelope: dict[str, Any], arrived: float) -> None:
        payload: dict[str, Any] = envelope["payload"]
        queued, stood = time.monotonic() - arrived, self._pulse.stood_still_for()
        waited = max(queued, stood)
        if queued > crowd.LATE or stood > crowd.STOOD:
            log.warning(
                "turned away after waiting %.1f s: more arrives than is done, or this was paused", waited
            )
            response = crowd.turn_away(payload)
        else:
            with self._in_time(waited):
                response = self._app.dispatch(BoltRequest(mode="socket_mode", body=payload))
        if response.status != 200:
            # Not acknowledged: Slack sends an event again, and tells a person that it did not work.
            log.info("an envelope was not acknowledged (%s)", response.status)
        elif not line.answer(str(envelope["envelope_id"]), _answer_payload(response)):
            log.warning("connection %s was gone before it could be answered", line.name)
            self._on_late(payload, response)


def _answer_payload(response: BoltResponse) -> dict[str, Any] | None:
    """What an acknowledgement carries: the answer's JSON, or its plain text as `text`."""
    if not response.body:
        return None
    try:
        found = json.loads(response.body)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"text": response.body}


def _log_fault(answered: Future[None]) -> None:
    fault = answered.exception()
    if fault is not None:
        log.error("an envelope was not answered", exc_info=fault)
