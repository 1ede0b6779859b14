// The one way to facepuppet: a WebSocket that comes back by itself, and HTTP for commands while it is gone.
//
// Everything is driven by messages and by beats of a worker (see beat-worker.js), never by timers or animation
// frames of the page: those of a hidden tab come once a second, once a minute, or not at all.

const SILENCE_MS = 2000; // the server says how things stand four times a second
const ANSWER_MS = 10000;
const WAITS_MS = [0, 500, 1000, 2000, 4000];
const KINDS = { 1: "output", 2: "mesh", 3: "camera", 4: "mood" };

export class Refused extends Error {}

/**
 * Events: "state" (detail: what the server tells), "output", "mesh", "camera", "mood" (detail: {id, ageMs, bytes,
 * receivedMs}), "standing" (detail: {word: "connecting" | "open" | "lost" | "refused", why}).
 */
export class Link extends EventTarget {
  #token;
  #socket = null;
  #heardMs = performance.now();
  #tries = 0;
  #againMs = null; // when to try again; null while a try is on
  #asked = new Map(); // id -> what waits for the answer
  #nextId = 1;
  #wishes = { output: 0, mesh: false, camera: false, mood: false };
  standing = "connecting";

  constructor(token) {
    super();
    this.#token = token;
  }

  open() {
    this.#againMs = null;
    this.#heardMs = performance.now();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/live?token=${encodeURIComponent(this.#token)}`);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#opened(socket));
    socket.addEventListener("message", (event) => socket === this.#socket && this.#heard(event.data));
    socket.addEventListener("close", (event) => socket === this.#socket && this.#closed(event));
    this.#socket = socket;
  }

  /** What to send pictures of: {output: width or 0, mesh, camera, mood}. */
  watch(wishes) {
    if (JSON.stringify(wishes) === JSON.stringify(this.#wishes)) return;
    this.#wishes = wishes;
    this.#send({ watch: wishes });
  }

  /** Say that a picture was shown, so that the next may come. */
  seen(id) {
    this.#send({ seen: id });
  }

  /** Ask for something by its verb; resolves once it is taken, throws Refused or Error with a sentence. */
  do(verb, values) {
    const id = this.#nextId++;
    if (!this.#send({ do: verb, values, id })) return this.#post(verb, values);
    return new Promise((done, failed) => this.#asked.set(id, { done, failed, atMs: performance.now() }));
  }

  /** Fetch from the server with the token. */
  async fetch(path, options = {}) {
    const headers = { ...options.headers, Authorization: `Bearer ${this.#token}` };
    return fetch(path, { ...options, headers, credentials: "omit", cache: "no-store" });
  }

  /** A worker's beat: look whether the server still speaks, and try again when it is time. */
  beat() {
    const nowMs = performance.now();
    if (this.#againMs !== null) {
      if (nowMs >= this.#againMs) this.open();
    } else if (nowMs - this.#heardMs > SILENCE_MS) {
      this.#lost("facepuppet has not answered for 2 seconds.");
    }
    for (const [id, asked] of this.#asked) {
      if (nowMs - asked.atMs > ANSWER_MS) this.#answer(id, new Error("facepuppet did not answer."));
    }
  }

  #opened(socket) {
    if (socket !== this.#socket) return;
    this.#heardMs = performance.now();
    this.#send({ watch: this.#wishes });
  }

  #heard(data) {
    this.#heardMs = performance.now();
    if (typeof data !== "string") return this.#picture(data);
    const message = JSON.parse(data);
    if (message.type === "done") this.#answer(message.id);
    else if (message.type === "refused") this.#answer(message.id, new Refused(message.message));
    else this.#told(message);
  }

  /** How things stand is what an open line tells; a page too many hears why, and then the end. */
  #told(message) {
    if (this.standing !== "open") {
      this.#tries = 0;
      this.#stand("open");
    }
    this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }

  #picture(data) {
    const head = new DataView(data);
    const kind = KINDS[head.getUint8(0)];
    if (kind === undefined) return;
    const detail = {
      id: head.getUint32(1, true),
      ageMs: head.getUint16(5, true),
      bytes: data.slice(7),
      receivedMs: performance.now(),
    };
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  #closed(event) {
    this.#lost(event.reason || "The connection to facepuppet ended.");
    // A browser does not tell a page why a WebSocket was refused; a plain question does.
    this.fetch("/api/state").then(
      (answer) => {
        if (answer.status === 401 || answer.status === 403) {
          this.#stand("refused", "This page's token is not the run's. Open the address that facepuppet run printed.");
        }
      },
      () => {}, // gone: that is already told
    );
  }

  #lost(why) {
    const wait = WAITS_MS[Math.min(this.#tries, WAITS_MS.length - 1)];
    this.#againMs = performance.now() + wait * (0.8 + 0.4 * Math.random());
    this.#tries += 1;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    for (const id of [...this.#asked.keys()]) {
      this.#answer(id, new Error("The connection was lost before facepuppet answered."));
    }
    if (this.standing !== "refused") this.#stand("lost", why);
  }

  #stand(word, why = "") {
    this.standing = word;
    this.dispatchEvent(new CustomEvent("standing", { detail: { word, why } }));
  }

  #send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #answer(id, error = null) {
    const asked = this.#asked.get(id);
    if (!this.#asked.delete(id)) return;
    if (error === null) asked.done();
    else asked.failed(error);
  }

  async #post(verb, values) {
    const body = JSON.stringify(values);
    const headers = { "Content-Type": "application/json" };
    const answer = await this.fetch(`/api/do/${verb}`, { method: "POST", body, headers }).catch(() => null);
    if (answer === null) throw new Error("facepuppet does not answer. Press the letter in its terminal instead.");
    if (!answer.ok) throw new Refused(await sentenceOf(answer));
  }
}

/** The sentence of a refusal: what was got, what was expected, what to do. */
export async function sentenceOf(answer) {
  const { error } = await answer.json().catch(() => ({}));
  if (!error) return `facepuppet refused this (${answer.status}).`;
  return `Got ${error.got}, expected ${error.expected}. ${error.todo}`;
}
