"""HAProxy: `show stat`, `show info` and `show servers state`, all answered at the socket's level `user`.

Fields are those of the management guide, chapter 9.1 (the CSV statistics format). Two samples are subtracted: counters
run since the last reload, which sets them to 0.
"""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.balancers.asking import ask_http, ask_socket, soon
from bot.balancers.in_flight import ENOUGH, stay
from bot.balancers.sample import NoReading, Sample, whole
from bot.domain.catalogue import Balancer
from bot.domain.pool import Front, Policy, Pool, Server, Standing, with_absent

KIND = "haproxy"
STAT, INFO, STATE = "show stat", "show info", "show servers state"
#: The only commands that are ever sent.
COMMANDS = (STAT, INFO, STATE)

#: Answers over which HAProxy averages times, and the fewest from which the window's own can be told.
_AVERAGED, _TIMED = 512, 30

_HASHES = ("source", "uri", "url_param", "hdr", "hash", "rdp-cookie")

_NO_CSV = "HAProxy's answer to `show stat` is not its CSV; is this the stats socket?"

Row = Mapping[str, str]


@dataclass(frozen=True)
class _Reading:
    rows: list[Row]
    info: Mapping[str, str]
    #: Server name -> its row of `show servers state`.
    states: Mapping[str, Row] = field(default_factory=dict)


def look(balancer: Balancer, before: Sample | None = None) -> Sample:
    """One look, at the stats socket, or at the statistics page as CSV (which tells less). Raises NoReading."""
    if balancer.address.startswith(("http://", "https://")):
        address = balancer.address.split(";")[0]
        return Sample(time.monotonic(), {STAT: ask_http(address, ";csv")})
    ends_at = soon()
    texts = {command: ask_socket(balancer.address, command, ends_at) for command in COMMANDS}
    return Sample(time.monotonic(), texts)


def sniff(text: str) -> str:
    """Which command's answer a text is; "" when it is none of HAProxy's."""
    start = text.lstrip()[:400]
    if "pxname,svname" in start:
        return STAT
    if start.startswith("Name: HAProxy"):
        return INFO
    return STATE if "be_id be_name srv_id" in start else ""


def picture(before: Sample, after: Sample, balancer: Balancer) -> Pool:
    """The pool between two samples. Raises NoReading when they do not hold that backend."""
    backend = balancer.backend
    old, new = _read(before, backend), _read(after, backend)
    servers = _servers(new.rows, backend)
    if not servers:
        raise NoReading(_no_such_backend(backend, new.rows))
    olds = {row["svname"]: row for row in _servers(old.rows, backend)}
    total, total_before = _row(new.rows, backend, "BACKEND"), _row(old.rows, backend, "BACKEND")
    if not total:
        # It comes last of its backend.
        raise NoReading("HAProxy's answer to `show stat` ends in the middle. Sample again.")
    is_restarted = _is_restarted(old, new, backend, after.at - before.at)
    window = after.at - before.at
    pairs: list[tuple[Row, Row]] = [
        (row, {} if is_restarted else olds.get(row["svname"], {})) for row in servers
    ]
    hang_up = _hang_up(pairs, window)
    built = [_server(row, former, new.states, window, hang_up=hang_up) for row, former in pairs]
    arrived = _grown(total, total_before, "stot")
    tries = sum(one.requests for one in built)
    placed = _grown(total, total_before, "lbtot")
    server_errors = sum(one.errors for one in built)
    algorithm = total.get("algo", "")
    wanted = dict(balancer.intended)
    return Pool(
        kind=KIND,
        backend=backend,
        servers=with_absent(built, wanted),
        window=after.at - before.at,
        fronts=_fronts(old, new, balancer.front),
        policy=_policy(algorithm),
        algorithm=algorithm,
        arrived=arrived,
        own_errors=max(0, _grown(total, total_before, "hrsp_5xx") - server_errors),
        queue=_number(total, "qcur") + sum(one.queue for one in built),
        queue_before=sum(_number(row, "qcur") for row in (total_before, *olds.values())),
        # With redispatch a request is placed twice, so lbtot may be above what arrived.
        bypass=max(0.0, 1 - placed / tries) if tries else None,
        is_restarted=is_restarted,
        tells_time_outs=False,
        intended=wanted,
    )


def backends(sample: Sample) -> list[str]:
    """The names of the backends that have servers."""
    rows = _rows(sample.texts.get(STAT, ""))
    return list(dict.fromkeys(row["pxname"] for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")))


def _read(sample: Sample, backend: str) -> _Reading:
    info = dict(line.split(": ", 1) for line in sample.texts.get(INFO, "").splitlines() if ": " in line)
    return _Reading(_rows(sample.texts.get(STAT, "")), info, _states(sample.texts.get(STATE, ""), backend))


def _rows(text: str) -> list[Row]:
    lines = [line for line in text.lstrip("# \r\n").splitlines() if line.strip()]
    if not lines or "pxname" not in lines[0]:
        raise NoReading(_NO_CSV)
    found: list[Row] = []
    try:
        for row in csv.DictReader(lines):
            # A row that is cut off lacks columns.
            if row.get("pxname") and row.get("svname") and None not in row.values():
                found.append({name: value or "" for name, value in row.items() if name})
    except csv.Error:
        raise NoReading(_NO_CSV) from None
    return found


def _states(text: str, backend: str) -> dict[str, Row]:
    lines = text.splitlines()
    head = next((line for line in lines if line.startswith("#")), "")
    names = head.lstrip("# ").split()
    found: dict[str, Row] = {}
    for line in lines:
        values = line.split()
        if line.startswith("#") or len(values) < len(names) or not names:
            continue
        row = dict(zip(names, values, strict=False))
        if row.get("be_name") == backend:
            found[row.get("srv_name", "")] = row
    return found


def _servers(rows: Sequence[Row], backend: str) -> list[Row]:
    # type 2 is a server; a listener (3) is the process's own.
    return [
        row
        for row in rows
        if row["pxname"] == backend
        and row["svname"] not in ("FRONTEND", "BACKEND")
        and row.get("type", "2") == "2"
    ]


def _row(rows: Sequence[Row], proxy: str, name: str) -> Row:
    return next((row for row in rows if row["pxname"] == proxy and row["svname"] == name), {})


def _no_such_backend(backend: str, rows: Sequence[Row]) -> str:
    known = list(dict.fromkeys(row["pxname"] for row in rows if row["svname"] == "BACKEND"))
    return f"HAProxy has no backend `{backend}` with servers. It has: {', '.join(known) or 'none'}."


def _number(row: Row, name: str) -> int:
    return whole(row.get(name, "")) or 0


def _maybe(row: Row, name: str) -> int | None:
    return whole(row.get(name, ""))


def _grown(new: Row, old: Row, name: str) -> int:
    return max(0, _number(new, name) - _number(old, name))


def _is_restarted(old: _Reading, new: _Reading, backend: str, window: float) -> bool:
    uptime = _maybe(new.info, "Uptime_sec")
    if uptime is not None and uptime + 1 < window:
        return True
    if old.info.get("Pid") and new.info.get("Pid") and old.info["Pid"] != new.info["Pid"]:
        return True
    before = {(row["pxname"], row["svname"]): row for row in old.rows}
    return any(
        _number(row, "stot") < _number(before.get((row["pxname"], row["svname"]), {}), "stot")
        for row in new.rows
    )


def _server(new: Row, old: Row, states: Mapping[str, Row], window: float, *, hang_up: bool) -> Server:
    state = states.get(new["svname"], {})
    standing = _standing(new)
    requests = _grown(new, old, "stot")
    unreached = _grown(new, old, "econ") + _grown(new, old, "wredis")
    unanswered = _grown(new, old, "eresp")
    return Server(
        name=new["svname"],
        address=new.get("addr", ""),
        requests=requests,
        standing=standing,
        weight=float(_number(new, "weight")) if new.get("weight") else None,
        file_weight=None if (by_file := _maybe(state, "srv_iweight")) is None else float(by_file),
        is_set_at_run_time=_is_set_at_run_time(standing, state),
        is_warming=bool(new.get("throttle")) and _number(new, "throttle") < 100,
        errors=_grown(new, old, "hrsp_5xx") + (unanswered if hang_up else 0),
        answers=sum(
            _grown(new, old, f"hrsp_{kind}") for kind in ("1xx", "2xx", "3xx", "4xx", "5xx", "other")
        ),
        unreached=unreached,
        unanswered=0 if hang_up else unanswered,
        queue=_number(new, "qcur"),
        busy=_number(new, "scur"),
        busy_limit=_maybe(new, "slim"),
        latency=_latency(new, old) if requests and new.get("rtime") else None,
        latency_most=_latency_most(new, old, requests, window),
        check=_check(new),
        has_check=new.get("status", "") != "no check",
    )


def _hang_up(pairs: Sequence[tuple[Row, Row]], window: float) -> bool:
    """Whether the servers hung up on those whose answer did not come, as far as that is certain.

    `eresp` counts them and those that ran into `timeout server` alike. No answer took longer than that time-out, so
    whoever was given up after less did not run into it; how long that took is told by how many are in flight.
    """
    failed = sum(_grown(new, old, "eresp") for new, old in pairs)
    answered = [
        (_grown(new, old, "stot") - _grown(new, old, "eresp"), _number(new, "rtime")) for new, old in pairs
    ]
    in_flight = sum(_number(new, "scur") + _number(old, "scur") for new, old in pairs) / 2
    longest = max((_number(new, "rtime_max") for new, _ in pairs), default=0)
    if failed < 20 or window <= 0 or not longest:
        return False
    of_answers = sum(max(0, count) * time / 1000 for count, time in answered) / window
    # Two looks at a number that is there by chance.
    chance = math.sqrt(max(in_flight, 1.0) / 2)
    return 1000 * (in_flight - of_answers + 2 * chance) * window / failed < longest


def _latency(new: Row, old: Row) -> float:
    """Milliseconds an answer took within the window, out of two of the averages that HAProxy keeps.

    `rtime` is the mean of all answers at first and then moves by 1/512 of each (TIME_STATS_SAMPLES): long after a
    correction it still speaks of the fault.
    """
    before, after = float(_number(old, "rtime")), float(_number(new, "rtime"))
    first, last = _number(old, "stot"), _number(new, "stot")
    if not first or last - first < _TIMED:
        return after
    if last <= _AVERAGED:
        within = (after * last - before * first) / (last - first)
    else:
        left = (1 - 1 / _AVERAGED) ** (last - first)
        within = (after - before * left) / (1 - left)
    return max(0.0, within)


def _standing(row: Row) -> Standing:
    # "UP 1/3" is up and failing checks, "DOWN 1/2" is down and passing some.
    word = row.get("status", "").split(" ")[0].upper()
    if word in ("MAINT", "DRAIN", "DOWN"):
        return Standing(word)
    if word == "NOLB":
        return Standing.DRAIN
    return Standing.BACKUP if row.get("bck") == "1" else Standing.UP


def _is_set_at_run_time(standing: Standing, state: Row) -> bool | None:
    bits = _maybe(state, "srv_admin_state")
    if standing not in (Standing.DRAIN, Standing.MAINT) or bits is None:
        return None
    # Bits of srv_admin_state: 1 forced maintenance, 2 inherited, 4 by the file, 8 forced drain, 16 inherited drain,
    # 32 by name resolution.
    return not bits & 4


def _latency_most(new: Row, old: Row, requests: int, window: float) -> float | None:
    """Milliseconds. HAProxy times answers alone: what it gives up on counts as 0, and is told by how many wait."""
    known = _maybe(new, "rtime_max")
    in_flight = _number(old, "scur"), _number(new, "scur")
    waited = stay(*in_flight, requests, window) if sum(in_flight) >= 2 * ENOUGH else None
    told = [float(time) for time in (known, waited) if time is not None]
    return max(told, default=None)


def _check(row: Row) -> str:
    status = row.get("check_status", "").lstrip("* ")
    if not status or status.endswith("OK") or status == "UNK":
        return ""
    code = row.get("check_code", "")
    return f"{status}/{code}" if code else status


def _policy(algorithm: str) -> Policy:
    word = algorithm.split("(")[0].strip()
    if word in _HASHES:
        return Policy.HASH
    if word == "leastconn":
        return Policy.LEAST_BUSY
    if word == "first":
        return Policy.FIRST
    return Policy.EVEN


def _fronts(old: _Reading, new: _Reading, front: str) -> tuple[Front, ...]:
    found = []
    info = new.info
    limit, now = _maybe(info, "Maxconn"), _maybe(info, "CurrConns")
    if limit is not None and now is not None:
        rate_limit = max(_number(info, "SessRateLimit"), _number(info, "ConnRateLimit"))
        found.append(
            Front(
                "the balancer",
                is_http=False,
                busy=now,
                busy_limit=limit,
                rate=float(_number(info, "SessRate")),
                rate_limit=float(rate_limit) or None,
            )
        )
    for row in new.rows:
        if row["svname"] != "FRONTEND" or row["pxname"] == "stats" or (front and row["pxname"] != front):
            continue
        before = _row(old.rows, row["pxname"], "FRONTEND")
        has_tls = bool(_number(row, "ssl_sess") or _number(row, "ssl_failed_handshake"))
        found.append(
            Front(
                f"the frontend {row['pxname']}",
                connections=_grown(row, before, "conn_tot"),
                requests=_grown(row, before, "req_tot"),
                is_http=row.get("mode", "http") == "http",
                failed_handshakes=_grown(row, before, "ssl_failed_handshake") if has_tls else None,
                busy=_number(row, "scur"),
                busy_limit=_maybe(row, "slim"),
                rate=float(_number(row, "rate")),
                rate_limit=float(_number(row, "rate_lim")) or None,
            )
        )
    return tuple(found)
