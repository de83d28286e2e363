"""What tests of trackers ask for: each tracker's stand-in, and a bench on which follow-ups are sent to one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tracker_bench import Bench, bench_on
from tests.tracker_stands import STANDS, AnyStand, GitHub


@pytest.fixture(params=STANDS, ids=lambda one: one.__name__)
def stand(request: pytest.FixtureRequest) -> Iterator[AnyStand]:
    with request.param() as here:
        yield here


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as here:
        yield here


@pytest.fixture
def bench(github: GitHub, sqlite_url: str) -> Iterator[Bench]:
    with bench_on(sqlite_url, github.settings()) as here:
        yield here
