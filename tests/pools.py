"""Pools as tests want them: four equal servers unless said otherwise."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.domain.pool import Pool, Server


def pool(requests: Sequence[int] = (400, 400, 400, 400), /, **changes: Any) -> Pool:
    """A pool whose servers got these requests and answered all of them within 30 ms."""
    servers = tuple(
        Server(
            f"auth{at}",
            got,
            weight=100.0,
            file_weight=100.0,
            answers=got,
            latency=30.0,
            busy=1,
            busy_limit=200,
        )
        for at, got in enumerate(requests, 1)
    )
    made: dict[str, Any] = {
        "kind": "haproxy",
        "backend": "be_auth",
        "servers": servers,
        "window": 20.0,
        "arrived": sum(requests),
        "own_errors": 0,
        "algorithm": "roundrobin",
        **changes,
    }
    return Pool(**made)


def having(one: Pool, name: str, **changes: Any) -> Pool:
    """The pool with something else about one server."""
    servers = tuple(replace(server, **changes) if server.name == name else server for server in one.servers)
    return replace(one, servers=servers)


def by_chance(servers: int, requests: int, chance: random.Random, weights: Sequence[float] = ()) -> list[int]:
    """How many requests each server gets when each is given to one at random, as often as its weight says."""
    got = [0] * servers
    for at in chance.choices(range(servers), weights or None, k=requests):
        got[at] += 1
    return got
