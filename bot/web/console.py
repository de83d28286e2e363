"""The console's routes: every page of bot/web/pages, its static files, and what stands at no address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.shelf import gather
from bot.web import pages
from bot.web.answers import elsewhere
from bot.web.site import Address, Site
from bot.web.visit import Unreadable, Visit, read_visit

#: Pages drawn at once. What Slack sends has threads of its own (app.py) and never waits for a page.
THREADS = 4
#: Seconds that a browser may keep a static file: its address changes with its content.
_STATIC_FOR = 365 * 24 * 3600


def console_routes(site: Site) -> list[BaseRoute]:
    """The routes of the console; the last takes every address that is none of it."""
    turns = CapacityLimiter(THREADS)
    found: list[BaseRoute] = [
        Route("/", lambda request: site.sealed(elsewhere("/incidents"))),
        Route("/static/{name}", _static(site)),
    ]
    for module in gather(pages, "ADDRESSES"):
        for address in module.ADDRESSES:
            endpoint = _endpoint(site, address, turns)
            found.append(Route(address.path, endpoint, methods=[address.method]))
    nowhere = Address("/{path:path}", _nowhere)
    found.append(Route(nowhere.path, _endpoint(site, nowhere, turns), methods=["GET", "POST"]))
    return found


def _nowhere(site: Site, visit: Visit) -> Response:
    return site.sorry(visit, 404, "Not found", "There is no such page. `/incidents` lists all incidents.")


def _endpoint(
    site: Site, address: Address, turns: CapacityLimiter
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            visit = await read_visit(request)
        except Unreadable as wrong:
            nobody = Visit(request.method, request.url.path, "", {}, {}, {}, {})
            sorry = site.sorry(nobody, wrong.status, "That did not work", wrong.sentence)
            if wrong.status == 413:
                # What is left of it is not read.
                sorry.headers["Connection"] = "close"
            return site.sealed(sorry)
        except ClientDisconnect:
            return Response(status_code=400)
        return await to_thread.run_sync(site.answer, address, visit, limiter=turns)

    return answer


def _static(site: Site) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        found = site.files.get(unquote(request.path_params["name"]))
        if found is None:
            return site.sealed(Response("There is no such file.\n", status_code=404, media_type="text/plain"))
        answer = Response(found.content, media_type=found.media_type)
        return site.sealed(answer, keeps_for=_STATIC_FOR if "v" in request.query_params else 300)

    return answer
