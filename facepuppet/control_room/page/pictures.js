// Pictures and points that the server sends, drawn on canvases.

// Rings of the face mesh, as facepuppet.face.topology has them; a test holds the two together.
export const RINGS = {
  oval: [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
  ],
  lipsOuter: [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146],
  lipsInner: [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95],
  leftEye: [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
  rightEye: [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249],
  leftIris: [469, 470, 471, 472],
  rightIris: [474, 475, 476, 477],
};
export const BROWS = { left: [70, 63, 105, 66, 107], right: [300, 293, 334, 296, 336] };
const N_SKIN = 468; // the irises follow
const COLOURS = { dot: "#7d879b", line: "#eceef4", iris: "#60beff", body: "#ffaa5a" };

/** A canvas that shows the newest of the pictures it is given. */
export class Picture {
  #canvas;
  #given = 0;
  #shown = 0;

  constructor(canvas) {
    this.#canvas = canvas;
  }

  /** Decode and show a JPEG; resolves to whether it was shown, and not a newer one. */
  async show(bytes) {
    const turn = ++this.#given;
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    const isNewest = turn > this.#shown;
    if (isNewest) {
      this.#shown = turn;
      const canvas = this.#canvas;
      if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
        canvas.width = bitmap.width;
        canvas.height = bitmap.height;
      }
      canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
    }
    bitmap.close();
    return isNewest;
  }

  /** Forget what is shown, and what is still being decoded. */
  clear() {
    this.#shown = ++this.#given;
    this.#canvas.getContext("2d", { alpha: false }).clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }
}

/** Read the points of a mesh message: {face, shoulders}, each [[x, y], …] in shares of the view's side. */
export function pointsOf(bytes) {
  const view = new DataView(bytes);
  let at = 0;
  const next = () => {
    const count = view.getUint16(at, true);
    at += 2;
    return Array.from({ length: count }, () => {
      const point = [view.getInt16(at, true) / 1000, view.getInt16(at + 2, true) / 1000];
      at += 4;
      return point;
    });
  };
  return { face: next(), shoulders: next() };
}

/** Draw a face and shoulders on a square canvas; nobody, where there are no points. */
export function drawMesh(canvas, { face, shoulders }) {
  const context = canvas.getContext("2d");
  const side = Math.round(canvas.clientWidth * devicePixelRatio) || canvas.width;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  context.clearRect(0, 0, side, side);
  context.lineJoin = context.lineCap = "round";
  const line = (points, colour, width, closed) => {
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x * side, y * side) : context.moveTo(x * side, y * side)));
    if (closed) context.closePath();
    context.strokeStyle = colour;
    context.lineWidth = Math.max(0.8 * width, (width * side) / 480);
    context.stroke();
  };
  if (shoulders.length) line(shoulders, COLOURS.body, 3, false);
  if (face.length <= RINGS.rightIris[3]) return;
  context.fillStyle = COLOURS.dot;
  const dot = Math.max(1, side / 240);
  for (const [x, y] of face.slice(0, N_SKIN)) context.fillRect(x * side - dot / 2, y * side - dot / 2, dot, dot);
  const of = (indices) => indices.map((i) => face[i]);
  for (const [name, ring] of Object.entries(RINGS)) {
    line(of(ring), name.endsWith("Iris") ? COLOURS.iris : COLOURS.line, 1.6, true);
  }
  for (const brow of Object.values(BROWS)) line(of(brow), COLOURS.line, 2.2, false);
}
