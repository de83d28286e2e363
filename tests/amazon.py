"""A small stand-in of two of AWS' APIs over HTTP: ELBv2 (queries in, XML out) and CloudWatch's GetMetricData (JSON)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from tests.answering import Answer, Answering, Asked

ACCOUNT = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"
BALANCER = f"{ACCOUNT}:loadbalancer/app/login/50dc6c495c0c9188"
NETWORK = f"{ACCOUNT}:loadbalancer/net/login/50dc6c495c0c9188"
ZONES = ("eu-west-1a", "eu-west-1b")


def group(name: str) -> str:
    """ARN of a target group."""
    return f"{ACCOUNT}:targetgroup/{name}/73e2d6bc24d8a067"


def target(name: str, state: str = "healthy", reason: str = "", description: str = "") -> dict[str, Any]:
    """One target and its health."""
    health = {"State": state, "Reason": reason, "Description": description}
    return {
        "Target": {"Id": name, "Port": 8080},
        "TargetHealth": {key: value for key, value in health.items() if value},
    }


@dataclass
class Amazon:
    """What there is: change it, then ask."""

    #: Target group -> its targets.
    targets: dict[str, list[dict[str, Any]]]
    #: Target group -> its weight in the listener's action.
    weights: Mapping[str, int]
    #: "name|group|zone" -> its figure for one minute; groups by their names, "" for all.
    figures: dict[str, float] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    path: str = "/healthz"
    balancer: str = BALANCER
    is_sticky: bool = False
    #: Question -> code of the error that answers it.
    refused: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def serve(self) -> Answering:
        """A server that answers so."""
        return Answering(self._answer)

    def _answer(self, came: Asked) -> Answer:
        headers = {key.lower(): value for key, value in came.headers.items()}
        if "x-amz-target" in headers:
            question = headers["x-amz-target"].rpartition(".")[2]
            self.asked.append(question)
            if question in self.refused:
                return 400, json.dumps({"__type": self.refused[question], "message": "no"})
            return 200, json.dumps({"MetricDataResults": self._metrics(json.loads(came.body))})
        form = {key: values[0] for key, values in parse_qs(came.body).items()}
        question = form.get("Action", "")
        self.asked.append(question)
        if question in self.refused:
            return 400, f"<ErrorResponse><Error><Code>{self.refused[question]}</Code></Error></ErrorResponse>"
        made: dict[str, Callable[[Mapping[str, str]], Any]] = {
            "DescribeLoadBalancers": self._balancers,
            "DescribeListeners": self._listeners,
            "DescribeRules": lambda _: {"Rules": []},
            "DescribeTargetGroups": self._groups,
            "DescribeTargetHealth": lambda form: {
                "TargetHealthDescriptions": self.targets[_name(form["TargetGroupArn"])]
            },
            "DescribeTargetGroupAttributes": lambda _: _attributes(self.attributes),
            "DescribeLoadBalancerAttributes": lambda _: _attributes({}),
        }
        if question not in made:
            return 400, "<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>"
        found = made[question](form)
        if found is None:
            return 400, f"<ErrorResponse><Error><Code>{_MISSING[question]}</Code></Error></ErrorResponse>"
        return (
            200,
            f"<{question}Response><{question}Result>{_xml(found)}</{question}Result></{question}Response>",
        )

    def _balancers(self, form: Mapping[str, str]) -> Any:
        if form.get("Names.member.1", "login") != "login":
            return None
        mine = {
            "LoadBalancerArn": self.balancer,
            "LoadBalancerName": "login",
            "Type": "network" if "/net/" in self.balancer else "application",
            "AvailabilityZones": [{"ZoneName": zone} for zone in ZONES],
        }
        return {"LoadBalancers": [mine]}

    def _listeners(self, form: Mapping[str, str]) -> Any:
        redirect = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}
        forward = {
            "Type": "forward",
            "ForwardConfig": {
                "TargetGroups": [
                    {"TargetGroupArn": group(name), "Weight": weight} for name, weight in self.weights.items()
                ],
                "TargetGroupStickinessConfig": {"Enabled": self.is_sticky},
            },
        }
        listeners = []
        for port, protocol, action in ((80, "HTTP", redirect), (443, "HTTPS", forward)):
            arn = f"{self.balancer.replace(':loadbalancer/', ':listener/')}/{port}"
            listeners.append(
                {"ListenerArn": arn, "Port": port, "Protocol": protocol, "DefaultActions": [action]}
            )
        return {"Listeners": listeners}

    def _groups(self, form: Mapping[str, str]) -> Any:
        name = form.get("Names.member.1")
        if name is not None and name not in self.targets:
            return None
        groups = [
            {
                "TargetGroupArn": group(one),
                "TargetGroupName": one,
                "HealthCheckProtocol": "HTTP",
                "HealthCheckPath": self.path,
                "LoadBalancerArns": [self.balancer],
            }
            for one in self.targets
            if name in (None, one)
        ]
        return {"TargetGroups": groups}

    def _metrics(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        now = time.time()
        minutes = [now - now % 60 - 60 * at for at in range(6, 1, -1)]
        results = []
        for one in asked["MetricDataQueries"]:
            about = {row["Name"]: row["Value"] for row in one["MetricStat"]["Metric"]["Dimensions"]}
            name = one["Label"].partition("|")[0]
            where = f"{_name(about.get('TargetGroup', ''))}|{about.get('AvailabilityZone', '')}"
            value = self.figures.get(f"{name}|{where}")
            found = {
                "Id": one["Id"],
                "Label": one["Label"],
                "StatusCode": "Complete",
                "Timestamps": [],
                "Values": [],
            }
            if value is not None:
                found |= {"Timestamps": minutes, "Values": [value] * len(minutes)}
            results.append(found)
        return results


_MISSING = {"DescribeLoadBalancers": "LoadBalancerNotFound", "DescribeTargetGroups": "TargetGroupNotFound"}


def _name(arn: str) -> str:
    return arn.split("/")[1] if "/" in arn else ""


def _attributes(found: Mapping[str, str]) -> dict[str, Any]:
    return {"Attributes": [{"Key": key, "Value": value} for key, value in found.items()]}


def _xml(found: Any) -> str:
    if isinstance(found, Mapping):
        return "".join(f"<{key}>{_xml(value)}</{key}>" for key, value in found.items())
    if isinstance(found, Sequence) and not isinstance(found, str):
        return "".join(f"<member>{_xml(one)}</member>" for one in found)
    return escape(str(found).lower() if isinstance(found, bool) else str(found))
