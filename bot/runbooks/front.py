"""A runbook's front matter, and the YAML of its checks: read key by key, what is wrong told by line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import yaml
from frontmatter.default_handlers import YAMLHandler

from bot.domain.incident import Severity
from bot.domain.runbook import Runbook
from bot.domain.variables import VALUE
from bot.runbooks.rules import Faults, did_you_mean

FRONT_MATTER_LIMIT = 16 * 1024

_REQUIRED = {
    "id": "id: lb-uneven-traffic",
    "title": "title: Load balancer sends traffic unevenly",
    "area": "area: load-balancer",
    "owner": 'owner: "@infra-oncall"',
    "escalate_to": 'escalate_to: "@network-oncall"',
    "triggers": "triggers: {words: [uneven traffic]}",
    "reviewed": "reviewed: 2026-01-31",
}
KEYS = frozenset(_REQUIRED) | {"services", "severity", "vars", "review_every"}
_SPAN = re.compile(r"(\d{1,4}) ?(d|days?|w|weeks?|months?)")
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_HANDLER = YAMLHandler()


@dataclass(frozen=True)
class FrontMatter:
    #: Strings, lists and mappings as written; YAML's own types are not guessed.
    values: Mapping[str, object]
    #: Key (`triggers.words` for one inside another) -> its line in the file.
    lines: Mapping[str, int]
    body: str
    #: Line of the file on which the body begins.
    body_line: int
    is_present: bool


def split_front_matter(text: str, faults: Faults) -> FrontMatter:
    """The YAML between the first two `---` lines, and the Markdown after them."""
    if not _HANDLER.detect(text):
        return FrontMatter({}, {}, text, 1, is_present=False)
    opening = re.match(r"-{3,}[ \t]*\n", text)
    closing = re.compile(r"^-{3,}[ \t]*$\n?", re.MULTILINE).search(
        text, opening.end() if opening else len(text)
    )
    if not opening or not closing:
        faults.tell(
            "front-matter-open", 1, "The front matter is never closed. Write a line `---` after its last key."
        )
        return FrontMatter({}, {}, text[opening.end() :] if opening else "", 2, is_present=True)
    written, body = text[opening.end() : closing.start()], text[closing.end() :]
    body_line = text.count("\n", 0, closing.end()) + 1
    values, lines = read_yaml(written, 2, faults)
    return FrontMatter(values, lines, body, body_line, is_present=True)


def read_yaml(written: str, first_line: int, faults: Faults) -> tuple[dict[str, object], dict[str, int]]:
    """A YAML mapping and the file's line of each key; ({}, {}) and a fault when it is none."""
    if len(written) > FRONT_MATTER_LIMIT:
        faults.tell(
            "yaml-too-long",
            first_line,
            f"This YAML is longer than {FRONT_MATTER_LIMIT // 1024} KB. Shorten it.",
        )
        return {}, {}
    try:
        node = yaml.compose(written, Loader=_LOADER)
        values = _HANDLER.load(written, Loader=_LOADER)
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        what = f"{broken.problem or broken.context}".strip()
        line = first_line + (mark.line if mark else 0)
        faults.tell(
            "yaml-broken",
            line,
            f'This is not YAML: {what}. Put text with a colon, # or @ in quotes: `key: "@text"`.',
        )
        return {}, {}
    except (yaml.YAMLError, RecursionError, ValueError):
        faults.tell("yaml-broken", first_line, "This is not YAML. Write one `key: value` a line.")
        return {}, {}
    if not isinstance(node, yaml.MappingNode) or not isinstance(values, dict):
        faults.tell("yaml-no-keys", first_line, "This YAML holds no keys. Write one `key: value` a line.")
        return {}, {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        _note_line("", key, first_line, lines, faults)
        if isinstance(value, yaml.MappingNode):
            for inner, _ in value.value:
                _note_line(f"{key.value}.", inner, first_line, lines, faults)
    return {str(key): value for key, value in values.items()}, lines


def _note_line(outer: str, key: yaml.Node, first_line: int, lines: dict[str, int], faults: Faults) -> None:
    name, line = f"{outer}{key.value}", first_line + key.start_mark.line
    if name in lines:
        faults.tell(
            "key-twice", line, f"`{name}` stands here twice (first in line {lines[name]}). Keep one of them."
        )
    lines.setdefault(name, line)


class Keys:
    """Front matter read key by key; what has the wrong shape is told and read as empty."""

    def __init__(self, front: FrontMatter, faults: Faults) -> None:
        self._front, self._faults = front, faults

    def line(self, key: str) -> int:
        return self._front.lines.get(key, 1)

    def _at(self, key: str) -> object:
        outer, _, inner = key.partition(".")
        found = self._front.values.get(outer)
        if not inner:
            return found
        return found.get(inner) if isinstance(found, dict) else None

    def text(self, key: str) -> str:
        found = self._at(key)
        if found is None or isinstance(found, str):
            return (found or "").strip()
        self._faults.tell(
            "key-shape",
            self.line(key),
            f"`{key}` must be one line of text: `{_REQUIRED.get(key, key + ': text')}`.",
        )
        return ""

    def words(self, key: str) -> tuple[str, ...]:
        found = self._at(key)
        if found is None or found == "":
            return ()
        if isinstance(found, str):
            return (found.strip(),)
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return tuple(one.strip() for one in found if one.strip())
        self._faults.tell(
            "key-shape",
            self.line(key),
            f"`{key}` must be a list of words: `{key.partition('.')[2] or key}: [one, two]`.",
        )
        return ()

    def mapping(self, key: str) -> dict[str, str]:
        found = self._at(key)
        if found is None or found == "":
            return {}
        if isinstance(found, dict) and all(isinstance(one, str) for pair in found.items() for one in pair):
            return {name.strip(): value.strip() for name, value in found.items()}
        self._faults.tell("key-shape", self.line(key), f"`{key}` must hold one `name: value` a line.")
        return {}


def read_keys(front: FrontMatter, file_id: str, faults: Faults) -> Runbook:
    """A Runbook with what its front matter gives, each key checked; title, steps and text are still to come."""
    keys = Keys(front, faults)
    if front.values:
        for key, example in _REQUIRED.items():
            if not front.values.get(key):
                faults.tell(
                    "key-missing", keys.line(key), f"The front matter lacks `{key}`. Add `{example}`."
                )
    for key in front.values:
        if key not in KEYS:
            faults.tell(
                "key-unknown",
                keys.line(key),
                f"The front matter's `{key}` is not known.{did_you_mean(key, KEYS)}",
            )
    written_id = keys.text("id")
    if written_id and written_id != file_id:
        faults.tell(
            "id-another",
            keys.line("id"),
            f"The id is `{written_id}` but the file is `{file_id}.md`. Write `id: {file_id}`.",
        )
    triggers = front.values.get("triggers")
    if triggers and not isinstance(triggers, dict):
        faults.tell(
            "key-shape", keys.line("triggers"), "`triggers` must hold `words: [...]` and `alerts: [...]`."
        )
    for key in triggers if isinstance(triggers, dict) else ():
        if key not in ("words", "alerts"):
            faults.tell(
                "key-unknown",
                keys.line(f"triggers.{key}"),
                f"`triggers.{key}` is not known.{did_you_mean(key, ['words', 'alerts'])}",
            )
    reviewed_on, review_every = _read_review(keys, faults)
    return Runbook(
        id=file_id,
        title="",
        summary="",
        steps=(),
        revision="",
        area=keys.text("area"),
        services=keys.words("services"),
        severities=_read_severities(keys, faults),
        owner=_safe("owner", keys.text("owner"), keys.line("owner"), faults),
        escalate_to=_safe("escalate_to", keys.text("escalate_to"), keys.line("escalate_to"), faults),
        words=keys.words("triggers.words"),
        alerts=keys.words("triggers.alerts"),
        variables=_read_variables(keys, faults),
        reviewed_on=reviewed_on,
        review_every=review_every,
    )


def _read_severities(keys: Keys, faults: Faults) -> tuple[str, ...]:
    severities = tuple(one.upper() for one in keys.words("severity"))
    for one in severities:
        if one not in Severity.__members__:
            faults.tell(
                "severity-unknown",
                keys.line("severity"),
                f"`{one}` is no severity.{did_you_mean(one, Severity.__members__)}",
            )
    return tuple(one for one in severities if one in Severity.__members__)


def _safe(name: str, value: str, line: int, faults: Faults) -> str:
    if not value or VALUE.fullmatch(value):
        return value
    faults.tell(
        "value-unsafe",
        line,
        f"The value of `{name}` may only hold letters, digits, spaces and . / : @ _ -, at most 120 of them, "
        "because it is put into commands. Write for example `be_auth`.",
    )
    return ""


def _read_variables(keys: Keys, faults: Faults) -> dict[str, str]:
    variables = {}
    for name, value in keys.mapping("vars").items():
        line = keys.line(f"vars.{name}")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            faults.tell(
                "variable-name",
                line,
                f"`{name}` cannot be a variable. Use letters, digits and _, such as `backend`.",
            )
        elif not value:
            faults.tell(
                "variable-empty", line, f"The variable `{name}` has no default. Write `{name}: be_auth`."
            )
        elif kept := _safe(name, value, line, faults):
            variables[name] = kept
    return variables


def _read_review(keys: Keys, faults: Faults) -> tuple[date | None, int]:
    written, span = keys.text("reviewed"), keys.text("review_every") or "180 days"
    days = 180
    if known := _SPAN.fullmatch(span):
        days = int(known[1]) * {"d": 1, "w": 7, "m": 30}[known[2][0]]
    else:
        faults.tell(
            "review-span",
            keys.line("review_every"),
            f"`{span}` is not a span of time. Write `review_every: 180 days`.",
        )
    if not written:
        return None, days
    try:
        return date.fromisoformat(written), days
    except ValueError:
        faults.tell(
            "review-day", keys.line("reviewed"), f"`{written}` is not a day. Write `reviewed: 2026-01-31`."
        )
        return None, days
