// Small floating panels: lists to choose from, menus, the emoji picker. One is open at a time; Escape closes it.

import { el, fill } from "./dom.js";
import { EMOJI, OFFERED, emojiLike } from "./emoji.js";

let close = () => {};
export const closePanel = () => close();

/** Open a panel beside `anchor`; gives the panel. `onclose` runs once when it goes away. */
export function openPanel(anchor, label, content, { onclose = () => {}, width = 300 } = {}) {
  close();
  const panel = el("div", { class: "panel", role: "dialog", "aria-label": label }, content);
  panel.style.width = `${Math.min(width, window.innerWidth - 16)}px`;
  document.body.append(panel);
  place(panel, anchor);
  const outside = (event) => {
    if (!panel.contains(event.target) && !anchor.contains(event.target)) close();
  };
  const escape = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    event.preventDefault();
    close();
    anchor.focus();
  };
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", escape, true);
  close = () => {
    close = () => {};
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", escape, true);
    panel.remove();
    onclose();
  };
  return panel;
}

function place(panel, anchor) {
  const at = anchor.getBoundingClientRect();
  const size = panel.getBoundingClientRect();
  const below = at.bottom + 4;
  const top = below + size.height < window.innerHeight - 8 ? below : Math.max(8, at.top - size.height - 4);
  panel.style.top = `${top}px`;
  panel.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - size.width - 8))}px`;
}

/** A menu: entries of {label, note?, danger?, run} or "-" for a line. */
export function openMenu(anchor, label, entries) {
  const rows = entries.map((entry) => {
    if (entry === "-") return el("hr");
    const run = () => (close(), entry.run());
    return el("button", { type: "button", role: "menuitem", class: entry.danger ? "row danger" : "row", onclick: run },
      el("span", {}, entry.label), entry.note && el("small", {}, entry.note));
  });
  const menu = el("div", { role: "menu", class: "menu", onkeydown: arrows }, rows.length ? rows : el("p", { class: "quiet" }, "Nothing here."));
  openPanel(anchor, label, menu, { width: 280 });
  menu.querySelector("button")?.focus();
}

function arrows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const rows = [...event.currentTarget.querySelectorAll("button.row")];
  const next = rows[(rows.indexOf(document.activeElement) + step + rows.length) % rows.length];
  next?.focus();
}

/**
 * A list to choose from with a filter box. `load(typed)` gives (a promise of) groups
 * [{label?, options: [{key, text, note?}]}]; `onpick(option)` is called for each choice.
 */
export function openChooser(anchor, label, { load, chosen = () => [], onpick, several = false, onclose }) {
  const filter = el("input", { type: "text", placeholder: "Filter", "aria-label": `Filter ${label}`, autocomplete: "off" });
  const rows = el("div", { class: "choices", role: "listbox", "aria-label": label, "aria-multiselectable": several });
  let shown = [];
  let current = 0;
  let asked = 0;
  const mark = () => shown.forEach((row, at) => {
    row.node.classList.toggle("current", at === current);
    if (at === current) row.node.scrollIntoView({ block: "nearest" });
  });
  const pick = (option) => {
    onpick(option);
    if (several) refresh();
    else close(), anchor.focus();
  };
  const refresh = async () => {
    const turn = (asked += 1);
    const groups = await load(filter.value.trim().toLowerCase());
    if (turn !== asked) return;
    const keys = new Set(chosen());
    shown = [];
    fill(rows, groups.map((group) => [
      group.label && el("div", { class: "group" }, group.label),
      group.options.map((option) => {
        const node = el("div", { class: "row", role: "option", "aria-selected": String(keys.has(option.key)), onclick: () => pick(option) },
          el("span", {}, option.text), option.note && el("small", {}, option.note));
        shown.push({ node, option });
        return node;
      }),
    ]));
    if (!shown.length) fill(rows, el("p", { class: "quiet" }, "No matches"));
    current = Math.max(0, Math.min(current, shown.length - 1));
    mark();
  };
  filter.addEventListener("input", () => ((current = 0), refresh()));
  filter.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) current = (current + step + shown.length) % Math.max(1, shown.length), mark(), event.preventDefault();
    if (event.key === "Enter" && shown[current]) pick(shown[current].option), event.preventDefault();
    if (event.key === "Tab") close();
  });
  openPanel(anchor, label, [filter, rows], { onclose, width: Math.max(240, anchor.getBoundingClientRect().width) });
  refresh();
  filter.focus();
}

/** The emoji picker; `onpick(name)`. */
export function openEmoji(anchor, onpick) {
  const filter = el("input", { type: "text", placeholder: "Find an emoji", "aria-label": "Find an emoji", autocomplete: "off" });
  const grid = el("div", { class: "emoji-grid" });
  const choose = (name) => (close(), onpick(name));
  const refresh = () => {
    const names = filter.value ? emojiLike(filter.value.toLowerCase(), 48) : [...OFFERED, ...[...EMOJI.keys()].slice(0, 60)];
    fill(grid, [...new Set(names)].map((name) =>
      el("button", { type: "button", title: `:${name}:`, "aria-label": name, onclick: () => choose(name) }, EMOJI.get(name))));
  };
  filter.addEventListener("input", refresh);
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(), grid.querySelector("button")?.click();
  });
  refresh();
  openPanel(anchor, "Emoji", [filter, grid], { width: 320 });
  filter.focus();
}
