// The page: reads the stand-in's state, draws it, and draws again when the stand-in says that something changed.

import { el, fill, iconButton } from "./dom.js";
import { drawBlocks } from "./blocks.js";
import { composer } from "./composer.js";
import { firstValues } from "./elements.js";
import { drawHeader } from "./header.js";
import { icon } from "./icons.js";
import { messageList } from "./messages.js";
import { showViews } from "./modal.js";
import { toast } from "./overlay.js";
import { closePanel } from "./picker.js";
import { base64, listen, readMessages, readReplies, readState, sendAct } from "./server.js";
import { drawSidebar } from "./sidebar.js";
import { showStory, story } from "./storybar.js";
import { dayOf, offsetOf } from "./times.js";

const at = (id) => document.getElementById(id);
const address = new URLSearchParams(location.search);
let stopListening = () => {};
let fetchedAt = Date.now() / 1000;

const ctx = {
  state: null, me: address.get("as"), channelId: address.get("channel"), threadTs: address.get("thread"), isHome: null, isLive: false,
  get zone() { return ctx.user(ctx.me)?.tz || "UTC"; },
  now: () => (ctx.state?.now ?? 0) + (Date.now() / 1000 - fetchedAt),
  user: (id) => ctx.state?.users.find((each) => each.id === id || (id && each.bot_id === id)),
  channel: (id) => ctx.state?.channels.find((each) => each.id === id),
  messages: (channel) => readMessages(ctx.me, channel),
  permalink: (ts) => `${location.origin}/?as=${ctx.me}&channel=${ctx.channelId}&message=${ts}`,
  /** What of the state a message's look depends on. */
  printOf: (message) => [ctx.state.users.length, ctx.state.channels.length, ctx.state.shortcuts.length, message.ts && dayOf(ctx.now(), ctx.zone)],

  /** Do something as the acting person. A failure is shown, except the errors named in `quietly`. */
  async act(body, { quietly = [] } = {}) {
    const answer = await sendAct({ as: ctx.me, ...body });
    if (!answer.ok && !answer.errors && !quietly.includes(answer.error)) toast(answer.hint || answer.error || "That did not work.");
    return answer;
  },
  async upload(file, to) {
    return ctx.act({ do: "upload", channel: to.channel, thread_ts: to.thread_ts, filename: file.name, content_base64: await base64(file) });
  },
  async keep(file) {
    return (await ctx.upload(file, { channel: ctx.channelId })).file_id;
  },
  refresh: () => refresh(["state", "messages", "views"]),
  sent: () => (list.toEnd(), ctx.refresh()),

  openChannel(id, { isStory = false } = {}) {
    if (!isStory) unfollow();
    ctx.channelId = id;
    ctx.isHome = null;
    ctx.threadTs = null;
    ctx.showSidebar(false);
    return ctx.refresh();
  },
  showThread(ts) {
    ctx.threadTs = ts;
    return ctx.refresh();
  },
  openThread(ts) {
    unfollow();
    return ctx.showThread(ts).then(() => threadBox.focus());
  },
  async openHome(bot) {
    unfollow();
    ctx.isHome = bot;
    ctx.showSidebar(false);
    await ctx.act({ do: "open_home", app: bot });
    return ctx.refresh();
  },
  become(id, { channel = null, isStory = false } = {}) {
    if (!isStory) unfollow();
    closePanel();
    ctx.me = id;
    ctx.threadTs = null;
    if (channel) ctx.channelId = channel;
    follow();
    return ctx.refresh();
  },
  showSidebar: (isShown) => document.body.classList.toggle("shows-sidebar", isShown),
  showMessage(ts) {
    const row = list.node.querySelector(`[data-ts="${CSS.escape(ts)}"]`);
    row?.scrollIntoView({ block: "center" });
    row?.classList.add("found");
    setTimeout(() => row?.classList.remove("found"), 2500);
  },
  // A datetimepicker holds epoch seconds; the field shows the acting person's wall clock.
  toLocal(seconds) {
    return new Date((seconds + offsetSeconds(seconds, ctx.zone)) * 1000).toISOString().slice(0, 16);
  },
  fromLocal(text) {
    const wall = Date.parse(`${text}Z`) / 1000;
    const guess = wall - offsetSeconds(wall, ctx.zone);
    return wall - offsetSeconds(guess, ctx.zone);
  },
};

function offsetSeconds(seconds, zone) {
  const found = /UTC([+-])(\d\d):(\d\d)/.exec(offsetOf(seconds, zone));
  return found ? (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 3600 + Number(found[3]) * 60) : 0;
}

/** Someone who looks around by themselves is not dragged along by the story. */
function unfollow() {
  if (ctx.state?.story?.running) story.isFollowed = false;
}

const list = messageList(ctx);
const replies = messageList(ctx, { inThread: true });
const box = composer(ctx, () => ({ channel: ctx.channelId }));
const threadBox = composer(ctx, () => ({ channel: ctx.channelId, thread_ts: ctx.threadTs }));
const header = el("header", { class: "header" });
const homeNode = el("div", { class: "home", tabindex: "0" });
const foot = el("div", { class: "foot", id: "composer" });
const threadName = el("small", { class: "quiet" });

at("main").append(header, list.node, homeNode, foot);
at("thread").append(
  el("header", { class: "header" }, el("div", { class: "h-line" }, el("h1", {}, "Thread"), threadName, el("span", { class: "grow" }),
    iconButton("Close the thread", icon("close"), () => ctx.showThread(null)))),
  replies.node, el("div", { class: "foot" }, threadBox.node));

let reading = null;
const wanted = new Set();

/** Read again what is on the screen and draw it. Asked while it reads, it reads once more afterwards. */
function refresh(what) {
  for (const each of what) wanted.add(each);
  reading ??= readAll().finally(() => (reading = null));
  return reading;
}

async function readAll() {
  while (wanted.size) {
    const what = [...wanted];
    wanted.clear();
    try {
      await readOnce(what);
    } catch (problem) {
      if (ctx.isLive || !ctx.state) toast(problem instanceof TypeError ? "The stand-in does not answer. Is it still running?" : problem.message);
    }
  }
}

async function readOnce(what) {
  const me = ctx.me;
  const state = await readState(me);
  if (me !== ctx.me) return;
  ctx.state = state;
  fetchedAt = Date.now() / 1000;
  if (me !== state.me) {
    ctx.me = state.me;
    follow();
  }
  settle();
  drawFrame();
  const [channel, thread] = [ctx.channelId, ctx.threadTs];
  if (!channel || ctx.isHome || !what.some((each) => each === "state" || each.startsWith("messages"))) return;
  const [main, side] = await Promise.all([readMessages(ctx.me, channel), thread ? readReplies(ctx.me, channel, thread) : []]);
  // Meanwhile someone may have gone elsewhere; then another reading is already asked for.
  if (state.me !== ctx.me || channel !== ctx.channelId) return;
  list.update(main, channel);
  if (thread && thread === ctx.threadTs) replies.update(side, `${channel}/${thread}`);
}

/** Choose a channel when there is none, and keep the address in step. */
function settle() {
  const { state } = ctx;
  if (!ctx.channel(ctx.channelId)) {
    const first = state.channels.find((each) => each.name === "general") ?? state.channels.find((each) => each.is_member) ?? state.channels[0];
    ctx.channelId = first?.id ?? null;
    ctx.threadTs = null;
  }
  const shown = ctx.channel(ctx.channelId);
  if (shown?.is_member && shown.unread && !ctx.isHome && document.visibilityState === "visible") {
    shown.unread = 0;
    sendAct({ as: ctx.me, do: "read", channel: shown.id });
  }
  const query = new URLSearchParams({ as: ctx.me });
  if (ctx.channelId) query.set("channel", ctx.channelId);
  if (ctx.threadTs) query.set("thread", ctx.threadTs);
  history.replaceState(null, "", `?${query}`);
  document.title = `${shown ? `#${shown.name} · ` : ""}${state.team?.name ?? "Workspace"}`;
}

function drawFrame() {
  const channel = ctx.channel(ctx.channelId);
  drawSidebar(at("sidebar"), ctx);
  drawHeader(header, ctx);
  header.hidden = Boolean(ctx.isHome);
  list.node.hidden = Boolean(ctx.isHome);
  homeNode.hidden = !ctx.isHome;
  if (ctx.isHome) drawHome();
  at("thread").hidden = !ctx.threadTs || Boolean(ctx.isHome);
  threadName.textContent = channel ? `#${channel.name}` : "";
  box.name(`Message #${channel?.name ?? ""}`);
  threadBox.name("Reply …");
  drawFoot(channel);
  showViews(ctx.state.views, ctx);
  showStory(at("story"), ctx.state.story, ctx);
}

function drawFoot(channel) {
  foot.hidden = Boolean(ctx.isHome) || !channel;
  if (!channel) return;
  if (channel.is_archived) fill(foot, el("p", { class: "quiet notice" }, "This channel is archived: nobody can write here."));
  else if (!channel.is_member && !channel.is_im) {
    fill(foot, el("p", { class: "notice" }, `You are looking at #${channel.name}. `,
      el("button", { type: "button", class: "btn primary", onclick: () => ctx.act({ do: "join", channel: channel.id }).then(ctx.refresh) }, "Join channel")));
  } else if (foot.firstChild !== box.node) fill(foot, box.node);
}

let homeDrawn = "";

function drawHome() {
  const { home } = ctx.state;
  const print = JSON.stringify([home, ctx.me]);
  if (print === homeDrawn && homeNode.firstChild) return;
  homeDrawn = print;
  const host = {
    ctx, where: { view_id: home?.id }, values: firstValues(home?.blocks),
    act: (action) => ctx.act({ do: "click", view_id: home.id, values: host.values, ...action }).then(ctx.refresh),
  };
  fill(homeNode, el("div", { class: "h-line" }, iconButton("Channels", icon("menu"), () => ctx.showSidebar(true), { class: "icon only-narrow" }),
    el("h1", {}, ctx.user(ctx.isHome)?.real_name || ctx.user(ctx.isHome)?.name || "App", " · Home")),
  home ? drawBlocks(home.blocks, host) : el("p", { class: "quiet" }, "This app has not drawn its Home tab."));
}

let waiting = null;

function follow() {
  stopListening();
  // Whoever acts here is signed in elsewhere as the same person (Sign in with Slack).
  document.cookie = `acting-as=${encodeURIComponent(ctx.me)}; path=/; samesite=lax`;
  stopListening = listen(ctx.me, (what) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh(what), 30);
  }, (isLive) => {
    ctx.isLive = isLive;
    if (ctx.state) drawSidebar(at("sidebar"), ctx);
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector(".shade")) return;
  if (document.body.classList.contains("shows-sidebar")) ctx.showSidebar(false);
  else if (ctx.threadTs) ctx.showThread(null);
});
at("main").addEventListener("click", (event) => {
  if (!event.target.closest(".only-narrow")) ctx.showSidebar(false);
});
// The clocks beside people's names go on while nothing else happens.
setInterval(() => ctx.state && !document.querySelector("select:focus") && drawSidebar(at("sidebar"), ctx), 30000);

await refresh(["state", "messages"]);
if (ctx.me) follow();
if (address.get("message")) ctx.showMessage(address.get("message"));
