from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bot.domain.runbook import Runbook
from bot.domain.suggestion import FITS_WELL, Said, Suggestion, closest, search
from bot.domain.suggestion import suggest as suggest_by
from bot.runbooks.reading import read_folder


@pytest.fixture(scope="module")
def shipped() -> dict[str, Runbook]:
    return read_folder(Path(__file__).parent.parent / "runbooks")[0]


def suggest(runbooks: Mapping[str, Runbook], words: str, **also: Sequence[str]) -> list[Suggestion]:
    """Suggested by a title alone."""
    return suggest_by(runbooks, [Said("the title", words)], **also)


@pytest.mark.parametrize(
    "words",
    [
        "logins fail for some users, one server overloaded",
        "load balancer unevenly distributing traffic",
        "Intermittent LOGIN failures",
    ],
)
def test_the_uneven_traffic_runbook_is_suggested_first(shipped: dict[str, Runbook], words: str) -> None:
    first = suggest(shipped, words)[0]
    assert first.runbook.id == "lb-uneven-traffic"


def test_a_suggestion_says_which_words_led_to_it(shipped: dict[str, Runbook]) -> None:
    first = suggest(shipped, "logins fail for some users, one server overloaded", services=["login"])[0]
    assert first.reason == "because of “one server overloaded”, “failed logins” in the title; it is for login"


def test_a_reason_names_the_entry_and_a_phrase_over_two_entries_is_none(shipped: dict[str, Runbook]) -> None:
    said = [
        Said("the title", "the site is unwell"),
        Said("#3", "many failed logins"),
        Said("#4", "one server"),
    ]
    (first, *_) = suggest_by(shipped, said)
    assert first.reason.startswith("because of “failed logins” in #3")
    assert first.score >= FITS_WELL
    apart = [Said("#3", "the deployment failed"), Said("#4", "logins are fine")]
    assert all(one.score < FITS_WELL for one in suggest_by(shipped, apart))


@pytest.mark.parametrize(
    "words", ["database disk full", "", "the users", "payment errors", "database is slow"]
)
def test_nothing_is_suggested_when_nothing_fits(shipped: dict[str, Runbook], words: str) -> None:
    assert suggest(shipped, words) == []


def test_the_service_alone_is_the_weakest_reason(shipped: dict[str, Runbook]) -> None:
    found = suggest(shipped, "the site is unwell", services=["login"])
    assert {one.reason for one in found} == {"it is for login"}
    assert all(one.score < FITS_WELL for one in found)
    assert suggest(shipped, "the site is unwell", services=["basket"]) == []


def test_an_alert_by_name_is_enough_and_a_service_lifts(shipped: dict[str, Runbook]) -> None:
    found = suggest(shipped, "", alerts=["backendserversdown"], services=["login"])
    assert [one.runbook.id for one in found] == ["lb-health-check-wrong"]
    assert found[0].reason == "alert BackendServersDown; it is for login"
    (typed, *_) = suggest(shipped, "LoginFailureRateHigh rang")
    assert typed.reason == "alert LoginFailureRateHigh in the title"


def test_at_most_three_are_suggested_and_ten_found() -> None:
    ids = [f"lb-{number:02}" for number in range(12)]
    runbooks = {one: Runbook(one, "Traffic", "", (), "", words=("uneven traffic",)) for one in ids}
    assert [one.runbook.id for one in suggest(runbooks, "uneven traffic")] == ["lb-00", "lb-01", "lb-02"]
    assert len(search(runbooks, "uneven")) == 10


def test_search_finds_by_a_single_word_of_a_step(shipped: dict[str, Runbook]) -> None:
    assert search(shipped, "pinning")[0].runbook.id == "lb-pinned-clients"
    assert search(shipped, "xylophone") == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("lb-uneven-traffic", "lb-uneven-traffic"),
        ("lb-unevn-trafic", "lb-uneven-traffic"),
        ("Uneven Traffic", "lb-uneven-traffic"),
        ("parked", "lb-servers-parked"),
        ("lb-health-check-wrong.md", "lb-health-check-wrong"),
        ("pizza", None),
        ("", None),
    ],
)
def test_did_you_mean(shipped: dict[str, Runbook], typed: str, meant: str | None) -> None:
    assert closest(shipped, typed) == meant
