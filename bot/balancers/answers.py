"""Requests as the access logs of Traefik and Caddy tell them: one line, one server, one answer.

Both write the answer themselves when the server's does not come, and put the server's name to it all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.balancers.logs import log_path, place_of, read_on
from bot.balancers.sample import NoReading, Sample
from bot.balancers.tally import Served, Tally
from bot.domain.catalogue import Balancer
from bot.domain.pool import Server, noise

#: What a sample holds of a log: the log as somebody saved it; or where reading it ended, its tally, what is to be
#: known of the reading; or why it cannot be read.
LOG, PLACE, TALLY, NOTE, TROUBLE = "access log", "place", "tally", "note", "log trouble"
#: Servers of one log that are told apart.
_MOST_SERVERS = 1000
#: Answers without which a server has no time.
_FEW = 3
#: A split is told from so many lines that chance alone looks less than this far from fair.
_BLUR = 0.25


@dataclass(frozen=True, slots=True)
class Answer:
    """One request, answered."""

    #: host:port of the server that was asked; "" when none was.
    server: str
    status: int
    seconds: float
    #: Whether the balancer wrote the answer, since the server's did not come.
    is_own: bool
    client: str = ""
    path: str = ""


#: Lines -> how many are of this kind's log, and the answers of the pool that is looked at.
Read = Callable[[Sequence[str]], tuple[int, Sequence[Answer]]]


def log_texts(balancer: Balancer, before: Sample | None, read: Read) -> dict[str, str]:
    """What a look's sample holds of the log. A log that cannot be read is told in the sample: states still count."""
    if not balancer.log:
        return {}
    old = before.texts if before else {}
    try:
        stretch = read_on(log_path(balancer.log), place_of(old.get(PLACE, "")))
    except NoReading as trouble:
        return {TROUBLE: trouble.sentence}
    tally = Tally.of(old.get(TALLY, ""))
    _add(tally, stretch.lines, read)
    return {PLACE: stretch.place.as_text(), TALLY: tally.as_text(), NOTE: stretch.note}


def tally_between(before: Sample, after: Sample, read: Read) -> Tally | None:
    """What the log told between two looks; None without a log."""
    if LOG in after.texts:
        # Saved twice, the second holds the first.
        text = after.texts[LOG].removeprefix(before.texts.get(LOG, ""))
        tally = Tally()
        _add(tally, text.splitlines(), read)
        return tally
    if TALLY in after.texts:
        return Tally.of(after.texts[TALLY]).since(Tally.of(before.texts.get(TALLY, "")))
    return None


def _add(tally: Tally, lines: Sequence[str], read: Read) -> None:
    understood, answers = read(lines)
    tally.lines += len(lines)
    tally.understood += understood
    count(tally, answers)


def count(tally: Tally, answers: Sequence[Answer]) -> None:
    """Add answers to a tally."""
    for one in answers:
        tally.requests += 1
        if not one.server:
            tally.own[str(one.status)] += 1
        elif one.server in tally.servers or len(tally.servers) < _MOST_SERVERS:
            _serve(tally.server(one.server), one)
    tally.compare((one.client, one.path, one.server) for one in answers if one.server)


def _serve(server: Served, one: Answer) -> None:
    server.tries += 1
    if one.is_own and one.status >= 500 and one.status != 504:
        server.unreached += 1
        return
    server.took(one.seconds, is_error=one.status >= 500 and not one.is_own)
    if one.is_own:
        # 504: it did not answer in time.  499: whoever asked was tired of waiting.
        server.unanswered += one.status == 504
    else:
        server.answers += 1
        server.errors += one.status >= 500


class Told:
    """What a log tells of each server."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._apart = tally.apart
        self._unreached = _never_reached(tally)

    def server(self, name: str, address: str) -> Server:
        """The server at an address, as a pool has it; what else is known of it is put in afterwards."""
        served = self._tally.servers.get(address, Served())
        is_reached = address not in self._unreached
        # Errors take another time than answers: one server's must not be compared with another's.
        is_timed = served.times.total() >= _FEW or not served.error_times
        return Server(
            name=name,
            address=address,
            requests=served.tries,
            errors=served.errors + (served.unreached if is_reached else 0),
            answers=served.answers,
            unreached=0 if is_reached else served.unreached,
            unanswered=served.unanswered,
            latency=served.latency if is_timed else None,
            latency_least=served.least(self._apart) if is_timed else None,
            latency_most=served.slowest,
        )


def _never_reached(tally: Tally) -> set[str]:
    """The servers that nothing came of, and not by chance.

    A server that answers is reachable: what it breaks off are errors of its own. When servers break off much, one of
    them may have answered nothing in a few lines; that it did so by their measure must be less likely than 1 in 100.
    """
    reached = [one for one in tally.servers.values() if one.answers + one.unanswered]
    tries = sum(one.tries for one in reached)
    broken = sum(one.unreached for one in reached) / tries if tries else 0.0
    return {
        address
        for address, one in tally.servers.items()
        if one.unreached and one not in reached and broken**one.unreached < 0.01
    }


def written_by_balancer(tally: Tally, servers: Iterable[Server]) -> int:
    """5xx that the balancer wrote itself."""
    own = sum(many for status, many in tally.own.items() if status.startswith("5"))
    return own + sum(server.unanswered + server.unreached for server in servers)


def is_blurred(servers: int, lines: int) -> bool:
    """Whether so few lines were read that chance alone would look like a fault."""
    return noise(max(2, servers), lines) >= _BLUR


def too_few(lines: int) -> str:
    """Why so few lines are no split."""
    return f"only {lines} lines of the access log are about it; sample again"
