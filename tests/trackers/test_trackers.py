"""The three trackers over HTTP: an issue is created, found by its mark, and read; what goes wrong is a sentence."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import check, tracker_wire
from bot.domain import inert, permit
from bot.domain.outcomes import RateLimited, Refused, Unknown, Unreachable
from bot.domain.tracker import Body, NoTracker, Standing, Tracker
from bot.settings import Settings, SettingsWrong, read_settings
from bot.tracker_kinds import kinds, tracker_at
from bot.tracker_wire import Place, retry_after
from bot.wiring import tracker_of
from tests.conftest import missing
from tests.shells import OPENSSL
from tests.tracker_stands import TOKEN, AnyStand, DataCenter, GitHub, GitLab, Jira

MARK = "lantern-0123456789abcdef"
BODY = Body(
    "review the weights\nand test them",
    ("Follow-up 1 of inc-0042.",),
    "https://lantern.example.com/incidents/42",
)


def tracker(stand: AnyStand) -> Tracker:
    found = tracker_of(Settings.model_validate(stand.settings()))
    assert found is not None
    return found


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def test_an_issue_is_created_found_by_its_mark_and_read(stand: AnyStand) -> None:
    here = tracker(stand)
    assert here.find(MARK, an_hour_ago()) is None
    for number in range(60):
        stand.put(f"somebody else's {number}", None if isinstance(stand, Jira) else "words")
    made = here.create("review the weights", BODY, MARK)
    for number in range(60):
        stand.put(f"a later one {number}")
    assert made.key.endswith(("#61", "-61"))
    assert made.link.endswith(("/issues/61", "/browse/OPS-61"))
    assert here.find(MARK, an_hour_ago()) == made
    assert here.find("lantern-another", an_hour_ago()) is None
    assert here.state(made.key) is Standing.OPEN
    stand.close(61)
    assert here.state(made.key) is Standing.DONE
    stand.close(61, is_dropped=True)
    # GitLab closes without a reason.
    assert here.state(made.key) is (Standing.DONE if isinstance(stand, GitLab) else Standing.DROPPED)
    stand.reopen(61)
    assert here.state(made.key) is Standing.OPEN
    assert here.state(made.key.replace("61", "999")) is Standing.GONE


def test_looking_stops_at_what_is_older_than_the_asking(stand: AnyStand) -> None:
    for number in range(300):
        stand.put(f"an old one {number}", ago=timedelta(days=30))
    assert tracker(stand).find(MARK, an_hour_ago()) is None
    gets = [one for one in stand.asked if one.method == "GET"]
    # Jira's search, then the keys that nobody has.
    assert len(gets) <= (11 if isinstance(stand, Jira) else 1)


@pytest.mark.parametrize("kind", [Jira, DataCenter])
def test_jira_finds_what_its_search_does_not_show_yet(kind: type[Jira]) -> None:
    with kind() as stand:
        here = tracker(stand)
        for number in range(5):
            stand.put(f"somebody else's {number}", None)
        stand.indexed = 3
        made = here.create("review", BODY, MARK)
        stand.put("a later one", None)
        assert here.find(MARK, an_hour_ago()) == made
        # One that was deleted meanwhile is stepped over.
        stand.issues.pop(3)
        assert here.find(MARK, an_hour_ago()) == made


def test_a_jira_token_with_scopes_gives_links_that_people_can_open() -> None:
    with Jira() as stand:
        settings = {**stand.settings(), "tracker_url": f"{stand.url}/ex/jira/cloud-id"}
        here = tracker_of(Settings.model_validate(settings))
        assert here is not None
        made = here.create("review", BODY, MARK)
        assert made.link == "https://acme.atlassian.example/browse/OPS-1"
        assert here.find(MARK, an_hour_ago()) == made


def test_an_issue_that_was_moved_away_is_gone(stand: AnyStand) -> None:
    here = tracker(stand)
    made = here.create("review", BODY, MARK)
    if isinstance(stand, GitLab):
        stand.moved = frozenset({1})
        stand.close(1)
    else:
        stand.trouble("GET", 301, Location=f"{stand.url}/elsewhere")
    assert here.state(made.key) is Standing.GONE
    assert not [one for one in stand.asked if one.path == "/elsewhere"], (
        "the token went along with a redirect"
    )


def test_what_is_typed_has_no_effect_where_it_arrives(stand: AnyStand) -> None:
    text = "fixes #3 for @ana and !5 ~bug %v1 &9 $4 GH-7 [~ana] {html}x{html}\n/close\n# head\n<!-- hidden\nhttps://a.example/x_y"
    tracker(stand).create(f"@ana\nfixes #3 {'long ' * 100}", Body(text), MARK)
    (kept,) = stand.issues
    assert "\n" not in kept.title and len(kept.title) <= 255
    if isinstance(stand, DataCenter):
        assert not re.search(
            r"[#{}\[\]~!]", kept.body.replace(f"{{noformat}}{MARK}{{noformat}}", "").replace("&#", "")
        )
        return
    if isinstance(stand, Jira):
        nodes = json.dumps(kept.body)
        assert set(re.findall(r'"type": "(\w+)"', nodes)) == {"doc", "paragraph", "text", "hardBreak"}
        return
    assert not re.search(r"@ana|#3", kept.title)
    # After its escapes a renderer shows the signs, and behind each there is something that is no letter.
    shown = re.sub(r"\\([^\w\s])", r"\1", kept.body)
    assert not re.search(r"@ana|#3|!5|~bug|%v1|&9|\$4|GH-7", shown)
    assert not [line for line in kept.body.splitlines() if line.startswith(("/", "#", "<!-- hidden"))]
    assert "<https://a.example/x_y>" in kept.body and kept.body.endswith(f"<!-- {MARK} -->")


def test_a_web_address_stays_a_link_and_plain_words_stay_as_they_are() -> None:
    assert inert.markdown("see https://a.example/x?a=1&b=2, then 3 of them") == (
        "see <https://a.example/x?a=1&b=2>, then 3 of them"
    )
    assert inert.line("auth_service: 50% more") == "auth_service: 50% more"
    assert inert.markdown("a_b *c* `d`") == r"a\_b \*c\* \`d\`"
    assert inert.markdown("- one\n1. two") == "\\- one  \n1\\. two"


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (401, {}, "LANTERN_TRACKER_TOKEN is wrong, expired or revoked"),
        (403, {}, "Give the token the permission Issues"),
        (404, {}, "does not reach the repository"),
        (410, {}, "Switch them on in its settings"),
        (422, {}, "Shorten the follow-up"),
        (301, {"Location": "https://elsewhere.example"}, "correct the name: LANTERN_TRACKER="),
    ],
)
def test_a_refusal_names_itself_and_its_remedy(
    github: GitHub, status: int, headers: dict[str, str], words: str
) -> None:
    body = {"message": f"no: {TOKEN}", "errors": [{"resource": "Issue", "field": "title", "code": "invalid"}]}
    github.trouble("POST", status, body=body, **headers)
    with pytest.raises(Refused) as refused:
        tracker(github).create("review", BODY, MARK)
    assert f"GitHub answered {status}: no: ***; title: invalid. " in refused.value.sentence
    assert words in refused.value.sentence
    assert (
        TOKEN not in f"{refused.value!r} {refused.value} {refused.value.sentence} {refused.value.__context__}"
    )


@pytest.mark.parametrize("what", [500, 502, "before", "after"])
def test_what_may_have_happened_is_unknown(github: GitHub, what: str | int) -> None:
    github.trouble("POST", what)
    with pytest.raises(Unknown):
        tracker(github).create("review", BODY, MARK)


@pytest.mark.parametrize("what", ["hang", "trickle"])
def test_a_tracker_that_is_silent_or_trickles_is_not_waited_for(
    github: GitHub, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(tracker_wire, "PATIENCE", 0.2)
    github.trouble("POST", what)
    with pytest.raises(Unknown, match=r"GitHub did not answer within 0\.2 seconds"):
        tracker(github).create("review", BODY, MARK)


def test_what_was_never_sent_is_said_to_be_so(github: GitHub) -> None:
    here = tracker(github)
    with permit.only_while(lambda: False), pytest.raises(Unreachable):
        here.create("review", BODY, MARK)
    assert github.asked == []
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nobody = tracker_at("github:acme/web", url=f"http://127.0.0.1:{port}", token=TOKEN)
    with pytest.raises(Unreachable, match="nothing listens at its address"):
        nobody.create("review", BODY, MARK)


def test_a_proxy_is_used_and_gets_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            caller, _ = listener.accept()
            with caller:
                heard.append(caller.recv(65536))
                caller.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        proxy = threading.Thread(target=refuse, daemon=True)
        proxy.start()
        for name in ("no_proxy", "NO_PROXY", "HTTPS_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("https_proxy", f"ana:secret@127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(Unreachable) as trouble:
            tracker_at("github:acme/web", url="https://github.invalid", token=TOKEN).state("acme/web#1")
        proxy.join(10)
    assert heard[0].startswith(b"CONNECT github.invalid:443") and b"Proxy-Authorization: Basic" in heard[0]
    assert TOKEN.encode() not in heard[0] and "secret" not in str(trouble.value)


def test_a_certificate_that_nobody_vouches_for_gets_no_token(tmp_path: Path) -> None:
    if not OPENSSL:
        missing("openssl is not installed, so no certificate can be made.")
    new = [OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    new += ["-subj", "/CN=localhost", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")]
    subprocess.run(new, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            caller, _ = listener.accept()
            with suppress(OSError), context.wrap_socket(caller, server_side=True) as talk:
                heard.append(talk.recv(65536))

        server = threading.Thread(target=listen, daemon=True)
        server.start()
        here = tracker_at(
            "gitlab:acme/web", url=f"https://127.0.0.1:{listener.getsockname()[1]}", token=TOKEN
        )
        with pytest.raises(Unreachable, match="a certificate that is not trusted"):
            here.state("acme/web#1")
        server.join(10)
    assert not any(heard)


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (403, {"Retry-After": "7"}, 7.0),
        (429, {}, 30.0),
        (429, {"Retry-After": "999999"}, 3600.0),
        (429, {"Retry-After": "soon"}, 30.0),
        (429, {"Retry-After": "nan"}, 30.0),
    ],
)
def test_a_limit_says_how_long_to_wait(
    github: GitHub, status: int, headers: dict[str, str], wait: float
) -> None:
    github.trouble("POST", status, **headers)
    with pytest.raises(RateLimited) as limited:
        tracker(github).create("review", BODY, MARK)
    assert (limited.value.method, limited.value.retry_after) == ("tracker", wait)


def test_githubs_own_limit_is_counted_by_its_own_clock() -> None:
    spent = {
        "date": "Mon, 03 Jun 2024 12:00:00 GMT",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1717416060",
    }
    assert retry_after(spent) == 60.0
    assert retry_after({**spent, "retry-after": "Mon, 03 Jun 2024 12:00:09 GMT"}) == 9.0


def test_a_web_page_or_half_an_answer_is_no_issue(github: GitHub) -> None:
    here = tracker(github)
    github.trouble("POST", 200, body="<html>Sign in</html>")
    with pytest.raises(Refused, match="GitHub answered with a web page"):
        here.create("review", BODY, MARK)
    for nonsense in ([], {"number": "one"}, None, {}):
        github.trouble("POST", 201, body=nonsense)
        with pytest.raises(Unknown):
            here.create("review", BODY, MARK)
    github.trouble("GET", 200, body={"issues": "none"})
    with pytest.raises(Unknown):
        here.find(MARK, an_hour_ago())


# Settings


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"LANTERN_TRACKER": "acme/web"}, "give a kind and a project, for example github:acme/web"),
        ({"LANTERN_TRACKER_URL": "http://tracker.example.com"}, "give an https address"),
        ({"LANTERN_TRACKER_TOKEN": f"{TOKEN}\nX-Evil: 1"}, "a token has no spaces, line breaks"),
        ({"LANTERN_TRACKER_USER": "ana:secret"}, "give the address of the account alone"),
    ],
)
def test_a_setting_that_cannot_be_used_is_said_with_an_example(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], words: str
) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsWrong) as wrong:
        read_settings()
    assert words in str(wrong.value) and TOKEN not in str(wrong.value)


@pytest.mark.parametrize(
    ("place", "more", "words"),
    [
        ("trello:web", {}, "github:acme/web, gitlab:acme/web, jira:OPS"),
        ("github:acme", {}, "Write owner and name: LANTERN_TRACKER=github:acme/web"),
        ("github:acme/../web", {}, "Write owner and name"),
        ("gitlab:web", {}, "Write its path: LANTERN_TRACKER=gitlab:acme/web"),
        ("jira:ops", {"url": "https://acme.atlassian.net"}, "Write its key, in capitals"),
        ("jira:OPS", {}, "LANTERN_TRACKER_URL is not set"),
        ("jira:OPS", {"url": "https://ana:x@acme.example"}, "an address without a password"),
        ("github:acme/web", {"token": ""}, "LANTERN_TRACKER_TOKEN is not set, so GitHub would take nothing"),
    ],
)
def test_a_tracker_that_cannot_be_is_said_with_an_example(
    place: str, more: dict[str, str], words: str
) -> None:
    with pytest.raises(NoTracker) as wrong:
        tracker_at(place, **{"token": TOKEN, **more})
    assert words in wrong.value.sentence


def test_every_tracker_is_a_file_and_its_token_shows_nowhere() -> None:
    assert sorted(kinds()) == ["github", "gitlab", "jira"]
    place = Place("github", "acme/web", token=TOKEN)
    assert TOKEN not in f"{place!r} {place} {kinds()['github'].connect(place)!r}"


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("", "https://api.github.com"),
        ("https://github.com", "https://api.github.com"),
        ("https://acme.ghe.com", "https://api.acme.ghe.com"),
        ("https://github.example.com", "https://github.example.com/api/v3"),
        ("https://github.example.com/api/v3/", "https://github.example.com/api/v3"),
    ],
)
def test_githubs_api_is_found_from_the_address_people_know(url: str, api: str) -> None:
    assert kinds()["github"]._api(url) == api


def told_by_check(settings: dict[str, object]) -> list[str]:
    return [f"{one.mark}: {one.sentence}" for one in check._tracker(Settings.model_validate(settings))]


def test_check_says_what_the_token_reaches_and_changes_nothing(stand: AnyStand) -> None:
    (told,) = told_by_check(stand.settings())
    assert told.startswith("ok: Tracker: ") and "the token" in told
    assert stand.posts() == []
    (refused,) = told_by_check({**stand.settings(), "tracker_token": "another"})
    assert refused.startswith("wrong: Tracker: ") and "wrong, expired or revoked" in refused
    assert "another" not in refused.replace("name another", "")


def test_check_says_what_the_token_lacks() -> None:
    (told,) = told_by_check({})
    assert told.startswith("note: LANTERN_TRACKER is not set")
    with GitLab() as gitlab:
        gitlab.scopes = ("read_api",)
        assert "The token may only read_api" in told_by_check(gitlab.settings())[0]
    with Jira() as jira:
        jira.may_create = False
        assert "may not create issues in OPS" in told_by_check(jira.settings())[0]
        (told,) = told_by_check({**jira.settings(), "tracker": "jira:OPS/Story"})
        assert "no issue type “Story”" in told and "LANTERN_TRACKER=jira:OPS/Task" in told
    with GitHub() as github:
        github.has_issues = False
        assert "issues switched off" in told_by_check(github.settings())[0]
    (told,) = told_by_check({**github.settings()})
    assert told.startswith("wrong: Tracker: GitHub does not answer")
