"""nginx: its access log, and stub_status where it is switched on.

Open-source nginx counts nothing a server (the API that does is in the commercial subscription), so the log is the
source: it must say `$upstream_addr`. A log shows only who got something; who should get something is the catalogue's
to say (`addresses`, `intended`). Weights, `down` and `backup` are in no log, and `nginx -T` shows the file on disk, not
what runs. stub_status has totals of the whole nginx: connections that never become requests are failing handshakes.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.balancers.asking import ask_http, shown, soon
from bot.balancers.logs import log_path, place_of, read_on
from bot.balancers.nginx_log import EXAMPLE, Line, Try, requests
from bot.balancers.sample import NoReading, Sample
from bot.balancers.tally import Served, Tally
from bot.domain.catalogue import Balancer
from bot.domain.pool import Front, Policy, Pool, Server, Standing, with_absent

KIND = "nginx"
#: What a sample holds: a log as somebody saved it; or where reading ended, the tally, and what is to be known of it.
LOG, PLACE, TALLY, NOTE = "access log", "place", "tally", "note"
STATUS = "stub_status"

#: Servers of one log that are told apart.
_MOST_SERVERS = 1000
#: Seconds. A 502 that comes sooner is a refused connection, where the log does not say.
_AT_ONCE = 0.002
_TOTALS = re.compile(
    r"Active connections:\s*(\d{1,18})\s+server accepts handled requests\s+(\d{1,18})\s+(\d{1,18})\s+(\d{1,18})"
)


def look(balancer: Balancer, before: Sample | None = None) -> Sample:
    """One look: what the log says since the look before, counted, and stub_status. Raises NoReading."""
    is_http = balancer.address.startswith(("http://", "https://"))
    if is_http and not balancer.log:
        raise NoReading(
            "nginx's stub_status has totals only; which server got what is in its access log. Name that too: "
            "log: file:/var/log/nginx/access.log"
        )
    ends_at = soon()
    old = before.texts if before else {}
    stretch = read_on(log_path(balancer.log or balancer.address), place_of(old.get(PLACE, "")))
    tally = Tally.of(old.get(TALLY, ""))
    _count(tally, stretch.lines, balancer)
    texts: dict[str, str] = {}
    notes = [stretch.note] if stretch.note else []
    if is_http:
        try:
            texts[STATUS] = ask_http(balancer.address, ends_at=ends_at)
            if not _TOTALS.match(texts[STATUS].lstrip()):
                notes.append(f"What answers at {shown(balancer.address)} is not stub_status.")
        except NoReading as trouble:
            # The log may still say enough.
            notes.append(trouble.sentence)
    return Sample(
        time.monotonic(),
        {**texts, PLACE: stretch.place.as_text(), TALLY: tally.as_text(), NOTE: " ".join(notes)},
    )


def sniff(text: str) -> str:
    """What a text is: stub_status, or a log that says `$upstream_addr`; "" when it is none of nginx's."""
    if _TOTALS.match(text.lstrip()):
        return STATUS
    lines = [line for line in text[:65536].splitlines() if line.strip()][:50]
    of_others = ('"ServiceAddr"', '"RouterName"', '"http.log.access', '"DownstreamStatus"', "::")
    if not lines or any(word in lines[0] for word in of_others):
        return ""
    return LOG if any(one.tries for one in requests(lines, "")) else ""


def picture(before: Sample, after: Sample, balancer: Balancer) -> Pool:
    """The pool between two samples. Raises NoReading when the log does not say which server was asked."""
    if STATUS not in after.texts and LOG not in after.texts and TALLY not in after.texts:
        raise NoReading("There is neither an access log of nginx nor its stub_status to read.")
    tally = _tally(after, balancer).since(_tally(before, balancer) if TALLY in after.texts else Tally())
    if tally.lines >= 20 and not tally.understood:
        raise NoReading(f"nginx's log does not say which server was asked. Add it to nginx.conf: {EXAMPLE}")
    wanted = dict(balancer.intended) or dict.fromkeys(balancer.addresses, 1.0)
    apart = tally.apart
    built = [_server(balancer, address, one, apart) for address, one in sorted(tally.servers.items())]
    built.sort(key=lambda server: list(wanted).index(server.name) if server.name in wanted else len(wanted))
    policy = _policy(tally, built)
    # Few keys of a hash leave servers without any request.
    seen = 0 if policy is Policy.HASH else sum(server.requests for server in built)
    servers = _with_put_out(with_absent(built, wanted, seen=seen), wanted)
    is_limit = _is_limit(tally)
    refused = sum(many for status, many in tally.own.items() if status != "429")
    return Pool(
        kind=KIND,
        backend=balancer.backend,
        servers=servers,
        window=max(0.0, after.at - before.at),
        fronts=_fronts(before, after, tally),
        policy=policy,
        algorithm="hash" if policy is Policy.HASH else "least_conn" if policy is Policy.LEAST_BUSY else "",
        arrived=tally.requests,
        own_errors=tally.failed + refused + (0 if is_limit else tally.unserved),
        own_errors_why=_why(tally),
        overflowed=tally.unserved if is_limit else 0,
        unserved=0 if is_limit else tally.unserved,
        is_pinned=tally.is_pinned(),
        keys=tally.keys,
        note=_note(after, servers, wanted),
        intended=wanted,
    )


def _tally(sample: Sample, balancer: Balancer) -> Tally:
    if LOG not in sample.texts:
        return Tally.of(sample.texts.get(TALLY, ""))
    tally = Tally()
    _count(tally, sample.texts[LOG].splitlines(), balancer)
    return tally


def _count(tally: Tally, lines: Sequence[str], balancer: Balancer) -> None:
    """Add the requests of the balancer's pool to a tally."""
    read = list(requests(lines, balancer.backend))
    tally.lines += len(lines)
    tally.understood += len(read)
    ours = _ours(read, balancer)
    for line in ours:
        _add(tally, line)
    tally.compare(
        (line.client, line.path, line.tries[-1].address)
        for line in ours
        if line.tries and line.tries[-1].is_server
    )


def _ours(read: Sequence[Line], balancer: Balancer) -> list[Line]:
    """The requests of this pool: by the upstream's name, else by host or path, else by who was asked.

    What is certain by that shows which paths are the pool's. A server that nobody named, and what nginx answered by
    itself, belong to it when they answer the same paths.
    """
    has_groups = any(_is_called(line.group, balancer.backend) for line in read)
    certain = [_is_certain(line, balancer, has_groups=has_groups) for line in read]
    if balancer.front and not has_groups:
        return [line for line, is_certain in zip(read, certain, strict=True) if is_certain]
    paths = {line.path for line, is_certain in zip(read, certain, strict=True) if is_certain and line.path}
    is_shared = any(line.tries and not is_certain for line, is_certain in zip(read, certain, strict=True))

    def is_likely(line: Line) -> bool:
        if has_groups and (line.tries or line.group.strip("-")):
            return False
        if line.tries and not any(one.is_server for one in line.tries):
            return False
        return line.path in paths if paths else not is_shared

    return [line for line, is_certain in zip(read, certain, strict=True) if is_certain or is_likely(line)]


def _is_certain(line: Line, balancer: Balancer, *, has_groups: bool) -> bool:
    if has_groups:
        return _is_called(line.group, balancer.backend)
    if balancer.front:
        return line.host == balancer.front or (
            balancer.front[0] == "/" and line.path.startswith(balancer.front)
        )
    if not balancer.addresses:
        return bool(line.tries)
    known = (one.address for one in line.tries)
    return any(address == balancer.backend or balancer.name_of(address) != address for address in known)


def _is_called(group: str, backend: str) -> bool:
    # $proxy_host; some write it as it stands behind proxy_pass.
    return bool(backend) and group.rpartition("://")[2] == backend


def _add(tally: Tally, line: Line) -> None:
    if not line.tries:
        if line.status is not None and (line.status >= 500 or line.status == 429):
            tally.requests += 1
            tally.own[str(line.status)] += 1
        return
    tally.requests += 1
    for one in line.tries:
        if one.is_server and (one.address in tally.servers or len(tally.servers) < _MOST_SERVERS):
            _serve(tally.server(one.address), one)
    last = line.tries[-1]
    if (line.status or last.status or 0) >= 500:
        if not last.is_server:
            tally.unserved += 1
        elif _is_unreached(last) or _is_unanswered(last):
            tally.failed += 1


def _serve(server: Served, one: Try) -> None:
    server.tries += 1
    if _is_unreached(one):
        server.unreached += 1
        return
    if one.status is None:
        # Whoever asked was tired of waiting.
        server.took(one.seconds)
    elif _is_unanswered(one):
        server.unanswered += 1
        server.took(one.seconds)
    else:
        server.answers += 1
        server.errors += one.status >= 500
        server.broken += one.status == 502 and not one.has_header
        # A long body, or one that never ends, is no slow answer.
        time = one.first if one.first is not None else one.seconds if one.status != 101 else None
        server.took(time, is_error=one.status >= 500)


def _is_unreached(one: Try) -> bool:
    if one.status not in (502, 504) or one.has_header:
        return False
    if one.is_connected is None:
        return one.status == 502 and one.seconds is not None and one.seconds < _AT_ONCE
    return not one.is_connected


def _is_unanswered(one: Try) -> bool:
    return one.status == 504 and not one.has_header and not _is_unreached(one)


def _server(balancer: Balancer, address: str, served: Served, apart: float) -> Server:
    return Server(
        name=balancer.name_of(address),
        address=address,
        requests=served.tries,
        errors=served.errors,
        answers=served.answers,
        unreached=served.unreached,
        unanswered=served.unanswered,
        latency=served.latency,
        latency_least=served.least(apart),
        latency_most=served.slowest,
    )


def _with_put_out(servers: Sequence[Server], wanted: Mapping[str, float]) -> tuple[Server, ...]:
    """The servers; those that fail and are hardly asked any more are out: nginx asks them once in `fail_timeout`."""
    seen, whole = sum(one.requests for one in servers), sum(wanted.values())

    def is_out(one: Server) -> bool:
        meant = wanted.get(one.name, 0.0) / whole if whole else 1 / len(servers)
        return 0 < one.requests <= 2 * (one.unreached + one.unanswered) and one.requests < 0.5 * meant * seen

    return tuple(replace(one, standing=Standing.EJECTED) if is_out(one) else one for one in servers)


def _is_limit(tally: Tally) -> bool:
    """Whether requests found no server because all were busy (max_conns), and not because they failed.

    nginx writes the same for both. A server is taken for failed after a try that failed, and is not asked for ten
    seconds; where servers answer all the while and none fails, it is the limit.
    """
    servers = tally.servers.values()
    failed = sum(one.unreached + one.unanswered + one.broken for one in servers)
    answered = sum(one.answers - one.errors for one in servers)
    return 0 < tally.unserved <= 10 * answered and answered >= 20 and failed < len(tally.servers)


def _policy(tally: Tally, servers: Sequence[Server]) -> Policy:
    """How nginx chooses, as far as the log shows it."""
    if tally.is_pinned():
        return Policy.HASH
    timed = [one for one in servers if one.latency is not None and one.requests >= 5]
    whole = sum(one.requests for one in timed)
    more = [one for one in timed if one.requests * len(timed) > 1.1 * whole]
    less = [one for one in timed if one.requests * len(timed) < 0.9 * whole]
    if not more or not less or any(one.unreached or one.unanswered for one in less):
        return Policy.EVEN
    # Least connections gives less to whoever is slower, and then at least this much slower.
    slower, faster = (statistics.median(one.latency or 0.0 for one in those) for those in (less, more))
    return Policy.LEAST_BUSY if slower >= 1.5 * faster else Policy.EVEN


def _why(tally: Tally) -> str:
    if not tally.own or sum(tally.own.values()) < tally.failed + tally.unserved:
        return ""
    status = tally.own.most_common(1)[0][0]
    if status == "503":
        return "without asking a server, as limit_req, limit_conn and `return 503` do"
    if status == "500":
        return (
            "without asking a server; its error log says why (worker_connections, or redirects in a circle)"
        )
    return f"{status} without asking a server; its error log says why"


def _fronts(before: Sample, after: Sample, tally: Tally) -> tuple[Front, ...]:
    old, new = (_TOTALS.search(sample.texts.get(STATUS, "")) for sample in (before, after))
    grown = [int(new[at]) - int(old[at]) for at in (2, 3, 4)] if old and new else [0, 0, 0]
    if min(grown) < 0:
        # nginx was started anew in between; the log knows nothing of it and goes on.
        grown = [0, 0, 0]
    accepted, handled, asked = grown
    limited = tally.own["429"]
    if not accepted and not limited:
        return ()
    return (
        Front(
            "the balancer", connections=accepted, requests=asked, dropped=accepted - handled, limited=limited
        ),
    )


def _note(after: Sample, servers: Sequence[Server], wanted: Mapping[str, float]) -> str:
    said = after.texts.get(NOTE, "")
    if sum(1 for server in servers if server.requests) != 1:
        return said
    if wanted:
        said += " A hash of what is always the same sends everything to one server too."
    else:
        said += (
            " A log shows only who got something: name the servers in the catalogue to see who gets nothing, for "
            "example addresses: {auth1: 10.0.0.1:8080, auth2: 10.0.0.2:8080}."
        )
    return said.strip()
