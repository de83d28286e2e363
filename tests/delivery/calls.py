"""Senders and calls that the tests of the postman share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bot.delivery import Postman
from bot.store import outbox
from bot.store.db import Database
from bot.store.errand import Errand, Sender

Start = Callable[..., Postman]


def once(answer: Callable[[], dict[str, Any]]) -> Sender:
    """A sender of one step that cannot be looked up."""

    def send(errand: Errand) -> None:
        errand.step("call", answer)

    return send


def raising_first(errors: list[Exception], calls: list[float]) -> Callable[[], dict[str, Any]]:
    """A call that ends in these errors, one a time, and then goes well."""

    def call() -> dict[str, Any]:
        calls.append(time.monotonic())
        if errors:
            raise errors.pop(0)
        return {}

    return call


def find(db: Database, work_id: int | None) -> outbox.Work:
    assert work_id is not None
    with db.reading() as session:
        work = outbox.find(session, work_id)
    assert work is not None
    return work
