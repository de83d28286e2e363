"""A runbook as JSON's own types, and back: a run is pinned to the words it began with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from datetime import date
from typing import Any

from bot.domain.runbook import Check, Command, Phase, Runbook, Step


def to_dict(runbook: Runbook) -> dict[str, object]:
    """The whole runbook as JSON's own types, to pin a run to the text it began with."""
    reviewed_on = runbook.reviewed_on.isoformat() if runbook.reviewed_on else None
    return {**asdict(runbook), "reviewed_on": reviewed_on}


def from_dict(frozen: Mapping[str, Any]) -> Runbook:
    """What `to_dict` froze.  Fields it does not hold keep their defaults; ones unknown here are left out."""
    names = {one.name for one in dataclass_fields(Runbook)}
    plain: dict[str, Any] = {name: _as_tuple(value) for name, value in frozen.items() if name in names}
    steps = []
    for step in frozen["steps"]:
        check = step.get("check")
        steps.append(
            Step(
                id=step["id"],
                title=step["title"],
                phase=Phase(step["phase"]),
                prose=step["prose"],
                commands=tuple(
                    Command(one["language"], one["balancer"], one["text"]) for one in step["commands"]
                ),
                check=Check(check["run"], dict(check["params"]), dict(check["expect"])) if check else None,
                fields=tuple((name, text) for name, text in step["fields"]),
            )
        )
    reviewed_on = frozen.get("reviewed_on")
    return Runbook(
        **{
            **plain,
            "steps": tuple(steps),
            "reviewed_on": date.fromisoformat(reviewed_on) if reviewed_on else None,
        }
    )


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
