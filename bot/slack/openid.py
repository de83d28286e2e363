"""Sign in with Slack (OpenID Connect): the address to send a browser to, and who came back from it.

The id_token comes from Slack itself over TLS, in answer to our client secret, so that its issuer is known without
looking at its signature (OpenID Connect Core 3.1.3.7, point 6); everything that it says is checked all the same.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from bot.domain.outcomes import Refused, Undelivered, Unfamiliar
from bot.domain.people import Person
from bot.domain.refusals import Refusal
from bot.slack.ask import profile_name
from bot.slack.client import Slack

#: Seconds that Slack's clock and ours may differ.
_CLOCKS_APART = 60
#: What an `openid.connect.token` says of a code that was used, is old or was made up (docs.slack.dev).
_CODE_ERRORS = frozenset({"invalid_code", "code_already_used", "code_expired", "invalid_grant"})

#: What `users.info` says of somebody who is not in the workspace.
_STRANGERS = frozenset({"user_not_found", "user_not_visible"})

_AGAIN = "Sign in once more."
_LATER = "Slack does not answer just now. Try again in a minute."


class NotAMember(Refusal):
    """Whoever it is may not use the console."""


class OpenId:
    """Signs people in against the workspace that the bot is in."""

    def __init__(self, slack: Slack, *, api_url: str, client_id: str, client_secret: str) -> None:
        self._slack = slack
        # Without the bot's token: here the client id and secret say who asks.
        self._anybody = Slack("", api_url)
        self._client_id, self._client_secret = client_id, client_secret
        parts = urlsplit(api_url)
        self._issuer = f"{parts.scheme}://{parts.netloc}"

    def address(self, *, state: str, nonce: str, redirect: str) -> str:
        """Where a browser is sent to sign in. `redirect` is where it comes back to."""
        me = self._slack.known_identity
        query = {
            "response_type": "code",
            # Name and zone come from users.info: nothing more is asked of people.
            "scope": "openid",
            "client_id": self._client_id,
            "state": state,
            "nonce": nonce,
            "redirect_uri": redirect,
            **({"team": me.team_id} if me is not None else {}),
        }
        return f"{self._issuer}/openid/connect/authorize?{urlencode(query)}"

    def person(self, code: str, *, nonce: str, redirect: str, now: datetime) -> Person:
        """Who came back with this code. Raises Refusal, NotAMember for somebody of another workspace or a guest."""
        claims = _claims(self._token(code, redirect))
        why = self._why_not(claims, nonce, now)
        if why:
            raise Refusal(f"Slack's answer does not fit this sign-in ({why}). {_AGAIN}")
        if str(claims.get("https://slack.com/team_id")) != self._team():
            raise NotAMember(
                "That is an account of another Slack workspace. Choose the workspace in which Lantern is installed."
            )
        try:
            return self.member(str(claims.get("https://slack.com/user_id") or claims.get("sub")), now=now)
        except Undelivered as trouble:
            raise Refusal(_LATER) from trouble

    def member(self, person_id: str, *, now: datetime) -> Person:
        """The person as Slack describes them now. Raises NotAMember, and Undelivered when Slack does not say."""
        try:
            user = self._slack.ask("users.info", user=person_id)["user"]
        except Refused as refused:
            if refused.word not in _STRANGERS:
                raise
            raise NotAMember("Slack does not know that account in this workspace.") from refused
        if user.get("deleted"):
            raise NotAMember("That account is deactivated in Slack.")
        if user.get("is_bot"):
            raise NotAMember("That account is a bot.")
        if user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger"):
            raise NotAMember(
                "The console is for full members of the workspace; that account is a guest. "
                "Guests follow an incident in its channel."
            )
        return Person(
            id=person_id, name=profile_name(user) or person_id, tz=str(user.get("tz") or ""), seen_at=now
        )

    def _token(self, code: str, redirect: str) -> str:
        try:
            answer = self._anybody.call(
                "openid.connect.token",
                client_id=self._client_id,
                client_secret=self._client_secret,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect,
            )
        except (Refused, Unfamiliar) as no:
            if no.error.partition(":")[0] in _CODE_ERRORS:
                raise Refusal(f"That sign-in was used before or took too long. {_AGAIN}") from no
            raise Refusal(
                f"Slack refuses Lantern's sign-in ({no.error[:100]}). Whoever runs Lantern finds out more with "
                "`lantern check`."
            ) from no
        except Undelivered as trouble:
            raise Refusal(_LATER) from trouble
        return str(answer.get("id_token") or "")

    def _why_not(self, claims: dict[str, Any], nonce: str, now: datetime) -> str:
        """What is wrong with an id_token, "" when nothing (OpenID Connect Core 3.1.3.7)."""
        if claims.get("iss") != self._issuer:
            return "issuer"
        audience = claims.get("aud")
        if self._client_id not in (audience if isinstance(audience, list) else [audience]):
            return "audience"
        if not secrets.compare_digest(str(claims.get("nonce") or "").encode(), nonce.encode()):
            return "nonce"
        until = claims.get("exp")
        if not isinstance(until, int | float) or until + _CLOCKS_APART < now.timestamp():
            return "too old"
        return ""

    def _team(self) -> str:
        try:
            return self._slack.identity.team_id
        except Undelivered as trouble:
            raise Refusal(_LATER) from trouble


def _claims(token: str) -> dict[str, Any]:
    """What an id_token says; {} when it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
