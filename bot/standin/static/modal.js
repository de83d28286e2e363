// The top of the acting person's stack of modals.

import { el, fill, iconButton } from "./dom.js";
import { drawBlocks } from "./blocks.js";
import { fieldsOf, firstValues, isEmptyValue } from "./elements.js";
import { icon } from "./icons.js";
import { plainText } from "./mrkdwn.js";
import { closePanel } from "./picker.js";
import { trapTab } from "./overlay.js";

const kept = new Map(); // view id -> {values, errors}
let drawn = null; // what the dialog shows now, as JSON
let shade = null;
let before = null;

const face = (view) => JSON.stringify([view.id, view.title, view.submit, view.close, view.blocks]);

/** Show the top of `views`, or nothing. Typed text survives a redraw, as long as its block and action ids stay. */
export function showViews(views, ctx) {
  const view = views?.at(-1);
  if (!view) return hide();
  const face_now = face(view);
  if (face_now === drawn) return undefined;
  const memory = kept.get(view.id) ?? { values: {}, errors: {} };
  memory.values = { ...memory.values, ...firstValues(view.blocks, memory.values) };
  kept.set(view.id, memory);
  return draw(view, views.length, memory, ctx);
}

function hide() {
  if (shade) closePanel();
  shade?.remove();
  shade = null;
  drawn = null;
  kept.clear();
  before?.focus?.();
  before = null;
}

function draw(view, depth, memory, ctx) {
  const focused = document.activeElement?.closest?.("[data-key]")?.dataset.key;
  const caret = document.activeElement?.selectionStart ?? null;
  const scrolled = shade?.querySelector(".dialog-body")?.scrollTop ?? 0;
  const isSame = drawn !== null && JSON.parse(drawn)[0] === view.id;
  if (!shade) {
    before = document.activeElement;
    shade = el("div", { class: "shade" });
    document.getElementById("dialogs").append(shade);
  }
  drawn = face(view);
  const host = hostOf(view, memory, ctx);
  const end = async () => {
    await ctx.act({ do: "close_view", view_id: view.id });
    ctx.refresh();
  };
  const submit = el("button", { type: "submit", class: "btn primary" }, plainText(view.submit?.text ?? "Submit"));
  const box = el("form", { class: "dialog modal", role: "dialog", "aria-modal": "true", "aria-labelledby": "modal-title", novalidate: true },
    el("div", { class: "dialog-top" }, el("h2", { id: "modal-title", tabindex: "-1" }, plainText(view.title?.text ?? "")),
      depth > 1 && el("small", { class: "quiet" }, `step ${depth}`), iconButton("Close", icon("close"), end)),
    el("div", { class: "dialog-body" }, drawBlocks(view.blocks, host)),
    el("div", { class: "dialog-end" },
      el("button", { type: "button", class: "btn", onclick: end }, plainText(view.close?.text ?? (view.submit ? "Cancel" : "Close"))),
      (view.submit || fieldsOf(view.blocks).some(([block]) => block.type === "input")) && submit));
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    send(view, memory, submit, box, host, ctx);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) box.requestSubmit();
    trapTab(event, box);
  });
  fill(shade, box);
  box.querySelector(".dialog-body").scrollTop = isSame ? scrolled : 0;
  focusOn(box, isSame ? focused : null, caret, view);
}

function focusOn(box, wanted, caret, view) {
  const first = fieldsOf(view.blocks).find(([, item]) => item.focus_on_load) ?? fieldsOf(view.blocks)[0];
  const name = wanted ?? (first && `${first[0].block_id}/${first[1].action_id}`);
  const holder = [...box.querySelectorAll("[data-key]")].find((node) => node.dataset.key === name);
  const target = holder?.matches("input, textarea, button") ? holder : holder?.querySelector("input, textarea, button");
  (target ?? box.querySelector("#modal-title")).focus();
  if (wanted && caret !== null && /^(text|)$/.test(target?.type ?? "-")) target.setSelectionRange(caret, caret);
}

function hostOf(view, memory, ctx) {
  return {
    ctx, where: { view_id: view.id }, values: memory.values, errors: memory.errors,
    changed(blockId) {
      if (!memory.errors[blockId]) return;
      delete memory.errors[blockId];
      mark(memory.errors);
    },
    async act(action) {
      await ctx.act({ do: "click", view_id: view.id, values: current(view, memory), ...action });
      ctx.refresh();
    },
  };
}

/** The values of the fields the view shows now. */
function current(view, memory) {
  const values = {};
  for (const [block, item] of fieldsOf(view.blocks)) {
    (values[block.block_id] ??= {})[item.action_id] = memory.values[block.block_id]?.[item.action_id];
  }
  return values;
}

async function send(view, memory, button, box, host, ctx) {
  if (button.classList.contains("busy")) return;
  memory.errors = missing(view, memory);
  if (Object.keys(memory.errors).length === 0) {
    button.classList.add("busy");
    const answer = await ctx.act({ do: "submit", view_id: view.id, values: current(view, memory) }, { quietly: ["validation"] });
    button.classList.remove("busy");
    memory.errors = answer.errors ?? {};
  }
  host.errors = memory.errors;
  if (Object.keys(memory.errors).length) mark(memory.errors);
  ctx.refresh();
}

/** Show the errors under their fields without touching what is typed. */
function mark(errors) {
  let first = null;
  for (const block of shade?.querySelectorAll(".b-input") ?? []) {
    const sentence = errors[block.dataset.block];
    block.classList.toggle("wrong", Boolean(sentence));
    block.querySelector(".error")?.remove();
    for (const field of block.querySelectorAll(".field")) field.setAttribute("aria-invalid", String(Boolean(sentence)));
    if (!sentence) continue;
    const hint = block.querySelector(".hint");
    const line = el("div", { class: "error", role: "alert" }, sentence);
    if (hint) hint.before(line);
    else block.append(line);
    first ??= block;
  }
  first?.scrollIntoView({ block: "nearest" });
}

/** What the page itself can tell before asking the app, as Slack does. */
function missing(view, memory) {
  const errors = {};
  for (const [block, item] of fieldsOf(view.blocks)) {
    if (block.type !== "input") continue;
    const value = memory.values[block.block_id]?.[item.action_id];
    if (isEmptyValue(item, value)) {
      if (!block.optional) errors[block.block_id] = "Please complete this required field.";
      continue;
    }
    const length = String(value.value ?? "").length;
    const number = Number(value.value);
    if (item.min_length && length < item.min_length) errors[block.block_id] = `Use at least ${item.min_length} characters.`;
    if (item.type === "number_input" && (Number.isNaN(number) || number < Number(item.min_value ?? -Infinity) || number > Number(item.max_value ?? Infinity))) {
      errors[block.block_id] = `Give a number${item.min_value ? ` from ${item.min_value}` : ""}${item.max_value ? ` up to ${item.max_value}` : ""}.`;
    }
    if (item.type === "email_text_input" && !/^\S+@\S+$/.test(value.value)) errors[block.block_id] = "Give an email address.";
    if (item.type === "url_text_input" && !/^https?:\/\/\S+$/.test(value.value)) errors[block.block_id] = "Give a link that begins with http:// or https://.";
  }
  return errors;
}
