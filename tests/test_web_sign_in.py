"""Signing in to the console with Slack: who gets in, who does not and why, and how it ends."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from bot.settings import Settings
from bot.slack.openid import _claims
from bot.standin.authorize import STRANGER
from bot.store.tables import sign_in as rows
from bot.web.attempts import MOST, Attempts
from bot.web.cookies import name_of, written
from tests.houses import Town, until
from tests.rooms import hasty_town
from tests.visiting import Visitor


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("web-sign-in"), console=True) as here:
        yield here


@pytest.fixture
def visitor(town: Town) -> Visitor:
    return Visitor(town)


def test_somebody_signs_in_and_comes_back_to_where_they_were(town: Town, visitor: Visitor) -> None:
    turned_away = visitor.asks("GET", "/account?x=1")
    assert turned_away.status == 303
    assert turned_away.location == "/sign-in?next=/account%3Fx%3D1"
    assert "/sign-in/start?next=/account%3Fx%3D1" in visitor.gets(turned_away.location).text

    back = visitor.signs_in(town.ben.id, "/account?x=1")
    assert (back.status, back.location) == (303, "/account?x=1")
    account = visitor.gets("/account")
    assert "ben" in account.words and "Europe/Berlin" in account.words
    assert "this one" in account.words


def test_the_cookie_is_for_this_site_and_no_script_and_only_its_digest_is_kept(
    town: Town, visitor: Visitor
) -> None:
    back = visitor.signs_in(town.ana.id)
    assert "HttpOnly; SameSite=Lax" in back.headers["set-cookie"]
    token = visitor.cookies["lantern-visitor"]
    with town.house.db.reading() as session:
        assert token not in str(session.execute(select(rows)).all())
    secure = written(name_of("visitor", is_secure=True), "x", seconds=5, is_secure=True)
    assert secure == "__Host-lantern-visitor=x; Path=/; Max-Age=5; HttpOnly; SameSite=Lax; Secure"


def test_signing_out_ends_this_browser_or_every_one(town: Town, visitor: Visitor) -> None:
    other, third = Visitor(town), Visitor(town)
    for one in (visitor, other, third):
        one.signs_in(town.chloe.id)
    kept = dict(visitor.cookies)
    visitor.sends(visitor.gets("/account"), "/sign-out")
    visitor.cookies = kept
    assert visitor.asks("GET", "/account").status == 303
    assert other.asks("GET", "/account").status == 200
    other.sends(other.gets("/account"), "/sign-out/everywhere")
    assert third.asks("GET", "/account").status == 303


def test_a_sign_in_ends_by_itself(town: Town, visitor: Visitor) -> None:
    visitor.signs_in(town.dev.id)
    assert visitor.asks("GET", "/account").status == 200
    with town.house.db.writing() as session:
        session.execute(update(rows).where(rows.c.person == town.dev.id).values(ends_at=datetime.now(UTC)))
    assert visitor.asks("GET", "/account").status == 303


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"deleted": True}, "deactivated"),
        ({"is_restricted": True}, "guest"),
    ],
)
def test_who_is_no_full_member_does_not_get_in(
    town: Town, visitor: Visitor, changes: dict[str, bool], why: str
) -> None:
    person = town.standin.add_person(why, why, "UTC")
    town.ana.act("set_profile", user=person, **changes)
    answer = visitor.signs_in(person)
    assert answer.status == 403 and why in answer.words
    assert visitor.cookies == {}


def test_an_account_of_another_workspace_does_not_get_in(visitor: Visitor) -> None:
    answer = visitor.signs_in(STRANGER)
    assert answer.status == 403 and "another Slack workspace" in answer.words
    assert visitor.cookies == {}


def test_whoever_is_deactivated_is_out_at_once_and_a_missed_change_is_found_within_the_hour(
    town: Town, visitor: Visitor
) -> None:
    gone = town.standin.add_person("gone", "Gone", "UTC")
    visitor.signs_in(gone)
    assert visitor.asks("GET", "/account").status == 200
    town.ana.act("set_profile", user=gone, deleted=True)
    until(lambda: visitor.asks("GET", "/account").status == 303, 8, "a deactivated person stayed in")

    guest = town.standin.add_person("guest", "Guest", "UTC")
    visitor.signs_in(guest)
    # Nobody tells Lantern: the change came while it did not listen.
    town.standin.workspace.users[guest].is_restricted = True
    assert visitor.asks("GET", "/account").status == 200
    an_hour_ago = datetime.now(UTC) - timedelta(minutes=61)
    with town.house.db.writing() as session:
        session.execute(update(rows).where(rows.c.person == guest).values(asked_at=an_hour_ago))
    assert visitor.asks("GET", "/account").status == 303


def test_a_silent_slack_signs_nobody_out(town: Town, visitor: Visitor) -> None:
    visitor.signs_in(town.eve.id)
    an_hour_ago = datetime.now(UTC) - timedelta(minutes=61)
    with town.house.db.writing() as session:
        session.execute(update(rows).where(rows.c.person == town.eve.id).values(asked_at=an_hour_ago))
    town.standin.fault("users.info", "http", status=503, times=1)
    assert visitor.asks("GET", "/account").status == 200
    assert visitor.asks("GET", "/account").status == 200


# What does not fit


def test_a_sign_in_ends_only_in_the_browser_that_began_it(town: Town, visitor: Visitor) -> None:
    begun = visitor.asks("GET", "/sign-in/start")
    path = visitor.chooses(begun, town.ana.id)
    victim = Visitor(town)
    victim.asks("GET", "/sign-in/start")
    answer = victim.comes_back(path)
    assert answer.status == 403 and "not begun in this browser" in answer.words
    assert "lantern-visitor" not in victim.cookies


def test_a_code_is_used_once(town: Town, visitor: Visitor) -> None:
    begun = visitor.asks("GET", "/sign-in/start")
    kept = dict(visitor.cookies)
    path = visitor.chooses(begun, town.ana.id)
    assert visitor.comes_back(path).status == 303
    again = Visitor(town)
    again.cookies = kept
    answer = again.comes_back(path)
    assert answer.status == 403 and "used before" in answer.words


def test_slacks_no_is_told(visitor: Visitor) -> None:
    begun = visitor.asks("GET", "/sign-in/start").location
    state = begun.split("state=")[1].split("&")[0]
    answer = visitor.comes_back(f"/sign-in/slack?error=access_denied&state={state}")
    assert answer.status == 403 and "did not allow it" in answer.words


def _token(**claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{part}.x"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"aud": "another.app"}, "audience"),
        ({"nonce": "another"}, "nonce"),
        ({"exp": 1}, "too old"),
        ({"exp": "soon"}, "too old"),
    ],
)
def test_an_id_token_of_another_sign_in_is_refused(
    town: Town, visitor: Visitor, wrong: dict[str, object], why: str
) -> None:
    begun = visitor.asks("GET", "/sign-in/start")
    path = visitor.chooses(begun, town.ana.id)
    nonce = begun.location.split("nonce=")[1].split("&")[0]
    right = {
        "iss": town.standin.url,
        "aud": town.app.client_id,
        "nonce": nonce,
        "exp": datetime.now(UTC).timestamp() + 60,
        "https://slack.com/team_id": "T0STANDIN0",
        "https://slack.com/user_id": town.ana.id,
    }
    answer = {"ok": True, "id_token": _token(**{**right, **wrong})}
    town.standin.fault(
        "openid.connect.token",
        "raw",
        times=1,
        status=200,
        body=json.dumps(answer),
        headers={"content-type": "application/json"},
    )
    refused = visitor.comes_back(path)
    assert refused.status == 403 and f"({why})" in refused.words
    assert "lantern-visitor" not in visitor.cookies


@pytest.mark.parametrize("token", ["", "a.b", "a.%%%.c", "a.W10.c", "a.bm8.c", "a..c", "é.é.é"])
def test_what_is_no_id_token_says_nothing(token: str) -> None:
    assert _claims(token) == {}


def test_a_wrong_secret_and_a_silent_slack_are_told_apart(town: Town, visitor: Visitor) -> None:
    for error, words in (("bad_client_secret", "bad_client_secret"), ("internal_error", "does not answer")):
        path = visitor.chooses(visitor.asks("GET", "/sign-in/start"), town.ana.id)
        town.standin.fault("openid.connect.token", "error", error=error, times=1)
        answer = visitor.comes_back(path)
        assert answer.status == 403 and words in answer.words


def test_too_many_tries_of_one_address_wait(visitor: Visitor) -> None:
    attempts = Attempts()
    for _ in range(MOST):
        assert attempts.wait_for("198.51.100.7") == 0
        attempts.failed("198.51.100.7")
    assert 0 < attempts.wait_for("198.51.100.7") <= 61
    assert attempts.wait_for("198.51.100.8") == 0


# Off by default


def test_without_an_address_there_is_no_console(tmp_path_factory: pytest.TempPathFactory) -> None:
    with hasty_town(tmp_path_factory.mktemp("no-console")) as town:
        nobody = Visitor(town, town.house.web.url)
        assert nobody.asks("GET", "/sign-in").status == 404
        assert nobody.asks("GET", "/incidents").status == 404
        assert nobody.asks("GET", "/healthz").status == 200


@pytest.mark.parametrize(
    "address",
    ["lantern.example.com", "https://", "ftp://x", "https://x/console", "https://u:p@x", "https://x?y"],
)
def test_an_address_that_is_none_is_said(address: str) -> None:
    with pytest.raises(ValueError, match="give the address people type"):
        Settings.model_validate({"public_url": address})
    assert Settings.model_validate({"public_url": "HTTPS://Lantern.Example.com/"}).public_url == (
        "https://lantern.example.com"
    )


def test_what_the_console_lacks_is_said() -> None:
    lacking = Settings.model_validate({"public_url": "https://lantern.example.com"}).missing_for_console()
    assert [one.split()[0] for one in lacking] == ["SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"]
    assert Settings.model_validate({}).missing_for_console() == []
