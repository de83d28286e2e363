// Block Kit elements a person can touch: buttons, menus, fields. Each keeps its value in `host.values` and, where
// Slack would send block_actions, tells the app.

import { el, fill, safeUrl } from "./dom.js";
import { textObject } from "./mrkdwn.js";
import { openChooser, openMenu } from "./picker.js";
import { confirmFirst } from "./overlay.js";

const key = (block, item) => `${block.block_id}/${item.action_id}`;
const words = (object) => object?.text ?? "";

/** State key of each element type, and the key of the value it starts with. */
const STATE = {
  plain_text_input: ["value", "initial_value"], number_input: ["value", "initial_value"],
  email_text_input: ["value", "initial_value"], url_text_input: ["value", "initial_value"],
  datepicker: ["selected_date", "initial_date"], timepicker: ["selected_time", "initial_time"],
  datetimepicker: ["selected_date_time", "initial_date_time"],
  static_select: ["selected_option", "initial_option"], external_select: ["selected_option", "initial_option"],
  radio_buttons: ["selected_option", "initial_option"],
  checkboxes: ["selected_options", "initial_options"], multi_static_select: ["selected_options", "initial_options"],
  multi_external_select: ["selected_options", "initial_options"],
  users_select: ["selected_user", "initial_user"], multi_users_select: ["selected_users", "initial_users"],
  conversations_select: ["selected_conversation", "initial_conversation"],
  multi_conversations_select: ["selected_conversations", "initial_conversations"],
  channels_select: ["selected_channel", "initial_channel"], multi_channels_select: ["selected_channels", "initial_channels"],
  rich_text_input: ["rich_text_value", "initial_value"], file_input: ["files", ""],
};

export const isInteractive = (item) => item.type in DRAW;
export const holdsValue = (item) => item?.type in STATE;

/** Every value-holding element of some blocks: [block, element]. */
export function fieldsOf(blocks) {
  return (blocks ?? []).flatMap((block) =>
    [block.element, block.accessory, ...(Array.isArray(block.elements) ? block.elements : [])]
      .filter(holdsValue).map((item) => [block, item]));
}

/** The values of untouched blocks, keeping what `kept` already holds for the same block and action ids. */
export function firstValues(blocks, kept = {}) {
  const values = {};
  for (const [block, item] of fieldsOf(blocks)) {
    const [state, initial] = STATE[item.type];
    const isList = state.endsWith("s");
    const before = kept[block.block_id]?.[item.action_id];
    const first = { type: item.type, [state]: item[initial] ?? (isList ? [] : null) };
    (values[block.block_id] ??= {})[item.action_id] = before?.type === item.type ? before : first;
  }
  return values;
}

export function isEmptyValue(item, value) {
  const held = value?.[STATE[item.type][0]];
  return held === null || held === undefined || held === "" || (Array.isArray(held) && held.length === 0);
}

/** The node of one element. */
export function element(item, block, host, { labelled = null, invalid = false } = {}) {
  const draw = DRAW[item.type];
  if (!draw) return el("span", { class: "quiet" }, `(${item.type})`);
  const stateKey = STATE[item.type]?.[0];
  const field = {
    item, block, host, labelled, invalid,
    get: () => host.values[block.block_id]?.[item.action_id]?.[stateKey] ?? null,
    set(value) {
      (host.values[block.block_id] ??= {})[item.action_id] = { type: item.type, [stateKey]: value };
      host.changed?.(block.block_id);
    },
    /** Tell the app, unless this is an input block that only counts at submit. */
    async tell(extra) {
      if (block.type === "input" && !block.dispatch_action) return;
      if (item.confirm && !(await confirmFirst(item.confirm, host.ctx))) return;
      await host.act({ block_id: block.block_id, action_id: item.action_id, type: item.type, ...extra });
    },
    choose(value) {
      field.set(value);
      return field.tell({ [stateKey]: value });
    },
  };
  const node = draw(field);
  node.dataset.key = key(block, item);
  return node;
}

const DRAW = {
  button, workflow_button: button, overflow,
  plain_text_input: textField, number_input: textField, email_text_input: textField, url_text_input: textField, rich_text_input: richField,
  datepicker: dateField, timepicker: dateField, datetimepicker: dateField,
  radio_buttons: boxes, checkboxes: boxes,
  static_select: select, external_select: select, users_select: select, conversations_select: select, channels_select: select,
  multi_static_select: select, multi_external_select: select, multi_users_select: select, multi_conversations_select: select, multi_channels_select: select,
  file_input: fileField, icon_button: button, feedback_buttons: button,
};

function button({ item, tell }) {
  const url = safeUrl(item.url);
  const node = el(url ? "a" : "button", {
    class: `btn ${["primary", "danger"].includes(item.style) ? item.style : ""}`,
    "aria-label": item.accessibility_label, type: url ? null : "button",
    href: url, target: url && "_blank", rel: url && "noopener noreferrer",
  }, textObject(item.text ?? { type: "plain_text", text: item.icon ?? "…" }));
  node.addEventListener("click", async () => {
    if (node.classList.contains("busy")) return;
    node.classList.add("busy");
    await tell({ value: item.value ?? null }).finally(() => node.classList.remove("busy"));
  });
  return node;
}

function overflow({ item, tell }) {
  const node = el("button", { type: "button", class: "btn", "aria-label": "More choices", "aria-haspopup": "menu" }, "⋯");
  node.addEventListener("click", () => openMenu(node, "More choices", (item.options ?? []).map((option) => ({
    label: words(option.text), note: words(option.description),
    run: () => {
      const url = safeUrl(option.url);
      if (url) window.open(url, "_blank", "noopener");
      tell({ selected_option: option });
    },
  }))));
  return node;
}

function textField({ item, block, labelled, invalid, get, set, tell }) {
  const type = { number_input: "number", email_text_input: "email", url_text_input: "url" }[item.type] ?? "text";
  const node = el(item.multiline ? "textarea" : "input", {
    class: "field", type: item.multiline ? null : type, "aria-labelledby": labelled, "aria-invalid": invalid ? "true" : null,
    placeholder: words(item.placeholder) || null, maxlength: item.max_length ?? (type === "text" ? 3000 : null),
    rows: item.multiline ? 5 : null, value: get() ?? "", autocomplete: "off",
    step: item.is_decimal_allowed ? "any" : null, min: item.min_value, max: item.max_value,
  });
  const triggers = item.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  let wait = null;
  node.addEventListener("input", () => {
    set(node.value === "" ? null : node.value);
    if (!triggers.includes("on_character_entered")) return;
    clearTimeout(wait);
    wait = setTimeout(() => tell({ value: node.value }), 300);
  });
  node.addEventListener("keydown", (event) => {
    const tells = block.dispatch_action || block.type !== "input";
    if (event.key !== "Enter" || item.multiline || !tells || !triggers.includes("on_enter_pressed")) return;
    event.preventDefault();
    event.stopPropagation();
    tell({ value: node.value });
  });
  return node;
}

function richField({ item, labelled, get, set }) {
  const typed = (get()?.elements ?? []).flatMap((part) => (part.elements ?? []).map((piece) => piece.text ?? "")).join("");
  const node = el("textarea", { class: "field", rows: 5, "aria-labelledby": labelled, placeholder: words(item.placeholder), value: typed });
  node.addEventListener("input", () => set(node.value === "" ? null : {
    type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text: node.value }] }],
  }));
  return node;
}

function dateField({ item, host, labelled, invalid, get, choose }) {
  const type = { datepicker: "date", timepicker: "time", datetimepicker: "datetime-local" }[item.type];
  const isEpoch = item.type === "datetimepicker";
  const shown = isEpoch && get() ? host.ctx.toLocal(get()) : get() ?? "";
  const node = el("input", { class: "field", type, "aria-labelledby": labelled, "aria-label": labelled ? null : words(item.placeholder) || type, "aria-invalid": invalid ? "true" : null, value: shown });
  node.addEventListener("change", () => choose(node.value === "" ? null : isEpoch ? host.ctx.fromLocal(node.value) : node.value));
  return el("div", { class: "inline-field" }, node, isEpoch && el("small", { class: "quiet" }, host.ctx.zone));
}

let groups = 0;

function boxes({ item, host, get, choose }) {
  const isMany = item.type === "checkboxes";
  const group = `boxes-${(groups += 1)}`;
  const held = () => (isMany ? get() ?? [] : [get()].filter(Boolean)).map((option) => option.value);
  return el("div", { class: "boxes" }, (item.options ?? []).map((option) => {
    const box = el("input", { type: isMany ? "checkbox" : "radio", name: group, checked: held().includes(option.value) });
    box.addEventListener("change", () => {
      if (!isMany) return choose(option);
      const values = new Set(held());
      if (box.checked) values.add(option.value);
      else values.delete(option.value);
      return choose(item.options.filter((each) => values.has(each.value)));
    });
    return el("label", { class: "box" }, box, el("span", {}, textObject(option.text, host.ctx),
      option.description && el("small", { class: "quiet" }, " ", textObject(option.description, host.ctx))));
  }));
}

/** Where the choices of a select come from, each as {key, text, note?, value}. */
function source({ item, block, host }) {
  const { ctx } = host;
  const option = (each) => ({ key: each.value, text: words(each.text), note: words(each.description), value: each });
  const matching = (options) => (typed) => [{ options: options.filter((each) => `${each.text} ${each.note ?? ""}`.toLowerCase().includes(typed)) }];
  if (item.type.includes("external")) {
    return async (typed) => {
      if (typed.length < (item.min_query_length ?? 3)) return [{ label: `Type ${item.min_query_length ?? 3} or more letters`, options: [] }];
      const answer = await ctx.act({ do: "options", ...host.where, block_id: block.block_id, action_id: item.action_id, value: typed });
      const found = answer.option_groups ?? [{ options: answer.options ?? [] }];
      return found.map((group) => ({ label: words(group.label), options: group.options.map(option) }));
    };
  }
  if (item.type.includes("users")) {
    return matching(ctx.state.users.filter((user) => !user.deleted).map((user) => ({ key: user.id, text: user.name, note: user.real_name, value: user.id })));
  }
  if (item.type.includes("conversations") || item.type.includes("channels")) {
    return matching(ctx.state.channels.filter((each) => !each.is_archived).map((each) => ({ key: each.id, text: `#${each.name}`, value: each.id })));
  }
  const listed = item.option_groups ?? [{ options: item.options ?? [] }];
  return (typed) => listed.map((group) => ({ label: words(group.label), ...matching(group.options.map(option))(typed)[0] })).filter((group) => group.options.length);
}

function nameOf(value, ctx) {
  if (value && typeof value === "object") return words(value.text);
  return ctx.user(value)?.name ?? (ctx.channel(value) ? `#${ctx.channel(value).name}` : value);
}

function select(field) {
  const { item, host, labelled, invalid, get, set, tell, choose } = field;
  const isMany = item.type.startsWith("multi_");
  const label = words(item.placeholder) || (isMany ? "Choose some" : "Choose one");
  const node = el("button", { type: "button", class: "field select", "aria-haspopup": "listbox", "aria-label": labelled ? null : label, "aria-describedby": labelled, "aria-invalid": invalid ? "true" : null });
  const keyOf = (value) => (value && typeof value === "object" ? value.value : value);
  const held = () => (isMany ? get() ?? [] : [get()].filter((value) => value !== null));
  const show = () => fill(node, held().length
    ? held().map((value) => el("span", { class: isMany ? "chip" : "" }, nameOf(value, host.ctx)))
    : el("span", { class: "quiet" }, label), el("span", { class: "caret", "aria-hidden": "true" }, "▾"));
  show();
  let isChanged = false;
  const pick = (option) => {
    if (!isMany) return choose(option.value), show();
    const without = held().filter((value) => keyOf(value) !== option.key);
    if (without.length < held().length) set(without);
    else if (held().length < (item.max_selected_items ?? 100)) set([...without, option.value]);
    isChanged = true;
    return show();
  };
  node.addEventListener("click", () => openChooser(node, label, {
    load: source(field), several: isMany, chosen: () => held().map(keyOf), onpick: pick,
    onclose: () => {
      if (isChanged) tell({ [STATE[item.type][0]]: get() });
      isChanged = false;
    },
  }));
  return node;
}

function fileField({ item, labelled, host, set }) {
  const node = el("input", { type: "file", class: "field", multiple: (item.max_files ?? 10) > 1, "aria-labelledby": labelled });
  node.addEventListener("change", async () => {
    const ids = [];
    for (const file of node.files) ids.push(await host.ctx.keep(file));
    set(ids.filter(Boolean));
  });
  return node;
}
