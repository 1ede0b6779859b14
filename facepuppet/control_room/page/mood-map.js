// The map of moods: where a face or a voice stands on valence and arousal. Drawn here, and forgotten with the page.

const SETTLES_MS = 800; // lips that talk are no mood
const TRAIL = 40;
const SOURCES = ["nobody", "the face", "the voice"];
const CORNERS = [
  ["tense", -0.96, 0.88, "left"],
  ["excited", 0.96, 0.88, "right"],
  ["low", -0.96, -0.94, "left"],
  ["at ease", 0.96, -0.94, "right"],
];

/** The map on one canvas. */
export class MoodMap {
  #canvas;
  #at = null;
  #atMs = 0;
  #trail = [];

  constructor(canvas) {
    this.#canvas = canvas;
    this.#draw(0);
  }

  /** Take in what the server tells, {source, valence, arousal}, and return it in words. */
  show(view, nowMs) {
    const source = view.getUint8(0);
    const told = [view.getInt16(1, true) / 1000, view.getInt16(3, true) / 1000];
    if (source === 0) {
      this.#at = null;
      this.#trail = [];
    } else {
      const share = this.#at ? 1 - Math.exp((this.#atMs - nowMs) / SETTLES_MS) : 1;
      const from = this.#at ?? told;
      this.#at = from.map((one, i) => one + share * (told[i] - one));
      this.#trail = [...this.#trail, this.#at].slice(-TRAIL);
    }
    this.#atMs = nowMs;
    this.#draw(source);
    if (!this.#at) return "Nobody is seen or heard.";
    const [valence, arousal] = this.#at.map((one) => one.toFixed(1).replace("-0.0", "0.0").replace("-", "−"));
    return `Read from ${SOURCES[source]}: valence ${valence}, arousal ${arousal}.`;
  }

  #draw(source) {
    const canvas = this.#canvas;
    const side = Math.round(canvas.clientWidth * devicePixelRatio) || canvas.width;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    const place = ([valence, arousal]) => [(0.5 + 0.46 * valence) * side, (0.5 - 0.46 * arousal) * side];
    context.clearRect(0, 0, side, side);
    context.strokeStyle = "#7d879b";
    context.lineWidth = Math.max(1, side / 480);
    for (const [from, to] of [
      [
        [-1, 0],
        [1, 0],
      ],
      [
        [0, -1],
        [0, 1],
      ],
    ]) {
      context.beginPath();
      context.moveTo(...place(from));
      context.lineTo(...place(to));
      context.stroke();
    }
    context.fillStyle = "#c3c9d6";
    context.font = `${Math.max(11, side / 26)}px system-ui, sans-serif`;
    for (const [word, x, y, align] of CORNERS) {
      context.textAlign = align;
      context.fillText(word, ...place([x, y]));
    }
    const colour = source === 2 ? "#ffaa5a" : "#60beff";
    this.#trail.forEach((at, i) => {
      context.globalAlpha = (i + 1) / TRAIL;
      context.fillStyle = colour;
      context.beginPath();
      context.arc(...place(at), side / (i === this.#trail.length - 1 ? 36 : 120), 0, 2 * Math.PI);
      context.fill();
    });
    context.globalAlpha = 1;
  }
}
