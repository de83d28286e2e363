// The box one writes in: Enter sends, Shift+Enter breaks the line; commands, people, channels and emoji are completed.

import { el, fill, iconButton } from "./dom.js";
import { EMOJI, emojiLike } from "./emoji.js";
import { icon } from "./icons.js";
import { toast } from "./overlay.js";
import { openEmoji, openMenu } from "./picker.js";

/** A composer; `target()` gives {channel, name, thread_ts?}. */
export function composer(ctx, target) {
  const box = el("textarea", { rows: 1, "aria-autocomplete": "list", "aria-label": "Message", autocomplete: "off", spellcheck: "true" });
  const list = el("div", { class: "completions", role: "listbox", "aria-label": "Suggestions", hidden: true });
  const hint = el("div", { class: "hint-line", "aria-live": "polite" });
  const file = el("input", { type: "file", hidden: true, multiple: true, "aria-label": "Files" });
  const sendButton = iconButton("Send", icon("send"), () => send(), { class: "icon send" });
  let offers = [];
  let current = 0;

  async function send() {
    const text = box.value.trim();
    const to = target();
    if (!text || !to) return;
    const isCommand = /^\/[\p{L}\p{N}_-]+(\s|$)/u.test(text);
    if (isCommand && to.thread_ts) return toast("Slash commands do not work in threads. Type it in the channel.");
    box.value = "";
    changed();
    if (isCommand) await runCommand(text, to);
    else await done(await ctx.act({ do: "message", channel: to.channel, thread_ts: to.thread_ts, text }), text);
    return undefined;
  }

  async function runCommand(text, to) {
    const [, command, rest] = /^(\/\S+)\s*([\s\S]*)$/.exec(text);
    if (!ctx.state.commands.some((each) => each.command === command)) {
      box.value = text;
      return toast(`${command} is not a command here. ${ctx.state.commands.length ? `There is ${ctx.state.commands.map((each) => each.command).join(", ")}.` : "No app is installed yet."}`);
    }
    sendButton.classList.add("busy");
    const answer = await ctx.act({ do: "command", channel: to.channel, command, text: rest }, { quietly: ["dispatch_failed"] });
    sendButton.classList.remove("busy");
    if (answer.error === "dispatch_failed") toast(`${command} failed because the app did not respond. ${answer.hint ?? ""}`);
    return done(answer, text);
  }

  function done(answer, text) {
    // What failed goes back into the box, unless something else was typed since.
    if (!answer.ok && !box.value) box.value = text;
    changed();
    list.hidden = true;
    ctx.sent();
  }

  function word() {
    const before = box.value.slice(0, box.selectionStart);
    return /(?:^|\s)([@#:][\p{L}\p{N}_+.-]*)$/u.exec(before)?.[1] ?? (/^\/\S*$/.test(before) ? before : null);
  }

  function suggestions(typed) {
    if (typed === null) return [];
    const rest = typed.slice(1).toLowerCase();
    const begins = (name) => name.toLowerCase().includes(rest);
    if (typed[0] === "/") {
      return ctx.state.commands.filter((each) => each.command.startsWith(typed)).map((each) => ({
        put: `${each.command} `, text: `${each.command} ${each.usage_hint ?? ""}`, note: each.description,
      }));
    }
    if (typed[0] === "@") {
      return ctx.state.users.filter((user) => !user.deleted && (begins(user.name) || begins(user.real_name ?? "")))
        .slice(0, 8).map((user) => ({ put: `@${user.name} `, text: `@${user.name}`, note: user.real_name }));
    }
    if (typed[0] === "#") {
      return ctx.state.channels.filter((each) => !each.is_archived && begins(each.name)).slice(0, 8).map((each) => ({ put: `#${each.name} `, text: `#${each.name}`, note: each.topic }));
    }
    return rest.length < 2 ? [] : emojiLike(rest).map((name) => ({ put: `:${name}: `, text: `${EMOJI.get(name)} :${name}:` }));
  }

  function changed() {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 220)}px`;
    offers = suggestions(word());
    current = 0;
    list.hidden = offers.length === 0;
    fill(list, offers.map((offer, at) => el("div", { class: "row", role: "option", "aria-selected": String(at === 0), onpointerdown: (event) => (event.preventDefault(), take(offer)) },
      el("span", {}, offer.text), offer.note && el("small", {}, offer.note))));
    const command = ctx.state.commands.find((each) => box.value.startsWith(`${each.command} `));
    fill(hint, command ? `${command.command} ${command.usage_hint ?? ""} — ${command.description ?? ""}` : "");
  }

  function take(offer) {
    const end = box.selectionStart;
    const start = end - word().length;
    box.setRangeText(offer.put, start, end, "end");
    box.focus();
    changed();
  }

  box.addEventListener("input", changed);
  box.addEventListener("blur", () => (list.hidden = true));
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const isOpen = !list.hidden && offers.length > 0;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    // A command typed in full is sent, not completed.
    const isWhole = offers[current]?.put.trim() === word();
    if (isOpen && step) {
      current = (current + step + offers.length) % offers.length;
      [...list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === current)));
      list.children[current].scrollIntoView({ block: "nearest" });
      event.preventDefault();
    } else if (isOpen && (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !isWhole))) {
      take(offers[current]);
      event.preventDefault();
    } else if (isOpen && event.key === "Escape") {
      list.hidden = true;
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  });
  box.addEventListener("paste", (event) => event.clipboardData?.files.length && upload(event.clipboardData.files));

  async function upload(chosen) {
    const to = target();
    for (const each of chosen) await ctx.upload(each, to);
    file.value = "";
    ctx.sent();
  }
  file.addEventListener("change", () => upload(file.files));

  function shortcuts(event) {
    openMenu(event.currentTarget, "Shortcuts", [
      ...ctx.state.shortcuts.filter((each) => each.type === "global").map((each) => ({
        label: each.name, note: each.description || each.app, run: () => ctx.act({ do: "shortcut", callback_id: each.callback_id }).then(ctx.refresh),
      })),
      ...ctx.state.commands.map((each) => ({
        label: each.command, note: each.description,
        run: () => ((box.value = `${each.command} `), box.focus(), changed()),
      })),
    ]);
  }

  const insert = (name) => (box.setRangeText(`:${name}: `, box.selectionStart, box.selectionEnd, "end"), box.focus(), changed());
  const node = el("div", { class: "composer" }, list, hint, el("div", { class: "c-box" }, box,
    el("div", { class: "c-row" },
      iconButton("Shortcuts", icon("bolt"), shortcuts, { "aria-haspopup": "menu" }),
      iconButton("Attach a file", icon("clip"), () => file.click()), file,
      iconButton("Emoji", icon("smile"), (event) => openEmoji(event.currentTarget, insert)),
      el("span", { class: "grow" }), sendButton)));
  return { node, box, focus: () => box.focus(), name: (label) => ((box.placeholder = label), box.setAttribute("aria-label", label)), put: (text) => ((box.value = text), box.focus(), changed()) };
}
