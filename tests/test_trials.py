"""A configuration tried before it is deployed: faults that its own check accepts are found, good files pass."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.__main__ import main
from tests.conftest import missing
from tests.lab import HAPROXY, NGINX


@pytest.fixture
def haproxy() -> str:
    if not HAPROXY:
        missing("HAProxy is not installed.")
    return HAPROXY


@pytest.fixture
def nginx() -> str:
    if not NGINX:
        missing("nginx is not installed.")
    return NGINX


def haproxy_file(folder: Path, *, backend: str = "balance roundrobin", servers: tuple[str, ...] = ()) -> Path:
    """An haproxy.cfg as production has them: TLS, checks, a log, a stats page, another backend."""
    lines = "\n".join(
        f"    server {words}"
        for words in servers
        or (
            "auth1 10.0.0.1:8080 check",
            "auth2 10.0.0.2:8080 check",
            "auth3 10.0.0.3:8080 check",
            "auth4 10.0.0.4:8080 check",
        )
    )
    path = folder / "haproxy.cfg"
    path.write_text(
        f"""\
global
    log /dev/log local0
    user haproxy
    chroot /var/lib/haproxy
    stats socket /run/haproxy/admin.sock mode 660 level admin
    maxconn 2000
defaults
    log global
    mode http
    option httplog
    timeout connect 1s
    timeout client 10s
    timeout server 5s
frontend fe_login
    bind :443 ssl crt /etc/haproxy/site.pem  # the certificate is not on this machine
    acl is_api path_beg /api
    use_backend be_api if is_api
    default_backend be_auth
backend be_auth
    {backend}
    option httpchk GET /healthz
    http-check expect status 200
    default-server inter 2s maxconn 200
{lines}
backend be_api
    server api1 10.0.1.1:8080
""",
        encoding="utf-8",
    )
    return path


def tried(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit status, and what was printed, of `lantern balancer try`."""
    status = main(["balancer", "try", *words])
    out, err = capsys.readouterr()
    return status, out + err


def test_a_good_haproxy_file_passes(tmp_path: Path, haproxy: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = haproxy_file(tmp_path)
    status, shown = tried(capsys, str(path), "--backend", "be_auth", "--program", haproxy)
    assert (status, shown.splitlines()[0]) == (0, "As intended: 4 servers, each within 1 % of its share.")


WEIGHTS = tuple(f"auth{at} 10.0.0.{at}:8080 check weight {200 if at == 1 else 10}" for at in range(1, 5))
BACKUPS = tuple(f"auth{at} 10.0.0.{at}:8080 check{'' if at == 1 else ' backup'}" for at in range(1, 5))
DISABLED = tuple(f"auth{at} 10.0.0.{at}:8080 check{'' if at == 1 else ' disabled'}" for at in range(1, 5))
ONE_PORT = tuple(f"auth{at} 10.0.0.{at}:{8080 if at < 4 else 8088} check" for at in range(1, 5))
TWICE = ("auth1 10.0.0.1:8080", "auth2 10.0.0.2:8080", "auth3 10.0.0.2:8080")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"servers": WEIGHTS},
            "auth1 gets 87 % of the requests, 25 % would be fair: its weights are 200/10/10/10",
        ),
        ({"backend": "balance uri"}, "balance uri puts most requests on one server"),
        ({"servers": BACKUPS}, "3 of 4 servers are marked backup and get nothing"),
        ({"servers": DISABLED}, "3 of 4 servers are in MAINT"),
        ({"servers": ONE_PORT}, "auth4 has port 8088, every other server 8080"),
        ({"servers": TWICE}, "auth2, auth3 have the same address 10.0.0.2:8080"),
    ],
)
def test_what_haproxy_s_own_check_accepts_is_found(
    tmp_path: Path, haproxy: str, capsys: pytest.CaptureFixture[str], changes: dict[str, object], words: str
) -> None:
    path = haproxy_file(tmp_path, **changes)  # type: ignore[arg-type]
    plain = path.read_text().replace("bind :443 ssl crt /etc/haproxy/site.pem", "bind 127.0.0.1:0")
    (tmp_path / "plain.cfg").write_text(plain)
    checked = subprocess.run(
        [haproxy, "-c", "-f", str(tmp_path / "plain.cfg")], capture_output=True, check=False
    )
    # As user root with its own chroot missing elsewhere HAProxy may grumble; what it refuses is not what we look for.
    assert b"weight" not in checked.stderr
    status, shown = tried(capsys, str(path), "--backend", "be_auth", "--path", "/login", "--program", haproxy)
    assert status == 1, shown
    assert shown.startswith("Not as intended: ")
    assert words in shown


def test_an_intended_split_passes_and_its_opposite_does_not(
    tmp_path: Path, haproxy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    servers = tuple(f"auth{at} 10.0.0.{at}:8080 weight {100 if at < 3 else 50}" for at in range(1, 5))
    path = haproxy_file(tmp_path, servers=servers)
    meant = ["--intended", "auth1=2", "auth2=2", "auth3=1", "auth4=1"]
    status, shown = tried(capsys, str(path), "--backend", "be_auth", *meant, "--program", haproxy)
    assert status == 0, shown
    meant = ["--intended", "auth1=1", "auth2=1", "auth3=2", "auth4=2"]
    status, shown = tried(capsys, str(path), "--backend", "be_auth", *meant, "--program", haproxy)
    assert status == 1, shown


def test_known_addresses_are_compared(
    tmp_path: Path, haproxy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = haproxy_file(tmp_path)
    wanted = ["--address", "auth4=10.0.0.4:8081"]
    status, shown = tried(capsys, str(path), "--backend", "be_auth", *wanted, "--program", haproxy)
    assert status == 1, shown
    assert "auth4 points at 10.0.0.4:8080; it should be 10.0.0.4:8081" in shown


def nginx_file(folder: Path, servers: tuple[str, ...], policy: str = "") -> Path:
    """An nginx.conf with comments, quotes and an upstream inside http."""
    lines = "\n".join(f"        server {words};" for words in servers)
    path = folder / "nginx.conf"
    path.write_text(
        f"""\
# upstream auth {{ server 1.2.3.4; }}  not this one
user www-data;
events {{ worker_connections 768; }}
http {{
    log_format main '$remote_addr "$request" {{}}; ${{upstream_addr}}';
    upstream auth {{
        {policy}
        zone auth 64k;
{lines}
        keepalive 16;
    }}
    server {{ listen 443 ssl; ssl_certificate /etc/none.pem; location / {{ proxy_pass http://auth; }} }}
}}
""",
        encoding="utf-8",
    )
    return path


EVEN = tuple(f"10.0.0.{at}:8080 max_fails=3" for at in range(1, 5))


@pytest.mark.parametrize(
    ("servers", "policy", "words"),
    [
        (EVEN, "", None),
        (EVEN, "least_conn;", None),
        (EVEN, "hash $remote_addr consistent;", None),
        (("10.0.0.1:8080 weight=20", *EVEN[1:]), "", "its weights are 20/1/1/1, as in the file"),
        (EVEN, "hash $uri;", "puts most requests on one server"),
        ((EVEN[0], *(f"{one} backup" for one in EVEN[1:])), "", "are marked backup and get nothing"),
        ((EVEN[0], *(f"{one} down" for one in EVEN[1:])), "", "are in MAINT"),
        ((*EVEN[:3], "10.0.0.4:8088"), "", "10.0.0.4:8088 has port 8088, every other server 8080"),
    ],
)
def test_nginx_s_upstreams_are_tried_likewise(
    tmp_path: Path,
    nginx: str,
    capsys: pytest.CaptureFixture[str],
    servers: tuple[str, ...],
    policy: str,
    words: str | None,
) -> None:
    path = nginx_file(tmp_path, servers, policy)
    status, shown = tried(capsys, str(path), "--backend", "auth", "--program", nginx)
    assert status == (0 if words is None else 1), shown
    assert (words or "As intended") in shown


def test_what_cannot_be_tried_is_said(
    tmp_path: Path, haproxy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good = haproxy_file(tmp_path)
    assert "It has: be_auth, be_api." in tried(capsys, str(good), "--backend", "be_aut")[1]
    assert "cannot be read" in tried(capsys, str(tmp_path / "none.cfg"), "--backend", "x")[1]
    broken = haproxy_file(tmp_path, backend="balance sideways")
    status, shown = tried(capsys, str(broken), "--backend", "be_auth", "--program", haproxy)
    assert status == 2
    assert "HAProxy does not start with this file" in shown
    assert "--intended auth1=2" in tried(capsys, str(good), "--backend", "be_auth", "--intended", "auth1")[1]
    assert "needs a number" in tried(capsys, str(good), "--backend", "be_auth", "--intended", "auth1=x")[1]
