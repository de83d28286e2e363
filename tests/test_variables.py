"""What fills a runbook's variables, in which order, and what never gets into a command."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.catalogue import Balancer, Service
from bot.domain.runbook import Command, Phase, Run, Runbook, Step
from bot.domain.variables import FROM_THE_CATALOGUE, FROM_THE_INCIDENT, of_incident, of_service
from bot.runbooks.filling import commands_for, field_for, fill
from bot.slack import cards
from tests.test_review import CARD, NOON

LOGIN = Service(
    "login",
    owner="@team-identity",
    balancers=(
        Balancer(
            "haproxy",
            "tcp:10.0.0.5:9999",
            "be_login",
            "fe_login",
            intended={"web1": 2.0},
            addresses={"web2": "x:1"},
        ),
        Balancer("nginx", "file:/var/log/nginx/access.log", "api"),
    ),
)
PAGE = Runbook(
    "lb",
    "LB",
    "It is slow.",
    (),
    "abc",
    owner="@infra",
    escalate_to="@network",
    variables={"backend": "be_auth"},
)


def test_the_catalogue_gives_what_it_knows_of_the_service() -> None:
    assert of_service(LOGIN) == {
        "service": "login",
        "service_owner": "@team-identity",
        "balancer": "haproxy",
        "balancer_host": "10.0.0.5",
        "backend": "be_login",
        "front": "fe_login",
        "servers": "web1 web2",
    }
    assert set(of_service(LOGIN)) == FROM_THE_CATALOGUE | {"service"}
    # What it does not know is left to the runbook's defaults.
    assert of_service(LOGIN, 1) == {
        "service": "login",
        "service_owner": "@team-identity",
        "balancer": "nginx",
        "backend": "api",
    }
    assert of_service(Service("mail")) == {"service": "mail"}


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("tcp:10.0.0.5:9999", "10.0.0.5"),
        ("tcp:lb1.example.com:9999", "lb1.example.com"),
        ("http://10.0.0.6:9901", "10.0.0.6"),
        ("https://user:secret@lb.example.com/stats", "lb.example.com"),
        ("unix:/run/haproxy/stats.sock", None),
        ("file:/var/log/access.log", None),
    ],
)
def test_the_host_is_that_of_the_balancers_address(address: str, host: str | None) -> None:
    service = Service("login", balancers=(Balancer("haproxy", address, "be"),))
    assert of_service(service).get("balancer_host") == host


def test_the_incident_comes_before_the_catalogue_and_that_before_the_runbook() -> None:
    text = "{{ service }} {{ backend }} {{ owner }} {{ escalate_to }} {{ nobody }}"
    assert fill(text, PAGE, {}) == "{{ service }} be_auth @infra @network {{ nobody }}"
    known = of_service(LOGIN)
    assert fill(text, PAGE, known) == "login be_login @infra @network {{ nobody }}"
    assert fill(text, PAGE, known | {"service": "basket"}).startswith("basket be_login")
    # A page without an owner has the service's.
    assert fill("{{ owner }}", replace(PAGE, owner=""), known) == "@team-identity"


def test_an_incident_says_what_it_knows_of_itself() -> None:
    about = replace(CARD.incident, service="login")
    values = of_incident(about, "Ana")
    assert set(values) == FROM_THE_INCIDENT
    assert values["service"] == "login"
    assert of_incident(replace(about, service=None, channel_name=None)).keys() == {"incident", "severity"}


@pytest.mark.parametrize("name", ["x; rm -rf /", "$(id)", "`id`", "a\nb", "a|b", "x" * 121, "'"])
def test_what_could_change_a_command_leaves_the_name_as_it_is_written(name: str) -> None:
    hostile = Service(
        "login", owner=name, balancers=(Balancer("haproxy", "unix:/x", name, intended={name: 1.0}),)
    )
    values = of_service(hostile)
    assert (values["backend"], values["servers"], values["service_owner"]) == ("", "", "")
    # No default stands in for it: somebody would believe it was theirs.
    assert fill("show {{ backend }} {{ servers }}", PAGE, values) == "show {{ backend }} {{ servers }}"


UNDO = "If need be:\n\n```sh haproxy\nset x old\n```\n\n```sh nginx\ncp a b\n```"
STEP = Step(
    "s",
    "Correct it",
    Phase.MITIGATE,
    "Look.",
    (
        Command("sh", "", "date"),
        Command("sh", "haproxy", 'echo "set {{ backend }}"'),
        Command("sh", "nginx", "nginx -s reload"),
    ),
    fields=(("Undo", UNDO), ("Note", "it is {{ service }}.")),
)


def test_only_the_commands_of_the_balancer_are_shown_where_there_are_some() -> None:
    shown, others = commands_for(STEP, "haproxy")
    assert ([one.balancer for one in shown], others) == (["", "haproxy"], ["nginx"])
    for kind in ("", "envoy"):
        shown, others = commands_for(STEP, kind)
        assert (len(shown), others) == (3, [])
    assert field_for(UNDO, "nginx") == "If need be:\n\n```sh nginx\ncp a b\n```"
    assert field_for(UNDO, "") == (
        "If need be:\n\n**haproxy:**\n\n```sh haproxy\nset x old\n```\n\n**nginx:**\n\n```sh nginx\ncp a b\n```"
    )
    assert field_for("no block", "nginx") == "no block"


def shown(service: Service | None) -> str:
    page = replace(PAGE, steps=(STEP,))
    card = replace(CARD, incident=replace(CARD.incident, service=service and service.name), service=service)
    _, blocks = cards.step_card(card, Run(1, 1, "lb", "LB", "abc", 1, NOON, "U1"), page, 0, None, "")
    return str(blocks)


def test_a_step_in_the_channel_speaks_of_the_service_and_its_balancer() -> None:
    told = shown(LOGIN)
    assert 'echo "set be_login"' in told and "it is login." in told and "date" in told
    assert "nginx -s reload" not in told and "cp a b" not in told
    assert "The balancer is haproxy; the runbook has commands for nginx too." in told


def test_a_step_without_a_service_shows_all_and_says_whose_each_is() -> None:
    told = shown(None)
    assert 'echo "set be_auth"' in told and "nginx -s reload" in told
    assert "*nginx:*" in told and "{{ service }}" in told


def test_a_field_is_never_cut_in_the_middle_of_a_command() -> None:
    fields = tuple(("Note", f"{at} {'x' * 900}") for at in range(6))
    page = replace(PAGE, steps=(replace(STEP, fields=fields),))
    _, blocks = cards.step_card(CARD, Run(1, 1, "lb", "LB", "abc", 1, NOON, "U1"), page, 0, None, "")
    texts = [one["text"]["text"] for one in blocks if one["type"] == "section"]
    assert all(len(text) <= 3000 for text in texts)
    assert sum(text.count("x" * 900) for text in texts) == 6
