"""The demo's load balancer: HAProxy's statistics page for four login servers that nobody has, with weights one can set.

It answers as an HAProxy of the seed incident does, so that a check in the demo is a real reading of something that
is not there. `GET /` is a page with the weights and two buttons; `GET /;csv` is what Lantern reads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

BACKEND = "be_auth"
WRONG, EVEN = (200, 10, 10, 10), (100, 100, 100, 100)
#: Logins a second, and how many one server can carry: four workers of 30 ms.
_ARRIVING, _CARRIED = 180.0, 133.0
#: The words of `show stat` that a reader needs, with what an idle HAProxy says.
_IDLE = {
    "pxname": BACKEND, "svname": "", "qcur": 0, "scur": 0, "slim": "", "stot": 0, "econ": 0, "eresp": 0, "wredis": 0,
    "status": "UP", "weight": 0, "act": 1, "bck": 0, "type": 2, "rate": 0, "check_status": "L7OK", "check_code": 200,
    "hrsp_1xx": 0, "hrsp_2xx": 0, "hrsp_3xx": 0, "hrsp_4xx": 0, "hrsp_5xx": 0, "hrsp_other": 0, "req_tot": 0,
    "lbtot": 0, "rtime": 31, "mode": "http", "algo": "", "conn_tot": 0,
}  # fmt: skip


class _Quiet(WSGIRequestHandler):
    """Says nothing: the demo's terminal is for people."""

    def log_message(self, *_: Any) -> None:
        pass


class DemoBalancer:
    """`with DemoBalancer() as balancer: balancer.url`. The weights are the seed's until they are set."""

    def __init__(self, port: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._weights: tuple[int, ...] = WRONG
        self._since = clock()
        self._served = [0.0] * len(WRONG)
        self._failed = [0.0] * len(WRONG)
        self._server = make_server("127.0.0.1", port, self._answer, handler_class=_Quiet)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="demo-balancer", daemon=True
        )

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _answer(self, asked: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        kind, text, status = "text/html; charset=utf-8", "", "200 OK"
        more: list[tuple[str, str]] = []
        if asked["REQUEST_METHOD"] == "POST":
            form = asked["wsgi.input"].read(min(int(asked.get("CONTENT_LENGTH") or 0), 100))
            self.set_weights(EVEN if form == b"weights=even" else WRONG)
            status, more = "303 See Other", [("Location", "/")]
        elif asked["PATH_INFO"] == "/;csv":
            kind, text = "text/plain", self.csv()
        elif asked["PATH_INFO"] == "/":
            text = self.page()
        else:
            status = "404 Not Found"
        body = text.encode()
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *more])
        return [body]

    def catalogue(self) -> str:
        """A catalogue that names the login service and this balancer."""
        return (
            "services:\n  login:\n    owner: '@infra-oncall'\n    balancers:\n"
            f"      - {{kind: haproxy, address: '{self.url}/', backend: {BACKEND}}}\n"
        )

    def set_weights(self, weights: tuple[int, ...]) -> None:
        """Split what arrives from now on by these weights."""
        with self._lock:
            self._count()
            self._weights = weights

    def _count(self) -> None:
        now = self._clock()
        spent, self._since = now - self._since, now
        for at, weight in enumerate(self._weights):
            arrived = _ARRIVING * weight / sum(self._weights)
            self._served[at] += min(arrived, _CARRIED) * spent
            self._failed[at] += max(0.0, arrived - _CARRIED) * spent

    def csv(self) -> str:
        """What HAProxy's statistics page says as CSV."""
        with self._lock:
            self._count()
            rows = [self._row(at, weight) for at, weight in enumerate(self._weights)]
        added = {key: sum(row[key] for row in rows) for key in ("stot", "lbtot", "hrsp_2xx", "hrsp_5xx")}
        whole = {**_IDLE, **added, "svname": "BACKEND", "type": 1, "weight": sum(self._weights), "act": 4,
                 "algo": "roundrobin", "check_status": "", "check_code": "", "req_tot": added["stot"]}  # fmt: skip
        lines = [",".join(str(one[name]) for name in _IDLE) for one in (*rows, whole)]
        return "# " + ",".join(_IDLE) + ",\n" + "".join(f"{line},\n" for line in lines)

    def _row(self, at: int, weight: int) -> dict[str, Any]:
        good, bad = int(self._served[at]), int(self._failed[at])
        return {**_IDLE, "svname": f"auth{at + 1}", "weight": weight, "stot": good + bad, "lbtot": good + bad,
                "hrsp_2xx": good, "hrsp_5xx": bad, "scur": 4 if weight == max(WRONG) else 1}  # fmt: skip

    def page(self) -> str:
        """The page for people: the weights, and a button for each of the two states."""
        rows = "".join(
            f"<tr><td>auth{at}</td><td>{weight}</td><td>{weight / sum(self._weights):.0%}</td></tr>"
            for at, weight in enumerate(self._weights, 1)
        )
        return _PAGE.replace("ROWS", rows)


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The demo's load balancer</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem }
td, th { padding: .3rem 1.5rem .3rem 0; text-align: left }
button { font: inherit; padding: .6rem 1rem; margin: .5rem .5rem 0 0 }
</style>
<h1>The demo's load balancer</h1>
<p>It pretends to be an HAProxy before four login servers. In the demo, open an incident about
<code>login</code>, or type <code>/incident service login</code> in one: Lantern reads this balancer and says what
it sees.</p>
<table><tr><th>Server</th><th>Weight</th><th>Gets</th></tr>ROWS</table>
<form method="post"><button name="weights" value="even">Put the intended weights back</button>
<button name="weights" value="wrong">Break it again</button></form>
</html>
"""
