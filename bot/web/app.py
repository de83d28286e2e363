"""The HTTP application: /slack/events, /healthz, /readyz, and the console when it is on.

Reading a body is the one thing that must be awaited; everything else runs in threads, since use cases and
SQLAlchemy's Session are plain functions (Bolt's own Starlette adapter runs them on the event loop).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.web.console import console_routes
from bot.web.site import Site
from bot.web.visit import limited

log = logging.getLogger(__name__)

#: Requests at once. With the postman's eight threads they are what the database's pool holds; more threads would
#: only wait in other places, since one process has one interpreter lock (tests/bench/README.md).
THREADS = 16
#: Bytes. Slack's largest requests (a view of 250 kB, escaped) are far below.
LARGEST = 2 * 1024 * 1024

#: Rounds of the event loop from a request's last byte to the end of its connection, when both lie there already.
_ROUNDS = 3


class Replied(Protocol):
    """What the Slack door answers."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


#: Lower-case headers, the body, and the seconds it waited for its turn.
SlackHttp = Callable[[Mapping[str, str], bytes, float], Replied]


@dataclass(frozen=True)
class Health:
    """How the house is; wiring gives the questions."""

    #: Names of what is not well; [] when ready.
    troubles: Callable[[], list[str]]
    #: Figures worth seeing: open work, set aside.
    figures: Callable[[], dict[str, int]]


def create_app(slack: SlackHttp, health: Health, site: Site | None = None) -> Starlette:
    """The application for an ASGI server; with the console when there is a site."""
    turns = CapacityLimiter(THREADS)

    async def slack_events(request: Request) -> Response:
        try:
            body = await limited(request.stream(), LARGEST)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return PlainTextResponse("The body is too large.\n", status_code=413)
        if await _has_hung_up(request):
            # Slack told the person that it failed, and sends an event again. Nobody would see the answer.
            log.warning("not begun: who asked has hung up; was this process paused?")
            return Response(status_code=503)
        headers = {name.lower(): value for name, value in request.headers.items()}
        arrived = time.monotonic()

        def answer() -> Replied:
            return slack(headers, body, time.monotonic() - arrived)

        reply = await to_thread.run_sync(answer, limiter=turns)
        return Response(reply.body, status_code=reply.status, headers=dict(reply.headers))

    def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    def readyz(request: Request) -> Response:
        troubles = health.troubles()
        figures = health.figures() if "database" not in troubles else {}
        answer = {"ready": not troubles, "troubles": troubles, **figures}
        return JSONResponse(answer, status_code=503 if troubles else 200)

    return Starlette(
        routes=[
            Route("/slack/events", slack_events, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *(console_routes(site) if site is not None else []),
        ]
    )


async def _has_hung_up(request: Request) -> bool:
    """Whether the asker is gone: a replica that was paused finds requests that Slack has given up long ago."""
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)
    return await request.is_disconnected()
