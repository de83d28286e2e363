"""How many `/log` commands a second, and how long is an ack?  `python -m tests.bench.commands [--seconds 3]`

Lantern on each database beside two bare Bolt apps on the same server stack and in the same run: one that answers and
does nothing, and the floor, which keeps the text with one INSERT of the bare driver, synced. Compare the ratios; the
figures themselves are this machine's, now.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.bench.apart import Apart
from tests.bench.ground import HttpTarget, Pulse, command_payload, databases, machine, pound, pound_over_http

CONNECTIONS = (1, 4, 16)
LINE = "/log 10:30 UTC finding: the load balancer sends half of the traffic to one server"
WARM_UP = 1.0


def over_http(here: Apart, channel: str, run_for: float) -> list[Pulse]:
    """One run a number of connections; the client is a process of its own."""
    user = here.person("ana").id
    target = HttpTarget(here.url, here.app.signing_secret, channel, user, LINE, "Logged")
    with ProcessPoolExecutor(1, get_context("spawn")) as client:
        client.submit(pound_over_http, target, 4, WARM_UP).result()
        return [client.submit(pound_over_http, target, many, run_for).result() for many in CONNECTIONS]


def over_socket(here: Apart, channel: str, run_for: float) -> list[Pulse]:
    """The same over the one Socket Mode connection: so many commands under way at a time."""
    user = here.person("ana").id

    def once() -> bool:
        payload = command_payload(here.app.app_id, channel, user, LINE)
        _, answer = here.standin.outward.send(here.app, "command", payload)
        return "Logged" in answer.body

    pound([once] * 4, WARM_UP)
    return [pound([once] * many, run_for) for many in CONNECTIONS]


RUNS: dict[str, Callable[[Apart, str, float], list[Pulse]]] = {"http": over_http, "socket": over_socket}


def lantern(url: str, transport: str, run_for: float) -> list[Pulse]:
    with Apart(url, transport).running() as here:
        here.person("ana").types("/incident open logins fail sev2", "#general")
        channel = here.channel_of(1)
        here.settled()
        return RUNS[transport](here, channel, run_for)


def bare(url: str, transport: str, run_for: float, deed: str = "nothing") -> list[Pulse]:
    server = "uvicorn" if transport == "http" else "socket"
    with Apart(url, transport, serves=("tests.bench.served", server, deed)).running() as here:
        return RUNS[transport](here, "C0BENCH000", run_for)


def show(name: str, pulses: list[Pulse], beside: list[Pulse]) -> None:
    for many, pulse, bolt in zip(CONNECTIONS, pulses, beside, strict=True):
        ratio = pulse.per_second / bolt.per_second
        print(f"  {name:<18} {many:>3} at a time  {pulse.row()}   {ratio:5.0%} of the floor")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=3.0, help="length of each run")
    run_for = asked.parse_args().seconds
    for transport in RUNS:
        print(f"{transport}  ({machine()})")
        for name, url in databases():
            if name == "SQLite":
                nothing = bare(url, transport, run_for)
                show("bare Bolt", nothing, nothing)
            floor = bare(url, transport, run_for, "insert")
            show(f"floor, {name}", floor, floor)
            show(f"Lantern, {name}", lantern(url, transport, run_for), floor)


if __name__ == "__main__":
    main()
