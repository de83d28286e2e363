"""How telling Slack can end when it does not end well. Senders raise these; the postman acts on them.

What matters is what is *known*: Refused, RateLimited and Unreachable mean that nothing happened at Slack.
After Unknown it may have, so the step is looked up before it is repeated.
"""

from __future__ import annotations


class Undelivered(Exception):
    """A call that did not go well."""


class Refused(Undelivered):
    """Slack will say the same tomorrow. `error` is Slack's word, `remedy` what a person can do about it."""

    def __init__(self, error: str, remedy: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.remedy = remedy

    @property
    def word(self) -> str:
        """Slack's word alone: "missing_scope" of "missing_scope: pins:write"."""
        return self.error.partition(":")[0]

    @property
    def sentence(self) -> str:
        """ "missing_scope: pins:write. Reinstall the app from app.yaml." """
        return f"{self.error.rstrip('.')}. {self.remedy}".strip()


class RateLimited(Undelivered):
    """429: `method` may not be called for `retry_after` seconds, by any replica."""

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(f"{method} is rate limited for {retry_after:g} s")
        self.method = method
        self.retry_after = retry_after


class Unreachable(Undelivered):
    """It was never sent: no name, no connection, no TLS."""


class Unknown(Undelivered):
    """It was sent and no answer came, or one that says nothing: a timeout, a reset, a 5xx."""


class Unfamiliar(Unknown):
    """Slack said no with a word that nobody here knows: tried again for a while, then like Refused."""

    def __init__(self, method: str, error: str) -> None:
        super().__init__(f"{method}: {error}")
        self.method = method
        self.error = error

    @property
    def sentence(self) -> str:
        """What a person is told once it is given up."""
        return (
            f"{self.error}. Slack answered {self.method} so, again and again, and Lantern does not know this word. "
            f"Look it up at https://docs.slack.dev/reference/methods/{self.method}."
        )
