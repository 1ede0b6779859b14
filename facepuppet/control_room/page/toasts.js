// What went wrong, in a sentence; gone after a while, or when dismissed.

import { make } from "./parts.js";

const STAYS_MS = 15000;
const MOST = 3;
const place = document.getElementById("toasts");
const shownMs = new Map();

/** Tell the user of something that was refused or failed. */
export function complain(text) {
  const close = make("button", { type: "button", "aria-label": "Dismiss", text: "×", click: () => drop(toast) });
  const toast = make("div", { class: "toast", role: "alert" }, make("p", { text }), close);
  shownMs.set(toast, performance.now());
  place.append(toast);
  while (shownMs.size > MOST) drop(shownMs.keys().next().value);
}

/** Drop those that are old; one that is pointed at, or has the focus, stays. */
export function expireToasts(nowMs) {
  for (const [toast, atMs] of shownMs) {
    if (nowMs - atMs > STAYS_MS && !toast.matches(":hover, :focus-within")) drop(toast);
  }
}

function drop(toast) {
  shownMs.delete(toast);
  toast.remove();
}
