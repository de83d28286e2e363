"""openid.connect.token: the second half of Sign in with Slack."""

from __future__ import annotations

import base64
import json
import secrets
import time

from bot.standin.api.method import CallContext, Family
from bot.standin.model import Json
from bot.standin.refused import Refused

FAMILY = Family()


@FAMILY.method("openid.connect.token", tier=4, needs=["code"])
def token(call: CallContext) -> Json:
    if call.args.text("grant_type", "authorization_code") != "authorization_code":
        raise Refused("invalid_grant_type")
    granted = call.ws.openid.take(
        call.args.text("code"), app_id=call.app.app_id, redirect_uri=call.args.text("redirect_uri")
    )
    now = int(time.time())
    claims = {
        "iss": call.ws.base_url,
        "sub": granted.user_id,
        "aud": call.app.client_id,
        "exp": now + 300,
        "iat": now,
        "auth_time": now,
        "nonce": granted.nonce,
        "https://slack.com/team_id": granted.team_id,
        "https://slack.com/user_id": granted.user_id,
    }
    # Slack signs with RS256 and a key that it publishes; here nothing is behind the third part.
    parts = (
        _part({"alg": "RS256", "typ": "JWT", "kid": "stand-in"}),
        _part(claims),
        secrets.token_urlsafe(32),
    )
    return {
        "access_token": "xoxp-" + secrets.token_hex(16),
        "token_type": "Bearer",
        "id_token": ".".join(parts),
    }


def _part(found: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(found).encode()).decode().rstrip("=")
