// The puppet, how it goes, and what can be done with it.

import { banner, by, make, say, stand, tell } from "./parts.js";

const NOTES_MS = 20_000;
const MOST_NOTES = 2;
const UNSEEN_MS = 2000;
const UNSEEN = "No face is in sight: sit where your camera sees you.";
const DARK = 40 / 255; // mean brightness of the face; the same bounds as facepuppet-calibrate has
const BRIGHT = 235 / 255;

let show = null;
let driver = "camera";
let seenMs = 0; // when a face was seen last
let notes = []; // {sentence, atMs}
let pressed = { panic: false, mute: false, hear: false };

/** Begin to show a performance: what was wished for, and what drives it. */
export function perform(newShow, { wish, media }) {
  show = newShow;
  const mic = media.getAudioTracks()[0];
  driver = wish.driven_by;
  seenMs = performance.now();
  notes = [];
  pressed = { panic: false, mute: false, hear: driver === "text" };
  seeYourself(media);
  by("talk").hidden = driver !== "text";
  by("recentre").hidden = driver !== "camera";
  by("mute").hidden = !mic;
  by("hear").hidden = !mic && driver !== "text";
  by("puppet-empty").hidden = false;
  by("figures").replaceChildren();
  by("notes").replaceChildren();
  showPresses();
}

/** The camera's own picture, for who sits before it. */
export function seeYourself(media) {
  const pictures = media.getVideoTracks();
  by("own").hidden = pictures.length === 0;
  by("camera").srcObject = pictures.length ? new MediaStream(pictures) : null;
}

export function picture(stream) {
  const video = by("puppet");
  if (video.srcObject !== stream) video.srcObject = stream;
  play();
}

export function status(told) {
  by("puppet-empty").hidden = true;
  by("frame").classList.remove("is-lost");
  banner("");
  const hidden = isHidden(told);
  stand(hidden ? "warn" : "good", hidden ? "no face in sight" : "live");
  figures(told);
  showNotes([...(hidden ? [UNSEEN] : []), ...lightNotes(told.light), ...(told.notes ?? [])]);
}

/** Whether the camera has seen no face for a while: who looks aside for a moment need not be told. */
function isHidden({ face }) {
  const nowMs = performance.now();
  if (face !== false || driver !== "camera") seenMs = nowMs;
  return nowMs - seenMs > UNSEEN_MS;
}

function lightNotes(light) {
  if (typeof light !== "number") return [];
  if (light < DARK) return ["Your face is dark: switch on a light in front of you."];
  if (light > BRIGHT) return ["Your face is too bright: turn away from the light, or dim it."];
  return [];
}

/** A line that was told once; it stays a while. */
export function note(sentence) {
  notes = [...notes.filter((one) => one.sentence !== sentence), { sentence, atMs: performance.now() }].slice(
    -MOST_NOTES,
  );
  tell(sentence);
  showNotes([]);
}

export function lost(sentence) {
  stand("wait", "coming back");
  banner(`${sentence} Coming back by itself…`);
  by("frame").classList.add("is-lost");
}

export function joined({ watch }) {
  by("link").value = new URL(watch, location.href).href;
}

/** Who was hidden stays hidden after a return, too. */
export function opened() {
  if (pressed.panic) show.say({ do: "panic", values: { on: true } });
}

/** Listen to the buttons, once. */
export function listen(leave, media) {
  by("leave").addEventListener("click", leave);
  by("panic").addEventListener("click", () => {
    pressed.panic = !pressed.panic;
    show.say({ do: "panic", values: { on: pressed.panic } });
    showPresses();
  });
  by("recentre").addEventListener("click", () => {
    if (show.say({ do: "recentre", values: {} })) tell("Re-centred on how you sit now.");
  });
  by("mute").addEventListener("click", () => {
    pressed.mute = !pressed.mute;
    for (const track of media().getAudioTracks()) track.enabled = !pressed.mute;
    showPresses();
  });
  by("hear").addEventListener("click", () => {
    pressed.hear = !pressed.hear;
    showPresses();
    play();
  });
  by("copy").addEventListener("click", copy);
  by("talk").addEventListener("submit", (event) => (event.preventDefault(), speak()));
  by("line").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    speak();
  });
  by("break-off").addEventListener("click", () => show.say({ say: "/stop" }));
}

function speak() {
  const text = by("line").value.trim();
  if (!text) return;
  // To a host one slash begins a command, two a text that begins with one.
  if (!show.say({ say: text.startsWith("/") ? `/${text}` : text }))
    return note("Your puppet is not there yet: try again in a moment.");
  by("line").value = "";
  by("line").focus();
}

/** Without sound where the browser wants a press first: the button then brings it. */
async function play() {
  const video = by("puppet");
  video.muted = !pressed.hear;
  await video.play().catch(() => {
    pressed.hear = false;
    video.muted = true;
    showPresses();
    return video.play().catch(() => {});
  });
}

function showPresses() {
  by("puppet").muted = !pressed.hear;
  for (const [id, on, off] of [
    ["panic", "Show me again", "Hide me at once"],
    ["mute", "Unmute my voice", "Mute my voice"],
    ["hear", "Stop listening", "Listen in"],
  ]) {
    by(id).classList.toggle("is-on", pressed[id]);
    say(by(id), pressed[id] ? on : off);
  }
}

function figures({ fps, delay_ms, size, watchers, step }) {
  const rows = [
    ["Rate", fps === undefined ? undefined : `${fps.toFixed(0)} / s`],
    ["Delay", delay_ms === undefined || delay_ms === null ? undefined : `${Math.round(delay_ms)} ms`],
    ["Size", size && `${size[0]} × ${size[1]}`],
    ["Watching", watchers === undefined ? undefined : String(watchers)],
    ["Quality", step],
  ].filter(([, value]) => value !== undefined && value !== null);
  const list = by("figures");
  if (list.childElementCount !== rows.length) {
    list.replaceChildren(...rows.map(([name]) => make("div", {}, make("dt", { text: name }), make("dd"))));
  }
  rows.forEach(([name, value], i) => {
    say(list.children[i].children[0], name);
    say(list.children[i].children[1], value);
  });
}

function showNotes(lasting) {
  const nowMs = performance.now();
  notes = notes.filter((one) => nowMs - one.atMs < NOTES_MS);
  const lines = [...new Set([...lasting, ...notes.map((one) => one.sentence)])];
  const list = by("notes");
  list.hidden = lines.length === 0;
  if ([...list.children].map((one) => one.textContent).join("\n") === lines.join("\n")) return;
  list.replaceChildren(...lines.map((text) => make("li", { text })));
}

async function copy() {
  by("link").select();
  try {
    await navigator.clipboard.writeText(by("link").value);
    say(by("copy"), "Copied");
    tell("The link is copied.");
    setTimeout(() => say(by("copy"), "Copy"), 2000);
  } catch {
    tell("The link is selected: copy it with the keyboard."); // without https there is no clipboard
  }
}
