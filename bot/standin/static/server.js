// The stand-in's own endpoints. Its page and its tests use the same ones.

async function answerOf(response) {
  try {
    return await response.json();
  } catch {
    return { ok: false, error: `http_${response.status}`, hint: `The stand-in answered ${response.status}.` };
  }
}

async function ask(path, query) {
  const response = await fetch(`${path}?${new URLSearchParams(query)}`, { cache: "no-store" });
  if (!response.ok) throw new Error((await answerOf(response)).hint ?? `${path} answered ${response.status}`);
  return response.json();
}

async function post(path, body) {
  try {
    const response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    return await answerOf(response);
  } catch {
    return { ok: false, error: "unreachable", hint: "The stand-in does not answer. Is it still running?" };
  }
}

export const readState = (as) => ask("/ui/state", as ? { as } : {});
export const readMessages = (as, channel) => ask("/ui/messages", { as, channel, limit: 300 }).then((answer) => answer.messages ?? []);
export const readReplies = (as, channel, ts) => ask("/ui/replies", { as, channel, ts }).then((answer) => answer.messages ?? []);
export const sendAct = (body) => post("/ui/act", body);
export const sendStory = (body) => post("/ui/story", body);

/** Listen for changes; reconnects by itself. Gives a function that ends it. */
export function listen(as, onchange, onstatus) {
  let socket = null;
  let pause = 250;
  let isOver = false;
  const connect = () => {
    if (isOver) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/ui/live?as=${encodeURIComponent(as)}`);
    socket.addEventListener("open", () => {
      pause = 250;
      onstatus(true);
      onchange(["state", "messages", "views"]);
    });
    socket.addEventListener("message", (event) => {
      const change = JSON.parse(event.data);
      if (change.type === "changed") onchange(change.what ?? []);
    });
    socket.addEventListener("close", () => {
      if (isOver) return;
      onstatus(false);
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, 5000);
    });
  };
  connect();
  return () => {
    isOver = true;
    socket?.close();
  };
}

/** A file as base64, for do=upload. */
export async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}
