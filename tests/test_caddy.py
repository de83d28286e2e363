"""Reading Caddy's own words: its admin address, its log, a Caddyfile, and the page that hides a wrong host."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.balancers import caddy
from bot.balancers.answers import LOG
from bot.balancers.caddy_config import of_caddyfile, of_configuration
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.findings import Cause
from bot.domain.pool import Policy, Pool, Standing
from bot.domain.verdict import judge
from tests.answering import Answering, paths

HOSTS = ("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80")


def proxy(policy: str = "round_robin", hosts: Sequence[str] = HOSTS, **more: Any) -> dict[str, Any]:
    """A reverse_proxy as the configuration has it."""
    choice: dict[str, Any] = {"policy": policy}
    if policy == "weighted_round_robin":
        choice["weights"] = [20, 1, 1, 1]
    return {
        "handler": "reverse_proxy",
        "load_balancing": {"selection_policy": choice},
        "upstreams": [{"dial": host} for host in hosts],
        **more,
    }


def configuration(*handlers: dict[str, Any], hosts: Sequence[str] = ("login.example.com",)) -> str:
    """Servers with one site for each handler, the first with those hosts."""
    routes = []
    for at, one in enumerate(handlers):
        match = [{"host": list(hosts) if at == 0 else [f"site{at}.example.com"]}]
        secret = {
            "handler": "authentication",
            "providers": {"http_basic": {"accounts": [{"password": "$2a$14$x"}]}},
        }
        routes.append(
            {"match": match, "handle": [{"handler": "subroute", "routes": [{"handle": [secret, one]}]}]}
        )
    return json.dumps({"srv0": {"listen": [":443"], "routes": routes}})


def line(host: str = HOSTS[0], status: int = 200, seconds: float = 0.03, **more: Any) -> str:
    """A line of the access log; with is_own Caddy wrote the answer."""
    is_own = more.pop("is_own", not host)
    headers = {"Server": ["Caddy"]} if is_own else {"Via": ["1.1 Caddy"], "Content-Length": ["11"]}
    found = {
        "logger": "http.log.access.log0",
        "request": {
            "host": "login.example.com",
            "client_ip": "192.0.2.7",
            "uri": "/login?user=ana",
            "method": "POST",
        },
        "duration": seconds,
        "size": 0 if is_own else 11,
        "status": status,
        "resp_headers": headers,
        **({"upstream": host} if host else {}),
        **more,
    }
    return json.dumps(found)


def even(count: int = 400) -> list[str]:
    return [line(HOSTS[at % 4]) for at in range(count)]


def pool(
    log: Sequence[str] | None, config: str = "", backend: str = "login.example.com", **texts: str
) -> Pool:
    """The pool of a window."""
    kept = {caddy.CONFIGURATION: config or configuration(proxy()), **texts}
    if log is not None:
        kept[LOG] = "\n".join(log)
    return caddy.picture(Sample(0, {}), Sample(20, kept), Balancer("caddy", "http://x", backend))


def test_a_look_reads_the_admin_address_and_what_the_log_got_since(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("\n".join(even(40)) + "\n")
    answers = {
        "/reverse_proxy/upstreams": json.dumps(
            [{"address": host, "num_requests": 7, "fails": 0} for host in HOSTS]
        ),
        "/config/apps/http/servers": configuration(proxy("weighted_round_robin")),
        "/metrics": f'caddy_reverse_proxy_upstreams_healthy{{upstream="{HOSTS[3]}"}} 0',
    }
    with Answering(paths(answers)) as here:
        balancer = Balancer("caddy", here.address, "login.example.com", log=f"file:{log}")
        first = caddy.look(balancer)
        with log.open("a") as more:
            more.write("\n".join([line(HOSTS[0])] * 300 + even(100)) + "\n")
        last = caddy.look(balancer, first)
        seen = caddy.picture(first, last, balancer)
        assert {(one.method, one.path) for one in here.asked} == {("GET", path) for path in answers}
    assert [(s.requests, s.weight, s.busy) for s in seen.servers] == [
        (325, 20, 7),
        (25, 1, 7),
        (25, 1, 7),
        (25, 1, 7),
    ]
    assert seen.servers[3].standing is Standing.EJECTED
    kept = json.dumps([first.texts, last.texts])
    # Passwords of the configuration and lines of the log stay where they are.
    assert "$2a$" not in kept
    assert "192.0.2.7" not in kept
    assert "user=ana" not in kept


def test_a_log_that_does_not_tell_the_server_is_told_the_line_to_add() -> None:
    silent = [line("", is_own=False) for _ in range(300)]
    told = judge(pool(silent, metrics='caddy_http_requests_total{handler="subroute",server="srv0"} 300'))
    assert (
        "Put this line into the site's block: `log_append upstream {http.reverse_proxy.upstream.hostport}`"
        in (told.sentence)
    )
    assert told.culprit is None
    counted = 'caddy_http_requests_total{handler="subroute",server="srv0"} 300'
    assert f"`{caddy.LOG_LINE}` into the site" in judge(pool(None, metrics=counted)).sentence
    words = judge(pool(["127.0.0.1 - - console format"] * 30, metrics=counted)).sentence
    assert "no line about this site in JSON" in words


def test_a_host_that_fits_no_site_is_told_though_nothing_looks_wrong() -> None:
    with pytest.raises(NoReading) as refused:
        pool(even(), configuration(proxy(), proxy()), backend="login.example.test")
    assert refused.value.sentence == (
        "Caddy has no site `login.example.test` with a reverse_proxy, and answers what fits no site with 200 and an "
        "empty page. It has: login.example.com, site1.example.com."
    )
    nothing = judge(pool([]))
    assert (
        "Nothing came to this site (login.example.com). Caddy answers a host that fits no site with 200"
        in (nothing.sentence)
    )
    lost = {"request": {"host": "login.example.test", "method": "GET"}}
    told = judge(pool([*even(100), *(line("", **lost) for _ in range(300))]))
    assert told.sentence.startswith("75 % of the requests fit nothing in the balancer's configuration")
    assert "which answers them with 200 and an empty page itself" in told.sentence
    assert told.findings[0].cause is Cause.UNMATCHED
    # A page of another site, and a question for its head, are none of that.
    page = {"request": {"host": "static.example.com", "method": "GET"}, "size": 900}
    assert judge(pool([*even(), *(line("", is_own=False, **page) for _ in range(300))])).findings == ()


@pytest.mark.parametrize(
    ("status", "is_own", "rest", "unreached", "errors", "unanswered"),
    [
        (502, True, 0, 5, 0, 0),  # refused: nothing ever came of it
        (502, True, 9, 0, 5, 0),  # broken off by a server that answers others
        (502, False, 9, 0, 5, 0),  # an error page of the application's own
        (504, True, 9, 0, 0, 5),  # Caddy would not wait
        (499, True, 9, 0, 0, 0),  # the client would not
    ],
)
def test_whose_error_it_is_shows_by_its_headers(
    status: int, is_own: bool, rest: int, unreached: int, errors: int, unanswered: int
) -> None:
    seen = pool([line(status=status, is_own=is_own)] * 5 + [line()] * rest).servers[0]
    assert (seen.unreached, seen.errors, seen.unanswered) == (unreached, errors, unanswered)


def test_a_check_that_fails_everywhere_shows_before_caddy_counts_it() -> None:
    """The figure of a server's health is up to ten seconds old; that nothing goes anywhere is not."""
    checked = configuration(proxy(health_checks={"active": {"uri": "/health"}}))
    told = judge(pool([line("", 503) for _ in range(300)], checked))
    assert told.sentence.startswith("4 of 4 servers are DOWN by health check")
    assert "the check asks GET /health, and nobody says what it gets" in told.sentence
    told = judge(pool([line(HOSTS[at % 3]) for at in range(300)], checked))
    assert told.sentence.startswith("1 of 4 servers is DOWN by health check (10.0.0.4:80)")


def test_a_server_that_is_tried_and_given_up_is_asked_after() -> None:
    told = judge(pool([line(HOSTS[at % 3]) for at in range(300)]))
    assert told.sentence.startswith("10.0.0.4:80 should be used and is not: can the balancer reach it")


@pytest.mark.parametrize(
    ("policy", "kind", "is_pinned"),
    [
        ("round_robin", Policy.EVEN, False),
        ("least_conn", Policy.LEAST_BUSY, False),
        ("first", Policy.FIRST, False),
        ("ip_hash", Policy.HASH, False),
        ("cookie", Policy.EVEN, True),
    ],
)
def test_how_it_chooses_is_told(policy: str, kind: Policy, is_pinned: bool) -> None:
    seen = pool(even(), configuration(proxy(policy)))
    assert (seen.policy, seen.is_pinned) == (kind, is_pinned)


def test_of_several_proxies_the_one_that_is_meant_is_read() -> None:
    both = configuration(proxy(hosts=HOSTS[:2]), proxy(hosts=HOSTS[2:]))
    assert [s.name for s in pool(even(), both).servers] == list(HOSTS[:2])
    assert [s.name for s in pool(even(), both, backend=HOSTS[3]).servers] == list(HOSTS[2:])
    twice = json.loads(both)
    twice["srv0"]["routes"][1]["match"] = [{"host": ["*.example.com"]}]
    with pytest.raises(NoReading, match=r"in several ways\. Name a server of the one that is meant"):
        pool(even(), json.dumps(twice))


def test_a_caddyfile_says_what_the_configuration_says() -> None:
    file = """
{
    admin localhost:2019   # global
}
(logs) {
    log_append upstream {http.reverse_proxy.upstream.hostport}
}
login.example.com, *.example.org:8443 {
    log_append backend {http.reverse_proxy.upstream.hostport}
    handle /api/* {
        reverse_proxy http://10.0.0.1:80 10.0.0.2:80 {
            to 10.0.0.3:80
            lb_policy weighted_round_robin 20 1 1
            health_uri "/healthz"
            fail_duration 10s
            max_fails 3
            transport http {
                read_timeout 5s
            }
        }
    }
}
http://other.example.com {
    reverse_proxy * 10.0.0.9:80
}
"""
    first, second = of_caddyfile(file).found
    assert (first.hosts, first.upstreams) == (("login.example.com", "*.example.org"), HOSTS[:3])
    assert (first.policy, first.weights, first.check) == ("weighted_round_robin", (20, 1, 1), "/healthz")
    assert (first.failures, first.log_key) == (3, "backend")
    assert (second.hosts, second.upstreams, second.policy) == (
        ("other.example.com",),
        ("10.0.0.9:80",),
        "random",
    )
    assert first.takes("login.example.com")
    assert first.takes("a.example.org")
    assert not first.takes("other.example.com")


@pytest.mark.parametrize(
    "text",
    ["", "{", "reverse_proxy", "a {\n reverse_proxy {\n", "}\n}\n", "a { reverse_proxy b }", "{" * 999],
)
def test_what_is_no_caddyfile_never_breaks_it(text: str) -> None:
    of_caddyfile(text)
    of_configuration(text)
    of_configuration(json.dumps({"srv0": text}))


@pytest.mark.parametrize("text", ["", "{}", '[{"address": 1}]', "[1]", "[" * 100000])
def test_what_is_no_admin_address_is_a_sentence(text: str) -> None:
    with (
        Answering(lambda _: (200, text)) as here,
        pytest.raises(NoReading, match="is not Caddy's admin address"),
    ):
        caddy.look(Balancer("caddy", here.address, "auth"))
