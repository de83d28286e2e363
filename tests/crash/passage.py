"""The way to Slack, with a place on it where the caller dies: before a call, after its effect, answer or commit."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit


class Point(StrEnum):
    """Where in a call the caller dies."""

    BEFORE = "before the call"
    EFFECT = "after its effect"
    ANSWER = "after its answer"
    #: The caller has had time to commit.
    COMMIT = "after the commit"


@dataclass
class Plan:
    """Die at this point of the n-th call from now, and of that method if one is named."""

    point: Point
    nth: int
    #: Seconds after the answer, for COMMIT.
    later: float = 0.0


class Passage:
    """A proxy to the stand-in that one house calls. `kill` is what happens when its plan comes true."""

    def __init__(self, leads_to: str, kill: Callable[[], None]) -> None:
        self._target = urlsplit(leads_to)
        self._kill = kill
        self._lock = threading.Lock()
        self._plan: Plan | None = None
        #: "before the call chat.postMessage" of the last death.
        self.died_at = ""
        passage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                passage._pass(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{self._target.path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def plan(self, plan: Plan | None) -> None:
        """What is to happen; None for nothing any more."""
        with self._lock:
            self._plan = plan

    def _due(self) -> Plan | None:
        with self._lock:
            plan = self._plan
            if plan is None:
                return None
            plan.nth -= 1
            if plan.nth > 0:
                return None
            self._plan = None
            return plan

    def _pass(self, asked: BaseHTTPRequestHandler) -> None:
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        plan = self._due()
        if plan is not None:
            self.died_at = f"{plan.point} {asked.path.rsplit('/', 1)[-1]}"
        if plan is not None and plan.point is Point.BEFORE:
            self._kill()
            asked.close_connection = True
            return
        status, headers, answer = self._forward(asked, body)
        if plan is not None and plan.point is Point.EFFECT:
            self._kill()
            asked.close_connection = True
            return
        try:
            asked.send_response(status)
            for name, value in headers:
                if name.lower() not in {
                    "transfer-encoding",
                    "connection",
                    "content-length",
                    "date",
                    "server",
                }:
                    asked.send_header(name, value)
            asked.send_header("Content-Length", str(len(answer)))
            asked.end_headers()
            asked.wfile.write(answer)
            asked.wfile.flush()
        except OSError:
            asked.close_connection = True
        if plan is not None:
            threading.Event().wait(plan.later)
            self._kill()

    def _forward(
        self, asked: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        assert self._target.hostname is not None
        talk = http.client.HTTPConnection(self._target.hostname, self._target.port, timeout=15)
        try:
            kept = {name: value for name, value in asked.headers.items() if name.lower() != "host"}
            talk.request(asked.command, asked.path, body, kept)
            answer = talk.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            talk.close()
