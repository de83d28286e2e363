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
