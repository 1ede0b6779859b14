// Small parts that views are built of.

export const by = (id) => document.getElementById(id);

/** Make an element: make("p", {class: "x", text: "…"}, child, …). Properties that are functions listen. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Set text where it changed: what did not change shall not be laid out or read out again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const views = ["code", "choose", "wait", "live", "over"];

/** Show one of the views, and take a screen reader and the keyboard there. */
export function view(name, focus = null) {
  for (const one of views) by(`${one}-view`).hidden = one !== name;
  focus?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** How things stand: a word and a kind ("good", "wait", "warn", "bad"). */
export function stand(kind, word) {
  by("standing").dataset.kind = kind;
  say(by("standing").querySelector(".word"), word);
  document.title = `${kind === "good" ? "● " : ""}${word} – facepuppet`;
}

/** Read something out, and to nobody's eyes. */
export function tell(sentence) {
  say(by("told"), sentence);
}

/** A line across the page for what is amiss; "" takes it away. */
export function banner(sentence) {
  by("banner").hidden = !sentence;
  say(by("banner"), sentence);
}
