// The page's own small pictures, so that its buttons look the same where no emoji font is installed.

const PATHS = {
  again: "M19 12a7 7 0 1 1-2.500-5.400M17 2v5h-5",
  bolt: "M13 2 5 13h6l-1 9 8-12h-6z",
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  clip: "m8 12 6-6a3.5 3.5 0 0 1 5 5l-8 8a5.5 5.5 0 0 1-8-8l7-7",
  close: "M6 6l12 12M18 6 6 18",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zm10-3a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  first: "M6 5v14M19 5 9 12l10 7z",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  menu: "M4 7h16M4 12h16M4 17h16",
  more: "M12 5v.01M12 12v.01M12 19v.01",
  next: "M18 5v14M5 5l10 7-10 7z",
  pause: "M8 5v14M16 5v14",
  people: "M9 4a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 20a6.5 6.5 0 0 1 13 0M16 5a3 3 0 0 1 0 6M18 14.500a6 6 0 0 1 3.500 5.500",
  pin: "M9 3h6l-1 6 4 4H6l4-4zM12 13v8",
  play: "M7 4l13 8-13 8z",
  plus: "M12 5v14M5 12h14",
  send: "M3 4l18 8-18 8 3-8zM6 12h8",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 14.500a4.500 4.500 0 0 0 8 0M9 9v.01M15 9v.01",
};

const SVG = "http://www.w3.org/2000/svg";

/** A picture by name, as tall as the text beside it. */
export function icon(name) {
  const node = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "glyph", "aria-hidden": "true" })) node.setAttribute(key, value);
  path.setAttribute("d", PATHS[name]);
  node.append(path);
  return node;
}
