"""The commands of the shipped runbooks, read out of the files, typed at real balancers: they do what the step says.

Every command for HAProxy, nginx and Envoy is typed here. Those that confirm must show what the step is about; those
that mitigate must change what runs, from the fault to the cure, and the Undo must bring it back.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.domain.runbook import Phase, Runbook, Step
from bot.runbooks.filling import field_for, fill
from bot.runbooks.reading import read_folder
from bot.settings import shipped
from tests.conftest import missing
from tests.cure_table import CURES
from tests.cures import Cure
from tests.envoy_stage import ENVOY, EnvoyStage
from tests.lab import HAPROXY, NGINX, Lab
from tests.shells import OPENSSL, SOCAT, Stage, certificate, comes_true
from tests.stages import HAProxyStage, NginxStage

KINDS: dict[str, tuple[type[Stage], dict[str, str]]] = {
    "haproxy": (HAProxyStage, {"HAProxy": HAPROXY, "socat": SOCAT}),
    "nginx": (NginxStage, {"nginx": NGINX}),
    "envoy": (EnvoyStage, {"Envoy": ENVOY}),
}


@cache
def library() -> dict[str, Runbook]:
    return read_folder(shipped("runbooks"))[0]


@cache
def blocks() -> dict[str, tuple[Runbook, Step, str]]:
    """Every command for one of the three: "lb-uneven-traffic 3 haproxy" -> its runbook, step and text."""
    return {
        f"{book.id} {number} {command.balancer}": (book, step, command.text)
        for book in library().values()
        for number, step in enumerate(book.steps, 1)
        for command in step.commands
        if command.balancer in KINDS
    }


def undo_of(step: Step, kind: str) -> str:
    """The commands of a step's Undo for a kind; "" when it says in words that there are none."""
    told = dict(step.fields).get("Undo", "")
    found = re.findall(rf"^```sh {kind}\n(.*?)^```", field_for(told, kind), re.MULTILINE | re.DOTALL)
    return "\n".join(found)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as here:
        for at in range(4):
            here.change(at, delay=0.001)
        yield here


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """site.* ends in three days, new.* in ninety."""
    if not OPENSSL:
        missing("openssl is not installed.")
    folder = tmp_path_factory.mktemp("certificates")
    for name, days in (("site", 3), ("new", 90)):
        certificate(folder, name, days)
        (folder / f"{name}.pem").write_text(
            (folder / f"{name}.crt").read_text() + (folder / f"{name}.key").read_text()
        )
    return list(folder.iterdir())


@pytest.fixture
def stage(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    lab: Lab,
    certificates: list[Path],
) -> Iterator[Any]:
    """The balancer of the test's kind, not started, with a certificate that ends in three days."""
    kind = str(request.param)
    make, needs = KINDS[kind]
    for name, program in {**needs, "curl": shutil.which("curl")}.items():
        if not program:
            missing(f"{name} is not installed.")
    # Short, since a socket's path has room for some hundred letters.
    folder = tmp_path_factory.mktemp("b")
    for source in certificates:
        shutil.copy(source, folder)
    here = make(folder, lab.ports)
    yield here
    here.stop()
    for at in range(4):
        lab.change(at, delay=0.001)


# What confirms

#: What every command that confirms must show, of a balancer that is well.
SHOWN = {
    "lb-bad-backend 1 haproxy": r"auth1,\d+,0,0,0,UP,\d+,0[\s\S]*auth4 127\.0\.0\.1:\d+",
    "lb-bad-backend 1 nginx": r"\d+ 127\.0\.0\.1:\d+ 200",
    "lb-bad-backend 1 envoy": r"be_auth::127\.0\.0\.1:\d+::cx_connect_fail::0[\s\S]*::rq_error::0",
    "lb-config-not-applied 1 haproxy": (
        r"auth1 now 1 start 1 127\.0\.0\.1:\d+ admin 0[\s\S]*server auth1[\s\S]*Uptime: [\s\S]*<PID>|PID"
    ),
    "lb-config-not-applied 1 nginx": r"nginx: (master|worker) process[\s\S]*test is successful",
    "lb-config-not-applied 1 envoy": r'"state": "LIVE"[\s\S]*update_success[\s\S]*OK',
    "lb-config-not-applied 2 haproxy": r"lb1 [0-9a-f]{64} .*Uptime_sec: \d+ *\nlb2 [0-9a-f]{64}",
    "lb-config-not-applied 2 nginx": r"lb1 [0-9a-f]{64} .*\d\d:\d\d:\d\d \d{4} *\nlb2 [0-9a-f]{64}",
    "lb-config-not-applied 2 envoy": r'lb1 [0-9a-f]{64} .*uptime_current_epoch": "\d+s".*\nlb2 [0-9a-f]{64}',
    "lb-frontend-full 1 haproxy": r"^Maxconn: 500\n[\s\S]*CurrConns: \d+[\s\S]*fe_login,\d+,500,\d+,0",
    "lb-frontend-full 1 nginx": r"^0\n[\s\S]*worker_connections",
    "lb-frontend-full 1 envoy": r"downstream_cx_active: \d+",
    "lb-health-check-wrong 1 haproxy": r"auth1,UP,L7OK,200,[\s\S]*option httpchk",
    "lb-health-check-wrong 1 nginx": r"connect\(\) failed",
    "lb-health-check-wrong 1 envoy": r"health_flags::healthy[\s\S]*membership_healthy: 4",
    "lb-pinned-clients 1 haproxy": r"auth1,0,\d+,\d+[\s\S]*balance roundrobin",
    "lb-pinned-clients 1 nginx": r"upstream be_auth[\s\S]*\d+ \"client\":\"127\.0\.0\.1",
    "lb-pinned-clients 1 envoy": r'"lb_policy": "[\s\S]*rq_total::\d+|rq_total::\d+',
    "lb-queue-server-limit 1 haproxy": r"auth1,0,0,\d+,[\s\S]*BACKEND,0,0,\d+",
    "lb-queue-server-limit 1 nginx": r"^0\n[\s\S]*server 127",
    "lb-queue-server-limit 1 envoy": (
        r"upstream_rq_pending_overflow: 0[\s\S]*be_auth::default_priority::max_requests::1024"
    ),
    "lb-servers-parked 1 haproxy": r"auth2 admin 0 weight 1 file 1[\s\S]*auth2,UP,1,1,0",
    "lb-servers-parked 1 nginx": r"^$",
    "lb-servers-parked 1 envoy": r'health_flags::healthy[\s\S]*"state": "LIVE"',
    "lb-servers-parked 2 haproxy": r"auth1 http://127\.0\.0\.1:\d+[\s\S]*HTTP/1\.1 200",
    "lb-slow-backend 1 haproxy": r"auth1,0,\d+,0,0,\d+,\d+",
    "lb-slow-backend 1 nginx": r"127\.0\.0\.1:\d+ \d+ requests, 0\.\d{3} s",
    "lb-slow-backend 1 envoy": r"::rq_active::0[\s\S]*upstream_rq_time",
    "lb-timeouts 1 haproxy": r"auth1,\d+,0,0[\s\S]*BACKEND,\d+,0,0",
    "lb-timeouts 1 nginx": r"reset by peer|^$|keepalive",
    "lb-timeouts 1 envoy": r"upstream_rq_timeout: 0[\s\S]*::rq_timeout::0",
    "lb-tls-expired 2 haproxy": r"site\.pem[\s\S]*notAfter: [\s\S]*notAfter=",
    "lb-tls-expired 2 nginx": r"ssl_certificate [\s\S]*notAfter=",
    "lb-tls-expired 2 envoy": r'"days_until_expiration": "[23]"[\s\S]*notAfter=',
    "lb-uneven-traffic 1 haproxy": r"auth1 \d+ requests, \d+ %",
    "lb-uneven-traffic 1 nginx": r"\d+ \"upstream_addr\":\"127\.0\.0\.1:\d+",
    "lb-uneven-traffic 1 envoy": r"be_auth::127\.0\.0\.1:\d+::cx_connect_fail::0[\s\S]*::rq_total::\d+",
    "lb-uneven-traffic 2 haproxy": (
        r"auth1 admin 0 weight 1 file 1[\s\S]*auth1,\d+,UP,1,1,0,\d+[\s\S]*balance roundrobin"
    ),
    "lb-uneven-traffic 2 nginx": r"upstream be_auth[\s\S]*nginx: master process",
    "lb-uneven-traffic 2 envoy": r"health_flags::healthy[\s\S]*weight::1",
    "lb-zone-imbalance 1 haproxy": r"lb1 .*CurrConns: \d+ .*CumReq: \d+[\s\S]*127\.0\.0\.1",
    "lb-zone-imbalance 1 nginx": r"lb1 \d+ \d+ *\nlb2[\s\S]*127\.0\.0\.1",
    "lb-zone-imbalance 1 envoy": r"::rq_total::\d+[\s\S]*lb_zone",
}

#: What a shell or a balancer says of a command that is wrong.
WRONG = re.compile(
    r"command not found|syntax error|[Uu]nknown (command|option|keyword)|No such (server|backend|file)|"
    r"Permission denied|unexpected|cannot (open|stat)|[Ii]nvalid|usage:|Require"
)


@pytest.mark.parametrize("stage", KINDS, indirect=True, ids=str)
def test_what_confirms_shows_it(stage: Any, lab: Lab) -> None:
    """One balancer that is well, with a little traffic: the commands of all runbooks, one after another."""
    stage.start(stage.text())
    with stage.shell as shell:
        comes_true(lambda: stage.statuses(12) == {200: 12}, "it does not serve")
        if stage.unit == "nginx":
            write_errors(stage.folder / "error.log")
        shell.types(f"ADDRESS=127.0.0.1:{lab.ports[0]}")
        problems = []
        for name, wanted in SHOWN.items():
            if not name.endswith(stage.unit):
                continue
            book, _, text = blocks()[name]
            told = shell.types(fill(text, book, {"host": "localhost"}))
            if not re.search(wanted, told) or WRONG.search(told):
                problems.append(f"{name}:\n{told}")
        assert not problems, "\n\n".join(problems)


#: The same of commands that are for no balancer in particular, past HAProxy and through it.
ANYWHERE = {
    "lb-bad-backend 2": r"HTTP/1\.1 200",
    "lb-frontend-full 2": r"LISTEN +\d+ +\d+ +127\.0\.0\.1:",
    "lb-health-check-wrong 2": r"HTTP/1\.1 200[\s\S]*200 in 0\.\d+ s",
    "lb-timeouts 2": r"(200 in 0\.\d+ s\n?){5}",
    "lb-tls-expired 1": r"CN ?= ?localhost[\s\S]*will not expire[\s\S]*does match certificate",
    "lb-tls-expired 4": r"^(\w{64}) .*\n\1 [\s\S]*does match certificate[\s\S]*will not expire",
}


@pytest.mark.parametrize("stage", ["haproxy"], indirect=True)
def test_what_is_typed_on_any_machine_shows_it(stage: Any, lab: Lab) -> None:
    if not shutil.which("ss"):
        missing("ss is not installed.")
    stage.start(stage.text())
    with stage.shell as shell:
        for name, wanted in ANYWHERE.items():
            book = library()[name.split()[0]]
            step = book.steps[int(name.split()[1]) - 1]
            (text,) = (one.text for one in step.commands if not one.balancer)
            is_tls = name.startswith(("lb-tls", "lb-frontend"))
            server = f"127.0.0.1:{lab.ports[0]}"
            values = {"host": "localhost", "port": str(stage.tls_port if is_tls else lab.ports[0])}
            values["address"] = "127.0.0.1" if name.startswith("lb-bad") else server
            told = shell.types(fill(text, book, values))
            assert re.search(wanted, told), f"{name}:\n{told}"


def write_errors(log: Path) -> None:
    """An error as nginx writes it, of a server that nobody listens at."""
    line = (
        "2026/11/23 03:00:00 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, "
        'client: 127.0.0.1, server: , request: "GET /login HTTP/1.1", upstream: "http://127.0.0.1:9/login", host: "x"\n'
    )
    log.write_text(log.read_text() + line)


# What mitigates


@pytest.mark.parametrize(
    ("stage", "name"), [(name.split()[-1], name) for name in CURES], indirect=["stage"], ids=list(CURES)
)
def test_what_mitigates_cures_it_and_its_undo_takes_it_back(stage: Any, name: str, lab: Lab) -> None:
    cure = CURES[name]
    book, step, text = blocks()[name]
    values = {"host": "localhost", **cure.values(stage)}
    for at in range(4):
        lab.change(at, delay=cure.slowest if cure.slowest and not at else cure.delay)
    stage.start(cure.fault(stage))
    stage.shell.edits(cure.edit.replace("PORT", str(lab.ports[3])))
    with stage.shell as shell:
        cure.given(stage)
        seen(cure, stage, cure.broken, "the fault")
        told = shell.types(fill(text, book, values))
        assert not WRONG.search(told), told
        seen(cure, stage, cure.cured, told)
        undo = undo_of(step, stage.unit)
        assert bool(undo) is cure.has_undo
        if undo:
            told = shell.types(fill(undo, book, values))
            assert not WRONG.search(told), told
            seen(cure, stage, cure.broken if cure.undone is None else cure.undone, told)


def seen(cure: Cure, stage: Any, wanted: object, told: str) -> None:
    """Wait until the balancer shows it."""
    last: list[object] = []

    def is_so() -> bool:
        last[:] = [cure.seen(stage)]
        return last[0] == wanted

    try:
        comes_true(is_so, "")
    except AssertionError:
        raise AssertionError(f"{last} is not {wanted}, after: {told}") from None


def test_every_command_for_the_three_is_typed() -> None:
    mitigating = {name for name, (_, step, _) in blocks().items() if step.phase is Phase.MITIGATE}
    assert set(CURES) == mitigating
    assert set(SHOWN) == set(blocks()) - mitigating
