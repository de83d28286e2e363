"""A line of an access log as fields, in whichever format people chose: JSON, `key="value"`, LTSV, or words in a row.

What has no key is called by its place among such words: "#0" is the first. Nothing here knows what a field means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice

Fields = Mapping[str, str]

#: Letters of a line in words, and words, that are looked at.
_LONGEST, _MOST = 8192, 200
_WORDS = re.compile(
    r"(?P<key>[A-Za-z_][\w.-]*)[=:]\"(?P<value>(?:[^\"\\]|\\.)*)\""
    r"|\[(?P<bracket>[^\]]{0,200})\]|\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<bare>[^\s\"]+)"
)
_PAIR = re.compile(r"(?P<key>[A-Za-z_][\w.-]*)[=:](?P<value>.*)")
#: `10.0.0.1:80` and `unix:/run/a.sock` hold a colon and are no pairs; neither is `name:80`.
_NO_PAIR = re.compile(r"unix:|[\w.-]+:\d{1,5}\b|https?:")
_LOOSE = re.compile(
    r'"(?P<key>[^"\\]{1,60})"\s*:\s*(?P<value>"(?:[^"\\]|\\.)*"|[^"{}\[\]]{0,200}?(?= ?, ?"| ?\}))'
)


def fields(line: str) -> Fields:
    """The fields of a line; empty for what is none. Never raises."""
    begins_at = line.find("{")
    if begins_at >= 0 and line.endswith("}") and (found := _json(line[begins_at:])):
        # A container's runtime wraps what was written into a line of its own.
        inner = found.get("log", "").strip()
        return fields(inner) if inner and "stream" in found else found
    if "\t" in line and (found := _tabbed(line)):
        return found
    return _in_words(line[:_LONGEST])


def _json(text: str) -> Fields:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        # `"time":$upstream_response_time` without quotes is no JSON once there are two times, or none.
        return {one["key"]: one["value"].strip().strip('"') for one in _LOOSE.finditer(text[:_LONGEST])}
    return dict(_flat(found, "", 0)) if isinstance(found, dict) else {}


def _flat(found: Mapping[str, object], before: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, value in found.items():
        if isinstance(value, dict):
            if depth < 4:
                yield from _flat(value, f"{before}{key}.", depth + 1)
        elif isinstance(value, list):
            yield f"{before}{key}", ", ".join(str(one) for one in value[:20])
        else:
            yield f"{before}{key}", "" if value is None else str(value)


def _tabbed(line: str) -> Fields:
    parts = [part.partition(":") for part in line.split("\t")]
    return {key.strip(): value for key, _, value in parts} if all(colon for _, colon, _ in parts) else {}


def _in_words(line: str) -> Fields:
    found: dict[str, str] = {}
    key, last, place, goes_on = "", "", 0, False
    for match in islice(_WORDS.finditer(line), _MOST):
        if match["key"]:
            found[match["key"]] = match["value"]
            key, last, goes_on = "", "", False
            continue
        bare = match["bare"]
        if bare is not None and last and (goes_on or bare == ":") and len(found[last]) < 1000:
            # "10.0.0.1:80, 10.0.0.2:80" without quotes is one value.
            found[last] += f" {bare}"
            goes_on = bare == ":" or bare.endswith(",")
            continue
        value = bare if bare is not None else match["quoted"] or match["bracket"] or ""
        pair = _PAIR.fullmatch(bare) if bare is not None and not _NO_PAIR.match(bare) else None
        if pair and not pair["value"]:
            key = pair["key"]
            continue
        if pair:
            key, value = pair["key"], pair["value"]
        if key:
            last, key = key, ""
        else:
            last, place = f"#{place}", place + 1
        found[last] = value
        goes_on = bare is not None and bare.endswith(",")
        if bare is None:
            last = ""
    return found
