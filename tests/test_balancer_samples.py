"""The verdict on outputs captured from real balancers elsewhere: a folder beside the project, where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.balancers import haproxy
from bot.balancers.sample import Sample
from bot.domain.catalogue import Balancer
from bot.domain.findings import Cause, Culprit
from bot.domain.verdict import Verdict, judge

SAMPLES = Path(os.environ.get("LANTERN_SAMPLES") or Path(__file__).parents[2] / "shared" / "lb" / "samples")

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(),
    reason=f"The captured outputs are not beside the project ({SAMPLES.name} is absent).",
)

#: What was meant where it is not an equal split.
INTENDED = {"h00-healthy-weighted": {"auth1": 2, "auth2": 2, "auth3": 1, "auth4": 1}}

HAPROXY = {
    "h00-healthy-leastconn": None,
    "h00-healthy-random": None,
    "h00-healthy-roundrobin": None,
    "h00-healthy-source": None,
    "h00-healthy-weighted": None,
    "h01-wrong-weights": Cause.WEIGHTS,
    "h01b-runtime-weights": Cause.WEIGHTS,
    "h02-cookie-pinned": Cause.PINNED,
    "h03-source-hash-nat": Cause.HASH,
    "h04-uri-hash": Cause.HASH,
    "h05-drain-left": Cause.PARKED,
    "h05b-maint-left": Cause.PARKED,
    "h05c-disabled-in-file": Cause.PARKED,
    "h06-backup-left": Cause.BACKUP,
    "h07-server-maxconn": Cause.QUEUE,
    "h07b-frontend-maxconn": Cause.FRONT_FULL,
    "h07c-global-maxconn": Cause.FRONT_FULL,
    "h07d-rate-limit": Cause.RATE_LIMIT,
    "h08-check-path-all": Cause.HEALTH_CHECK,
    "h08b-check-path-some": Cause.HEALTH_CHECK,
    "h09-slow-roundrobin": Cause.SLOW_SERVER,
    "h09b-slow-leastconn": Cause.SLOW_SERVER,
    "h10-fastfail-leastconn": Cause.BAD_SERVER,
    "h10b-fastfail-roundrobin": Cause.BAD_SERVER,
    "h11-timeout-server-short": Cause.TIMEOUT,
    "h12-wrong-port-one": Cause.BAD_SERVER,
    "h12b-closed-port-one": Cause.UNREACHABLE,
    "h12c-closed-port-noredispatch": Cause.UNREACHABLE,
    "h13-tls-expired": Cause.HANDSHAKE,
    "h14-two-faults": Cause.WEIGHTS,
}
#: Corrected, but one server was left out on purpose or still fails its check.
ONE_OUT = {"h08b-check-path-some", "h09-slow-roundrobin", "h09b-slow-leastconn", "h10-fastfail-leastconn"} | {
    "h10b-fastfail-roundrobin"
}


def judged(folder: str, first: str, second: str) -> Verdict:
    """The verdict on the two samples of a folder."""
    here = SAMPLES / "haproxy" / folder

    def text(name: str) -> str:
        path = here / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    before = Sample(0.0, {haproxy.STAT: text(f"show_stat.{first}.csv")})
    after = Sample(
        8.0,
        {
            haproxy.STAT: text(f"show_stat.{second}.csv"),
            haproxy.INFO: text(f"show_info.{second}.txt"),
            haproxy.STATE: text(f"show_servers_state.{second}.txt"),
        },
    )
    return judge(
        haproxy.picture(
            before, after, Balancer("haproxy", "unix:/x", "be_auth", intended=INTENDED.get(folder, {}))
        )
    )


def test_every_captured_folder_is_in_the_table() -> None:
    assert {path.name for path in (SAMPLES / "haproxy").iterdir() if path.is_dir()} == set(HAPROXY)


@pytest.mark.parametrize("folder", HAPROXY)
def test_haproxy_s_fault_is_named(folder: str) -> None:
    verdict = judged(folder, "t0", "broken")
    found = verdict.findings[0].cause if verdict.findings else None
    assert found is HAPROXY[folder], verdict.sentence
    if HAPROXY[folder] is None:
        assert verdict.culprit is Culprit.APPLICATION


@pytest.mark.parametrize("folder", [name for name, cause in HAPROXY.items() if cause])
def test_haproxy_corrected_is_no_fault(folder: str) -> None:
    verdict = judged(folder, "fixed-t0", "fixed")
    assert not verdict.is_bad, verdict.sentence
    assert bool(verdict.findings) == (folder in ONE_OUT), verdict.sentence
    assert verdict.culprit is Culprit.APPLICATION
