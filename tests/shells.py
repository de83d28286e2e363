"""A person's shell on a balancer's host, and three real balancers in it: a runbook's own words are typed there.

Where the runbook says /etc/haproxy/haproxy.cfg, the laboratory's file is meant; `systemctl`, the editor, `ssh` and
`sleep` are small scripts that do here what they do there. Everything else is the real program.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Self

from bot.trials.stubs import free_port

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
    """Poll until it is so. `timeout`: seconds on a machine at rest; a busy one gets three times as long."""
    end = time.monotonic() + 3 * timeout
    while True:
        try:
            if is_so():
                return
        except (OSError, ValueError, KeyError, IndexError, http.client.HTTPException):
            pass
        assert time.monotonic() < end, what
        time.sleep(0.02)


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
