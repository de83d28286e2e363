"""The console's own style, script and picture: read once, named by what they hold, served from memory.

A name that is none of these is not looked for anywhere: there is no path to climb out of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class StaticFile:
    name: str
    content: bytes
    media_type: str

    @property
    def address(self) -> str:
        """It changes with the content, so that browsers may keep it for ever."""
        return f"/static/{self.name}?v={sha256(self.content).hexdigest()[:12]}"


def read_static(folder: Path = Path(__file__).parent / "static") -> Mapping[str, StaticFile]:
    """Every file of the folder, by name."""
    return {
        path.name: StaticFile(path.name, path.read_bytes(), _KINDS[path.suffix])
        for path in sorted(folder.iterdir())
        if path.suffix in _KINDS
    }
