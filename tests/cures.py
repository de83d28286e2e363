"""Faults that runbooks mitigate: how each is made with a real balancer, and how it is seen."""

from __future__ import annotations

import http.client
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from typing import Any


def nothing(stage: Any) -> None:
    """Nothing has happened before the step."""


def no_values(stage: Any) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Cure:
    """A fault, what is seen of it, and what is seen once the step's commands have been typed."""

    #: The configuration with the fault.
    fault: Callable[[Any], str]
    seen: Callable[[Any], Any]
    broken: Any
    cured: Any
    #: What the person does in the editor, as a sed script.
    edit: str = ""
    #: What has happened before the step.
    given: Callable[[Any], None] = nothing
    #: Seconds that every server takes to answer.
    delay: float = 0.001
    #: The same of the first server, where it is another.
    slowest: float | None = None
    #: What is seen after the Undo, where that is not the fault.
    undone: Any = None
    has_undo: bool = True
    #: Values of the runbook's variables.
    values: Callable[[Any], dict[str, str]] = no_values


def with_servers(*words: str) -> Callable[[Any], str]:
    """A configuration with these words behind the four servers."""
    return lambda stage: str(stage.text(servers=words))


def with_endpoints(*words: str) -> Callable[[Any], str]:
    return lambda stage: str(stage.text(endpoints=words))


def with_(**more: Any) -> Callable[[Any], str]:
    return lambda stage: str(stage.text(**more))


def wrong_port(stage: Any) -> str:
    """The fourth server at a port where nobody listens."""
    return str(stage.text()).replace(str(stage.ports[3]), "9")


def right_port(stage: Any) -> dict[str, str]:
    return {"address": "127.0.0.1", "port": str(stage.ports[3])}


def says(command: str) -> Callable[[Any], None]:
    """Something was set at run time."""

    def happened(stage: Any) -> None:
        stage.says(command)

    return happened


def column(name: str) -> Callable[[Any], list[str]]:
    """A column of HAProxy's `show stat`, by server."""
    return lambda stage: list(stage.column(name).values())


def algorithm(stage: Any) -> str:
    return str(stage.column("algo", "be_auth 2 -1")["BACKEND"])


def front_limit(stage: Any) -> str:
    return str(stage.column("slim", "fe_login 1 -1")["FRONTEND"])


def in_stick_table(stage: Any) -> str:
    """Entries of the stick table, after a request when there is none yet."""
    return str(stage.says("show table be_auth").partition("used:")[2].split()[0])


def status(stage: Any) -> int:
    return int(stage.asked())


def statuses(stage: Any) -> set[int]:
    """Statuses of a dozen requests at once."""
    return set(stage.statuses(12, at_once=12))


def last_status(stage: Any) -> int:
    """The status of the second of two requests: what the first did to the servers is seen then."""
    stage.asked()
    return int(stage.asked())


def loaded_with(words: str) -> Callable[[Any], tuple[bool, str]]:
    """Whether the file says so, and how often it was loaded: for what cannot be asked of the balancer."""
    return lambda stage: (words in stage.file().read_text(), stage.loaded())


def certificate(stage: Any) -> bool:
    """Whether clients are shown the new certificate."""
    return bool(stage.certificate_ends() == stage.ends("new.crt"))


def new_on_disk(stage: Any) -> None:
    """Somebody renewed the certificate, and nobody loaded it."""
    for ending in ("pem", "crt", "key"):
        shutil.copy(stage.folder / f"new.{ending}", stage.folder / f"site.{ending}")


def good_before(good: Callable[[Any], str]) -> Callable[[Any], None]:
    """A good version of the configuration lies beside it."""

    def happened(stage: Any) -> None:
        path = stage.file()
        path.with_name(f"{path.name}.before").write_text(good(stage))

    return happened


def edited(good: Callable[[Any], str]) -> Callable[[Any], None]:
    """Somebody corrected the file, and nobody loaded it."""

    def happened(stage: Any) -> None:
        stage.file().write_text(good(stage))

    return happened


def held(stage: Any) -> None:
    """A request that takes long is under way while the balancer is reloaded."""

    def hang() -> None:
        try:
            talk = http.client.HTTPConnection("127.0.0.1", stage.port, timeout=30)
            talk.request("GET", "/login")
            talk.getresponse()
        except (OSError, http.client.HTTPException):
            pass

    Thread(target=hang, daemon=True).start()
    stage.is_busy()
    stage.reload()
