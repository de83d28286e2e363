"""Is a request from Slack? v0 = HMAC-SHA256 over "v0:timestamp:body", five minutes old at most."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from slack_sdk.signature import Clock, SignatureVerifier


class _At(Clock):
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> float:
        return self._now()


class Signatures:
    """Checks signatures with the app's signing secret."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._verifier = SignatureVerifier(secret, _At(now))

    def why_not(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """None for a request that Slack signed; else a sentence that helps who sets it up, and no secret.

        Bolt's own check answers a malformed timestamp with 500 and logs bodies; this one does neither.
        """
        stamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not stamp or not signature:
            return "This address takes signed requests from Slack only: the signature headers are missing."
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            return "X-Slack-Request-Timestamp is not a number of seconds."
        try:
            is_valid = self._verifier.is_valid(body.decode("utf-8"), stamp, signature)
        except (UnicodeDecodeError, TypeError):
            is_valid = False
        if not is_valid:
            return (
                "The signature does not fit, or the request is over five minutes old. "
                "Check SLACK_SIGNING_SECRET and the clock of this host."
            )
        return None
