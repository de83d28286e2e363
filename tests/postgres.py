"""A throw-away PostgreSQL for the tests: its own cluster, in a temporary folder, on a unix socket only."""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

_numbers = itertools.count(1)


class NoPostgres(Exception):
    """PostgreSQL's server programs are not installed here."""


def find_programs() -> Path:
    """The folder of initdb and postgres. Raises NoPostgres."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    # Debian keeps them off the PATH, one folder a version.
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise NoPostgres("initdb is neither on the PATH nor under /usr/lib/postgresql")
    return found[-1].parent


def start_cluster(folder: Path, *, is_durable: bool = False) -> str:
    """Start a cluster in this empty folder and give the URL of its `postgres` database.

    It stops when the process that started it ends. Root may not run PostgreSQL: then user postgres does.
    `is_durable` is for measuring: every commit waits for the disk, as it does at home.
    """
    programs = find_programs()
    as_whom: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_whom = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = folder / "data"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    subprocess.run(
        [
            *as_whom,
            programs / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ],
        check=True,
        **quiet,
    )
    # A test run that is killed must not leave a server behind.
    if shutil.which("setpriv") is not None:
        as_whom = [*(as_whom or ["setpriv"]), "--pdeathsig=QUIT"]
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "on" if is_durable else "off",
        "max_connections": "200",
        "shared_buffers": "16MB",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen([*as_whom, programs / "postgres", "-D", data, *options], **quiet)
    atexit.register(_stop, server)
    url = f"postgresql+psycopg://postgres@/postgres?host={folder}"
    until = time.monotonic() + 30
    while True:
        try:
            _connect(url).close()
            return url
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.02)


@functools.cache
def shared_cluster() -> str:
    """The URL of this process's own cluster, started when it is first asked for. Raises NoPostgres."""
    find_programs()
    # Not pytest's folders: only their owner may enter them, and a socket's path has about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="lantern-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return start_cluster(folder)


def new_database(cluster_url: str) -> str:
    """Create an empty database in the cluster and give its URL."""
    name = f"lantern_{os.getpid()}_{next(_numbers)}"
    with _connect(cluster_url) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return cluster_url.replace("@/postgres?", f"@/{name}?")


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGQUIT)
    server.wait(10)
