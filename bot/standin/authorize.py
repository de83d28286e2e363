"""/openid/connect/authorize: the workspace's page on which a person agrees to sign in somewhere.

The person whom the browser acts as on the workspace's page is signed in at once, as Slack does with whoever has
agreed before; a browser that acts as nobody chooses.
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.standin.installed import InstalledApp
from bot.standin.workspace import Workspace, named_id

#: Cookie in which the page keeps whom it acts as.
ACTING_AS = "acting-as"
#: An account of another workspace.
STRANGER, ELSEWHERE = named_id("U", "stranger"), named_id("T", "elsewhere")


class Authorize:
    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    async def endpoint(self, request: Request) -> Response:
        asked = dict(request.query_params)
        app = next((a for a in self._ws.apps.values() if a.client_id == asked.get("client_id")), None)
        if app is None:
            return _sorry("invalid_client_id")
        redirect = asked.get("redirect_uri", "")
        # Slack wants one of the configured addresses, or an address below it.
        if not any(redirect == url or redirect.startswith(f"{url}/") for url in app.redirect_urls):
            return _sorry(f"redirect_uri did not match any configured URIs: {redirect}")
        if asked.get("scope", "").split() != ["openid"] or "openid" not in app.user_scopes:
            return self._back(redirect, asked, error="invalid_scope")
        chosen = asked.get("as") or request.cookies.get(ACTING_AS, "")
        if chosen == STRANGER:
            return self._granted(app, asked, STRANGER, ELSEWHERE)
        user = self._ws.users.get(chosen)
        if user is None or user.is_bot:
            return HTMLResponse(self._choice(app, asked))
        return self._granted(app, asked, user.id, str(self._ws.team["id"]))

    def _granted(self, app: InstalledApp, asked: dict[str, str], user_id: str, team_id: str) -> Response:
        redirect = asked["redirect_uri"]
        code = self._ws.openid.new(
            app_id=app.app_id,
            user_id=user_id,
            team_id=team_id,
            nonce=asked.get("nonce", ""),
            redirect_uri=redirect,
        )
        return self._back(redirect, asked, code=code)

    def _back(self, redirect: str, asked: dict[str, str], **said: str) -> Response:
        return RedirectResponse(f"{redirect}?{urlencode({**said, 'state': asked.get('state', '')})}", 302)

    def _choice(self, app: InstalledApp, asked: dict[str, str]) -> str:
        people = [(u.id, u.real_name) for u in self._ws.users.values() if not u.is_bot]
        people.append((STRANGER, "Somebody of another workspace"))
        links = "".join(
            f'<li><a href="?{escape(urlencode(asked | {"as": one}))}">{escape(name)}</a></li>'
            for one, name in people
        )
        return _page(f"<h1>Sign in to {escape(app.name)}</h1><p>Who are you?</p><ul>{links}</ul>")


def _sorry(why: str) -> Response:
    return HTMLResponse(_page(f"<h1>That did not work</h1><p>{escape(why)}</p>"), status_code=400)


def _page(inside: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Stand-in workspace</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"></head>'
        f"<body><main>{inside}</main></body></html>"
    )
