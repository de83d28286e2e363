"""The console's cookies: their names, and how they are set so that only this site gets them."""

from __future__ import annotations

import hmac
from hashlib import sha256


def name_of(what: str, *, is_secure: bool) -> str:
    """The cookie's name. `__Host-` lets no other site of the domain set it; browsers take it over https only."""
    return f"__Host-lantern-{what}" if is_secure else f"lantern-{what}"


def written(name: str, value: str, *, seconds: int, is_secure: bool) -> str:
    """A Set-Cookie header; 0 seconds takes the cookie away."""
    secure = "; Secure" if is_secure else ""
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def form_key(token: str, salt: str) -> str:
    """What a form must bring back, so that no other site can send it: only a page of this sign-in knows it.

    Each page has another `salt`: pages are compressed, and what is the same in every one could be guessed by length.
    """
    return f"{salt}.{hmac.new(token.encode(), f'form {salt}'.encode(), sha256).hexdigest()}"
