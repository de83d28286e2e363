"""An incident about a service whose balancer is misconfigured: the bot looks, and says it, without being asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.houses import Town, said, until
from tests.lab import HAPROXY, HAProxy, Lab

WRONG = ("weight 200", "weight 10", "weight 10", "weight 10")


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as here:
        yield here


@pytest.fixture
def haproxy(tmp_path: Path, lab: Lab) -> Iterator[HAProxy]:
    if not HAPROXY:
        missing("HAProxy is not installed.")
    one = HAProxy(tmp_path, lab)
    yield one
    one.stop()


def catalogue(folder: Path, address: str, **more: str) -> Path:
    """A catalogue with the login service."""
    path = folder / "catalogue.yaml"
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    path.write_text(
        "services:\n  login:\n    owner: '@team-identity'\n    words: [logins]\n    balancers:\n"
        f"      - {{kind: haproxy, address: '{address}', backend: be_auth{extra}}}\n"
    )
    return path


def town(folder: Path, book: Path, look_for: float = 3.0) -> Town:
    """A town whose Lantern has that catalogue and looks for a few seconds."""
    return Town(
        f"sqlite:///{folder / 'lantern.db'}", settings={"catalogue": book, "balancer_window": look_for}
    )


def verdicts(here: Town, channel: str) -> list[str]:
    """The verdicts that the channel was shown."""
    return [one["text"] for one in here.ana.messages(channel) if "*Balancer check*" in one["text"]]


def test_the_seed_is_named_and_corrected_without_a_question_asked(
    tmp_path: Path, lab: Lab, haproxy: HAProxy
) -> None:
    haproxy.start(haproxy.configuration(servers=WRONG))
    lab.load(haproxy.port)
    with town(tmp_path, catalogue(tmp_path, f"unix:{haproxy.socket}")) as here:
        here.ana.types("/incident open Logins fail for half of the users sev1", "#general")
        until(lambda: here.has(1) and here.incident().channel_id is not None, 20, "no channel")
        channel = here.incident().channel_id
        assert channel is not None
        until(lambda: len(verdicts(here, channel)) == 1, 60, "no verdict within a minute")
        (first,) = verdicts(here, channel)
        assert "auth1 gets 8" in first
        assert "25 % would be fair: its weights are 200/10/10/10, as in the file" in first
        here.settled(30)
        files = [file["name"] for one in here.ana.messages(channel) for file in one.get("files") or []]
        assert any(name.endswith(".png") for name in files), files

        # The runbook's correction, at the running balancer.
        for name, weight in (("auth1", 100), ("auth2", 100), ("auth3", 100), ("auth4", 100)):
            assert haproxy.says(f"set server be_auth/{name} weight {weight}").strip() == ""
        answer = here.ana.types("/incident check", channel)
        assert "Looking at haproxy be_auth" in said(answer)
        until(lambda: len(verdicts(here, channel)) == 2, 60, "no second verdict")
        second = verdicts(here, channel)[1]
        assert "Traffic is even over 4 of 4 servers" in second
        assert "the balancer is well again" in second
        here.settled(30)
        shown = next(one for one in here.ana.messages(channel) if one["text"] == second)
        assert "at the wrong server 6" in str(shown["blocks"])
        here.ana.types("/incident fix the intended weights are back", channel)
        entries = [entry.text for entry in here.entries() if "Balancer check" in entry.text]
        assert len(entries) == 2
        view = here.ana.types("/incident close", channel)
        assert view
        (form,) = here.ana.views()
        here.ana.submits(form)
        until(lambda: here.incident().status.is_over, 20, "not closed")
        here.settled(30)
        told = here.draft()
        assert told.index("auth1 gets 8") < told.index("the balancer is well again")


def test_a_runbook_s_check_reads_the_balancer_and_its_outcome_is_the_evidence(
    tmp_path: Path, lab: Lab, haproxy: HAProxy
) -> None:
    haproxy.start(haproxy.configuration(servers=WRONG))
    lab.load(haproxy.port)
    with town(tmp_path, catalogue(tmp_path, f"unix:{haproxy.socket}")) as here:
        channel = here.opened("/incident open Logins fail sev1")
        here.ana.types("/runbook start lb-uneven-traffic", channel)
        first = here.ana.waits_for_message(channel, "step 1 of")
        here.ana.clicks(first, "Read the balancer")
        closed = here.ana.waits_for_message(channel, "not as expected: off_target_share is 6")
        assert "done by ana" in closed["text"]
        here.ana.waits_for_message(channel, "step 2 of")
        (told,) = [entry.text for entry in here.entries() if "not as expected" in entry.text]
        assert told.startswith("Runbook lb-uneven-traffic step 1 of")
        # The button again: the step has its outcome.
        assert here.ana.types("/runbook", channel)


def test_a_balancer_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    with town(tmp_path, catalogue(tmp_path, f"unix:{tmp_path}/none.sock")) as here:
        channel = here.opened("/incident open Logins fail sev1")
        (told,) = verdicts(here, channel)
        assert "does not answer (nothing listens there)" in told
        assert "Check again" in str(here.ana.waits_for_message(channel, "*Balancer check*")["blocks"])


def test_a_service_named_later_is_read_then(tmp_path: Path, lab: Lab, haproxy: HAProxy) -> None:
    haproxy.start(haproxy.configuration())
    lab.load(haproxy.port)
    with town(tmp_path, catalogue(tmp_path, f"unix:{haproxy.socket}")) as here:
        channel = here.opened("/incident open everything is slow")
        assert "has no service yet" in said(here.ana.types("/incident check", channel))
        assert "The catalogue has no service “basket”" in said(
            here.ana.types("/incident service basket", channel)
        )
        assert "The service is now *login*. Its balancer is being read." in said(
            here.ana.types("/incident service login", channel)
        )
        until(lambda: len(verdicts(here, channel)) == 1, 60, "no verdict")
        assert "the balancer is not the cause; look at the application" in verdicts(here, channel)[0]
        assert here.incident().service == "login"
        assert "already *login*" in said(here.ana.types("/incident service login", channel))


def test_a_house_that_dies_between_the_looks_goes_on_where_it_was(
    tmp_path: Path, lab: Lab, haproxy: HAProxy
) -> None:
    haproxy.start(haproxy.configuration(servers=WRONG))
    lab.load(haproxy.port)
    with town(tmp_path, catalogue(tmp_path, f"unix:{haproxy.socket}"), look_for=6.0) as here:
        here.ana.types("/incident open Logins fail sev1", "#general")
        until(lambda: here.has(1) and here.incident().channel_id is not None, 20, "no channel")
        here.house.stop()
        here.house = here.new_house()
        here.house.start()
        channel = here.incident().channel_id
        assert channel is not None
        until(lambda: len(verdicts(here, channel)) == 1, 60, "no verdict after the restart")
        here.settled(30)
        assert "its weights are 200/10/10/10" in verdicts(here, channel)[0]
        assert len([entry for entry in here.entries() if "Balancer check" in entry.text]) == 1
