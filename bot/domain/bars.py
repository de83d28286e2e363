"""The picture of a pool in letters: for terminals, for alt texts, and where an image cannot go."""

from __future__ import annotations

from bot.domain.figures import is_hot
from bot.domain.findings import percent
from bot.domain.pool import Pool, Server, Standing

#: Characters of the longest bar: with names, figures and state a line is at most 64 wide, which fits a phone.
WIDTH = 24
_FULL, _EMPTY, _TICK = "█", "·", "|"


def bars(pool: Pool, most: int = 16) -> str:
    """One line a server: its share as a bar, its fair share as a tick, and what matters of its state."""
    shown = ranked(pool)[:most]
    longest = min(14, max([len(server.name) for server in shown], default=0))
    scale = scale_of(pool)
    lines = [f"{'':{longest}}  {'traffic share (| = fair)':{WIDTH}}  got fair  5xx"]
    for server in shown:
        name = server.name if len(server.name) <= longest else f"{server.name[: longest - 1]}…"
        failed = server.errors / server.requests if server.requests else 0.0
        figures = " ".join(map(_short, (pool.share(server), pool.fair_share(server), failed)))
        lines.append(f"{name:{longest}}  {_bar(pool, server, scale)} {figures}  {state(server)}".rstrip())
    left = len(pool.servers) - len(shown)
    if left > 0:
        lines.append(f"... and {left} more")
    return "\n".join(lines)


def scale_of(pool: Pool) -> float:
    """The share that the longest bar stands for: twice the fair one at least, so that an even pool looks calm."""
    shown = ranked(pool)
    return max([pool.share(s) for s in shown] + [min(1.0, 2 * pool.fair_share(s)) for s in shown] + [0.01])


def ranked(pool: Pool) -> list[Server]:
    """The servers in their own order; of a large pool, those furthest from fair first."""
    if len(pool.servers) <= 16:
        return list(pool.servers)
    return sorted(pool.servers, key=lambda s: -abs(pool.share(s) - pool.fair_share(s)))


def _bar(pool: Pool, server: Server, scale: float) -> str:
    filled = round(pool.share(server) / scale * WIDTH)
    tick = min(WIDTH - 1, round(pool.fair_share(server) / scale * (WIDTH - 1)))
    letters = [_FULL if at < filled else _EMPTY for at in range(WIDTH)]
    letters[tick] = _TICK
    return "".join(letters)


def _short(part: float) -> str:
    return f"{part * 100:3.0f}%"


def state(server: Server) -> str:
    """ "UP w200", "DOWN L7STS/404", "UP q12"."""
    words = [str(server.standing)]
    if server.weight is not None and server.standing is Standing.UP:
        words.append(f"w{server.weight:g}")
    if server.check:
        words.append(server.check)
    if server.queue:
        words.append(f"q{server.queue}")
    return " ".join(words)


def described(pool: Pool) -> str:
    """The picture in words, for people who cannot see it: "auth1 87 % (hot), auth2 4 % ...; fair is 25 %"."""
    shown = ranked(pool)[:16]
    parts = [f"{s.name} {percent(pool.share(s))}{' (hot)' if is_hot(pool, s) else ''}" for s in shown]
    fair = {round(pool.fair_share(server), 3) for server in shown}
    tail = f"; fair would be {percent(fair.pop())} each" if len(fair) == 1 else ""
    return f"Traffic share by server: {', '.join(parts)}{tail}."
