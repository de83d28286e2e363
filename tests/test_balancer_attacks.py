"""Balancers that are down, slow, endless, torn or somebody else: a sentence, soon, and nothing else is touched."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bot.balancers.kinds import gather_kinds
from bot.balancers.sample import NoReading, Sample
from bot.domain.bars import bars
from bot.domain.catalogue import Balancer
from bot.domain.figures import named
from bot.domain.verdict import judge
from bot.trials.stubs import free_port
from tests.captures import CASES
from tests.houses import until
from tests.test_balancer_check import town, verdicts

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def _silent(talk: socket.socket) -> None:
    talk.recv(1)
    time.sleep(30)


def _trickles(talk: socket.socket) -> None:
    talk.sendall(OK + b"Content-Length: 100000\r\n\r\n")
    for _ in range(300):
        talk.sendall(b"# pxname,svname\n")
        time.sleep(0.1)


def _floods(talk: socket.socket) -> None:
    talk.sendall(OK + b"Content-Length: 52428800\r\n\r\n")
    for _ in range(50):
        talk.sendall(b"x" * 1024 * 1024)


def _garbage(talk: socket.socket) -> None:
    talk.recv(4096)
    talk.sendall(random.Random(7).randbytes(100_000))


def _wrong(talk: socket.socket) -> None:
    talk.recv(4096)
    talk.sendall(OK + b"Content-Length: 21\r\n\r\n<html>not this</html>")


def _resets(talk: socket.socket) -> None:
    talk.recv(4096)
    talk.sendall(OK + b"Content-Length: 5000\r\n\r\n# pxname,svname")
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _cuts(talk: socket.socket) -> None:
    talk.recv(4096)
    talk.sendall(OK + b"Content-Length: 5000\r\n\r\n# pxname,svname,stot\nbe_auth,auth1")


def _redirects(talk: socket.socket) -> None:
    talk.recv(4096)
    talk.sendall(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/quitquitquit\r\nContent-Length: 0\r\n\r\n"
    )


def _endless_head(talk: socket.socket) -> None:
    talk.recv(4096)
    talk.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 5000)


HOSTILE: dict[str, Callable[[socket.socket], None]] = {
    name.__name__.strip("_").replace("_", "-"): name
    for name in (_silent, _trickles, _floods, _garbage, _wrong, _resets, _cuts, _redirects, _endless_head)
}


class Hostile:
    """A server on loopback that does one thing to whoever comes."""

    def __init__(self, deed: Callable[[socket.socket], None]) -> None:
        self._deed = deed
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                talk, _ = self._listener.accept()
                threading.Thread(target=self._meet, args=(talk,), daemon=True).start()

    def _meet(self, talk: socket.socket) -> None:
        with talk, suppress(OSError):
            self._deed(talk)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """What is done to whoever comes -> the port where that is done; "down" is one where nobody listens."""
    servers = {name: Hostile(deed) for name, deed in HOSTILE.items()}
    yield {"down": free_port(), **{name: one.port for name, one in servers.items()}}
    for one in servers.values():
        one.close()


def told(balancer: Balancer) -> str:
    """What is said of a balancer that cannot be read."""
    kind = gather_kinds()[balancer.kind]
    try:
        first = kind.look(balancer)
        second = kind.look(balancer, first)
        return judge(kind.picture(first, second, balancer)).sentence
    except NoReading as refusal:
        return refusal.sentence


def test_whatever_answers_there_is_a_sentence(tmp_path: Path, ports: dict[str, int]) -> None:
    """All at once, so that the slow ones are waited for together."""
    (tmp_path / "access.log").write_text("")
    asked = {
        (kind, deed): balancer
        for deed, port in ports.items()
        for kind, balancer in (
            ("haproxy tcp", Balancer("haproxy", f"tcp:127.0.0.1:{port}", "be_auth")),
            ("haproxy http", Balancer("haproxy", f"http://ana:s3cret@127.0.0.1:{port}/stats", "be_auth")),
            ("envoy", Balancer("envoy", f"http://127.0.0.1:{port}", "auth")),
            (
                "nginx",
                Balancer("nginx", f"http://127.0.0.1:{port}/x", "auth", log=f"file:{tmp_path}/access.log"),
            ),
        )
    }
    found: dict[tuple[str, str], str] = {}
    threads = [
        threading.Thread(target=lambda key=key, one=one: found.__setitem__(key, told(one)), daemon=True)
        for key, one in asked.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(found) == set(asked)
    for (kind, deed), sentence in found.items():
        assert sentence[-1] in ".?", (kind, deed, sentence)
        assert "s3cret" not in sentence and "Traceback" not in sentence
        assert "the balancer is not the cause" not in sentence, (kind, deed, sentence)
        words = {
            "down": "does not answer (nothing listens there)",
            "silent": "did not answer within 3 seconds",
            "trickles": "did not answer within 3 seconds",
            "floods": "sent more than 4 MB",
        }
        if deed in words:
            assert words[deed] in sentence, (kind, deed, sentence)
        if deed == "redirects" and kind != "haproxy tcp":
            assert "answered 302 instead of 200" in sentence, (kind, sentence)
        if deed == "cuts" and kind != "haproxy tcp":
            assert "hung up in the middle of its answer" in sentence, (kind, sentence)


def test_a_host_without_an_address_is_a_sentence() -> None:
    assert "has a name that nobody knows" in told(
        Balancer("envoy", "http://no-such-host.invalid:9901", "auth")
    )


def test_a_secret_that_is_not_set_is_named_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATS_PASSWORD", raising=False)
    sentence = told(Balancer("haproxy", "http://ana:${STATS_PASSWORD}@127.0.0.1:1/stats", "be_auth"))
    assert "needs STATS_PASSWORD in Lantern's environment" in sentence


def test_haproxy_is_told_nothing_but_three_questions() -> None:
    asked: list[bytes] = []

    def answers(talk: socket.socket) -> None:
        asked.append(talk.recv(4096))

    server = Hostile(answers)
    with suppress(NoReading):
        gather_kinds()["haproxy"].look(Balancer("haproxy", f"tcp:127.0.0.1:{server.port}", "be_auth"))
    server.close()
    assert asked == [b"show stat\n", b"show info\n", b"show servers state\n"]


def hurt(text: str, chance: random.Random) -> str:
    """A text with something torn out, doubled, cut off or put in."""
    put_in = (
        "\x00",
        '"',
        "{",
        "-",
        "9" * 5000,
        "²",
        "1e999",
        "null",
        "\n",
        ",",
        " : ",
        '{"a":' * 3000,
        "∞",
        "-0.5",
    )
    for _ in range(chance.choice((1, 2, 20))):
        at = chance.randrange(len(text) + 1)
        to = at + chance.choice((1, 10, 100, 5000))
        text = chance.choice(
            (
                text[:at] + text[to:],
                text[:at] + text[at:to] * 3 + text[to:],
                text[:at] + chance.choice(put_in) + text[at + 1 :],
                text[:at],
            )
        )
    return text


@pytest.mark.parametrize("kind", ["haproxy", "nginx", "envoy"])
def test_damaged_answers_end_in_a_verdict_or_a_sentence(kind: str) -> None:
    cases = [case for case in CASES if case.kind == kind]
    reader = gather_kinds()[kind]
    for seed in range(60):
        chance = random.Random(seed)
        before, after, balancer = chance.choice(cases).kept()
        first, second = (
            Sample(one.at, {key: hurt(text, chance) for key, text in one.texts.items()})
            for one in (before, after)
        )
        for text in second.texts.values():
            reader.sniff(text)
        try:
            pool = reader.picture(first, second, balancer)
        except NoReading as refusal:
            assert refusal.sentence[-1] in ".?;"
        else:
            assert judge(pool).sentence
            assert bars(pool)
            assert named(pool)


def test_hostile_balancers_hold_nobody_up(tmp_path: Path, ports: dict[str, int]) -> None:
    """One that trickles, one that floods, a log that is a pipe: each is told, while people go on logging."""
    os.mkfifo(tmp_path / "pipe.log")
    book = tmp_path / "catalogue.yaml"
    book.write_text(
        "services:\n  login:\n    words: [logins]\n    balancers:\n"
        f"      - {{kind: haproxy, address: 'tcp:127.0.0.1:{ports['trickles']}', backend: be_auth}}\n"
        f"      - {{kind: envoy, address: 'http://127.0.0.1:{ports['floods']}', backend: auth}}\n"
        f"      - {{kind: nginx, address: 'file:{tmp_path}/pipe.log', backend: auth}}\n"
    )
    with town(tmp_path, book) as here:
        here.ana.types("/incident open Logins fail sev1", "#general")
        until(lambda: here.has(1) and here.incident().channel_id is not None, 20, "no channel")
        channel = here.incident().channel_id
        assert channel is not None
        here.ana.types("/log all of this is written down", channel)
        until(lambda: len(verdicts(here, channel)) == 3, 60, "not every balancer was told")
        told_all = " ".join(verdicts(here, channel))
        for words in (
            "did not answer within 3 seconds",
            "sent more than 4 MB",
            "is no file but a folder, pipe or device",
        ):
            assert words in told_all
        here.settled(30)
        assert any(entry.text == "all of this is written down" for entry in here.entries())
