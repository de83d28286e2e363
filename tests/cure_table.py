"""Each mitigating command of the shipped runbooks with the fault it is for.

"lb-uneven-traffic 3 haproxy" is the third step of that runbook, in its words for HAProxy.
"""

from __future__ import annotations

from tests.cures import (
    Cure,
    algorithm,
    certificate,
    column,
    edited,
    front_limit,
    good_before,
    held,
    in_stick_table,
    last_status,
    loaded_with,
    new_on_disk,
    right_port,
    says,
    status,
    statuses,
    with_,
    with_endpoints,
    with_servers,
    wrong_port,
)

UP = ["UP"] * 4
FLAG = "health_flags"
WELL = ["healthy"] * 4
EVEN = {f"auth{at}": 10 for at in range(1, 5)}
SLOW = "proxy_read_timeout 50ms;"
HASH = "hash_policy: [{header: {header_name: user-agent}}]"
CHECKED = (
    "health_checks: [{timeout: 1s, interval: 0.1s, no_traffic_interval: 0.1s, unhealthy_threshold: 1, "
    "healthy_threshold: 1, http_health_check: {path: /nowhere}}]"
)
OVERLOAD = (
    "overload_manager: {resource_monitors: [{name: envoy.resource_monitors.global_downstream_max_connections, "
    'typed_config: {"@type": type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.'
    "DownstreamConnectionsConfig, max_active_downstream_connections: 4}}]}"
)
IDLE = (
    "typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: "
    '{"@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, '
    "explicit_http_config: {http_protocol_options: {}}, common_http_protocol_options: {idle_timeout: 3600s}}}"
)
BREAKER = "circuit_breakers: {thresholds: [{max_connections: 2, max_pending_requests: 1, max_requests: 4}]}"
ZONES = "common_lb_config: {zone_aware_lb_config: {min_cluster_size: 1}}"
OUTLIERS = "outlier_detection: {max_ejection_percent: 100}"
STICK = "balance roundrobin\n    stick-table type ip size 1k expire 10m\n    stick on src"

HAPROXY = {
    "lb-uneven-traffic 3 haproxy": Cure(
        with_servers("weight 200", "weight 10", "weight 10", "weight 10"),
        column("weight"),
        ["200", "10", "10", "10"],
        ["100"] * 4,
    ),
    "lb-servers-parked 3 haproxy": Cure(
        with_(),
        column("status"),
        ["UP", "DRAIN", "UP", "UP"],
        UP,
        given=says("set server be_auth/auth2 state drain"),
    ),
    "lb-servers-parked 4 haproxy": Cure(
        with_servers("", "disabled", "disabled", "disabled"),
        column("status"),
        ["UP", "MAINT", "MAINT", "MAINT"],
        UP,
        edit="s/ disabled$//",
    ),
    "lb-health-check-wrong 3 haproxy": Cure(
        with_(check="/nowhere"),
        lambda stage: (column("status")(stage)[0], status(stage)),
        ("DOWN", 503),
        ("no check", 200),
    ),
    "lb-health-check-wrong 5 haproxy": Cure(
        with_(check="/nowhere"), column("check_status"), ["L7STS"] * 4, ["L7OK"] * 4, edit="s#/nowhere#/healthz#"
    ),
    "lb-pinned-clients 3 haproxy": Cure(
        with_(backend="balance source"), algorithm, "source", "roundrobin", edit="s/balance source/balance roundrobin/"
    ),
    "lb-pinned-clients 4 haproxy": Cure(
        with_(backend="balance source"),
        algorithm,
        "source",
        "hdr",
        edit="s/balance source/balance hdr(X-Forwarded-For)/",
    ),
    "lb-pinned-clients 5 haproxy": Cure(
        with_(backend=STICK), in_stick_table, "1", "0", given=status, has_undo=False
    ),
    "lb-frontend-full 3 haproxy": Cure(with_(front="maxconn 4"), front_limit, "4", "2000"),
    "lb-frontend-full 4 haproxy": Cure(
        with_(),
        lambda stage: stage.told("SessRateLimit"),
        "60",
        "0",
        given=says("set rate-limit sessions global 60"),
    ),
    "lb-frontend-full 5 haproxy": Cure(
        with_(front="maxconn 4"), front_limit, "4", "400", edit="s/maxconn 4$/maxconn 400/"
    ),
    # Two servers had no limit at all.
    "lb-queue-server-limit 3 haproxy": Cure(
        with_servers("maxconn 1", "", "", "maxconn 7"), column("slim"), ["1", "", "", "7"], ["200"] * 4
    ),
    "lb-bad-backend 3 haproxy": Cure(with_(), column("status"), UP, ["UP", "UP", "UP", "DRAIN"]),
    "lb-bad-backend 4 haproxy": Cure(
        wrong_port,
        lambda stage: [column("status")(stage)[3], stage.addresses()[3].rpartition(":")[2] == str(stage.ports[3])],
        ["DOWN", False],
        ["UP", True],
        values=right_port,
    ),
    "lb-slow-backend 3 haproxy": Cure(with_(), column("status"), UP, ["UP", "UP", "DRAIN", "UP"]),
    "lb-slow-backend 4 haproxy": Cure(
        with_(), algorithm, "roundrobin", "leastconn", edit="s/balance roundrobin/balance leastconn/"
    ),
    "lb-timeouts 3 haproxy": Cure(
        with_(timeout="100ms"), status, 504, 200, edit="s/timeout server 100ms/timeout server 60s/", delay=0.3
    ),
    "lb-timeouts 5 haproxy": Cure(
        with_(),
        loaded_with("http-reuse never"),
        (False, "0"),
        (True, "1"),
        undone=(False, "2"),
        edit="s/(balance roundrobin)/\\1\\n    http-reuse never/",
    ),
    "lb-tls-expired 3 haproxy": Cure(with_(), certificate, False, True, given=new_on_disk, has_undo=False),
    "lb-tls-expired 4 haproxy": Cure(with_(), certificate, False, True),
    "lb-config-not-applied 3 haproxy": Cure(
        with_servers("weight 200", "weight 10", "weight 10", "weight 10"),
        column("weight"),
        ["200", "10", "10", "10"],
        ["1"] * 4,
        given=edited(with_()),
        has_undo=False,
    ),
    "lb-config-not-applied 4 haproxy": Cure(
        with_servers("weight 200", "weight 10", "weight 10", "weight 10"),
        column("weight"),
        ["200", "10", "10", "10"],
        ["1"] * 4,
        given=good_before(with_()),
    ),
    "lb-config-not-applied 5 haproxy": Cure(
        with_(), lambda stage: stage.old_workers(), 1, 0, given=held, delay=6.0, has_undo=False
    ),
}  # fmt: skip

NGINX = {
    "lb-uneven-traffic 3 nginx": Cure(
        with_servers("weight=7", "", "", ""),
        lambda stage: stage.shares(),
        {"auth1": 28, "auth2": 4, "auth3": 4, "auth4": 4},
        EVEN,
        edit="s/ weight=7//",
    ),
    "lb-servers-parked 3 nginx": Cure(
        with_servers("", "down", "backup", "down"), lambda stage: stage.shares(), {"auth1": 40}, EVEN,
        edit="s/ (down|backup);/;/",
    ),
    "lb-health-check-wrong 5 nginx": Cure(
        with_(location=SLOW), last_status, 502, 200,
        edit="s/(server 127.*) ;/\\1 max_fails=0;/\ns/50ms/5s/", delay=0.15,
    ),
    "lb-pinned-clients 3 nginx": Cure(
        with_(upstream="ip_hash;"), lambda stage: len(stage.shares(12)), 1, 4, edit="s/ip_hash;/least_conn;/"
    ),
    "lb-pinned-clients 4 nginx": Cure(
        with_(upstream="ip_hash;"),
        lambda stage: len(stage.shares(**{"X-Forwarded-For": "10.0.0.{}"})) > 2,
        False,
        True,
        edit="s/ip_hash;/hash $http_x_forwarded_for consistent;/",
    ),
    "lb-frontend-full 5 nginx": Cure(
        with_(connections=8), lambda stage: statuses(stage) == {200}, False, True,
        edit="s/worker_connections 8/worker_connections 1024/", delay=0.2,
    ),
    "lb-queue-server-limit 3 nginx": Cure(
        with_servers(*["max_conns=1"] * 4), statuses, {200, 502}, {200}, edit="s/max_conns=1/max_conns=200/", delay=0.2
    ),
    "lb-bad-backend 3 nginx": Cure(
        with_(), lambda stage: set(stage.shares(8)), set(EVEN), {"auth1", "auth2", "auth3"},
        edit="s/(:PORT) ;/\\1 down;/",
    ),
    "lb-bad-backend 4 nginx": Cure(
        wrong_port, lambda stage: set(stage.shares(8)), {"auth1", "auth2", "auth3"}, set(EVEN), values=right_port,
        edit="s/127.0.0.1:9 /127.0.0.1:PORT /",
    ),
    "lb-slow-backend 3 nginx": Cure(
        with_(), lambda stage: set(stage.shares(8)), set(EVEN), {"auth2", "auth3", "auth4"},
        edit="0,/server 127/s/(server 127.*) ;/\\1 down;/",
    ),
    "lb-slow-backend 4 nginx": Cure(
        with_(), lambda stage: stage.share_of_slow(), "a quarter", "less",
        edit="s/upstream be_auth \\{/&\\nleast_conn;/", slowest=0.1,
    ),
    "lb-timeouts 3 nginx": Cure(
        with_(location=SLOW), last_status, 502, 200, edit="s/50ms/60s/", delay=0.15
    ),
    "lb-timeouts 4 nginx": Cure(
        with_(location=SLOW), last_status, 502, 504, edit="s/(server 127.*) ;/\\1 max_fails=0;/", delay=0.15
    ),
    "lb-timeouts 5 nginx": Cure(
        with_(upstream="keepalive 4;"), loaded_with("keepalive_timeout 4s"), (False, "0"), (True, "1"),
        undone=(False, "2"), edit="s/keepalive 4;/keepalive 4; keepalive_timeout 4s;/",
    ),
    "lb-tls-expired 3 nginx": Cure(with_(), certificate, False, True, given=new_on_disk, has_undo=False),
    "lb-tls-expired 4 nginx": Cure(with_(), certificate, False, True),
    "lb-config-not-applied 3 nginx": Cure(
        with_servers("", "down", "down", "down"), lambda stage: stage.shares(), {"auth1": 40}, EVEN,
        given=edited(with_()), has_undo=False,
    ),
    "lb-config-not-applied 4 nginx": Cure(
        with_servers("", "down", "down", "down"), lambda stage: stage.shares(), {"auth1": 40}, EVEN,
        given=good_before(with_()),
    ),
    "lb-config-not-applied 5 nginx": Cure(
        with_(), lambda stage: stage.old_workers(), 1, 0, given=held, delay=6.0, has_undo=False
    ),
}  # fmt: skip

ENVOY = {
    "lb-uneven-traffic 3 envoy": Cure(
        with_endpoints(", load_balancing_weight: 20", "", "", ""), lambda stage: stage.clusters("weight"),
        ["20", "1", "1", "1"], ["1"] * 4, edit="s/, load_balancing_weight: 20//",
    ),
    "lb-servers-parked 3 envoy": Cure(
        with_(), lambda stage: stage.asked("/up"), 503, 200, given=lambda stage: stage.posts("/healthcheck/fail")
    ),
    "lb-servers-parked 4 envoy": Cure(
        with_endpoints("", ", health_status: DRAINING", "", ""), lambda stage: stage.clusters(FLAG)[1],
        "/eds_status_draining", "healthy", edit="s/, health_status: DRAINING//",
    ),
    "lb-health-check-wrong 5 envoy": Cure(
        with_(cluster=CHECKED), lambda stage: stage.clusters(FLAG), ["/failed_active_hc"] * 4, WELL,
        edit="s#/nowhere#/healthz#",
    ),
    "lb-pinned-clients 3 envoy": Cure(
        with_(policy="RING_HASH", route=HASH), lambda stage: stage.servers_asked(), 1, 4,
        edit="s/RING_HASH/LEAST_REQUEST/\ns/, hash_policy: .*}}]//",
    ),
    "lb-pinned-clients 4 envoy": Cure(
        with_(policy="RING_HASH", route=HASH), lambda stage: stage.servers_asked() > 2, False, True,
        edit="s/header_name: user-agent/header_name: x-forwarded-for/",
    ),
    "lb-frontend-full 5 envoy": Cure(
        with_(top=OVERLOAD), lambda stage: statuses(stage) == {200}, False, True,
        edit="s/max_active_downstream_connections: 4/max_active_downstream_connections: 4000/", delay=0.2,
    ),
    "lb-queue-server-limit 3 envoy": Cure(
        with_(cluster=BREAKER), statuses, {200, 503}, {200}, delay=0.2,
        edit="s/max_connections: 2, max_pending_requests: 1, max_requests: 4/max_requests: 400/",
    ),
    "lb-bad-backend 3 envoy": Cure(
        with_(), lambda stage: stage.clusters(FLAG)[3], "healthy", "/eds_status_draining",
        edit="s/(port_value: PORT\\}\\}\\})/\\1, health_status: DRAINING/",
    ),
    "lb-bad-backend 4 envoy": Cure(
        wrong_port, lambda stage: statuses(stage), {200, 503}, {200}, values=right_port,
        edit="s/port_value: 9\\}/port_value: PORT}/",
    ),
    "lb-slow-backend 3 envoy": Cure(
        with_(), lambda stage: stage.clusters(FLAG)[3], "healthy", "/eds_status_draining",
        edit="s/(port_value: PORT\\}\\}\\})/\\1, health_status: DRAINING/",
    ),
    "lb-slow-backend 4 envoy": Cure(
        with_(), lambda stage: stage.dumped("lb_policy"), None, "LEAST_REQUEST", edit="s/ROUND_ROBIN/LEAST_REQUEST/"
    ),
    "lb-timeouts 3 envoy": Cure(
        with_(route="timeout: 0.1s"), status, 504, 200, edit="s/timeout: 0.1s/timeout: 60s/", delay=0.3
    ),
    "lb-timeouts 4 envoy": Cure(
        with_(cluster=OUTLIERS), lambda stage: stage.dumped("max_ejection_percent"), 100, 10,
        edit="s/max_ejection_percent: 100/max_ejection_percent: 10/",
    ),
    "lb-timeouts 5 envoy": Cure(
        with_(cluster=IDLE), lambda stage: stage.dumped("idle_timeout"), "3600s", "4s", edit="s/3600s/4s/"
    ),
    "lb-tls-expired 3 envoy": Cure(with_(), certificate, False, True, given=new_on_disk, has_undo=False),
    "lb-tls-expired 4 envoy": Cure(with_(), certificate, False, True),
    "lb-config-not-applied 3 envoy": Cure(
        with_endpoints(", load_balancing_weight: 20", "", "", ""), lambda stage: stage.clusters("weight"),
        ["20", "1", "1", "1"], ["1"] * 4, given=edited(with_()), has_undo=False,
    ),
    "lb-config-not-applied 4 envoy": Cure(
        with_endpoints(", load_balancing_weight: 20", "", "", ""), lambda stage: stage.clusters("weight"),
        ["20", "1", "1", "1"], ["1"] * 4, given=good_before(with_()),
    ),
    "lb-zone-imbalance 2 envoy": Cure(
        with_(cluster=ZONES), lambda stage: stage.dumped("min_cluster_size"), "1", None, edit="s/common_lb_config:.*//"
    ),
}  # fmt: skip

CURES = {**HAPROXY, **NGINX, **ENVOY}
