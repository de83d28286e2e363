// The left side: workspace, whom one acts as, channels, people, apps.

import { el, fill, iconButton } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./messages.js";
import { askFor } from "./overlay.js";
import { clock, offsetOf } from "./times.js";

let isArchiveOpen = false;
let drawn = "";
const sign = el("img", { src: "/static/icon.svg", alt: "", width: 28, height: 28 });

export function drawSidebar(node, ctx) {
  const { state } = ctx;
  const print = JSON.stringify([state.team, state.users, state.channels, state.links, ctx.me, ctx.channelId, ctx.isHome, ctx.isLive, Math.floor(ctx.now() / 60)]);
  if (print === drawn) return;
  drawn = print;
  const focused = document.activeElement?.dataset?.focus;
  const channels = state.channels.filter((each) => !each.is_archived && !each.is_im);
  const archived = state.channels.filter((each) => each.is_archived && !each.is_im);
  const byName = (a, b) => a.name.localeCompare(b.name);
  const mine = channels.filter((each) => each.is_member).sort(byName);
  const others = channels.filter((each) => !each.is_member).sort(byName);
  const archive = el("details", { class: "fold", open: isArchiveOpen }, el("summary", {}, `Archived (${archived.length})`), archived.sort(byName).map((each) => channelRow(each, ctx)));
  archive.addEventListener("toggle", () => (isArchiveOpen = archive.open));
  fill(node,
    el("div", { class: "s-top" },
      el("div", { class: "s-name" }, sign,
        el("div", {}, el("b", {}, state.team?.name ?? "Workspace"), el("small", {}, "stand-in workspace"))),
      iconButton("Close the sidebar", icon("close"), () => ctx.showSidebar(false), { class: "icon only-narrow" })),
    actingAs(ctx),
    el("div", { class: "s-scroll" },
      heading("Channels", iconButton("Make a channel", icon("plus"), () => makeChannel(ctx))),
      mine.map((each) => channelRow(each, ctx)),
      others.length > 0 && [heading("Not joined"), others.map((each) => channelRow(each, ctx))],
      archived.length > 0 && archive,
      apps(ctx),
      links(ctx),
      heading("People"),
      state.users.filter((user) => !user.is_bot && !user.deleted).map((user) => personRow(user, ctx))),
    el("div", { class: ctx.isLive ? "live" : "live off", role: "status" }, ctx.isLive ? "● live" : "○ reconnecting …"));
  if (focused) node.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

const heading = (text, extra = null) => el("div", { class: "s-heading" }, el("h2", {}, text), extra);

function actingAs(ctx) {
  const people = ctx.state.users.filter((user) => !user.is_bot && !user.deleted);
  const choice = el("select", { id: "acting-as", "data-focus": "as", "aria-label": "Act as" },
    people.map((user) => el("option", { value: user.id, selected: user.id === ctx.me }, user.real_name && user.real_name !== user.name ? `${user.name} (${user.real_name})` : user.name)));
  choice.addEventListener("change", () => ctx.become(choice.value));
  const me = ctx.user(ctx.me);
  return el("div", { class: "acting" }, avatar(ctx.me, ctx),
    el("div", { class: "grow" }, el("label", { for: "acting-as" }, "You act as"), choice,
      el("small", {}, `${clock(ctx.now(), ctx.zone)} · ${me?.tz ?? "UTC"} (${offsetOf(ctx.now(), ctx.zone)})`)));
}

function channelRow(channel, ctx) {
  const isOpen = ctx.channelId === channel.id && !ctx.isHome;
  const isUnread = Number(channel.unread) > 0 && !isOpen;
  return el("button", {
    type: "button", class: ["s-row", isOpen && "open", isUnread && "unread", channel.is_archived && "faint"].filter(Boolean).join(" "),
    "data-focus": channel.id, "aria-current": isOpen ? "page" : null, onclick: () => ctx.openChannel(channel.id),
  }, el("span", { class: "sign", "aria-label": channel.is_private ? "private channel" : "channel" }, channel.is_private ? icon("lock") : "#"),
  el("span", { class: "grow clip" }, channel.name), isUnread && el("span", { class: "count" }, String(channel.unread === true ? "•" : channel.unread)));
}

function apps(ctx) {
  const bots = ctx.state.users.filter((user) => user.is_bot && !user.deleted);
  if (!bots.length) return null;
  return [heading("Apps"), bots.map((user) => el("button", {
    type: "button", class: ctx.isHome === user.id ? "s-row open" : "s-row", "data-focus": user.id, onclick: () => ctx.openHome(user.id),
  }, avatar(user.id, ctx, "small"), el("span", { class: "grow clip" }, user.real_name || user.name)))];
}

function links(ctx) {
  const found = ctx.state.links ?? [];
  if (!found.length) return null;
  return [heading("Beside Slack"), found.map((each) => el("a", { class: "s-row", href: each.href, target: "_blank", rel: "noopener" },
    el("span", { class: "grow clip" }, each.title, " ↗")))];
}

function personRow(user, ctx) {
  const direct = ctx.state.channels.find((each) => each.is_im && (each.members ?? []).includes(user.id));
  const inside = [avatar(user.id, ctx, "small"), el("span", { class: "grow clip" }, user.name, user.id === ctx.me && el("small", {}, " you")),
    el("small", { title: user.tz_label ?? user.tz }, clock(ctx.now(), user.tz || "UTC"))];
  return direct
    ? el("button", { type: "button", class: "s-row", "data-focus": user.id, onclick: () => ctx.openChannel(direct.id) }, inside)
    : el("div", { class: "s-row plain" }, inside);
}

async function makeChannel(ctx) {
  const answer = await askFor("Make a channel", [
    { name: "name", label: "Name", value: "" },
    { name: "is_private", label: "Private: only people who are invited see it", type: "checkbox" },
  ], "Make it");
  if (!answer?.name) return;
  const made = await ctx.act({ do: "create_channel", name: answer.name.replace(/^#/, ""), is_private: answer.is_private === "on" });
  await ctx.refresh();
  const id = made.channel?.id ?? made.channel ?? made.id;
  if (made.ok && id) ctx.openChannel(id);
}
