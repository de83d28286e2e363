"""Socket Mode: Bolt's own connection, which hears no more at once when it is closed.

The SDK's client closes its socket only when its reader lets go of it, which takes up to three seconds, and
it closes before the listeners that run have sent their answers (slack_sdk 3.47).
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from http.client import HTTPException

from slack_bolt import App
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.domain.outcomes import Refused, Unreachable
from bot.slack.remedies import TOKEN_ERRORS

#: What apps.connections.open says of a token that will never do.
_TOKEN_ERRORS = TOKEN_ERRORS | {"not_allowed_token_type", "missing_scope"}


class SocketDoor(SocketModeHandler):
    """Bolt's handler with a quick and polite close()."""

    def __init__(self, app: App, app_token: str, api_url: str) -> None:
        super().__init__(app, app_token, web_client=WebClient(base_url=api_url, retry_handlers=[]))

    def open(self) -> None:
        """Connect. Raises Refused when Slack will not have the token, Unreachable when it does not answer."""
        try:
            self.connect()  # type: ignore[no-untyped-call]
        except SlackApiError as error:
            said = str(error.response.get("error") or "")
            if said not in _TOKEN_ERRORS:
                raise Unreachable(f"apps.connections.open: {said}") from error
            raise Refused(
                said, "Make an app-level token with connections:write: SLACK_APP_TOKEN=xapp-..."
            ) from error
        except (OSError, HTTPException) as error:
            raise Unreachable(f"apps.connections.open: {error}") from error

    def close(self) -> None:
        """Hear no more, let what was heard be answered, then hang up."""
        client = self.client
        client.auto_reconnect_enabled = False
        self._stop_reading()
        while not client.message_queue.empty():
            time.sleep(0.005)
        client.closed = True
        # The processor waits on its queue; nothing is enough to wake it.
        client.message_queue.put(None)
        client.message_processor.shutdown()  # type: ignore[no-untyped-call]
        client.message_workers.shutdown()
        client.close()

    def _stop_reading(self) -> None:
        client = self.client
        reader = client.current_session_runner
        reader.event.set()
        sock = client.current_session.sock if client.current_session is not None else None
        if sock is not None:
            # Not SSLSocket's own shutdown, which would send the last answers unencrypted.
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RD)
        while reader.is_alive():
            # A reader that just begins sets this to False once.
            client.current_session_state.terminated = True
            reader.thread.join(0.02)
