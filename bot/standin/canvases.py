"""A channel's canvas: one file a channel, Markdown that Slack can draw, written by people and apps."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.standin.model import Channel, File, Json
from bot.standin.refused import Refused
from bot.standin.workspace import Workspace, fresh_id

#: What Slack calls the kind of file that a canvas is.
MIMETYPE = "application/vnd.slack-docs"
#: Characters of one change; cells of one table (docs.slack.dev, canvases).
LONGEST = 1_048_576
MOST_CELLS = 300

_READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def of(ws: Workspace, channel: Channel) -> File | None:
    """The channel's canvas; None when there is none, or it was deleted."""
    return ws.files.get(channel.canvas)


def create(ws: Workspace, channel: Channel, title: str, markdown: str, creator: str) -> File:
    """Make the channel's canvas. Raises Refused when it has one."""
    if of(ws, channel) is not None:
        raise Refused("channel_canvas_already_exists")
    made = File(fresh_id("F"), title or channel.name, title, MIMETYPE, creator, int(ws.now()))
    made.is_complete, made.channels, made.content = True, [channel.id], markdown.encode()
    ws.files[made.id] = made
    channel.canvas = made.id
    ws.on_change(["state"])
    return made


def write(ws: Workspace, canvas: File, markdown: str) -> None:
    """Let the canvas say this and nothing else."""
    canvas.content = markdown.encode()
    ws.on_change(["state"])


def delete(ws: Workspace, channel: Channel) -> None:
    ws.files.pop(channel.canvas, None)
    channel.canvas = ""
    ws.on_change(["state"])


def properties(ws: Workspace, channel: Channel) -> Json:
    """What conversations.info says of it."""
    found = of(ws, channel)
    if found is None:
        return {}
    return {
        "canvas": {
            "file_id": found.id,
            "is_empty": not found.content.strip(),
            "quip_thread_id": f"Q{found.id}",
        }
    }


def checked(content: object, refusal: str) -> str:
    """The Markdown of a `document_content`, if a canvas can hold it."""
    if content is None:
        return ""
    if not isinstance(content, dict) or content.get("type") != "markdown":
        raise Refused(
            "invalid_arguments", "[ERROR] must be of type markdown [json-pointer:/document_content]"
        )
    markdown = str(content.get("markdown") or "")
    if len(markdown) > LONGEST:
        raise Refused("canvas_too_large" if refusal == "canvas_editing_failed" else refusal)
    for node in SyntaxTreeNode(_READER.parse(markdown)).walk():
        wrong = _wrong(node)
        if wrong:
            line = node.map[0] + 1 if node.map else 1
            raise Refused(refusal, detail=f"'content' error: line {line}: {wrong}")
    return markdown


def _wrong(node: SyntaxTreeNode) -> str:
    inside = {one.type for one in _above(node)}
    if node.type in {"bullet_list", "ordered_list"} and "blockquote" in inside:
        return "Unsupported block type (List) within block quote"
    if node.type in {"fence", "code_block", "table", "blockquote", "heading"} and "list_item" in inside:
        return f"Unsupported block type ({node.type}) within list item"
    if node.type == "heading" and int(node.tag[1]) > 3:
        return "Unsupported heading level"
    cells = sum(one.type in {"th", "td"} for one in node.walk()) if node.type == "table" else 0
    return f"Table has {cells} cells, the most are {MOST_CELLS}" if cells > MOST_CELLS else ""


def _above(node: SyntaxTreeNode) -> list[SyntaxTreeNode]:
    found = []
    while node.parent is not None:
        node = node.parent
        found.append(node)
    return found
