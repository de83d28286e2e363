"""One capture: what was wrong, what was answered before and after, and where it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.balancers.sample import Sample
from bot.domain.catalogue import Balancer
from bot.domain.findings import Cause

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One state of one balancer."""

    kind: str
    name: str
    #: What was wrong, in a sentence.
    what: str
    #: The first finding there must be; None: no finding that is bad.
    cause: Cause | None = None
    #: Words for the balancer's configuration.
    configured: Mapping[str, Any] = field(default_factory=dict)
    #: Changes of every stub, and of the third alone.
    stubs: Mapping[str, Any] = field(default_factory=dict)
    third: Mapping[str, Any] = field(default_factory=dict)
    #: What is told HAProxy's admin socket once it runs.
    said: Sequence[str] = ()
    rate: float = 90.0
    clients: int = 3980
    #: Which servers the configuration names: "closed" is a port where nothing listens, "other" another service.
    servers: Sequence[int | str] = (0, 1, 2, 3)
    is_tls: bool = False

    @property
    def folder(self) -> Path:
        return HERE / self.kind / self.name

    def kept(self) -> tuple[Sample, Sample, Balancer]:
        """The two samples, and the balancer as a catalogue would name it."""
        about = json.loads((self.folder / "about.json").read_text(encoding="utf-8"))
        before, after = (
            Sample(
                at,
                {
                    key: (self.folder / f"{_file(key)}.{when}.txt").read_text(encoding="utf-8")
                    for key in about[when]
                },
            )
            for when, at in (("before", 0.0), ("after", about["window"]))
        )
        return before, after, Balancer(self.kind, "file:/", about["backend"], addresses=about["addresses"])

    def keep(self, before: Sample, after: Sample, backend: str, addresses: Mapping[str, str]) -> None:
        """Write the two samples."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.iterdir():
            old.unlink()
        for when, sample in (("before", before), ("after", after)):
            for key, text in sample.texts.items():
                (self.folder / f"{_file(key)}.{when}.txt").write_text(text, encoding="utf-8")
        about = {
            "what": self.what,
            "backend": backend,
            "addresses": dict(addresses),
            "window": round(after.at - before.at, 2),
            "before": list(before.texts),
            "after": list(after.texts),
        }
        (self.folder / "about.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _file(key: str) -> str:
    return key.strip("/").replace(" ", "_")
