"""Services as Traefik's API shows them: servers, weights, states, and how one is chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.balancers.sample import NoReading
from bot.domain.pool import Policy, Standing

_POLICIES = {"p2c": Policy.LEAST_BUSY, "leasttime": Policy.LEAST_BUSY, "hrw": Policy.HASH}

Service = Mapping[str, Any]


def services_of(text: str) -> list[Service]:
    """The services of an answer, a list or a single one. Raises NoReading for what is neither."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    rows = found if isinstance(found, list) else [found]
    services: list[Service] = [
        row for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)
    ]
    if not services and found != []:
        raise NoReading(
            "What answered is not Traefik's API. Switch it on (`api: {}` with a router, or `api: {insecure: true}` on "
            "a closed network) and write its address, e.g. http://10.0.0.5:8080."
        )
    return services


def named(services: Sequence[Service], backend: str) -> Service:
    """The service that the catalogue means, by its name with or without its provider. Raises NoReading."""
    found = [one for one in services if is_called(one, backend)]
    balanced = [one for one in found if servers_of(one) or children_of(one)]
    if len(balanced) == 1:
        return balanced[0]
    known = ", ".join(str(one["name"]) for one in found or services if servers_of(one) or children_of(one))
    if len(balanced) > 1:
        raise NoReading(
            f"Traefik has several services `{backend}`. Say which in the catalogue: {known[:300]}."
        )
    if found and "loadBalancer" in found[0]:
        raise NoReading(
            f"Traefik's service `{backend}` has no server at all: whatever it takes its servers from names none."
        )
    if found:
        raise NoReading(
            f"Traefik's service `{backend}` has no servers of its own ({found[0].get('type', 'no load balancer')}). "
            "Name the service behind it, the one that has servers."
        )
    raise NoReading(f"Traefik has no service `{backend}`. It has: {known[:300] or 'none'}.")


def is_called(service: Service, backend: str) -> bool:
    """Whether it is called that, with or without its provider."""
    name = str(service["name"])
    return name == backend or name.rpartition("@")[0] == backend


def servers_of(service: Service) -> list[Mapping[str, Any]]:
    """Its servers, each with url and weight; none of a service that has others behind it."""
    balanced = service.get("loadBalancer")
    found = balanced.get("servers") if isinstance(balanced, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def children_of(service: Service) -> dict[str, float]:
    """Full name of each service that a weighted one is split over -> its weight."""
    weighted = service.get("weighted")
    found = weighted.get("services") if isinstance(weighted, dict) else None
    provider = str(service["name"]).rpartition("@")[2]
    children: dict[str, float] = {}
    for one in found if isinstance(found, list) else []:
        name = str(one.get("name", "")) if isinstance(one, dict) else ""
        if name:
            children[name if "@" in name else f"{name}@{provider}"] = weight_of(one)
    return children


def weight_of(row: Mapping[str, Any]) -> float:
    """A server's or a service's weight, 1 where it is not said."""
    weight = row.get("weight", 1)
    return float(weight) if isinstance(weight, int | float) and weight >= 0 else 1.0


def without_secrets(service: Service) -> Service:
    """The service without the headers that its health check sends, which may hold a password."""
    balanced = service.get("loadBalancer")
    if not isinstance(balanced, dict) or not isinstance(balanced.get("healthCheck"), dict):
        return service
    check = {key: value for key, value in balanced["healthCheck"].items() if key != "headers"}
    return {**service, "loadBalancer": {**balanced, "healthCheck": check}}


def standing_of(service: Service, server: Mapping[str, Any], states: Mapping[str, float]) -> Standing:
    """Where one of its servers stands. `states`: url -> 0 or 1, where the service itself does not say."""
    url = str(server.get("url", ""))
    status = service.get("serverStatus")
    word = str(status.get(url, "")) if isinstance(status, dict) else ""
    if word.upper() == "DOWN" or (not word and states.get(url) == 0):
        return Standing.DOWN
    # Fenced: it ends, and keeps only the clients that it has.
    return Standing.DRAIN if server.get("fenced") else Standing.UP


def choice_of(balanced: Mapping[str, Any]) -> dict[str, Any]:
    """How it chooses, in a pool's words."""
    sticky = balanced.get("sticky")
    if isinstance(sticky, dict):
        cookie = sticky.get("cookie")
        name = cookie.get("name", "") if isinstance(cookie, dict) else ""
        return {"is_pinned": True, "algorithm": f"the sticky cookie {name}".strip()}
    strategy = str(balanced.get("strategy") or "wrr")
    return {"policy": _POLICIES.get(strategy, Policy.EVEN), "algorithm": strategy}


def check_of(balanced: Mapping[str, Any]) -> str:
    """What its health check asks, "GET /healthz"; "" without one."""
    check = balanced.get("healthCheck")
    if not isinstance(check, dict) or not isinstance(check.get("path"), str):
        return ""
    return f"{check.get('method') or 'GET'} {check['path']}"[:120]
