// One connection to a host: the driver's picture and voice go there, the puppet comes back, and both speak on a data
// channel, as facepuppet/server/peer_talk.py tells.

const GATHER_MS = 1500;
const CONNECT_MS = 15000;
const SILENT_MS = 1500; // a host says how it stands twice a second
const ALIVE_MS = 1000;
const NAPPED_MS = 1000; // between two beats: the page was asleep, and what was said meanwhile has yet to be read
const MOST_BPS = 2_500_000;

/**
 * Events: "open" (something can be said), "picture" (detail: the puppet's MediaStream), "status", "note", "ask", "over" (detail: as the host says them),
 * "lost" (detail: a sentence).
 */
export class Peer extends EventTarget {
  #pc;
  #channel;
  #puppet = new MediaStream();
  #bornMs = performance.now();
  #heardMs = null;
  #saidMs = 0;
  #beatMs = performance.now();
  #n = 0;
  #isOver = false;

  /** @param media the driver's MediaStream; @param text whether text moves the puppet. */
  constructor(iceServers, media, text) {
    super();
    this.#pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.#channel = this.#pc.createDataChannel("puppet", { ordered: true });
    this.#channel.addEventListener("open", () => this.#emit("open"));
    this.#channel.addEventListener("message", ({ data }) => this.#heard(data));
    this.#channel.addEventListener("close", () => this.#lost("The connection to your puppet ended."));
    this.#pc.addEventListener("track", ({ track, receiver }) => this.#came(track, receiver));
    this.#pc.addEventListener("connectionstatechange", () => {
      if (this.#pc.connectionState === "failed") this.#lost("The connection to your puppet was lost.");
    });
    this.#send(media, text);
  }

  async offer() {
    await this.#pc.setLocalDescription(await this.#pc.createOffer());
    await gathered(this.#pc);
    return this.#pc.localDescription.sdp;
  }

  async accept(answer) {
    this.#bornMs = performance.now(); // the line does not count
    await this.#pc.setRemoteDescription({ type: "answer", sdp: answer });
  }

  /** Say something; false where there is nobody to hear it yet. */
  say(message) {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  /** A worker's beat: look whether the host still speaks, and say that we are here. */
  beat() {
    const nowMs = performance.now();
    if (nowMs - this.#beatMs > NAPPED_MS && this.#heardMs !== null) this.#heardMs = nowMs;
    this.#beatMs = nowMs;
    if (this.#heardMs === null) {
      if (nowMs - this.#bornMs > CONNECT_MS) {
        this.#lost("No way to the host was found. A firewall may hold back WebRTC (UDP): try another network.");
      }
    } else if (nowMs - this.#heardMs > SILENT_MS) {
      this.#lost("Your puppet's host has fallen silent.");
    }
    if (nowMs - this.#saidMs >= ALIVE_MS && this.say({ alive: this.#n })) {
      this.#n += 1;
      this.#saidMs = nowMs;
    }
  }

  /** Wait without a limit: there is a line. */
  wait() {
    this.#bornMs = performance.now();
  }

  close() {
    this.#isOver = true;
    this.#pc.close();
  }

  #send(media, text) {
    const [picture] = media.getVideoTracks();
    const [sound] = media.getAudioTracks();
    const sendEncodings = [{ maxBitrate: MOST_BPS }];
    const video = picture
      ? this.#pc.addTransceiver(picture, { direction: "sendrecv", streams: [media], sendEncodings })
      : this.#pc.addTransceiver("video", { direction: "recvonly" });
    preferVp8(video);
    if (sound) this.#pc.addTransceiver(sound, { direction: "sendrecv", streams: [media] });
    else if (text) this.#pc.addTransceiver("audio", { direction: "recvonly" });
  }

  #came(track, receiver) {
    playAtOnce(receiver);
    this.#puppet.addTrack(track);
    this.#emit("picture", this.#puppet);
  }

  #heard(data) {
    this.#heardMs = performance.now();
    const told = JSON.parse(data);
    for (const kind of ["status", "note", "ask", "over"]) {
      if (told[kind] !== undefined) this.#emit(kind, told[kind]);
    }
    if (told.over) this.#isOver = true;
  }

  #lost(sentence) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#emit("lost", sentence);
  }

  #emit(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}

/** Wait until a connection knows its addresses, but not for a slow STUN server. */
export async function gathered(pc) {
  if (pc.iceGatheringState === "complete") return;
  await new Promise((done) => {
    setTimeout(done, GATHER_MS);
    pc.addEventListener("icegatheringstatechange", () => pc.iceGatheringState === "complete" && done());
  });
}

/** VP8 first: it is what a host encodes fastest, and whose start Chromium lets the answer set. */
export function preferVp8(transceiver) {
  const { codecs } = RTCRtpReceiver.getCapabilities?.("video") ?? { codecs: [] };
  const isVp8 = ({ mimeType }) => mimeType.toLowerCase() === "video/vp8";
  const sorted = [...codecs.filter(isVp8), ...codecs.filter((one) => !isVp8(one))];
  if (sorted.length) transceiver.setCodecPreferences?.(sorted);
}

/** Show pictures as they come: a face that lags is worse than one that stumbles. */
export function playAtOnce(receiver) {
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
  else if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
}
