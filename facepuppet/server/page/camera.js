// The camera and the microphone, or one clear line about what is amiss with them, and what to do.

const PICTURE = {
  width: { ideal: 640 },
  height: { ideal: 360 },
  frameRate: { ideal: 30, max: 30 },
  facingMode: "user",
};
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** What is amiss: a sentence. */
export class Trouble extends Error {}

/** Open what drives a puppet; throws Trouble. */
export async function openMedia({ camera, sound }) {
  if (!camera && !sound) return new MediaStream();
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Trouble(
      isSecureContext
        ? "This browser gives pages no camera. Use a current Firefox, Chrome, Edge or Safari."
        : "Browsers give cameras only to pages whose address begins with https. Ask for that address.",
    );
  }
  try {
    return marked(
      await navigator.mediaDevices.getUserMedia({ video: camera ? PICTURE : false, audio: sound ? SOUND : false }),
    );
  } catch (error) {
    throw new Trouble(await sentenceFor(error, camera, sound));
  }
}

/** Sharpness comes before smoothness: what is sent are faces to be read. */
function marked(stream) {
  for (const track of stream.getVideoTracks()) track.contentHint = "detail";
  return stream;
}

/** Let the camera send what the server can use. */
export async function adapt(stream, { width, height, fps }) {
  const [track] = stream.getVideoTracks();
  const { width: wide, height: high } = track?.getSettings() ?? {};
  if (!track) return;
  if (high > wide) [width, height] = [height, width]; // a telephone held upright
  const wish = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps, max: fps } };
  await track.applyConstraints(wish).catch(() => {}); // a camera that cannot goes on as it is
}

export function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

async function sentenceFor(error, camera, sound) {
  const both = camera && sound ? "camera and microphone" : camera ? "camera" : "microphone";
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return `You, or this browser, did not allow the ${both}. Allow it beside the page's address, then start again.`;
    case "NotFoundError":
      return await missing(camera, sound);
    case "NotReadableError":
    case "AbortError":
      return `The ${both} is busy: another program holds it. Close that program (a meeting, perhaps), then start again.`;
    case "OverconstrainedError":
      return `The ${both} cannot do what is asked of it. Choose another one in the browser's settings.`;
    default:
      return `The ${both} cannot be opened (${error.name}). Plug it in anew, then start again.`;
  }
}

async function missing(camera, sound) {
  const kinds = (await navigator.mediaDevices.enumerateDevices().catch(() => [])).map((one) => one.kind);
  if (camera && !kinds.includes("videoinput")) {
    return "There is no camera here. Plug one in, or let your voice or text move the puppet.";
  }
  if (sound && !kinds.includes("audioinput")) {
    return `There is no microphone here. Plug one in, or ${camera ? "start without your voice" : "let a camera or text move the puppet"}.`;
  }
  return "The camera or microphone was not found. Plug it in, then start again.";
}
