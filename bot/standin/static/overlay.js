// What lies over the page: toasts, small dialogs, opened files.

import { add, el, iconButton } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { textObject } from "./mrkdwn.js";

export function toast(sentence, kind = "wrong") {
  const node = el("div", { class: `toast ${kind}` }, sentence);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 7000);
}

/** Keep Tab inside a dialog. */
export function trapTab(event, box) {
  if (event.key !== "Tab") return;
  const stops = [...box.querySelectorAll("a[href], button, input, textarea, select, [tabindex='0']")].filter((node) => !node.disabled && node.offsetParent !== null);
  if (!stops.length) return;
  const [first, last] = [stops[0], stops.at(-1)];
  if (event.shiftKey && document.activeElement === first) last.focus(), event.preventDefault();
  else if (!event.shiftKey && document.activeElement === last) first.focus(), event.preventDefault();
}

/** A dialog over everything; `build(close)` gives its content. Escape and the shade close it. */
export function openDialog(label, build, { className = "", onclose = () => {} } = {}) {
  const before = document.activeElement;
  const close = () => {
    shade.remove();
    onclose();
    before?.focus?.();
  };
  const box = el("div", { class: `dialog ${className}`, role: "dialog", "aria-modal": "true", "aria-label": label, tabindex: "-1" });
  const shade = el("div", { class: "shade" }, box);
  shade.addEventListener("pointerdown", (event) => event.target === shade && close());
  shade.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close();
    trapTab(event, box);
  });
  add(box, [build(close)]);
  document.getElementById("dialogs").append(shade);
  (box.querySelector("[autofocus]") ?? box).focus();
  return close;
}

/** Ask the question of a Block Kit confirm object; true when the person agrees. */
export function confirmFirst(question, ctx) {
  return new Promise((answer) => {
    let isAgreed = false;
    openDialog(question.title?.text ?? "Are you sure?", (close) => [
      el("h2", {}, question.title?.text ?? "Are you sure?"),
      el("div", { class: "dialog-body" }, textObject(question.text, ctx)),
      el("div", { class: "dialog-end" },
        el("button", { type: "button", class: "btn", onclick: () => close() }, question.deny?.text ?? "Cancel"),
        el("button", {
          type: "button", class: `btn ${question.style === "danger" ? "danger" : "primary"}`, autofocus: true,
          onclick: () => ((isAgreed = true), close()),
        }, question.confirm?.text ?? "Yes")),
    ], { className: "small", onclose: () => answer(isAgreed) });
  });
}

/** A small form of our own: fields of {name, label, type?, value?}; gives the answers or null. */
export function askFor(title, fields, done = "Save") {
  return new Promise((answer) => {
    let result = null;
    openDialog(title, (close) => {
      const form = el("form", {}, el("h2", {}, title), el("div", { class: "dialog-body" }, fields.map((field, at) =>
        field.type === "checkbox"
          ? el("label", { class: "box" }, el("input", { type: "checkbox", name: field.name }), field.label)
          : el("label", { class: "own-field" }, field.label, field.options
            ? el("select", { name: field.name, class: "field" }, field.options.map(([value, text]) => el("option", { value }, text)))
            : el("input", { name: field.name, class: "field", type: "text", value: field.value ?? "", autofocus: at === 0, autocomplete: "off" })))),
      el("div", { class: "dialog-end" },
        el("button", { type: "button", class: "btn", onclick: () => close() }, "Cancel"),
        el("button", { type: "submit", class: "btn primary" }, done)));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        result = Object.fromEntries(new FormData(form));
        close();
      });
      return form;
    }, { className: "small", onclose: () => answer(result) });
  });
}

const CANVAS = "application/vnd.slack-docs";
const isText = (file) => file.mimetype === CANVAS || /^(text\/|application\/(json|x-yaml|yaml|xml))/.test(file.mimetype ?? "") || /\.(md|txt|log|json|ya?ml|csv|html)$/i.test(file.name);
export const isImage = (file) => /^image\//.test(file.mimetype ?? "");

/** Show a file: Markdown as a page, other text as it is, images; anything else as a link. */
export async function openFile(file, ctx) {
  let body;
  if (isImage(file)) body = el("img", { src: file.url, alt: file.name });
  else if (isText(file)) {
    const answer = await fetch(file.url);
    const text = answer.ok ? await answer.text() : `The file could not be read (${answer.status}).`;
    const isMarkdown = file.mimetype === CANVAS || /markdown/.test(file.mimetype ?? "") || /\.(md|markdown)$/i.test(file.name);
    body = isMarkdown ? markdown(text, ctx) : el("pre", { class: "whole" }, text);
  } else body = el("p", {}, "This kind of file is not shown here. ", el("a", { href: file.url, download: file.name }, "Download it"), ".");
  openDialog(file.name, (close) => [
    el("div", { class: "dialog-top" }, el("h2", {}, file.name),
      el("a", { class: "btn", href: file.url, download: file.name }, "Download"), iconButton("Close", icon("close"), () => close(), { autofocus: true })),
    el("div", { class: "dialog-body reading", tabindex: "0" }, body),
  ], { className: "large" });
}
