"""The catalogue: what it says, and what is said when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.catalogue import find_service, read_catalogue, read_text
from bot.check import look
from bot.settings import Settings

GOOD = """\
services:
  login:
    owner: "@team-identity"
    groups: [S012ABCDEF]
    words: [sign-in, auth]
    balancers:
      - kind: haproxy
        address: unix:/run/haproxy/stats.sock
        backend: be_auth
        front: fe_login
        intended: {auth1: 2, auth2: 2, auth3: 1}
  basket:
    balancers:
      - {kind: envoy, address: "http://10.0.0.7:9901", backend: basket, addresses: {b1: "10.0.1.1:8080"}}
"""


def test_a_good_catalogue_is_read_whole() -> None:
    services, problems = read_text(GOOD, "catalogue.yaml")
    assert problems == []
    login = services["login"]
    assert (login.owner, login.groups, login.words) == (
        "@team-identity",
        ("S012ABCDEF",),
        ("sign-in", "auth"),
    )
    (balancer,) = login.balancers
    assert (balancer.kind, balancer.backend, balancer.front) == ("haproxy", "be_auth", "fe_login")
    assert dict(balancer.intended) == {"auth1": 2.0, "auth2": 2.0, "auth3": 1.0}
    assert services["basket"].balancers[0].name_of("10.0.1.1:8080") == "b1"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("services: [", 1, "This is not YAML"),
        ("services:\n\tlogin: {}", 2, "This is not YAML"),
        ("- a\n- b", 1, "must be names with values"),
        ("service:\n  login: {}", 1, "Did you mean `services`?"),
        ("services:\n  Log in!:\n    owner: x", 2, "is no name of a service"),
        ("services:\n  login: {}\n  login: {}", 3, "is named twice"),
        ("services:\n  login:\n    onwer: x", 3, "Did you mean `owner`?"),
        ("services:\n  login:\n    owner: x\n    owner: y", 4, "stands twice"),
        ("services:\n  login:\n    balancers: haproxy", 3, "must be a list"),
        ("services:\n  login:\n    balancers:\n      - kind: haproxy", 4, "needs address and backend"),
        (GOOD.replace("haproxy\n", "hapoxy\n"), 7, "Did you mean haproxy?"),
        (GOOD.replace("unix:/run", "/run"), 8, "is no address"),
        (GOOD.replace("front: fe_login", "log: access.log"), 10, "is no log of this machine"),
        (GOOD.replace("be_auth", '"be; rm -rf"'), 9, "letters that a command could stumble over"),
        (GOOD.replace("auth1: 2", "auth1: lots"), 11, "should get a number from 0 on"),
        (GOOD.replace("auth1: 2", "auth1: -2"), 11, "should get a number from 0 on"),
        (GOOD.replace("{auth1: 2, auth2: 2, auth3: 1}", "{auth1: 0}"), 11, "gives nothing to anybody"),
        (GOOD.replace("[S012ABCDEF]", "S012ABCDEF"), 4, "`groups` must be a list"),
        (GOOD.replace('"@team-identity"', "[a, b]"), 3, "One value is wanted"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_line(text: str, line: int, words: str) -> None:
    _, problems = read_text(text, "catalogue.yaml")
    assert any(
        str(problem).startswith(f"catalogue.yaml:{line}: ") and words in problem.sentence
        for problem in problems
    ), list(map(str, problems))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("services: [", 1, "This is not YAML"),
        ("services:\n  login: {owner: 'a\x00b'}", 2, "special characters are not allowed"),
        ("services: {}\n---\nservices: {}", 2, "another document"),
        ("services: *login", 1, "undefined alias"),
        ("services:\n  ? [a, b]\n  : {}", 2, "must be a word"),
        ("services:\n  <<: {login: {}}", 2, "is no name of a service"),
        ("services: {}\nservces: {}", 2, "Did you mean `services`?"),
        ("services:\n  login: 5", 2, "must be names with values"),
        ("services:\n  login:\n    words: [a]\n  basket:\n    words: [A]", 5, "`A` means `login` already"),
        ("services:\n  login: {}\n  basket:\n    words: [Login]", 4, "means `login` already"),
        (GOOD.replace("[S012ABCDEF]", '["@oncall"]'), 4, "is no id of a user group"),
        (GOOD.replace("[sign-in, auth]", "[[sign-in], auth]"), 5, "One value is wanted"),
        (GOOD.replace("unix:/run/haproxy/stats.sock", "tcp:10.0.0.5:99999"), 8, "is no address"),
        (GOOD.replace("unix:/run/haproxy/stats.sock", '"tcp:10.0.0.5: 1"'), 8, "is no address"),
        (GOOD.replace("{auth1: 2, auth2: 2, auth3: 1}", "[2, 2, 1]"), 11, "must be names with values"),
        (GOOD.replace("auth1: 2", "auth1: .inf"), 11, "should get a number from 0 on"),
        (GOOD.replace("kind: haproxy", "kind: [haproxy]"), 7, "is no kind of balancer"),
        ("[" * 5000, 1, "This is not YAML"),
    ],
)
def test_lantern_check_says_file_and_line(text: str, line: int, words: str, tmp_path: Path) -> None:
    book = tmp_path / "services.yaml"
    book.write_text(text, encoding="utf-8")
    told = list(look(Settings(catalogue=book, database_url=f"sqlite:///{tmp_path}/x.db")))
    wrong = [one.sentence for one in told if one.mark == "wrong" and one.sentence.startswith("Catalogue: ")]
    assert any(one.startswith(f"Catalogue: services.yaml:{line}: ") and words in one for one in wrong), wrong


def test_what_can_be_used_is_used() -> None:
    services, problems = read_text(GOOD.replace("kind: envoy", "kind: enovy"), "catalogue.yaml")
    assert len(problems) == 1
    assert services["login"].balancers
    assert services["basket"].balancers == ()


def test_a_missing_or_unreadable_file_is_a_sentence(tmp_path: Path) -> None:
    services, (problem,) = read_catalogue(tmp_path / "none.yaml")
    assert services == {}
    assert "cannot be read" in problem.sentence
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in read_catalogue(tmp_path / "bytes.yaml")[1][0].sentence
    (tmp_path / "big.yaml").write_text("#" * 300_000)
    assert "larger than" in read_catalogue(tmp_path / "big.yaml")[1][0].sentence


@pytest.mark.parametrize("text", ["", "services:", "services: {}", "{}", "# only a comment"])
def test_an_empty_catalogue_is_no_fault(text: str) -> None:
    assert read_text(text, "catalogue.yaml") == ({}, [])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("logins fail for half of the users", None),
        ("Login is down", "login"),
        ("customers cannot use sign-in", "login"),
        ("AUTH, again", "login"),
        ("author page broken", None),
        ("the basket loses items", "basket"),
        ("Nobody can use login.", "login"),
        ("sign-in/auth: slow", "login"),
        ("login-page.css is missing", None),
        ("basket.example.com times out", None),
    ],
)
def test_a_service_is_recognised_by_its_whole_word(text: str, name: str | None) -> None:
    found = find_service(read_text(GOOD, "catalogue.yaml")[0], text)
    assert (found.name if found else None) == name
