"""The kinds of balancers that can be read: every file of this folder that has a KIND."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Protocol

from bot import balancers
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.pool import Pool


class Kind(Protocol):
    """What a file of this folder has."""

    KIND: str

    def look(self, balancer: Balancer, before: Sample | None = None) -> Sample: ...

    def picture(self, before: Sample, after: Sample, balancer: Balancer) -> Pool: ...

    def sniff(self, text: str) -> str: ...


def gather_kinds() -> dict[str, Kind]:
    """Kind -> its file."""
    found: dict[str, Kind] = {}
    for item in pkgutil.iter_modules(balancers.__path__):
        module = importlib.import_module(f"{balancers.__name__}.{item.name}")
        if hasattr(module, "KIND"):
            found[module.KIND] = module
    return found


def kind_of(word: str) -> Kind:
    """The file of a kind. Raises NoReading for one that this version does not read."""
    kinds = gather_kinds()
    if word not in kinds:
        raise NoReading(
            f"Lantern cannot read a balancer of kind `{word}` yet. It reads {', '.join(sorted(kinds))}."
        )
    return kinds[word]
