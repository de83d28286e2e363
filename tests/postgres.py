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

from bot.settings import shipped
from bot.store import schema
from bot.store.db import Database

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


class Cluster:
    """A server of our own in this empty folder, which can be stopped and started again.

    It stops when the process that started it ends. Root may not run PostgreSQL: then user postgres does.
    `is_durable` is for measuring: every commit waits for the disk, as it does at home. Raises NoPostgres.
    """

    def __init__(self, folder: Path, *, is_durable: bool = False, **settings: str) -> None:
        self._folder = folder
        self._programs = find_programs()
        self._as_whom: list[str] = []
        self._settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "on" if is_durable else "off",
            "max_connections": "200",
            "shared_buffers": "16MB",
            **settings,
        }
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
            self._as_whom = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        making = ["-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(
            [*self._as_whom, self._programs / "initdb", *making],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._server: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        self.start()

    @property
    def url(self) -> str:
        """The URL of its `postgres` database."""
        return f"postgresql+psycopg://postgres@/postgres?host={self._folder}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start, and be ready to answer."""
        as_whom = self._as_whom
        # A test run that is killed must not leave a server behind.
        if shutil.which("setpriv") is not None:
            as_whom = [*(as_whom or ["setpriv"]), "--pdeathsig=QUIT"]
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        self._server = subprocess.Popen(
            [*as_whom, self._programs / "postgres", "-D", self._data, *options],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 30
        while True:
            try:
                connect(self.url).close()
                return
            except psycopg.OperationalError:
                if self._server.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def stop(self, *, is_immediate: bool = True) -> None:
        """Stop: as if it had crashed, or, taking leave of every client, fast."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT if is_immediate else signal.SIGINT)
            self._server.wait(30)
            self._server = None


def start_cluster(folder: Path, *, is_durable: bool = False) -> str:
    """Start a cluster in this empty folder and give the URL of its `postgres` database."""
    return Cluster(folder, is_durable=is_durable).url


def temporary_cluster(**settings: str) -> Cluster:
    """A cluster in a temporary folder of its own. Raises NoPostgres."""
    find_programs()
    # Not pytest's folders: only their owner may enter them, and a socket's path has about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="lantern-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Cluster(folder, **settings)


@functools.cache
def shared_cluster() -> str:
    """The URL of this process's own cluster, started when it is first asked for. Raises NoPostgres."""
    return temporary_cluster().url


def new_database(cluster_url: str, *, is_empty: bool = False) -> str:
    """Create a database with this version's tables in the cluster, or an empty one, and give its URL."""
    template = "template1" if is_empty else _template(cluster_url)
    return _create(cluster_url, template)


@functools.cache
def _template(cluster_url: str) -> str:
    # Copying a database takes a third of the time that migrating one takes.
    url = _create(cluster_url, "template1")
    db = Database(url)
    try:
        schema.migrate(db, shipped("migrations"))
    finally:
        db.close()
    return str(db.url.database)


def _create(cluster_url: str, template: str) -> str:
    name = f"lantern_{os.getpid()}_{next(_numbers)}"
    with connect(cluster_url) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return cluster_url.replace("@/postgres?", f"@/{name}?")


def hasty(url: str) -> str:
    """The same, where who falls asleep inside a transaction keeps its rows for half a second, not half a minute."""
    return f"{url}&options=-c%20idle_in_transaction_session_timeout%3D500"


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection of the driver's own, which commits every statement."""
    return psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)
