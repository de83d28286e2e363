"""Above capacity, or after a standstill: what waited too long for its turn is not begun, and the person is told so.

Slack waits three seconds for an answer. A request that got its turn late would be logged after Slack said that it
failed, and would keep the next one waiting: so it is turned away, which costs next to nothing, and the line shortens.
"""

from __future__ import annotations

import json
from typing import Any

from slack_bolt import BoltResponse

from bot.domain import markup
from bot.slack import ask as asks
from bot.slack import blocks as kit

#: Seconds. The database may take two more (bot/store/db.py), and Slack's three are up.
LATE = 0.9
#: Seconds of a standstill after which nobody knows how long a request has lain there. A shorter one is a busy
#: machine: the request is begun, and the database has what is left of the time.
STOOD = 2.0
_SENTENCE = (
    "Lantern was too busy, or paused, to begin this in time: it was *not* kept. "
    "Nothing is half done; send it again in a few seconds."
)


def turn_away(body: dict[str, Any]) -> BoltResponse:
    """The answer to a request that came to its turn too late. Events are sent again by Slack."""
    if "command" in body:
        typed = kit.cut(markup.escape(asks.of_command(body).typed), 3000)
        text = f"{_SENTENCE}\n```{typed}```"
        return BoltResponse(status=200, body=json.dumps({"text": text, "response_type": "ephemeral"}))
    if body.get("type") == "view_submission":
        # The form stays open with what was typed in it.
        fields = asks.of_view(body).values
        if fields:
            said = {"response_action": "errors", "errors": {next(iter(fields)): _SENTENCE.replace("*", "")}}
            return BoltResponse(status=200, body=json.dumps(said))
    # Slack itself tells who pressed that it did not work.
    return BoltResponse(status=503, body="")
