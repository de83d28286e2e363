"""Every method of the stand-in's Web API, gathered from the files that write them."""

from __future__ import annotations

from bot.standin.api import (
    auth,
    blocks,
    bookmarks,
    canvases,
    chat,
    conversations,
    files,
    history,
    membership,
    openid,
    pins,
    reactions,
    users,
    views,
)
from bot.standin.api.method import Method


def methods() -> dict[str, Method]:
    """Slack's name of a method -> the method."""
    found: dict[str, Method] = {}
    for room in (
        auth,
        blocks,
        bookmarks,
        canvases,
        chat,
        conversations,
        files,
        history,
        membership,
        openid,
        pins,
        reactions,
        users,
        views,
    ):
        found |= room.FAMILY.methods
    return found
