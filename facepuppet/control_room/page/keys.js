// Keys of the page: a verb's letter, and "?" for help. Escape only closes what is open; it never panics.

const TYPED_IN =
  "textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio], [type=color], [type=file])";

/**
 * Listen to a document's keys.
 *
 * @param presses maps letters to what they do.
 */
export function listenToKeys(target, presses) {
  target.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (event.target.closest?.(TYPED_IN)) return;
    const press = presses.get(letterOf(event));
    if (!press) return;
    event.preventDefault();
    press();
  });
}

/** The letter that is on a key. On keyboards without Latin letters, the one in its place. */
function letterOf({ key, code }) {
  const letter = key.toLowerCase();
  if (/^[\x20-\x7e]$/.test(letter)) return letter;
  return /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : letter;
}
