// The control room: puts the parts together.

import { bitKeys } from "./bits.js";
import { dockButton } from "./controls.js";
import { known } from "./known.js";
import { listenToKeys } from "./keys.js";
import { Link } from "./link.js";
import { buildFigures, buildStandings, switchSentences } from "./meters.js";
import { Mini, MINI_PX } from "./mini.js";
import { MoodMap } from "./mood-map.js";
import { make, mark, say } from "./parts.js";
import { drawMesh, Picture, pointsOf } from "./pictures.js";
import { buildSettings } from "./settings.js";
import { complain, expireToasts } from "./toasts.js";
import { headline, readers } from "./words.js";

const WIDEST_PX = 640;
const STALE_MS = 2000;
const by = (id) => document.getElementById(id);

const token = takeToken();
const link = new Link(token);
let message = null; // the newest state
let standing = { word: "connecting", why: "" };
let mini = null;
let cameraOn = false;
let moodMap = null; // while it is shown
let refusedBefore = null;
const newest = { output: -Infinity, camera: -Infinity }; // when the newest picture came
const updates = [];
let showFigures = () => {};
const pictures = { output: new Picture(by("outgoing")), camera: new Picture(by("camera")) };

/** Take the token out of the address, which may be seen when a screen is shared; this tab keeps it over a reload. */
function takeToken() {
  const given = new URLSearchParams(location.search).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  return given ?? sessionStorage.getItem("token") ?? "";
}

const sentences = [];

/** Tell screen readers; what comes at once is read in one go. */
function tell(sentence) {
  sentences.push(sentence);
}

function readOut() {
  if (sentences.length) by("told").textContent = sentences.splice(0).join(" ");
}

async function ask(verb, values) {
  try {
    await link.do(verb, values);
    return true;
  } catch (error) {
    complain(error.message);
    return false;
  }
}

/** Ask for the pictures that somebody can see now. */
function watch() {
  const isSeen = !document.hidden;
  const frame = by("outgoing-frame").clientWidth * devicePixelRatio;
  const width = Math.min(WIDEST_PX, Math.max(160, Math.ceil(frame / 160) * 160));
  link.watch({
    output: isSeen ? width : mini?.isOpen ? MINI_PX : 0,
    mesh: isSeen,
    camera: isSeen && cameraOn,
    mood: isSeen && moodMap !== null,
  });
}

function showCamera(on) {
  cameraOn = on;
  newest.camera = performance.now();
  say(by("camera-button"), on ? "Hide my camera" : "Show my camera");
  say(by("camera-empty"), on ? "Waiting for a picture" : "Not shown");
  by("own").classList.toggle("is-shown", on);
  by("camera").hidden = true;
  by("camera-empty").hidden = false;
  pictures.camera.clear();
  watch();
}

/** The map of moods: nothing is asked for before its button is pressed, and nothing of it is kept. */
function showMood(on) {
  by("mood").hidden = !on; // first: a canvas that is not laid out has no size
  moodMap = on ? new MoodMap(by("mood")) : null;
  say(by("mood-button"), on ? "Hide the map" : "Show the map");
  say(by("mood-words"), "");
  watch();
}

function onMood({ detail }) {
  link.seen(detail.id);
  if (moodMap) say(by("mood-words"), moodMap.show(new DataView(detail.bytes), detail.receivedMs));
}

function refreshHeadline() {
  const now = headline(message, standing);
  mark(by("standing"), "data-kind", now.kind);
  say(by("standing").querySelector(".word"), now.word);
  document.title = `${now.title} – facepuppet`;
  document.body.classList.toggle("is-panic", standing.word === "open" && message?.state.panic === true);
  mini?.headline(now);
}

function onState({ detail }) {
  message = detail;
  for (const update of updates) update(message);
  mini?.update(message);
  say(by("readers"), `read by ${readers(message.readers).word}`);
  const { refused } = message.state; // what a command came to that could not be obeyed later
  if (refusedBefore !== null && refused && refused !== refusedBefore) complain(refused);
  refusedBefore = refused;
  refreshHeadline();
  readOut();
}

function onStanding({ detail }) {
  if (standing.word !== detail.word) {
    tell({ open: "Connected.", lost: "Connection lost.", refused: "Wrong token." }[detail.word]);
  }
  standing = detail;
  const banner = by("banner");
  banner.hidden = detail.word === "open";
  const later =
    " Trying again. If facepuppet still runs, the call goes on as it stood, and the letters in its terminal work.";
  say(banner, detail.why + (detail.word === "lost" ? later : ""));
  const isOpen = detail.word === "open";
  document.body.classList.toggle("is-lost", !isOpen);
  say(by("standings-title"), isOpen ? "How things stand" : "How things stood");
  if (!isOpen) showFigures(null);
  refreshHeadline();
  readOut();
}

async function onPicture(kind, canvas, { detail }) {
  const { id, ageMs, bytes, receivedMs } = detail;
  if (kind === "camera" && !cameraOn) return void link.seen(id);
  if (kind === "output") mini?.show(bytes);
  const isShown = await pictures[kind].show(bytes).catch(() => false);
  link.seen(id);
  if (!isShown || (kind === "camera" && !cameraOn)) return;
  newest[kind] = performance.now();
  canvas.hidden = false;
  by(`${canvas.id}-empty`).hidden = true;
  const behindMs = ageMs + performance.now() - receivedMs;
  canvas.dispatchEvent(new CustomEvent("shown", { detail: { id, behindMs, atMs: Date.now() } }));
}

function onMesh({ detail }) {
  const points = pointsOf(detail.bytes);
  link.seen(detail.id);
  drawMesh(by("mesh"), points);
  mark(by("mesh"), "aria-label", points.face.length ? "The tracked face, drawn as lines" : "No face is tracked");
}

/** A beat of the worker: everything that is due by time, in a hidden tab too. */
function onBeat() {
  const nowMs = performance.now();
  link.beat();
  expireToasts(nowMs);
  if (cameraOn && nowMs - newest.camera > STALE_MS) {
    by("camera").hidden = true;
    by("camera-empty").hidden = false;
    say(by("camera-empty"), "No picture comes: a script or a recording has none.");
  }
  const isStale = !document.hidden && nowMs - newest.output > STALE_MS;
  by("outgoing-frame").classList.toggle("is-stale", isStale);
  say(by("outgoing-empty"), newest.output === -Infinity ? "No picture yet" : "No new picture comes");
  by("outgoing-empty").hidden = !isStale;
}

/** Copy the stage's address, which is not shown: a shared screen would give it away. */
async function copyStage() {
  const answer = await link.fetch("/api/stage").catch(() => null);
  if (!answer?.ok) return complain("facepuppet does not answer.");
  const { address } = await answer.json();
  try {
    await navigator.clipboard.writeText(address);
    say(by("stage-copy"), "Copied");
  } catch {
    complain("This browser does not let the page copy. The terminal shows the stage’s address.");
  }
}

function buildHelp(verbs) {
  for (const verb of verbs.filter((one) => one.key)) {
    const key = make("dt", {}, make("kbd", { text: verb.key }));
    by("help-keys").append(make("div", {}, key, make("dd", { text: `${known(verb).label}: ${verb.meaning}` })));
  }
  by("api-link").href = `/api?token=${encodeURIComponent(token)}`;
  by("help-button").addEventListener("click", () => by("help").showModal());
  by("stage-copy").addEventListener("click", copyStage);
  by("help-close").addEventListener("click", () => by("help").close());
}

function build(verbs) {
  const fits = (verb) => verb.key && verb.parameters.every((one, i) => i === 0 && one.kind === "switch");
  const buttons = verbs.filter(fits).map((verb) => ({ verb, ...dockButton(verb, ask) }));
  by("dock-buttons").append(...buttons.map((button) => button.element));
  updates.push(...buttons.map((button) => button.update));
  const presses = new Map(buttons.map((button) => [button.verb.key, button.press]));
  for (const [key, press] of bitKeys(verbs, ask, () => message)) presses.set(key, press);
  presses.set("?", () => by("help").open || by("help").showModal());
  const rest = verbs.filter((verb) => !fits(verb));
  updates.push(...buildSettings(by("settings"), rest, { ask, link, complain }).map((control) => control.update));
  showFigures = buildFigures(by("figures"));
  updates.push(showFigures, buildStandings(by("standings"), tell), switchSentences(tell));
  const listen = (target) => listenToKeys(target, presses);
  listen(document);
  mini = new Mini(by("mini-button"), { verbs, ask, listen, changed: watch });
  buildHelp(verbs);
}

async function start() {
  if (!token)
    return onStanding({
      detail: { word: "refused", why: "This address has no token. Open the one that facepuppet run printed." },
    });
  const answer = await link.fetch("/api/verbs").catch(() => null);
  if (!answer?.ok) {
    const why = answer
      ? "This page's token is not the run's. Open the address that facepuppet run printed."
      : "facepuppet does not answer. Load this page again once it runs.";
    return onStanding({ detail: { word: answer ? "refused" : "lost", why } });
  }
  build(await answer.json());
  link.addEventListener("state", onState);
  link.addEventListener("standing", onStanding);
  link.addEventListener("output", (event) => onPicture("output", by("outgoing"), event));
  link.addEventListener("camera", (event) => onPicture("camera", by("camera"), event));
  link.addEventListener("mesh", onMesh);
  link.addEventListener("mood", onMood);
  by("camera-button").addEventListener("click", () => showCamera(!cameraOn));
  by("mood-button").addEventListener("click", () => showMood(moodMap === null));
  document.addEventListener("visibilitychange", () => (document.hidden && cameraOn ? showCamera(false) : watch()));
  addEventListener("resize", watch);
  new Worker("/assets/beat-worker.js").addEventListener("message", onBeat);
  watch();
  link.open();
}

start();
