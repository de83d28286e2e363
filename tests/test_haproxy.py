"""Reading HAProxy's own words: what its counters say of a window, and what they do not."""

from __future__ import annotations

import pytest

from bot.balancers import haproxy
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.pool import Policy, Pool, Standing

NAMES = (
    "pxname,svname,qcur,scur,slim,stot,econ,eresp,wredis,status,weight,act,bck,lbtot,type,hrsp_2xx,hrsp_5xx,rtime,"
    "rtime_max,check_status,check_code,throttle,algo,conn_tot,req_tot,mode,rate,rate_lim,ssl_sess,ssl_failed_handshake"
)


def row(name: str, proxy: str = "be_auth", **values: object) -> str:
    """One line of `show stat`; what is not given is empty, as HAProxy leaves it."""
    given = {
        "pxname": proxy,
        "svname": name,
        "type": 2,
        "status": "UP",
        "weight": 100,
        "act": 1,
        "bck": 0,
        **values,
    }
    return ",".join(str(given.get(column, "")) for column in NAMES.split(","))


def sample(at: float, *rows: str, info: str = "", state: str = "") -> Sample:
    text = "\n".join([f"# {NAMES}", *rows])
    return Sample(at, {haproxy.STAT: text, haproxy.INFO: info, haproxy.STATE: state})


def pool(before: Sample, after: Sample) -> Pool:
    return haproxy.picture(before, after, Balancer("haproxy", "unix:/x", "be_auth"))


def backend(stot: int, **values: object) -> str:
    return row("BACKEND", stot=stot, lbtot=stot, type=1, **values)


def test_counters_are_subtracted_and_the_old_ones_forgotten() -> None:
    seen = pool(
        sample(0, row("auth1", stot=1000, hrsp_5xx=7), row("auth2", stot=9000), backend(10000)),
        sample(20, row("auth1", stot=1300, hrsp_5xx=9), row("auth2", stot=9300), backend(10600)),
    )
    assert [(s.name, s.requests, s.errors) for s in seen.servers] == [("auth1", 300, 2), ("auth2", 300, 0)]
    assert (seen.window, seen.arrived, seen.total) == (20, 600, 600)


def test_averages_that_lag_are_undone() -> None:
    """A corrected server whose average still says 129 ms answered in some 50 ms within the window."""
    seen = pool(
        sample(0, row("auth1", stot=5000, rtime=140), backend(5000)),
        sample(3, row("auth1", stot=5066, rtime=129), backend(5066)),
    )
    (server,) = seen.servers
    assert server.latency is not None
    assert 40 < server.latency < 60
    # With few answers so far the average is over all of them.
    seen = pool(
        sample(0, row("auth1", stot=100, rtime=500), backend(100)),
        sample(3, row("auth1", stot=200, rtime=265), backend(200)),
    )
    assert seen.servers[0].latency == 30


@pytest.mark.parametrize(
    ("status", "bck", "standing"),
    [
        ("UP", 0, Standing.UP),
        ("UP 1/3", 0, Standing.UP),
        ("no check", 0, Standing.UP),
        ("UP", 1, Standing.BACKUP),
        ("DOWN", 0, Standing.DOWN),
        ("DOWN 1/2", 0, Standing.DOWN),
        ("DRAIN", 0, Standing.DRAIN),
        ("MAINT", 0, Standing.MAINT),
        ("MAINT (via be/auth1)", 0, Standing.MAINT),
        ("MAINT (resolution)", 0, Standing.MAINT),
        ("NOLB", 0, Standing.DRAIN),
    ],
)
def test_every_status_has_its_standing(status: str, bck: int, standing: Standing) -> None:
    one = sample(0, row("auth1", status=status, bck=bck, stot=0), backend(0))
    assert pool(one, one).servers[0].standing is standing


@pytest.mark.parametrize(("bits", "is_run_time"), [(1, True), (8, True), (5, False), (4, False), (32, True)])
def test_who_took_a_server_out_is_read_from_the_state(bits: int, is_run_time: bool) -> None:
    state = (
        "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight\n"
        f"3 be_auth 1 auth1 127.0.0.1 2 {bits} 5 100\n3 other 1 auth1 127.0.0.1 2 0 1 1\n"
    )
    one = sample(0, row("auth1", status="MAINT", weight=5, stot=0), backend(0), state=state)
    (server,) = pool(one, one).servers
    assert (server.is_set_at_run_time, server.weight, server.file_weight) == (is_run_time, 5, 100)


def test_a_reload_between_the_samples_is_noticed() -> None:
    first = sample(0, row("auth1", stot=1000), backend(1000))
    assert pool(first, sample(20, row("auth1", stot=40), backend(40))).is_restarted
    young = "Name: HAProxy\nUptime_sec: 5\n"
    assert pool(first, sample(20, row("auth1", stot=1100), backend(1100), info=young)).is_restarted
    old = "Name: HAProxy\nUptime_sec: 5000\n"
    assert not pool(first, sample(20, row("auth1", stot=1100), backend(1100), info=old)).is_restarted


def test_requests_that_skip_the_balancing_are_counted() -> None:
    before = sample(0, row("auth1", stot=0), row("BACKEND", stot=0, lbtot=0, type=1))
    after = sample(
        20, row("auth1", stot=1000), row("BACKEND", stot=1000, lbtot=160, type=1, algo="roundrobin")
    )
    seen = pool(before, after)
    assert seen.bypass == pytest.approx(0.84)
    assert seen.policy is Policy.EVEN


def test_what_the_balancer_wrote_itself_is_told_from_the_servers_errors() -> None:
    before = sample(0, row("auth1", stot=0, hrsp_5xx=0), backend(0, hrsp_5xx=0))
    after = sample(20, row("auth1", stot=900, hrsp_5xx=30), backend(900, hrsp_5xx=441))
    assert pool(before, after).own_errors == 411


def test_fronts_carry_their_limits_and_the_stats_page_is_none() -> None:
    info = "Name: HAProxy\nMaxconn: 500\nCurrConns: 490\nSessRate: 3\nSessRateLimit: 0\nUptime_sec: 900\n"
    front = row("FRONTEND", "fe_login", type=0, scur=4, slim=4, rate=60, rate_lim=60, mode="http")
    one = sample(
        0, front, row("FRONTEND", "stats", type=0, scur=1, slim=1), row("auth1"), backend(0), info=info
    )
    seen = {f.name: (f.busy, f.busy_limit, f.rate_limit) for f in pool(one, one).fronts}
    assert seen == {"the balancer": (490, 500, None), "the frontend fe_login": (4, 4, 60.0)}


@pytest.mark.parametrize(
    "text", ["", "\n", "<html>not found</html>", "Unknown command. Please enter one of", "a,b\n1,2"]
)
def test_what_is_no_statistics_is_a_sentence(text: str) -> None:
    wrong = Sample(0, {haproxy.STAT: text})
    with pytest.raises(NoReading, match="is not its CSV"):
        pool(wrong, wrong)


def test_a_backend_that_is_not_there_is_named_with_those_that_are() -> None:
    one = sample(0, row("s1", "be_api"), row("BACKEND", "be_api", type=1))
    with pytest.raises(NoReading, match=r"no backend `be_auth` with servers\. It has: be_api"):
        pool(one, one)


@pytest.mark.parametrize("cut", range(0, 400, 37))
def test_a_torn_answer_never_breaks_it(cut: int) -> None:
    whole = sample(0, row("auth1", stot=10), backend(10)).texts[haproxy.STAT]
    torn = Sample(0, {haproxy.STAT: whole[: len(whole) - cut]})
    try:
        assert pool(torn, torn).servers
    except NoReading as refusal:
        assert refusal.sentence
