// A camera whose mouth opens and a microphone that clicks, both in one turn; and what comes back of them.
const WIDTH = 64, HEIGHT = 36, LOUD = 0.05, GAP_MS = 300;
const found = { moments: [], pictures: [], heard: [] };
const context = new AudioContext({ sampleRate: 48000 });
const peer = new RTCPeerConnection();
const EAR = `registerProcessor("ear", class extends AudioWorkletProcessor {
  process([[sound]]) {
    const at = sound?.findIndex((one) => Math.abs(one) > ${LOUD}) ?? -1;
    if (at >= 0) this.port.postMessage(1000 * (currentTime + at / sampleRate));
    return true;
  }
});`;
let early = Infinity; // the page's clock less that of the sound, in ms, when it was read most promptly

async function offer(shut, open, width, height, every, lasts) {
  const mouths = await Promise.all([shut, open].map(async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    return image;
  }));
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([EAR], { type: "text/javascript" })));
  await context.resume();
  const canvas = document.body.appendChild(document.createElement("canvas"));
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d"), out = context.createMediaStreamDestination();
  const click = context.createBuffer(1, 144, 48000);
  click.getChannelData(0).forEach((_, i, all) => { all[i] = 0.6 * Math.sin((2 * Math.PI * 2000 * i) / 48000); });
  const silence = new ConstantSourceNode(context, { offset: 0 }); // without any source no sound flows at all
  silence.connect(out);
  silence.start();
  const begun = performance.now();
  let was = false;
  setInterval(() => {
    const now = performance.now(), is = (now - begun) % every < lasts;
    early = Math.min(early, now - 1000 * context.currentTime);
    pen.drawImage(mouths[+is], 0, 0, width, height);
    if (is && !was) {
      const played = context.createBufferSource();
      played.buffer = click;
      played.connect(out);
      played.start();
      found.moments.push(now);
    }
    was = is;
  }, 1000 / 30);
  for (const track of [...canvas.captureStream(30).getTracks(), ...out.stream.getTracks()]) peer.addTrack(track);
  const channel = peer.createDataChannel("puppet");
  setInterval(() => channel.readyState === "open" && channel.send('{"alive": 1}'), 1000);
  peer.addEventListener("track", ({ track, streams }) => (track.kind === "video" ? look(streams[0]) : listen(streams[0])));
  await peer.setLocalDescription(await peer.createOffer());
  if (peer.iceGatheringState !== "complete") {
    await new Promise((done) => peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && done()));
  }
  return peer.localDescription.sdp;
}

const take = (sdp) => peer.setRemoteDescription({ type: "answer", sdp });

function look(stream) {
  const video = document.body.appendChild(document.createElement("video"));
  const pen = new OffscreenCanvas(WIDTH, HEIGHT).getContext("2d", { willReadFrequently: true });
  video.autoplay = true;
  video.srcObject = stream;
  const note = (now, frame) => {
    pen.drawImage(video, 0, 0, WIDTH, HEIGHT);
    const pixels = pen.getImageData(0, 0, WIDTH, HEIGHT).data, grey = [];
    for (let i = 1; i < pixels.length; i += 4) grey.push(pixels[i]);
    found.pictures.push([frame.expectedDisplayTime, grey]);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}

function listen(stream) {
  const ear = new AudioWorkletNode(context, "ear");
  context.createMediaStreamSource(stream).connect(ear);
  let loud = -Infinity;
  ear.port.onmessage = ({ data }) => {
    if (data - loud > GAP_MS) found.heard.push(data + early);
    loud = data;
  };
}
