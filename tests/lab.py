"""A small load-balancer laboratory on loopback: stub servers with a capacity, clients that do not wait, real balancers.

Everything is small enough for one busy core: 90 requests a second, servers that do 66 a second each. Four of them are
plenty; one alone is not, which is the bottleneck this project grew out of.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from bot.trials.stubs import free_port

_SBIN = "/usr/sbin:/usr/local/sbin"
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path=_SBIN) or ""
NGINX = shutil.which("nginx") or shutil.which("nginx", path=_SBIN) or ""


class Stub:
    """One server: `workers` at a time, `delay` seconds an answer, `room` may wait, then 503."""

    def __init__(self, workers: int = 2, delay: float = 0.03, room: int = 10) -> None:
        self.delay, self.room = delay, room
        #: Status of the answers on /login, 0 to hang up instead; the health check answers 200 all the same.
        self.status = 200
        #: Of how many answers one has that status and takes the long delay; the others are 200 after the usual one.
        self.one_of = 1
        self.long_delay: float | None = None
        #: Seconds that one answer of twenty takes.
        self.tail: float | None = None
        self.health_path = "/healthz"
        self.served = 0
        self._workers = workers
        self._waiting = 0
        self.port = 0

    async def start(self) -> None:
        self._turn = asyncio.Semaphore(self._workers)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            status = await self._answer(path)
            if not status:
                return
            writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".encode())
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str) -> int:
        if path != "/login":
            return 200 if path == self.health_path else 404
        if self._waiting >= self.room + self._workers:
            return 503
        self._waiting += 1
        self.served += 1
        is_odd = self.served % self.one_of == 0
        usual = self.tail if self.tail and self.served % 20 == 1 else self.delay
        try:
            async with self._turn:
                await asyncio.sleep(self.long_delay if is_odd and self.long_delay else usual)
        finally:
            self._waiting -= 1
        return self.status if is_odd else 200


class Traffic:
    """Clients that do not wait for each other: so many logins a second, each on a connection of its own."""

    def __init__(self) -> None:
        self.ok = self.failed = 0
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, port: int, rate: float, clients: int) -> None:
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while True:
            # After the machine stood still, what is missed is missed: all of it at once would be another fault.
            due = (loop.time() - began) * rate
            sent = max(sent, int(due) - 5)
            while sent < due:
                task = asyncio.create_task(self._login(port, sent % clients))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
                sent += 1
            await asyncio.sleep(0.005)

    async def _login(self, port: int, number: int) -> None:
        # Many client addresses, as hashing needs them; the whole of 127/8 is loopback on Linux.
        local = (f"127.0.{10 + number % 20}.{1 + number % 199}", 0)
        is_ok = False
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=local)
                writer.write(
                    b"POST /login HTTP/1.1\r\nHost: login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                is_ok = (await reader.readline()).split(b" ")[1:2] == [b"200"]
                writer.close()
        except (OSError, TimeoutError):
            pass
        self.ok, self.failed = self.ok + is_ok, self.failed + (not is_ok)


async def _live(servers: int) -> None:
    """The other process: does what it is told, a JSON line each, and answers each with one."""
    stubs = [Stub() for _ in range(servers)]
    for stub in stubs:
        await stub.start()
    traffic = Traffic()
    loads: list[asyncio.Task[None]] = []
    _say({"ports": [stub.port for stub in stubs]})
    while line := await asyncio.to_thread(sys.stdin.readline):
        told = json.loads(line)
        if "load" in told:
            loads.append(asyncio.create_task(traffic.run(told["load"], told["rate"], told["clients"])))
        for name, value in told.get("set", {}).items():
            setattr(stubs[told["stub"]], name, value)
        _say({"ok": traffic.ok, "failed": traffic.failed})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


class Lab:
    """`with Lab() as lab:` four stubs in a process of their own, and clients once `load(port)` is called."""

    def __init__(self, servers: int = 4) -> None:
        self._servers = servers
        self.ports: list[int] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab", str(self._servers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        self.ports = self._answer()["ports"]
        return self

    def __exit__(self, *problem: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=10)

    def load(self, port: int, rate: float = 90.0, clients: int = 3980) -> None:
        """Send logins to a port from now on, `rate` a second, from so many addresses in turn."""
        self._tell({"load": port, "rate": rate, "clients": clients})

    def change(self, stub: int, **values: object) -> None:
        """Change a stub, from 0: delay, long_delay and tail (seconds), status, one_of, health_path, room."""
        self._tell({"stub": stub, "set": values})

    def counts(self) -> tuple[int, int]:
        """Logins so far that worked, and that failed."""
        answer = self._tell({})
        return int(answer["ok"]), int(answer["failed"])

    def _tell(self, told: dict[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the laboratory died"
        answer: dict[str, Any] = json.loads(line)
        return answer


class HAProxy:
    """A real HAProxy before a lab's stubs; its configuration can be changed and reloaded."""

    def __init__(self, folder: Path, lab: Lab) -> None:
        self.folder, self.lab = folder, lab
        self.port = free_port()
        self.socket = folder / "stats.sock"
        self.admin = folder / "admin.sock"
        self._file = folder / "haproxy.cfg"
        self._process: subprocess.Popen[bytes] | None = None

    def configuration(
        self,
        *,
        servers: tuple[str, ...] = ("", "", "", ""),
        backend: str = "balance roundrobin",
        front: str = "",
        check: str = "/healthz",
        head: str = "",
    ) -> str:
        """A configuration with these extra words behind each server, and extra lines."""
        lines = "\n".join(
            f"    server auth{at} 127.0.0.1:{port} check {words}".rstrip()
            for at, (port, words) in enumerate(zip(self.lab.ports, servers, strict=True), 1)
        )
        return f"""\
global
    stats socket {self.socket} mode 600 level user
    stats socket {self.admin} mode 600 level admin
    maxconn 500
    {head}
defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 5s
    timeout queue 2s
    retries 3
    option redispatch
frontend fe_login
    bind 127.0.0.1:{self.port}
    {front}
    default_backend be_auth
backend be_auth
    {backend}
    option httpchk GET {check}
    default-server inter 500ms fall 2 rise 1 maxconn 200
{lines}
"""

    def start(self, text: str) -> None:
        """Start with a configuration, and wait until it answers."""
        self._file.write_text(text)
        self._process = subprocess.Popen(
            [HAPROXY, "-db", "-f", str(self._file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 10
        while not self.socket.exists() or not self.says("show info"):
            assert self._process.poll() is None, "HAProxy did not start"
            assert time.monotonic() < end, "HAProxy does not answer"
            time.sleep(0.02)

    def restart(self, text: str) -> None:
        """The same with another configuration: what a reload is to the counters."""
        self.stop()
        self.start(text)

    def says(self, command: str) -> str:
        """The answer of the admin socket; "" while it does not answer."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talk:
                talk.settimeout(5)
                talk.connect(str(self.admin))
                talk.sendall(command.encode() + b"\n")
                talk.shutdown(socket.SHUT_WR)
                kept = b""
                while more := talk.recv(65536):
                    kept += more
        except OSError:
            return ""
        return kept.decode()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
        for path in (self.socket, self.admin):
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    asyncio.run(_live(int(sys.argv[1])))
