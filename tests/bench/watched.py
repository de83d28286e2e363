"""A server that is watched from outside: its memory and its processor time, as /proc tells them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PROC = Path("/proc")


@dataclass(frozen=True)
class Watched:
    """One process."""

    proc: Path

    @property
    def memory(self) -> float:
        """Resident megabytes."""
        pages = int((self.proc / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    @property
    def seconds(self) -> float:
        """Seconds of one core that it has used so far, all threads together."""
        cells = (self.proc / "stat").read_text().rpartition(")")[2].split()
        return (int(cells[11]) + int(cells[12])) / os.sysconf("SC_CLK_TCK")


def listener(url: str) -> Watched:
    """The process that listens at the address. Raises LookupError where /proc is not to be had."""
    port = urlsplit(url).port or 0
    table = PROC / "net" / "tcp"
    rows = [line.split() for line in table.read_text().splitlines()[1:]] if table.exists() else []
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
    for process in PROC.glob("[0-9]*"):
        try:
            if any(link.readlink().as_posix() in sockets for link in (process / "fd").iterdir()):
                return Watched(process)
        except OSError:
            continue
    raise LookupError(f"nobody is seen to listen at {url}")
