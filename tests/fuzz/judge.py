"""What may be said of an answer and of what went out to Slack: nothing broken, nothing too long, nobody pinged."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from markdown_it import MarkdownIt

from bot.standin import blockkit
from bot.standin.faults import Call
from tests.fuzz.ground import Sent
from tests.fuzz.requests import Json, Plan
from tests.test_bad_input import OUR_FAULT, PINGS, SPEAKING, pings

#: Characters. Slack advises 4,000 for the text of an answer, and cuts any text at 40,000.
_LONGEST_ANSWER, _LONGEST_TEXT = 4000, 40_000
#: Slack's words for a trigger id that was made up; the log may name them.
_NO_TRIGGER = re.compile(r"views\.open was refused.*(invalid|exchanged|expired)_trigger_id", re.DOTALL)


class Log(logging.Handler):
    """Keeps what is logged at ERROR or with a traceback, also by threads that died."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            line = self.format(record)
            if not _NO_TRIGGER.search(line):
                self.lines.append(line)

    def take(self) -> list[str]:
        """What came since the last time."""
        found, self.lines = self.lines, []
        return found


@contextmanager
def listening() -> Iterator[Log]:
    """A Log on the root logger; what is told of a dying thread or object goes there too."""
    log, root = Log(), logging.getLogger()
    hook, raised = threading.excepthook, sys.unraisablehook
    threading.excepthook = lambda fell: log.lines.append(f"a thread died: {fell.exc_value!r}")
    sys.unraisablehook = lambda fell: log.lines.append(f"not raised: {fell.exc_value!r}")
    root.addHandler(log)
    try:
        yield log
    finally:
        root.removeHandler(log)
        threading.excepthook, sys.unraisablehook = hook, raised


def faults_of(plan: Plan, sent: Sent) -> list[str]:
    """What is wrong with an answer; [] when nothing is."""
    status, body = sent.reply.status, sent.reply.body
    is_event = plan.shape != "command" and "event" in sent.body
    if plan.way == "late" and status == 503:
        return []
    if plan.seal != "right":
        return [] if status == 401 and body.strip() else [f"the seal is {plan.seal} and the answer {status}"]
    if not (200 <= status < 300 or 400 <= status < 500):
        return [f"the answer is {status}: {body[:200]!r}"]
    found = [f"the answer holds {bad!r}" for bad in ("Traceback", "went wrong inside") if bad in body]
    if status >= 400:
        return found + ([] if body.strip() else [f"{status} without a sentence"])
    if not body or is_event:
        is_due = plan.kind == "command" and plan.shape == "command" and "ssl_check" not in sent.body
        is_due = is_due and "payload" not in sent.body and plan.content_type == ""
        return [*found, "no answer and no form"] if is_due and not sent.opened else found
    try:
        answer = json.loads(body)
    except ValueError:
        return found if plan.shape == "raw" else [*found, f"the answer is no JSON: {body[:200]!r}"]
    return found + (_of_form(answer, sent) if "response_action" in answer else _of_words(answer))


def _of_words(answer: Json) -> list[str]:
    text, blocks = str(answer.get("text") or ""), answer.get("blocks") or []
    found = [str(one) for one in blockkit.message_problems(blocks)] if blocks else []
    if "challenge" in answer or "options" in answer:
        return found
    if not text.strip():
        found.append("the answer says nothing")
    if len(text) > _LONGEST_ANSWER:
        found.append(f"the answer has {len(text)} characters")
    spoken = Call("answer", 0.0, {"text": text, "blocks": blocks})
    return found + [f"the answer pings: {one!r}" for one in pings(spoken)]


def _of_form(answer: Json, sent: Sent) -> list[str]:
    if answer["response_action"] == "update":
        return [str(one) for one in blockkit.view_problems(answer["view"], "modal")]
    if answer["response_action"] != "errors":
        return [f"the form is answered {answer['response_action']!r}"]
    errors = answer["errors"]
    view = sent.view or sent.body.get("view") or {}
    fields = (view.get("state") or {}).get("values") or {}
    known = set(fields) | {re.sub("[\x00\ud800-\udfff]", "", one) for one in fields}
    found = [f"the form has no field {one!r}" for one in errors if one not in known]
    if not errors or not all(isinstance(one, str) and 0 < len(one) <= 2000 for one in errors.values()):
        found.append(f"the form's errors are {str(errors)[:200]}")
    return found


def faults_of_calls(calls: list[Call], seen: Counter[str]) -> list[str]:
    """What is wrong with what went out to Slack. Counts Slack's own errors by method in `seen`."""
    found = []
    for call in calls:
        error = (call.error or "").split(":")[0]
        if error:
            seen[f"{call.method} {error}"] += 1
        if error in OUR_FAULT:
            found.append(f"{call.method} was refused: {call.error}; {str(call.args)[:600]}")
        elif error:
            found += [f"{call.method}: {one}" for one in _of_blocks(call.args)]
        if len(str(call.args.get("text") or "")) > _LONGEST_TEXT:
            found.append(f"{call.method} has {len(call.args['text'])} characters")
        if call.method in SPEAKING:
            found += [f"{call.method} pings: {one!r}" for one in pings(call)]
    return found


def _of_blocks(args: dict[str, Any]) -> list[str]:
    """Slack may have refused the call for another reason before it looked at the blocks: look at them all the same."""
    blocks, view = args.get("blocks"), args.get("view")
    found: list[Any] = []
    if blocks:
        found += blockkit.message_problems(json.loads(blocks) if isinstance(blocks, str) else blocks)
    if view:
        found += blockkit.view_problems(json.loads(view) if isinstance(view, str) else view)
    return [str(one) for one in found]


def faults_of_draft(markdown: str) -> list[str]:
    """What in a draft is more than text: nothing that was typed may be a tag, a picture, a script or a ping."""
    # Behind a backslash it is Markdown for the letters, in a file that Slack reads no mention in.
    found = [f"the draft holds {ping}" for ping in PINGS if re.search(rf"(?<!\\){re.escape(ping)}", markdown)]
    for token in MarkdownIt("commonmark").parse(markdown):
        for one in (token, *(token.children or [])):
            address = str(one.attrGet("href") or "https://") if one.type == "link_open" else "https://"
            is_harmless = address.lower().startswith(("http://", "https://", "mailto:"))
            if one.type in {"html_block", "html_inline", "image"} or not is_harmless:
                found.append(f"the draft holds {one.type} {one.content[:100]!r} {address[:100]}")
    hidden = re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", markdown)
    return found + ([f"the draft holds {hidden[0]!r}"] if hidden else [])
