// A performance from the door to its end: it joins, and where the host is lost it comes back by itself.

import { Over } from "./desk.js";
import { Peer } from "./peer.js";

const WAITS_MS = [0, 500, 1000, 2000, 4000];
const BACK_MS = 110_000; // the server keeps a lost person's place and watch link for two minutes

/**
 * Events: "line" (detail: place), "joined" (detail: {watch}), "open", "picture", "status", "note", "ask" (see Peer), "lost"
 * (detail: a sentence; it is coming back), "over" (detail: an Over).
 */
export class Show extends EventTarget {
  #desk;
  #wish;
  #media;
  #peer = null;
  #line = null; // to the reception
  #back = null; // ticket
  #lostMs = null;
  #tries = 0;
  #againMs = null;
  #abort = null;
  #isOver = false;

  /** @param wish {avatar, right, driven_by, sound}, as /api/join takes it. */
  constructor(desk, wish, media) {
    super();
    this.#desk = desk;
    this.#wish = wish;
    this.#media = media;
  }

  async start() {
    this.#againMs = null;
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      const ice = await this.#desk.json("/api/ice");
      const peer = this.#listen(new Peer(ice, this.#media, this.#wish.driven_by === "text"));
      const message = { ...this.#wish, offer: await peer.offer(), ...(this.#back && { back: this.#back }) };
      const onLine = (place) => (peer.wait(), this.#emit("line", place));
      const joined = await this.#desk.join(message, { onLine, signal });
      if (signal.aborted) return joined.hangUp();
      this.#line = joined;
      this.#back = joined.back;
      joined.over.then((over) => this.#line === joined && this.#ended(over));
      await peer.accept(joined.answer);
      this.#emit("joined", { watch: joined.watch });
    } catch (error) {
      if (!signal.aborted) this.#ended(error instanceof Over ? error : failure(error));
    }
  }

  say(message) {
    return this.#peer?.say(message) ?? false;
  }

  /** Send another device's track in place of one of its kind. */
  replace(track) {
    this.#peer?.replace(track);
  }

  beat() {
    this.#peer?.beat();
    if (this.#againMs !== null && performance.now() >= this.#againMs) this.start();
  }

  leave() {
    this.#isOver = true;
    this.#drop();
  }

  #listen(peer) {
    this.#peer?.close();
    this.#peer = peer;
    const ours =
      (act) =>
      ({ detail }) =>
        this.#peer === peer && act(detail);
    for (const kind of ["open", "picture", "note", "ask"])
      peer.addEventListener(
        kind,
        ours((detail) => this.#emit(kind, detail)),
      );
    peer.addEventListener(
      "status",
      ours((status) => {
        this.#lostMs = null;
        this.#tries = 0;
        this.#emit("status", status);
      }),
    );
    peer.addEventListener(
      "over",
      ours((over) => this.#ended(new Over(over))),
    );
    peer.addEventListener(
      "lost",
      ours((sentence) => this.#ended(new Over({ why: "lost", sentence, again: true }))),
    );
    return peer;
  }

  /** It is over, or it comes back: where that makes sense, where somebody was inside, and not for ever. */
  #ended(over) {
    if (this.#isOver || this.#againMs !== null) return;
    this.#drop();
    const nowMs = performance.now();
    this.#lostMs ??= nowMs;
    const mayAgain = over.again || over.why === "full"; // many come back at once, and not all at once
    if (!mayAgain || this.#back === null || nowMs - this.#lostMs > BACK_MS) {
      this.#isOver = true;
      this.#emit("over", over);
      return;
    }
    this.#againMs = nowMs + WAITS_MS[Math.min(this.#tries, WAITS_MS.length - 1)] * (0.8 + 0.4 * Math.random());
    this.#tries += 1;
    this.#emit("lost", over.message);
  }

  #drop() {
    this.#abort?.abort();
    this.#againMs = null;
    this.#line?.hangUp();
    this.#peer?.close();
    this.#line = this.#peer = null;
  }

  #emit(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}

function failure(error) {
  console.error(error);
  return new Over({ why: "failed", sentence: `This browser could not connect (${error.name}).`, again: true });
}
