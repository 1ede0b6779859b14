// Lays a picture, whose colour is premultiplied, with its matte on a transparent canvas.
// Each painter has paint(picture, matte) and clear(); matte is null where all is opaque.

// Alpha is a JPEG: a little above 0 and below 255 is taken for clear and opaque. Colour beyond alpha would glow.
const LOW = 4 / 255, HIGH = 251 / 255;

const CORNERS = `
  attribute vec2 corner; varying vec2 at;
  void main() { at = vec2(corner.x, 1.0 - corner.y); gl_Position = vec4(2.0 * corner - 1.0, 0.0, 1.0); }`;
const CUT_OUT = `
  precision highp float;
  uniform sampler2D picture, matte; uniform float opaque; varying vec2 at;
  void main() {
    float read = (texture2D(matte, at).r - ${LOW}) / ${HIGH - LOW};
    float alpha = max(opaque, clamp(read, 0.0, 1.0));
    gl_FragColor = vec4(min(texture2D(picture, at).rgb, vec3(alpha)), alpha);
  }`;

export function openPainter(canvas) {
  const gl = canvas.getContext("webgl", { alpha: true, premultipliedAlpha: true, antialias: false, depth: false });
  return gl ? new GlPainter(canvas, gl) : new PlainPainter(canvas);
}

class GlPainter {
  constructor(canvas, gl) {
    this.canvas = canvas;
    this.gl = gl;
    this.prepare();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => this.prepare());
  }

  prepare() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, CORNERS], [gl.FRAGMENT_SHADER, CUT_OUT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    const corner = gl.getAttribLocation(program, "corner");
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    ["picture", "matte"].forEach((name, unit) => {
      gl.uniform1i(gl.getUniformLocation(program, name), unit);
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      for (const edge of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, edge, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    });
    this.opaque = gl.getUniformLocation(program, "opaque");
  }

  paint(picture, matte) {
    const gl = this.gl;
    fit(this.canvas, picture);
    gl.viewport(0, 0, picture.width, picture.height);
    this.upload(0, gl.RGB, picture);
    if (matte) this.upload(1, gl.LUMINANCE, matte);
    gl.uniform1f(this.opaque, matte ? 0 : 1);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  upload(unit, format, bitmap) {
    const gl = this.gl;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.texImage2D(gl.TEXTURE_2D, 0, format, format, gl.UNSIGNED_BYTE, bitmap);
  }

  clear() {
    this.gl.clear(this.gl.COLOR_BUFFER_BIT);
  }
}

// Where a browser has no WebGL.
class PlainPainter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.readers = [0, 1].map(() => document.createElement("canvas"));
  }

  paint(picture, matte) {
    fit(this.canvas, picture);
    if (!matte) {
      this.context.drawImage(picture, 0, 0);
      return;
    }
    const shown = this.read(0, picture), alphas = this.read(1, matte).data, values = shown.data;
    for (let i = 0; i < values.length; i += 4) {
      const alpha = Math.min(Math.max((alphas[i] / 255 - LOW) / (HIGH - LOW), 0), 1);
      if (alpha > 0 && alpha < 1) {  // this kind of canvas takes colour that is not premultiplied
        for (let c = i; c < i + 3; c++) values[c] = Math.min(values[c] / alpha, 255);
      }
      values[i + 3] = 255 * alpha;
    }
    this.context.putImageData(shown, 0, 0);
  }

  read(which, bitmap) {
    const reader = this.readers[which];
    fit(reader, bitmap);
    const context = reader.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height);
  }

  clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }
}

function fit(canvas, bitmap) {
  if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
  }
}
