"""A real Envoy on the laboratory's host, for the runbooks' commands."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.shells import Stage, comes_true


def _envoy() -> str:
    """The program itself: the wheel's own script starts a Python first."""
    found = find_spec("envoy")
    inside = Path(found.origin).parent / "_bin" / "envoy" if found and found.origin else Path()
    return str(inside) if inside.is_file() else shutil.which("envoy") or ""


ENVOY = _envoy()


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
            # The next one cannot listen before the last one has let go of its ports.
            f"""if [ -f {self._pid} ]; then
  kill -9 $(cat {self._pid})
  for i in $(seq 250); do
    case "$(ps -o state= -p $(cat {self._pid}))" in ""|Z*) break ;; esac
    sleep 0.02
  done
fi
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
