"""Stopping a house that hears Slack over Socket Mode."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.houses import Town, said, until


def test_a_command_that_runs_while_the_house_stops_is_still_answered(town: Town) -> None:
    with ThreadPoolExecutor(1) as pool:
        with town.house.db.writing():
            answer = pool.submit(town.ana.types, "/incident open logins fail sev2", "#general")
            # It asks who ana is, and then waits for its turn to write.
            until(lambda: bool(town.standin.calls("users.info")), 5, "the command did not arrive")
            stopping = threading.Thread(target=town.house.stop)
            stopping.start()
            stopping.join(0.2)
            assert stopping.is_alive(), "the house stopped without waiting for what it heard"
        assert "Opening" in said(answer.result(5))
        stopping.join(5)
    assert not stopping.is_alive()


def test_an_idle_house_hangs_up_at_once(town: Town) -> None:
    town.ana.types("/incident help", "#general")
    began = time.monotonic()
    town.house.stop()
    # The SDK's own close waits up to three seconds for its reader; two of ours are uvicorn's and the postman's.
    assert time.monotonic() - began < 2
