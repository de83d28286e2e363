// Slack's mrkdwn: read into a tree of plain objects (`parse`, which needs no browser), then drawn with text nodes.

import { el, link, safeUrl } from "./dom.js";
import { emoji } from "./emoji.js";
import { dateTokens, full } from "./times.js";

export const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

const MARKS = { "*": "bold", _: "italic", "~": "strike" };
const isWord = (character) => character !== undefined && /[\p{L}\p{N}_]/u.test(character);
const isSpace = (character) => character === undefined || /\s/.test(character);

/** mrkdwn text -> [{t: "text"|"bold"|"italic"|"strike"|"code"|"pre"|"quote"|"break"|"link"|"user"|..., ...}] */
export function parse(text) {
  const nodes = [];
  const parts = String(text ?? "").split("```");
  // An opening fence nobody closed is three typed characters.
  if (parts.length % 2 === 0) parts.push(parts.splice(-2).join("```"));
  parts.forEach((part, at) => {
    if (at % 2 === 1) nodes.push({ t: "pre", v: literal(part.replace(/^\n/, "").replace(/\n$/, "")) });
    else lines(at > 0 ? part.replace(/^\n/, "") : part, nodes);
  });
  return nodes;
}

function lines(text, nodes) {
  let quoted = null;
  let needsBreak = false;
  const all = text.split("\n");
  all.forEach((line, at) => {
    const quote = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quote) {
      if (quoted === null) nodes.push((quoted = { t: "quote", kids: [] }));
      else quoted.kids.push({ t: "break" });
      quoted.kids.push(...inline(quote[1]));
      needsBreak = false;
      return;
    }
    quoted = null;
    if (needsBreak) nodes.push({ t: "break" });
    nodes.push(...inline(line));
    needsBreak = at < all.length - 1;
  });
}

function inline(text) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push({ t: "text", v: unescape(plain) });
    plain = "";
  };
  const push = (node) => (flush(), nodes.push(node));
  let at = 0;
  while (at < text.length) {
    const character = text[at];
    if (character === "`") {
      const end = text.indexOf("`", at + 1);
      if (end > at + 1) {
        push({ t: "code", v: literal(text.slice(at + 1, end)) });
        at = end + 1;
        continue;
      }
    } else if (character === "<") {
      const end = text.indexOf(">", at);
      const node = end > at + 1 ? control(text.slice(at + 1, end)) : null;
      if (node) {
        push(node);
        at = end + 1;
        continue;
      }
    } else if (character === ":") {
      const found = /^:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/.exec(text.slice(at, at + 80));
      if (found && /[a-z+-]/.test(found[1])) {
        push({ t: "emoji", name: found[1] });
        at += found[0].length;
        continue;
      }
    } else if (MARKS[character] && !isWord(text[at - 1]) && !isSpace(text[at + 1]) && text[at + 1] !== character) {
      const end = closing(text, at, character);
      if (end > 0) {
        push({ t: MARKS[character], kids: inline(text.slice(at + 1, end)) });
        at = end + 1;
        continue;
      }
    }
    plain += character;
    at += 1;
  }
  flush();
  return nodes;
}

/** Where the mark opened at `start` closes, or -1. Code spans and <...> are stepped over. */
function closing(text, start, mark) {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "`" || text[at] === "<") {
      const end = text.indexOf(text[at] === "`" ? "`" : ">", at + 1);
      if (end > 0) at = end;
    } else if (text[at] === mark && at > start + 1 && !isSpace(text[at - 1]) && !isWord(text[at + 1])) return at;
  }
  return -1;
}

/** What stands between < and >. */
function control(inside) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? null : inside.slice(bar + 1);
  let found;
  if ((found = /^@([UWB][A-Z0-9]+)$/.exec(target))) return { t: "user", id: found[1], label };
  if ((found = /^#([CGD][A-Z0-9]+)$/.exec(target))) return { t: "channel", id: found[1], label };
  if ((found = /^!subteam\^([A-Z0-9]+)$/.exec(target))) return { t: "group", id: found[1], label };
  if ((found = /^!date\^(-?\d+)\^([^^]*)(?:\^(.*))?$/.exec(target))) {
    return { t: "date", at: Number(found[1]), format: unescape(found[2]), href: found[3] ?? null, label };
  }
  if ((found = /^!(here|channel|everyone)$/.exec(target))) return { t: "everyone", name: found[1] };
  if (target.startsWith("!")) return { t: "text", v: unescape(label ?? target) };
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith("/")) {
    const shown = label === null ? [{ t: "text", v: unescape(target.replace(/^mailto:/, "")) }] : inline(label);
    return { t: "link", href: unescape(target), kids: shown };
  }
  return null;
}

/** Code as it reads: links become what they show, entities their characters. */
function literal(text) {
  const shown = text.replace(/<([^<>|\s]+)(?:\|([^<>]*))?>/g, (whole, target, label) =>
    /^(https?:|mailto:)/.test(target) ? label ?? target.replace(/^mailto:/, "") : whole,
  );
  return unescape(shown);
}

/** Nodes for a parsed tree. `ctx` answers user(id), channel(id), zone, now(), openChannel(id). */
export function draw(tree, ctx) {
  return tree.map((node) => one(node, ctx));
}

export const mrkdwn = (text, ctx) => draw(parse(text), ctx);

function one(node, ctx) {
  switch (node.t) {
    case "text": return document.createTextNode(node.v);
    case "break": return el("br");
    case "bold": return el("strong", {}, draw(node.kids, ctx));
    case "italic": return el("em", {}, draw(node.kids, ctx));
    case "strike": return el("s", {}, draw(node.kids, ctx));
    case "code": return el("code", {}, node.v);
    case "pre": return el("pre", {}, node.v);
    case "quote": return el("blockquote", {}, draw(node.kids, ctx));
    case "link": return link(node.href, draw(node.kids, ctx));
    case "emoji": return emojiNode(node.name);
    case "user": return userNode(node.id, ctx, node.label);
    case "channel": return channelNode(node.id, ctx, node.label);
    case "group": return el("span", { class: "mention" }, (node.label ?? `@${node.id}`).replace(/^@?/, "@"));
    case "everyone": return el("span", { class: "mention loud" }, `@${node.name}`);
    case "date": return dateNode(node, ctx);
    default: return document.createTextNode("");
  }
}

export function emojiNode(name) {
  const character = emoji(name);
  if (character === null) return document.createTextNode(`:${name}:`);
  return el("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, character);
}

export function userNode(id, ctx, label = null) {
  const person = ctx.user(id);
  const name = person?.name ?? label ?? id;
  return el("span", { class: id === ctx.me ? "mention me" : "mention", title: person?.real_name }, `@${name}`);
}

export function channelNode(id, ctx, label = null) {
  const channel = ctx.channel(id);
  const name = channel?.name ?? (label || "private channel");
  if (!channel) return el("span", { class: "mention" }, `#${name}`);
  return el("button", { type: "button", class: "mention as-link", onclick: () => ctx.openChannel(id) }, `#${name}`);
}

export function dateNode({ at, format, href, label }, ctx) {
  const shown = Number.isFinite(at) ? dateTokens(format, at, ctx.zone, ctx.now()) : label ?? "";
  const time = el("time", { title: `${full(at, ctx.zone)} (${ctx.zone})` }, shown);
  return href && safeUrl(href) ? link(href, time) : time;
}

/** plain_text: only emoji names are replaced. */
export function plainText(text) {
  return String(text ?? "").split(/(:[a-z0-9_+'-]+:)/).map((part) => {
    const found = /^:([a-z0-9_+'-]+):$/.exec(part);
    return found && emoji(found[1]) ? emojiNode(found[1]) : part;
  });
}

/** A text object ({type, text}) drawn by its type. */
export function textObject(object, ctx) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, ctx);
  // Slack shows &lt; in plain_text as <, since apps are told to escape everywhere.
  return plainText(unescape(String(object.text ?? "")));
}
