"""The console on both engines; on PostgreSQL two replicas serve it, and what one is told the other shows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bot.usecases import sign_in
from tests.houses import Town, until
from tests.rooms import opened
from tests.visiting import Visitor


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    with Town(database_url, console=True) as here:
        yield here


def test_a_visitor_of_one_replica_is_known_to_the_other_and_sees_what_it_is_told(town: Town) -> None:
    room = opened(town, "/incident open logins fail sev2")
    other = town.new_house() if town.house.db.dialect == "postgresql" else None
    if other is not None:
        other.start()
    try:
        here = Visitor(town)
        here.signs_in(town.ana.id)
        there = Visitor(town, other.console_url if other is not None else "")
        there.cookies = here.cookies
        path = f"/incidents/{room.number}"
        page = there.gets(path)
        pulse = re.search(r'data-pulse="(\w+)"', page.text)
        assert pulse is not None
        live = f"{path}/live?pulse={pulse[1]}"
        assert there.asks("GET", live).status == 204
        here.sends(here.gets(path), f"{path}/entries", text="finding: it is the weights", kind="", when="")
        assert "it is the weights" in there.asks("GET", live).words
        for query in ("severity=SEV2&status=investigating&person=ana&since=2020-01-01", "until=2020-01-01"):
            is_found = "logins fail" in there.gets(f"/incidents?{query}").text
            assert is_found == query.startswith("severity")
        action = f"{path}/entries/2"
        there.sends(there.gets(action), action, text="it was the weights", kind="finding", when="10m ago")
        assert "it was the weights" in here.gets(path).words
        town.standin.fault("chat.postMessage", "error", error="restricted_action", times=1)
        room.types("/log what Slack refuses")
        until(lambda: "could not be delivered" in there.gets(path).words, 8, "a refusal is not shown")
        again = re.search(r'action="([^"]+/again)"', page := there.gets(path).text)
        assert again is not None and page
        assert there.posts(again[1], there.gets(path).hidden(again[1])).location.endswith("again-0#slack")
        assert sign_in.end_everywhere(town.house.desk, by=town.ana.id) == 1
        assert there.asks("GET", path).status == 303
    finally:
        if other is not None:
            other.stop()
