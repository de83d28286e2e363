"""The names of incident channels: whatever a title says, Slack takes the name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import Settings
from bot.slack.names import channel_name

_TEMPLATE = "inc-{number:04d}-{title}"


def name_of(title: str, number: int = 7, template: str = _TEMPLATE, attempt: int = 0) -> str:
    return channel_name(template, number=number, title=title, is_drill=False, attempt=attempt)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Logins fail!", "inc-0007-logins-fail"),
        ("Вход не работает", "inc-0007-vkhod-ne-rabotaet"),
        ("ログインできない", "inc-0007-roguindekinai"),
        ("Straße <@U0ANA00000> :fire:", "inc-0007-strasse"),
        ("🔥🔥🔥", "inc-0007"),
        ("---", "inc-0007"),
        ("x" * 130, "inc-0007-" + "x" * 40),
    ],
)
def test_a_title_in_any_script_gives_a_name_that_can_be_typed(title: str, name: str) -> None:
    assert name_of(title).startswith(name)
    assert len(name_of(title)) <= 80


def is_taken_by_slack(name: str) -> bool:
    """1 to 80 of lower-case letters, digits, - and _, and not punctuation alone (conversations.create)."""
    return re.fullmatch(r"[a-z0-9_-]{1,80}", name) is not None and re.search(r"[a-z0-9]", name) is not None


_TITLES = st.text(min_size=0, max_size=200) | st.from_regex(r"[<@#!:*_|&;a-zß語🔥 -]{0,200}", fullmatch=True)
_TEMPLATES = st.sampled_from(
    [
        _TEMPLATE,
        "{number}",
        "{title}-{number}",
        "_{number}_",
        "störung-{number}-{title}",
        "INCIDENT {number:06d}",
    ]
)


@given(
    title=_TITLES,
    number=st.integers(1, 10**9),
    template=_TEMPLATES,
    is_drill=st.booleans(),
    attempt=st.integers(0, 9),
)
def test_slack_takes_any_name(title: str, number: int, template: str, is_drill: bool, attempt: int) -> None:
    made = channel_name(template, number=number, title=title, is_drill=is_drill, attempt=attempt)
    assert is_taken_by_slack(made), made


@given(title=_TITLES, number=st.integers(1, 10**9), template=_TEMPLATES, attempt=st.integers(0, 8))
def test_incidents_and_attempts_never_want_the_same_name(
    title: str, number: int, template: str, attempt: int
) -> None:
    made = name_of(title, number, template, attempt)
    assert str(number) in made
    assert made != name_of(title, number, template, attempt + 1)


def test_the_templates_tried_here_are_ones_that_settings_take() -> None:
    for template in (_TEMPLATE, "{number}", "{title}-{number}", "_{number}_", "störung-{number}-{title}"):
        assert Settings(channel_name=template).channel_name == template
