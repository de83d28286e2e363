"""AWS: an Application or Network Load Balancer, by the ELBv2 API and CloudWatch.

CloudWatch counts target groups and zones by the minute, and not single targets. So what is compared is what the
listener splits over: target groups, or the zones where each zone keeps its own requests. The states of single targets
are known, and are told where there is nothing to compare.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.balancers.aws_answers import Action, Row, action_of, attributes_of, group_of, name_of, rows
from bot.balancers.aws_calls import IN_ALL, Aws, NotThere
from bot.balancers.aws_figures import Figures, newest, queries, span
from bot.balancers.aws_pool import Seen, by_cells, by_targets
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.figures import figures, split_limits
from bot.domain.pool import Pool, Standing

KIND = "aws"
BALANCERS, LISTENERS, RULES = "load balancers", "listeners", "rules"
GROUPS, HEALTH, ATTRIBUTES, COUNTS = "target groups", "target health", "attributes", "figures"
#: Target groups and listeners that are asked about.
_MOST_GROUPS, _MOST_LISTENERS = 20, 5
_ZONAL = "load_balancing.cross_zone.enabled"

Ask = Callable[..., dict[str, Any]]


def look(balancer: Balancer, before: Sample | None = None) -> Sample:
    """One look at the load balancer and at CloudWatch's last minutes. Raises NoReading."""
    aws = Aws(balancer.address)
    ends_at = time.monotonic() + IN_ALL

    def ask(question: str, **about: object) -> dict[str, Any]:
        if time.monotonic() > ends_at:
            raise NoReading(f"AWS at {aws.place} answers too slowly: {IN_ALL:.0f} seconds were not enough.")
        service = "cloudwatch" if question == "get_metric_data" else "elbv2"
        return aws.ask(service, question, **about)

    mine = _balancer(ask, aws, balancer)
    listeners = ask("describe_listeners", LoadBalancerArn=mine["LoadBalancerArn"]).get("Listeners", [])
    rules: list[Row] = []
    action = action_of(listeners, rules, balancer)
    if action is None or not _is_about(action, balancer.backend, mine):
        for one in listeners[:_MOST_LISTENERS]:
            rules += ask("describe_rules", ListenerArn=one.get("ListenerArn", "")).get("Rules", [])
        action = action_of(listeners, rules, balancer)
    if action is None:
        raise NoReading(
            f"The load balancer {mine.get('LoadBalancerName', '')} forwards nothing to a target group."
        )
    arns = list(action.weights)[:_MOST_GROUPS]
    attributes = {arn: ask("describe_target_group_attributes", TargetGroupArn=arn) for arn in arns}
    if mine.get("Type") == "network":
        arn = mine["LoadBalancerArn"]
        attributes[arn] = ask("describe_load_balancer_attributes", LoadBalancerArn=arn)
    found = {
        BALANCERS: {"LoadBalancers": [mine]},
        LISTENERS: {"Listeners": listeners},
        RULES: {"Rules": rules},
        GROUPS: ask("describe_target_groups", TargetGroupArns=arns),
        HEALTH: {arn: ask("describe_target_health", TargetGroupArn=arn) for arn in arns},
        ATTRIBUTES: attributes,
    }
    texts = {name: json.dumps(value, default=str) for name, value in found.items()}
    texts[COUNTS] = _figures(ask, mine, arns).as_text()
    return Sample(time.monotonic(), texts)


def sniff(text: str) -> str:
    """Which of AWS' answers a text is, as boto3 or the aws command writes them; "" for none."""
    try:
        found = json.loads(text) if text.lstrip()[:1] == "{" else {}
    except (ValueError, RecursionError):
        return ""
    keys = {
        "LoadBalancers": BALANCERS,
        "Listeners": LISTENERS,
        "Rules": RULES,
        "TargetGroups": GROUPS,
        "TargetHealthDescriptions": HEALTH,
        "Attributes": ATTRIBUTES,
    }
    return next((name for key, name in keys.items() if isinstance(found, dict) and key in found), "")


def picture(before: Sample, after: Sample, balancer: Balancer) -> Pool:
    """The pool of CloudWatch's last minutes, whatever lies between the looks. Raises NoReading."""
    seen = _seen(after.texts, balancer)
    cells = by_cells(balancer, seen)
    if cells is None:
        return by_targets(balancer, seen)
    found = figures(cells)
    is_uneven = found.skew >= split_limits(cells, found)[0] or found.out_of_rotation > 0
    has_down = any(one.standing is Standing.DOWN for group in seen.groups for one in group.targets)
    # What is even by groups may still lack half of its targets.
    return by_targets(balancer, seen) if has_down and not is_uneven else cells


def _balancer(ask: Ask, aws: Aws, balancer: Balancer) -> Row:
    """The load balancer: by its ARN, by its name, or by the name of a target group behind it."""
    if aws.arn:
        return _first(ask("describe_load_balancers", LoadBalancerArns=[aws.arn]), aws.arn)
    try:
        return _first(ask("describe_load_balancers", Names=[balancer.backend]), balancer.backend)
    except NotThere:
        pass
    try:
        groups = ask("describe_target_groups", Names=[balancer.backend]).get("TargetGroups", [])
    except NotThere:
        known = ask("describe_load_balancers", PageSize=20).get("LoadBalancers", [])
        names = ", ".join(str(one.get("LoadBalancerName", "")) for one in known)[:300] or "none"
        raise NoReading(
            f"AWS has no load balancer and no target group `{balancer.backend}` at {aws.place}. It has: {names}."
        ) from None
    arns = [arn for group in groups for arn in group.get("LoadBalancerArns", [])]
    if not arns:
        raise NoReading(f"The target group `{balancer.backend}` belongs to no load balancer.")
    return _first(ask("describe_load_balancers", LoadBalancerArns=arns[:1]), arns[0])


def _first(found: Mapping[str, Any], name: str) -> Row:
    balancers: Sequence[Row] = found.get("LoadBalancers", [])
    if not balancers or not balancers[0].get("LoadBalancerArn"):
        raise NotThere(f"AWS has no load balancer `{name}`.")
    return balancers[0]


def _is_about(action: Action, backend: str, balancer: Row) -> bool:
    return backend == balancer.get("LoadBalancerName") or any(
        name_of(arn) == backend for arn in action.weights
    )


def _figures(ask: Ask, balancer: Row, arns: Sequence[str]) -> Figures:
    zones = _zones(balancer)
    asked = queries(
        balancer["LoadBalancerArn"].partition("loadbalancer/")[2],
        [arn.rpartition(":")[2] for arn in arns],
        zones if len(arns) == 1 else [],
        is_network=balancer.get("Type") == "network",
    )
    # CloudWatch counts by the clock of the world, not by ours.
    begins, ends = span(time.time())
    answer = ask("get_metric_data", MetricDataQueries=asked, StartTime=begins, EndTime=ends)
    return newest(answer.get("MetricDataResults", []))


def _zones(balancer: Row) -> list[str]:
    found = balancer.get("AvailabilityZones")
    return [str(one.get("ZoneName", "")) for one in found] if isinstance(found, list) else []


def _seen(texts: Mapping[str, str], balancer: Balancer) -> Seen:
    action = action_of(
        rows(texts.get(LISTENERS, ""), "Listeners"), rows(texts.get(RULES, ""), "Rules"), balancer
    )
    about = {str(one.get("TargetGroupArn")): one for one in rows(texts.get(GROUPS, ""), "TargetGroups")}
    if action is None:
        # Without a listener: the groups as they are.
        action = Action("", dict.fromkeys(about, 1.0), is_sticky=False)
    if not action.weights:
        raise NoReading("There is neither a listener nor a target group of AWS to read.")
    arns = list(action.weights)[:_MOST_GROUPS]
    health = _by_group(texts.get(HEALTH, ""), arns, "TargetHealthDescriptions")
    attributes = _by_group(texts.get(ATTRIBUTES, ""), arns, "Attributes")
    groups = [
        group_of(arn, action.weights[arn], about.get(arn, {}), health.get(arn, []), attributes.get(arn, []))
        for arn in arns
    ]
    mine = next(iter(rows(texts.get(BALANCERS, ""), "LoadBalancers")), {})
    is_network = mine.get("Type") == "network"
    whole = attributes_of(attributes.get(str(mine.get("LoadBalancerArn")), []))
    zonal = {one.attributes.get(_ZONAL, "use_load_balancer_configuration") for one in groups}
    # A Network Load Balancer keeps to its zone unless it is told not to; an Application Load Balancer the other way.
    is_zonal = zonal == {"false"} or (is_network and "true" not in zonal and whole.get(_ZONAL) != "true")
    return Seen(
        action,
        groups,
        _zones(mine),
        Figures.of_text(texts.get(COUNTS, "")),
        is_network=is_network,
        is_zonal=is_zonal,
    )


def _by_group(text: str, arns: Sequence[str], key: str) -> dict[str, list[Row]]:
    """ARN -> the rows about it; an answer about one alone is that of the first."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    if key in found:
        return {arn: rows(text, key) for arn in arns[:1]}
    return {str(arn): rows(json.dumps(one), key) for arn, one in found.items()}
