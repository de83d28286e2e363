"""Signing in with Slack, and out.

`state` and `nonce` lie in a cookie of the browser that began, so that nobody can end a sign-in in another's browser;
the way back is checked to be one of this site.
"""

from __future__ import annotations

import base64
import binascii
import logging
import secrets

from starlette.responses import Response

from bot.domain.refusals import Refusal
from bot.domain.sign_in import LASTS_FOR
from bot.usecases import sign_in
from bot.web.answers import elsewhere, is_own
from bot.web.cookies import written
from bot.web.site import Address, Site
from bot.web.visit import Visit

log = logging.getLogger(__name__)

#: What Slack must list as a redirect URL, behind the console's address.
BACK = "/sign-in/slack"
#: Seconds to choose an account at Slack.
_BEGUN_FOR = 600


def show(site: Site, visit: Visit) -> Response:
    """The page with the one button."""
    after = _own(visit.query.get("next", ""))
    if visit.visitor is not None:
        return elsewhere(after)
    return site.paper(visit, "sign_in.html.j2", after=after)


def start(site: Site, visit: Visit) -> Response:
    """Off to Slack."""
    state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    after = base64.urlsafe_b64encode(_own(visit.query.get("next", "")).encode()).decode()
    answer = Response(
        status_code=303,
        headers={"Location": site.introduces.address(state=state, nonce=nonce, redirect=site.where() + BACK)},
    )
    _set(site, answer, "begun", f"{state}.{nonce}.{after}", _BEGUN_FOR)
    return answer


def back(site: Site, visit: Visit) -> Response:
    """Back from Slack, with a code or with an error."""
    begun = visit.cookies.get(site.cookie("begun"), "").split(".")
    wait = site.attempts.wait_for(visit.client)
    if wait:
        answer = _refused(
            site, visit, 429, f"Too many tries did not work. Wait {wait} s, then sign in again."
        )
        answer.headers["Retry-After"] = str(wait)
        return answer
    try:
        if len(begun) != 3 or not _is_same(visit.query.get("state", ""), begun[0]):
            raise Refusal(
                "This sign-in was not begun in this browser, or it took too long. Sign in once more."
            )
        if "code" not in visit.query:
            raise Refusal(_said_no(visit.query.get("error", "")))
        someone = site.introduces.person(
            visit.query["code"], nonce=begun[1], redirect=site.where() + BACK, now=site.now()
        )
    except Refusal as refusal:
        site.attempts.failed(visit.client)
        log.info("a sign-in was refused: %s", refusal.sentence)
        return _refused(site, visit, 403, refusal.sentence)
    # Slack may have taken its time; what follows is ours, and has time of its own.
    with site.desk.in_time():
        token = sign_in.begin_sign_in(site.desk, someone, browser=visit.headers.get("user-agent", ""))
        if former := visit.cookies.get(site.cookie("visitor")):
            sign_in.end_sign_in(site.desk, former)
    log.info("%s signed in to the console", someone.id)
    answer = elsewhere(_own(_unpacked(begun[2])))
    _set(site, answer, "begun", "", 0)
    _set(site, answer, "visitor", token, int(LASTS_FOR.total_seconds()))
    return answer


def out(site: Site, visit: Visit) -> Response:
    """Sign this browser out."""
    sign_in.end_sign_in(site.desk, visit.cookies.get(site.cookie("visitor"), ""))
    return _gone(site)


def out_everywhere(site: Site, visit: Visit) -> Response:
    """Sign the person out of every browser."""
    sign_in.end_everywhere(site.desk, by=visit.who.id)
    return _gone(site)


def account(site: Site, visit: Visit) -> Response:
    """Who I am here, and where I am signed in."""
    return site.paper(
        visit, "account.html.j2", sign_ins=sign_in.sign_ins_of(site.desk, by=visit.who.id), browser=_browser
    )


def _gone(site: Site) -> Response:
    answer = elsewhere("/sign-in")
    _set(site, answer, "visitor", "", 0)
    # What a page kept in this browser so that it is not lost goes too.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _refused(site: Site, visit: Visit, status: int, sentence: str) -> Response:
    answer = site.paper(visit, "sign_in.html.j2", status, after="/", sentence=sentence)
    _set(site, answer, "begun", "", 0)
    return answer


def _said_no(error: str) -> str:
    if error == "access_denied":
        return "You did not allow it at Slack, so you are not signed in."
    if error == "invalid_scope":
        return "The app lacks the user scope `openid`: add it as app.yaml says, and install the app again."
    return "Slack did not sign you in. Sign in once more."


def _set(site: Site, answer: Response, what: str, value: str, seconds: int) -> None:
    line = written(site.cookie(what), value, seconds=seconds, is_secure=site.is_secure)
    answer.headers.append("Set-Cookie", line)


def _is_same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())


def _own(path: str) -> str:
    """The way back after signing in: a page of ours, or the first one."""
    return path if is_own(path) and not path.startswith("/sign-in") else "/incidents"


def _unpacked(packed: str) -> str:
    try:
        return base64.urlsafe_b64decode(packed).decode("ascii")
    except (ValueError, binascii.Error):
        return ""


def _browser(agent: str) -> str:
    """What people call the browser and its machine, out of what it calls itself."""
    browsers = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    machines = (
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Mac OS X", "a Mac"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    )
    found = next((name for mark, name in browsers if mark in agent), "A browser")
    machine = next((name for mark, name in machines if mark in agent), "")
    return f"{found} on {machine}" if machine else found


ADDRESSES = (
    Address("/sign-in", show, is_open=True),
    Address("/sign-in/start", start, is_open=True),
    Address(BACK, back, is_open=True),
    Address("/sign-out", out, "POST"),
    Address("/sign-out/everywhere", out_everywhere, "POST"),
    Address("/account", account),
)
