// Making elements. Outside text only ever becomes a text node or a checked attribute: nothing here
// (or anywhere on this page) parses HTML from a string.

/** el("p", {class: "x", onclick: f}, "text", node): a new element. Attributes that are null or false are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  add(node, children);
  return node;
}

export function add(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/** The address when a browser may follow it (http, https, mailto, or a path of this site), else null. */
export function safeUrl(url) {
  const text = String(url ?? "").trim();
  if (/^\/(?!\/)/.test(text) || /^(https?|mailto|tel):/i.test(text)) return text;
  return null;
}

export function link(url, ...children) {
  const href = safeUrl(url);
  if (href === null) return el("span", {}, ...children);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** Replace what a node holds. */
export function fill(node, ...children) {
  node.replaceChildren();
  return add(node, children);
}

export function iconButton(label, glyph, onclick, extra = {}) {
  return el("button", { type: "button", class: "icon", title: label, "aria-label": label, onclick, ...extra }, glyph);
}
