"""What a sender has in hand: Slack, the desk, and the two ways of posting that survive a lost answer."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.outcomes import Refused
from bot.slack.client import Slack
from bot.store.db import Session
from bot.store.errand import Errand
from bot.usecases.desk import Desk

log = logging.getLogger(__name__)

Answer = dict[str, Any]

#: Refusals of a card whose words alone would do.
_UNDRAWABLE = ("invalid_blocks", "msg_blocks_too_long")
#: An id as Slack gives it; names are lower case.
_CHANNEL_ID = re.compile(r"[CDG][A-Z0-9]{6,}")


Sender = Callable[["Post", Errand], None]


@dataclass(frozen=True)
class Post:
    """What every sender may reach."""

    slack: Slack
    desk: Desk
    #: Template of channel names, e.g. "inc-{number:04d}-{title}".
    channel_template: str = "inc-{number:04d}-{title}"
    #: Web address of the runbooks folder, e.g. a repository's; "" when there is none.
    runbooks_url: str = ""

    def message(
        self,
        errand: Errand,
        step: str,
        channel: str,
        text: str,
        blocks: list[dict[str, Any]] | None = None,
        *,
        thread_ts: str | None = None,
        shows: str = "",
        then: Callable[[Session, Answer], None] | None = None,
    ) -> Answer:
        """Post a message once. It carries the work's id as metadata, by which a lost answer is found.

        `shows` travels with it and comes back in the answer, also when the message is found later:
        what the message that is really there shows.
        """
        mark = {"work": str(errand.work.id), "step": step, "shows": shows}
        arguments: dict[str, Any] = {
            "channel": channel,
            "text": text[:4000],
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {"event_type": "lantern_notice", "event_payload": mark},
        }
        if thread_ts is not None:
            arguments["thread_ts"] = thread_ts

        def call() -> Answer:
            if blocks is None:
                return _kept(self.slack.call("chat.postMessage", **arguments), shows)
            try:
                return _kept(self.slack.call("chat.postMessage", **arguments, blocks=blocks), shows)
            except Refused as refused:
                # A card that Slack will not draw still says its words.
                if not refused.error.startswith(_UNDRAWABLE):
                    raise
                return _kept(self.slack.call("chat.postMessage", **arguments), shows)

        return errand.step(
            step,
            call,
            look=lambda: self._find(channel, mark, errand.work.created_at, thread_ts),
            then=then,
            method="chat.postMessage",
            channel=channel,
        )

    def change(
        self, errand: Errand, step: str, channel: str, ts: str, text: str, blocks: list[dict[str, Any]]
    ) -> Answer:
        """Bring one of our messages up to date. Harmless when repeated; a message that is gone stays gone."""

        def call() -> Answer:
            arguments = {"channel": channel, "ts": ts, "text": text[:4000]}
            try:
                self.slack.call("chat.update", **arguments, blocks=blocks)
            except Refused as refused:
                if refused.error.startswith(_UNDRAWABLE):
                    self.slack.call("chat.update", **arguments)
                elif refused.word not in {"message_not_found", "is_inactive"}:
                    raise
            return {"ts": ts}

        return errand.step(step, call, method="chat.update")

    def file(
        self,
        errand: Errand,
        step: str,
        channel: str,
        name: str,
        content: bytes,
        *,
        title: str,
        comment: str = "",
        alt: str = "",
        thread_ts: str | None = None,
        then: Callable[[Session, Answer], None] | None = None,
    ) -> Answer:
        """Share a file once, with a comment (mrkdwn). Gives its permalink. `step` may be "" for a work's only file."""
        place = errand.step(
            f"{step} upload".strip(),
            lambda: self._upload(name, content, alt),
            method="files.getUploadURLExternal",
        )
        arguments: dict[str, Any] = {
            "files": [{"id": place["id"], "title": title}],
            "channel_id": channel,
            **({"initial_comment": comment} if comment else {}),
            **({"thread_ts": thread_ts} if thread_ts else {}),
        }

        def share() -> Answer:
            answer = self.slack.call("files.completeUploadExternal", **arguments)
            return {"permalink": str((answer.get("files") or [{}])[0].get("permalink") or "")}

        return errand.step(
            f"{step} share".strip(),
            share,
            look=lambda: self._shared(place["id"], channel),
            then=then,
            method="files.completeUploadExternal",
        )

    def _upload(self, name: str, content: bytes, alt: str) -> Answer:
        # One step: an address that was never used goes stale, and asking for another does no harm.
        described = {"alt_txt": alt[:1000]} if alt else {}
        place = self.slack.call("files.getUploadURLExternal", filename=name, length=len(content), **described)
        self.slack.upload(str(place["upload_url"]), content)
        return {"id": str(place["file_id"])}

    def _shared(self, file_id: str, channel: str) -> Answer | None:
        """The file as it is in the channel; None when it is not."""
        try:
            found = self.slack.call("files.info", file=file_id)["file"]
        except Refused as refused:
            # Slack shows no file that was uploaded and never completed.
            if refused.word != "file_not_found":
                raise
            return None
        where = [*(found.get("channels") or []), *(found.get("groups") or [])]
        return {"permalink": str(found.get("permalink") or "")} if channel in where else None

    def _find(
        self, channel: str, mark: dict[str, str], since: datetime, thread_ts: str | None
    ) -> Answer | None:
        """The message with this mark; None when it is not there, or when we may not look."""
        try:
            place = self._channel_id(channel)
            arguments: dict[str, Any] = {
                "channel": place,
                "include_all_metadata": True,
                "limit": 200,
                "oldest": f"{since.timestamp() - 60:.6f}",
            }
            method = "conversations.history"
            if thread_ts is not None:
                method, arguments["ts"] = "conversations.replies", thread_ts
            for message in self.slack.pages(method, "messages", **arguments):
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if (payload.get("work"), payload.get("step")) == (mark["work"], mark["step"]):
                    return {"ts": str(message["ts"]), "channel": place, "shows": payload.get("shows", "")}
        except Refused as refused:
            # A channel the bot may post to without being in it, or a direct message: its history is
            # closed to us. Said twice is better than not said.
            log.warning("cannot look whether a message reached %s (%s): posted again", channel, refused.error)
        return None

    def _channel_id(self, channel: str) -> str:
        """The id of a channel that the settings may name: posting takes a name, reading does not."""
        if _CHANNEL_ID.fullmatch(channel):
            return channel
        wanted = channel.removeprefix("#")
        listed = self.slack.pages(
            "users.conversations",
            "channels",
            types="public_channel,private_channel",
            exclude_archived=True,
            limit=200,
        )
        found = next((one["id"] for one in listed if one.get("name") == wanted), None)
        if found is None:
            raise Refused("not_in_channel")
        return str(found)


def _kept(answer: Answer, shows: str) -> Answer:
    """The part of an answer worth remembering."""
    return {"ts": str(answer.get("ts")), "channel": str(answer.get("channel")), "shows": shows}


def done_when(call: Callable[[], Answer], *fine: str) -> Answer:
    """Run a call; these refusals of Slack's mean that it was done before. Gives nothing worth keeping."""
    try:
        call()
    except Refused as refused:
        if refused.word not in fine:
            raise
    return {}
