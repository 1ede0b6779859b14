// How things stand, in words for a person. Kinds: good, warn, bad, idle, wait, record; each has a sign beside its colour.

const DARK = 40 / 255; // mean brightness of the face; the same bounds as facepuppet-calibrate has
const BRIGHT = 235 / 255;

/** The one thing to know first: {kind, word, title}. */
export function headline(message, link) {
  if (link.word === "refused") return { kind: "bad", word: "wrong token", title: "wrong token" };
  if (link.word === "lost") return { kind: "bad", word: "connection lost", title: "⚠ connection lost" };
  if (!message) return { kind: "wait", word: "connecting", title: "connecting" };
  const { state } = message;
  const recorded = message.recording?.on ? ", recording" : "";
  const tell = (kind, word, title) => ({ kind, word: word + recorded, title: title + recorded });
  if (state.panic) return tell("bad", "panic: card sent", "PANIC");
  if (state.away) return tell("idle", "away: the puppet idles", "○ away");
  if (state.frozen) return tell("idle", "frozen", "❄ frozen");
  if (state.presence === "present") return tell("good", "live", "● live");
  return tell("warn", presence(state).word, "◌ live, no face");
}

/** How the tracker stands to the person, of whose face some parts may be hidden. */
export function presence(state, hidden = []) {
  if (state.away) return { kind: "idle", word: "not listened to", more: "You are away; the puppet idles." };
  return {
    present: { kind: "good", word: "followed", more: followed(hidden) },
    held: { kind: "warn", word: "face just lost", more: "The last pose is held." },
    easing: { kind: "warn", word: "no face", more: "The puppet goes back to rest." },
    away: { kind: "idle", word: "nobody in sight", more: "The puppet idles until a face is seen." },
  }[state.presence];
}

function followed(hidden) {
  if (!hidden.length) return "The puppet does what you do.";
  return `Something is before your face (${hidden.join(", ")}): what it hides eases to rest.`;
}

export function light(value) {
  if (value === null) return { kind: "idle", word: "not measured", more: "No camera sees a face." };
  if (value < DARK) return { kind: "warn", word: "too dark", more: "Switch on a light in front of you." };
  if (value > BRIGHT) return { kind: "warn", word: "too bright", more: "Turn away from the light, or dim it." };
  return { kind: "good", word: "good", more: "" };
}

export function quality({ quality, asked_quality }) {
  if (asked_quality !== "auto") return { kind: "idle", word: quality, more: "Kept, as you asked." };
  if (quality === "best") return { kind: "good", word: quality, more: "This machine has room." };
  return { kind: "idle", word: quality, more: "Chosen so that pictures come in time on this machine." };
}

export function sentTo({ output, missing }) {
  if (missing.length) return { kind: "warn", word: `${output}: not there yet`, more: missing.join(" ") };
  return { kind: "good", word: output, more: "" };
}

export function readers(names) {
  if (!names.length) return { kind: "idle", word: "nobody", more: "No program has the camera open." };
  return { kind: "good", word: names.join(", "), more: "" };
}

export function recording(one) {
  if (one.on) return { kind: "record", word: "on", more: one.path };
  if (one.problem) return { kind: "warn", word: "ended early", more: one.problem };
  return { kind: "idle", word: "off", more: one.path ? `The last one: ${one.path}` : "" };
}

export function sound(one) {
  const way = [one.source, one.sink].filter(Boolean).join(" → ");
  if (one.problem) return { kind: "bad", word: "trouble", more: one.problem };
  if (one.muted) return { kind: "idle", word: "muted", more: way };
  if (one.running === false) return { kind: "warn", word: "not running", more: way };
  if (!one.sink) return { kind: "good", word: "heard", more: `${way} · ${level(one.peak_dbfs)}` };
  const delay = one.measured_s ?? one.wanted_s;
  const parts = [way, `${milliseconds(delay * 1000)} behind`, level(one.peak_dbfs)];
  return { kind: "good", word: "in time", more: parts.filter(Boolean).join(" · ") };
}

function level(dbfs) {
  if (typeof dbfs !== "number") return "";
  return dbfs <= -90 ? "silence" : `peak ${Math.round(dbfs)} dB`;
}

export function milliseconds(value) {
  return value === null || value === undefined ? "–" : `${Math.round(value)} ms`;
}

export function percent(share) {
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}
