// Messages of a channel or a thread. A message is drawn again only when it changed.

import { add, el, iconButton } from "./dom.js";
import { drawAttachment, drawBlocks } from "./blocks.js";
import { firstValues } from "./elements.js";
import { emoji } from "./emoji.js";
import { icon } from "./icons.js";
import { mrkdwn, unescape } from "./mrkdwn.js";
import { askFor, isImage, openFile } from "./overlay.js";
import { openEmoji, openMenu } from "./picker.js";
import { ago, clock, dayHeading, dayOf, full } from "./times.js";

const QUIET = new Set([
  "channel_join", "channel_leave", "channel_topic", "channel_purpose", "channel_name", "channel_archive", "channel_unarchive",
  "group_join", "group_leave", "group_topic", "group_purpose", "group_name", "group_archive", "group_unarchive",
  "pinned_item", "unpinned_item", "bot_add", "bookmark_added", "channel_posting_permissions", "reminder_add", "bot_remove",
]);
const keyOf = (message) => `${message.ephemeral ? "e" : "m"}${message.ts}`;

/** A list that keeps its nodes between updates. `inThread` leaves out thread lines. */
export function messageList(ctx, { inThread = false } = {}) {
  const node = el("div", { class: "messages", role: "log", "aria-label": inThread ? "Replies" : "Messages", tabindex: "0" });
  let known = new Map();
  let shownFor = null;

  function update(messages, channel) {
    const scene = `${channel}/${ctx.me}/${ctx.zone}`;
    const isNew = scene !== shownFor;
    const wasAtEnd = isNew || node.scrollHeight - node.scrollTop - node.clientHeight < 60;
    if (isNew) known = new Map();
    shownFor = scene;
    const next = new Map();
    const rows = [];
    let before = null;
    for (const message of messages) {
      const day = dayOf(Number(message.ts), ctx.zone);
      if (!before || day !== dayOf(Number(before.ts), ctx.zone)) {
        rows.push(el("div", { class: "day", role: "separator" }, el("span", {}, dayHeading(Number(message.ts), ctx.zone, ctx.now()))));
        before = null;
      }
      const isFollowing = before !== null && follows(before, message);
      const print = JSON.stringify([message, isFollowing, ctx.printOf(message)]);
      const old = known.get(keyOf(message));
      const row = old?.print === print ? old.row : drawMessage(message, channel, ctx, { isFollowing, inThread });
      next.set(keyOf(message), { print, row });
      rows.push(row);
      before = message;
    }
    known = next;
    if (!rows.length) rows.push(el("p", { class: "quiet empty" }, "Nothing has been said here yet."));
    sync(node, rows);
    if (wasAtEnd) requestAnimationFrame(() => (node.scrollTop = node.scrollHeight));
  }

  return { node, update, toEnd: () => (node.scrollTop = node.scrollHeight) };
}

/** Make `rows` the children of `node`, moving only what differs, so that focus and selection stay. */
function sync(node, rows) {
  const wanted = new Set(rows);
  for (const child of [...node.children]) if (!wanted.has(child)) child.remove();
  rows.forEach((row, at) => {
    if (node.children[at] !== row) node.insertBefore(row, node.children[at] ?? null);
  });
}

const author = (message) => `${message.user ?? ""}/${message.bot_id ?? ""}/${message.username ?? ""}`;

function follows(before, message) {
  return author(before) === author(message) && !QUIET.has(before.subtype) && !message.ephemeral && !before.ephemeral
    && Number(message.ts) - Number(before.ts) < 300 && !message.pinned;
}

export function avatar(id, ctx, size = "") {
  const person = ctx.user(id);
  const name = person?.real_name || person?.name || "?";
  const node = el("span", { class: `avatar ${size} ${person?.is_bot ? "bot" : ""}`, "aria-hidden": "true" }, person?.is_bot ? "{ }" : name[0].toUpperCase());
  node.style.background = `#${(person?.color ?? "8a8f98").replace("#", "").replace(/[^0-9a-f]/gi, "")}`;
  return node;
}

function drawMessage(message, channel, ctx, { isFollowing, inThread }) {
  const at = Number(message.ts);
  const person = ctx.user(message.user);
  const isApp = Boolean(message.bot_id || person?.is_bot);
  const name = message.username || person?.name || "app";
  const stamp = el("time", { title: `${full(at, ctx.zone)} (${ctx.zone})` }, clock(at, ctx.zone));
  if (QUIET.has(message.subtype)) {
    return el("div", { class: "message system", "data-ts": message.ts }, avatar(message.user, ctx, "small"),
      el("div", {}, el("b", {}, name), " ", mrkdwn(systemText(message, name), ctx), " ", stamp));
  }
  const body = el("div", { class: "m-body" });
  if (message.ephemeral) body.append(el("div", { class: "only-you" }, icon("eye"), " Only visible to you"));
  if (message.pinned) body.append(el("div", { class: "pinned" }, icon("pin"), " Pinned"));
  if (message.subtype === "thread_broadcast") body.append(el("div", { class: "quiet" }, "replied to a thread"));
  if (!isFollowing) {
    body.append(el("div", { class: "m-top" }, el("b", {}, name), isApp && el("span", { class: "badge" }, "APP"), stamp));
  }
  body.append(content(message, channel, ctx));
  add(body, [files(message, ctx), reactions(message, channel, ctx), !inThread && threadLine(message, ctx)]);
  const row = el("div", {
    class: ["message", isFollowing && "following", message.ephemeral && "ephemeral", message.pinned && "is-pinned"].filter(Boolean).join(" "),
    "data-ts": message.ts, role: "article", "aria-label": `${name}, ${clock(at, ctx.zone)}`,
  }, isFollowing ? el("span", { class: "gutter" }, stamp) : avatar(message.user, ctx), body);
  if (!message.ephemeral) row.append(tools(message, channel, ctx, inThread));
  return row;
}

function systemText(message, name) {
  const text = message.text || message.subtype.replaceAll("_", " ");
  // Slack's own texts begin with the person: "<@U1> has joined the channel".
  return text.replace(/^<@[^>]+>\s*/, "").replace(new RegExp(`^${name.replace(/\W/g, "\\$&")}\\s+`), "");
}

function content(message, channel, ctx) {
  const host = {
    ctx, where: { channel, ts: message.ts }, values: firstValues(message.blocks),
    async act(action) {
      await ctx.act({ do: "click", channel, ts: message.ts, values: host.values, ...action });
      ctx.refresh();
    },
  };
  const node = el("div", { class: "m-content" });
  if (message.blocks?.length) add(node, drawBlocks(message.blocks, host));
  else if (message.text) node.append(el("div", { class: "m-text" }, mrkdwn(message.text, ctx)));
  add(node, (message.attachments ?? []).map((attachment) => drawAttachment(attachment, host)));
  if (message.edited) node.append(el("span", { class: "quiet edited" }, " (edited)"));
  return node;
}

function files(message, ctx) {
  if (!message.files?.length) return null;
  return el("div", { class: "files" }, message.files.map((file) => {
    const open = () => openFile(file, ctx);
    if (isImage(file)) {
      return el("button", { type: "button", class: "file-image", onclick: open, "aria-label": `Open ${file.name}` },
        el("img", { src: file.url, alt: file.name, loading: "lazy" }));
    }
    return el("button", { type: "button", class: "file", onclick: open, "aria-label": `Open ${file.name}` },
      el("span", { class: "file-sign", "aria-hidden": "true" }, icon("file")), el("span", {}, el("b", {}, file.name), el("small", { class: "quiet" }, ` ${sizeOf(file.size)}`)));
  }));
}

function sizeOf(bytes) {
  if (!Number.isFinite(bytes)) return "";
  return bytes < 1024 ? `${bytes} bytes` : bytes < 1048576 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function reactions(message, channel, ctx) {
  if (!message.reactions?.length) return null;
  const react = (name, isMine) => ctx.act({ do: isMine ? "unreact" : "react", channel, ts: message.ts, name }).then(ctx.refresh);
  return el("div", { class: "reactions" }, message.reactions.map((reaction) => {
    const isMine = (reaction.users ?? []).includes(ctx.me);
    const who = (reaction.users ?? []).map((id) => ctx.user(id)?.name ?? id).join(", ");
    return el("button", {
      type: "button", class: isMine ? "reaction mine" : "reaction", "aria-pressed": String(isMine), title: `${who} reacted with :${reaction.name}:`,
      "aria-label": `${reaction.name}, ${reaction.count}`, onclick: () => react(reaction.name, isMine),
    }, emoji(reaction.name) ?? `:${reaction.name}:`, " ", String(reaction.count ?? reaction.users?.length ?? 1));
  }), iconButton("Add a reaction", icon("smile"), (event) => openEmoji(event.currentTarget, (name) => react(name, false)), { class: "reaction" }));
}

function threadLine(message, ctx) {
  if (!message.reply_count) return null;
  const last = Number(message.latest_reply ?? 0);
  return el("button", { type: "button", class: "thread-line", onclick: () => ctx.openThread(message.ts) },
    (message.reply_users ?? []).slice(0, 4).map((id) => avatar(id, ctx, "tiny")),
    el("b", {}, `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`),
    last > 0 && el("small", { class: "quiet" }, `Last reply ${ago(last, ctx.now())}`));
}

function tools(message, channel, ctx, inThread) {
  const where = { channel, ts: message.ts };
  const act = (body) => ctx.act({ ...where, ...body }).then(ctx.refresh);
  const more = (event) => openMenu(event.currentTarget, "More actions", [
    ...ctx.state.shortcuts.filter((each) => each.type === "message").map((each) => ({
      label: each.name, note: each.app, run: () => act({ do: "message_shortcut", callback_id: each.callback_id }),
    })),
    ...(ctx.state.shortcuts.some((each) => each.type === "message") ? ["-"] : []),
    { label: message.pinned ? "Unpin from channel" : "Pin to channel", run: () => act({ do: message.pinned ? "unpin" : "pin" }) },
    { label: "Copy link", run: () => navigator.clipboard?.writeText(ctx.permalink(message.ts)) },
    ...(message.user === ctx.me && !message.bot_id ? [
      { label: "Edit message", run: () => edit(message, act) },
      { label: "Delete message", danger: true, run: () => act({ do: "delete" }) },
    ] : []),
  ]);
  const quick = (name) => iconButton(`React with ${name.replaceAll("_", " ")}`, emoji(name), () => act({ do: "react", name }));
  return el("div", { class: "tools", role: "toolbar", "aria-label": "Message actions" },
    quick("white_check_mark"), quick("eyes"), quick("pushpin"),
    iconButton("Find another reaction", icon("smile"), (event) => openEmoji(event.currentTarget, (name) => act({ do: "react", name }))),
    !inThread && iconButton("Reply in thread", icon("chat"), () => ctx.openThread(message.thread_ts ?? message.ts)),
    iconButton("More actions", icon("more"), more, { "aria-haspopup": "menu" }));
}

async function edit(message, act) {
  const answer = await askFor("Edit message", [{ name: "text", label: "Message", value: unescape(message.text) }]);
  if (answer?.text) act({ do: "edit", text: answer.text });
}

/** One line of a message, for the list of pins. */
export function gist(message, ctx) {
  const text = message.text || message.blocks?.map((block) => block.text?.text ?? "").join(" ") || "(no text)";
  return el("div", { class: "gist" }, el("b", {}, ctx.user(message.user)?.name ?? message.username ?? "app"), " ",
    el("small", { class: "quiet" }, clock(Number(message.ts), ctx.zone)), el("div", {}, mrkdwn(text.slice(0, 300), ctx)));
}
