"""The postmortem in the channel's canvas. It is an addition: nothing waits for it, and the file says the same."""

from __future__ import annotations

from functools import partial
from typing import Any

from bot.domain.outcomes import Refused
from bot.markdown_canvas import LONGEST, canvas_of
from bot.slack.post import Answer, Post
from bot.store.errand import Errand
from bot.usecases.canvas import Paper, canvas_made, canvas_refused, paper

#: Bytes that are tried one after the other while Slack says that it is too much, or cannot be drawn.
_TRIED = (("edit", LONGEST), ("edit shorter", 100_000), ("edit short", 500))
_TOO_MUCH = frozenset({"canvas_too_large", "canvas_editing_failed"})
#: app.yaml has the scope as a comment: most workspaces do without.
_HOW_TO_ALLOW = (
    "missing_scope: canvases:write. Take the comment mark off the line `canvas` of app.yaml and reinstall the app, "
    "or set LANTERN_CANVAS=off."
)


def write_canvas(post: Post, errand: Errand) -> None:
    """Make the channel's canvas, or write it anew when Lantern made it. One that people made stays as it is."""
    args = errand.work.args
    found = paper(post.desk, int(args["incident_id"]), int(args["revision"]))
    about = found.incident
    if not post.desk.options.is_canvas_on or about.channel_id is None or about.is_archived:
        return
    try:
        if found.canvas_id is None or not _edited(post, errand, found, found.canvas_id, ""):
            made = _made(post, errand, found, about.channel_id)
            _edited(post, errand, found, str(made["id"]), " anew")
    except Refused as refused:
        sentence = _HOW_TO_ALLOW if refused.word == "missing_scope" else refused.sentence
        errand.step(
            "refused",
            lambda: {},
            then=lambda session, _: canvas_refused(
                post.desk, session, about.id, errand.work.asked_by, sentence
            ),
        )


def _made(post: Post, errand: Errand, found: Paper, channel: str) -> Answer:
    """The channel's one canvas, of Lantern's making. Raises Refused for one that people have made."""

    def create() -> Answer:
        title = f"Postmortem {found.incident.slug}"
        try:
            answer = post.slack.call("conversations.canvases.create", channel_id=channel, title=title)
        except Refused as refused:
            # A channel has one canvas at most, so that a repeat makes no second.
            ours = _ours(post, channel) if refused.word == "channel_canvas_already_exists" else None
            if ours is None:
                raise
            return ours
        return {"id": str(answer["canvas_id"])}

    return errand.step(
        "create",
        create,
        look=lambda: _ours(post, channel),
        then=lambda session, made: canvas_made(session, found.incident.id, made["id"]),
        method="conversations.canvases.create",
    )


def _ours(post: Post, channel: str) -> Answer | None:
    """The channel's canvas when Lantern made it, else None."""
    told = post.slack.call("conversations.info", channel=channel)["channel"]
    canvas = (told.get("properties") or {}).get("canvas") or {}
    canvas_id = str(canvas.get("file_id") or "")
    if not canvas_id:
        return None
    try:
        file = post.slack.call("files.info", file=canvas_id)["file"]
    except Refused:
        return None
    is_ours = post.slack.me().bot_user_id in (file.get("user"), file.get("canvas_creator_id"))
    return {"id": canvas_id} if is_ours else None


def _edited(post: Post, errand: Errand, found: Paper, canvas_id: str, when: str) -> bool:
    """Write the revision into the canvas, as much of it as Slack takes. False when somebody has deleted it."""
    for step, longest in _TRIED:
        change = {"operation": "replace", "document_content": _content(found, longest)}
        write = partial(_edit, post, canvas_id, change)
        try:
            errand.step(f"{step}{when}", write, method="canvases.edit")
        except Refused as refused:
            if refused.word == "canvas_not_found" and not when:
                return False
            if refused.word not in _TOO_MUCH or step == _TRIED[-1][0]:
                raise
        else:
            break
    return True


def _edit(post: Post, canvas_id: str, change: dict[str, Any]) -> Answer:
    post.slack.call("canvases.edit", canvas_id=canvas_id, changes=[change])
    return {}


def _content(found: Paper, longest: int) -> dict[str, str]:
    """Revision, where to change it, and the text."""
    where = f"[edit it in the console]({found.page})" if found.page else "add to it with `/log`"
    head = (
        f"*Revision {found.revision.number}, written by Lantern. What is typed here is replaced by the next: "
        f"{where}, then `/postmortem compile`.*"
    )
    whole = f"[the whole postmortem]({found.link})" if found.link else "the file in this channel is whole"
    rest = f"*A canvas does not hold more of it: {whole}.*"
    return {
        "type": "markdown",
        "markdown": canvas_of(found.revision.markdown, head=head, rest=rest, longest=longest),
    }


SENDERS = {"CanvasDue": write_canvas}
