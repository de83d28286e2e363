"""Every address of the console, times who asks: nothing of a private incident leaks, nor that there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bot.shelf import gather
from bot.web import pages
from bot.web.site import Address
from tests.houses import Town, until
from tests.pictures import picture
from tests.rooms import Room, hasty_town, opened
from tests.visiting import Page, Visitor

SECRET = "payroll leaked"
IMAGE_ENTRY = 3
ADDRESSES: list[Address] = [one for module in gather(pages, "ADDRESSES") for one in module.ADDRESSES]
OF_AN_INCIDENT = [one for one in ADDRESSES if "{number:int}" in one.path]
LISTS = [
    "/incidents",
    "/incidents?severity=SEV1",
    "/incidents?status=investigating",
    "/incidents?person=ana",
    "/incidents?service=payroll",
    "/incidents?since=2020-01-01&until=2100-01-01",
    "/incidents?q=payroll",
    "/incidents?q=leaked+mail",
    "/insights",
    "/insights?service=payroll&by=service",
    "/account",
]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("web-privacy"), console=True) as here:
        yield here


@pytest.fixture(scope="module")
def room(town: Town) -> Room:
    """Ana's private incident with something behind every address."""
    room = opened(town, f"/incident open {SECRET} sev1 private")
    room.types(f"/log {SECRET} by mail")
    shown = town.ana.uploads(room.channel, "graph.png", picture(), f"{SECRET}, see")
    town.ana.reacts(shown["ts"], "pushpin", room.channel)
    assert room.only(f"{SECRET}, see").number == IMAGE_ENTRY
    room.types(f"/incident cause {SECRET} since May")
    room.types(f"/incident update {SECRET}, we are on it")
    room.types(f"/incident follow-up {SECRET}, tell everybody")
    room.types("/postmortem compile")
    town.standin.fault("chat.postMessage", "error", error="restricted_action", times=1)
    room.types(f"/log {SECRET} and Slack refuses to say so")
    town.settled()
    return room


def visitor(town: Town, person: str = "") -> Visitor:
    one = Visitor(town)
    if person:
        one.signs_in(person)
    return one


def key_of(one: Visitor) -> str:
    return one.gets("/account").hidden("/sign-out")["form_key"]


def asked(one: Visitor, address: Address, number: int, work: int, form_key: str = "") -> Page:
    path = address.path.replace("{number:int}", str(number)).replace("{work:int}", str(work))
    path = path.replace("{revision:int}", "1").replace("{key}", "head").replace("{owed:int}", "1")
    # What becomes of entry 2 is another address's matter.
    entry = IMAGE_ENTRY if "{image:int}" in path else 2
    path = path.replace("{entry:int}", str(entry)).replace("{image:int}", "1")
    if address.method == "GET":
        return one.asks("GET", path)
    return one.posts(path, {"form_key": form_key, "text": "what ben typed", "origin": "x"})


def work_of(member: Visitor, number: int) -> int:
    found = re.search(r"/deliveries/(\d+)/again", member.gets(f"/incidents/{number}").text)
    assert found is not None
    return int(found[1])


def test_the_matrix_has_every_address() -> None:
    assert len(OF_AN_INCIDENT) >= 10
    # Whoever adds a place of another name says here what stands in it.
    assert set(re.findall(r"{(\w+)", " ".join(one.path for one in ADDRESSES))) <= {
        "number",
        "entry",
        "work",
        "revision",
        "key",
        "owed",
        "image",
    }


@pytest.mark.parametrize("address", OF_AN_INCIDENT, ids=lambda one: f"{one.method} {one.path}")
def test_an_address_of_a_private_incident_is_there_for_its_members_alone(
    town: Town, room: Room, address: Address
) -> None:
    member, outsider, nobody = visitor(town, town.ana.id), visitor(town, town.ben.id), visitor(town)
    work = work_of(member, room.number) if "{work" in address.path else 0
    before = [(one.id, one.text, one.undone_at, one.edits) for one in room.entries]

    key = key_of(outsider)
    hidden, absent = (asked(outsider, address, number, work, key) for number in (room.number, 9999))
    assert (hidden.status, absent.status) == (404, 404)
    assert hidden.text.replace(f"{room.number:04d}", "N") == absent.text.replace("9999", "N")
    assert SECRET not in hidden.text + str(hidden.headers)

    for number in (room.number, 9999):
        turned_away = asked(nobody, address, number, work)
        assert turned_away.status == (303 if address.method == "GET" else 401)
        assert SECRET not in turned_away.text + str(turned_away.headers)
    assert before == [(one.id, one.text, one.undone_at, one.edits) for one in room.entries]

    shown = asked(member, address, room.number, work, key_of(member))
    assert shown.status in {200, 303, 422}
    if address.method == "GET" and not address.path.endswith("/changes"):
        kind = shown.headers.get("content-type", "")
        if kind.startswith("image/"):
            assert shown.text.encode("utf-8", "surrogateescape") == picture()
        elif kind == "application/pdf":
            assert shown.text.startswith("%PDF-")
        else:
            assert SECRET in shown.text


@pytest.mark.parametrize("path", LISTS)
def test_a_private_incident_stands_in_no_list_of_others(town: Town, room: Room, path: str) -> None:
    hidden = visitor(town, town.ben.id).gets(path)
    # What was looked for is marked where it stands, in the midst of the words.
    assert SECRET not in hidden.text and SECRET not in hidden.words
    assert "payroll" in path or "payroll" not in hidden.text
    nobody = visitor(town).asks("GET", path)
    assert nobody.status == 303 and SECRET not in nobody.text
    if path == "/incidents" or "q=" in path:
        assert SECRET in visitor(town, town.ana.id).gets(path).words
    if path == "/insights":
        assert "<strong>0</strong> incidents" in hidden.text
        assert "<strong>1</strong> incident" in visitor(town, town.ana.id).gets(path).text


def test_slack_that_unfurls_a_link_reads_the_sign_in_page_and_nothing_else(town: Town, room: Room) -> None:
    """It asks without a cookie: of an incident that is there and one that is not it reads the very same."""
    unfurler = {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}
    paths = sorted({one.path for one in OF_AN_INCIDENT if one.method == "GET" and "{work" not in one.path})
    for path in (*paths, "/incidents", "/insights"):
        read = []
        for number in (room.number, 9999):
            wanted = re.sub("{number:int}", str(number), path)
            wanted = wanted.replace("{key}", "head").replace("{image:int}", "1")
            wanted = re.sub("{[a-z]+:int}", str(IMAGE_ENTRY if "images" in path else 1), wanted)
            one = visitor(town)
            for method in ("HEAD", "GET"):
                led = one.asks(method, wanted, headers=unfurler)
                assert led.status == 303 and led.location.startswith("/sign-in?next=")
                assert SECRET not in led.text + str(led.headers)
            page = one.asks("GET", led.location, headers=unfurler)
            assert page.status == 200 and "<title>Sign in" in page.text
            assert not re.search(r"og:|twitter:|oembed|<meta[^>]+description", page.text)
            assert "payroll" not in page.text + str(page.headers) + led.location
            read.append(re.sub(f"incidents(/|%2F){number}", "N", page.text))
        assert read[0] == read[1], path


def test_health_and_static_pages_alone_are_open(town: Town, room: Room) -> None:
    nobody = visitor(town)
    is_open = {one.path for one in ADDRESSES if one.is_open}
    assert is_open == {"/sign-in", "/sign-in/start", "/sign-in/slack"}
    for path in (
        "/healthz",
        "/readyz",
        "/static/console.css",
        "/static/console.js",
        "/static/icon.svg",
        "/sign-in",
    ):
        page = nobody.asks("GET", path)
        assert page.status == 200 and SECRET not in page.text
    for path in ("/nowhere", "/incidents/x", "/static/../incidents", "/incident"):
        assert nobody.asks("GET", path).status in {303, 404}


def test_whoever_leaves_the_channel_is_shown_no_more_of_it(town: Town) -> None:
    room = opened(town, "/incident open keys in a public bucket private", by=town.chloe)
    town.chloe.invites(room.channel, town.dev.id)
    dev = visitor(town, town.dev.id)
    until(lambda: dev.gets(f"/incidents/{room.number}").status == 200, 8, "dev is not let in")
    town.dev.leaves(room.channel)
    live = f"/incidents/{room.number}/live?pulse="
    until(lambda: dev.asks("GET", live).status == 404, 8, "dev's open page goes on")
    assert "keys in a public bucket" not in dev.gets("/incidents").text
