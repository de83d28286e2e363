"""Addresses that stand in a file and cannot be right: what traffic to stubs does not show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping


def wrong_addresses(found: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the servers' addresses, in words. `wanted` is what people know of them (host:port)."""
    for address, count in Counter(found.values()).items():
        if count > 1:
            names = ", ".join(name for name, known in found.items() if known == address)
            yield f"{names} have the same address {address}"
    for name, address in found.items():
        if name in wanted and wanted[name] != address:
            yield f"{name} points at {address}; it should be {wanted[name]}"
    known = set(wanted.values())
    if known and not set(wanted) & set(found):
        # A balancer that names its servers by their addresses alone.
        for address in found.values():
            if address not in known:
                yield f"{address} is none of the addresses that are known"
    yield from _odd_port(found, wanted)


def _odd_port(found: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    ports = {name: address.rpartition(":")[2] for name, address in found.items() if ":" in address}
    counts = Counter(ports.values())
    if len(ports) < 3 or len(counts) != 2 or min(counts.values()) != 1:
        return
    usual = counts.most_common(1)[0][0]
    for name, port in ports.items():
        if port != usual and name not in wanted and found[name] not in wanted.values():
            yield f"{name} has port {port}, every other server {usual}"
