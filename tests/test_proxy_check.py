"""The seed on a real nginx and a real Envoy: the bot says it, it is corrected, and the bot says that it is even."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.houses import Town, said, until
from tests.lab import NGINX, Lab
from tests.proxies import ENVOY, Envoy, Nginx
from tests.test_balancer_check import town, verdicts


@contextmanager
def misconfigured(kind: str, folder: Path) -> Iterator[Nginx | Envoy]:
    """A balancer whose first server gets twenty times what the others do, under load."""
    if kind == "nginx" and not NGINX:
        missing("nginx is not installed.")
    if kind == "envoy" and not ENVOY:
        if sys.platform != "linux":
            pytest.skip("There is no Envoy for this system.")
        missing("Envoy is not installed.")
    with Lab() as lab:
        one: Nginx | Envoy = Nginx(folder, lab) if kind == "nginx" else Envoy(folder, lab)
        if isinstance(one, Nginx):
            one.start(one.configuration(servers=("weight=20", "", "", "")))
        else:
            one.start(one.configuration(weights=(20, 1, 1, 1)))
        lab.load(one.port)
        try:
            yield one
        finally:
            one.stop()


def correct(one: Nginx | Envoy) -> None:
    """Equal weights, in force when this returns."""
    if isinstance(one, Envoy):
        one.restart(one.configuration())
        return
    one.reload(one.configuration())

    def is_in_force() -> bool:
        last = one.log.read_text(encoding="utf-8").splitlines()[-5:-1]
        return len({json.loads(line)["upstream_addr"] for line in last}) == 4

    until(is_in_force, 30, "nginx did not take the corrected file")


def catalogue(folder: Path, one: Nginx | Envoy) -> Path:
    """A catalogue with the login service, its servers named."""
    if isinstance(one, Nginx):
        words = f"kind: nginx, address: '{one.status}', log: 'file:{one.log}'"
    else:
        words = f"kind: envoy, address: '{one.admin}'"
    names = ", ".join(f"{name}: '{address}'" for name, address in one.addresses.items())
    path = folder / "catalogue.yaml"
    path.write_text(
        "services:\n  login:\n    owner: '@team-identity'\n    words: [logins]\n    balancers:\n"
        f"      - {{{words}, backend: auth, addresses: {{{names}}}}}\n"
    )
    return path


def draft_of_the_closed(here: Town, channel: str) -> str:
    """Close the incident; its draft."""
    assert "noted" in said(here.ana.types("/incident fix the weights are even again", channel))
    here.ana.types("/incident close", channel)
    (form,) = here.ana.views()
    here.ana.submits(form)
    until(lambda: here.incident().status.is_over, 20, "not closed")
    here.settled(30)
    return here.draft()


@pytest.mark.parametrize(
    ("kind", "why"), [("nginx", "look at the weights"), ("envoy", "its weights are 20/1/1/1")]
)
def test_the_seed_is_named_and_corrected_without_a_question_asked(
    tmp_path: Path, kind: str, why: str
) -> None:
    with misconfigured(kind, tmp_path) as one, town(tmp_path, catalogue(tmp_path, one)) as here:
        here.ana.types("/incident open Logins fail for half of the users sev1", "#general")
        until(lambda: here.has(1) and here.incident().channel_id is not None, 20, "no channel")
        channel = here.incident().channel_id
        assert channel is not None
        until(lambda: len(verdicts(here, channel)) == 1, 60, "no verdict within a minute")
        (first,) = verdicts(here, channel)
        assert "auth1 gets 8" in first
        assert "25 % would be fair" in first
        assert why in first
        here.settled(30)
        shown = here.ana.messages(channel)
        files = [file["name"] for each in shown for file in each.get("files") or []]
        assert any(name.endswith(".png") for name in files), files

        correct(one)
        here.ana.clicks(next(each for each in shown if each["text"] == first), "Check again")
        until(lambda: len(verdicts(here, channel)) == 2, 60, "no second verdict")
        second = verdicts(here, channel)[1]
        assert "Traffic is even over 4 of 4 servers" in second
        assert "the balancer is well again" in second
        told = draft_of_the_closed(here, channel)
        assert told.index("auth1 gets 8") < told.index("the balancer is well again")
