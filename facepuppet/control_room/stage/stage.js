// The puppet alone, for as long as there is a run; without one nothing is shown, and the next is waited for.
import { openPainter } from "./painters.js";

const HEAD = 11, KIND = 4;
const AGAIN_MS = 1000;
const AS_IT_IS = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

const painter = openPainter(document.getElementById("stage"));
const token = new URLSearchParams(location.search).get("token") ?? "";

function connect() {
  const socket = new WebSocket(`ws://${location.host}/api/stage?token=${encodeURIComponent(token)}`);
  let showing = Promise.resolve();
  const tell = (what) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(what));
  const heed = () => {
    tell({ watch: !document.hidden });
    if (document.hidden) painter.clear();
  };
  socket.binaryType = "arraybuffer";
  socket.onopen = heed;
  socket.onmessage = ({ data }) => {
    showing = showing.then(() => show(data, socket)).catch(() => {}).then(() => tell({ seen: numberOf(data) }));
  };
  socket.onclose = () => {
    document.removeEventListener("visibilitychange", heed);
    showing.then(() => painter.clear());
    setTimeout(connect, AGAIN_MS);
  };
  document.addEventListener("visibilitychange", heed);
}

function numberOf(data) {
  return new DataView(data).getUint32(1, true);
}

async function show(data, socket) {
  const head = new DataView(data);
  if (head.getUint8(0) !== KIND) return;
  const end = HEAD + head.getUint32(7, true);
  const [picture, matte] = await Promise.all([bitmap(data, HEAD, end), bitmap(data, end, data.byteLength)]);
  if (socket.readyState === WebSocket.OPEN && !document.hidden) painter.paint(picture, matte);
  picture.close();
  matte?.close();
}

async function bitmap(data, begin, end) {
  return begin === end ? null : createImageBitmap(new Blob([data.slice(begin, end)], { type: "image/jpeg" }), AS_IT_IS);
}

connect();
