// The bar of the story being played: what happens now, by whom, and the player's buttons.

import { el, fill, iconButton } from "./dom.js";
import { icon } from "./icons.js";
import { sendStory } from "./server.js";
import { toast } from "./overlay.js";

export const story = { isFollowed: true };
let drawn = "";
let led = null; // the step the page was last led to

/** Draw the bar, and lead the page to whom and where the story is, while it is followed. */
export function showStory(node, told, ctx) {
  node.hidden = !told;
  document.body.classList.toggle("has-story", Boolean(told));
  if (!told) return;
  const print = JSON.stringify([told, story.isFollowed, ctx.me]);
  if (print !== drawn) draw(node, told, ctx);
  drawn = print;
  // Led once to each step: whoever goes elsewhere while the story rests may stay there.
  const place = JSON.stringify([told.at, told.as, told.channel, told.thread_ts]);
  const isNew = led !== null && place !== led;
  led = place;
  if (!story.isFollowed || told.at === 0 || !(told.running || isNew)) return;
  if (told.as && told.as !== ctx.me && ctx.user(told.as)) ctx.become(told.as, { channel: told.channel, isStory: true });
  else if (told.channel && told.channel !== ctx.channelId && ctx.channel(told.channel)) ctx.openChannel(told.channel, { isStory: true });
  else if (told.running && told.thread_ts !== ctx.threadTs) ctx.showThread(told.thread_ts);
}

function draw(node, told, ctx) {
  const tell = async (body) => {
    if (body.do === "play" || body.do === "step") story.isFollowed = true;
    const answer = await sendStory(body);
    if (answer.ok === false) toast(answer.hint ?? answer.error);
    return ctx.refresh();
  };
  const focused = document.activeElement?.dataset?.focus;
  const name = ctx.user(told.as)?.name;
  const isBegun = told.at > 0 || told.running;
  const speed = el("select", { "aria-label": "Speed", "data-focus": "speed", onchange: (event) => tell({ do: "speed", speed: Number(event.target.value) }) },
    [0.5, 1, 2, 4, 8].map((each) => el("option", { value: each, selected: each === told.speed }, `${each}×`)));
  const bar = el("div", { class: "story-done", "aria-hidden": "true" });
  bar.style.width = `${told.total ? (100 * told.at) / told.total : 0}%`;
  fill(node, bar,
    el("div", { class: "story-buttons" },
      told.running
        ? iconButton("Pause", icon("pause"), () => tell({ do: "pause" }), { "data-focus": "play" })
        : iconButton(told.done ? "Play again" : "Play", icon(told.done ? "again" : "play"), () => (told.done ? tell({ do: "restart" }).then(() => tell({ do: "play" })) : tell({ do: "play" })), { "data-focus": "play", class: "icon primary" }),
      iconButton("One step", icon("next"), () => tell({ do: "step" }), { "data-focus": "step", disabled: told.running || told.done }),
      iconButton("Back to the start", icon("first"), () => tell({ do: "restart" }), { "data-focus": "restart", disabled: !isBegun }),
      speed),
    el("div", { class: told.error ? "story-words failed" : "story-words", role: "status" },
      isBegun ? [el("b", {}, `${told.at}/${told.total}`), " ", told.error || told.caption] : [el("b", {}, told.title), " ", told.intro]),
    isBegun && el("div", { class: "story-side" },
      story.isFollowed
        ? name && el("span", { class: "badge" }, `watching as ${name}`)
        : el("button", { type: "button", class: "btn small", onclick: () => ((story.isFollowed = true), ctx.refresh()) }, "Follow the story")));
  if (focused) node.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}
