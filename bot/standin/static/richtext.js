// rich_text blocks and tables: text elements are literal, so nothing is parsed here.

import { el, link } from "./dom.js";
import { channelNode, dateNode, emojiNode, userNode } from "./mrkdwn.js";

/** The nodes of a rich_text block's elements. */
export function richText(elements, ctx) {
  return (elements ?? []).map((part) => {
    if (part.type === "rich_text_list") return listOf(part, ctx);
    const kids = (part.elements ?? []).map((piece) => pieceOf(piece, ctx));
    if (part.type === "rich_text_preformatted") return el("pre", {}, kids);
    if (part.type === "rich_text_quote") return el("blockquote", { class: "lines" }, kids);
    return el("div", { class: "lines" }, kids);
  });
}

function listOf(part, ctx) {
  const tag = part.style === "ordered" ? "ol" : "ul";
  const start = part.style === "ordered" && part.offset ? part.offset + 1 : null;
  const items = (part.elements ?? []).map((item) => el("li", { class: "lines" }, (item.elements ?? []).map((piece) => pieceOf(piece, ctx))));
  return el(tag, { class: `indent-${Math.min(part.indent ?? 0, 6)}`, start }, items);
}

function pieceOf(piece, ctx) {
  const wrapped = (node) => styled(node, piece.style);
  switch (piece.type) {
    case "text": return wrapped(document.createTextNode(piece.text ?? ""));
    case "link": return wrapped(link(piece.url, piece.text || piece.url));
    case "emoji": return emojiNode(piece.name ?? "");
    case "user": return wrapped(userNode(piece.user_id, ctx));
    case "channel": return wrapped(channelNode(piece.channel_id, ctx));
    case "usergroup": return el("span", { class: "mention" }, `@${piece.usergroup_id}`);
    case "broadcast": return el("span", { class: "mention loud" }, `@${piece.range}`);
    case "color": return el("code", {}, piece.value);
    case "date":
      return wrapped(dateNode({ at: Number(piece.timestamp), format: piece.format ?? "{date_num}", href: piece.url, label: piece.fallback }, ctx));
    default: return document.createTextNode(piece.text ?? "");
  }
}

function styled(node, style) {
  let wrapped = node;
  if (style?.code) wrapped = el("code", {}, wrapped);
  if (style?.strike) wrapped = el("s", {}, wrapped);
  if (style?.italic) wrapped = el("em", {}, wrapped);
  if (style?.bold) wrapped = el("strong", {}, wrapped);
  return wrapped;
}

export function tableBlock(block, ctx) {
  const settings = block.column_settings ?? [];
  const [head, ...body] = block.rows ?? [];
  const row = (cells, tag) => el("tr", {}, (cells ?? []).map((cell, at) => {
    const align = settings[at]?.align;
    const content = cell.type === "rich_text" ? richText(cell.elements, ctx) : String(cell.text ?? cell.value ?? "");
    return el(tag, { class: [align && `to-${align}`, settings[at]?.is_wrapped && "wraps"].filter(Boolean).join(" ") || null }, content);
  }));
  return el("div", { class: "wide" }, el("table", {}, el("thead", {}, row(head, "th")), el("tbody", {}, body.map((each) => row(each, "td")))));
}
