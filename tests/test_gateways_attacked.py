"""Traefik, Caddy, Prometheus and AWS at their worst: whatever answers, a sentence comes, and soon."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.balancers.kinds import kind_of
from bot.balancers.sample import NoReading
from bot.domain.catalogue import Balancer
from tests.answering import Hostile

KINDS = ("traefik", "caddy", "prometheus", "aws")
WAITING = ("slow", "trickling")


@pytest.fixture
def _known_to_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def sentence(kind: str, way: str) -> str:
    """What is said of it."""
    with Hostile(way) as here:
        try:
            kind_of(kind).look(Balancer(kind, here.address, "auth"))
        except NoReading as trouble:
            return trouble.sentence
        return ""


def check(said: str) -> None:
    assert said.endswith("."), said
    assert len(said) < 400, said


@pytest.mark.usefixtures("_known_to_aws")
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_answers_there_is_a_sentence(kind: str) -> None:
    told = {way: sentence(kind, way) for way in Hostile.WAYS if way not in WAITING}
    for said in told.values():
        check(said)
    assert "nothing listens there" in told["down"]
    assert "more than 4 MB" in told["huge"]
    assert "302" in told["redirect"] or kind == "aws"


@pytest.mark.usefixtures("_known_to_aws")
def test_who_is_silent_or_trickles_is_given_up_after_three_seconds() -> None:
    cases = [(kind, way) for kind in KINDS for way in WAITING]
    with ThreadPoolExecutor(len(cases)) as pool:
        for said in pool.map(lambda case: sentence(*case), cases):
            check(said)
            # And not after the twenty that the other side would take.
            assert "did not answer within 3 seconds" in said
