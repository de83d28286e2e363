// Moments as the acting person reads them: everything is formatted in a named time zone.

const made = new Map();

function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!made.has(key)) {
    let formatter;
    try {
      formatter = new Intl.DateTimeFormat("en-US", { ...options, timeZone: zone });
    } catch {
      formatter = new Intl.DateTimeFormat("en-US", { ...options, timeZone: "UTC" });
    }
    made.set(key, formatter);
  }
  return made.get(key);
}

const show = (seconds, zone, options) => format(zone, options).format(new Date(seconds * 1000));

export const clock = (seconds, zone) => show(seconds, zone, { hour: "numeric", minute: "2-digit" });
export const full = (seconds, zone) =>
  show(seconds, zone, { dateStyle: "full", timeStyle: "medium" });

/** "2024-06-03" of a moment in a zone; days compare and sort as text. */
export function dayOf(seconds, zone) {
  const parts = Object.fromEntries(
    format(zone, { year: "numeric", month: "2-digit", day: "2-digit" })
      .formatToParts(new Date(seconds * 1000))
      .map((part) => [part.type, part.value]),
  );
  return `${parts.year}-${parts.month}-${parts.day}`;
}

function ordinal(day) {
  const tens = day % 100;
  if (tens >= 11 && tens <= 13) return `${day}th`;
  return `${day}${{ 1: "st", 2: "nd", 3: "rd" }[day % 10] ?? "th"}`;
}

function written(seconds, zone, { weekday = false, short = false } = {}) {
  const month = show(seconds, zone, { month: short ? "short" : "long" });
  const day = Number(show(seconds, zone, { day: "numeric" }));
  const year = show(seconds, zone, { year: "numeric" });
  const front = weekday ? `${show(seconds, zone, { weekday: "long" })}, ` : "";
  return `${front}${month} ${short ? day : ordinal(day)}, ${year}`;
}

function near(seconds, zone, now) {
  const days = { 0: "today", "-1": "yesterday", 1: "tomorrow" };
  for (const [offset, word] of Object.entries(days)) {
    if (dayOf(seconds, zone) === dayOf(now + Number(offset) * 86400, zone)) return word;
  }
  return null;
}

/** The words over a new day in a channel: "Today", "Yesterday" or "Monday, June 3rd, 2024". */
export function dayHeading(seconds, zone, now) {
  const word = near(seconds, zone, now);
  return word && word !== "tomorrow" ? word[0].toUpperCase() + word.slice(1) : written(seconds, zone, { weekday: true });
}

export function ago(seconds, now) {
  const gap = Math.abs(now - seconds);
  const steps = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];
  for (const [unit, size] of steps) {
    if (gap >= size) {
      const count = Math.floor(gap / size);
      const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
      return now >= seconds ? `${words} ago` : `in ${words}`;
    }
  }
  return "just now";
}

/** Fill Slack's date tokens: `{date_short_pretty} at {time}`. Unknown tokens stay as typed. */
export function dateTokens(pattern, seconds, zone, now) {
  const pretty = (text) => near(seconds, zone, now) ?? text;
  const known = {
    date_num: () => dayOf(seconds, zone),
    date_slash: () => show(seconds, zone, { year: "numeric", month: "2-digit", day: "2-digit" }),
    date: () => written(seconds, zone),
    date_short: () => written(seconds, zone, { short: true }),
    date_long: () => written(seconds, zone, { weekday: true }),
    date_pretty: () => pretty(written(seconds, zone)),
    date_short_pretty: () => pretty(written(seconds, zone, { short: true })),
    date_long_pretty: () => pretty(written(seconds, zone, { weekday: true })),
    day_divider_pretty: () => pretty(written(seconds, zone, { weekday: true })),
    time: () => clock(seconds, zone),
    time_secs: () => show(seconds, zone, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
    ago: () => ago(seconds, now),
  };
  return pattern.replace(/\{([a-z_]+)\}/g, (whole, token) => (known[token] ? known[token]() : whole));
}

/** "UTC-04:00" style offset of a zone at a moment. */
export function offsetOf(seconds, zone) {
  const part = format(zone, { timeZoneName: "longOffset" })
    .formatToParts(new Date(seconds * 1000))
    .find((each) => each.type === "timeZoneName");
  return (part?.value ?? "UTC").replace("GMT", "UTC");
}
