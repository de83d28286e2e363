"""The pool that an AWS load balancer makes: of its target groups or zones, or of its targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.balancers.aws_answers import Action, Group
from bot.balancers.aws_figures import Figures
from bot.domain.catalogue import Balancer
from bot.domain.pool import Front, Pool, Server, Standing, with_absent

_UNTOLD = (
    "CloudWatch counts target groups and zones and not single targets; only the load balancer's access log in S3 "
    "tells them"
)
_WHY = {
    "HTTPCode_ELB_502_Count": "targets break off or send what is no HTTP (502)",
    "HTTPCode_ELB_503_Count": "a target group has no targets (503)",
    "HTTPCode_ELB_504_Count": "targets do not answer in time (504)",
}


@dataclass(frozen=True)
class Seen:
    """What was answered about one load balancer."""

    action: Action
    groups: Sequence[Group]
    zones: Sequence[str]
    figures: Figures
    is_network: bool
    #: Whether each zone keeps its own requests.
    is_zonal: bool


def by_cells(balancer: Balancer, seen: Seen) -> Pool | None:
    """The pool of target groups, or of zones where each keeps its own; None when there is only one of either."""
    if len(seen.groups) > 1 and not seen.is_network:
        built = [_of_group(balancer, one, seen.figures) for one in seen.groups]
        sizes = [float(len(one.registered) or 1) for one in seen.groups]
        pool = _pool(balancer, seen, built, dict(zip((one.name for one in built), sizes, strict=True)))
        sticky = "the listener's stickiness"
        return replace(
            pool,
            is_pinned=seen.action.is_sticky or None,
            algorithm=sticky if seen.action.is_sticky else "",
            compared="target groups; fair is what their number of targets says, unless the catalogue says it",
        )
    if len(seen.zones) > 1 and seen.is_zonal and len(seen.groups) == 1:
        built = [_of_zone(balancer, seen, zone) for zone in seen.zones]
        return replace(
            _pool(balancer, seen, built, _sizes_of_zones(seen, built)),
            is_zonal=True,
            compared="zones; fair is what their number of targets says, unless the catalogue says it",
        )
    return None


def by_targets(balancer: Balancer, seen: Seen) -> Pool:
    """The pool of single targets, whose states are known and whose requests are not."""
    built = []
    for group in seen.groups:
        # Those that leave are no longer meant, as long as there are others.
        for target in group.registered or group.targets:
            known = balancer.name_of(target.address)
            name = known if known != target.address else target.id
            built.append(
                Server(
                    name=name,
                    address=target.address,
                    requests=0,
                    standing=target.standing,
                    is_warming=target.state == "initial",
                    check=target.check,
                    has_check=target.state != "unavailable",
                )
            )
    names = Counter(server.name for server in built)
    built = [one if names[one.name] == 1 else replace(one, name=one.address) for one in built]
    pool = _pool(balancer, seen, built, {})
    failed = sum(seen.figures.count("HTTPCode_Target_5XX_Count", group.key) for group in seen.groups)
    is_open = bool(built) and not any(server.standing is Standing.UP for server in built)
    checks = [group.check for group in seen.groups if group.check]
    sticky = [group.name for group in seen.groups if group.attributes.get("stickiness.enabled") == "true"]
    hint = (
        f" Stickiness is on in {', '.join(sticky)}: clients keep to the target that they had."
        if sticky
        else ""
    )
    return replace(
        pool,
        errors=failed,
        split_untold=_UNTOLD,
        # Without a healthy target all of them are used.
        is_panicking=is_open,
        check_asks=checks[0] if len(set(checks)) == 1 else "",
        note=f"{pool.note}{hint}",
    )


def _of_group(balancer: Balancer, group: Group, figures: Figures) -> Server:
    used = [one for one in group.registered if one.standing is not Standing.MAINT]
    down = [one for one in used if one.standing is Standing.DOWN]
    standing = Standing.UP
    if not used and group.targets == []:
        standing = Standing.ABSENT
    elif used and len(down) == len(used):
        standing = Standing.DOWN
    checks = Counter(one.check for one in down)
    server = _counted(balancer.name_of(group.name), figures, group.key, "")
    return replace(
        server,
        standing=standing,
        weight=group.weight,
        check=checks.most_common(1)[0][0] if standing is Standing.DOWN else "",
    )


def _of_zone(balancer: Balancer, seen: Seen, zone: str) -> Server:
    group = seen.groups[0]
    if seen.is_network:
        server = Server(balancer.name_of(zone), seen.figures.count("NewFlowCount", "", zone))
    else:
        server = _counted(balancer.name_of(zone), seen.figures, group.key, zone)
    healthy = seen.figures.of("HealthyHostCount", group.key, zone)
    return replace(server, standing=Standing.DOWN if healthy == 0 else Standing.UP)


def _counted(name: str, figures: Figures, group: str, zone: str) -> Server:
    mean = figures.of("TargetResponseTime", group, zone)
    most = figures.of("TargetResponseTime most", group, zone)
    requests = figures.count("RequestCount", group, zone)
    return Server(
        name=name,
        requests=requests,
        errors=figures.count("HTTPCode_Target_5XX_Count", group, zone),
        answers=requests,
        unreached=figures.count("TargetConnectionErrorCount", group, zone),
        latency=None if mean is None else 1000 * mean,
        latency_most=None if most is None else 1000 * most,
    )


def _sizes_of_zones(seen: Seen, servers: Sequence[Server]) -> dict[str, float]:
    """Each zone's part by its targets, which only CloudWatch counts by zone; nothing when it does not."""
    key = seen.groups[0].key
    sizes = {}
    for server, zone in zip(servers, seen.zones, strict=True):
        healthy = seen.figures.of("HealthyHostCount", key, zone)
        if healthy is None:
            return {}
        sizes[server.name] = healthy + (seen.figures.of("UnHealthyHostCount most", key, zone) or 0.0)
    return sizes if any(sizes.values()) else {}


def _pool(balancer: Balancer, seen: Seen, servers: Sequence[Server], sizes: Mapping[str, float]) -> Pool:
    figures = seen.figures
    late = figures.count("HTTPCode_ELB_504_Count")
    whole = sum(server.requests for server in servers)
    if late and whole:
        # Nobody counts by target group what the load balancer gave up waiting for.
        servers = [
            replace(one, unanswered=max(0, round(late * one.requests / whole) - one.unreached))
            for one in servers
        ]
    # A group at weight 0 waits for its turn, as blue does for green.
    wanted = dict(balancer.intended) or {
        one.name: sizes[one.name] for one in servers if one.weight != 0 and one.name in sizes
    }
    reasons = {name: figures.count(name) for name in _WHY}
    worst = max(reasons, key=lambda name: reasons[name])
    requests = figures.count("RequestCount")
    return Pool(
        kind="aws",
        backend=balancer.backend,
        servers=with_absent(servers, wanted),
        window=figures.ends_at - figures.begins_at,
        # Where no target could be chosen the request is not in the count.
        arrived=whole if seen.is_network else requests + reasons["HTTPCode_ELB_503_Count"],
        own_errors=None if seen.is_network else figures.count("HTTPCode_ELB_5XX_Count"),
        own_errors_why=_WHY[worst] if reasons[worst] else "",
        fronts=() if seen.is_network else (_front(figures, requests),),
        intended=wanted,
        note=_note(seen),
    )


def _front(figures: Figures, requests: int) -> Front:
    failed = figures.of("ClientTLSNegotiationErrorCount")
    return Front(
        "the load balancer",
        connections=figures.count("NewConnectionCount"),
        requests=requests,
        failed_handshakes=None if failed is None else round(failed),
        dropped=figures.count("RejectedConnectionCount"),
    )


def _note(seen: Seen) -> str:
    if not seen.figures.values:
        return "CloudWatch has no figures of the last minutes; without requests it has none."
    said = f"CloudWatch's figures are of {seen.figures.when}."
    for group in seen.groups:
        most = seen.figures.count("UnHealthyHostCount most", group.key)
        if most and not any(one.standing is Standing.DOWN for one in group.targets):
            said += f" Then {most} of the targets of {group.name} were unhealthy, and all are well now."
    return said
