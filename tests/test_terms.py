"""What is looked for in what a person typed, and how a text is cut about what was found."""

from __future__ import annotations

import pytest

from bot.domain.terms import TERMS_AT_MOST, Term, excerpt, read_terms


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("failing logins", ["failing", "logins"]),
        ("the logins of the users", ["logins"]),
        ("is it down", ["is", "it", "down"]),
        ('"failed logins" AND NOT (slow* OR NEAR)', ["failed", "logins", "slow", "near"]),
        ("title:login -auth ^x", ["title", "login", "auth", "x"]),
        ("10.0.0.5:8080, be_auth and auth-1", ["10.0.0.5:8080", "be_auth", "auth-1"]),
        ("half-open load/balancer", ["half", "open", "load", "balancer"]),
        ("a &lt;b&gt; &amp;amp; c", ["b", "amp", "c"]),
        ("<@U0ANA00000|ana> in <#C012345|ops>", ["u0ana00000", "ops"]),
        ("login LOGIN Logins", ["login"]),
        ("数据库,连接 失败", ["数据库", "连接", "失败"]),
        ("\U0001f525\U0001f525 fire", ["\U0001f525", "fire"]),
        ("a\x00b\ud83dc", ["b", "c"]),
        *((nothing, []) for nothing in ("", "   ", "\"'*%_()^-:", "\x00", "\ud83d", "&amp;&lt;", "…—“”")),
    ],
)
def test_words_are_looked_for_and_nothing_is_syntax(typed: str, terms: list[str]) -> None:
    assert [term.typed for term in read_terms(typed)] == terms


def test_a_question_has_eight_terms_and_a_term_64_characters() -> None:
    assert len(read_terms(" ".join(f"word{n}" for n in range(40)))) == TERMS_AT_MOST
    (long,) = read_terms("x" * 10_000)
    assert len(long.typed) == 64
    assert len(read_terms("a." * 5_000)) <= TERMS_AT_MOST


@pytest.mark.parametrize(
    ("typed", "text", "is_there"),
    [
        ("logins", "the Login page", True),
        ("fail", "failures of all kinds", True),
        ("log", "the logs say", True),
        ("logs", "the login page", False),
        ("rates", "the rate rose", True),
        ("auth", "authentication", True),
        ("auth1", "auth12", False),
        ("10.0.0.5", "at 10.0.0.5:80", True),
        ("10.0.0.5", "at 10.0.0.50", False),
        ("be_auth", "backend be-auth is down", True),
        ("be_auth", "auth of be", False),
        ("连接", "数据库连接失败", True),
        ("c++", "in C++ code", True),
    ],
)
def test_a_term_finds_its_kin_and_no_strangers(typed: str, text: str, is_there: bool) -> None:
    (term,) = read_terms(typed)
    assert (term.span(text) is not None) is is_there


def test_an_excerpt_holds_the_hit_and_stays_short() -> None:
    term = Term("needle", ("needle",))
    hay = " ".join(f"straw{n}" for n in range(100))
    assert excerpt("short\n text", [term]) == "short text"
    assert excerpt(hay, [term]).startswith("straw0 straw1 ") and excerpt(hay, [term]).endswith("…")
    cut = excerpt(f"{hay} the needle lies here {hay}", [term], longest=80)
    assert "the needle lies here" in cut and cut.startswith("…straw") and cut.endswith("…")
    assert len(cut) <= 82
    end = excerpt(f"{hay} needle", [term], longest=80)
    assert end.endswith("needle") and len(end) <= 82
    assert len(excerpt("x" * 500, [term], longest=80)) <= 82
