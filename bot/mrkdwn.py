"""The small Markdown of a runbook as Slack's mrkdwn, which has no tables, no headings and no relative links."""

from __future__ import annotations

import re
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

#: Characters of a code block that fit a line of Slack's window.
TABLE_WIDTH = 88
_MARKS = {"strong": "*", "em": "_", "s": "~"}


def to_mrkdwn(markdown: str) -> str:
    """Markdown -> Slack mrkdwn with & < > escaped: nothing in it can mention a channel or hide a link.

    A link to another runbook becomes the command that starts it; a table becomes aligned text in a code block, or a
    list when it is too wide for one.
    """
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(markdown)
    return _blocks(SyntaxTreeNode(tokens).children).strip("\n")


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(nodes: list[SyntaxTreeNode]) -> str:
    return "\n\n".join(text for text in (_block(node) for node in nodes) if text)


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "paragraph":
            return _inline(node.children)
        case "heading":
            return f"*{_inline(node.children).replace('*', '')}*"
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "blockquote":
            return "\n".join(f"> {line}" for line in _blocks(node.children).split("\n"))
        case "fence" | "code_block":
            return _code_block(node.content)
        case "table":
            return _table(node)
        case "hr":
            return "———"
        case "html_block":
            return "" if node.content.lstrip().startswith("<!--") else _escape(node.content.strip())
    return _blocks(node.children)


def _code_block(content: str) -> str:
    # Three backticks inside would end Slack's block; an invisible joint keeps them apart.
    return "```\n" + _escape(content.strip("\n")).replace("```", "``\u200b`") + "\n```"


def _list(node: SyntaxTreeNode) -> str:
    lines = []
    first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0
    for number, item in enumerate(node.children, first):
        mark = f"{number}." if node.type == "ordered_list" else "•"
        head, *rest = "\n".join(_block(child) for child in item.children).split("\n")
        lines += [f"{mark} {head}", *(f"    {line}" for line in rest)]
    return "\n".join(lines)


def _table(node: SyntaxTreeNode) -> str:
    rows = [
        [_plain(cell) for cell in row.children]
        for part in node.children
        for row in part.children
        if row.type == "tr"
    ]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    if sum(widths) + 2 * len(widths) > TABLE_WIDTH:
        return _wide_table(node)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return _code_block("\n".join(lines))


def _wide_table(node: SyntaxTreeNode) -> str:
    """One bullet a row, since Slack wraps a wide code block until no column is left."""
    head, *rows = [
        " — ".join(_inline(cell.children) for cell in row.children if _plain(cell))
        for part in node.children
        for row in part.children
    ]
    return "\n".join([f"*{head}*", *(f"• {row}" for row in rows)])


def _inline(nodes: list[SyntaxTreeNode]) -> str:
    return "".join(_span(node) for node in nodes)


def _span(node: SyntaxTreeNode) -> str:
    match node.type:
        case "inline":
            return _inline(node.children)
        case "text" | "html_inline" | "text_special":
            return _escape(node.content)
        case "code_inline":
            # Slack's code cannot hold a backtick, and a command must not change on the way.
            return _escape(node.content) if "`" in node.content else f"`{_escape(node.content)}`"
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "link":
            return _link(_inline(node.children), str(node.attrs.get("href", "")), "`/runbook start {}`")
        case "image":
            return _link(_escape(node.content), str(node.attrs.get("src", "")), "`/runbook start {}`")
        case "strong" | "em" | "s":
            inner = _inline(node.children)
            return f"{_MARKS[node.type]}{inner}{_MARKS[node.type]}" if inner.strip() else inner
    return _inline(node.children)


def _link(text: str, href: str, hint: str) -> str:
    if re.match(r"(https?://|mailto:)", href, re.IGNORECASE):
        safe = _escape(href).replace("|", "%7C")
        return f"<{safe}|{text}>" if text else f"<{safe}>"
    if runbook := re.fullmatch(r"(?:\./)?([\w.-]+)\.md(?:#.*)?", unquote(href)):
        return f"{text} ({hint.format(runbook[1])})"
    if step := re.match(r"#(\d+)-", href):
        return f"step {step[1]}" if text == step[1] else f"{text} (step {step[1]})"
    return text


def _plain(node: SyntaxTreeNode) -> str:
    """A table cell's words without marks, since Slack shows those as they are inside a code block."""
    if node.type == "link":
        words = "".join(_plain(child) for child in node.children)
        return _link(words, str(node.attrs.get("href", "")), "/runbook start {}")
    if node.type in ("softbreak", "hardbreak"):
        return " "
    if node.children:
        return "".join(_plain(child) for child in node.children)
    return node.content if node.type in ("text", "code_inline", "html_inline", "text_special") else ""
