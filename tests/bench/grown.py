"""The entries of a long incident, as people write them, always the same ones."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.domain.timeline import Kind
from tests.bench.search import Writer

KINDS = [kind.value for kind in Kind]
#: Most entries are notes, actions and findings.
WEIGHTS = [{Kind.NOTE: 30, Kind.ACTION: 15, Kind.FINDING: 15, Kind.COMMS: 10}.get(kind, 3) for kind in Kind]
_LOG = "```\nJun  3 10:30:01 lb1 haproxy[812]: Server be_auth/auth2 is DOWN, reason: Layer7 timeout\n```"


def entries_of(
    incident_id: int, first: int, many: int, start: datetime, end: datetime, people: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows of the table of entries, numbered from `first` on. Of 100: 5 mention somebody, 3 have a code block, 2 an
    image, 1 is a report of 2,000 characters, 10 were written down late, 5 were corrected, 2 taken back."""
    chance = random.Random(11)
    writer = Writer()
    rows = []
    for place, kind in enumerate(chance.choices(KINDS, WEIGHTS, k=many)):
        at = start + (end - start) * (place + chance.random()) / many
        says, author = writer.text(6, 24), chance.choice(people)
        dice = chance.randrange(100)
        if dice < 5:
            says += f" <@{chance.choice(people)}>"
        elif dice < 8:
            says += f" <https://graphs.example.com/d/{place}|the graph> *still red*"
        elif dice < 11:
            says += f"\n{_LOG}"
        elif dice < 12:
            says = "\n".join(writer.text(18, 24) for _ in range(12))
        image = {"file_id": f"F{place}", "name": "graph.png", "permalink": "https://x.example.com/f"}
        is_late, is_undone = chance.random() < 0.1, chance.random() < 0.02
        rows.append(
            {
                "incident_id": incident_id,
                "number": first + place,
                "kind": kind,
                "text": says,
                "happened_at": at,
                "recorded_at": at + timedelta(minutes=25 if is_late else 0, seconds=20),
                "author": author,
                "recorded_by": author if chance.random() < 0.9 else people[0],
                "source": "command",
                "permalink": f"https://x.example.com/p{place}" if chance.random() < 0.3 else "",
                "images": [image] if chance.random() < 0.02 else [],
                "undone_at": at + timedelta(minutes=1) if is_undone else None,
                "undone_by": author if is_undone else None,
                "edits": int(chance.random() < 0.05),
                "posted_ts": f"{at.timestamp():.6f}",
            }
        )
    return rows


def edits_of(rows: Sequence[dict[str, Any]], ids: dict[int, int]) -> list[dict[str, Any]]:
    """What the corrected entries said before; `ids`: number -> id of the row."""
    return [
        {
            "entry_id": ids[row["number"]],
            "kind": row["kind"],
            "text": "as it was first typed",
            "happened_at": row["happened_at"],
            "changed_at": row["recorded_at"],
            "changed_by": row["author"],
        }
        for row in rows
        if row["edits"]
    ]
