"""Runbooks of other libraries (Prometheus operator, OpenShift, GitLab): how their files are told and read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

#: Headings of other libraries and where we read them. Measured on the public ones: the first four are nearly all.
ELSEWHERE = {
    "meaning": "Background",
    "impact": "Background",
    "diagnosis": "Confirm",
    "mitigation": "Mitigate",
    "resolution": "Mitigate",
    "troubleshooting": "Confirm",
    "possible checks": "Confirm",
    "remediation": "Mitigate",
}
#: Without one of these a file's front matter is another tool's, such as Hugo's title and weight.
_OURS = ("id", "triggers", "escalate_to", "area")


def is_from_elsewhere(front: Mapping[str, object], sections: Iterable[str]) -> bool:
    """Whether a file with these front matter keys and H2 headings was written for another library."""
    return not any(key in front for key in _OURS) and any(one.lower() in ELSEWHERE for one in sections)


def slug(name: str) -> str:
    """The id of a file that has none: KubePodCrashLooping is kubepodcrashlooping, "Node down" is node-down."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64].rstrip("-")


def alerts_of(name: str) -> tuple[str, ...]:
    """Those libraries name a file like its alert."""
    return (name,) if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{3,}", name) else ()
