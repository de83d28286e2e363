// The console's script. Every page works without it: it keeps an open incident up to date, keeps what was typed when a
// page goes away, sends a form once, and listens to a few keys.

const live = document.querySelector("[data-live]");
const status = document.getElementById("connection");
const EVERY = 2000;
const SLOWEST = 30000;

// An open incident

function parts(root) {
  return [...root.querySelectorAll("[data-part]")];
}

/** Put the new part in place of the old one; what was unfolded stays so, and the focus stays where it was. */
function exchange(old, fresh) {
  const unfolded = [...old.querySelectorAll("details[open] > summary")].map((each) => each.firstChild.textContent.trim());
  const folded = [...old.querySelectorAll("details:not([open]) > summary")].map((each) => each.firstChild.textContent.trim());
  for (const summary of fresh.querySelectorAll("details > summary")) {
    const name = summary.firstChild.textContent.trim();
    if (unfolded.includes(name)) summary.parentElement.open = true;
    else if (folded.includes(name)) summary.parentElement.open = false;
  }
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const known = new Set([...old.querySelectorAll(".entry")].map((each) => each.id));
  const news = [...fresh.querySelectorAll(".entry")].filter((each) => !known.has(each.id));
  for (const entry of news) entry.classList.add("fresh");
  const top = anchor();
  old.replaceWith(fresh);
  stay(top);
  if (focused) again(fresh, focused)?.focus({ preventScroll: true });
  return news;
}

/** The same thing in the new part: by its id, or by where it leads, or by its words. */
function again(fresh, focused) {
  if (focused.id) return document.getElementById(focused.id);
  const alike = [...fresh.querySelectorAll(focused.tagName)];
  const form = focused.closest("form")?.getAttribute("action");
  return alike.find((each) => (form ? each.closest("form")?.getAttribute("action") === form : focused.getAttribute("href") && each.getAttribute("href") === focused.getAttribute("href")))
    ?? alike.find((each) => each.textContent === focused.textContent);
}

/** The entry at the top of the window, so that it stays there when others come above it. */
function anchor() {
  const first = [...document.querySelectorAll(".entry")].find((each) => each.getBoundingClientRect().top >= 0);
  return first && window.scrollY > 0 ? { id: first.id, top: first.getBoundingClientRect().top } : null;
}

function stay(at) {
  const entry = at && document.getElementById(at.id);
  if (entry) window.scrollBy(0, entry.getBoundingClientRect().top - at.top);
}

function tell(news) {
  const said = document.getElementById("said");
  if (!news.length) return;
  const first = news[0];
  const words = first.querySelector(".text").textContent.trim().slice(0, 120);
  said.textContent = news.length === 1 ? `New: ${words}` : `${news.length} new entries`;
}

let pause = EVERY;
let timer = 0;
let isAsking = false;

async function look() {
  if (isAsking || document.hidden) return;
  isAsking = true;
  clearTimeout(timer);
  const pulse = document.getElementById("head").dataset.pulse;
  try {
    const answer = await fetch(`${live.dataset.live}?pulse=${pulse}&order=${live.dataset.order}&${live.dataset.window}`, { redirect: "error" });
    // Signed out, or not to be seen any more: the page itself says which.
    if (answer.status === 401 || answer.status === 404) return location.reload();
    if (!answer.ok) throw new Error(answer.status);
    if (answer.status === 200) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const news = parts(page).flatMap((fresh) => {
        const old = document.getElementById(fresh.id);
        return old ? exchange(old, fresh) : [];
      });
      tell(news);
      if (news.length && document.visibilityState === "visible") mark();
    }
    pause = EVERY;
    status.textContent = "● live";
  } catch {
    pause = Math.min(pause * 2, SLOWEST);
    status.textContent = "○ not reached, trying again";
  } finally {
    isAsking = false;
    timer = setTimeout(look, pause);
  }
}

function mark() {
  // The line that says "Logged #12" of an address would come again with a reload.
  if (location.search.includes("did=")) history.replaceState(null, "", location.pathname + location.hash);
}

// A long timeline is shown in parts, and an older link names no part

if (/^#entry-\d+$/.test(location.hash) && document.querySelector(".ways") && !document.querySelector(location.hash)) {
  const part = new URLSearchParams(location.search);
  if (!part.has("at")) location.replace(`?at=${location.hash.slice(7)}${location.hash}`);
}

if (live) {
  status.textContent = "● live";
  timer = setTimeout(look, EVERY);
  document.addEventListener("visibilitychange", () => document.hidden || look());
  addEventListener("online", look);
}

// What was typed is kept in this tab until it was logged

for (const form of document.querySelectorAll("form[data-keep]")) {
  const name = `typed ${form.dataset.keep}`;
  const box = form.querySelector("textarea");
  if (new URLSearchParams(location.search).get("did")?.startsWith("logged")) sessionStorage.removeItem(name);
  else if (!box.value) box.value = sessionStorage.getItem(name) ?? "";
  box.addEventListener("input", () => sessionStorage.setItem(name, box.value));
}

// A form is sent once, also when its button is pressed twice

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-once]");
  if (!form) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// Keys

const KEYS = [["n", "write an entry"], ["j", "next entry or section"], ["k", "the one before"], ["e", "edit it"], ["/", "search or filter"], ["i", "all incidents"], ["?", "this list"]];
const areKeysOn = () => localStorage.getItem("keys") !== "off";
const entries = () => [...document.querySelectorAll(".entries .entry, .part")];

function step(by) {
  const all = entries();
  if (!all.length) return;
  const at = all.findIndex((each) => each === document.activeElement);
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function showKeys() {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "keys");
  const title = Object.assign(document.createElement("h2"), { id: "keys", textContent: "Keys" });
  const list = document.createElement("dl");
  for (const [key, what] of KEYS) {
    const term = document.createElement("dt");
    term.append(Object.assign(document.createElement("code"), { textContent: key }));
    list.append(term, Object.assign(document.createElement("dd"), { textContent: what }));
  }
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: areKeysOn() });
  box.addEventListener("change", () => localStorage.setItem("keys", box.checked ? "on" : "off"));
  label.append(box, "Listen to these keys");
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close", autofocus: true });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(title, list, label, close);
  document.body.append(dialog);
  dialog.showModal();
}

function unfold(summary) {
  summary.parentElement.open = true;
  summary.parentElement.querySelector("input, select")?.focus();
}

const DEEDS = {
  n: () => document.getElementById("text")?.focus(),
  j: () => step(1),
  k: () => step(-1),
  e: () => document.activeElement.dataset?.edit && location.assign(document.activeElement.dataset.edit),
  i: () => location.assign("/incidents"),
  "/": () => {
    const search = document.querySelector("input[type=search]");
    const filter = document.querySelector(".filters > summary");
    if (search) search.focus();
    else if (filter) unfold(filter);
  },
  "?": showKeys,
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, dialog");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) return event.target.form.requestSubmit();
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !areKeysOn()) return;
  const deed = DEEDS[event.key];
  if (!deed) return;
  event.preventDefault();
  deed();
});
const keysButton = document.querySelector("[data-keys]");
if (keysButton) {
  keysButton.hidden = false;
  keysButton.addEventListener("click", showKeys);
}
