"""What docs/balancers.md tells people to paste is what Lantern reads."""

from __future__ import annotations

import re
from pathlib import Path

from bot.balancers.kinds import gather_kinds
from bot.balancers.nginx_log import EXAMPLE, requests
from bot.catalogue import read_text

DOC = (Path(__file__).parents[1] / "docs" / "balancers.md").read_text(encoding="utf-8")


def test_its_catalogues_have_no_faults() -> None:
    found = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
    assert len(found) >= 3
    for text in found:
        services, problems = read_text(text, "docs/balancers.md")
        assert problems == []
        assert services["login"].balancers[0].kind in gather_kinds()


def test_its_log_format_is_the_one_that_lantern_asks_for() -> None:
    assert EXAMPLE in DOC
    said = re.findall(r"\$(\w+)", EXAMPLE)
    values = {
        "status": "200",
        "upstream_addr": "10.0.0.1:80",
        "proxy_host": "auth",
        "request_method": "GET",
        "uri": "/",
    }
    written = re.search(r"'(.*)';$", EXAMPLE)
    assert written
    line = re.sub(r"\$(\w+)", lambda name: values.get(name[1], "0.003"), written[1])
    (found,) = requests([line], "auth")
    assert (found.status, found.path, found.group, len(found.tries)) == (200, "/", "auth", 1)
    assert len(said) == 10


def test_the_kinds_it_describes_are_those_that_lantern_reads() -> None:
    sections = {name.lower() for name in re.findall(r"(?m)^## (.+)$", DOC)}
    assert {"haproxy", "nginx", "envoy"} <= sections & set(gather_kinds())
