// Small parts that controls are built of.

const HOLD_MS = 1000; // what was asked for is shown this long, even where an older state still comes in

/** Make an element: make("p", {class: "x", text: "…"}, child, …). Properties that are functions listen. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** One of the icons of index.html; a dot for those it has not. */
export function icon(name) {
  const id = document.getElementById(`i-${name}`) ? `i-${name}` : "i-any";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#${id}`);
  svg.append(use);
  return svg;
}

/** Set text where it changed: what did not change shall not be laid out or read out again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set an attribute where it changed. */
export function mark(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

let nIds = 0;

/** An id that nothing else has. */
export function freshId(stem) {
  nIds += 1;
  return `${stem}-${nIds}`;
}

/**
 * A value that the user sets and the server tells. One command is under way at a time, the newest wins: a dragged
 * slider floods nobody.
 */
export class Wish {
  #send;
  #wanted = null;
  #next = null;
  #busy = false;
  #untilMs = 0;

  /** @param send takes a value; resolves to whether it was taken. */
  constructor(send) {
    this.#send = send;
  }

  async want(value) {
    this.#wanted = value;
    this.#next = { value };
    if (this.#busy) return;
    this.#busy = true;
    let isTaken = true;
    while (this.#next) {
      const { value: newest } = this.#next;
      this.#next = null;
      isTaken = await this.#send(newest);
    }
    this.#busy = false;
    this.#untilMs = isTaken ? performance.now() + HOLD_MS : 0;
  }

  /** What to show: the value the server tells, or what was asked for just now. */
  shown(told) {
    return this.#busy || performance.now() < this.#untilMs ? this.#wanted : told;
  }
}
