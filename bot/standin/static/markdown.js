// Markdown (of `markdown` blocks and opened .md files): read line by line, drawn with elements. Raw HTML is shown as text.

import { add, el, link, safeUrl } from "./dom.js";
import { channelNode, emojiNode, userNode } from "./mrkdwn.js";
import { emoji } from "./emoji.js";

const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^\s{0,3}([-*_])(?:\s*\1){2,}\s*$/;
const FENCE = /^\s{0,3}(```+|~~~+)\s*(\S*)/;
const HEADING = /^\s{0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Markdown text -> a <div class="markdown">. */
export function markdown(text, ctx) {
  return add(el("div", { class: "markdown" }), blocks(String(text ?? "").replace(/\r\n?/g, "\n").split("\n"), ctx));
}

function blocks(lines, ctx) {
  const out = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (!line.trim()) at += 1;
    else if (fence) {
      const body = [];
      at += 1;
      while (at < lines.length && !lines[at].trim().startsWith(fence[1])) body.push(lines[at++]);
      at += 1;
      out.push(el("pre", { "data-language": fence[2] }, body.join("\n")));
    } else if (heading) {
      out.push(el(`h${heading[1].length}`, {}, spans(heading[2] ?? "", ctx)));
      at += 1;
    } else if (RULE.test(line)) {
      out.push(el("hr"));
      at += 1;
    } else if (/^\s{0,3}>/.test(line)) {
      const body = [];
      while (at < lines.length && /^\s{0,3}>/.test(lines[at])) body.push(lines[at++].replace(/^\s{0,3}> ?/, ""));
      out.push(el("blockquote", {}, blocks(body, ctx)));
    } else if (ITEM.test(line)) {
      const from = at;
      at = endOfList(lines, at);
      out.push(list(lines.slice(from, at), ctx));
    } else if (line.includes("|") && TABLE_RULE.test(lines[at + 1] ?? "") && lines[at + 1].includes("-")) {
      const rows = [];
      while (at < lines.length && lines[at].includes("|")) rows.push(lines[at++]);
      out.push(table(rows, ctx));
    } else {
      const body = [];
      while (at < lines.length && lines[at].trim() && (body.length === 0 || !startsBlock(lines[at]))) body.push(lines[at++]);
      out.push(el("p", {}, paragraph(body, ctx)));
    }
  }
  return out;
}

const startsBlock = (line) =>
  FENCE.test(line) || HEADING.test(line) || RULE.test(line) || /^\s{0,3}>/.test(line) || /^\s{0,3}([-*+]|1[.)])\s+\S/.test(line);

function paragraph(lines, ctx) {
  return lines.flatMap((line, at) => {
    const isBroken = / {2,}$|\\$/.test(line);
    const drawn = spans(line.trim().replace(/\\$/, ""), ctx);
    return at === lines.length - 1 ? drawn : [...drawn, isBroken || ctx?.keepsLines ? el("br") : "\n"];
  });
}

const indentOf = (line) => /^\s*/.exec(line)[0].length;

function endOfList(lines, from) {
  const base = indentOf(lines[from]);
  const kind = /\d/.test(ITEM.exec(lines[from])[2]);
  let at = from + 1;
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) {
      const next = lines[at + 1];
      if (next === undefined || !(indentOf(next) > base || (ITEM.test(next) && indentOf(next) >= base))) break;
    } else if (isOtherList(line, base, kind)) break;
    else if (!ITEM.test(line) && indentOf(line) <= base && (!lines[at - 1].trim() || startsBlock(line))) break;
    at += 1;
  }
  return at;
}

function isOtherList(line, base, isOrdered) {
  const found = ITEM.exec(line);
  return found !== null && found[1].length <= base + 1 && /\d/.test(found[2]) !== isOrdered;
}

function list(lines, ctx) {
  const first = ITEM.exec(lines[0]);
  const base = first[1].length;
  const isOrdered = /\d/.test(first[2]);
  const items = [];
  for (const line of lines) {
    const found = ITEM.exec(line);
    if (found && found[1].length <= base + 1) items.push({ width: found[1].length + found[2].length + 1, lines: [found[3]] });
    else items.at(-1).lines.push(line.slice(Math.min(indentOf(line), items.at(-1).width)));
  }
  const start = isOrdered && parseInt(first[2], 10) !== 1 ? parseInt(first[2], 10) : null;
  return el(isOrdered ? "ol" : "ul", { start }, items.map((item) => listItem(item.lines, ctx)));
}

function listItem(lines, ctx) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(lines[0]);
  if (task) lines = [task[2], ...lines.slice(1)];
  const drawn = blocks(lines, ctx);
  // A tight item reads as a line, not as a paragraph.
  const kids = drawn.flatMap((node, at) => (at === 0 && node.tagName === "P" ? [...node.childNodes] : [node]));
  const box = task && el("input", { type: "checkbox", disabled: true, checked: task[1] !== " ", "aria-label": "task" });
  return el("li", { class: task ? "task" : null }, box, kids);
}

function cells(row) {
  const inner = row.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function table(rows, ctx) {
  const aligned = cells(rows[1]).map((cell) => (/^:-+:$/.test(cell) ? "center" : /-:$/.test(cell) ? "right" : null));
  const row = (text, tag) =>
    el("tr", {}, cells(text).map((cell, at) => el(tag, { class: aligned[at] && `to-${aligned[at]}` }, spans(cell, ctx))));
  return el("div", { class: "wide" },
    el("table", {}, el("thead", {}, row(rows[0], "th")), el("tbody", {}, rows.slice(2).map((each) => row(each, "td")))));
}

const RULES = [
  [/^\\([\\`*_{}[\]()#+\-.!|<>~&:"'$%,/;=?@^])/, (found) => found[1]],
  [/^(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/, (found) => el("code", {}, found[2].replace(/^ (.+) $/, "$1"))],
  [/^!\[([^\]]*)\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/, (found) => image(found[2], found[1])],
  [/^\[((?:[^[\]\\]|\\.|\[[^\]]*\])+)\]\(\s*<?((?:[^()\s>]|\([^()]*\))*)>?(?:\s+"[^"]*")?\s*\)/,
    (found, ctx) => link(found[2], spans(found[1], ctx))],
  [/^<(https?:\/\/[^\s<>]+|mailto:[^\s<>]+)>/, (found) => link(found[1], found[1])],
  [/^<@([UWB][A-Z0-9]+)>/, (found, ctx) => userNode(found[1], ctx)],
  [/^<#([CG][A-Z0-9]+)(?:\|([^>]*))?>/, (found, ctx) => channelNode(found[1], ctx, found[2])],
  [/^(\*\*|__)(?=\S)([\s\S]*?\S[*_]?)\1(?![*_]?\1)/, (found, ctx) => el("strong", {}, spans(found[2], ctx))],
  [/^~~(?=\S)([\s\S]*?\S)~~/, (found, ctx) => el("s", {}, spans(found[1], ctx))],
  [/^\*(?=[^\s*])([^*]*(?:\*\*[^*]+\*\*[^*]*)*[^\s*])\*(?!\*)|^\*([^\s*])\*(?!\*)/,
    (found, ctx) => el("em", {}, spans(found[1] ?? found[2], ctx))],
  [/^_(?=[^\s_])([^_]*[^\s_])_(?![\p{L}\p{N}_])|^_([^\s_])_(?![\p{L}\p{N}_])/u,
    (found, ctx) => el("em", {}, spans(found[1] ?? found[2], ctx)), "word"],
  [/^https?:\/\/[^\s<>()]*[^\s<>().,;:!?'"*_~\]]/, (found) => link(found[0], found[0]), "word"],
  [/^:([a-z0-9_+-]+):/, (found) => (emoji(found[1]) ? emojiNode(found[1]) : found[0])],
  [/^&(amp|lt|gt|quot|#39|nbsp);/, (found) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", nbsp: "\u00a0" })[found[1]]],
];

function image(url, alt) {
  const href = safeUrl(url);
  return href && href.startsWith("/files/") ? el("img", { src: href, alt, class: "inline" }) : link(url, alt || url);
}

/** The pieces of one line. */
function spans(text, ctx) {
  const out = [];
  let plain = "";
  let rest = text;
  while (rest) {
    const rule = RULES.find(([pattern, , only]) => !(only === "word" && /[\p{L}\p{N}_]$/u.test(plain)) && pattern.test(rest));
    if (rule) {
      const found = rule[0].exec(rest);
      if (plain) out.push(plain);
      plain = "";
      out.push(rule[1](found, ctx));
      rest = rest.slice(found[0].length);
    } else {
      const next = /^[\p{L}\p{N} ]+/u.exec(rest)?.[0].replace(/https?$/, "") || [...rest][0];
      plain += next;
      rest = rest.slice(next.length);
    }
  }
  if (plain) out.push(plain);
  return out;
}
