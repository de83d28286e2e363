"""What the workspace sends to apps: signed HTTP requests or Socket Mode envelopes, and their answers."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlencode, urlsplit

from bot.standin.installed import InstalledApp
from bot.standin.model import Json

DeliveryKind = Literal["command", "interactive", "options", "event", "verification"]
#: seconds an app has for its answer
PATIENCE = 3.0
_ENVELOPE = {"command": "slash_commands", "event": "events_api"}


@dataclass(frozen=True)
class Answer:
    """What an app answered.  `failed` is None or Slack's word for the retry reason."""

    status: int | None
    body: str
    ms: float
    failed: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.failed is None

    def json(self) -> Json:
        """The body as an object; plain text becomes its `text`, nothing becomes {}."""
        text = self.body.strip()
        if not text:
            return {}
        try:
            found = json.loads(text)
        except ValueError:
            return {"text": text}
        return found if isinstance(found, dict) else {"text": text}


@dataclass
class Delivery:
    """One thing sent to an app, with everything needed to send the very same again."""

    kind: DeliveryKind
    app_id: str
    payload: Json
    #: HTTP mode: the signed bytes and their headers
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    #: Socket Mode
    envelope_id: str = ""
    accepts_response: bool = True
    retry_num: int = 0
    retry_reason: str = ""
    sent_at: float = 0.0
    answers: list[Answer] = field(default_factory=list)


#: sends an envelope over a socket of the app, gives the ack
SocketSend = Callable[[InstalledApp, Delivery, float], Answer]


class Outward:
    def __init__(self, socket_send: SocketSend, patience: float = PATIENCE) -> None:
        self._socket_send = socket_send
        self._lock = threading.Lock()
        self.deliveries: list[Delivery] = []
        self.patience = patience

    def send(self, app: InstalledApp, kind: DeliveryKind, payload: Json) -> tuple[Delivery, Answer]:
        """Send a new payload and wait for the answer, three seconds at most."""
        delivery = Delivery(kind, app.app_id, payload, accepts_response=kind != "event")
        self._seal(app, delivery)
        with self._lock:
            self.deliveries.append(delivery)
        return delivery, self.send_again(app, delivery)

    def send_again(
        self,
        app: InstalledApp,
        delivery: Delivery,
        *,
        new_envelope: bool = False,
        retry_num: int = 0,
        retry_reason: str = "",
    ) -> Answer:
        """Send the same bytes or the same envelope once more; `new_envelope` seals the payload anew."""
        if new_envelope:
            self._seal(app, delivery)
        attempt = replace(delivery, retry_num=retry_num, retry_reason=retry_reason)
        delivery.sent_at = time.time()
        if app.request_url is None:
            answer = self._socket_send(app, attempt, self.patience)
        else:
            answer = self._post(app.request_url, attempt)
        delivery.answers.append(answer)
        return answer

    def last(self, kind: str | None = None) -> Delivery:
        """The newest delivery, of one kind when named.  Raises LookupError when there is none."""
        with self._lock:
            for delivery in reversed(self.deliveries):
                if kind in (None, delivery.kind):
                    return delivery
        raise LookupError(f"Nothing of the kind `{kind}` was sent yet.")

    def _seal(self, app: InstalledApp, delivery: Delivery) -> None:
        delivery.envelope_id = "-".join(secrets.token_hex(n) for n in (4, 2, 2, 2, 6))
        if delivery.kind in ("event", "verification"):
            delivery.content, kind = json.dumps(delivery.payload).encode(), "application/json"
        else:
            form = (
                delivery.payload if delivery.kind == "command" else {"payload": json.dumps(delivery.payload)}
            )
            delivery.content, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        delivery.headers = {"Content-Type": kind, "User-Agent": "Slackbot 1.0 (stand-in)"} | signature(
            app.signing_secret, delivery.content, int(time.time())
        )

    def _post(self, url: str, delivery: Delivery) -> Answer:
        parts = urlsplit(url)
        maker = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = maker(parts.hostname or "", parts.port, timeout=self.patience)
        headers = dict(delivery.headers)
        if delivery.retry_num:
            headers |= {
                "X-Slack-Retry-Num": str(delivery.retry_num),
                "X-Slack-Retry-Reason": delivery.retry_reason,
            }
        started = time.perf_counter()
        status, body, failed, got = None, "", None, {}
        try:
            connection.request("POST", parts.path or "/", delivery.content, headers)
            response = connection.getresponse()
            body = response.read().decode("utf-8", "replace")
            status, got = response.status, {k.lower(): v for k, v in response.getheaders()}
            if not 200 <= status < 300:
                failed = "http_error"
        except TimeoutError:
            failed = "http_timeout"
        except (OSError, http.client.HTTPException):
            failed = "connection_failed"
        finally:
            connection.close()
        took = time.perf_counter() - started
        if failed is None and took > self.patience:
            failed = "http_timeout"
        return Answer(status, body, took * 1000, failed, got)


def signature(secret: str, content: bytes, at: int) -> dict[str, str]:
    """Slack's v0 signature of a request body, as headers."""
    signed = hmac.new(secret.encode(), b"v0:%d:" % at + content, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": f"v0={signed}"}


def envelope(delivery: Delivery) -> Json:
    """The Socket Mode frame that carries a delivery."""
    framed: Json = {
        "envelope_id": delivery.envelope_id,
        "type": _ENVELOPE.get(delivery.kind, "interactive"),
        "payload": delivery.payload,
        "accepts_response_payload": delivery.accepts_response,
    }
    if delivery.kind == "event":
        framed |= {"retry_attempt": delivery.retry_num, "retry_reason": delivery.retry_reason}
    return framed
