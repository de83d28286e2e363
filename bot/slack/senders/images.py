"""Images of the timeline: fetched once and kept, so that they outlive the channel and are in the documents."""

from __future__ import annotations

from typing import Any

from bot.domain.outcomes import Refused
from bot.domain.timeline import IMAGE_TYPES
from bot.image_check import NotAnImage, looked_at
from bot.slack.download import TooLarge
from bot.slack.post import Answer, Post
from bot.store.errand import Errand
from bot.usecases import images

#: Refusals of files.info that are about this file, and final. One about the token or a scope is for a person.
_GONE = frozenset(
    {"file_not_found", "file_deleted", "access_denied", "no_permission", "not_visible", "not_in_channel"}
)


def fetch_image(post: Post, errand: Errand) -> None:
    """Ask where the file is, fetch it, look what it is, keep it. What cannot be kept gets a note and alarms nobody."""
    incident_id, file_id = int(errand.work.args["incident_id"]), str(errand.work.args["file_id"])
    if not images.is_due(post.desk, incident_id, file_id):
        return
    place = errand.step("ask", lambda: _asked(post, file_id), method="files.info")
    why = str(place.get("why") or "")
    if not why:
        try:
            # No step of its own: a step remembers no bytes, and reading again does no harm.
            content = post.slack.file(str(place["url"]), images.LARGEST)
            looked = looked_at(content)
        except TooLarge:
            why = _too_large()
        except NotAnImage as wrong:
            why = wrong.sentence
        except Refused as refused:
            why = refused.remedy or "Slack does not give it to Lantern."
    if why:
        errand.step(
            "note",
            lambda: {},
            then=lambda session, _: images.note(post.desk, session, incident_id, file_id, why),
        )
        return
    errand.step(
        "keep",
        lambda: {},
        then=lambda session, _: images.keep(post.desk, session, incident_id, file_id, looked, content),
    )


def _asked(post: Post, file_id: str) -> Answer:
    """The file's address, or why it is not fetched."""
    try:
        found = post.slack.call("files.info", file=file_id).get("file")
    except Refused as refused:
        if refused.word not in _GONE:
            raise
        return {"why": "Slack does not have it any more, or does not show it to Lantern."}
    return _place(found if isinstance(found, dict) else {})


def _place(file: dict[str, Any]) -> Answer:
    if file.get("mode") in {"tombstone", "hidden_by_limit"}:
        return {"why": "Slack does not have it any more, or does not show it to Lantern."}
    if file.get("is_external"):
        return {"why": "The file is kept on a server that is not Slack's."}
    if file.get("mimetype") not in IMAGE_TYPES:
        return {"why": "It is no image of a kind that is kept: PNG, JPEG, GIF and WebP are."}
    size = file.get("size")
    if isinstance(size, int) and size > images.LARGEST:
        return {"why": _too_large()}
    url = file.get("url_private_download") or file.get("url_private")
    return {"url": url} if isinstance(url, str) else {"why": "Slack does not say where it is."}


def _too_large() -> str:
    return f"It is larger than {images.LARGEST // 1024**2} MB, and so it is not kept."


SENDERS = {"ImageDue": fetch_image}
