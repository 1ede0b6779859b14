// The page: a code, a choice, a camera, perhaps a line, a puppet, and an end.

import { Trouble, adapt, openMedia, stop } from "./camera.js";
import { chosenName, offer, wish } from "./choose.js";
import { Desk } from "./desk.js";
import * as live from "./live.js";
import { banner, by, say, stand, tell, view } from "./parts.js";
import { Show } from "./show.js";

const KEPT = "facepuppet-code";
const REOPEN_MS = 2000;
const TITLES = {
  left: "You have left",
  silent: "Nothing came from you",
  lost: "The connection was lost",
  revoked: "The right was taken back",
  closing: "The server closes",
  full: "No place now",
  failed: "Something failed",
};

let desk = null;
let show = null;
let attempt = null;
let media = new MediaStream();
let reopenMs = null; // when to try a device again that was taken away

/** The code comes in the address, whose part after # no server sees; it leaves it at once, for screens are shared. */
function codeOfAddress() {
  const said = new URLSearchParams(location.hash.slice(1)).get("token");
  if (said) {
    sessionStorage.setItem(KEPT, said);
    history.replaceState(null, "", location.pathname);
  }
  return said ?? sessionStorage.getItem(KEPT);
}

async function comeIn(code) {
  if (!code) return askForCode("");
  desk = new Desk(code);
  try {
    const avatars = await desk.json("/api/avatars");
    sessionStorage.setItem(KEPT, code);
    if (avatars.length === 0) return end({ why: "refused", message: "No avatar is offered for this access code." });
    offer(avatars, desk);
    choose();
  } catch (over) {
    if (over.again) return end(over);
    sessionStorage.removeItem(KEPT);
    askForCode(over.message);
  }
}

function askForCode(sentence) {
  stand("wait", "access code");
  banner(sentence);
  view("code", by("code"));
}

function choose() {
  stand("wait", "choose");
  view("choose");
}

async function start(event) {
  event.preventDefault();
  const chosen = wish();
  if (chosen === null || show !== null) return;
  banner("");
  wait("Allow it in the browser’s question", "It is beside the page’s address.");
  const asked = (attempt = Symbol("attempt"));
  let opened;
  try {
    opened = await openMedia({
      camera: chosen.driven_by === "camera",
      sound: chosen.driven_by !== "text" && chosen.sound,
    });
  } catch (error) {
    if (asked !== attempt) return;
    choose();
    if (!(error instanceof Trouble)) throw error;
    stand("bad", "cannot start");
    return banner(error.message);
  }
  if (asked !== attempt) return stop(opened); // they have left meanwhile
  media = opened;
  const sound = chosen.driven_by === "text" || media.getAudioTracks().length > 0;
  begin({ ...chosen, sound });
}

function begin(chosen) {
  show = new Show(desk, chosen, media);
  const own = show;
  const listen = (kind, act) => own.addEventListener(kind, ({ detail }) => own === show && act(detail));
  wait(`${chosenName()} is being prepared`, "The first time this takes some seconds.");
  live.perform(show, { wish: chosen, media });
  listen("line", inLine);
  listen("joined", (joined) => {
    by("place").hidden = true;
    live.joined(joined);
  });
  listen("open", live.opened);
  listen("picture", live.picture);
  listen("status", (status) => {
    if (by("live-view").hidden) enter();
    live.status(status);
  });
  listen("note", live.note);
  listen("ask", (ask) => adapt(media, ask));
  listen("lost", live.lost);
  listen("over", end);
  media.getTracks().forEach(watchOver);
  show.start();
}

/** Take up a camera or microphone again that was unplugged. */
function watchOver(track) {
  const own = show;
  track.addEventListener("ended", () => {
    if (own !== show) return;
    const what = track.kind === "video" ? "camera" : "microphone";
    live.note(`Your ${what} is gone: plug it in, and it is taken up again by itself.`);
    reopenMs = performance.now() + REOPEN_MS;
  });
}

async function reopen() {
  const own = show;
  const gone = media.getTracks().filter((track) => track.readyState === "ended");
  const kinds = gone.map((track) => track.kind);
  reopenMs = null;
  try {
    const again = await openMedia({ camera: kinds.includes("video"), sound: kinds.includes("audio") });
    if (own !== show) return stop(again);
    for (const track of gone) media.removeTrack(track);
    for (const track of again.getTracks()) {
      media.addTrack(track);
      watchOver(track);
      show.replace(track);
    }
    live.seeYourself(media);
    live.note("It is back.");
  } catch {
    if (own === show) reopenMs = performance.now() + REOPEN_MS;
  }
}

function beat() {
  show?.beat();
  if (show !== null && reopenMs !== null && performance.now() >= reopenMs) reopen();
}

function enter() {
  view("live", by("live-title"));
  tell("Your puppet is live.");
}

function wait(title, words) {
  stand("wait", "starting");
  say(by("wait-title"), title);
  say(by("wait-words"), words);
  by("place").hidden = true;
  view("wait", by("wait-view"));
}

function inLine(place) {
  if (by("wait-view").hidden) view("wait", by("wait-view"));
  banner("");
  stand("wait", `place ${place} in line`);
  say(by("wait-title"), place === 1 ? "You are next" : "All places are taken");
  say(by("wait-words"), "Stay on this page: it begins by itself as soon as there is room.");
  say(by("place-number"), String(place));
  by("place").hidden = false;
  tell(`Place ${place} in line.`);
}

function end(over) {
  show?.leave();
  show = attempt = reopenMs = null;
  stop(media);
  media = new MediaStream();
  by("camera").srcObject = by("puppet").srcObject = null;
  banner("");
  stand(over.why === "left" ? "wait" : "bad", "ended");
  say(by("over-title"), TITLES[over.why] ?? "This does not work");
  say(by("over-words"), over.message);
  say(by("over-again"), over.why === "left" ? "Start again" : "Try again");
  view("over", by("over-view"));
}

function leave() {
  end({ why: "left", message: "Camera and microphone are off." });
}

by("code-view").addEventListener(
  "submit",
  (event) => (event.preventDefault(), banner(""), comeIn(by("code").value.trim())),
);
by("choose-view").addEventListener("submit", start);
by("wait-leave").addEventListener("click", leave);
by("over-again").addEventListener("click", () => comeIn(codeOfAddress()));
live.listen(leave, () => media);
addEventListener("hashchange", () => show === null && comeIn(codeOfAddress())); // a code pasted into this very tab
addEventListener("pagehide", () => show?.leave());
new Worker("/assets/beat-worker.js").addEventListener("message", beat);
comeIn(codeOfAddress());
