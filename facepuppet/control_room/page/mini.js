// A small window that stays above the meeting, where the browser has one (Document Picture-in-Picture).

import { dockButton } from "./controls.js";
import { Picture } from "./pictures.js";
import { make, mark, say } from "./parts.js";

const VERBS = ["panic", "away", "mute"];
export const MINI_PX = 320;

/** Offers the small window by a button, which stays hidden where the browser has none. */
export class Mini {
  #ask;
  #verbs;
  #listen;
  #changed;
  #parts = null;

  /**
   * @param listen takes a document whose keys shall count.
   * @param changed is called when the window has opened or closed.
   */
  constructor(button, { verbs, ask, listen, changed }) {
    this.#ask = ask;
    this.#verbs = VERBS.map((name) => verbs.find((verb) => verb.name === name)).filter(Boolean);
    this.#listen = listen;
    this.#changed = changed;
    button.hidden = !("documentPictureInPicture" in window);
    button.addEventListener("click", () => this.#open());
  }

  get isOpen() {
    return this.#parts !== null;
  }

  show(bytes) {
    this.#parts?.picture.show(bytes);
  }

  update(message) {
    this.#parts?.buttons.forEach((button) => button.update(message));
  }

  /** The headline of the page, here too. */
  headline({ kind, word }) {
    if (!this.#parts) return;
    mark(this.#parts.pill, "data-kind", kind);
    say(this.#parts.pill.querySelector(".word"), word);
  }

  async #open() {
    const opened = await documentPictureInPicture.requestWindow({ width: MINI_PX, height: 290 });
    const { head, body, documentElement } = opened.document;
    documentElement.lang = "en";
    opened.document.title = "facepuppet";
    head.append(make("link", { rel: "stylesheet", href: new URL("/assets/style.css", location.href).href }));
    body.className = "mini";
    const canvas = make("canvas", { role: "img", "aria-label": "The picture that goes out" });
    const pill = make(
      "p",
      { class: "pill" },
      make("span", { class: "sign", "aria-hidden": "true" }),
      make("span", { class: "word" }),
    );
    const buttons = this.#verbs.map((verb) => dockButton(verb, this.#ask));
    const icons = document.getElementById("icons").cloneNode(true);
    body.append(icons, pill, canvas, make("div", { class: "row" }, ...buttons.map((button) => button.element)));
    this.#listen(opened.document);
    opened.addEventListener("pagehide", () => {
      this.#parts = null;
      this.#changed();
    });
    this.#parts = { buttons, pill, picture: new Picture(canvas) };
    this.#changed();
  }
}
