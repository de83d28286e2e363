"""The Bolt app: one listener a kind of request, and the one place where refusals are shown in Slack.

`process_before_response=True`: a listener has committed before Slack hears anything. In Bolt's default
mode an event is acknowledged before its listener runs, and a crash then loses it.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.domain import markup
from bot.domain.outcomes import Refused, Undelivered
from bot.domain.refusals import Refusal
from bot.shelf import gather
from bot.slack import ask as asks
from bot.slack import blocks as kit
from bot.slack import crowd, modals, payload
from bot.slack.ask import Ask
from bot.slack.buttons import BUTTONS
from bot.slack.door import Answer, Door
from bot.slack.events import EVENTS
from bot.slack.shortcuts import SHORTCUTS
from bot.slack.signature import Signatures
from bot.slack.words import gather_words
from bot.store.db import NotSaved
from bot.usecases.home import ask_home
from bot.usecases.whisper import whisper

log = logging.getLogger(__name__)

_ANY = re.compile(r".*", re.DOTALL)
Body = dict[str, Any]
#: Characters. Slack advises 4,000 at most for a message's text and cuts it at 40,000.
_LONGEST_ANSWER = 3900


@dataclass(frozen=True)
class Reply:
    """What goes back over HTTP."""

    status: int
    body: str
    headers: Mapping[str, str]


class SlackDoor:
    """Everything Slack may send, answered. Both transports hand it to the same Bolt app."""

    def __init__(self, door: Door, *, token: str, signing_secret: str | None) -> None:
        self._door = door
        self._words = gather_words()
        self._forms = {form.CALLBACK: form for form in gather(modals, "CALLBACK", "view", "submitted")}
        self._signatures = Signatures(signing_secret) if signing_secret else None
        self.app = self._build(token)

    def _build(self, token: str) -> App:
        app = App(
            # Verified in http(), where a malformed header is a 401 and no body is logged.
            request_verification_enabled=False,
            signing_secret="verified before Bolt",  # noqa: S106
            authorize=self._authorize(token),
            # For Bolt's own use; what we call goes through bot.slack.client.
            client=WebClient(retry_handlers=[]),
            process_before_response=True,
        )
        app.command(_ANY)(self._in_time(self._on_command))
        app.shortcut(_ANY)(self._in_time(self._on_shortcut))
        app.action(_ANY)(self._in_time(self._on_action))
        app.view(_ANY)(self._in_time(self._on_submission))
        app.view_closed(_ANY)(lambda ack: ack())
        app.options(_ANY)(lambda ack: ack(options=[]))
        app.event(_ANY)(self._in_time(self._on_event))
        app.error(self._on_error)
        return app

    def _authorize(self, token: str) -> Callable[..., AuthorizeResult]:
        def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            # Never asked for here: Slack's three seconds are running. Until somebody else has asked, an
            # event of our own is told apart by its deed.
            me = self._door.slack.known_identity
            if me is None:
                return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)
            return AuthorizeResult(
                enterprise_id=enterprise_id,
                team_id=team_id,
                bot_token=token,
                bot_user_id=me.bot_user_id,
                bot_id=me.bot_id,
            )

        return authorize

    def _in_time(self, listen: Callable[[Ack, Body], None]) -> Callable[[Ack, Body], None]:
        def listen_in_time(ack: Ack, body: Body) -> None:
            with self._door.desk.in_time():
                listen(ack, body)

        return listen_in_time

    def http(self, headers: Mapping[str, str], body: bytes, waited: float = 0.0) -> Reply:
        """Answer a request to the events address, which waited so many seconds for its turn.

        `headers` have lower-case names.
        """
        if self._signatures is None:
            return _plain(404, "HTTP mode is off: set SLACK_SIGNING_SECRET to switch it on.")
        why = self._signatures.why_not(headers, body)
        if why is not None:
            log.warning("a request was turned away: %s", why)
            return _plain(401, why)
        try:
            found = payload.read_body(headers.get("content-type", ""), body)
        except payload.Malformed as malformed:
            log.warning("a signed request was not understood: %s", malformed)
            return _plain(400, str(malformed))
        if found.get("type") == "app_rate_limited":
            log.warning("Slack holds events back: the workspace sent more than 30,000 in an hour")
            return Reply(200, "", {})
        given: dict[str, str | Sequence[str]] = {name: [value] for name, value in headers.items()}
        # The body is read and verified already, as it is when it comes over a socket.
        if waited > crowd.LATE:
            log.warning(
                "turned away after waiting %.1f s: more arrives than is done, or this was paused", waited
            )
            response = crowd.turn_away(found)
        else:
            with self._door.desk.in_time(waited):
                response = self.app.dispatch(BoltRequest(mode="socket_mode", body=found, headers=given))
        return Reply(response.status, response.body, response.first_headers_without_set_cookie())

    def tell_late(self, body: Body, response: BoltResponse) -> None:
        """Tell a person what a command was answered when Slack could not be given the answer in time."""
        if "command" not in body or not response.body:
            return
        ask = asks.of_command(body)
        said = str(json.loads(response.body).get("text") or "")
        sentence = f"Slack may have said that `{markup.to_mrkdwn_safe(ask.name)}` failed. This is its answer:\n{said}"
        self._whisper(replace(ask, origin=f"{ask.origin}:late"), Answer(sentence))

    # One listener a kind.

    def _on_command(self, ack: Ack, body: Body) -> None:
        ask = asks.of_command(body)
        try:
            answer = self._words.run(self._door, ask)
            if answer.modal is not None:
                self._open(ask, answer.modal)
                ack()
                return
        except Refusal as refusal:
            _note(refusal)
            ack(text=_with_typed(refusal, ask), response_type="ephemeral")
            return
        ack(
            text=kit.cut(answer.text, _LONGEST_ANSWER) or "Done.",
            blocks=answer.blocks or [],
            response_type="ephemeral",
        )

    def _on_shortcut(self, ack: Ack, body: Body) -> None:
        ask = asks.of_shortcut(body)
        try:
            opens = SHORTCUTS.get(ask.name)
            if opens is None:
                raise Refusal("Lantern does not know this shortcut. Reinstall the app from its app.yaml.")
            view = opens(self._door, ask).modal
            assert view is not None, "a shortcut opens a form"
        except Refusal as refusal:
            _note(refusal)
            view = _sentence_view(refusal.sentence)
        try:
            self._open(ask, view)
        except Refusal as refusal:
            self._whisper(ask, Answer(refusal.sentence))
        ack()

    def _on_action(self, ack: Ack, body: Body) -> None:
        ask = asks.of_action(body)
        press = BUTTONS.get(ask.name)
        if press is None:
            # A button with an address only, or one of a card from before an upgrade.
            ack()
            return
        try:
            answer = press(self._door, ask)
            if answer.modal is not None:
                self._open(ask, answer.modal)
            elif not answer.is_quiet:
                self._whisper(ask, answer)
        except NotSaved as lost:
            _note(lost)
            self._say(ask, Answer(lost.sentence))
        except Refusal as refusal:
            self._whisper(ask, Answer(refusal.sentence))
        if ask.is_on_home:
            self._redraw(ask)
        ack()

    def _redraw(self, ask: Ask) -> None:
        """Draw the person's Home tab anew: what they pressed there may have changed it."""
        try:
            ask_home(self._door.desk, ask.user)
        except NotSaved as lost:
            _note(lost)

    def _on_submission(self, ack: Ack, body: Body) -> None:
        ask = asks.of_view(body)
        form = self._forms.get(ask.name)
        if form is None:
            ack()
            return
        try:
            answer = form.submitted(self._door, ask)
        except Refusal as refusal:
            _note(refusal)
            # The form stays open with what was typed in it.
            field = refusal.field if refusal.field in ask.values else next(iter(ask.values), "")
            if field:
                ack(response_action="errors", errors={field: _unmarked(refusal.sentence)})
            else:
                ack(response_action="update", view=_sentence_view(refusal.sentence))
            return
        if not answer.is_quiet:
            self._whisper(ask, answer)
        if ask.is_on_home:
            self._redraw(ask)
        ack()

    def _on_event(self, ack: Ack, body: Body) -> None:
        ask = asks.of_event(body)
        react = EVENTS.get(ask.name)
        if react is not None:
            try:
                react(self._door, ask)
            except NotSaved:
                raise
            except Refusal:
                # Nobody typed an event, and sent again it would be refused again.
                log.info("an event was refused: %s", ask.name)
        ack()

    def _on_error(self, error: Exception, body: Body, request: BoltRequest) -> BoltResponse:
        """What no listener expected. Events get a 503, so that Slack sends them again."""
        if isinstance(error, NotSaved):
            log.warning("not saved, Slack will send it again: %s", error.why)
            return BoltResponse(status=503, body="")
        reference = secrets.token_hex(4)
        log.error("request %s failed", reference, exc_info=error)
        if "command" in body:
            sentence = (
                f"Something went wrong inside Lantern (reference {reference} in its log). "
                "Look whether it was kept (`/log list`) before you send it again:\n"
                f"```{kit.cut(markup.escape(asks.of_command(body).typed), 3000)}```"
            )
            return BoltResponse(status=200, body=json.dumps({"text": sentence, "response_type": "ephemeral"}))
        return BoltResponse(status=503 if "event" in body else 200, body="")

    # What a listener may say besides its answer.

    def _open(self, ask: Ask, view: dict[str, Any]) -> None:
        """Open a view. Trigger ids live three seconds, so this is the one thing a door sends itself."""
        try:
            self._door.slack.read("views.open", trigger_id=ask.trigger_id, view=view)
        except Refused as refused:
            if refused.error.split(":")[0] in {
                "expired_trigger_id",
                "exchanged_trigger_id",
                "trigger_expired",
            }:
                raise Refusal("Slack took too long to open the form. Send it again.") from refused
            log.error("views.open was refused: %s", refused)
            raise Refusal(
                f"Slack did not open the form ({refused.error}). Type it instead: `/incident help`."
            ) from refused
        except Undelivered as outcome:
            raise Refusal(
                "Slack is not answering, so the form cannot open. Type it instead, for example "
                "`/incident open logins fail sev2`, `/log 10:30 detection: alarms on login` or "
                "`/incident close now`."
            ) from outcome

    def _whisper(self, ask: Ask, answer: Answer) -> None:
        """Tell the person alone. Goes through the outbox; when that cannot take it, straight to Slack."""
        try:
            whisper(
                self._door.desk,
                kit.cut(answer.text, _LONGEST_ANSWER),
                channel_id=ask.channel,
                to=ask.user,
                blocks=answer.blocks,
                origin=ask.origin,
            )
        except NotSaved as lost:
            _note(lost)
            self._say(ask, answer)

    def _say(self, ask: Ask, answer: Answer) -> None:
        """Tell the person alone, now and once: the database cannot keep it for the postman."""
        text = kit.cut(answer.text, _LONGEST_ANSWER)
        try:
            if ask.channel:
                self._door.slack.read("chat.postEphemeral", channel=ask.channel, user=ask.user, text=text)
            else:
                self._door.slack.read("chat.postMessage", channel=ask.user, text=text)
        except Undelivered as outcome:
            log.warning("could not tell %s how it ended: %s", ask.user, outcome)


def _note(refusal: Refusal) -> None:
    """Let the log know of what the database did not take; what was typed is not in it."""
    if isinstance(refusal, NotSaved):
        log.warning("not saved: %s", refusal.why)


def _with_typed(refusal: Refusal, ask: Ask) -> str:
    """The sentence; when the database did not take it, with what was typed, to be copied."""
    if isinstance(refusal, NotSaved) and ask.typed:
        return f"{refusal.sentence}\n```{kit.cut(markup.escape(ask.typed), 3000)}```"
    return refusal.sentence


def _unmarked(sentence: str) -> str:
    """Errors under a form's field are plain text."""
    return sentence.replace("`", "").replace("*", "")[:1500]


def _sentence_view(sentence: str) -> dict[str, Any]:
    return {
        "type": "modal",
        "title": kit.plain("Lantern", 24),
        "close": kit.plain("Close", 24),
        "blocks": [kit.section(sentence)],
    }


def _plain(status: int, sentence: str) -> Reply:
    return Reply(status, sentence + "\n", {"content-type": "text/plain; charset=utf-8"})
