// The top of a channel: name, topic, members, bookmarks, pins, and what can be done with the channel.

import { add, el, fill, iconButton, link } from "./dom.js";
import { icon } from "./icons.js";
import { avatar, gist } from "./messages.js";
import { mrkdwn, plainText } from "./mrkdwn.js";
import { askFor, openDialog, openFile } from "./overlay.js";
import { openMenu, openPanel } from "./picker.js";

export function drawHeader(node, ctx) {
  const channel = ctx.channel(ctx.channelId);
  if (!channel) return fill(node);
  const members = channel.members ?? [];
  return fill(node,
    el("div", { class: "h-line" },
      iconButton("Channels", icon("menu"), () => ctx.showSidebar(true), { class: "icon only-narrow" }),
      el("h1", {}, el("span", { class: "sign" }, channel.is_private ? icon("lock") : "# "), channel.name),
      channel.is_archived && el("span", { class: "badge" }, "archived"),
      el("div", { class: "grow topic clip", title: channel.topic }, channel.topic ? mrkdwn(channel.topic, ctx) : ""),
      el("button", { type: "button", class: "btn small", "aria-label": `${members.length} members`, onclick: (event) => showMembers(event.currentTarget, members, ctx) },
        icon("people"), " ", String(members.length)),
      el("button", { type: "button", class: "btn small", "aria-label": `${channel.pins?.length ?? 0} pinned`, onclick: () => showPins(channel, ctx) },
        icon("pin"), " ", String(channel.pins?.length ?? 0)),
      channel.canvas && el("button", { type: "button", class: "btn small", onclick: () => openFile(channel.canvas, ctx) }, "Canvas"),
      iconButton("Channel actions", icon("more"), (event) => openMenu(event.currentTarget, "Channel actions", deeds(channel, ctx)), { "aria-haspopup": "menu" })),
    channel.bookmarks?.length > 0 && el("div", { class: "bookmarks", role: "list", "aria-label": "Bookmarks" }, channel.bookmarks.map((mark) =>
      el("span", { role: "listitem" }, link(mark.link, mark.emoji ? plainText(`:${mark.emoji.replaceAll(":", "")}:`) : "🔗", " ", mark.title)))));
}

function deeds(channel, ctx) {
  const act = (body) => ctx.act({ channel: channel.id, ...body }).then(ctx.refresh);
  const outside = ctx.state.users.filter((user) => !user.deleted && !(channel.members ?? []).includes(user.id));
  return [
    channel.is_member ? { label: "Leave channel", run: () => act({ do: "leave" }) } : { label: "Join channel", run: () => act({ do: "join" }) },
    { label: "Set the topic", run: async () => {
      const answer = await askFor("Set the topic", [{ name: "topic", label: "Topic", value: channel.topic ?? "" }]);
      if (answer) act({ do: "topic", topic: answer.topic });
    } },
    { label: "Invite someone", run: async () => {
      const answer = outside.length && await askFor("Invite someone", [{ name: "user", label: "Person or app", options: outside.map((user) => [user.id, user.name]) }], "Invite");
      if (answer) act({ do: "invite", user: answer.user });
    } },
    "-",
    { label: channel.is_archived ? "Unarchive channel" : "Archive channel", danger: !channel.is_archived, run: () => act({ do: channel.is_archived ? "unarchive" : "archive" }) },
  ];
}

function showMembers(anchor, members, ctx) {
  openPanel(anchor, "Members", el("div", { class: "menu" }, members.map((id) =>
    el("div", { class: "s-row plain" }, avatar(id, ctx, "small"), el("span", {}, ctx.user(id)?.name ?? id), ctx.user(id)?.is_bot && el("span", { class: "badge" }, "APP")))));
}

async function showPins(channel, ctx) {
  const pins = new Set(channel.pins ?? []);
  const pinned = (await ctx.messages(channel.id)).filter((message) => pins.has(message.ts));
  openDialog("Pinned messages", (close) => add(el("div", {}), [
    el("div", { class: "dialog-top" }, el("h2", {}, `Pinned in #${channel.name}`), iconButton("Close", icon("close"), () => close(), { autofocus: true })),
    el("div", { class: "dialog-body" }, pinned.length ? pinned.map((message) => el("button", { type: "button", class: "pin-row", onclick: () => (close(), ctx.showMessage(message.ts)) }, gist(message, ctx)))
      : el("p", { class: "quiet" }, "Nothing is pinned yet."))]));
}
