"""Variables of runbooks, `{{ backend }}`: what the incident and the catalogue give, and what may stand in a command."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.domain.catalogue import Service
from bot.domain.incident import Incident

#: A value goes into commands that people copy: no quotes, semicolons, dollars or line ends.
VALUE = re.compile(r"[\w./:@ -]{1,120}")
VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
#: What the incident brings along.
FROM_THE_INCIDENT = frozenset({"incident", "severity", "channel", "commander", "service"})
#: What the catalogue knows of the incident's service and its balancer.
FROM_THE_CATALOGUE = frozenset({"service_owner", "balancer", "balancer_host", "backend", "front", "servers"})


def of_incident(about: Incident, commander: str = "") -> dict[str, str]:
    """The incident's own values; `commander` is the name of whoever leads it. What is not known is left out."""
    return _plain(
        {
            "incident": about.slug,
            "severity": about.severity.value,
            "channel": about.channel_name or "",
            "commander": commander,
            "service": about.service or "",
        }
    )


def of_service(service: Service, which: int = 0) -> dict[str, str]:
    """What the catalogue says of a service and of one of its balancers, from 0.

    Names it does not say are left out, so that a runbook's own defaults stand.
    """
    values = {"service": service.name, "service_owner": service.owner}
    if which < len(service.balancers):
        balancer = service.balancers[which]
        names = dict.fromkeys([*balancer.intended, *balancer.addresses])
        values |= {
            "balancer": balancer.kind,
            "balancer_host": _host(balancer.address),
            "backend": balancer.backend,
            "front": balancer.front,
            "servers": " ".join(names),
        }
    return _plain(values)


def _host(address: str) -> str:
    """The host of tcp:10.0.0.5:9999 or http://10.0.0.5:9901; "" for a socket or a file of this machine."""
    if address.startswith("tcp:"):
        return address.removeprefix("tcp:").rpartition(":")[0]
    return urlsplit(address).hostname or "" if address.startswith(("http://", "https://")) else ""


def _plain(values: Mapping[str, str]) -> dict[str, str]:
    # What must not stand in a command becomes "", which leaves the name as it is written: no default stands for it.
    known = {name: value for name, value in values.items() if value}
    return {name: value if VALUE.fullmatch(value) else "" for name, value in known.items()}
