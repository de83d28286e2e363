"""Trying an nginx upstream: its block as it is, its servers replaced by stubs, in a configuration of its own."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.domain.pool import Policy, Pool, Server, Standing, with_absent
from bot.domain.refusals import Refusal
from bot.trials.stubs import comes_up, free_port, knock, stubs

#: Words behind a server's address that say how it is chosen.
_KEPT = ("weight=", "backup", "down", "max_conns=", "max_fails=", "fail_timeout=")
_POLICIES = {
    "ip_hash": Policy.HASH,
    "hash": Policy.HASH,
    "least_conn": Policy.LEAST_BUSY,
    "random": Policy.EVEN,
}


@dataclass(frozen=True)
class _Directive:
    words: tuple[str, ...]
    block: tuple[_Directive, ...] | None = None


def try_nginx(
    text: str, upstream: str, *, program: str, path: str = "/", intended: Mapping[str, float] | None = None
) -> tuple[Pool, Mapping[str, str]]:
    """The pool after a trial, and each server's address in the file. Raises Refusal for what cannot be tried."""
    found = _upstreams(_parsed(text))
    if upstream not in found:
        known = ", ".join(found) or "none"
        raise Refusal(f"The file has no upstream `{upstream}`. It has: {known}. For example: --backend auth")
    lines = found[upstream]
    servers = [line.words for line in lines if line.words[0] == "server" and len(line.words) > 1]
    if not servers:
        raise Refusal(f"The upstream `{upstream}` has no `server` lines.")
    with (
        tempfile.TemporaryDirectory(prefix="lantern-try-") as folder,
        tempfile.TemporaryFile("w+", encoding="utf-8") as complaint,
        stubs(len(servers)) as made,
    ):
        port, config = free_port(), Path(folder) / "nginx.conf"
        block = _block(upstream, lines, [stub.port for stub in made])
        config.write_text(_configuration(Path(folder), upstream, block, port), encoding="utf-8")
        process = subprocess.Popen(  # noqa: S603 (the balancer that the person named)
            [program, "-p", folder, "-c", str(config), "-e", "stderr", "-g", "daemon off;"],
            stdout=subprocess.DEVNULL,
            stderr=complaint,
        )
        try:
            if not comes_up(lambda: process.poll() is not None, port):
                raise Refusal(_did_not_start(complaint, config))
            heard = knock(port, path)
        finally:
            process.terminate()
            process.wait(10)
        served = [stub.served for stub in made]
    policy, algorithm = _policy(lines)
    built = [_server(words, got) for words, got in zip(servers, served, strict=True)]
    pool = Pool(
        kind="nginx",
        backend=upstream,
        servers=with_absent(built, dict(intended or {})),
        window=1.0,
        policy=policy,
        algorithm=algorithm,
        arrived=sum(heard.values()),
        own_errors=sum(count for status, count in heard.items() if status >= 500),
        intended=dict(intended or {}),
    )
    return pool, {words[1]: words[1] for words in servers}


def _server(words: Sequence[str], got: int) -> Server:
    weight = next((word.removeprefix("weight=") for word in words if word.startswith("weight=")), "1")
    standing = Standing.MAINT if "down" in words else Standing.BACKUP if "backup" in words else Standing.UP
    value = float(weight) if weight.isdigit() else 1.0
    by_file = False if standing is Standing.MAINT else None
    return Server(
        words[1], got, standing, weight=value, file_weight=value, answers=got, is_set_at_run_time=by_file
    )


def _policy(lines: Sequence[_Directive]) -> tuple[Policy, str]:
    for line in lines:
        if line.words[0] in _POLICIES:
            return _POLICIES[line.words[0]], " ".join(line.words)
    return Policy.EVEN, "round robin"


def _block(name: str, lines: Sequence[_Directive], ports: Sequence[int]) -> str:
    free = iter(ports)
    kept = []
    for line in lines:
        if line.words[0] == "server":
            words = [word for word in line.words[2:] if word.startswith(_KEPT)]
            kept.append(f"server 127.0.0.1:{next(free)} {' '.join(words)};")
        elif line.words[0] in ("ip_hash", "hash", "least_conn", "random"):
            kept.append(f"{' '.join(map(_quoted, line.words))};")
        elif line.words[0] == "zone":
            kept.append("zone lantern_try 64k;")
    return f"upstream {name} {{ {' '.join(kept)} }}"


def _quoted(word: str) -> str:
    return f'"{word}"' if any(letter in word for letter in " ;{}'") else word


def _configuration(folder: Path, upstream: str, block: str, port: int) -> str:
    temporary = "\n".join(
        f"  {kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""\
pid {folder}/nginx.pid;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
{temporary}
  access_log off;
  {block}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://{upstream}; proxy_connect_timeout 2s; proxy_read_timeout 2s; }}
  }}
}}
"""


def _did_not_start(complaint: IO[str], config: Path) -> str:
    complaint.seek(0)
    said = complaint.read().replace(str(config), "the file")
    lines = [line for line in said.splitlines() if "emerg" in line] or said.splitlines()
    why = lines[0].split("] ", 1)[-1].strip()[:300] if lines else "it said nothing"
    return f"nginx does not start with this upstream: {why}. `nginx -t -c nginx.conf` says more."


def _upstreams(directives: Sequence[_Directive]) -> dict[str, tuple[_Directive, ...]]:
    found: dict[str, tuple[_Directive, ...]] = {}
    for one in directives:
        if one.words[:1] == ("upstream",) and len(one.words) == 2 and one.block is not None:
            found[one.words[1]] = one.block
        elif one.block is not None:
            found |= _upstreams(one.block)
    return found


def _parsed(text: str) -> tuple[_Directive, ...]:
    """The directives of a configuration, as nginx reads them; includes are not followed (`nginx -T` shows all)."""
    found, rest = _read(_tokens(text), 0)
    return found if rest else ()


def _read(tokens: Sequence[str], at: int) -> tuple[tuple[_Directive, ...], int]:
    found: list[_Directive] = []
    words: list[str] = []
    while at < len(tokens):
        piece = tokens[at]
        at += 1
        if piece == "}":
            return tuple(found), at
        if piece not in (";", "{"):
            words.append(piece)
            continue
        block = None
        if piece == "{":
            block, at = _read(tokens, at)
        if words:
            found.append(_Directive(tuple(words), block))
        words = []
    return tuple(found), at


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    word, quote, at = "", "", 0
    while at < len(text):
        letter = text[at]
        at += 1
        if quote:
            if letter == quote:
                tokens.append(word)
                word, quote = "", ""
            else:
                word += letter
        elif letter in "\"'" and not word:
            quote = letter
        elif letter in " \t\r\n;{}#":
            # ${name} belongs to its word.
            if letter == "{" and word.endswith("$"):
                end = text.find("}", at)
                end = len(text) if end < 0 else end + 1
                word, at = word + text[at - 1 : end], end
                continue
            if word:
                tokens.append(word)
                word = ""
            if letter in ";{}":
                tokens.append(letter)
            elif letter == "#":
                end = text.find("\n", at)
                at = len(text) if end < 0 else end
        else:
            word += letter
    return [*tokens, word] if word else tokens
