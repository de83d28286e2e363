"""docs/catalogue.md says what the reader of the catalogue does: its example lints clean, its lists are whole."""

from __future__ import annotations

import re
from pathlib import Path

from bot import catalogue
from bot.slack.blocks import MENU_OPTIONS

DOC = (Path(__file__).resolve().parent.parent / "docs" / "catalogue.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_is_a_catalogue_without_faults_that_uses_every_key() -> None:
    example = re.search(r"```yaml\n(.*?)```", DOC, re.DOTALL)
    assert example is not None
    services, problems = catalogue.read_text(example[1], "catalogue.yaml")
    assert problems == []
    assert sorted(services) == ["basket", "login"]
    assert services["login"].groups == ("S012ABCDEF",)
    first, second = services["login"].balancers
    assert (first.front, dict(first.intended)["auth1"], second.log) == (
        "fe_login",
        2.0,
        "/var/log/nginx/access.log",
    )
    for key in (*catalogue._SERVICE_KEYS, *catalogue._BALANCER_KEYS):
        assert f"{key}:" in example[1], key


def test_the_page_explains_every_key_and_names_every_kind_and_limit() -> None:
    for key in (*catalogue._SERVICE_KEYS, *catalogue._BALANCER_KEYS):
        assert f"| `{key}` |" in DOC, key
    for kind in catalogue.KINDS:
        assert f"`{kind}`" in DOC, kind
    assert f"{catalogue.FILE_LIMIT // 1024} kB" in DOC
    assert f"more than {MENU_OPTIONS}" in DOC
