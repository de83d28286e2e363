"""Real nginx and Envoy before a lab's stubs (tests/lab.py has HAProxy); their configuration can be changed."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from bot.trials.stubs import free_port
from tests.lab import NGINX, Lab

BACKEND = "auth"


def _envoy() -> str:
    """Envoy as a Python wheel brings it, or this machine's own."""
    wheel = importlib.util.find_spec("envoy")
    if wheel is not None and wheel.origin:
        found = Path(wheel.origin).parent / "_bin" / "envoy"
        if found.is_file():
            return str(found)
    return shutil.which("envoy") or ""


ENVOY = _envoy()


class _Running:
    """One balancer's process."""

    _process: subprocess.Popen[bytes] | None = None

    def _run(self, words: list[str], port: int) -> None:
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not _listens(port):
            assert self._process.poll() is None, f"{words[0]} did not start"
            assert time.monotonic() < end, f"{words[0]} does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            self._process = None


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Nginx(_Running):
    """A real nginx with an access log that says which server answered, and stub_status on a port of its own."""

    FORMAT = (
        'escape=json \'{"status":"$status","request":"$request_method $uri","client":"$remote_addr",'
        '"proxy_host":"$proxy_host","upstream_addr":"$upstream_addr","upstream_status":"$upstream_status",'
        '"upstream_response_time":"$upstream_response_time","upstream_connect_time":"$upstream_connect_time",'
        '"upstream_header_time":"$upstream_header_time"}\''
    )

    def __init__(self, folder: Path, lab: Lab) -> None:
        self.folder, self.lab = folder, lab
        self.port, self.status_port = free_port(), free_port()
        self.log = folder / "access.log"
        self._file = folder / "nginx.conf"

    @property
    def status(self) -> str:
        return f"http://127.0.0.1:{self.status_port}/stub_status"

    @property
    def addresses(self) -> dict[str, str]:
        """What a catalogue says of the servers."""
        return {f"auth{at}": f"127.0.0.1:{port}" for at, port in enumerate(self.lab.ports, 1)}

    def configuration(
        self,
        *,
        servers: tuple[str, ...] = ("", "", "", ""),
        ports: tuple[int, ...] = (),
        upstream: str = "",
        location: str = "",
        http: str = "",
        tls: str = "",
        log_format: str = FORMAT,
    ) -> str:
        """A configuration with these extra words behind each server, and extra lines."""
        lines = "\n".join(
            f"    server 127.0.0.1:{port} {words};".replace(" ;", ";")
            for port, words in zip(ports or self.lab.ports, servers, strict=True)
        )
        kept = "\n".join(
            f"  {kind}_temp_path {self.folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return f"""\
pid {self.folder}/nginx.pid;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
{kept}
  log_format lantern {log_format};
  access_log off;
  {http}
  upstream {BACKEND} {{
    zone {BACKEND} 64k;
    {upstream}
{lines}
  }}
  server {{
    listen 127.0.0.1:{self.port}{" ssl" if tls else ""};
    {tls}
    access_log {self.log} lantern;
    proxy_connect_timeout 1s;
    proxy_read_timeout 5s;
    location / {{
      proxy_pass http://{BACKEND};
      {location}
    }}
  }}
  server {{
    listen 127.0.0.1:{self.status_port};
    location = /stub_status {{ stub_status; }}
  }}
}}
"""

    def start(self, text: str) -> None:
        """Start with a configuration, and wait until it listens."""
        self._file.write_text(text)
        words = [NGINX, "-p", str(self.folder), "-c", str(self._file), "-e", str(self.folder / "error.log")]
        self._run([*words, "-g", "daemon off;"], self.port)

    def reload(self, text: str) -> None:
        """Change the configuration of the running one, as `nginx -s reload` does."""
        assert self._process is not None
        self._file.write_text(text)
        self._process.send_signal(signal.SIGHUP)

    def rotate(self) -> None:
        """Move the log away and have a new one begun, as logrotate does."""
        assert self._process is not None
        self.log.rename(self.log.with_suffix(".log.1"))
        self._process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + 10
        while not self.log.exists():
            assert time.monotonic() < end, "nginx did not open its log again"
            time.sleep(0.01)


class Envoy(_Running):
    """A real Envoy; a changed configuration is a restart."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        self.folder, self.lab = folder, lab
        self.port, self.admin_port = free_port(), free_port()
        self._file = folder / "envoy.yaml"

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    @property
    def addresses(self) -> dict[str, str]:
        """What a catalogue says of the servers."""
        return {f"auth{at}": f"127.0.0.1:{port}" for at, port in enumerate(self.lab.ports, 1)}

    def configuration(
        self,
        *,
        weights: tuple[int, ...] = (1, 1, 1, 1),
        ports: tuple[int, ...] = (),
        policy: str = "ROUND_ROBIN",
        check: str = "/healthz",
        route: str = "timeout: 5s",
        cluster: str = "",
        tls: str = "",
    ) -> str:
        """A configuration with these weights and extra lines; without a health check when `check` is empty."""
        endpoints = "\n".join(
            f"          - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }}\n"
            f"            load_balancing_weight: {weight}"
            for port, weight in zip(ports or self.lab.ports, weights, strict=True)
        )
        checks = (
            "    health_checks:\n"
            "    - { timeout: 0.5s, interval: 0.3s, no_traffic_interval: 0.3s, unhealthy_threshold: 2, "
            f"healthy_threshold: 1, http_health_check: {{ path: {check} }} }}\n"
            if check
            else ""
        )
        return f"""\
admin:
  address: {{ socket_address: {{ address: 127.0.0.1, port_value: {self.admin_port} }} }}
static_resources:
  listeners:
  - name: login
    address: {{ socket_address: {{ address: 127.0.0.1, port_value: {self.port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: login
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{ prefix: "/" }}
                route: {{ cluster: {BACKEND}, {route} }}
{tls}
  clusters:
  - name: {BACKEND}
    type: STATIC
    connect_timeout: 1s
    lb_policy: {policy}
{checks}{cluster}
    load_assignment:
      cluster_name: {BACKEND}
      endpoints:
      - lb_endpoints:
{endpoints}
"""

    def start(self, text: str) -> None:
        """Start with a configuration, and wait until it listens."""
        self._file.write_text(text)
        words = [
            ENVOY,
            "-c",
            str(self._file),
            "--concurrency",
            "1",
            "--disable-hot-restart",
            "-l",
            "critical",
        ]
        self._run(words, self.port)

    def restart(self, text: str) -> None:
        """The same with another configuration: its counters begin anew."""
        self.stop()
        self.start(text)
