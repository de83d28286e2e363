"""Each request is sent three times more: unchanged, as Slack repeats it; with one part twisted; with damaged bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

from tests.fuzz.requests import Plan, places
from tests.fuzz.texts import TOKENS
from tests.nonsense import deep


def repeated(content: bytes, content_type: str) -> Plan:
    """The very same bytes once more."""
    return Plan("repeated", "raw", content.decode("latin-1"), content_type=content_type)


def twisted(plan: Plan, chance: Random) -> Plan:
    """The same request with one of its parts dropped or of another type, size or meaning."""
    found: Any = json.loads(json.dumps(plan.body))
    spots = places(found)[1:]
    if not spots or plan.typed:
        return replace(
            plan, kind=f"twisted {plan.kind}", seal="right", typed=(chance.choice(TOKENS), *plan.typed)
        )
    *way, last = chance.choice(spots)
    around = found
    for key in way:
        around = around[key]
    if chance.random() < 0.25:
        del around[last]
    else:
        around[last] = _odd(around[last], chance)
    return replace(plan, kind=f"twisted {plan.kind}", body=found, seal="right")


def _odd(before: Any, chance: Random) -> Any:
    if isinstance(before, str) and chance.random() < 0.6:
        at = chance.randrange(len(before) + 1)
        return before[:at] + chance.choice(TOKENS) * chance.choice([1, 1, 2, 500]) + before[at:]
    flat: list[Any] = [
        None,
        True,
        0,
        -1,
        2**70,
        1.5,
        "",
        [],
        {},
        [before],
        {"id": before},
        deep(30),
        "x" * 5000,
    ]
    return chance.choice([*flat, *chance.sample(TOKENS, 6)])


def damaged(content: bytes, content_type: str, chance: Random) -> Plan:
    """The same bytes with a piece cut out, doubled, changed or put in."""
    first = chance.randrange(len(content) + 1)
    last = min(len(content), first + chance.choice([1, 1, 2, 8, 64, 4096]))
    piece = content[first:last]
    put = chance.choice(
        [b"", piece * 2, chance.randbytes(len(piece)), b"%00", b'"', b"&payload=", b"%F0%9F%94%A5"]
    )
    body = (content[:first] + put + content[last:]).decode("latin-1")
    return Plan("damaged", "raw", body, content_type=content_type)
