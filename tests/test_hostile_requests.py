"""What anybody may send to the HTTP door: answered cleanly, never with a 500, never with a word in the log."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings

from bot.standin.outward import signature
from tests.houses import Town, said
from tests.nonsense import CANARY, NONSENSE, click, mutations

Json = dict[str, Any]

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class Kept(logging.Handler):
    """Keeps every line of the log, as a formatter would write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def text(self) -> str:
        return "\n".join(self.format(record) for record in list(self.records))

    def troubles(self) -> list[str]:
        return [
            self.format(record)
            for record in list(self.records)
            if record.levelno >= logging.ERROR or record.exc_info
        ]


@contextmanager
def listening() -> Iterator[Kept]:
    kept, root = Kept(), logging.getLogger()
    before = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        yield kept
    finally:
        root.setLevel(before)
        root.removeHandler(kept)


@pytest.fixture(scope="module")
def whole_log() -> Iterator[Kept]:
    with listening() as kept:
        yield kept


@pytest.fixture(scope="module")
def here(whole_log: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    with Town(f"sqlite:///{folder / 'lantern.db'}", transport="http") as town:
        town.opened()
        yield town


@pytest.fixture
def log(here: Town) -> Iterator[Kept]:
    with listening() as kept:
        yield kept


def sent(
    town: Town,
    body: bytes,
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    path: str = "/slack/events",
) -> tuple[int, str]:
    """Status and text of the answer."""
    connection = http.client.HTTPConnection(urlsplit(town.house.web.url).netloc, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def signed(town: Town, body: bytes, kind: str = JSON, at: int | None = None) -> dict[str, str]:
    stamp = int(time.time()) if at is None else at
    return {"Content-Type": kind} | signature(town.app.signing_secret, body, stamp)


def sends_json(town: Town, found: Any) -> tuple[int, str]:
    body = json.dumps(found).encode()
    return sent(town, body, signed(town, body))


def sends_payload(town: Town, found: Any) -> tuple[int, str]:
    body = urlencode({"payload": json.dumps(found)}).encode()
    return sent(town, body, signed(town, body, FORM))


def sends_command(town: Town, **fields: str) -> tuple[int, str]:
    body = urlencode(fields).encode()
    return sent(town, body, signed(town, body, FORM))


def is_clean(log: Kept, status: int, answer: str) -> None:
    """A refusal at the door: 4xx, a sentence, and nothing of the body anywhere."""
    assert 400 <= status < 500, (status, answer)
    assert "Traceback" not in answer
    assert CANARY not in answer
    assert CANARY not in log.text()
    assert log.troubles() == []


COMMAND = {
    "command": "/log",
    "text": f"note {CANARY}",
    "user_id": "U0ANA00000",
    "channel_id": "C0GENERAL0",
    "trigger_id": "1.2.3",
}


# Who is it from?


NOT_SIGNED = [
    ("no headers", {}),
    ("no timestamp", {"X-Slack-Signature": "v0=" + "0" * 64}),
    ("no signature", {"X-Slack-Request-Timestamp": "NOW"}),
    ("empty signature", {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": ""}),
    ("wrong signature", {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": "v0=" + "0" * 64}),
    ("other version", {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": "v1=" + "0" * 64}),
    ("bytes above 127", {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": "v0=\xe9\xff"}),
    ("very long signature", {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": "v0=" + "a" * 20000}),
    ("letters for a time", {"X-Slack-Request-Timestamp": "soon", "X-Slack-Signature": "v0=00"}),
    ("a fraction", {"X-Slack-Request-Timestamp": "1717410600.5", "X-Slack-Signature": "v0=00"}),
    ("superscript digits", {"X-Slack-Request-Timestamp": "\xb2\xb3", "X-Slack-Signature": "v0=00"}),
    ("huge time", {"X-Slack-Request-Timestamp": "9" * 5000, "X-Slack-Signature": "v0=00"}),
    ("negative time", {"X-Slack-Request-Timestamp": "-1717410600", "X-Slack-Signature": "v0=00"}),
    ("not a number", {"X-Slack-Request-Timestamp": "nan", "X-Slack-Signature": "v0=00"}),
]


@pytest.mark.parametrize("headers", [one[1] for one in NOT_SIGNED], ids=[one[0] for one in NOT_SIGNED])
def test_what_slack_did_not_sign_is_turned_away(here: Town, log: Kept, headers: dict[str, str]) -> None:
    body = urlencode(COMMAND).encode()
    given = {name: value.replace("NOW", str(int(time.time()))) for name, value in headers.items()}
    status, answer = sent(here, body, {"Content-Type": FORM, **given})
    is_clean(log, status, answer)
    assert status == 401


@pytest.mark.parametrize("seconds", [-360, -301, 360, 10**6], ids=str)
def test_a_signature_of_another_time_is_turned_away(here: Town, log: Kept, seconds: int) -> None:
    body = urlencode(COMMAND).encode()
    status, answer = sent(here, body, signed(here, body, FORM, int(time.time()) + seconds))
    is_clean(log, status, answer)
    assert status == 401 and "clock" in answer


def test_a_signature_of_another_body_is_turned_away(here: Town, log: Kept) -> None:
    body = urlencode(COMMAND).encode()
    status, answer = sent(here, body + b"&text=other", signed(here, body, FORM))
    is_clean(log, status, answer)
    assert status == 401


def test_a_recorded_request_sent_again_is_answered_alike_and_done_once(here: Town) -> None:
    channel = str(here.incident().channel_id)
    asked = {**COMMAND, "text": "failed over", "channel_id": channel, "trigger_id": "replayed"}
    body = urlencode(asked).encode()
    headers = signed(here, body, FORM)
    before = len(here.entries())
    first, again = sent(here, body, headers), sent(here, body, headers)
    assert first == again and first[0] == 200
    assert len(here.entries()) == before + 1


# Can it be read?


BROKEN = [
    ("cut off", JSON, b'{"type": "event_callback", "text": "' + CANARY.encode()),
    ("a list", JSON, json.dumps([CANARY]).encode()),
    ("a text", JSON, json.dumps(CANARY).encode()),
    ("null", JSON, b"null"),
    ("a number", JSON, b"12"),
    ("not a number", JSON, b"NaN"),
    ("too many digits", JSON, b"9" * 10_000),
    ("empty", JSON, b""),
    ("not UTF-8", JSON, b'{"type": "\xff\xfe"}'),
    ("opened 200,000 times", JSON, b"[" * 200_000),
    ("400 objects deep", JSON, b'{"type":"event_callback","event":' * 400 + b"1" + b"}" * 400),
    ("980 lists deep", JSON, b'{"type":"event_callback","event":' + b"[" * 980 + b"]" * 980 + b"}"),
    ("payload is no JSON", FORM, urlencode({"payload": "{" + CANARY}).encode()),
    ("payload is a list", FORM, urlencode({"payload": json.dumps([CANARY])}).encode()),
    ("payload is empty", FORM, b"payload="),
    (
        "two payloads, the second broken",
        FORM,
        urlencode([("payload", "{}"), ("payload", "{" + CANARY)]).encode(),
    ),
    ("a form of nothing", FORM, b""),
    ("a form of another", FORM, urlencode({"name": CANARY}).encode()),
    ("300 fields", FORM, urlencode([(f"f{n}", CANARY) for n in range(300)]).encode()),
    (
        "a form that says it is an event",
        FORM,
        urlencode({"type": "event_callback", "event": "type"}).encode(),
    ),
    ("JSON called a form", FORM, json.dumps({"type": "event_callback", "x": CANARY}).encode()),
    ("a form called JSON", JSON, urlencode(COMMAND).encode()),
    ("plain text", "text/plain", urlencode(COMMAND).encode()),
    ("no type", "", urlencode(COMMAND).encode()),
    ("XML", "application/xml", f"<a>{CANARY}</a>".encode()),
    ("several parts", "multipart/form-data; boundary=x", f"--x\r\n\r\n{CANARY}\r\n--x--".encode()),
]


@pytest.mark.parametrize(("kind", "body"), [one[1:] for one in BROKEN], ids=[one[0] for one in BROKEN])
def test_a_signed_body_that_cannot_be_read_is_400(here: Town, log: Kept, kind: str, body: bytes) -> None:
    status, answer = sent(here, body, signed(here, body, kind))
    is_clean(log, status, answer)
    # Slack's kit checks signatures of text only, so what is no text cannot be signed.
    assert status == (401 if b"\xff" in body else 400)
    assert answer.strip()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405(here: Town, log: Kept, method: str) -> None:
    body = urlencode(COMMAND).encode()
    status, answer = sent(here, body, signed(here, body, FORM), method=method)
    is_clean(log, status, answer)
    assert status == 405


@pytest.mark.parametrize("path", ["/", "/slack", "/slack/events/..%2f..%2fetc%2fpasswd", "/.env", "/%00"])
def test_other_addresses_are_404(here: Town, log: Kept, path: str) -> None:
    body = urlencode(COMMAND).encode()
    status, answer = sent(here, body, signed(here, body, FORM), path=path)
    is_clean(log, status, answer)
    assert status == 404


def _raw(town: Town, head: str, chunks: list[bytes]) -> bytes:
    """Send bytes as they are, until the other side has enough; give what it answered."""
    place = urlsplit(town.house.web.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as wire:
        try:
            wire.sendall(head.replace("\n", "\r\n").encode())
            for chunk in chunks:
                wire.sendall(chunk)
        except OSError:
            pass
        wire.settimeout(10)
        answer = b""
        try:
            while b"\r\n\r\n" not in answer and (part := wire.recv(65536)):
                answer += part
        except OSError:
            pass
        return answer


def test_ten_megabytes_are_413_with_a_length_or_in_chunks(here: Town, log: Kept) -> None:
    million = CANARY.encode() * 95_326
    long = f"POST /slack/events HTTP/1.1\nHost: x\nContent-Type: {FORM}\n"
    whole = _raw(here, f"{long}Content-Length: {len(million) * 10}\n\n", [million] * 10)
    piece = b"%x\r\n" % len(million) + million + b"\r\n"
    chunked = _raw(here, f"{long}Transfer-Encoding: chunked\n\n", [*[piece] * 10, b"0\r\n\r\n"])
    for answer in (whole, chunked):
        assert answer.startswith(b"HTTP/1.1 413 "), answer[:100]
    assert CANARY not in log.text() and log.troubles() == []


def test_a_caller_that_hangs_up_half_way_leaves_nothing(here: Town, log: Kept) -> None:
    place = urlsplit(here.house.web.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as wire:
        wire.sendall(
            b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + CANARY.encode()
        )
    assert sent(here, b"", method="GET", path="/healthz") == (200, "ok\n")
    assert CANARY not in log.text() and log.troubles() == []


def test_what_is_no_http_is_400(here: Town, log: Kept) -> None:
    assert _raw(here, f"{CANARY}\n\n", []).startswith(b"HTTP/1.1 400 ")
    assert log.troubles() == []


# Signed, and nonsense all the same.


@pytest.mark.parametrize("found", [one[1] for one in NONSENSE], ids=[one[0] for one in NONSENSE])
def test_signed_nonsense_never_breaks_lantern(here: Town, log: Kept, found: Json) -> None:
    for status, answer in (sends_json(here, found), sends_payload(here, found)):
        assert status < 500, (status, answer)
        assert "Traceback" not in answer
    assert CANARY not in log.text()
    # Slack's own refusal of a made-up trigger is worth a line; a traceback is not.
    assert [one for one in log.troubles() if "views.open was refused" not in one] == []


@pytest.mark.parametrize("left_out", ["command", "user_id", "channel_id", "trigger_id"])
def test_a_command_without_a_field_is_400(here: Town, log: Kept, left_out: str) -> None:
    fields = {name: value for name, value in COMMAND.items() if name != left_out}
    status, answer = sends_command(here, **fields)
    is_clean(log, status, answer)
    assert left_out in answer
    status, answer = sends_command(here, **fields, **{left_out: ""})
    is_clean(log, status, answer)


def test_an_unknown_command_is_answered_with_what_lantern_knows(here: Town, log: Kept) -> None:
    status, answer = sends_command(here, **{**COMMAND, "command": "/reboot", "trigger_id": "r1"})
    assert status == 200 and "/incident help" in answer
    assert log.troubles() == []


def test_what_a_person_types_may_hold_any_of_slacks_own_words(here: Town) -> None:
    channel = here.incident().channel_id
    assert channel is not None
    for text in (
        "payload too large",
        "the payload=1 of 413",
        "command",
        "type=event_callback",
        '{"payload": 1}',
    ):
        assert "Logged" in said(here.ana.types(f"/log note: {text}", channel)), text
        assert here.entries()[-1].text == text


def test_a_deep_frame_that_lantern_reads_is_a_deep_frame_that_bolt_reads(here: Town, log: Kept) -> None:
    # A parser's own limit depends on how deep the stack is that calls it: whatever the first one takes,
    # the second one must take as well.
    whole = json.dumps({**click("entry_new", "x"), "state": "DEEP"})
    for levels in (*range(95, 103), *range(930, 1000)):
        body = whole.replace('"DEEP"', "[" * levels + "]" * levels).encode()
        status, _ = sent(here, body, signed(here, body))
        assert status == (200 if levels < 100 else 400), levels
    assert log.troubles() == []


def test_slack_is_told_that_the_address_is_right(here: Town) -> None:
    assert here.standin.verify_url(here.app)
    assert sends_json(here, {"type": "url_verification", "challenge": "abc", "token": "t"})[0] == 200
    assert sends_command(here, ssl_check="1", token="t") == (200, "")
    assert sends_json(here, {"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1}) == (
        200,
        "",
    )


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(found=mutations())
def test_no_change_of_a_signed_request_breaks_lantern(here: Town, log: Kept, found: Json) -> None:
    status, answer = sends_json(here, found)
    assert status < 500, (status, answer)
    assert [one for one in log.troubles() if "views.open was refused" not in one] == []


# The whole file is over: what has the log seen?


def test_no_secret_was_ever_logged(here: Town, whole_log: Kept) -> None:
    sent(here, b"x", signed(here, b"x", FORM, 1))
    here.settled()
    text = whole_log.text()
    assert "turned away" in text
    assert here.app.signing_secret not in text
    assert here.app.bot_token not in text
    assert here.app.app_token not in text


def test_lantern_still_answers_after_all_of_that(here: Town) -> None:
    status, answer = sent(here, b"", method="GET", path="/readyz")
    assert status == 200, answer
    assert json.loads(answer)["set_aside"] == 0
