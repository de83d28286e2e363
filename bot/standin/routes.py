"""The addresses of the stand-in: Web API, sockets, hooks, files, the page's endpoints, control for tests."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from bot.standin.acts import Acts
from bot.standin.authorize import Authorize
from bot.standin.faults import Call, Faults
from bot.standin.hooks import Hooks
from bot.standin.live import Live
from bot.standin.model import Json
from bot.standin.refused import Refused
from bot.standin.sockets import Sockets
from bot.standin.ui import Sight
from bot.standin.webapi import WebApi
from bot.standin.workspace import Workspace

STATIC = Path(__file__).parent / "static"


class Player(Protocol):
    """What plays a story (bot/standin/story.py)."""

    def state(self) -> Json:
        """What the page shows of it: title, at, total, caption ..."""

    def do(self, what: str, speed: float | None = None) -> Json:
        """play, pause, step, restart or speed; gives the state after it."""


@dataclass(frozen=True)
class Link:
    """An address beside the workspace that the page leads to."""

    title: str
    href: str


@dataclass
class Rooms:
    """The parts the addresses lead to."""

    ws: Workspace
    webapi: WebApi
    sockets: Sockets
    hooks: Hooks
    live: Live
    sight: Sight
    acts: Acts
    faults: Faults
    pool: Executor
    player: Callable[[], Player | None]
    change: Callable[[list[str]], None]
    authorize: Authorize
    links: list[Link]


def application(rooms: Rooms) -> Starlette:
    pages = _Pages(rooms)
    routes: list[BaseRoute] = [
        Route("/", pages.page),
        Route("/archives/{channel}", pages.archive),
        Route("/archives/{channel}/{message}", pages.archive),
        Route("/openid/connect/authorize", rooms.authorize.endpoint),
        Route("/api/{method}", rooms.webapi.endpoint, methods=["GET", "POST"]),
        Route("/hooks/{team}/{key}", rooms.hooks.endpoint, methods=["POST"]),
        Route("/upload/{file}", pages.upload, methods=["POST", "PUT"]),
        Route("/files/{file}/{name:path}", pages.file),
        Route("/files-pri/{team}-{file}/{name:path}", pages.private_file),
        WebSocketRoute("/link/", rooms.sockets.endpoint),
        Route("/ui/state", pages.state),
        Route("/ui/messages", pages.messages),
        Route("/ui/replies", pages.replies),
        Route("/ui/act", pages.act, methods=["POST"]),
        Route("/ui/story", pages.story, methods=["POST"]),
        WebSocketRoute("/ui/live", rooms.live.endpoint),
        Route("/control/fault", pages.fault, methods=["POST"]),
        Route("/control/clear", pages.clear, methods=["POST"]),
        Route("/control/calls", pages.calls),
        Route("/control/clock", pages.clock, methods=["POST"]),
    ]
    if STATIC.is_dir():
        routes.append(Mount("/static", StaticFiles(directory=STATIC)))
    return Starlette(routes=routes, exception_handlers={Refused: _refused})


def _refused(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Refused)
    return JSONResponse(problem.answer(), status_code=404)


async def _sent(request: Request) -> Json:
    try:
        found = json.loads(await request.body() or b"{}")
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(found, dict):
        raise Refused("invalid_json")
    return found


class _Pages:
    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def page(self, request: Request) -> Response:
        if (STATIC / "index.html").exists():
            return FileResponse(STATIC / "index.html")
        return Response("The page is not installed.", status_code=404)

    async def archive(self, request: Request) -> Response:
        channel, message = request.path_params["channel"], request.path_params.get("message", "")
        return RedirectResponse(f"/?channel={channel}&message={message}")

    async def state(self, request: Request) -> Response:
        me = request.query_params.get("as") or next(iter(self._rooms.ws.users))
        player = self._rooms.player()
        story = player.state() if player is not None else None
        return JSONResponse(
            self._rooms.sight.state(me)
            | {"story": story, "links": [vars(link) for link in self._rooms.links]}
        )

    async def messages(self, request: Request) -> Response:
        asked = request.query_params
        limit = int(asked.get("limit") or 200)
        return JSONResponse(self._rooms.sight.messages(asked.get("as", ""), asked.get("channel", ""), limit))

    async def replies(self, request: Request) -> Response:
        asked = request.query_params
        return JSONResponse(
            self._rooms.sight.replies(asked.get("as", ""), asked.get("channel", ""), asked.get("ts", ""))
        )

    async def _aside(self, deed: Callable[..., Json], *args: Any) -> Json:
        """Run what may wait for an app in a thread of the pool."""
        return await asyncio.get_running_loop().run_in_executor(self._rooms.pool, lambda: deed(*args))

    async def act(self, request: Request) -> Response:
        return JSONResponse(await self._aside(self._rooms.acts.act, await _sent(request)))

    async def story(self, request: Request) -> Response:
        player = self._rooms.player()
        if player is None:
            return JSONResponse({"story": None})
        asked = await _sent(request)
        return JSONResponse({"story": await self._aside(player.do, str(asked.get("do")), asked.get("speed"))})

    async def upload(self, request: Request) -> Response:
        form_kind = request.headers.get("content-type", "").startswith("multipart/form-data")
        if form_kind:
            form = await request.form()
            part = next((v for v in form.values() if not isinstance(v, str)), None)
            content = await part.read() if part is not None else b""
        else:
            content = await request.body()
        with self._rooms.ws.lock:
            kept = self._rooms.ws.files.get(request.path_params["file"])
            if kept is None or kept.is_complete:
                return Response("no such upload", status_code=404)
            kept.content = content
        return Response(f"OK - {len(content)}")

    async def file(self, request: Request) -> Response:
        with self._rooms.ws.lock:
            kept = self._rooms.ws.files.get(request.path_params["file"])
            if kept is None or not kept.is_complete:
                return Response("no such file", status_code=404)
            # Never as a page: what people upload is not ours to run.
            safe = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
            kind = "text/plain" if "html" in kept.mimetype or "svg" in kept.mimetype else kept.mimetype
            return Response(kept.content, media_type=kind, headers=safe)

    async def private_file(self, request: Request) -> Response:
        """A file's bytes for an app: with the token of a bot that may read files and is where the file is."""
        call = self._rooms.faults.record(Call("files.download", time.time(), dict(request.path_params)))
        fault = self._rooms.faults.take("files.download", dict(request.path_params))
        if fault is not None:
            call.fault = fault.kind
            return Response(fault.body, status_code=fault.status, headers=fault.headers)
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        with self._rooms.ws.lock:
            kept = self._rooms.ws.files.get(request.path_params["file"])
            app = next(
                (one for one in self._rooms.ws.apps.values() if token and token == one.bot_token), None
            )
            if app is None or "files:read" not in app.scopes or kept is None or not kept.is_complete:
                # Slack sends whoever it does not know, and whoever may not, to its sign-in page.
                return RedirectResponse(f"/?redir={request.url.path}", status_code=302)
            places = [self._rooms.ws.channels[one] for one in kept.channels]
            if kept.user != app.bot_user_id and not any(app.bot_user_id in one.members for one in places):
                return RedirectResponse(f"/?redir={request.url.path}", status_code=302)
            return Response(kept.content, media_type=kept.mimetype)

    async def fault(self, request: Request) -> Response:
        asked = await _sent(request)
        try:
            number = self._rooms.faults.add(asked.pop("method", "*"), asked.pop("kind", ""), **asked)
        except (TypeError, ValueError) as wrong:
            return JSONResponse({"ok": False, "error": "invalid_arguments", "hint": str(wrong)}, 400)
        return JSONResponse({"ok": True, "id": number})

    async def clear(self, request: Request) -> Response:
        self._rooms.faults.clear()
        return JSONResponse({"ok": True})

    async def calls(self, request: Request) -> Response:
        found = self._rooms.faults.calls(request.query_params.get("method"))
        return JSONResponse([asdict(c) for c in found])

    async def clock(self, request: Request) -> Response:
        at = (await _sent(request)).get("at")
        self._rooms.ws.set_clock(None if at is None else float(at))
        return JSONResponse({"ok": True, "now": self._rooms.ws.now()})
