"""A person's shell on a balancer's host, and three real balancers in it: a runbook's own words are typed there.

Where the runbook says /etc/haproxy/haproxy.cfg, the laboratory's file is meant; `systemctl`, the editor, `ssh` and
`sleep` are small scripts that do here what they do there. Everything else is the real program.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from bot.trials.stubs import free_port
from tests.lab import HAPROXY, NGINX


def _envoy() -> str:
    """The program itself: the wheel's own script starts a Python first."""
    found = find_spec("envoy")
    inside = Path(found.origin).parent / "_bin" / "envoy" if found and found.origin else Path()
    return str(inside) if inside.is_file() else shutil.which("envoy") or ""


ENVOY = _envoy()
OPENSSL = shutil.which("openssl") or ""
SOCAT = shutil.which("socat") or ""


class Shell:
    """One bash, as one terminal: what a block sets, a later one finds."""

    def __init__(self, folder: Path, stands_for: Mapping[str, str]) -> None:
        #: What the runbook writes -> what is meant here.
        self._stands_for = dict(stands_for)
        self._programs = folder / "bin"
        self._programs.mkdir(exist_ok=True)
        self._edit = folder / "edit.sed"
        self.folder = folder
        self.program("sleep", "exec /bin/sleep 0.3")
        self.program("ssh", 'shift; exec bash -c "$*"')
        self.program("editor", f'exec sed -i -E -f {self._edit} "$1"')

    def program(self, name: str, script: str) -> None:
        """Put a small program into the shell's path."""
        path = self._programs / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def __enter__(self) -> Self:
        path = f"{self._programs}:{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PATH": path, "EDITOR": "editor", "LC_ALL": "C"},
        )
        return self

    def __exit__(self, *problem: object) -> None:
        self._bash.kill()
        self._bash.communicate(timeout=10)

    def edits(self, script: str) -> None:
        """What the person changes in the editor, as a sed script."""
        self._edit.write_text(script + "\n")

    def types(self, block: str) -> str:
        """Type a block of a runbook; give everything that was printed."""
        for written, meant in self._stands_for.items():
            block = block.replace(written, meant)
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f'{block}\necho; echo "== typed $?"\n')
        self._bash.stdin.flush()
        told: list[str] = []
        for line in self._bash.stdout:
            if line.startswith("== typed "):
                break
            told.append(line)
        else:
            raise AssertionError(f"the shell ended: {''.join(told)}")
        return "".join(told).strip()


class Stage:
    """A balancer in its folder. `ports` are those of four servers behind it."""

    #: What starts and stops it, by the name of systemd's unit.
    unit = ""

    def __init__(self, folder: Path, ports: list[int]) -> None:
        self.folder, self.ports = folder, ports
        self.port, self.tls_port, self.admin_port = free_port(), free_port(), free_port()
        self.config = folder / "config"
        self._pid = folder / "balancer.pid"
        self.shell = Shell(folder, self.stands_for())
        self.shell.program("systemctl", f'case "$*" in {self.service()} *) echo "what is $*?"; exit 1;; esac')

    def stands_for(self) -> dict[str, str]:
        raise NotImplementedError

    def service(self) -> str:
        """The cases of `systemctl` that it knows, in bash."""
        raise NotImplementedError

    def start(self, text: str) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        for path in self.folder.glob("*.pid"):
            with suppress(ValueError, ProcessLookupError):
                os.kill(int(path.read_text()), 9)
            path.unlink()

    def pid(self) -> int:
        return int(self._pid.read_text())

    def asked(self, path: str = "/login", **headers: str) -> int:
        """The status of one request through it; 0 when there is none."""
        talk = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            talk.request("GET", path, headers={"Connection": "close", "User-Agent": "lab", **headers})
            return talk.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            talk.close()

    def statuses(self, times: int, at_once: int = 1, path: str = "/login") -> dict[int, int]:
        """Statuses of many requests, and how often."""
        with ThreadPoolExecutor(at_once) as pool:
            return dict(Counter(pool.map(lambda _: self.asked(path), range(times))))

    def certificate_ends(self) -> str:
        """When the certificate ends that a client is shown."""
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.tls_port), 5) as plain,
            trusting.wrap_socket(plain) as talk,
        ):
            shown = ssl.DER_cert_to_PEM_cert(talk.getpeercert(binary_form=True) or b"")
        return _enddate(shown)

    def ends(self, name: str) -> str:
        """When the certificate in a file ends."""
        return _enddate((self.folder / name).read_text())

    def file(self) -> Path:
        """The configuration on disk."""
        return self.config


def _enddate(certificate: str) -> str:
    told = subprocess.run(
        [OPENSSL, "x509", "-noout", "-enddate"], input=certificate, capture_output=True, text=True, timeout=20
    )
    return told.stdout.strip()


def comes_true(is_so: Callable[[], bool], what: str, timeout: float = 15.0) -> None:
    """Poll until it is so."""
    end = time.monotonic() + timeout
    while True:
        try:
            if is_so():
                return
        except (OSError, ValueError, KeyError, IndexError, http.client.HTTPException):
            pass
        assert time.monotonic() < end, what
        time.sleep(0.02)


class HAProxyStage(Stage):
    unit = "haproxy"

    def __init__(self, folder: Path, ports: list[int]) -> None:
        super().__init__(folder, ports)
        self.admin = folder / "admin.sock"

    def stands_for(self) -> dict[str, str]:
        return {
            "/run/haproxy/admin.sock": str(self.folder / "admin.sock"),
            "/run/haproxy-master.sock": str(self.folder / "master.sock"),
            "/etc/haproxy/haproxy.cfg": str(self.config),
            "/etc/haproxy/site.pem": str(self.folder / "site.pem"),
            "/var/log/haproxy.log": str(self.folder / "haproxy.log"),
        }

    def service(self) -> str:
        return f'"reload haproxy") kill -USR2 $(cat {self._pid});;'

    def start(self, text: str) -> None:
        self.config.write_text(text)
        with (self.folder / "haproxy.log").open("wb") as log:
            master = subprocess.Popen(
                [HAPROXY, "-W", "-db", "-S", f"{self.folder}/master.sock", "-f", str(self.config)],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._pid.write_text(str(master.pid))
        self._master = master
        comes_true(lambda: "Pid:" in self.says("show info"), "HAProxy does not answer")
        # A signal that comes before the master listens is lost.
        comes_true(lambda: self.loaded() == "0", "HAProxy's master does not answer")

    def stop(self) -> None:
        if self._pid.exists():
            # The master ends its workers, old ones too.
            self._master.terminate()
            try:
                self._master.wait(5)
            except subprocess.TimeoutExpired:
                self._master.kill()
                self._master.wait(5)
        super().stop()

    def says(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as talk:
            talk.settimeout(5)
            talk.connect(str(self.admin))
            talk.sendall(command.encode() + b"\n")
            talk.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: talk.recv(65536), b"")).decode()

    def column(self, name: str, words: str = "be_auth 4 -1") -> dict[str, str]:
        """One column of `show stat`, by server."""
        head, *rows = self.says(f"show stat {words}").lstrip("# ").strip().splitlines()
        at = head.split(",").index(name)
        return {row.split(",")[1]: row.split(",")[at] for row in rows if row}

    def told(self, name: str) -> str:
        """One line of `show info`."""
        return next(
            line.partition(": ")[2]
            for line in self.says("show info").splitlines()
            if line.startswith(f"{name}:")
        )

    def reload(self) -> None:
        os.kill(self.pid(), signal.SIGUSR2)

    def is_busy(self) -> None:
        """Wait until a request is under way."""
        comes_true(lambda: any(int(busy) for busy in self.column("scur").values()), "no request is under way")

    def by_master(self) -> list[list[str]]:
        """The rows of the master's `show proc`; an empty one where its old workers begin."""
        with socket.socket(socket.AF_UNIX) as talk:
            talk.settimeout(5)
            talk.connect(f"{self.folder}/master.sock")
            talk.sendall(b"show proc\n")
            talk.shutdown(socket.SHUT_WR)
            lines = b"".join(iter(lambda: talk.recv(65536), b"")).decode().splitlines()
        return [
            [] if line.startswith("# old") else line.split()
            for line in lines
            if line[:1] != "#" or "old" in line
        ]

    def old_workers(self) -> int:
        rows = self.by_master()
        return sum(1 for row in rows[rows.index([]) :] if row[1:2] == ["worker"]) if [] in rows else 0

    def loaded(self) -> str:
        """How often it was reloaded."""
        return next((row[2] for row in self.by_master() if row[1:2] == ["master"]), "")

    def addresses(self) -> list[str]:
        rows = [
            line.split() for line in self.says("show servers state be_auth").splitlines()[2:] if line.strip()
        ]
        return [f"{row[4]}:{row[18]}" for row in rows]

    def text(
        self,
        *,
        servers: tuple[str, ...] = ("", "", "", ""),
        backend: str = "balance roundrobin",
        front: str = "",
        head: str = "",
        timeout: str = "5s",
        check: str = "/healthz",
    ) -> str:
        lines = "\n".join(
            f"    server auth{at} 127.0.0.1:{port} check {words}"
            for at, (port, words) in enumerate(zip(self.ports, servers, strict=True), 1)
        )
        return f"""\
global
    log stdout format raw local0
    stats socket {self.folder}/admin.sock mode 600 level admin
    maxconn 500
    {head}
defaults
    mode http
    log global
    option httplog
    timeout connect 1s
    timeout client 10s
    timeout server {timeout}
frontend fe_login
    bind 127.0.0.1:{self.port}
    bind 127.0.0.1:{self.tls_port} ssl crt {self.folder}/site.pem
    {front}
    default_backend be_auth
backend be_auth
    {backend}
    option httpchk GET {check}
    default-server inter 100ms fall 1 rise 1
{lines}
"""


class NginxStage(Stage):
    unit = "nginx"

    def stands_for(self) -> dict[str, str]:
        return {
            "/etc/nginx/nginx.conf": str(self.config),
            "/etc/nginx/tls/site": str(self.folder / "site"),
            "/var/log/nginx/": f"{self.folder}/",
        }

    def service(self) -> str:
        return '"reload nginx") nginx -s reload;;'

    def start(self, text: str) -> None:
        self.config.write_text(text)
        self.shell.program(
            "nginx", f'exec {NGINX} -p {self.folder} -c {self.config} -e {self.folder}/error.log "$@"'
        )
        for name in ("access.log", "error.log"):
            (self.folder / name).write_text("")
        self._master = subprocess.Popen(
            [NGINX, "-p", str(self.folder), "-c", str(self.config), "-e", f"{self.folder}/error.log"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        comes_true(lambda: bool(self.asked("/up")), "nginx does not answer")

    def stop(self) -> None:
        if (self.folder / "balancer.pid").exists():
            self._master.terminate()
            self._master.wait(10)

    def file(self) -> Path:
        return self.config

    def reload(self) -> None:
        os.kill(self.pid(), signal.SIGHUP)

    def is_busy(self) -> None:
        """Wait until a request is under way."""
        # This question is one, and so is the listener's.
        comes_true(lambda: int(self._get("/connections").split()[2]) > 1, "no request is under way")

    def _get(self, path: str) -> str:
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    def loaded(self) -> str:
        """How often it was reloaded."""
        return str((self.folder / "error.log").read_text().count(", reconfiguring"))

    def old_workers(self) -> int:
        told = subprocess.run(
            ["ps", "-o", "args=", "--ppid", str(self.pid())], capture_output=True, text=True, timeout=20
        )
        return told.stdout.count("is shutting down")

    def share_of_slow(self) -> str:
        """What a server gets that is much slower than the others."""
        got = self.shares(40, at_once=8).get("auth1", 0)
        return "a quarter" if got == 10 else "less" if got <= 6 else f"{got} of 40"

    def shares(self, times: int = 40, at_once: int = 1, **headers: str) -> dict[str, int]:
        """Requests by the server that answered, as the access log has them."""
        before = (self.folder / "access.log").stat().st_size
        with ThreadPoolExecutor(at_once) as pool:
            each = [{name: value.format(at) for name, value in headers.items()} for at in range(times)]
            list(pool.map(lambda one: self.asked(**one), each))
        with (self.folder / "access.log").open() as log:
            log.seek(before)
            found = [json.loads(line)["upstream_addr"].split(", ")[-1] for line in log]
        names = {f"127.0.0.1:{port}": f"auth{at}" for at, port in enumerate(self.ports, 1)}
        return dict(sorted(Counter(names.get(address, address) for address in found).items()))

    def text(
        self,
        *,
        servers: tuple[str, ...] = ("", "", "", ""),
        upstream: str = "",
        location: str = "",
        connections: int = 64,
    ) -> str:
        lines = "\n".join(
            f"    server 127.0.0.1:{port} {words};" for port, words in zip(self.ports, servers, strict=True)
        )
        user = "user root;" if os.getuid() == 0 else ""
        return f"""\
{user}
daemon off;
worker_processes 1;
pid {self.folder}/balancer.pid;
error_log {self.folder}/error.log notice;
events {{ worker_connections {connections}; }}
http {{
  log_format lantern escape=json '{{"status":"$status","client":"$remote_addr","upstream_addr":"$upstream_addr",'
    '"upstream_status":"$upstream_status","upstream_response_time":"$upstream_response_time"}}';
  access_log {self.folder}/access.log lantern;
  proxy_temp_path {self.folder}/t1; client_body_temp_path {self.folder}/t2; fastcgi_temp_path {self.folder}/t3;
  uwsgi_temp_path {self.folder}/t4; scgi_temp_path {self.folder}/t5;
  upstream be_auth {{
    {upstream}
{lines}
  }}
  server {{
    listen 127.0.0.1:{self.port};
    listen 127.0.0.1:{self.tls_port} ssl;
    server_name localhost;
    ssl_certificate {self.folder}/site.crt;
    ssl_certificate_key {self.folder}/site.key;
    location /up {{ access_log off; return 200; }}
    location /connections {{ access_log off; stub_status; }}
    location / {{
      proxy_pass http://be_auth;
      {location}
    }}
  }}
}}
"""


class EnvoyStage(Stage):
    unit = "envoy"

    def stands_for(self) -> dict[str, str]:
        return {
            "/etc/envoy/envoy.yaml": str(self.config.with_suffix(".yaml")),
            "/etc/envoy/tls/site": str(self.folder / "site"),
            "127.0.0.1:9901": f"127.0.0.1:{self.admin_port}",
        }

    def service(self) -> str:
        return f'"restart envoy") {self.folder}/bin/restart-envoy;;'

    def start(self, text: str) -> None:
        path = self.config.with_suffix(".yaml")
        path.write_text(text)
        self.shell.program("envoy", f'exec {ENVOY} -l off "$@" 2>&1')
        self.shell.program(
            "restart-envoy",
            f"""[ -f {self._pid} ] && kill -9 $(cat {self._pid})
setsid {ENVOY} -c {path} --disable-hot-restart --concurrency 1 -l error >{self.folder}/envoy.log 2>&1 </dev/null &
echo $! > {self._pid}""",
        )
        subprocess.run([self.folder / "bin" / "restart-envoy"], check=True, timeout=20)
        comes_true(lambda: b"LIVE" in self._get("/ready"), "Envoy does not answer")

    def _get(self, path: str) -> bytes:
        with urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=5) as answer:
            return bytes(answer.read())

    def clusters(self, name: str) -> list[str]:
        """One value of every host of the cluster, in their order."""
        lines = self._get("/clusters").decode().splitlines()
        return [
            line.rsplit("::", 1)[1]
            for line in lines
            if f"::{name}::" in line and line.startswith("be_auth::1")
        ]

    def threshold(self, name: str) -> str:
        lines = self._get("/clusters").decode().splitlines()
        return next(line.rsplit("::", 1)[1] for line in lines if f"::default_priority::{name}::" in line)

    def file(self) -> Path:
        return self.config.with_suffix(".yaml")

    def posts(self, path: str) -> None:
        urlopen(f"http://127.0.0.1:{self.admin_port}{path}", data=b"", timeout=5).close()

    def servers_asked(self) -> int:
        """How many servers got requests out of forty, each of another client."""
        before = self.clusters("rq_total")
        for at in range(40):
            self.asked(**{"X-Forwarded-For": f"10.0.0.{at}"})
        return sum(one != other for one, other in zip(before, self.clusters("rq_total"), strict=True))

    def dumped(self, *path: str) -> Any:
        """The first value at these keys, one inside another, of what Envoy says it runs with."""
        return _first(json.loads(self._get("/config_dump")), path)

    def stat(self, name: str) -> int:
        return int(self._get(f"/stats?filter={name}").decode().rsplit(": ", 1)[-1])

    def text(
        self,
        *,
        endpoints: tuple[str, ...] = ("", "", "", ""),
        cluster: str = "",
        policy: str = "ROUND_ROBIN",
        route: str = "timeout: 5s",
        locality: str = "",
        top: str = "",
    ) -> str:
        hosts = "\n".join(
            f"        - {{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}{more}}}"
            for port, more in zip(self.ports, endpoints, strict=True)
        )
        chain = f"""filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: login
          route_config:
            virtual_hosts:
            - name: login
              domains: ["*"]
              routes:
              - match: {{prefix: /}}
                route: {{cluster: be_auth, {route}}}
          http_filters:
          - name: envoy.filters.http.health_check
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck
              pass_through_mode: false
              headers: [{{name: ":path", string_match: {{exact: /up}}}}]
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}"""
        return f"""\
admin:
  address: {{socket_address: {{address: 127.0.0.1, port_value: {self.admin_port}}}}}
{top}
static_resources:
  listeners:
  - name: login
    address: {{socket_address: {{address: 127.0.0.1, port_value: {self.port}}}}}
    filter_chains:
    - {chain}
  - name: login_tls
    address: {{socket_address: {{address: 127.0.0.1, port_value: {self.tls_port}}}}}
    filter_chains:
    - transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_certificates:
            - certificate_chain: {{filename: {self.folder}/site.crt}}
              private_key: {{filename: {self.folder}/site.key}}
      {chain}
  clusters:
  - name: be_auth
    type: STATIC
    connect_timeout: 1s
    lb_policy: {policy}
    {cluster}
    load_assignment:
      cluster_name: be_auth
      endpoints:
      - {locality}lb_endpoints:
{hosts}
"""


def _first(found: Any, path: tuple[str, ...]) -> Any:
    if isinstance(found, dict):
        if path[0] in found:
            return found[path[0]] if len(path) == 1 else _first(found[path[0]], path[1:])
        found = list(found.values())
    if isinstance(found, list):
        for one in found:
            if (value := _first(one, path)) is not None:
                return value
    return None


def certificate(folder: Path, name: str, days: int) -> None:
    """A certificate for localhost that ends in so many days: name.crt, name.key."""
    subprocess.run(
        [
            *(OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", str(days), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt"),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
