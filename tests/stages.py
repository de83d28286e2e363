"""Real HAProxy and nginx on the laboratory's host, for the runbooks' commands."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

from tests.lab import HAPROXY, NGINX
from tests.shells import Stage, comes_true


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
            "/run/nginx.pid": f"{self.folder}/balancer.pid",
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
