// How the pages speak to the reception: HTTP with a bearer's secret, and a WebSocket to join by.

const OPEN_MS = 8000;

/** Something was refused, or is over: {why, sentence, again} as the server says it. */
export class Over extends Error {
  constructor({ why, sentence, again }) {
    super(sentence);
    this.why = why;
    this.again = again;
  }
}

export const UNREACHED = { why: "lost", sentence: "The server does not answer.", again: true };

export class Desk {
  #secret;

  constructor(secret) {
    this.#secret = secret;
  }

  /** Ask for something; throws Over where that is refused. */
  async ask(path, options = {}) {
    const headers = { ...options.headers, Authorization: `Bearer ${this.#secret}` };
    const how = { ...options, headers, credentials: "omit", cache: "no-store" };
    const answer = await fetch(path, how).catch(() => null);
    if (answer === null) throw new Over(UNREACHED);
    if (answer.ok) return answer;
    const { over } = await answer.json().catch(() => ({}));
    const sentence = answer.status === 401 ? "This access code is not known here." : over?.sentence;
    throw new Over({
      why: "refused",
      again: false,
      ...over,
      sentence: sentence ?? `The server says ${answer.status}.`,
    });
  }

  async json(path) {
    return (await this.ask(path)).json();
  }

  /** A picture as an address that an <img> takes. */
  async picture(path) {
    return URL.createObjectURL(await (await this.ask(path)).blob());
  }

  /**
   * Ask to come in. Calls onLine(place) while there is a line.
   * @returns {answer, session, watch, back, over: Promise of an Over, hangUp()}; throws Over where it is refused.
   */
  join(message, { onLine, signal }) {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/join`);
    let ended;
    const over = new Promise((done) => (ended = done));
    const hangUp = () => socket.close();
    return new Promise((done, failed) => {
      const lost = () => failed(new Over(UNREACHED));
      const timer = setTimeout(() => (lost(), hangUp()), OPEN_MS);
      signal.addEventListener("abort", () => (lost(), hangUp()));
      socket.addEventListener("open", () => {
        clearTimeout(timer);
        socket.send(JSON.stringify({ ...message, token: this.#secret }));
      });
      socket.addEventListener("message", ({ data }) => {
        const told = JSON.parse(data);
        if (told.line) onLine(told.line);
        if (told.answer) done({ ...told, over, hangUp });
        if (told.over) {
          ended(new Over(told.over));
          failed(new Over(told.over));
        }
      });
      socket.addEventListener("close", () => (clearTimeout(timer), lost())); // after an answer that means nothing
    });
  }
}
