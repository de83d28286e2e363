"""A refusal is an answer: one or more sentences that say what is wrong, then what to do.

Raise it anywhere below the doors. Only slack/app.py and web/site.py show it.
"""

from __future__ import annotations


class Refusal(Exception):
    """A polite no. `sentence` is Slack mrkdwn, complete, with an example to copy in backticks."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        #: The form's field that the sentence is about; "" for the whole.
        self.field = field


class NotThere(Refusal):
    """What was asked for does not exist."""


class NotAnIncidentChannel(Refusal):
    def __init__(self) -> None:
        super().__init__(
            "This channel is not an incident channel. Run this inside one, "
            "or open one with `/incident open <what is wrong>`."
        )


class NoSuchIncident(NotThere):
    def __init__(self, what: str) -> None:
        super().__init__(f"There is no incident {what} that you can see. `/incident list` shows them all.")
