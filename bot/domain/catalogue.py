"""The catalogue: which services there are, whose they are, and which balancer stands before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Balancer:
    """One backend of one load balancer, and where its figures can be read. Never a place to change anything."""

    #: haproxy, nginx, envoy, traefik, caddy, prometheus or aws.
    kind: str
    #: Where it answers: unix:/run/haproxy.sock, tcp:10.0.0.5:9999, http://10.0.0.5:9901, file:/var/log/access.log.
    address: str
    #: What the balancer calls the pool: HAProxy's backend, nginx's upstream, Envoy's cluster.
    backend: str
    #: What stands before the pool, where the balancer has several: HAProxy's frontend.
    front: str = ""
    #: Access log, for the kinds whose figures stand only there.
    log: str = ""
    #: Server -> what it should get, beside the others. Empty: equal shares of the servers that there are.
    intended: Mapping[str, float] = field(default_factory=dict)
    #: Server -> host:port, or the host alone, for the kinds that know their servers by address.
    addresses: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> Mapping[str, float]:
        """What servers should get by the catalogue: as intended, else alike for those whose addresses it knows."""
        return dict(self.intended) or dict.fromkeys(self.addresses, 1.0)

    def name_of(self, address: str) -> str:
        """What people call the server at this address; the address itself when nobody named it."""
        places = {address, address.rpartition(":")[0]} - {""}
        known = ((name, place.rpartition("//")[2]) for name, place in self.addresses.items())
        return next((name for name, place in known if place in places), address)


@dataclass(frozen=True)
class Service:
    """One thing that people use and that can fail."""

    name: str
    #: Whose it is, in words that people read, or the Slack id of a person or a user group.
    owner: str = ""
    #: Slack ids of the user groups to tell.
    groups: tuple[str, ...] = ()
    balancers: tuple[Balancer, ...] = ()
    #: Words that alerts and people use for it.
    words: tuple[str, ...] = ()
    #: The project that its follow-ups are sent to, "github:acme/login"; "" for the one of LANTERN_TRACKER.
    tracker: str = ""
