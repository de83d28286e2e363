"""Reading nginx's log: whichever format, whoever was asked, and what nobody was asked for."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from bot.balancers import nginx
from bot.balancers.nginx_log import Line, requests
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.findings import Cause, Culprit
from bot.domain.pool import Policy, Pool, Standing
from bot.domain.verdict import judge
from tests.conftest import missing
from tests.houses import until
from tests.lab import NGINX, Lab
from tests.proxies import Nginx

COMBINED = (
    '10.9.9.9 - ana [22/Nov/2026:20:47:12 +0000] "POST /login?a=1 HTTP/1.1" 200 11 "-" "Mozilla/5.0 (X11)"'
)
#: Ways to write that 10.0.0.2 refused and 10.0.0.1 answered.
FORMATS = {
    "json": '{"status":200,"request":"POST /login?a=1 HTTP/1.1","remote_addr":"10.9.9.9",'
    '"upstream_addr":"10.0.0.2:80, 10.0.0.1:80","upstream_status":"502, 200","upstream_response_time":"0.001, 0.033"}',
    "json with short keys": '{"st":"200","uri":"/login","client":"10.9.9.9","upstream":"10.0.0.2:80, 10.0.0.1:80",'
    '"ust":"502, 200","urt":"0.001, 0.033"}',
    "json within json": '{"http":{"status":200,"path":"/login"},"client":{"ip":"10.9.9.9"},"upstream":{"addr":'
    '"10.0.0.2:80, 10.0.0.1:80","status":"502, 200","response_time":"0.001, 0.033"}}',
    "json that is none": '{"status":200,"uri":"/login","ip":"10.9.9.9","upstream_addr":"10.0.0.2:80, 10.0.0.1:80",'
    '"upstream_status":"502, 200","upstream_response_time":0.001, 0.033,"x":-}',
    "a container's json": json.dumps(
        {
            "log": '{"status":200,"uri":"/login","ip":"10.9.9.9","upstream_addr":"10.0.0.2:80, 10.0.0.1:80",'
            '"upstream_status":"502, 200","upstream_response_time":"0.001, 0.033"}\n',
            "stream": "stdout",
        }
    ),
    "behind a prefix": 'Nov 22 20:47:12 lb1 nginx: {"status":200,"uri":"/login","ip":"10.9.9.9","upstream_addr":'
    '"10.0.0.2:80, 10.0.0.1:80","upstream_status":"502, 200","upstream_response_time":"0.001, 0.033"}',
    "keys": f'{COMBINED} rt=0.034 ua="10.0.0.2:80, 10.0.0.1:80" us="502, 200" ut="0.001, 0.033"',
    "keys without quotes": f"{COMBINED} upstream_addr=10.0.0.2:80, 10.0.0.1:80 upstream_status=502, 200 "
    "upstream_response_time=0.001, 0.033",
    "quoted": f'{COMBINED} "10.0.0.2:80, 10.0.0.1:80" "502, 200" "0.001, 0.033"',
    "words": f"{COMBINED} 10.0.0.2:80, 10.0.0.1:80 502, 200 0.001, 0.033",
    "an ingress controller's": f"{COMBINED} 330 0.034 [default-auth-80] [] 10.0.0.2:80, 10.0.0.1:80 0, 2 "
    "0.001, 0.033 502, 200 5f1c",
    "ltsv": "host:10.9.9.9\tstatus:200\turi:/login\tremote_addr:10.9.9.9\tupstream_addr:10.0.0.2:80, 10.0.0.1:80\t"
    "upstream_status:502, 200\tupstream_response_time:0.001, 0.033",
}


@pytest.mark.parametrize("line", FORMATS.values(), ids=FORMATS)
def test_every_format_says_who_was_tried(line: str) -> None:
    (found,) = requests([line], "auth")
    assert [(one.address, one.status, one.seconds) for one in found.tries] == [
        ("10.0.0.2:80", 502, 0.001),
        ("10.0.0.1:80", 200, 0.033),
    ]
    assert (found.status, found.path, found.client) == (200, "/login", "10.9.9.9")


def line(upstream: str, status: int = 200, **more: object) -> str:
    """One line of the log_format of docs/balancers.md."""
    said = {
        "status": str(status),
        "request": "POST /login",
        "client": "10.9.9.9",
        "proxy_host": "auth",
        "upstream_addr": upstream,
        "upstream_status": str(status),
        "upstream_response_time": "0.030",
        "upstream_connect_time": "0.001",
        "upstream_header_time": "0.029",
        **more,
    }
    return json.dumps(said)


def pool(lines: list[str], **changes: object) -> Pool:
    made: dict[str, object] = {"kind": "nginx", "address": "file:/x", "backend": "auth", **changes}
    after = Sample(20.0, {nginx.LOG: "\n".join(lines)})
    return nginx.picture(Sample(0.0, {}), after, Balancer(**made))  # type: ignore[arg-type]


SERVERS = {f"auth{at}": f"10.0.0.{at}:80" for at in range(1, 5)}


def even(count: int = 100, **more: object) -> list[str]:
    return [line(address, **more) for _ in range(count) for address in SERVERS.values()]  # type: ignore[arg-type]


def test_an_internal_redirect_s_two_groups_are_both_read() -> None:
    (found,) = requests([line("10.0.0.1:80 : 10.0.0.2:80", upstream_status="404 : 200")], "auth")
    assert [one.address for one in found.tries] == ["10.0.0.1:80", "10.0.0.2:80"]
    assert [one.status for one in found.tries] == [404, 200]


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ({"status": 500}, "errors"),
        ({"status": 503}, "errors"),
        ({"status": 502}, "errors"),
        ({"status": 504}, "errors"),
        ({"status": 502, "upstream_connect_time": "-", "upstream_header_time": "-"}, "unreached"),
        ({"status": 504, "upstream_connect_time": "-", "upstream_header_time": "-"}, "unreached"),
        ({"status": 504, "upstream_header_time": "-"}, "unanswered"),
        ({"status": 502, "upstream_header_time": "-"}, "errors"),
    ],
)
def test_an_error_is_the_server_s_unless_it_never_answered(said: dict[str, object], count: str) -> None:
    (server,) = pool([line("10.0.0.1:80", **said)]).servers  # type: ignore[arg-type]
    assert {name: getattr(server, name) for name in ("errors", "unreached", "unanswered")} == {
        "errors": 0,
        "unreached": 0,
        "unanswered": 0,
        count: 1,
    }


def test_a_client_that_gave_up_waiting_is_no_error_of_the_server() -> None:
    (server,) = pool([line("10.0.0.1:80", 499, upstream_status="-", upstream_response_time="2.000")]).servers
    assert (server.requests, server.errors, server.answers, server.latency) == (1, 0, 0, 2000)


def test_one_stuck_answer_makes_no_slow_server_and_a_stream_none_either() -> None:
    stuck = line("10.0.0.1:80", upstream_response_time="60.000", upstream_header_time="60.000")
    stream = line("10.0.0.2:80", 101, upstream_response_time="900.000", upstream_header_time="0.010")
    seen = pool([*even(50), stuck, stream])
    assert all(28 < (server.latency or 0) < 30 for server in seen.servers)


def test_an_answer_kept_in_a_cache_and_a_file_of_nginx_s_own_are_nobody_s() -> None:
    seen = pool([*even(1), line("", 200, upstream_status=""), line("-", 404, upstream_status="-")])
    assert (seen.arrived, seen.own_errors, seen.total) == (4, 0, 4)


def test_other_upstreams_of_the_same_log_are_left_out() -> None:
    others = [line("10.0.9.9:80", proxy_host="api") for _ in range(300)]
    seen = pool([*even(10), *others, line("", 502, proxy_host="api")], addresses=SERVERS)
    assert (seen.total, seen.own_errors, len(seen.servers)) == (40, 0, 4)


def test_without_the_upstream_s_name_its_servers_and_paths_say_what_is_its() -> None:
    """A stranger that answers the same paths is the pool's; one that answers others is not; so with own errors."""

    def plain(upstream: str, path: str, status: int = 200) -> str:
        return json.dumps(
            {"status": status, "uri": path, "upstream_addr": upstream, "upstream_status": status}
        )

    lines = [plain(address, "/login") for address in SERVERS.values() for _ in range(5)]
    lines += [plain("10.0.0.8:80", "/login")] * 5 + [plain("10.0.9.9:80", "/api")] * 50
    lines += [plain("", "/login", 500)] * 3 + [plain("", "/api", 500)] * 7
    seen = pool(lines, addresses=SERVERS)
    assert {server.name: server.requests for server in seen.servers} == {
        **dict.fromkeys(SERVERS, 5),
        "10.0.0.8:80": 5,
    }
    assert (seen.arrived, seen.own_errors) == (28, 3)
    assert pool(lines, front="/api").total == 50


def test_a_server_that_gets_nothing_is_absent_only_if_chance_is_ruled_out() -> None:
    few = pool([line("10.0.0.1:80")] * 12, addresses=SERVERS)
    assert {server.standing for server in few.servers} == {Standing.UP}
    many = pool([line("10.0.0.1:80")] * 400, addresses=SERVERS)
    assert [server.standing for server in many.servers] == [Standing.UP, *[Standing.ABSENT] * 3]


def test_whether_clients_keep_to_a_server_tells_a_hash_from_weights() -> None:
    clients = [f"10.9.9.{number % 40}" for number in range(400)]
    pinned = [line(f"10.0.0.{1 + len(one) % 2}:80", client=one) for one in clients]
    assert pool(pinned, addresses=SERVERS).policy is Policy.HASH
    heavy = [
        line(f"10.0.0.{1 if number % 9 else 2}:80", client=one) for number, one in enumerate(clients[:-1])
    ]
    seen = pool(heavy, addresses={"auth1": "10.0.0.1:80", "auth2": "10.0.0.2:80"})
    assert (seen.policy, seen.is_pinned) == (Policy.EVEN, False)


def test_a_full_max_conns_is_told_from_servers_that_failed() -> None:
    refused = [line("auth", 502, upstream_connect_time="-", upstream_header_time="-")] * 200
    limit = judge(pool([*even(50), *refused], addresses=SERVERS))
    assert limit.findings[0].cause is Cause.OVERFLOW
    # An application that fails now and then changes nothing of that: nginx does not put servers out for a 500.
    assert judge(pool([*even(50), *even(10, status=500), *refused], addresses=SERVERS)).findings[0].cause is (
        Cause.OVERFLOW
    )
    gone = [
        line(address, 502, upstream_connect_time="-", upstream_header_time="-")
        for address in SERVERS.values()
    ]
    failed = judge(pool([*gone, *refused], addresses=SERVERS))
    assert failed.findings[0].cause is Cause.UNREACHABLE
    assert "they cannot be reached" in failed.sentence


@pytest.mark.parametrize(
    "text",
    [
        f"{COMBINED}\n",
        '{"status":200,"request":"POST /login","client":"10.9.9.9"}\n',
        "\x1f\x8b\x08\x00 binary\n",
        "ana logged in\n",
    ],
)
def test_a_log_that_does_not_say_who_was_asked_is_a_sentence_with_what_to_paste(text: str) -> None:
    with pytest.raises(NoReading, match="does not say which server was asked") as told:
        pool((text * 30).splitlines())
    assert "log_format lantern escape=json" in told.value.sentence
    assert "$upstream_addr" in told.value.sentence


def test_an_address_of_stub_status_alone_is_not_enough() -> None:
    with pytest.raises(NoReading, match="log: file:/var/log/nginx/access"):
        nginx.look(Balancer("nginx", "http://127.0.0.1:1/stub_status", "auth"))


@pytest.mark.parametrize("accepts", [100, 250])
def test_connections_that_nginx_dropped_are_told(accepts: int) -> None:
    def totals(accepted: int, handled: int) -> str:
        return (
            f"Active connections: 7 \nserver accepts handled requests\n {accepted} {handled} {handled} \n"
            "Reading: 0 Writing: 6 Waiting: 1 \n"
        )

    before = Sample(0.0, {nginx.STATUS: totals(1000, 1000)})
    after = Sample(
        20.0, {nginx.STATUS: totals(1000 + accepts, 1000 + accepts - 50), nginx.LOG: "\n".join(even())}
    )
    told = judge(nginx.picture(before, after, Balancer("nginx", "http://x", "auth")))
    assert [finding.cause for finding in told.findings] == [Cause.FRONT_FULL]
    assert "closed 50 connections at once for want of room" in told.sentence


def test_an_nginx_started_anew_is_no_reason_to_forget_its_log() -> None:
    young = "Active connections: 1 \nserver accepts handled requests\n 5 5 5 \nReading: 0 Writing: 1 Waiting: 0 \n"
    before = Sample(0.0, {nginx.STATUS: young.replace(" 5 5 5", " 900 900 900")})
    after = Sample(20.0, {nginx.STATUS: young, nginx.LOG: "\n".join(even())})
    assert (
        "Traffic is even over 4 of 4"
        in judge(nginx.picture(before, after, Balancer("nginx", "http://x", "auth"))).sentence
    )


def test_what_is_kept_of_a_log_names_no_client_and_no_path(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("")
    balancer = Balancer("nginx", f"file:{log}", "auth", addresses=SERVERS)
    first = nginx.look(balancer)
    log.write_text("\n".join(even(10)) + "\n")
    second = nginx.look(balancer, first)
    assert nginx.picture(first, second, balancer).total == 40
    kept = json.dumps([first.texts, second.texts])
    assert "10.9.9.9" not in kept
    assert "login" not in kept


def test_many_looks_count_everything_once(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("")
    balancer = Balancer("nginx", f"file:{log}", "auth", addresses=SERVERS)
    looks = [nginx.look(balancer)]
    for _ in range(3):
        with log.open("a") as file:
            file.write("\n".join(even(10)) + "\n")
        looks.append(nginx.look(balancer, looks[-1]))
    assert nginx.picture(looks[0], looks[-1], balancer).total == 120
    assert nginx.picture(looks[1], looks[-1], balancer).total == 80
    assert nginx.picture(looks[2], looks[3], balancer).servers[0].requests == 10


def test_a_real_nginx_s_log_is_rotated_between_the_looks(tmp_path: Path) -> None:
    if not NGINX:
        missing("nginx is not installed.")
    with Lab() as lab:
        one = Nginx(tmp_path, lab)
        one.start(one.configuration())
        try:
            balancer = Balancer("nginx", one.status, "auth", log=f"file:{one.log}", addresses=one.addresses)
            first = nginx.look(balancer)
            one.rotate()
            lab.load(one.port, rate=60)
            until(lambda: lab.counts()[0] >= 20, 30, "nobody could log in")
            second = nginx.look(balancer, first)
            told = judge(nginx.picture(first, second, balancer))
        finally:
            one.stop()
    assert told.sentence.endswith("The log was rotated meanwhile: only what came after is counted.")
    assert all(type(one) is Line for one in requests(one.log.read_text().splitlines(), "auth"))


@pytest.mark.parametrize("seed", range(24))
def test_a_healthy_pool_s_log_raises_no_alarm(seed: int) -> None:
    """Whatever its size, its algorithm, how its clients come and how long its answers' tail is."""
    chance = random.Random(seed)
    servers, algorithm = (2, 4, 8, 16)[seed % 4], ("in turn", "random", "hash")[seed % 3]
    busy = [1 / (at + 1) if chance.random() < 0.5 else 1.0 for at in range(200)]
    home = [chance.randrange(servers) for _ in busy]
    lines = []
    for number in range(400):
        (client,) = chance.choices(range(200), busy)
        at = {"in turn": number % servers, "random": chance.randrange(servers), "hash": home[client]}[
            algorithm
        ]
        took = f"{0.03 * chance.lognormvariate(0, (0.3, 1.0, 1.5)[seed % 3]):.3f}"
        lines.append(
            line(
                f"10.0.0.{at}:80",
                client=f"10.9.9.{client}",
                upstream_response_time=took,
                upstream_header_time=took,
            )
        )
    told = judge(pool(lines, addresses={f"s{at}": f"10.0.0.{at}:80" for at in range(servers)}))
    assert not told.is_bad, told.sentence
    assert told.culprit is Culprit.APPLICATION, told.sentence
