// The puppet alone, for as long as there is one: taken by WHEP, and taken again where it stops.

import { Desk } from "./desk.js";
import { playAtOnce, preferVp8 } from "./peer.js";

const AGAIN_MS = [500, 1000, 2000, 4000];
const STILL_MS = 3000; // without a new picture

const video = document.getElementById("puppet");
const name = location.pathname.split("/").pop();
const desk = new Desk(new URLSearchParams(location.search).get("key") ?? "");
let pc = null;
let seat = null;
let tries = 0;
let againMs = 0;
let aliveMs = 0;
let shownTime = -1;

async function take() {
  againMs = null;
  drop();
  const own = (pc = new RTCPeerConnection({ iceServers: await desk.json(`/api/whep/${name}/ice`), bundlePolicy: "max-bundle" }));
  const puppet = new MediaStream();
  own.addEventListener("track", ({ track, receiver }) => {
    playAtOnce(receiver);
    puppet.addTrack(track);
    if (own === pc) show(puppet);
  });
  preferVp8(own.addTransceiver("video", { direction: "recvonly" }));
  own.addTransceiver("audio", { direction: "recvonly" });
  await own.setLocalDescription(await own.createOffer());
  await new Promise((done) => {
    setTimeout(done, 1500);
    own.addEventListener("icegatheringstatechange", () => own.iceGatheringState === "complete" && done());
  });
  const headers = { "Content-Type": "application/sdp" };
  const answer = await desk.ask(`/api/whep/${name}`, { method: "POST", headers, body: own.localDescription.sdp });
  seat = answer.headers.get("Location");
  aliveMs = performance.now() + STILL_MS; // for the way to be found
  await own.setRemoteDescription({ type: "answer", sdp: await answer.text() });
}

/** With sound where the browser allows that without a press; else silent until there is one. */
async function show(puppet) {
  if (video.srcObject !== puppet) video.srcObject = puppet;
  video.muted = false;
  await video.play().catch(() => {
    video.muted = true;
    return video.play().catch(() => {});
  });
}

function again() {
  video.classList.add("is-gone");
  againMs = performance.now() + AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)];
  tries += 1;
  drop();
}

function drop() {
  if (seat) desk.ask(seat, { method: "DELETE", keepalive: true }).catch(() => {});
  pc?.close();
  pc = seat = null;
}

function beat() {
  const nowMs = performance.now();
  if (pc === null) {
    if (againMs !== null && nowMs >= againMs) take().catch(again);
    return;
  }
  if (seat === null) return; // on its way
  if (video.currentTime !== shownTime) {
    if (shownTime > 0 && video.videoWidth) {
      video.classList.remove("is-gone");
      tries = 0;
    }
    shownTime = video.currentTime;
    aliveMs = Math.max(aliveMs, nowMs);
  } else if (nowMs - aliveMs > STILL_MS && !document.hidden) {
    again();
  }
}

for (const press of ["pointerdown", "keydown"]) addEventListener(press, () => (video.muted = false));
addEventListener("pagehide", drop);
new Worker("/assets/beat-worker.js").addEventListener("message", beat);
