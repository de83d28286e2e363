"""Reads the catalogue: one YAML file that names services, their owners and their balancers.

What is wrong is told by file and line; what can be used of it still is, because at night half a catalogue is better
than none.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from bot.domain.catalogue import Balancer, Service
from bot.runbooks.rules import Problem

KINDS = ("haproxy", "nginx", "envoy", "traefik", "caddy", "prometheus", "aws")
#: Bytes of the whole file.
FILE_LIMIT = 256 * 1024

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_ADDRESS = re.compile(r"(unix:/|tcp:[^/]+:\d{1,5}$|https?://[^/\s]+|file:/|arn:|[\w-]+$)")
_PORT = re.compile(r"tcp:.*:(\d+)$")
_GROUP = re.compile(r"S[A-Z0-9]{4,30}")
_TRACKER = re.compile(r"[a-z]{2,20}:[\w./ ()-]{1,200}")
_WORD = re.compile(r"[\w./:@ -]{1,120}")
_SERVICE_KEYS = ("owner", "groups", "words", "balancers", "tracker")
_BALANCER_KEYS = ("kind", "address", "backend", "front", "log", "intended", "addresses")
_EXAMPLE = "balancers: [{kind: haproxy, address: unix:/run/haproxy/stats.sock, backend: be_auth}]"


def read_catalogue(path: Path) -> tuple[dict[str, Service], list[Problem]]:
    """The services by name, and what is wrong with the file. Never raises."""
    try:
        if path.stat().st_size > FILE_LIMIT:
            return {}, [
                Problem(path.name, 1, f"The catalogue is larger than {FILE_LIMIT // 1024} kB. Split it.")
            ]
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = (
            "is not UTF-8 text"
            if isinstance(error, UnicodeDecodeError)
            else f"cannot be read ({error.strerror})"
        )
        return {}, [Problem(path.name, 1, f"The catalogue {why}. Correct LANTERN_CATALOGUE or the file.")]
    return read_text(text, path.name)


def read_text(text: str, name: str) -> tuple[dict[str, Service], list[Problem]]:
    """The same of a text."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        # A letter that YAML does not take is told by its place in the text.
        line = mark.line if mark else text.count("\n", 0, getattr(error, "position", 0))
        return {}, [Problem(name, line + 1, f"This is not YAML: {why}.")]
    reading = _Reading(name)
    return reading.services(node), reading.problems


class _Reading:
    """One reading of one file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.problems: list[Problem] = []
        #: Word, in lower case -> the service that it means.
        self._meant: dict[str, str] = {}

    def _wrong(self, node: yaml.Node | None, sentence: str) -> None:
        self.problems.append(Problem(self._name, node.start_mark.line + 1 if node else 1, sentence))

    def services(self, node: yaml.Node | None) -> dict[str, Service]:
        top = self._keys(node, ("services",), "the catalogue", "services: {login: {balancers: []}}")
        found: dict[str, Service] = {}
        for key, value in self._pairs(top.get("services"), "services", "login:"):
            name = str(key.value).strip().lower()
            if not _NAME.fullmatch(name):
                self._wrong(
                    key, f"`{key.value}` is no name of a service: use letters, digits, - and _, e.g. login."
                )
            elif name in found:
                self._wrong(key, f"`{name}` is named twice. Keep one.")
            else:
                self._means(key, name, name)
                found[name] = self._service(name, value)
        return found

    def _means(self, node: yaml.Node, word: str, service: str) -> None:
        other = self._meant.setdefault(word.lower(), service)
        if other != service:
            self._wrong(node, f"`{word}` means `{other}` already. Keep it at one of the two.")

    def _service(self, name: str, node: yaml.Node) -> Service:
        keys = self._keys(node, _SERVICE_KEYS, f"the service `{name}`", _EXAMPLE)
        return Service(
            name=name,
            owner=self._word(keys.get("owner"), "owner", '"@team-identity"'),
            groups=self._groups(keys.get("groups")),
            words=self._service_words(keys.get("words"), name),
            balancers=tuple(
                one
                for one in map(self._balancer, self._items(keys.get("balancers"), "balancers", _EXAMPLE))
                if one is not None
            ),
            tracker=self._tracker(keys.get("tracker")),
        )

    def _tracker(self, node: yaml.Node | None) -> str:
        place = self._text(node)
        if place and not _TRACKER.fullmatch(place):
            self._wrong(node, f"`{place}` is no project of a tracker. Write tracker: github:acme/login")
            return ""
        return place

    def _service_words(self, node: yaml.Node | None, service: str) -> tuple[str, ...]:
        found: list[str] = []
        for one in self._items(node, "words", "[sign-in, auth]"):
            word = self._word(one, "words", "[sign-in, auth]")
            if word:
                self._means(one, word, service)
                found.append(word)
        return tuple(found)

    def _groups(self, node: yaml.Node | None) -> tuple[str, ...]:
        found: list[str] = []
        for one in self._items(node, "groups", "[S012ABCDEF]"):
            group = self._text(one)
            if _GROUP.fullmatch(group):
                found.append(group)
            elif group:
                self._wrong(
                    one,
                    f"`{group}` is no id of a user group, and a bot can mention no other name of one. "
                    "Copy the id from the group's page in Slack: S012ABCDEF.",
                )
        return tuple(found)

    def _balancer(self, node: yaml.Node) -> Balancer | None:
        keys = self._keys(node, _BALANCER_KEYS, "a balancer", _EXAMPLE)
        missing = [key for key in ("kind", "address", "backend") if key not in keys]
        if missing:
            self._wrong(node, f"A balancer needs {' and '.join(missing)}. For example {_EXAMPLE}")
            return None
        kind = self._word(keys["kind"], "kind", "haproxy").lower()
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" Lantern reads {', '.join(KINDS)}."
            self._wrong(keys["kind"], f"`{kind}` is no kind of balancer.{hint}")
            return None
        address = self._text(keys["address"])
        port = _PORT.match(address)
        if (
            not _ADDRESS.match(address)
            or any(letter.isspace() for letter in address)
            or (port is not None and int(port[1]) > 65535)
        ):
            self._wrong(
                keys["address"],
                f"`{address}` is no address. Write unix:/run/haproxy/stats.sock, tcp:10.0.0.5:9999, "
                "http://10.0.0.5:9901 or file:/var/log/nginx/access.log.",
            )
            return None
        log = self._text(keys.get("log"))
        if log and not log.startswith(("file:/", "/")):
            self._wrong(
                keys["log"],
                f"`{log}` is no log of this machine. Write log: file:/var/log/nginx/access.log",
            )
            log = ""
        return Balancer(
            kind=kind,
            address=address,
            backend=self._word(keys["backend"], "backend", "be_auth"),
            front=self._word(keys.get("front"), "front", "fe_login"),
            log=log,
            intended=self._parts(keys.get("intended")),
            addresses={
                str(key.value): self._text(value)
                for key, value in self._pairs(keys.get("addresses"), "addresses", "auth1: 10.0.0.1:8080")
            },
        )

    def _parts(self, node: yaml.Node | None) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for key, value in self._pairs(node, "intended", "auth1: 2"):
            try:
                part = float(self._text(value))
            except ValueError:
                part = -1.0
            if not math.isfinite(part) or part < 0:
                self._wrong(
                    value, f"`{key.value}` should get a number from 0 on, beside the others: auth1: 2"
                )
            else:
                found[str(key.value)] = part
        if found and not sum(found.values()):
            self._wrong(
                node, "`intended` gives nothing to anybody. Give at least one server a number above 0."
            )
            return {}
        return found

    def _keys(
        self, node: yaml.Node | None, known: tuple[str, ...], what: str, example: str
    ) -> dict[str, yaml.Node]:
        found: dict[str, yaml.Node] = {}
        for key, value in self._pairs(node, what, example):
            word = str(key.value)
            if word in found:
                self._wrong(key, f"`{word}` stands twice in {what}. Keep one.")
            elif word in known:
                found[word] = value
            else:
                near = difflib.get_close_matches(word, known, n=1)
                hint = f" Did you mean `{near[0]}`?" if near else f" It may hold {', '.join(known)}."
                self._wrong(key, f"`{word}` is not known in {what}.{hint}")
        return found

    def _pairs(self, node: yaml.Node | None, what: str, example: str) -> list[tuple[yaml.Node, yaml.Node]]:
        if node is None or _is_nothing(node):
            return []
        if not isinstance(node, yaml.MappingNode):
            self._wrong(
                node, f"{what[0].upper()}{what[1:]} must be names with values, for example `{example}`."
            )
            return []
        pairs: list[tuple[yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                pairs.append((key, value))
            else:
                self._wrong(key, f"A name in {what} must be a word.")
        return pairs

    def _items(self, node: yaml.Node | None, what: str, example: str) -> list[yaml.Node]:
        if node is None or _is_nothing(node):
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._wrong(node, f"`{what}` must be a list, for example `{example}`.")
            return []
        return list(node.value)

    def _word(self, node: yaml.Node | None, what: str, example: str) -> str:
        text = self._text(node)
        if node is not None and text and not _WORD.fullmatch(text):
            self._wrong(
                node, f"`{what}` holds letters that a command could stumble over. For example {example}."
            )
            return ""
        return text

    def _text(self, node: yaml.Node | None) -> str:
        if node is None or _is_nothing(node):
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self._wrong(node, "One value is wanted here, not a list or names.")
            return ""
        return str(node.value).strip()


def _is_nothing(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.value in ("", "~", "null")


def find_service(services: Mapping[str, Service], text: str) -> Service | None:
    """The service that a text names, by its name or one of its words, as a whole word; the longest wins."""
    named = [
        (len(word), service)
        for service in services.values()
        for word in (service.name, *service.words)
        # A point at the end of a sentence is no part of a name; a hyphen is.
        if re.search(rf"(?<![\w-])(?<!\w\.){re.escape(word)}(?![\w-])(?!\.\w)", text, re.IGNORECASE)
    ]
    return max(named, key=lambda pair: pair[0])[1] if named else None
