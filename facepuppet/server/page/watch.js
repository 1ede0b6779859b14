// The puppet alone, for as long as there is one: taken by WHEP, and taken again where it stops.

import { Desk } from "./desk.js";
import { gathered, playAtOnce, preferVp8 } from "./peer.js";

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
let nDecoded = 0;

async function take() {
  againMs = null;
  drop();
  nDecoded = 0;
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
  await gathered(own);
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

/** A worker's beat: look whether pictures still come; they are counted in a hidden tab, too. */
async function beat() {
  const own = pc;
  if (own === null && againMs !== null && performance.now() >= againMs) take().catch(again);
  if (own === null || seat === null) return;
  const n = decoded(await own.getStats());
  if (own !== pc) return;
  if (n > nDecoded) {
    video.classList.remove("is-gone");
    tries = 0;
    aliveMs = Math.max(aliveMs, performance.now());
  } else if (performance.now() - aliveMs > STILL_MS || own.connectionState === "failed") {
    again();
  }
  nDecoded = n;
}

function decoded(stats) {
  return [...stats.values()].find((one) => one.type === "inbound-rtp" && one.kind === "video")?.framesDecoded ?? 0;
}

for (const press of ["pointerdown", "keydown"]) addEventListener(press, () => (video.muted = false));
addEventListener("pagehide", drop);
new Worker("/assets/beat-worker.js").addEventListener("message", beat);
