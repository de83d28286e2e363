"""Which HTTP server?  `python -m tests.bench.servers [--seconds 3]`, with `pip install waitress` before it.

The same Bolt app behind Starlette and uvicorn with the dispatch in a thread (Lantern's way), behind waitress
(WSGI, 16 threads), and behind Bolt's own Starlette adapter, which runs listeners on the event loop.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.bench.apart import Apart
from tests.bench.commands import LINE, WARM_UP
from tests.bench.ground import HttpTarget, Pulse, machine, pound_over_http

SERVERS = {
    "uvicorn": "Starlette, dispatch in a thread",
    "waitress": "waitress",
    "bolt": "Bolt's Starlette adapter",
}
DEEDS = {
    "nothing": "a listener that does nothing",
    "wait": "a listener that waits 20 ms",
    "lantern": "/log, SQLite",
}
CONNECTIONS = (1, 16)


def measure(server: str, deed: str, run_for: float) -> list[Pulse]:
    with (
        tempfile.TemporaryDirectory(prefix="lantern-bench-") as folder,
        Apart(
            f"sqlite:///{folder}/lantern.db", "http", serves=("tests.bench.served", server, deed)
        ).running() as here,
        ProcessPoolExecutor(1, get_context("spawn")) as client,
    ):
        ana = here.person("ana")
        channel = "C0BENCH000"
        if deed == "lantern":
            ana.types("/incident open logins fail sev2", "#general")
            channel = here.channel_of(1)
            here.settled()
        target = HttpTarget(here.url, here.app.signing_secret, channel, ana.id, LINE, "Logged")
        client.submit(pound_over_http, target, 4, WARM_UP).result()
        return [client.submit(pound_over_http, target, many, run_for).result() for many in CONNECTIONS]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=3.0, help="length of each run")
    run_for = asked.parse_args().seconds
    servers = dict(SERVERS)
    if importlib.util.find_spec("waitress") is None:
        print("waitress is left out: it is not installed here (`pip install waitress`).")
        del servers["waitress"]
    for deed, what in DEEDS.items():
        print(f"{what}  ({machine()})")
        for server, name in servers.items():
            for many, pulse in zip(CONNECTIONS, measure(server, deed, run_for), strict=True):
                print(f"  {name:<32} {many:>3} connections  {pulse.row()}")


if __name__ == "__main__":
    main()
