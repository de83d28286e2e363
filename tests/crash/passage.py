"""The way from Lantern to Slack, or from Slack to Lantern, with places on it where Lantern dies."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.crash.fate import Fate, Point

#: Told the method and the point; kills.
Kill = Callable[[str, Point], None]
#: Something that changes when what Slack answered was committed.
Mark = Callable[[], object]

#: Seconds until the commit that follows an answer, when one does.
_COMMITS_IN = 0.3
#: Seconds into a request of Slack's: about when Lantern commits.
_WORKS_FOR = 0.004
_NOT_PASSED_ON = {"transfer-encoding", "connection", "content-length", "date", "server"}


class Passage:
    """A proxy. `committed` is only known on the way to Slack."""

    def __init__(self, leads_to: str, fate: Fate, kill: Kill, committed: Mark | None = None) -> None:
        self._target = urlsplit(leads_to)
        self._fate = fate
        self._kill = kill
        self._committed = committed
        # Slack waits three seconds for an answer and then hangs up.
        self._patience = 3.0 if committed is None else 15.0
        #: Not set while one call waits for its commit: nothing else may be committed meanwhile.
        self._is_open = threading.Event()
        self._is_open.set()
        passage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.close_connection = not passage._pass(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Who called is dead: that is what this is for."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it begins, with the path of where it leads."""
        return f"http://127.0.0.1:{self._server.server_port}{self._target.path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _pass(self, asked: BaseHTTPRequestHandler) -> bool:
        """Pass one call on and its answer back. False when the caller gets none."""
        length = int(asked.headers.get("Content-Length") or 0)
        body = asked.rfile.read(length)
        if len(body) < length:
            # Half a call is none.
            return False
        method = self._method(asked.path, body)
        point = self._fate.meets(method)
        if point is Point.BEFORE:
            return self._die(method, point)
        if point is Point.DURING:
            threading.Timer(_WORKS_FOR, self._die, (method, point)).start()
        answer = self._forward(asked, body)
        if answer is None:
            return False
        if point is Point.EFFECT:
            return self._die(method, point)
        before: object = None
        if point is Point.COMMIT:
            before = self._closes()
        else:
            self._is_open.wait(15)
        try:
            self._answer(asked, *answer)
        except OSError:
            return False
        if point is Point.ANSWER:
            return self._die(method, point)
        if point is Point.COMMIT:
            return self._die(method, point if self._is_committed(before) else Point.ANSWER)
        return True

    def _die(self, method: str, point: Point) -> bool:
        self._kill(method, point)
        self._is_open.set()
        return False

    def _closes(self) -> object:
        self._is_open.clear()
        # What was answered a moment ago is committed by now.
        time.sleep(0.02)
        return self._committed() if self._committed is not None else None

    def _is_committed(self, before: object) -> bool:
        end = time.monotonic() + _COMMITS_IN
        while self._committed is not None and time.monotonic() < end:
            if self._committed() != before:
                return True
            time.sleep(0.002)
        return False

    def _method(self, path: str, body: bytes) -> str:
        """`chat.postMessage`, `upload`; of Slack's requests `request: command`."""
        if path.startswith("/upload/"):
            return "upload"
        if self._committed is not None:
            return path.rsplit("/", 1)[-1]
        if body.startswith(b"{"):
            return "request: event"
        form = parse_qs(body.decode())
        if "command" in form:
            return "request: command"
        return "request: form" if '"view_submission"' in form["payload"][0] else "request: button"

    def _forward(
        self, asked: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes] | None:
        """What the other end answers; None when there is nobody."""
        assert self._target.hostname is not None
        talk = http.client.HTTPConnection(self._target.hostname, self._target.port, timeout=self._patience)
        try:
            kept = {name: value for name, value in asked.headers.items() if name.lower() != "host"}
            talk.request("POST", asked.path, body, kept)
            answer = talk.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            talk.close()
        if asked.path.endswith("/files.getUploadURLExternal"):
            # The bytes go this way too.
            mine = f"http://127.0.0.1:{self._server.server_port}/upload/"
            content = content.replace(f"http://{self._target.netloc}/upload/".encode(), mine.encode())
        return answer.status, answer.getheaders(), content

    @staticmethod
    def _answer(
        asked: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        asked.send_response(status)
        for name, value in headers:
            if name.lower() not in _NOT_PASSED_ON:
                asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(body)))
        asked.end_headers()
        asked.wfile.write(body)
        asked.wfile.flush()
