"""What an attacker sends to the console: refused or inert, and never a 500."""

from __future__ import annotations

import gzip
import http.client
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from bot.web.answers import is_own
from tests.houses import Town
from tests.rooms import Room, hasty_town, opened
from tests.test_hostile_requests import Kept, listening
from tests.visiting import Page, Visitor

SCRIPT = "</textarea></title><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{1234567*3}}{%raw%}"
#: What a browser would run, were it there unescaped.
LIVE = re.compile(r"<script>alert|<img src=x|onerror=alert\(1\)>[^&]|3703701", re.IGNORECASE)


@pytest.fixture(scope="module")
def log() -> Iterator[Kept]:
    with listening() as kept:
        yield kept


@pytest.fixture(scope="module")
def town(log: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("web-attacks"), console=True) as here:
        yield here


@pytest.fixture(scope="module")
def ana(town: Town) -> Visitor:
    visitor = Visitor(town)
    visitor.signs_in(town.ana.id)
    return visitor


@pytest.fixture(scope="module")
def room(town: Town) -> Room:
    """An incident whose every text is an attack."""
    room = opened(town, f"/incident open {SCRIPT} sev2")
    for line in (
        f"/log {SCRIPT}",
        f"/log finding: ```{SCRIPT}``` `{SCRIPT}` *{SCRIPT}*",
        f"/log see <https://example.com/?a={SCRIPT}|{SCRIPT}> <javascript:alert(1)|go>",
        f"/incident impact {SCRIPT}",
        f"/incident cause {SCRIPT}",
        f"/incident fix {SCRIPT}",
        f"/incident update {SCRIPT}",
        f"/incident follow-up {SCRIPT}",
        f"/incident lesson lucky {SCRIPT}",
        "/postmortem compile",
        f"/log edit 2 {SCRIPT} twice",
        "/postmortem compile",
    ):
        room.types(line)
    town.settled()
    return room


def is_inert(page: Page) -> None:
    assert page.status < 500, page.words
    assert "Traceback" not in page.text
    assert not LIVE.search(page.text), LIVE.search(page.text)
    for tag in re.findall(r"<(?:script|img|link|iframe|object|style|base|form)\b[^>]*>", page.text):
        assert re.search(r'(?:src|href|action)="(/[a-z]|\?)', tag), tag
    bare = re.sub(r'"[^"]*"', '""', page.text)
    assert not re.search(r"<[^>]*\s(?:on\w+|style)=", bare)
    assert all(
        one.startswith(("/", "#", "?", "https://", "http://127.0.0.1"))
        for one in re.findall(r'href="([^"]*)"', page.text)
    )


def test_script_in_every_text_is_text_on_every_page(town: Town, ana: Visitor, room: Room) -> None:
    town.ana.act("set_profile", user=town.ana.id, real_name=SCRIPT)
    first = f"/incidents/{room.number}"
    for path in (
        "/incidents",
        first,
        f"{first}/live",
        f"{first}/entries/2",
        f"{first}/postmortem",
        f"{first}/postmortem/1",
        f"{first}/postmortem/changes",
        f"{first}/postmortem/sections/head",
        f"{first}/postmortem/sections/issue-summary",
        f"{first}/follow-ups/1",
        "/incidents?q=script+alert",
        "/insights",
        "/account",
    ):
        page = ana.gets(path)
        assert page.status == 200
        is_inert(page)
    assert "&lt;script&gt;alert(1)" in ana.gets(first).text


def test_script_in_every_field_of_every_form_comes_back_as_text(ana: Visitor, room: Room) -> None:
    first = f"/incidents/{room.number}"
    for path, action, fields in (
        (first, f"{first}/entries", {"text": SCRIPT, "kind": SCRIPT, "when": SCRIPT}),
        (f"{first}/entries/2", f"{first}/entries/2", {"text": SCRIPT, "kind": SCRIPT, "when": SCRIPT}),
        (
            f"{first}/follow-ups/new",
            f"{first}/follow-ups/new",
            {"text": SCRIPT, "owner": SCRIPT, "due": SCRIPT},
        ),
        (f"{first}/follow-ups/1", f"{first}/follow-ups/1", {"owner": SCRIPT, "due": SCRIPT}),
        (f"{first}/follow-ups/1", f"{first}/follow-ups/1/link", {"link": SCRIPT}),
        (f"{first}/postmortem", f"{first}/postmortem/state", {"state": SCRIPT}),
        (
            f"{first}/postmortem/new-section",
            f"{first}/postmortem/new-section",
            {"title": SCRIPT * 9, "text": SCRIPT},
        ),
    ):
        refused = ana.sends(ana.gets(path), action, **fields)
        assert refused.status == 422
        is_inert(refused)
        assert "&lt;script&gt;" in refused.text
    for query in ("since", "until", "severity", "service", "by"):
        is_inert(ana.gets(f"/insights?{query}=%3Cscript%3Ealert(1)%3C/script%3E%22%27"))
    for query in ("severity", "status", "service", "person", "since", "until", "before", "q"):
        is_inert(ana.gets(f"/incidents?{query}=%3Cscript%3Ealert(1)%3C/script%3E%22%27"))
    for path in (
        f"{first}?did=logged-%3Cscript%3E",
        f"{first}?did=__class__-1",
        f"{first}?order=%22%3E%3Cscript%3E",
    ):
        is_inert(ana.gets(path))
    is_inert(ana.gets("/sign-in/slack?error=%3Cscript%3Ealert(1)%3C/script%3E&state=x"))


def test_script_that_people_write_into_a_postmortem_is_text_in_preview_page_and_revision(
    ana: Visitor, room: Room
) -> None:
    path = f"/incidents/{room.number}/postmortem"
    attack = f"{SCRIPT}\n\n[x](javascript:alert(1)) ![y](https://example.com/p.png)\n\n<img src=x onerror=alert(1)>"
    for action, fields in (
        (f"{path}/sections/issue-summary", {"text": attack}),
        (f"{path}/new-section", {"title": SCRIPT, "text": attack}),
    ):
        preview = ana.sends(ana.gets(action), action, **fields, deed="preview")
        assert preview.status == 200 and 'id="preview"' in preview.text
        is_inert(preview)
        saved = ana.sends(preview, action, **fields)
        assert saved.status == 200 and "javascript:alert" in saved.words
        is_inert(saved)
    room.types(f"/incident impact {SCRIPT} now")
    is_inert(ana.sends(ana.gets(path), f"{path}/compile"))
    for number in (3, 4, 5):
        is_inert(ana.gets(f"{path}/{number}"))
    is_inert(ana.gets(f"{path}/changes?from=2&to=5"))


# Who sends it


@pytest.mark.parametrize(
    "token",
    ["", "x", "a" * 5000, "' OR 1=1 --", "../../etc/passwd", "null", "%00", "é"],
    ids=lambda t: t[:12],
)
def test_a_made_up_session_is_nobodys(town: Town, token: str) -> None:
    nobody = Visitor(town)
    answer = nobody.asks(
        "GET", "/incidents", headers={"Cookie": f"lantern-visitor={token}".encode().decode("latin-1")}
    )
    assert (answer.status, answer.location) == (303, "/sign-in?next=/incidents")


def test_a_form_from_elsewhere_does_nothing(town: Town, ana: Visitor, room: Room) -> None:
    action = f"/incidents/{room.number}/entries"
    right = {**ana.gets(f"/incidents/{room.number}").hidden(action), "text": "forged", "kind": "", "when": ""}
    ben = Visitor(town)
    ben.signs_in(town.ben.id)
    bens = ben.gets("/account").hidden("/sign-out")["form_key"]
    before = len(room.entries)
    for fields, origin in (
        (right, "https://evil.example"),
        (right, "null"),
        (right, ""),
        (right, f"{ana.url}.evil.example"),
        (right, ana.url.replace("http:", "https:")),
        ({**right, "form_key": ""}, None),
        ({**right, "form_key": "0" * 64}, None),
        ({**right, "form_key": bens}, None),
        ({name: value for name, value in right.items() if name != "form_key"}, None),
    ):
        answer = ana.posts(action, fields, origin=origin)
        assert answer.status == 403 and "forged</textarea>" in answer.text, (fields, origin)
    first = f"/incidents/{room.number}"
    for path in (
        "/sign-out",
        "/sign-out/everywhere",
        f"{action}/2",
        f"{action}/2/undo",
        f"{first}/postmortem/sections/head",
        f"{first}/postmortem/sections/head/settle",
        f"{first}/postmortem/new-section",
        f"{first}/postmortem/compile",
        f"{first}/postmortem/state",
        f"{first}/follow-ups/1/state",
        f"{first}/follow-ups/new",
    ):
        assert ana.posts(path, {"form_key": "x"}).status == 403
    assert len(room.entries) == before
    assert ana.gets("/account").status == 200


def test_what_was_typed_into_a_form_is_not_lost_with_the_session(town: Town, room: Room) -> None:
    nobody = Visitor(town)
    answer = nobody.posts(
        f"/incidents/{room.number}/entries", {"text": "long words", "form_key": "secret-key"}
    )
    assert answer.status == 401 and "long words</textarea>" in answer.text and "secret-key" not in answer.text


# Where it leads


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%09/evil.example",
        "javascript:alert(1)",
        "/\tevil",
        "/x\r\nSet-Cookie: a=b",
        "/sign-in/start",
        "incidents",
        "/é",
        "/" + "x" * 2000,
        "",
    ],
)
def test_signing_in_leads_to_a_page_of_this_site(town: Town, path: str) -> None:
    back = Visitor(town).signs_in(town.ana.id, path)
    assert back.status == 303
    assert back.location == (path if path == "/%09/evil.example" else "/incidents")
    assert is_own(back.location)
    assert "a=b" not in str(back.headers)


def test_a_cookie_that_was_tampered_with_leads_nowhere_else(town: Town) -> None:
    visitor = Visitor(town)
    begun = visitor.asks("GET", "/sign-in/start")
    state, nonce, _ = visitor.cookies["lantern-begun"].split(".")
    for packed in ("aHR0cHM6Ly9ldmlsLmV4YW1wbGU", "Ly9ldmlsLmV4YW1wbGU=", "%%%", ""):
        one = Visitor(town)
        one.cookies["lantern-begun"] = f"{state}.{nonce}.{packed}"
        back = one.comes_back(visitor.chooses(begun, town.ana.id))
        assert (back.status, back.location) == (303, "/incidents")


# What it carries


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2f..%2fapp.py",
        "/static/%2e%2e/%2e%2e/wiring.py",
        "/static//etc/passwd",
        "/static/console.css%00.js",
        "/static/",
        "/static/.",
        "/incidents/1/postmortem/..%2f..%2f1.md",
        "/incidents/99999999999999999999999999",
        "/incidents/1/entries/99999999999999999999",
        "/incidents/1/postmortem/99999999999999999999.md",
        "/incidents/-1",
        "/incidents/1/postmortem/sections/..%2f..%2fhead",
        "/incidents/1/postmortem/sections/%00%ff",
        "/incidents/1/follow-ups/99999999999999999999",
        "/incidents?q=%00%ff%22%28%2a",
        "/insights?since=9999-12-31&until=0001-01-01",
        "/insights?since=0001-01-01&until=9999-12-31&service=%ed%a0%80&severity=9",
        "/incidents/1e3",
        "/incidents/%00",
        "/incidents?since=9999-12-31&until=9999-12-31",
        "/incidents?since=0001-01-01&until=0001-01-01",
        "/incidents?before=99999999999999999999",
        "/incidents?person=%00%ff%fe&service=%ed%a0%80",
        "/incidents?" + "&".join(f"a{n}=1" for n in range(100)),
        "/incidents/1/live?pulse=" + "x" * 5000,
        "/incidents/1?did=logged-99999999999999999999",
        "/%ff%fe",
        "//evil.example/%2f..",
    ],
)
def test_a_strange_address_is_no_500(ana: Visitor, room: Room, path: str) -> None:
    answer = ana.asks("GET", path)
    assert answer.status in {200, 204, 303, 400, 404}
    is_inert(answer)
    assert "root:" not in answer.text and "from __future__" not in answer.text
    assert answer.status != 303 or is_own(answer.location)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_a_strange_method_is_refused(ana: Visitor, room: Room, method: str) -> None:
    assert ana.asks(method, f"/incidents/{room.number}").status == 405


def test_a_strange_body_is_refused(ana: Visitor, room: Room) -> None:
    action = f"/incidents/{room.number}/entries"
    for kind, body, status in (
        ("application/json", b'{"text": "x"}', 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("text/plain", b"text=x", 415),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(100)), 400),
        ("application/x-www-form-urlencoded", b"text=%ff%fe%00&form_key=\xff", 403),
    ):
        answer = ana.asks("POST", action, body, {"Content-Type": kind, "Origin": ana.url})
        assert answer.status == status, (kind, answer.words)
        is_inert(answer)


def test_a_form_of_100_megabytes_is_refused_long_before_its_end(ana: Visitor) -> None:
    with socket.create_connection((urlsplit(ana.url).hostname, urlsplit(ana.url).port), timeout=10) as talk:
        talk.sendall(
            b"POST /sign-out HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 104857600\r\n\r\n"
        )
        sent = 0
        try:
            while sent < 104857600:
                talk.sendall(b"a" * 65536)
                sent += 65536
        except OSError:
            pass
        assert sent < 50_000_000
    assert ana.gets("/account").status == 200


def test_header_injection_stays_in_its_place(ana: Visitor, room: Room) -> None:
    page = ana.asks("GET", "/incidents?x=%0d%0aSet-Cookie:%20evil=1")
    assert "evil" not in str(page.headers)
    nobody = ana.asks("GET", "/incidents?x=%0d%0aSet-Cookie:%20evil=1", headers={"Cookie": "x=y"})
    assert nobody.status == 303 and "\n" not in nobody.location and "set-cookie" not in nobody.headers


def test_every_answer_is_sealed(ana: Visitor, room: Room) -> None:
    for path in (
        "/incidents",
        f"/incidents/{room.number}/live",
        "/nowhere",
        "/static/none",
        "/sign-in",
        "/",
        "/sign-in/start",
    ):
        headers = ana.asks("GET", path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
    kept = ana.asks("GET", re.findall(r'"(/static/console.css[^"]*)"', ana.gets("/incidents").text)[0])
    assert "immutable" in kept.headers["cache-control"]


def test_a_page_is_compressed_and_its_form_key_is_another_each_time(ana: Visitor, room: Room) -> None:
    path = f"/incidents/{room.number}"
    connection = http.client.HTTPConnection(urlsplit(ana.url).netloc, timeout=10)
    cookie = "; ".join(f"{name}={value}" for name, value in ana.cookies.items())
    connection.request("GET", path, headers={"Accept-Encoding": "gzip, br", "Cookie": cookie})
    answer = connection.getresponse()
    sent = answer.read()
    connection.close()
    assert answer.headers["content-encoding"] == "gzip" and answer.headers["vary"] == "Accept-Encoding"
    whole = ana.gets(path)
    assert len(gzip.decompress(sent)) == len(whole.text.encode()) > 3 * len(sent)
    action = f"{path}/entries"
    keys = [ana.gets(path).hidden(action)["form_key"] for _ in range(2)]
    assert keys[0] != keys[1]


def test_a_request_cut_short_breaks_nothing(ana: Visitor) -> None:
    parts = urlsplit(ana.url)
    for _ in range(5):
        talk = http.client.HTTPConnection(parts.netloc, timeout=5)
        talk.putrequest("POST", "/sign-out")
        talk.putheader("Content-Length", "100")
        talk.putheader("Content-Type", "application/x-www-form-urlencoded")
        talk.endheaders(b"form_key=")
        talk.close()
    assert ana.gets("/account").status == 200


def test_nothing_of_it_all_was_a_mistake_of_ours(log: Kept, ana: Visitor) -> None:
    """Last in this file: what the tests before it left in the log."""
    assert log.troubles() == []
    token = ana.cookies["lantern-visitor"]
    assert token not in log.text()
