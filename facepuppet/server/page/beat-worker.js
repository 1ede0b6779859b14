// A clock for the pages: timers of a worker go on where those of a hidden page are held back.
const BEAT_MS = 250;
setInterval(() => postMessage("beat"), BEAT_MS);
