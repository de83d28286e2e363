"""One Bolt app behind one HTTP server, or on Socket Mode: what the other benchmarks measure beside Lantern.

`python -m tests.bench.served <server> <deed>`, settings in the environment as for `lantern serve`.
Servers: uvicorn (Lantern's own), waitress, bolt (its Starlette adapter, on the event loop), socket.
Deeds: nothing (an empty ack), wait (sleeps 20 ms, as one call to Slack would take), insert (keeps the text with one
INSERT of the bare driver, synced to disk: the floor of whoever keeps what was typed), lantern (the whole bot).
"""

from __future__ import annotations

import re
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from slack_bolt import Ack, App, BoltRequest
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from sqlalchemy import make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.settings import Settings, read_settings
from bot.slack.app import Reply
from bot.slack.signature import Signatures
from bot.slack.socket_door import SocketDoor
from bot.web.app import Health, SlackHttp, create_app
from bot.web.server import WebServer
from bot.wiring import House

DEEDS = ("nothing", "wait", "insert", "lantern")


def keeper(url: str) -> Callable[[str], None]:
    """Keeps a text durably: one INSERT in a transaction of its own, with the database's own driver."""
    target = make_url(url)
    create = "CREATE TABLE IF NOT EXISTS floor (line TEXT NOT NULL)"
    if target.get_backend_name() == "sqlite":
        assert target.database is not None
        lite = sqlite3.connect(target.database, isolation_level=None, check_same_thread=False)
        lite.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {create}")
        turn = threading.Lock()

        def keep_lite(line: str) -> None:
            with turn:
                lite.execute("INSERT INTO floor VALUES (?)", (line,))

        return keep_lite
    dsn = target.set(drivername="postgresql").render_as_string(hide_password=False)
    psycopg.connect(dsn, autocommit=True).execute(create)
    mine = threading.local()

    def keep(line: str) -> None:
        if not hasattr(mine, "connection"):
            mine.connection = psycopg.connect(dsn, autocommit=True)
        mine.connection.execute("INSERT INTO floor VALUES (%s)", (line,))

    return keep


def bare_app(deed: str, database_url: str) -> App:
    """A Bolt app with one listener that answers and does nothing, waits 20 ms first, or keeps the text."""

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token="xoxb-bare")

    app = App(
        request_verification_enabled=False,
        signing_secret="verified before Bolt",
        authorize=authorize,
        client=WebClient(retry_handlers=[]),
        process_before_response=True,
    )

    keep = keeper(database_url) if deed == "insert" else None

    @app.command(re.compile(".*"))
    def answer(ack: Ack, body: dict[str, Any]) -> None:
        if deed == "wait":
            time.sleep(0.02)
        if keep is not None:
            keep(body["text"])
        ack(text="Logged *#1*.", response_type="ephemeral")

    return app


def bare_door(app: App, secret: str) -> SlackHttp:
    """The same way in as Lantern's: signature, dispatch, answer."""
    signatures = Signatures(secret)

    def http(headers: Mapping[str, str], body: bytes, waited: float) -> Reply:
        why = signatures.why_not(headers, body)
        if why is not None:
            return Reply(401, why, {})
        answer = app.dispatch(BoltRequest(body=body.decode(), headers={k: [v] for k, v in headers.items()}))
        return Reply(answer.status, answer.body, answer.first_headers_without_set_cookie())

    return http


def on_the_loop(app: App) -> Starlette:
    """Bolt's own adapter: its async endpoint runs the listener on the event loop. It checks no signature here."""
    bolt = SlackRequestHandler(app)

    async def events(request: Request) -> Response:
        answer: Response = await bolt.handle(request)
        return answer

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])


def serve_with_waitress(door: SlackHttp) -> str:
    import waitress  # type: ignore[import-not-found,import-untyped,unused-ignore]  # only who compares installs it

    def application(environ: dict, start_response) -> list[bytes]:  # type: ignore[no-untyped-def,type-arg]
        headers = {
            name[5:].replace("_", "-").lower(): v for name, v in environ.items() if name[:5] == "HTTP_"
        }
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        reply = door(headers, environ["wsgi.input"].read(), 0.0)
        start_response(f"{reply.status} -", list(reply.headers.items()))
        return [reply.body.encode()]

    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=16)
    threading.Thread(target=server.run, daemon=True).start()
    return f"http://127.0.0.1:{server.effective_port}"


def serve(server: str, settings: Settings, app: App, door: SlackHttp) -> str:
    """Serve, and give the address."""
    if server == "waitress":
        return serve_with_waitress(door)
    starlette = on_the_loop(app) if server == "bolt" else create_app(door, Health(list, dict))
    web = WebServer(starlette, settings.host, 0)
    web.start()
    return web.url


def main() -> None:
    server, deed = sys.argv[1:]
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    assert deed in DEEDS
    settings = read_settings()
    house = House(settings) if deed == "lantern" else None
    if house is not None:
        house.start()
    app = house.door.app if house is not None else bare_app(deed, settings.database_url)
    if server == "socket":
        assert settings.slack_app_token is not None
        socket = SocketDoor(app, settings.slack_app_token.get_secret_value(), settings.slack_api_url)
        socket.open()
        url = "http://127.0.0.1:9"
    else:
        assert settings.slack_signing_secret is not None
        secret = settings.slack_signing_secret.get_secret_value()
        door: SlackHttp = house.door.http if house is not None else bare_door(app, secret)
        url = serve(server, settings, app, door)
    print(f"serving at {url}", file=sys.stderr, flush=True)
    asked.wait()
    if house is not None:
        house.stop()


if __name__ == "__main__":
    main()
