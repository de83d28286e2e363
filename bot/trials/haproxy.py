"""Trying an haproxy.cfg: the backend as it is, its servers replaced by stubs, read as a running one is."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.balancers import haproxy
from bot.balancers.sample import Sample
from bot.domain.catalogue import Balancer
from bot.domain.pool import Pool
from bot.domain.refusals import Refusal
from bot.trials.stubs import REQUESTS, Stub, comes_up, free_port, knock, stubs

_SECTIONS = frozenset(
    {
        "global",
        "defaults",
        "frontend",
        "backend",
        "listen",
        "peers",
        "resolvers",
        "mailers",
        "userlist",
        "cache",
    }
    | {"program", "http-errors", "ring", "log-forward", "crt-store", "traces", "fcgi-app"}
)
#: Sections that a trial does without: they name files, sockets and machines of production.
_LEFT_OUT = frozenset(
    {"peers", "resolvers", "mailers", "program", "ring", "log-forward", "crt-store", "traces", "frontend"}
)
#: Words behind a server's address that say how it is chosen, with how many words follow each. The rest concerns its
#: connection (TLS, checks, names), and stubs have none of that.
_KEPT = {"weight": 1, "backup": 0, "disabled": 0, "maxconn": 1, "cookie": 1, "id": 1, "slowstart": 1}
#: Lines of `global` that stay.
_GLOBAL_KEPT = frozenset({"maxconn", "tune.bufsize", "tune.maxrewrite"})
#: Lines of a backend that ask servers how they are, or name files of production.
_DROPPED = (
    "option httpchk",
    "option tcp-check",
    "option ssl-hello-chk",
    "option mysql-check",
    "option redis-check",
)
_DROPPED_WORDS = frozenset(
    {"http-check", "tcp-check", "external-check", "errorfile", "errorfiles", "email-alert", "log", "source"}
)


@dataclass(frozen=True)
class _Server:
    name: str
    address: str
    #: Words that stay.
    words: tuple[str, ...]


def try_haproxy(
    text: str, backend: str, *, program: str, path: str = "/", intended: Mapping[str, float] | None = None
) -> tuple[Pool, Mapping[str, str]]:
    """The pool after a trial, and each server's address in the file. Raises Refusal for what cannot be tried."""
    sections = _sections(text)
    servers = _servers(sections, backend)
    with (
        tempfile.TemporaryDirectory(prefix="lantern-try-") as folder,
        tempfile.TemporaryFile("w+", encoding="utf-8") as complaint,
        stubs(len(servers)) as made,
    ):
        port, talk = free_port(), Path(folder) / "stats.sock"
        config = Path(folder) / "haproxy.cfg"
        config.write_text(_rewritten(sections, backend, servers, made, port, talk), encoding="utf-8")
        process = subprocess.Popen(  # noqa: S603 (the balancer that the person named)
            [program, "-db", "-f", str(config)], stdout=subprocess.DEVNULL, stderr=complaint
        )
        try:
            if not comes_up(lambda: process.poll() is not None, port, talk):
                raise Refusal(_did_not_start(complaint, config))
            balancer = Balancer("haproxy", f"unix:{talk}", backend, intended=dict(intended or {}))
            before = haproxy.look(balancer)
            heard = knock(port, path)
            after = _settled(balancer, before)
            pool = haproxy.picture(before, after, balancer)
        finally:
            process.kill()
            process.wait(10)
    if heard.get(0, 0) > REQUESTS // 2:
        raise Refusal(
            "More than half of the trial's requests got no answer: is the backend in `mode tcp`? Try HTTP."
        )
    return pool, {server.name: server.address for server in servers}


def _settled(balancer: Balancer, before: Sample) -> Sample:
    """A look once the last request is counted."""
    for _ in range(50):
        after = haproxy.look(balancer)
        if (haproxy.picture(before, after, balancer).arrived or 0) >= REQUESTS:
            return after
        time.sleep(0.02)
    return haproxy.look(balancer)


def _sections(text: str) -> list[tuple[list[str], list[str]]]:
    """(head words, lines) of every section."""
    found: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        words = _words(line)
        if not words:
            continue
        if words[0] in _SECTIONS:
            found.append((words, []))
        elif found:
            found[-1][1].append(line.strip())
    return found


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()


def _servers(sections: Sequence[tuple[list[str], list[str]]], backend: str) -> list[_Server]:
    named = {head[1]: lines for head, lines in sections if head[0] in ("backend", "listen") and len(head) > 1}
    if backend not in named:
        known = ", ".join(named) or "none"
        raise Refusal(f"The file has no backend `{backend}`. It has: {known}. For example: --backend be_auth")
    found = []
    for line in named[backend]:
        words = _words(line)
        if words[:1] == ["server"] and len(words) >= 3:
            found.append(_Server(words[1], words[2], _kept_words(words[3:])))
    if not found:
        raise Refusal(f"The backend `{backend}` has no `server` lines (templates cannot be tried).")
    return found


def _kept_words(words: Sequence[str]) -> tuple[str, ...]:
    kept: list[str] = []
    at = 0
    while at < len(words):
        follows = _KEPT.get(words[at])
        if follows is not None:
            kept += words[at : at + 1 + follows]
            at += follows
        at += 1
    return tuple(kept)


def _rewritten(
    sections: Sequence[tuple[list[str], list[str]]],
    backend: str,
    servers: Sequence[_Server],
    made: Sequence[Stub],
    port: int,
    talk: Path,
) -> str:
    ports = {server.name: stub.port for server, stub in zip(servers, made, strict=True)}
    # Level operator shows the algorithm, which level user does not.
    lines = ["global", f"    stats socket {talk} mode 600 level operator"]
    for head, body in sections:
        if head[0] == "global":
            lines += [f"    {line}" for line in body if _words(line)[0] in _GLOBAL_KEPT]
            continue
        is_wanted = head[0] in ("backend", "listen") and head[1:2] == [backend]
        if head[0] in _LEFT_OUT or (head[0] in ("backend", "listen") and not is_wanted):
            continue
        lines.append(f"backend {backend}" if is_wanted else " ".join(head))
        for line in body:
            words = _words(line)
            if words[0] in ("bind", "default_backend", "use_backend") or _is_dropped(line, words):
                continue
            if is_wanted and words[0] == "server" and len(words) >= 3:
                one = next(server for server in servers if server.name == words[1])
                lines.append(
                    f"    server {one.name} 127.0.0.1:{ports[one.name]} {' '.join(one.words)}".rstrip()
                )
            elif words[0] not in ("server", "default-server"):
                lines.append(f"    {line}")
            elif words[0] == "default-server" and (kept := _kept_words(words[1:])):
                lines.append(f"    default-server {' '.join(kept)}")
    lines += [
        "frontend lantern_try",
        f"    bind 127.0.0.1:{port}",
        "    mode http",
        f"    default_backend {backend}",
    ]
    # A file may leave out time-outs; HAProxy then warns, and a trial must not hang.
    lines += ["    timeout client 5s"]
    return "\n".join(lines) + "\n"


def _is_dropped(line: str, words: Sequence[str]) -> bool:
    return words[0] in _DROPPED_WORDS or line.startswith(_DROPPED) or words[:2] == ["filter", "spoe"]


def _did_not_start(complaint: IO[str], config: Path) -> str:
    complaint.seek(0)
    said = complaint.read().replace(str(config), "the file")
    lines = [line for line in said.splitlines() if "ALERT" in line] or said.splitlines()
    why = lines[0].split(":", 1)[-1].strip()[:300] if lines else "it said nothing"
    return f"HAProxy does not start with this file: {why}. `haproxy -c -f haproxy.cfg` says more."
