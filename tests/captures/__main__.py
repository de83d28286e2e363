"""Makes the captures anew: `python -m tests.captures [kind[/name] ...]`.

Needs HAProxy, nginx, Envoy, Traefik, Caddy and openssl; README.md says where they come from.
"""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.balancers import caddy, envoy, haproxy, nginx, traefik
from bot.balancers.answers import LOG
from bot.balancers.asking import ask_http
from bot.balancers.kinds import kind_of
from bot.balancers.sample import Sample
from bot.domain.catalogue import Balancer
from bot.domain.verdict import judge
from bot.trials.stubs import Stub as Other
from bot.trials.stubs import free_port
from tests.captures import CASES, Case
from tests.gateways import Caddy, Traefik
from tests.lab import HAProxy, Lab
from tests.proxies import Envoy, Nginx

#: Formats that people have, in turn.
_FORMATS = (
    Nginx.FORMAT,
    'escape=json \'{"t":"$msec","status":$status,"uri":"$uri","ip":"$remote_addr","upstream":"$upstream_addr",'
    '"ust":"$upstream_status","urt":"$upstream_response_time"}\'',
    '\'$remote_addr - - [$time_local] "$request" $status $body_bytes_sent rt=$request_time ua="$upstream_addr" '
    'us="$upstream_status" ut="$upstream_response_time" uc="$upstream_connect_time"\'',
    '\'$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$upstream_addr" "$upstream_status" '
    '"$upstream_response_time"\'',
)
#: Requests within the window.
_ENOUGH = 230
#: Lines of a log that are kept where each has half a kilobyte.
_LINES = 70


def main(wanted: list[str]) -> int:
    for case in CASES:
        here = f"{case.kind}/{case.name}"
        if wanted and case.kind not in wanted and here not in wanted:
            continue
        with Lab() as lab, tempfile.TemporaryDirectory(prefix="lantern-captures-") as folder:
            for at in range(4):
                lab.change(at, **{**case.stubs, **(case.third if at == 2 else {})})
            _taken(case, lab, Path(folder))
        before, after, balancer = case.kept()
        pool = kind_of(case.kind).picture(before, after, balancer)
        print(f"{here}: {judge(pool).sentence}")
    return 0


def _taken(case: Case, lab: Lab, folder: Path) -> None:
    made = {"haproxy": _haproxy, "nginx": _nginx, "envoy": _envoy, "traefik": _traefik, "caddy": _caddy}
    made[case.kind](case, lab, folder)


def _ports(case: Case, lab: Lab) -> tuple[int, ...]:
    made = {"closed": free_port, "other": lambda: _Failing().port}
    return tuple(lab.ports[one] if isinstance(one, int) else made[one]() for one in case.servers)


def _known(case: Case, lab: Lab, ports: Sequence[int]) -> dict[str, str]:
    """What a catalogue says of the servers: what is configured, but for a server that should not be there."""
    meant = [lab.ports[at] if one == "other" else ports[at] for at, one in enumerate(case.servers)]
    return {f"auth{at}": f"127.0.0.1:{port}" for at, port in enumerate(meant, 1)}


class _Failing(Other):
    """Another service: it answers everything with 500."""

    def _serve(self) -> None:
        while True:
            talk, _ = self._listener.accept()
            with talk, suppress(OSError):
                talk.recv(4096)
                talk.sendall(b"HTTP/1.1 500 x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")


def _load(case: Case, lab: Lab, port: int) -> None:
    if case.is_tls:
        threading.Thread(target=_shaken, args=(port,), daemon=True).start()
    else:
        lab.load(port, case.rate, case.clients)
    # Faults take a moment to show: queues fill, time-outs pass.
    time.sleep(7 if "long_delay" in case.stubs and "one_of" not in case.stubs else 2.5)


def _shaken(port: int) -> None:
    """Clients that do not trust the certificate, 90 a second for a while."""
    context = ssl.create_default_context()
    ends_at = time.monotonic() + 15
    while time.monotonic() < ends_at:
        with suppress(OSError):
            context.wrap_socket(
                socket.create_connection(("127.0.0.1", port), 2), server_hostname="login.example.test"
            )
        time.sleep(0.008)


def _window(case: Case) -> float:
    return _ENOUGH / case.rate * (2 if case.is_tls else 1) + 0.2


def _certificate(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=login.example.test"]
    subprocess.run([*words, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    key.chmod(0o644)
    return key, certificate


def _haproxy(case: Case, lab: Lab, folder: Path) -> None:
    one = HAProxy(folder, lab)
    one.start(one.configuration(**case.configured))
    try:
        for words in case.said:
            assert one.says(words).strip() == "", words
        _load(case, lab, one.port)
        balancer = Balancer("haproxy", f"unix:{one.socket}", "be_auth")
        before = haproxy.look(balancer)
        time.sleep(_window(case))
        after = haproxy.look(balancer, before)
    finally:
        one.stop()
    # Name and process numbers of the machine are nobody's business.
    scrubbed = re.sub(r"(?m)^(node|Pid): .*", r"\1: 1", after.texts[haproxy.INFO])
    texts = {haproxy.STAT: after.texts[haproxy.STAT], haproxy.STATE: after.texts[haproxy.STATE]}
    case.keep(
        Sample(before.at, {haproxy.STAT: before.texts[haproxy.STAT]}),
        Sample(after.at, {**texts, haproxy.INFO: scrubbed}),
        "be_auth",
        {},
    )


def _nginx(case: Case, lab: Lab, folder: Path) -> None:
    one = Nginx(folder, lab)
    log_format = _FORMATS[[one.name for one in CASES if one.kind == "nginx"].index(case.name) % len(_FORMATS)]
    made: dict[str, Any] = {"ports": _ports(case, lab), "log_format": log_format, **case.configured}
    if case.is_tls:
        key, certificate = _certificate(folder)
        made["tls"] = f"ssl_certificate {certificate}; ssl_certificate_key {key};"
    one.start(one.configuration(**made))
    try:
        _load(case, lab, one.port)
        balancer = Balancer("nginx", one.status, "auth", log=f"file:{one.log}")
        before = nginx.look(balancer)
        begins_at = one.log.stat().st_size
        time.sleep(_window(case))
        after = nginx.look(balancer, before)
        written = one.log.read_bytes()[begins_at:].decode().splitlines()[1:]
    finally:
        one.stop()
    case.keep(
        Sample(before.at, {nginx.STATUS: before.texts[nginx.STATUS]}),
        Sample(
            after.at,
            {nginx.STATUS: after.texts[nginx.STATUS], nginx.LOG: "\n".join(written[: _ENOUGH + 10]) + "\n"},
        ),
        "auth",
        _known(case, lab, made["ports"]),
    )


def _envoy(case: Case, lab: Lab, folder: Path) -> None:
    one = Envoy(folder, lab)
    made: dict[str, Any] = {"ports": _ports(case, lab), **case.configured}
    if case.is_tls:
        key, certificate = _certificate(folder)
        made["tls"] = _ENVOY_TLS.format(key=key, certificate=certificate)
    one.start(one.configuration(**made))
    try:
        _load(case, lab, one.port)
        balancer = Balancer("envoy", one.admin, "auth")
        before = envoy.look(balancer)
        time.sleep(_window(case))
        after = envoy.look(balancer, before)
    finally:
        one.stop()
    uptime = "\n".join(
        line for line in after.texts[envoy.SERVER].splitlines()[:5] if "uptime_current" in line
    )
    before = replace(before, texts={key: before.texts[key] for key in (envoy.CLUSTERS, envoy.STATS)})
    case.keep(
        before,
        replace(after, texts={**after.texts, envoy.SERVER: f"{{\n{uptime}\n}}\n"}),
        "auth",
        _known(case, lab, made["ports"]),
    )


def _traefik(case: Case, lab: Lab, folder: Path) -> None:
    one = Traefik(folder, lab)
    names = [one.name for one in CASES if one.kind == "traefik"]
    log_format = ("json", "common")[names.index(case.name) % 2]
    ports = _ports(case, lab)
    one.start(ports=ports, log_format=log_format, **case.configured)
    try:
        asked = {traefik.SERVICES: "/api/http/services?search=auth", traefik.METRICS: "/metrics"}
        _kept_with_log(case, lab, (one.port, one.api, one.log), asked, ports)
    finally:
        one.stop()


def _caddy(case: Case, lab: Lab, folder: Path) -> None:
    one = Caddy(folder, lab)
    ports = _ports(case, lab)
    one.start(ports=ports, **case.configured)
    try:
        asked = {
            caddy.UPSTREAMS: "/reverse_proxy/upstreams",
            caddy.CONFIGURATION: "/config/apps/http/servers",
            caddy.METRICS: "/metrics",
        }
        # The health of its servers is in the metrics every ten seconds.
        time.sleep(9 if case.configured.get("check") else 0)
        _kept_with_log(case, lab, (one.port, one.admin, one.log), asked, ports)
    finally:
        one.stop()


def _kept_with_log(
    case: Case, lab: Lab, place: tuple[int, str, Path], asked: dict[str, str], ports: Sequence[int]
) -> None:
    """Two samples: what the address answers, and the log between them, cut to what keeps the project small."""
    port, address, log = place
    kind = kind_of(case.kind)
    _load(case, lab, port)
    begins_at = log.stat().st_size if log.exists() else 0
    samples = []
    for _ in range(2):
        texts = {key: ask_http(address, path) for key, path in asked.items()}
        texts[kind.METRICS] = _figures_alone(texts[kind.METRICS])  # type: ignore[attr-defined]
        samples.append(Sample(time.monotonic(), texts))
        time.sleep(0 if len(samples) == 2 else _window(case))
    lines = log.read_bytes()[begins_at:].decode().splitlines()[1:]
    before = replace(samples[0], texts={kind.METRICS: samples[0].texts[kind.METRICS]})  # type: ignore[attr-defined]
    after = replace(samples[1], texts={**samples[1].texts, LOG: "\n".join(lines[:_LINES]) + "\n"})
    case.keep(before, after, "auth", _known(case, lab, ports))


def _figures_alone(text: str) -> str:
    """The figures that are about requests; both programs also tell much of themselves."""
    wanted = ("traefik_", "caddy_http_requests", "caddy_reverse_proxy", "process_start_time")
    lines = [line for line in text.splitlines() if line.removeprefix("# TYPE ").startswith(wanted)]
    return "\n".join(line for line in lines if "_bucket{" not in line and "_bytes_" not in line) + "\n"


_ENVOY_TLS = """\
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_certificates:
            - certificate_chain: {{ filename: "{certificate}" }}
              private_key: {{ filename: "{key}" }}
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
