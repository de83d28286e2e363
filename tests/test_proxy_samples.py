"""The verdict on outputs captured from real nginx and Envoy elsewhere, where that folder stands beside the project."""

from __future__ import annotations

import pytest

from bot.balancers import envoy, nginx
from bot.balancers.sample import Sample
from bot.domain.catalogue import Balancer
from bot.domain.findings import Cause, Culprit
from bot.domain.verdict import Verdict, judge
from tests.test_balancer_samples import SAMPLES

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(),
    reason=f"The captured outputs are not beside the project ({SAMPLES.name} is absent).",
)

ADDRESSES = {f"auth{at}": f"127.0.0.1:2910{at}" for at in range(1, 5)}

#: What a log shows: not why a server gets nothing (down, backup, or a hash of what is always the same).
NGINX = {
    "n00-healthy": None,
    "n00-healthy-hash": None,
    "n01-wrong-weights": Cause.WEIGHTS,
    "n02-ip-hash-nat": Cause.HASH,
    "n03-down-left": Cause.ABSENT,
    "n03b-backup-left": Cause.ABSENT,
    "n04-wrong-port-one": Cause.STRANGER,
    "n05-closed-port-one": Cause.ABSENT,
    "n05b-closed-port-nonext": Cause.STRANGER,
    "n06-read-timeout-short": Cause.OWN_ERRORS,
    "n07-worker-connections": Cause.OWN_ERRORS,
    "n07b-max-conns": Cause.OVERFLOW,
    "n08-hash-uri": Cause.ABSENT,
    "n09-slow-roundrobin": Cause.SLOW_SERVER,
    "n09b-slow-leastconn": Cause.SLOW_SERVER,
    "n10-fastfail-leastconn": Cause.BAD_SERVER,
    "n11-edited-not-reloaded": Cause.WEIGHTS,
    "n12-keepalive-race": None,
    "n13-tls-expired": Cause.HANDSHAKE,
}
ENVOY = {
    "e00-healthy": None,
    "e01-wrong-weights": Cause.WEIGHTS,
    "e02-check-path-some-panic": Cause.HEALTH_CHECK,
    "e02b-check-path-some-nopanic": Cause.HEALTH_CHECK,
    "e03-circuit-breaker": Cause.OVERFLOW,
    "e04-outlier-ejection": Cause.BAD_SERVER,
    "e04b-fastfail-leastrequest": Cause.BAD_SERVER,
    "e05-ring-hash-pinned": Cause.HASH,
    "e06-closed-port-one": Cause.STRANGER,
    "e07-route-timeout-short": Cause.TIMEOUT,
}
#: Broken, but nobody suffered: 0 % to 0.3 % of the logins failed.
HARMLESS = {
    "n05-closed-port-one",
    "n09b-slow-leastconn",
    "e02-check-path-some-panic",
    "e04-outlier-ejection",
}
#: Corrected, but one server was left out on purpose or still fails its check.
ONE_OUT = {
    "n09-slow-roundrobin",
    "n09b-slow-leastconn",
    "n10-fastfail-leastconn",
    "e02-check-path-some-panic",
    "e02b-check-path-some-nopanic",
}


def text(path: str) -> str:
    file = SAMPLES / path
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def judged(folder: str, state: str, log: str = "access.json") -> Verdict:
    """The verdict on the two samples of a folder."""
    if folder in NGINX:
        here = f"nginx/{folder}"
        before = Sample(0.0, {nginx.STATUS: text(f"{here}/stub_status.{state}-t0.txt")})
        texts = {
            nginx.STATUS: text(f"{here}/stub_status.{state}.txt"),
            nginx.LOG: text(f"{here}/{log}.{state}.log"),
        }
        return judge(
            nginx.picture(
                before, Sample(8.0, texts), Balancer("nginx", "file:/x", "auth", addresses=ADDRESSES)
            )
        )
    here = f"envoy/{folder}"
    before = Sample(0.0, {envoy.CLUSTERS: text(f"{here}/clusters.{state}-t0.json")})
    texts = {
        envoy.CLUSTERS: text(f"{here}/clusters.{state}.json"),
        envoy.STATS: text(f"{here}/stats_prometheus.{state}.prom"),
    }
    return judge(
        envoy.picture(before, Sample(7.0, texts), Balancer("envoy", "http://x", "auth", addresses=ADDRESSES))
    )


def corrected(folder: str) -> bool:
    return bool(text(f"nginx/{folder}/stub_status.fixed.txt") or text(f"envoy/{folder}/clusters.fixed.json"))


def test_every_captured_folder_is_in_the_tables() -> None:
    for kind, table in (("nginx", NGINX), ("envoy", ENVOY)):
        assert {path.name for path in (SAMPLES / kind).iterdir() if path.is_dir()} == set(table)


@pytest.mark.parametrize("folder", [*NGINX, *ENVOY])
def test_the_fault_is_named(folder: str) -> None:
    verdict = judged(folder, "broken")
    cause = {**NGINX, **ENVOY}[folder]
    assert (verdict.findings[0].cause if verdict.findings else None) is cause, verdict.sentence
    assert verdict.is_bad == (cause is not None and folder not in HARMLESS), verdict.sentence
    if cause is None:
        assert verdict.culprit is Culprit.APPLICATION


@pytest.mark.parametrize("folder", [*NGINX, *ENVOY])
def test_corrected_is_no_fault(folder: str) -> None:
    if not corrected(folder):
        return
    verdict = judged(folder, "fixed")
    assert not verdict.is_bad, verdict.sentence
    assert bool(verdict.findings) == (folder in ONE_OUT), verdict.sentence
    assert verdict.culprit is Culprit.APPLICATION


@pytest.mark.parametrize("folder", NGINX)
def test_the_same_log_as_text_shows_the_same_split(folder: str) -> None:
    """The text logs are shorter (150 lines), so only what is in both is compared."""
    pools = []
    for log in ("access.json", "access"):
        lines = text(f"nginx/{folder}/{log}.broken.log").splitlines()[:150]
        sample = Sample(8.0, {nginx.LOG: "\n".join(lines)})
        pools.append(nginx.picture(Sample(0.0, {}), sample, Balancer("nginx", "file:/x", "auth")))
    assert [(s.name, s.requests, s.errors, s.unreached) for s in pools[0].servers] == [
        (s.name, s.requests, s.errors, s.unreached) for s in pools[1].servers
    ]
