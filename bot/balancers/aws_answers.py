"""Answers of the ELBv2 API: a load balancer, what its listener splits over, and the targets behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.balancers.sample import NoReading
from bot.domain.catalogue import Balancer
from bot.domain.pool import Standing

Row = Mapping[str, Any]

_STANDINGS = {
    "unhealthy": Standing.DOWN,
    "draining": Standing.DRAIN,
    "unhealthy.draining": Standing.DRAIN,
    # Stopped, or in a zone that the load balancer does not serve.
    "unused": Standing.MAINT,
}
_CHECKS = {"Target.Timeout": "L7TOUT", "Target.FailedHealthChecks": "L4CON"}
_CODES = re.compile(r"\[(\d{3})\b")


@dataclass(frozen=True)
class Target:
    """One target of a group."""

    id: str
    port: int | None
    state: str
    reason: str
    description: str

    @property
    def address(self) -> str:
        """id:port, as the catalogue may name it."""
        return f"{self.id}:{self.port}" if self.port else self.id

    @property
    def standing(self) -> Standing:
        """Where it stands, in a pool's words."""
        return _STANDINGS.get(self.state, Standing.UP)

    @property
    def check(self) -> str:
        """What its check last got, as HAProxy would put it."""
        if self.standing is not Standing.DOWN:
            return ""
        code = _CODES.search(self.description)
        if self.reason == "Target.ResponseCodeMismatch":
            return f"L7STS/{code[1]}" if code else "L7STS"
        return _CHECKS.get(self.reason, "")


@dataclass(frozen=True)
class Group:
    """One target group."""

    arn: str
    name: str
    weight: float
    #: What its health check asks: "GET /healthz"; "" for one that only connects.
    check: str
    targets: Sequence[Target]
    attributes: Mapping[str, str]

    @property
    def key(self) -> str:
        """What CloudWatch calls it: "targetgroup/auth/0123"."""
        return self.arn.rpartition(":")[2]

    @property
    def registered(self) -> list[Target]:
        """Targets that are meant to be used."""
        return [one for one in self.targets if one.standing is not Standing.DRAIN]


@dataclass(frozen=True)
class Action:
    """What a listener or a rule forwards to."""

    #: Listener, as in "HTTPS:443".
    listener: str
    #: ARN of each target group -> its weight.
    weights: Mapping[str, float]
    is_sticky: bool


def rows(text: str, key: str) -> list[Row]:
    """The list that an answer holds under a key; none when it is no such answer."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return []
    inner = found.get(key) if isinstance(found, dict) else None
    return [one for one in inner if isinstance(one, dict)] if isinstance(inner, list) else []


def attributes_of(found: Sequence[Row]) -> dict[str, str]:
    """Attributes as names and values."""
    return {str(one.get("Key", "")): str(one.get("Value", "")) for one in found}


def action_of(listeners: Sequence[Row], rules: Sequence[Row], balancer: Balancer) -> Action | None:
    """What the pool is split over: of the target group called so, else of the listener; None when rules must tell.

    Raises NoReading when several fit.
    """
    those = [one for one in listeners if _is_front(one, balancer.front)]
    if balancer.front and not those:
        known = ", ".join(_label(one) for one in listeners) or "none"
        raise NoReading(f"The load balancer has no listener `{balancer.front}`. It has: {known}.")
    found = [action for one in those for action in _forwards(one.get("DefaultActions"), _label(one))]
    found += [action for rule in rules for action in _forwards(rule.get("Actions"), "a rule")]
    named = [one for one in found if any(name_of(arn) == balancer.backend for arn in one.weights)]
    if named or not found:
        return named[0] if named else None
    if any(one.listener != "a rule" for one in found):
        # Clients come by TLS where there is any.
        return min(
            found, key=lambda one: (one.listener == "a rule", not one.listener.startswith(("HTTPS", "TLS")))
        )
    kinds = {tuple(sorted(one.weights)) for one in found}
    if len(kinds) > 1:
        known = ", ".join(sorted({name_of(arn) for one in found for arn in one.weights}))[:300]
        raise NoReading(
            f"The listener's rules forward to several target groups. Name one as backend: {known}."
        )
    return found[0]


def _is_front(listener: Row, front: str) -> bool:
    return not front or front in (
        str(listener.get("Port", "")),
        _label(listener),
        str(listener.get("ListenerArn")),
    )


def _label(listener: Row) -> str:
    return f"{listener.get('Protocol', '')}:{listener.get('Port', '')}"


def _forwards(actions: object, listener: str) -> Iterator[Action]:
    for action in actions if isinstance(actions, list) else []:
        if not isinstance(action, dict) or action.get("Type") != "forward":
            continue
        config = action.get("ForwardConfig")
        config = config if isinstance(config, dict) else {}
        groups = [one for one in config.get("TargetGroups") or [] if isinstance(one, dict)]
        weights = {str(one.get("TargetGroupArn", "")): _number(one.get("Weight"), 1.0) for one in groups}
        if not weights and action.get("TargetGroupArn"):
            weights = {str(action["TargetGroupArn"]): 1.0}
        sticky = config.get("TargetGroupStickinessConfig")
        if weights:
            yield Action(listener, weights, isinstance(sticky, dict) and sticky.get("Enabled") is True)


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def name_of(arn: str) -> str:
    """A target group's name, out of its ARN."""
    parts = arn.rpartition(":")[2].split("/")
    return parts[1] if len(parts) > 2 else arn


def group_of(arn: str, weight: float, about: Row, health: Sequence[Row], attributes: Sequence[Row]) -> Group:
    """One target group, out of what was answered about it."""
    path = about.get("HealthCheckPath")
    is_http = str(about.get("HealthCheckProtocol", "")).startswith("HTTP")
    return Group(
        arn,
        str(about.get("TargetGroupName") or name_of(arn)),
        weight,
        f"GET {path}"[:120] if is_http and path else "",
        [_target(one) for one in health],
        attributes_of(attributes),
    )


def _target(row: Row) -> Target:
    target, health = row.get("Target"), row.get("TargetHealth")
    target, health = (one if isinstance(one, dict) else {} for one in (target, health))
    port = target.get("Port")
    return Target(
        str(target.get("Id", "")),
        port if isinstance(port, int) else None,
        str(health.get("State", "")),
        str(health.get("Reason", "")),
        str(health.get("Description", "")),
    )
